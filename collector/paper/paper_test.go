package paper

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"anagrafe/collector/pdf"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

var noon = time.Date(2026, 11, 22, 11, 0, 0, 0, time.UTC)

// italian are the words of the pages, with those of the case kinds and roles that
// this package asks for.
func italian(t testing.TB) *pages.Words {
	t.Helper()
	const words = `{"case.kind.annotation":"Annotazione","role.owner":"proprietario"}`
	set, err := pages.Load(fstest.MapFS{"it.json": {Data: []byte(words)}, "en.json": {Data: []byte(words)}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return set.Words(pages.It)
}

func sample() Acquisition {
	at := time.Date(2026, 11, 21, 21, 15, 0, 0, time.UTC)
	camera := Camera{ID: "k1", Name: "CAM 03", OldName: "Ingresso", Channel: "3", Recorder: "Hikvision DS-7608, retrobottega", Start: at, End: at.Add(15 * time.Minute),
		Clock:       &Clock{From: "2026-11-21T23:13:00", Until: "2026-11-21T23:28:00", OffsetMs: 58 * 60_000, UncertaintyMs: 2000, Method: "onvif GetSystemDateAndTime", At: noon},
		Overwritten: noon.Add(30 * time.Hour)}
	never := Camera{ID: "k2", Name: "CAM 04", Start: at, End: at.Add(15 * time.Minute)}
	return Acquisition{ID: "00000000-0000-4000-8000-000000000001", Number: 12, Year: 2026, Made: noon,
		From:  Sender{Force: "Questura di Milano", Office: "Squadra mobile", Officer: "M. Rossi", Qualification: "ufficiale di PG", Phone: "+39 02 62261"},
		To:    Addressee{Name: "Bar Centrale s.r.l.", FiscalCode: "01199250158", Representative: "Dora Neri", Capacity: "legale rappresentante", PEC: "bar@pec.example"},
		Basis: Assurance, Case: CaseRef{ID: "c1", Kind: "annotation", Ref: "2026/118"}, Place: "Via Torino 12", Start: at, End: at.Add(15 * time.Minute),
		Sites:    []Site{{ID: "s1", Name: "Bar Centrale", Address: "Via Torino 12", Cameras: []Camera{camera, never}}},
		Delivery: "alla Squadra mobile, via Fatebenefratelli 11", CheckCode: "ABCD-EFGH", CheckPage: "https://telecamere.example/check", Asked: noon.Add(-time.Hour)}
}

func texts(d pdf.Document) string {
	var all []string
	for _, b := range d.Content {
		all = append(all, b.Text)
		all = append(all, b.Items...)
		all = append(all, b.Head...)
		for _, row := range b.Rows {
			all = append(all, strings.Join(row, ": "))
		}
	}
	return strings.Join(append(all, d.Footer...), "\n")
}

// TestSays: a request names all that it has to.
func TestSays(t *testing.T) {
	a := sample()
	d, err := a.Document(italian(t))
	if err != nil {
		t.Fatal(err)
	}
	got := texts(d)
	hash, _ := a.hash()
	for _, want := range []string{
		"n. 12/2026, domenica 22 novembre 2026, ore 12:00",
		"Chi chiede: Questura di Milano, Squadra mobile", "Redatta da: M. Rossi, ufficiale di PG", "Telefono: +39 02 62261",
		"A chi: Bar Centrale s.r.l., codice fiscale 01199250158", "Nella persona di: Dora Neri, legale rappresentante", "PEC: bar@pec.example",
		"Riferimento: Annotazione 2026/118", "Base giuridica: art. 348 c.p.p.", "Luogo del fatto: Via Torino 12",
		"21/11/2026, dalle 22:15:00 alle 22:30:00 (ora vera, in Italia)",
		"CAM 03 (allora: Ingresso): Hikvision DS-7608, retrobottega, canale 3: 21/11/2026, dalle 22:15:00 alle 22:30:00: 21/11/2026, dalle 23:13:00 alle 23:28:00: 23/11/2026 18:00",
		"CAM 03: avanti di 58 min, con un'incertezza di 2 s, misurato il 22/11/2026 12:00 con onvif GetSystemDateAndTime",
		"mai misurato: prenda un'ora in più, prima e dopo", "non si sa: al più presto",
		"formato originale", "SHA-256", "player", "Copia chi conosce l'apparecchio", "Consegna: alla Squadra mobile, via Fatebenefratelli 11",
		"Conservi le registrazioni", "art. 329 c.p.p.", "d.lgs. 18 maggio 2018, n. 51", "ABCD-EFGH alla pagina https://telecamere.example/check",
		"Segue la richiesta di conservare inviata domenica 22 novembre 2026, ore 11:00",
		"Verbale di consegna", "Riceve (grado, nome, ufficio)", "Ora del registratore alla copia", "CAM 04: nome del file", "Firma di chi consegna",
		fmt.Sprintf("SHA-256 dei dati della richiesta: %x", hash), "registro degli accessi: " + a.ID,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the request does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
	if _, err := pdf.Write(d); err != nil {
		t.Error(err)
	}
}

// TestSameFile: papers on the trail can be made anew only as long as the same data
// give the same bytes. Who changes words, layout, fonts or what packs them (Go's
// compress/zlib) gives the format another number, and keeps this one as it was.
func TestSameFile(t *testing.T) {
	d, err := sample().Document(italian(t))
	if err != nil {
		t.Fatal(err)
	}
	file, err := pdf.Write(d)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%x", sha256.Sum256(file)); got != "bf7a6c530a95223d8e932255e57f6662c749b6e3f1c6b4f8d6803bc8f5371b9e" {
		t.Errorf("the file of format %s has the hash %s", acquisitionFormat, got)
	}
}

// What is not known is not said, and nothing stands empty.
func TestSaysLess(t *testing.T) {
	a := sample()
	a.From.Office, a.From.Phone, a.To.Representative, a.To.Capacity, a.To.PEC, a.Case.Ref, a.CheckCode, a.Asked = "", "", "", "", "", "", "", time.Time{}
	d, err := a.Document(italian(t))
	if err != nil {
		t.Fatal(err)
	}
	got := texts(d)
	for _, not := range []string{"Telefono", "Nella persona", "PEC", "codice  ", "Segue la richiesta", "[case"} {
		if strings.Contains(got, not) {
			t.Errorf("the request says %q", not)
		}
	}
	if !strings.Contains(got, "Annotazione, numero da comunicare") {
		t.Error("the request does not say that its reference follows")
	}
}

// TestDecode: the bytes that are kept come back, and nothing else is taken.
func TestDecode(t *testing.T) {
	a := sample()
	raw, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	d1, _ := a.Document(italian(t))
	d2, _ := back.Document(italian(t))
	one, err1 := pdf.Write(d1)
	two, err2 := pdf.Write(d2)
	if err1 != nil || err2 != nil || sha256.Sum256(one) != sha256.Sum256(two) {
		t.Errorf("the file made anew is another: %v, %v", err1, err2)
	}
	for name, bad := range map[string][]byte{
		"spaces":        append([]byte(" "), raw...),
		"unknown field": bytes.Replace(raw, []byte(`{"format"`), []byte(`{"x":1,"format"`), 1),
		"other version": bytes.Replace(raw, []byte("/1"), []byte("/2"), 1),
		"cut":           raw[:len(raw)-1],
		"twice":         append(bytes.Clone(raw), raw...),
	} {
		if _, err := Decode(bad); err == nil {
			t.Errorf("%s: it was read", name)
		}
	}
}

func FuzzDecode(f *testing.F) {
	a := sample()
	raw, err := a.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	w := italian(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		a, err := Decode(in)
		if err != nil {
			return
		}
		again, err := a.Encode()
		if err != nil || !bytes.Equal(again, in) {
			t.Fatalf("%q came back as %q, %v", in, again, err)
		}
		if _, err := a.Document(w); err != nil {
			t.Fatal(err)
		}
	})
}

func TestBases(t *testing.T) {
	for _, b := range Bases {
		if !b.Known() || !strings.Contains(b.Article(), string(b)) || grounds[b].ask == "" {
			t.Errorf("%s: %+v", b, grounds[b])
		}
	}
	if Basis("253").Known() || len(grounds) != len(Bases) {
		t.Error("the table and the list differ")
	}
}

func TestClockWords(t *testing.T) {
	w := italian(t)
	for _, c := range []struct {
		clock Clock
		want  string
	}{
		{Clock{OffsetMs: 400, At: noon}, "giusto, con un'incertezza di 1 s, misurato il 22/11/2026 12:00"},
		{Clock{OffsetMs: -3_661_000, UncertaintyMs: 1500, At: noon}, "indietro di 1 h 1 min 1 s, con un'incertezza di 2 s, misurato il 22/11/2026 12:00"},
	} {
		if got := c.clock.words(w); got != c.want {
			t.Errorf("%+v: %q, want %q", c.clock, got, c.want)
		}
	}
	over := Clock{From: "2026-11-21T23:58:00", Until: "2026-11-22T00:13:00"}
	if got, want := over.interval(), "dal 21/11/2026 23:58:00 al 22/11/2026 00:13:00"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func at(x, y int32) protocol.Point { return protocol.Point{Lon: 9_190000 + x, Lat: 45_464000 + y} }

// length is how long the way is.
func length(start protocol.Point, points []protocol.Point, order []int) (sum float64) {
	for _, i := range order {
		sum += protocol.DistanceM(start, points[i])
		start = points[i]
	}
	return sum
}

func TestWalk(t *testing.T) {
	for _, c := range []struct {
		name   string
		points []protocol.Point
		want   []int
	}{
		{"nowhere", nil, []int{}},
		{"along a street", []protocol.Point{at(3000, 0), at(1000, 0), at(2000, 0)}, []int{1, 2, 0}},
		{"one house", []protocol.Point{at(0, 0), at(0, 0)}, []int{0, 1}},
		// The nearest first would cross over: 0 1 2 3.
		{"round a block", []protocol.Point{at(1000, 0), at(1000, 1000), at(-1200, 0), at(-1200, 1000)}, []int{0, 1, 3, 2}},
	} {
		if got := walk(at(0, 0), c.points); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestWalkIsGood: of up to 7 doors it is at most a quarter longer than the best
// way, and no stop is left out.
func TestWalkIsGood(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		points := make([]protocol.Point, 1+r.IntN(7))
		for i := range points {
			points[i] = at(r.Int32N(6000)-3000, r.Int32N(6000)-3000)
		}
		got := walk(at(0, 0), points)
		sorted := slices.Sorted(slices.Values(got))
		for i, n := range sorted {
			if i != n || len(sorted) != len(points) {
				t.Fatalf("%v is no order of %d points", got, len(points))
			}
		}
		best := length(at(0, 0), points, got)
		permute(sorted, func(order []int) { best = min(best, length(at(0, 0), points, order)) })
		if l := length(at(0, 0), points, got); l > 1.25*best {
			t.Errorf("%.0f m where %.0f m would do: %v", l, best, points)
		}
	}
}

func permute(order []int, f func([]int)) {
	var next func(int)
	next = func(i int) {
		if i == len(order) {
			f(order)
			return
		}
		for j := i; j < len(order); j++ {
			order[i], order[j] = order[j], order[i]
			next(i + 1)
			order[i], order[j] = order[j], order[i]
		}
	}
	next(0)
}

func TestPatrol(t *testing.T) {
	a := sample()
	p := Patrol{Made: noon, Force: "Questura di Milano", By: "M. Rossi", Reference: a.Case, Place: "Via Torino 12", Stops: []Stop{
		{Name: "Farmacia", Address: "Via Torino 40", Point: at(3000, 0), Cameras: a.Sites[0].Cameras[1:]},
		{Name: "Bar Centrale", Address: "Via Torino 12", Point: at(500, 0), Revealed: true, Cameras: a.Sites[0].Cameras,
			Contacts: []protocol.Contact{{Name: "Dora Neri", Role: "owner", Phone: "+39 02 1", Hours: "7-20"}}},
		{Name: "Banca", Address: "Via Torino 13", Point: at(600, 0), Revealed: true, Cameras: a.Sites[0].Cameras[:1]},
	}}
	d := p.Ordered(at(0, 0)).Document(italian(t))
	got := texts(d)
	for _, want := range []string{
		"1. Bar Centrale, Via Torino 12: Dora Neri, proprietario, +39 02 1, risponde 7-20: CAM 03, canale 3, Hikvision DS-7608, retrobottega: 21/11/2026, dalle 23:13:00 alle 23:28:00",
		"1. (stessa porta): : CAM 04", "2. Banca, Via Torino 13: nessun recapito", "3. Farmacia, Via Torino 40: recapito non aperto", "si distrugge",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the sheet does not say %q:\n%s", want, got)
		}
	}
	if _, err := pdf.Write(d); err != nil {
		t.Error(err)
	}
}
