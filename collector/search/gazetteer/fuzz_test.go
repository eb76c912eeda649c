package gazetteer

import (
	"slices"
	"testing"
	"unicode/utf8"
)

func FuzzFind(f *testing.F) {
	for _, s := range []string{"c.so Buenos Aires 12", "12, via Torino", "via Torino 7 bis, 20123 Milano", "G.B. Pergolesi 9/a", "(((", "1 2 3 4 5 6 7 8 9 via 24 maggio", "via.7/..-,a", "N° 0"} {
		f.Add(s)
	}
	x := smallTown(f)
	f.Fuzz(func(t *testing.T, text string) {
		found := x.Find(text)
		if (found.Kind == None) != (len(found.Answers) == 0) || len(found.Answers) > maxAnswers {
			t.Fatalf("%+v", found)
		}
		if found.Sure && (found.Kind != Exact && found.Kind != Area || found.Answers[0].Changed || len(found.Answers[0].Ignored) > 0) {
			t.Fatalf("sure of %+v", found)
		}
		for _, a := range found.Answers {
			if !a.At.Placed() || a.Kind == Exact && a.Number == "" || a.Name() == "" {
				t.Fatalf("%+v", a)
			}
			// What an answer is called is found again.
			if again := x.Find(a.Name()); a.Kind == Exact && !slices.ContainsFunc(again.Answers, func(b Answer) bool { return b.At == a.At && b.Name() == a.Name() }) {
				t.Fatalf("%q is found for %q, and not for itself: %+v", a.Name(), text, again)
			}
		}
		x.Suggest(text)
	})
}

func FuzzParseHouse(f *testing.F) {
	for _, s := range []string{"7", "7a", "7/2", "7 bis", "3p01", "10bn04", "78/3p01", "0012/B", "7-9", "31/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, ok := parseHouse(text)
		if !ok {
			return
		}
		if again, ok := parseHouse(h.String()); !ok || again != h {
			t.Fatalf("%q is %+v, written %s, and read again %+v", text, h, h, again)
		}
	})
}

func FuzzReadAddresses(f *testing.F) {
	for _, s := range []string{official, lists, index, "street;number;lon;lat\nVia Roma;1;9,1;45,4\n", "TIPO;DENOMINAZIONE;NUMEROCOMPLETO;LONG_WGS84;LAT_WGS84\nVIA;;;;\n", "\xef\xbb\xbfname,west\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r := ReadAddresses(file)
		if len(r.Problems) > maxProblems || len(r.Entries) > r.Lines {
			t.Fatalf("%d problems, %d entries of %d lines", len(r.Problems), len(r.Entries), r.Lines)
		}
		for _, e := range r.Entries {
			if !e.At.Placed() || e.Street == "" || !utf8.ValidString(e.Street) {
				t.Fatalf("%+v", e)
			}
		}
		for _, e := range r.Entries[:min(3, len(r.Entries))] {
			Build(r.Entries, nil).Find(e.Street + " " + e.House)
		}
	})
}

func FuzzReadDistricts(f *testing.F) {
	for _, s := range []string{quarters, `{"type":"FeatureCollection","features":[{"properties":{"name":"A"},"geometry":{"type":"Polygon","coordinates":[[[9]]]}}]}`,
		`{"type":"FeatureCollection","features":[{"properties":null,"geometry":null}]}`, `[]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r := ReadDistricts(file)
		x := Build(nil, r.Districts)
		for _, d := range r.Districts {
			if d.Name == "" || len(d.Polygons) == 0 {
				t.Fatalf("%+v", d)
			}
			x.PlaceOf(d.Polygons[0][0][0])
			x.Find(d.Name)
		}
		if b, err := ReadBorder(file, 100); err == nil {
			b.Contains(b.ground.Polygons[0][0][0])
		}
	})
}
