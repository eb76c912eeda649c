package ops

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/registry"
)

// remark keeps one of a reader.
func (d *desk) remark(m registry.Remark) string {
	d.t.Helper()
	id, err := d.reg.AddRemark(d.t.Context(), m)
	if err != nil {
		d.t.Fatal(err)
	}
	return id
}

// page asks for a page as a browser does, with a secret.
func (d *desk) page(method, path, secret string) (code int, body, location string) {
	r := httptest.NewRequestWithContext(d.t.Context(), method, "http://localhost"+path, nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	rw := httptest.NewRecorder()
	d.pages.ServeHTTP(rw, r)
	return rw.Code, rw.Body.String(), rw.Header().Get("Location")
}

func TestRemarks(t *testing.T) {
	d := newDesk(t)
	_, secret := d.user(registry.RoleOps, "")
	now := time.Now()
	for i := range remarksAPage + 3 {
		d.remark(registry.Remark{At: now.Add(time.Duration(i-100) * time.Minute), Kind: registry.RemarkReport, Topic: "broken", Text: fmt.Sprintf("<b>testo %02d</b>", i), Email: "anna@example.it"})
	}
	for _, g := range []registry.Rating{{Page: "/", Stars: 5, Reason: 1}, {Page: "/", Stars: 4, Reason: 1}, {Page: "/faq", Stars: 2, Reason: 3}} {
		if err := d.reg.AddRating(t.Context(), g, now); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(method, path string) (int, string, string) {
		t.Helper()
		return d.page(method, path, secret)
	}
	code, body, _ := ask("GET", "/remarks")
	if code != http.StatusOK || strings.Count(body, "<article") != remarksAPage || strings.Contains(body, "<b>testo") || !strings.Contains(body, "&lt;b&gt;testo 27&lt;/b&gt;") {
		t.Errorf("%d, %d remarks", code, strings.Count(body, "<article"))
	}
	for _, want := range []string{"mailto:anna@example.it", ">4,5<", "0 / 0 / 0 / 1 / 1", "0 / 1 / 0 / 0 / 0", "Le indicazioni erano chiare: 2"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	first := body
	_, next, found := strings.Cut(body, `href="/remarks?before=`)
	next, _, _ = strings.Cut(next, `"`)
	if _, body, _ = ask("GET", "/remarks?before="+next); !found || !strings.Contains(first, "Più vecchie") || strings.Count(body, "<article") != 3 ||
		strings.Contains(body, "Più vecchie") || strings.Contains(body, "id=\"rated\"") {
		t.Errorf("the second page has %d", strings.Count(body, "<article"))
	}
	for _, odd := range []string{"/remarks?before=x.y", "/remarks?before=.", "/remarks?before=99999999999999999999.a"} {
		if code, _, _ := ask("GET", odd); code != http.StatusOK {
			t.Errorf("%s: %d", odd, code)
		}
	}
	all, err := d.reg.Remarks(t.Context(), registry.RemarkQuery{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	d.acts = nil
	if code, _, to := ask("POST", "/remarks/"+all[0].ID+"/close"); code != http.StatusSeeOther || to != "/remarks" || len(d.acts) != 1 || d.acts[0].Kind != "remark-close" {
		t.Errorf("%d %s, %+v", code, to, d.acts)
	}
	if _, body, _ := ask("GET", "/remarks"); strings.Contains(body, all[0].ID) {
		t.Error("what was dealt with is still open")
	}
	if _, body, _ := ask("GET", "/remarks?all=1"); !strings.Contains(body, all[0].ID) {
		t.Error("what was dealt with is nowhere")
	}
	d.broken = errors.New("disk full")
	if all, err = d.reg.Remarks(t.Context(), registry.RemarkQuery{Limit: 1}); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := ask("POST", "/remarks/"+all[0].ID+"/close"); code != http.StatusServiceUnavailable {
		t.Errorf("without a trail: %d", code)
	}
	if open, err := d.reg.Remarks(t.Context(), registry.RemarkQuery{Limit: 1}); err != nil || open[0].ID != all[0].ID {
		t.Error("it was closed without a trail", err)
	}
}
