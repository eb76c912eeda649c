package gazetteer

import (
	"fmt"
	"strings"
	"testing"

	"anagrafe/protocol"
)

// A small town, as the official register of house numbers writes it, with decimal
// commas; and what less careful lists say of it.
const (
	official = `IDMASTER;CODICE_VIA;TIPO;DENOMINAZIONE;DESCRITTIVO;NUMERO;LETTERA;BARRA;BARRA2;NUMEROCOMPLETO;MUNICIPIO;ID_NIL;NIL;LONG_WGS84;LAT_WGS84
1;1;CORSO;BUENOS AIRES;;12;;;;12;3;21;BUENOS AIRES;9,2060;45,4760
2;1;CORSO;BUENOS AIRES;;14;;;;14;3;21;BUENOS AIRES;9,2062;45,4762
3;1;CORSO;BUENOS AIRES;;15;;;;15;3;21;BUENOS AIRES;9,2064;45,4762
4;2;VIA;ALESSANDRO MANZONI;;5;;;;5;1;1;DUOMO;9,1930;45,4690
5;3;PIAZZA;ALESSANDRO MANZONI;;5;;;;5;1;1;DUOMO;9,1700;45,4500
6;4;VIA;TORINO;;7;;;;7;1;1;DUOMO;9,1860;45,4630
7;4;VIA;TORINO;;7;A;;;7a;1;1;DUOMO;9,1861;45,4631
8;4;VIA;TORINO;;7;;2;;7/2;1;1;DUOMO;9,1862;45,4632
9;4;VIA;TORINO;;3;;;;3p01;1;1;DUOMO;9,1863;45,4633
10;4;VIA;TORINO;;10;;;;10n1;1;1;DUOMO;9,1864;45,4634
11;4;VIA;TORINO;;21;;;;21;1;1;DUOMO;9,1868;45,4638
12;5;PIAZZA;VENTIQUATTRO MAGGIO;;8;;;;8;6;6;TICINESE;9,1800;45,4520
13;6;VIA;GIUSEPPE VERDI;;2;;;;2;1;1;DUOMO;9,1890;45,4670
14;7;VIA;GIOVANNI VERDI;;2;;;;2;9;80;AFFORI;9,1700;45,5190
15;8;CORSO;VITTORIO EMANUELE II;;1;;;;1;1;1;DUOMO;9,1940;45,4650
16;9;VIA;SANTA MARIA ALLA PORTA;;4;;;;4;1;1;DUOMO;9,1830;45,4660
17;10;VIA;GIAN BATTISTA PERGOLESI;;9;;;;9;3;21;BUENOS AIRES;9,2090;45,4850
18;11;VIALE;MONZA;;100;;;;100;2;20;LORETO;9,2210;45,4970
19;12;VIA;PRIVATA PARENZO;;3;;;;3;8;71;VILLAPIZZONE;9,1400;45,4990
20;13;VIALE;CÀ GRANDA;;2;;;;2;9;14;NIGUARDA;9,1920;45,5070
21;14;VIA;FRATELLI BRONZETTI;;20;;;;20;4;26;XXII MARZO;9,2140;45,4660
22;15;PIAZZALE;LORETO;;1;;;;1;2;20;LORETO;9,2160;45,4860
23;16;VIA;GAETANO DE CASTILLIA;;8;;;;8;9;9;GARIBALDI;9,1910;45,4860
24;17;VIA;DELL'ORSO;;1;;;;1;1;1;DUOMO;9,1870;45,4690
25;18;VIA;GENERALE GUSTAVO FARA;;30;;;;30;2;10;CENTRALE;9,1990;45,4830
26;19;VIA;UNO;;1;;;;1;1;1;DUOMO;9,1000;45,4000
27;19;VIA;UNO;;1;;;;1;1;1;DUOMO;9,1100;45,4000
28;20;VIALE;DISPARI;;1;;;;1;1;1;DUOMO;9,1200;45,4000
`
	lists = `street,number,cap,municipio,id_nil,lon,lat,source
Via Fara Gustavo,32,20124,2,10,9.1991,45.4831,farmacie
Via Verdi Giuseppe,4,,1,1,9.1892,45.4672,colonnine
Via Torino Fronte Civico,31,,1,1,9.1869,45.4639,fermate_atm
Corso Buenos Aires 20n03,,20124,3,21,9.2066,45.4766,botteghe_storiche
,,20100,1,1,9.19,45.46,botteghe_storiche
`
	index = `name,lon,lat,west,south,east,north,sources
Via Mozart,9.2050,45.4690,9.2040,45.4680,9.2060,45.4700,osm
Via Molto Lunga,9.2,45.4,9.1,45.4,9.3,45.4,osm
`
	quarters = `{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"municipio":1,"name":"Municipio 1"},"geometry":{"type":"Polygon","coordinates":[[[9.18,45.46],[9.20,45.46],[9.20,45.47],[9.18,45.47],[9.18,45.46]],[[9.194,45.464],[9.195,45.464],[9.195,45.466],[9.194,45.466],[9.194,45.464]]]}},
{"type":"Feature","properties":{"ID_NIL":11,"NIL":"ISOLA"},"geometry":{"type":"MultiPolygon","coordinates":[[[[9.18,45.485],[9.195,45.485],[9.195,45.495],[9.18,45.495],[9.18,45.485]]]]}},
{"type":"Feature","properties":{"ID_NIL":20,"NIL":"LORETO - CASORETTO - NOLO"},"geometry":{"type":"Polygon","coordinates":[[[9.21,45.48],[9.23,45.48],[9.23,45.50],[9.21,45.50],[9.21,45.48]]]}},
{"type":"Feature","properties":{"ID_NIL":27,"NIL":"PTA ROMANA"},"geometry":{"type":"Polygon","coordinates":[[[9.1,45.3],[9.4,45.3],[9.4,45.6],[9.1,45.6],[9.1,45.3]]]}}]}`
)

func smallTown(t testing.TB) *Index {
	t.Helper()
	var entries []Entry
	for name, file := range map[string]string{"ds634": official, "points": lists, "streets": index} {
		r := ReadAddresses([]byte(file))
		report(t, name, r)
		if r.Format != name {
			t.Fatalf("%s was taken for %s", name, r.Format)
		}
		entries = append(entries, r.Entries...)
	}
	r := ReadDistricts([]byte(quarters))
	report(t, "districts", r)
	return Build(entries, r.Districts)
}

// brief writes an answer as the table below does.
func brief(f Found) string {
	var all []string
	for _, a := range f.Answers {
		text := a.Name()
		if a.Kind == Nearest {
			text += fmt.Sprintf(" for %s off %d", a.Asked, a.Off)
		}
		for _, mark := range []struct {
			is   bool
			text string
		}{{a.Across, " across"}, {a.Rough, " rough"}, {a.Changed, " changed"}, {len(a.Ignored) > 0, " without " + strings.Join(a.Ignored, " ")}} {
			if mark.is {
				text += mark.text
			}
		}
		all = append(all, text)
	}
	text := string(f.Kind)
	if f.Sure {
		text += "!"
	}
	return text + ": " + strings.Join(all, " | ")
}

// It is long because it is one table.
func TestFind(t *testing.T) {
	x := smallTown(t)
	for _, c := range []struct{ typed, want string }{
		// As it is written, and what makes no difference.
		{"Corso Buenos Aires 12", "exact!: CORSO BUENOS AIRES 12"},
		{"  corso   BUENOS aires,12 ", "exact!: CORSO BUENOS AIRES 12"},
		{"C.so Buenos Aires, 12", "exact!: CORSO BUENOS AIRES 12"},
		{"c.so buenos aires n. 12 - 20124 Milano (MI)", "exact!: CORSO BUENOS AIRES 12"},
		{"cso buenos aires n°12, Milano, Italia", "exact!: CORSO BUENOS AIRES 12"},
		{"c. buenos aires 12", "exact!: CORSO BUENOS AIRES 12"},
		{"buenos aires 12", "exact!: CORSO BUENOS AIRES 12"},
		{"12, corso Buenos Aires", "exact!: CORSO BUENOS AIRES 12"},
		{"Buenos Aires (corso) 12", "exact!: CORSO BUENOS AIRES 12"},
		{"corso Buenos Aires 12 scala B int. 4", "exact!: CORSO BUENOS AIRES 12"},
		{"viale ca' granda 2", "exact!: VIALE CÀ GRANDA 2"},
		{"V.le Cà Granda 2", "exact!: VIALE CÀ GRANDA 2"},
		{"via S. Maria alla Porta 4", "exact!: VIA SANTA MARIA ALLA PORTA 4"},
		{"via santa maria porta 4", "exact!: VIA SANTA MARIA ALLA PORTA 4"},
		{"via dell orso 1", "exact!: VIA DELL'ORSO 1"},
		{"via F.lli Bronzetti 20", "exact!: VIA FRATELLI BRONZETTI 20"},
		{"P.za XXIV Maggio 8", "exact!: PIAZZA VENTIQUATTRO MAGGIO 8"},
		{"piazza 24 maggio 8", "exact!: PIAZZA VENTIQUATTRO MAGGIO 8"},
		{"8 piazza 24 maggio", "exact!: PIAZZA VENTIQUATTRO MAGGIO 8"},
		{"p.le Loreto 1", "exact!: PIAZZALE LORETO 1"},
		// First names, titles and who owns the street.
		{"via Manzoni 5", "exact!: VIA ALESSANDRO MANZONI 5"},
		{"via A. Manzoni 5", "exact!: VIA ALESSANDRO MANZONI 5"},
		{"via Aless. Manzoni 5", "exact!: VIA ALESSANDRO MANZONI 5"},
		{"via Manzoni Alessandro 5", "exact!: VIA ALESSANDRO MANZONI 5"},
		{"via G.B. Pergolesi 9", "exact!: VIA GIAN BATTISTA PERGOLESI 9"},
		{"corso Vittorio Emanuele 1", "exact!: CORSO VITTORIO EMANUELE II 1"},
		{"c.so V. Emanuele II 1", "exact!: CORSO VITTORIO EMANUELE II 1"},
		{"via Parenzo 3", "exact!: VIA PRIVATA PARENZO 3"},
		{"via Gen. Fara 30", "exact!: VIA GENERALE GUSTAVO FARA 30"},
		{"via Fara 30", "exact!: VIA GENERALE GUSTAVO FARA 30"},
		{"via De Castillia 8", "exact!: VIA GAETANO DE CASTILLIA 8"},
		{"via Ing. Torino 7", "exact!: VIA TORINO 7"},
		// Numbers.
		{"via Torino 7 a", "exact!: VIA TORINO 7a"},
		{"via Torino 7/A", "exact!: VIA TORINO 7a"},
		{"via Torino 7 / 2", "exact!: VIA TORINO 7/2"},
		{"via Torino 3p1", "exact!: VIA TORINO 3p1"},
		{"via Torino 10N01", "exact!: VIA TORINO 10n1"},
		{"via Torino 7 bis", "nearest: VIA TORINO 7 for 7bis off 0"},
		{"via Torino 11", "nearest: VIA TORINO 7 for 11 off 2"},
		{"via Torino 19", "nearest: VIA TORINO 21 for 19 off 1"},
		{"via Torino 12", "nearest: VIA TORINO 10n1 for 12 off 1"},
		{"via Torino 31", "nearest: VIA TORINO 31 for  off 0 rough"},
		{"viale Dispari 4", "nearest: VIALE DISPARI 1 for 4 off 1 across"},
		{"via Torino s.n.c.", "street: VIA TORINO"},
		{"via Torino", "street: VIA TORINO"},
		{"via Mozart 5", "street: Via Mozart"},
		{"corso Buenos Aires 20n3", "exact!: CORSO BUENOS AIRES 20n3"}, // from the name of another list
		{"via Fara 32", "exact!: VIA GENERALE GUSTAVO FARA 32"},        // joined by its words
		// Typing errors and other kinds: the person is asked.
		{"corso Buenos Airez 12", "exact: CORSO BUENOS AIRES 12 changed"},
		{"crso Buenso Aires 12", "exact: CORSO BUENOS AIRES 12 changed"},
		{"corsobuenosaires 12", "exact: CORSO BUENOS AIRES 12 changed"},
		{"via Uo 1", "ambiguous: VIA UNO 1 changed | VIA UNO 1 changed"},
		{"corso Buenso Aires 12", "exact: CORSO BUENOS AIRES 12 changed"},
		{"via Monza 100", "exact: VIALE MONZA 100 changed"},
		{"via Bronzeti 20", "exact: VIA FRATELLI BRONZETTI 20 changed"},
		{"via Vittorio 1", "exact: CORSO VITTORIO EMANUELE II 1 changed"},
		{"via Torino 7, Monza", "exact: VIA TORINO 7 without monza"},
		{"via Torino, Monza", "street: VIA TORINO without monza"},
		{"bar Rossi, via Torino 7", "exact: VIA TORINO 7 without bar rossi"},
		{"via Torino 7 20900", "exact: VIA TORINO 7 without 20900"},
		// Ambiguous.
		{"manzoni 5", "ambiguous: PIAZZA ALESSANDRO MANZONI 5 | VIA ALESSANDRO MANZONI 5"},
		{"via Verdi 2", "ambiguous: VIA GIOVANNI VERDI 2 | VIA GIUSEPPE VERDI 2"},
		{"via G. Verdi 2", "ambiguous: VIA GIOVANNI VERDI 2 | VIA GIUSEPPE VERDI 2"},
		{"via Giuseppe Verdi 2", "exact!: VIA GIUSEPPE VERDI 2"},
		{"via uno 1", "ambiguous: VIA UNO 1 | VIA UNO 1"}, // the register has it in two places
		// Districts.
		{"Municipio 1", "district!: Municipio 1"},
		{"zona 1", "district!: Municipio 1"},
		{"isola", "district!: NIL 11 ISOLA"},
		{"NIL 11", "district!: NIL 11 ISOLA"},
		{"nolo", "district!: NIL 20 LORETO - CASORETTO - NOLO"},
		{"porta romana", "district!: NIL 27 PTA ROMANA"},
		{"loreto", "ambiguous: NIL 20 LORETO - CASORETTO - NOLO | PIAZZALE LORETO"},
		// Nothing.
		{"", "none: "}, {"12", "none: "}, {"via", "none: "}, {"Corso", "none: "}, {"milano", "none: "}, {",,,", "none: "}, {"via Sconosciuta 3", "none: "},
		{"g 5", "none: "}, {strings.Repeat("via ", 200), "none: "}, {"via \x00\xff 1", "none: "},
	} {
		if got := brief(x.Find(c.typed)); got != c.want {
			t.Errorf("%q:\n got %s\nwant %s", c.typed, got, c.want)
		}
	}
}

// An answer has its place: where it is, in which part of the city, how far off.
func TestAnswersPlace(t *testing.T) {
	x := smallTown(t)
	a := x.Find("via Torino 7").Answers[0]
	if a.At != (protocol.Point{Lon: 9_186_000, Lat: 45_463_000}) || a.Municipio != "Municipio 1" || a.NIL != "PTA ROMANA" || a.ReachM != 0 {
		t.Errorf("%+v", a)
	}
	if a := x.Find("corso Vittorio Emanuele II 1").Answers[0]; a.Municipio != "Municipio 1" || a.Place != (Place{"Municipio 1", "PTA ROMANA"}) {
		t.Errorf("in the hole of the polygon, as the register says: %+v", a)
	}
	if a := x.Find("via Torino").Answers[0]; a.At.Lon < 9_186_000 || a.At.Lon > 9_186_900 || a.ReachM < 30 || a.ReachM > 120 {
		t.Errorf("middle of a street with numbers: %+v", a)
	}
	if a := x.Find("via Molto Lunga").Answers[0]; a.ReachM < 7700 || a.ReachM > 7900 {
		t.Errorf("a street of the index reaches %d m", a.ReachM)
	}
	if a := x.Find("via Torino 31").Answers[0]; a.ReachM != roughM {
		t.Errorf("a rough point: %+v", a)
	}
}

func TestReverse(t *testing.T) {
	x := smallTown(t)
	for _, c := range []struct {
		lon, lat int32
		want     string
		most     float64
	}{
		{9_186_010, 45_463_010, "VIA TORINO 7", 2},
		{9_206_000, 45_475_000, "CORSO BUENOS AIRES 12", 112}, // in another cell
		{9_186_890, 45_463_900, "VIA TORINO 21", 15},          // the rough 31 is nearer
		{9_150_000, 45_430_000, "", 0},
	} {
		a, ok := x.Reverse(protocol.Point{Lon: c.lon, Lat: c.lat})
		if ok != (c.want != "") || ok && (a.Name() != c.want || a.Distance > c.most) {
			t.Errorf("%d,%d: %+v, %v", c.lon, c.lat, a, ok)
		}
	}
}

func TestDistricts(t *testing.T) {
	x := smallTown(t)
	for _, c := range []struct {
		lon, lat int32
		want     Place
	}{
		{9_186_000, 45_463_000, Place{"Municipio 1", "PTA ROMANA"}},
		{9_194_500, 45_465_000, Place{"", "PTA ROMANA"}}, // a hole
		{9_050_000, 45_463_000, Place{}},
	} {
		if got := x.PlaceOf(protocol.Point{Lon: c.lon, Lat: c.lat}); got != c.want {
			t.Errorf("%d,%d: %v, want %v", c.lon, c.lat, got, c.want)
		}
	}
	if d := x.Find("NIL 11").Answers[0].District; d == nil || d.Name != "ISOLA" || d.Code != "11" || len(d.Polygons) != 1 {
		t.Errorf("%v", d)
	}
}

func TestSuggest(t *testing.T) {
	x := smallTown(t)
	for typed, want := range map[string]string{
		"corso bue":       "CORSO BUENOS AIRES",
		"via tor":         "VIA TORINO",
		"torin":           "VIA TORINO",
		"manz":            "PIAZZA ALESSANDRO MANZONI|VIA ALESSANDRO MANZONI",
		"via Torino 7":    "VIA TORINO 7",
		"v":               "",
		"":                "",
		"isola":           "NIL 11 ISOLA",
		"via inesistente": "",
	} {
		var got []string
		for _, a := range x.Suggest(typed) {
			got = append(got, a.Name())
		}
		if s := strings.Join(got, "|"); s != want {
			t.Errorf("%q: %s, want %s", typed, s, want)
		}
	}
}
