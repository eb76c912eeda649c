package consult

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// exportAs takes an answer away as a file.
func (w *town) exportAs(search, format, officer string) reply {
	w.t.Helper()
	return w.send("POST", "/export", officer, url.Values{"search": {search}, "format": {format}}, true)
}

// A file says who took it, what it answers and, of contacts, those alone that were
// shown; the trail knows it by its hash.
func TestExport(t *testing.T) {
	w := newTown(t)
	sites := milan()
	sites[0].cameras[0].Name = "=cmd|' /C calc'!A0"
	ids := w.declare(sites...)
	a := w.answer(exact())
	if res := w.send("POST", "/reveal", officerName, url.Values{"search": {a.Search}, "site": {ids["Farmacia Orefici"]}}, false); res.status != http.StatusOK {
		t.Fatalf("%d %s", res.status, res.body)
	}
	for _, format := range []string{"geojson", "csv"} {
		res := w.exportAs(a.Search, format, officerName)
		if res.status != http.StatusOK {
			t.Fatalf("%s: %d %s", format, res.status, res.body)
		}
		hash := sha256.Sum256([]byte(res.body))
		if name := res.header.Get("Content-Disposition"); !strings.Contains(name, hex.EncodeToString(hash[:8])+"."+format) || !strings.HasPrefix(name, "attachment") {
			t.Errorf("%s is called %s", format, name)
		}
		if got := res.header.Get("Repr-Digest"); got != "sha-256=:"+base64.StdEncoding.EncodeToString(hash[:])+":" {
			t.Errorf("%s: digest %s", format, got)
		}
		for _, want := range []string{officerName, "Questura", "Marta Colli", w.onlyCase().ID, "EST 1 bancomat"} {
			if !strings.Contains(res.body, want) {
				t.Errorf("%s lacks %s", format, want)
			}
		}
		if strings.Contains(res.body, "Anna Ferri") {
			t.Errorf("%s has contacts that nobody has revealed", format)
		}
		entries := w.entries("export")
		last := entries[len(entries)-1]
		details := string(last.Content.Details)
		if last.Header.Count != 9 || last.Content.Case != w.onlyCase().ID || !strings.Contains(details, hex.EncodeToString(hash[:])) ||
			!strings.Contains(details, ids["Farmacia Orefici"]) || strings.Contains(details, ids["Gioielleria Ferri"]) || !strings.Contains(details, "Rapina in strada") {
			t.Errorf("%s: entry %+v %s", format, last.Header, details)
		}
	}
	if n := len(w.entries("export")); n != 2 {
		t.Errorf("%d entries for two files", n)
	}

	var geo struct {
		Type     string
		Features []struct {
			Geometry   struct{ Coordinates []float64 }
			Properties map[string]any
		}
	}
	if err := json.Unmarshal([]byte(w.exportAs(a.Search, "geojson", officerName).body), &geo); err != nil || geo.Type != "FeatureCollection" || len(geo.Features) != 9 {
		t.Fatalf("%v %+v", err, geo)
	}
	if p := geo.Features[0]; p.Geometry.Coordinates[0] != a.Results[0].Position.Lon || p.Properties["camera_name"] != sites[0].cameras[0].Name {
		t.Errorf("the first camera is %+v", p)
	}
	table := csv.NewReader(strings.NewReader(strings.TrimPrefix(w.exportAs(a.Search, "csv", officerName).body, "\ufeff")))
	table.Comma = ';'
	lines, err := table.ReadAll()
	if err != nil || len(lines) != 10 {
		t.Fatalf("%v %d lines", err, len(lines))
	}
	if got := lines[1][6]; got != "'"+sites[0].cameras[0].Name {
		t.Errorf("what a spreadsheet would reckon with is %q", got)
	}
}

// A file is made of one's own answer, in a format that there is, and never without
// its entry.
func TestExportRefused(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	a := w.answer(exact())
	other := w.officer("Agente M. Neri").Name
	for _, c := range []struct {
		search, format, officer string
		status                  int
	}{
		{a.Search, "xls", officerName, http.StatusUnprocessableEntity},
		{a.Search, "", officerName, http.StatusUnprocessableEntity},
		{"gone", "csv", officerName, http.StatusNotFound},
		{a.Search, "csv", other, http.StatusNotFound},
	} {
		if res := w.exportAs(c.search, c.format, c.officer); res.status != c.status || res.header.Get("Content-Disposition") != "" {
			t.Errorf("%+v: %d", c, res.status)
		}
	}
	if n := len(w.entries("export")); n != 0 {
		t.Errorf("%d entries for no file", n)
	}
	w.trail.Close()
	if res := w.exportAs(a.Search, "csv", officerName); res.status != http.StatusServiceUnavailable || strings.Contains(res.body, "exported_by") {
		t.Errorf("without a trail: %d", res.status)
	}
}
