package gazetteer

import (
	"fmt"
	"strings"
	"testing"

	"anagrafe/protocol"
)

// All lines are checked, and each that is wrong is named with what to do.
func TestReadAddresses(t *testing.T) {
	const head = "TIPO;DENOMINAZIONE;NUMEROCOMPLETO;MUNICIPIO;NIL;LONG_WGS84;LAT_WGS84\n"
	for name, c := range map[string]struct {
		file string
		good int
		want string // problems: line, column and what, one after the other
	}{
		"decimal commas":  {head + "VIA;ROMA;1;3;LORETO;9,190000;45,460000\n", 1, ""},
		"decimal points":  {strings.ReplaceAll(head, ";", ",") + "VIA,ROMA,1,3,LORETO,9.19,45.46\n", 1, ""},
		"Windows-1252":    {head + "VIA;CITT\xc0;1;3;LORETO;9,19;45,46\n", 1, ""},
		"byte order mark": {"\ufeff" + head + "VIA;ROMA;1;3;LORETO;9,19;45,46\n", 1, ""},
		"good and wrong": {head + "VIA;ROMA;1;;;9,19;45,46\nVIA;ROMA;abc;;;9,19;45,46\nVIA;;1;;;9,19;45,46\nVIA;ROMA;2;;;1509800;5034000\nVIA;ROMA;;;;9,19;45,46\nVIA;ROMA;5;;;0;0\n", 1,
			`3 NUMEROCOMPLETO "abc" is no house number|4  the street is missing or too long|5 LONG_WGS84 "1509800" is no position in degrees|5 LAT_WGS84 "5034000" is no position in degrees|6 NUMEROCOMPLETO the number is missing|7  longitude and latitude are 0`},
		"no columns":   {"a;b\n1;2\n", 0, "1  no columns of street and number are known"},
		"no position":  {"street;number\nVia Roma;1\n", 0, "1  no column lon is known"},
		"empty":        {"", 0, "0  the file has no lines"},
		"no text":      {"street;number\nVia\x81Roma;1\n", 0, "0  the file is no text in UTF-8 or Windows-1252"},
		"quotes":       {"street;number;lon;lat\n\"Via Roma;1;9;45\n", 0, "2  a quotation mark is not closed"},
		"short line":   {"street;number;lon;lat\nVia Roma;1\n", 0, `2 lon "" is no position in degrees|2 lat "" is no position in degrees`},
		"long street":  {"street;number;lon;lat\n" + strings.Repeat("x", 200) + ";1;9;45\n", 0, "2  the street is missing or too long"},
		"wrong street": {"name,lon,lat,west,south,east,north,sources\nVia Roma,9,45,x,45,9,45,osm\n", 0, `2 west "x" is no position in degrees|2 west "x" is no position in degrees`},
	} {
		r := ReadAddresses([]byte(c.file))
		var all []string
		for _, p := range r.Problems {
			all = append(all, fmt.Sprint(p.Line, " ", p.Column, " ", p.Error))
			if p.Hint == "" {
				t.Errorf("%s: what to do about %q?", name, p.Error)
			}
		}
		if got := strings.Join(all, "|"); got != c.want || len(r.Entries) != c.good {
			t.Errorf("%s: %d entries, want %d; problems\n%s, want\n%s", name, len(r.Entries), c.good, got, c.want)
		}
	}
	if r := ReadAddresses(make([]byte, MaxFile+1)); len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Error, "48 MiB") {
		t.Errorf("too big: %v", r.Problems)
	}
	if r := ReadAddresses([]byte("street;number;lon;lat\n" + strings.Repeat("Via;;x;y\n", 1000))); len(r.Problems) != maxProblems || r.More != 3000 {
		t.Errorf("%d problems and %d more", len(r.Problems), r.More)
	}
}

// What a line says is kept: the number in one form, the street without what lists
// write into its name.
func TestEntries(t *testing.T) {
	r := ReadAddresses([]byte(official))
	if e := r.Entries[8]; e.Street != "VIA TORINO" || e.House != "3p1" || e.Municipio != "Municipio 1" || e.NIL != "DUOMO" || e.At != (protocol.Point{Lon: 9_186_300, Lat: 45_463_300}) || e.Rank != 0 {
		t.Errorf("%+v", e)
	}
	for street, want := range map[string]string{
		"Corso Lodi 2m01": "Corso Lodi 2m1", "Via Padova Fronte Civico": "Via Padova rough", "Viale Umbria Prima di C.so": "Viale Umbria rough",
		"Piazza Trento-Viale Isonzo": "Piazza Trento rough", "Via E. Terzaghi/ Via S. Elia": "Via E. Terzaghi rough", "Via Lombroso Civ.": "Via Lombroso rough",
		"Via Dopolavoro": "Via Dopolavoro", "Via Ponte-Vecchio": "Via Ponte-Vecchio", "Piazza 6 Febbraio": "Piazza 6 Febbraio", "Via Cechov, Civ.": "Via Cechov rough",
	} {
		r := ReadAddresses([]byte("street;number;lon;lat;source\n" + street + ";;9,1;45,4;botteghe_storiche\n"))
		if len(r.Entries) != 1 {
			t.Errorf("%s: %v", street, r.Problems)
			continue
		}
		got := strings.TrimSpace(r.Entries[0].Street + " " + r.Entries[0].House)
		if r.Entries[0].Rough {
			got += " rough"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", street, got, want)
		}
	}
}

func TestReadDistricts(t *testing.T) {
	const square = `{"type":"Polygon","coordinates":[[[9,45],[9.1,45],[9.1,45.1],[9,45]]]}`
	one := func(properties, geometry string) string {
		return `{"type":"FeatureCollection","features":[{"type":"Feature","properties":` + properties + `,"geometry":` + geometry + `}]}`
	}
	for name, c := range map[string]struct{ file, want string }{
		"municipio":      {one(`{"MUNICIPIO":3}`, square), "municipio 3 Municipio 3"},
		"NIL":            {one(`{"ID_NIL":"11","NIL":" ISOLA ","valid":true}`, square), "nil 11 ISOLA"},
		"another city's": {one(`{"id":7,"nome":"Prati"}`, square), "district 7 Prati"},
		"name alone":     {one(`{"quartiere":"Vomero"}`, square), "district  Vomero"},
		"no name":        {one(`{"area":3.5}`, square), "1 it has no name"},
		"no properties":  {one(`null`, square), "1 it has no name"},
		"no geometry":    {one(`{"id":7,"nome":"Prati"}`, `null`), "1 it has no Polygon"},
		"a point":        {one(`{"nome":"Prati"}`, `{"type":"Point","coordinates":[9,45]}`), "1 it has no Polygon"},
		"open ring":      {one(`{"nome":"Prati"}`, `{"type":"Polygon","coordinates":[[[9,45],[9.1,45],[9.1,45.1],[9,45.1]]]}`), "1 it has no Polygon"},
		"metres":         {one(`{"nome":"Prati"}`, `{"type":"Polygon","coordinates":[[[500000,5000000],[9.1,45],[9.1,45.1],[500000,5000000]]]}`), "1 it has no Polygon"},
		"no ring":        {one(`{"nome":"Prati"}`, `{"type":"MultiPolygon","coordinates":[[]]}`), "1 it has no Polygon"},
		"no features":    {`{"type":"FeatureCollection","features":[]}`, "0 it has 0 features"},
		"no GeoJSON":     {`[1]`, "0 it is no GeoJSON"},
		"one feature":    {`{"type":"Feature"}`, "0 it is no GeoJSON"},
		"twice": {`{"type":"FeatureCollection","features":[{"properties":{"nome":"A"},"geometry":` + square +
			`},{"properties":{"nome":"A"},"geometry":` + square + `}]}`, "district  A|2 feature 1 is the same district"},
		"cut in the middle": {one(`{"nome":"Prati"}`, square)[:80], "0 it is no GeoJSON"},
	} {
		r := ReadDistricts([]byte(c.file))
		var all []string
		for _, d := range r.Districts {
			all = append(all, d.Kind+" "+d.Code+" "+d.Name)
		}
		for _, p := range r.Problems {
			all = append(all, fmt.Sprint(p.Line, " ", p.Error))
		}
		if got := strings.Join(all, "|"); got != c.want && (len(r.Problems) == 0 || !strings.HasPrefix(got, c.want)) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
