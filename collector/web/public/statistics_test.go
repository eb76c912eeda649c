package public

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/disclosure"
	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

// figures is the page of numbers, over a register of its own.
type figures struct {
	*desk
	t *testing.T
}

func open(t *testing.T) *figures { return &figures{served(t, city, nil), t} }

func (f *figures) get(path string) *httptest.ResponseRecorder {
	f.t.Helper()
	rw := get(f, path)
	if rw.Code != http.StatusOK {
		f.t.Fatalf("%s: %d\n%s", path, rw.Code, rw.Body)
	}
	return rw
}

func (f *figures) publish(kind, period string, body any) {
	f.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		f.t.Fatal(err)
	}
	if done, err := f.reg.Publish(f.t.Context(), registry.Publication{Kind: kind, Period: period, At: time.Now(), Body: raw}, ""); err != nil || !done {
		f.t.Fatal(done, err)
	}
}

// counted is a margin of sites, with three cameras each.
func counted(of string, names []string, sites ...int) disclosure.Counts {
	c := make(disclosure.Counts, 1)
	c[0].Of = of
	for i, name := range names {
		c[0].Parts = append(c[0].Parts, disclosure.Part{Name: name, N: []int{sites[i], 3 * sites[i]}})
	}
	return c
}

// fill publishes two months of a city, and of its forces.
func (f *figures) fill() {
	f.t.Helper()
	var municipi, categories []string
	for i := range 9 {
		municipi = append(municipi, fmt.Sprint("Municipio ", i+1))
	}
	for _, c := range protocol.Categories {
		categories = append(categories, string(c))
	}
	byMunicipio := counted("municipio", append(municipi, ""), 140, 122, 151, 98, 77, 64, 88, 131, 143, 6)
	sites := []int{31, 58, 402, 187, 44, 129, 12, 18, 22, 33, 61, 14, 9, 0}
	f.publish(registry.PublishedSharing, "2026-10-31", disclosure.Usual.Once(counted("category", append(categories, ""), make([]int, len(categories)+1)...)))
	f.publish(registry.PublishedSharing, "2026-11-22", disclosure.Usual.Once(append(counted("category", append(categories, ""), sites...), byMunicipio...)))
	for month, searches := range map[string][]int{"2026-09": {2, 0, 1, 0}, "2026-10": {212, 148, 4, 0}} {
		c := make(disclosure.Counts, 1)
		c[0].Of = "force"
		for i, name := range []string{"Questura", "Carabinieri", "Guardia di Finanza", ""} {
			c[0].Parts = append(c[0].Parts, disclosure.Part{Name: name, N: []int{searches[i]}})
		}
		all := disclosure.Counts{{Of: "all", Parts: []disclosure.Part{{N: []int{searches[0] / 4}}}}}
		f.publish(registry.PublishedConsultation, month, disclosure.Month{Searches: disclosure.Usual.Once(c), Requests: disclosure.Usual.Once(all)})
	}
}

var tag = regexp.MustCompile(`<[^>]*>|\s+`)

func words(rw *httptest.ResponseRecorder) string {
	return strings.Join(strings.Fields(tag.ReplaceAllString(rw.Body.String(), " ")), " ")
}

func TestNothingPublishedYet(t *testing.T) {
	f := open(t)
	for lang, want := range map[string][]string{"it": {"Non è ancora stato pubblicato nessun numero", "nessun mese"}, "en": {"No numbers were published yet", "No month"}} {
		page := words(f.get(statisticsPath + "?lang=" + lang))
		for _, w := range append(want, "CC BY 4.0") {
			if !strings.Contains(page, w) {
				t.Errorf("%s: the page does not say %q\n%s", lang, w, page)
			}
		}
	}
	for _, path := range []string{sharingPath, consultationPath} {
		if rows := f.csv(path); len(rows) != 1 {
			t.Errorf("%s: %v", path, rows)
		}
	}
	if c := f.get(cataloguePath).Body.String(); strings.Contains(c, "dct:modified") || !json.Valid([]byte(c)) {
		t.Errorf("the catalogue: %s", c)
	}
}

// An empty register, and one without districts, say so.
func TestEmptyRegister(t *testing.T) {
	f := open(t)
	f.publish(registry.PublishedSharing, "2026-11-22", disclosure.Usual.Once(counted("category", []string{"bank", "shop"}, 0, 3)))
	page := words(f.get(statisticsPath))
	for _, want := range []string{"Meno di 10", "Non pubblicate", "troppo pochi", "confini dei municipi non sono ancora"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q\n%s", want, page)
		}
	}
	if numbers, _, _ := strings.Cut(page, "Quanto sono chiare"); strings.Contains(numbers, " 3 ") { // below it are stars
		t.Errorf("a small number is on the page: %s", page)
	}
}

func TestNumbers(t *testing.T) {
	f := open(t)
	f.fill()
	page := words(f.get(statisticsPath))
	for _, want := range []string{"Luoghi con telecamere 1.020", "Telecamere 3.060", "22/11/2026", "Municipio 2 120 365", "Farmacia 60 175", "ottobre 2026 365 55",
		"settembre 2026 – non pubblicato – non pubblicato", "Questura – non pubblicato", "Guardia di Finanza – non pubblicato", "Carabinieri", "31/10/2026 – non pubblicato – non pubblicato"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q\n%s", want, page)
		}
	}
	if strings.Contains(page, "[") {
		t.Error("a word is missing:", page)
	}
	// A new publication of the totals alone: the tables are those of before.
	total := counted("category", []string{"bank"}, 1000)
	withheld := disclosure.Usual.Once(append(total, counted("municipio", []string{"Municipio 1"}, 1000)...))
	for i := range withheld.Margins {
		withheld.Margins[i].Withheld = true
	}
	f.publish(registry.PublishedSharing, "2026-12-01", withheld)
	page = words(f.get(statisticsPath))
	if !strings.Contains(page, "Luoghi con telecamere 1.000") || !strings.Contains(page, "Questa tabella è del 22/11/2026") || !strings.Contains(page, "Municipio 2 120 365") {
		t.Error("the tables of before are not shown:", page)
	}
}

func (f *figures) csv(path string) [][]string {
	f.t.Helper()
	rw := f.get(path)
	if got := rw.Header().Get("Content-Type"); !strings.HasPrefix(got, "text/csv") {
		f.t.Errorf("%s is %s", path, got)
	}
	rows, err := csv.NewReader(rw.Body).ReadAll()
	if err != nil {
		f.t.Fatal(err)
	}
	return rows
}

// The files hold what the page shows, and of what is left out nothing.
func TestOpenData(t *testing.T) {
	f := open(t)
	f.fill()
	has := func(rows [][]string, want string) {
		t.Helper()
		for _, r := range rows {
			if strings.Join(r, ";") == want {
				return
			}
		}
		t.Errorf("%q is not among %v", want, rows)
	}
	rows := f.csv(sharingPath)
	has(rows, "2026-11-22;totale;;1020;3060;no")
	has(rows, "2026-11-22;municipio;Municipio 2;120;365;no")
	has(rows, "2026-11-22;municipio;;;;si")
	has(rows, "2026-10-31;totale;;;;si")
	rows = f.csv(consultationPath)
	has(rows, "2026-10;ricerca;;365;no")
	has(rows, "2026-10;ricerca;Guardia di Finanza;;si")
	has(rows, "2026-09;richiesta di conservare;;;si")
	var catalogue struct {
		Context map[string]string `json:"@context"`
		Dataset []struct {
			Identifier   string         `json:"dct:identifier"`
			Modified     map[string]any `json:"dct:modified"`
			Distribution struct {
				Download struct {
					ID string `json:"@id"`
				} `json:"dcat:downloadURL"`
				License struct {
					ID string `json:"@id"`
				} `json:"dct:license"`
			} `json:"dcat:distribution"`
		} `json:"dcat:dataset"`
	}
	rw := f.get(cataloguePath)
	if err := json.Unmarshal(rw.Body.Bytes(), &catalogue); err != nil || rw.Header().Get("Content-Type") != "application/ld+json" || len(catalogue.Dataset) != 2 {
		t.Fatal(err, rw.Body)
	}
	for _, d := range catalogue.Dataset {
		path, ok := strings.CutPrefix(d.Distribution.Download.ID, "http://localhost:8080")
		if !ok || d.Modified["@value"] != "2026-11-22" || d.Distribution.License.ID != licence {
			t.Errorf("%+v", d)
			continue
		}
		f.csv(path)
	}
	for _, used := range regexp.MustCompile(`"(dcat|dct|foaf|dcatapit|xsd):`).FindAllStringSubmatch(rw.Body.String(), -1) {
		if catalogue.Context[used[1]] == "" {
			t.Errorf("the context does not say what %s is", used[1])
		}
	}
}

func TestStatisticsInABrowser(t *testing.T) {
	empty, full := open(t), open(t)
	full.fill()
	for name, f := range map[string]*figures{"empty": empty, "full": full} {
		server := httptest.NewServer(f)
		t.Cleanup(server.Close)
		for _, width := range []int64{390, 1280} {
			b := pagestest.Open(t, server.URL, width, 900)
			for _, l := range pages.Langs {
				b.Visit(statisticsPath + "?lang=" + string(l.Lang))
				b.Check(fmt.Sprintf("statistics-%s-%d-%s", name, width, l.Lang))
			}
		}
	}
}
