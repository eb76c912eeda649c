package join

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"anagrafe/collector/web"
	"anagrafe/protocol"
)

// sends posts a file as the page does.
func (d *desk) sends(file []byte, fields map[string]string) (int, string) {
	d.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, value := range fields {
		if err := w.WriteField(name, value); err != nil {
			d.t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("file", "sedi.csv")
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := part.Write(file); err != nil {
		d.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		d.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(d.t.Context(), http.MethodPost, "http://127.0.0.1:8080"+ReferentPath+"/import", &b)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.AddCookie(d.cookie)
	rw := httptest.NewRecorder()
	d.handler.ServeHTTP(rw, r)
	return rw.Code, rw.Body.String()
}

// A file is checked by who may prepare, and changes nothing; who may approve confirms
// the very same file, in their own name, by a delegation that stands on the trail.
func TestReferentImports(t *testing.T) {
	d := newDesk(t)
	d.join.Inside = func(p protocol.Point) bool { return p.Lat > 45_400_000 }
	head := "chiave,nome,telecamera,latitudine,longitudine,area_pubblica\n"
	file := []byte(head + "A,Deposito Est,Cancello,45.464,9.19,sì\nB,Deposito di Roma,Cancello,41.9,12.5,sì\n")
	sum := sha256.Sum256(file)
	check := map[string]string{"organisation": d.bank}
	confirm := map[string]string{"organisation": d.bank, "sum": hex.EncodeToString(sum[:])}
	sites := func() int {
		t.Helper()
		all, err := d.reg.OrganisationSites(t.Context(), d.bank)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	d.lets([]string{d.site}, protocol.MayPrepare, protocol.MayApprove)
	if status, _ := d.sends(file, check); status != http.StatusForbidden {
		t.Errorf("a delegation for one site lets a file in: %d", status)
	}
	prepares := d.lets(nil, protocol.MayPrepare)
	if status, text := d.sends(file, check); status != http.StatusOK || !strings.Contains(text, "1 fuori area, non prese") ||
		!strings.Contains(text, "Sedi nuove: 1") || !strings.Contains(text, "Lo conferma chi") {
		t.Errorf("the check: %d %s", status, text)
	}
	if status, _ := d.sends(file, confirm); status != http.StatusForbidden || sites() != 1 {
		t.Errorf("who may not approve confirms: %d", status)
	}
	approves := d.lets(nil, protocol.MayApprove)
	for name, c := range map[string]struct {
		file   []byte
		fields map[string]string
		want   int
	}{
		"another file":    {append(slices.Clone(file), "C,Altro,Porta,45.46,9.19,sì\n"...), confirm, 422},
		"nothing":         {nil, check, 422},
		"too big":         {bytes.Repeat([]byte("x"), maxUpload+1), check, 422},
		"nobody's":        {file, map[string]string{"organisation": "x"}, 403},
		"with a mistake":  {[]byte(head + "A,Deposito,Cancello,95,9.19,sì\n"), check, 200},
		"only a check":    {file, check, 200},
		"no CSV, a check": {[]byte("\x00\x01\x02"), check, 200},
	} {
		if status, _ := d.sends(c.file, c.fields); status != c.want || sites() != 1 {
			t.Errorf("%s: %d, %d sites", name, status, sites())
		}
	}
	if status, text := d.sends(file, confirm); status != http.StatusOK || !strings.Contains(text, "Importato") || sites() != 2 {
		t.Fatalf("the import: %d, %d sites: %s", status, sites(), text)
	}
	i := slices.IndexFunc(d.acts, func(a web.Act) bool { return a.Kind == "import" })
	if details, _ := json.Marshal(d.acts[i].Details); d.acts[i].User.ID != d.user.ID || !strings.Contains(string(details), approves.ID) || !strings.Contains(string(details), prepares.ID) {
		t.Errorf("on the trail: %s", details)
	}

	resp := d.asks("POST", ReferentPath+"/export", url.Values{"organisation": {d.bank}, "format": {"csv"}})
	if text := body(t, resp); resp.StatusCode != http.StatusOK || !strings.Contains(text, "Deposito Est") || !strings.Contains(resp.Header.Get("Content-Disposition"), "telecamere.csv") {
		t.Errorf("the export: %d %s", resp.StatusCode, text)
	}
	if resp := d.asks("POST", ReferentPath+"/export", url.Values{"organisation": {d.otherBank()}, "format": {"csv"}}); resp.StatusCode != http.StatusForbidden {
		t.Errorf("the export of another's: %d", resp.StatusCode)
	}
	if !slices.ContainsFunc(d.acts, func(a web.Act) bool { return a.Kind == "export" }) {
		t.Error("the export is not on the trail")
	}
	if err := d.reg.RevokeDelegation(t.Context(), approves.ID, d.now); err != nil {
		t.Fatal(err)
	}
	if status, _ := d.sends(file, confirm); status != http.StatusForbidden {
		t.Errorf("after the delegation ended: %d", status)
	}
}
