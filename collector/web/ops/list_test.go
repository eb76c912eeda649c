package ops

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"anagrafe/collector/registry"
	"anagrafe/protocol/csvfile"
)

// invite makes so many invitations, of shops and of bars in turn.
func (d *desk) invite(n int) (sites []string) {
	d.t.Helper()
	for i := range n {
		code, got := d.ask(d.control, "", "POST", "/invite", map[string]string{"site": fmt.Sprintf("Sito %d", i), "category": []string{"shop", "bar-restaurant"}[i%2]})
		if code != http.StatusCreated {
			d.t.Fatal(code, got)
		}
		sites = append(sites, got["site_id"].(string))
	}
	return sites
}

func rowsOf(got map[string]any) (ids []string) {
	rows, _ := got["rows"].([]any)
	for _, row := range rows {
		ids = append(ids, row.(map[string]any)["id"].(string))
	}
	return ids
}

// Following the addresses that the pages name gives each row once, in the order that
// was asked for.
func TestListPages(t *testing.T) {
	d := newDesk(t)
	sites := d.invite(7)
	for _, order := range []string{"", "&order=asc", "&sort=heard", "&sort=enrolled&order=asc", "&sort=shared"} {
		var seen []string
		pages := 0
		for next := "/sites?size=3" + order; next != ""; pages++ {
			code, got := d.ask(d.control, "", "GET", next, nil)
			if code != http.StatusOK || got["total"] != 7.0 {
				t.Fatal(next, code, got)
			}
			seen = append(seen, rowsOf(got)...)
			next, _ = got["next"].(string)
		}
		if pages != 3 || len(seen) != 7 {
			t.Errorf("%q: %d pages, %v", order, pages, seen)
		}
		for _, site := range sites {
			if !slices.Contains(seen, site) {
				t.Errorf("%q leaves %s out", order, site)
			}
		}
	}
	if code, got := d.ask(d.control, "", "GET", "/sites?page=9", nil); code != http.StatusOK || len(rowsOf(got)) != 0 {
		t.Errorf("past the end: %d %v", code, got)
	}
}

func TestListFilters(t *testing.T) {
	d := newDesk(t)
	d.invite(4)
	_, site := d.redeem(map[string]string{"site": "Bar Centrale", "category": "bank"}, false)
	for query, want := range map[string]int{
		"": 5, "category=shop": 2, "category=bank&state=enrolled": 1, "state=sharing": 0, "state=invited": 4, "trust=invitation": 5, "trust=pec": 0,
		"stage=enrolled": 1, "stage=withdrawn": 0, "from=2000-01-01": 5, "to=2000-01-01": 0, "stage=opened&from=2000-01-01&to=2999-12-31": 1, "silent=yes": 0,
		"id=" + site: 1, "lang=en&unknown=1": 5,
	} {
		if code, got := d.ask(d.control, "", "GET", "/sites?"+query, nil); code != http.StatusOK || got["total"] != float64(want) || len(rowsOf(got)) != want {
			t.Errorf("%s: %d, %v, want %d", query, code, got["total"], want)
		}
	}
	for _, query := range []string{
		"state=odd", "category=spaceport", "stage=1", "from=yesterday", "to=2026-02-30", "id=' OR 1=1", "sort=name", "order=up", "page=0", "page=-1", "page=99999999999",
		"size=501", "size=a", "silent=no", "category=" + strings.Repeat("a", 500),
	} {
		field, _, _ := strings.Cut(query, "=")
		if code, got := d.ask(d.control, "", "GET", "/sites?"+strings.ReplaceAll(query, " ", "+"), nil); code != http.StatusBadRequest || got["field"] != field {
			t.Errorf("%.40s: %d %v", query, code, got)
		}
	}
}

func (d *desk) get(secret, path string) *httptest.ResponseRecorder {
	d.t.Helper()
	r := httptest.NewRequestWithContext(d.t.Context(), "GET", "http://localhost"+path, nil)
	r.RemoteAddr = "198.51.100.7:1"
	h := d.control
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
		h = d.pages
	}
	rw := httptest.NewRecorder()
	h.ServeHTTP(rw, r)
	return rw
}

// A file has the filtered list, whole; what a spreadsheet would reckon is marked.
func TestListExport(t *testing.T) {
	d := newDesk(t)
	d.invite(60)
	d.ask(d.control, "", "POST", "/invite", map[string]string{"site": `=HYPERLINK("http://x")`, "category": "shop", "address": `@a;"b"`})
	before := len(d.acts)
	rw := d.get("", "/sites.csv?category=shop&page=2&lang=en")
	table, bad := csvfile.Read(rw.Body.Bytes(), 1000)
	if rw.Code != http.StatusOK || bad != nil || table.Separator != ";" || len(table.Rows) != 31 || !slices.Contains(table.Header, "Address of the invitation") {
		t.Fatalf("%d %v %v %d rows", rw.Code, bad, table.Header, len(table.Rows))
	}
	at := slices.Index(table.Header, "Address of the invitation")
	found := false
	for _, row := range table.Rows {
		for _, field := range row.Fields {
			if field != "" && strings.Contains("=+-@", field[:1]) {
				t.Errorf("a formula: %q", field)
			}
		}
		found = found || row.Fields[at] == `'@a;"b"`
	}
	if !found {
		t.Error("the address is not as typed")
	}
	if len(d.acts) != before+1 || d.acts[before].Kind != "list-export" || d.acts[before].Count != 31 {
		t.Errorf("on the trail: %+v", d.acts[before:])
	}
	d.broken = fmt.Errorf("disk full")
	if rw := d.get("", "/sites.csv"); rw.Code != http.StatusServiceUnavailable || strings.Contains(rw.Body.String(), "Sito 1") {
		t.Errorf("without a trail: %d", rw.Code)
	}
}

func TestSavedFilters(t *testing.T) {
	d := newDesk(t)
	_, secret := d.user(registry.RoleOps, "")
	_, other := d.user(registry.RoleOps, "")
	save := func(secret, name, query string) int {
		t.Helper()
		h := d.pages
		if secret == "" {
			h = d.control
		}
		code, _ := d.ask(h, secret, "POST", "/sites/filters", map[string]string{"name": name, "query": query})
		return code
	}
	if code := save(secret, "Negozi <b>", "category=shop&sort=heard&page=3&unknown=1"); code != http.StatusOK {
		t.Fatal(code)
	}
	page := d.get(secret, "/sites").Body.String()
	want := `href="/sites?` + strings.ReplaceAll(url.Values{"category": {"shop"}, "sort": {"heard"}}.Encode(), "&", "&amp;") + `">Negozi &lt;b&gt;<`
	if !strings.Contains(page, want) {
		t.Errorf("no %s in the page", want)
	}
	for name, c := range map[string]struct {
		name, query string
		want        int
	}{
		"no name": {"", "", http.StatusUnprocessableEntity}, "long": {strings.Repeat("a", 61), "", http.StatusUnprocessableEntity},
		"control marks": {"a\x01", "", http.StatusUnprocessableEntity}, "odd value": {"a", "state=odd", http.StatusUnprocessableEntity}, "no query": {"a", "%zz", http.StatusUnprocessableEntity},
	} {
		if code := save(secret, c.name, c.query); code != c.want {
			t.Errorf("%s: %d", name, code)
		}
	}
	if code := save("", "a", ""); code != http.StatusConflict {
		t.Errorf("on the control socket: %d", code)
	}
	for i := range registry.MaxSavedFilters - 1 {
		if code := save(secret, fmt.Sprint("f", i), ""); code != http.StatusOK {
			t.Fatal(i, code)
		}
	}
	if code := save(secret, "one more", ""); code != http.StatusConflict {
		t.Errorf("beyond the limit: %d", code)
	}
	if code := save(secret, "f1", "state=sharing"); code != http.StatusOK {
		t.Errorf("in the place of another: %d", code)
	}
	if strings.Contains(d.get(other, "/sites").Body.String(), "Negozi") {
		t.Error("another's filter is shown")
	}
	users, _ := d.reg.Users(t.Context())
	for _, u := range users {
		saved, err := d.reg.SavedFilters(t.Context(), u.ID, "/sites")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range saved {
			d.ask(d.pages, other, "POST", "/sites/filters/"+f.ID+"/delete", nil)
		}
		if again, _ := d.reg.SavedFilters(t.Context(), u.ID, "/sites"); len(again) != len(saved) {
			t.Error("another's filter was deleted")
		}
		for _, f := range saved {
			d.ask(d.pages, secret, "POST", "/sites/filters/"+f.ID+"/delete", nil)
		}
		if again, _ := d.reg.SavedFilters(t.Context(), u.ID, "/sites"); len(again) != 0 {
			t.Error("one's own filter was not deleted")
		}
	}
}
