package consult

import (
	"encoding/json"
	"flag"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/search"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// TestWhy: the words are as sure as the answer, and no surer.
func TestWhy(t *testing.T) {
	set, err := pages.Load(files, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	south := 180
	point := &answer{question: &question{Point: place, RadiusM: 200, From: event, To: event}, at: noon}
	sees := search.Result{Hit: search.Hit{Class: search.ClassA, From: event, Until: event, Recording: protocol.Yes,
		Footage: protocol.Footage{Exists: protocol.Yes},
		Sight:   protocol.Sight{Sees: protocol.Yes, DistanceM: 17.6, BearingDeg: 180, PixelsPerMetre: 130, Class: protocol.ClassRecognise}}}
	with := func(change func(*search.Result)) search.Result {
		r := sees
		change(&r)
		return r
	}
	for name, c := range map[string]struct {
		r      search.Result
		it, en string
	}{
		"surely": {sees, "inquadra il punto da sud, 18 m, circa 130 px/m: riconoscimento (si riconosce una persona nota)|filmato: dovrebbe esserci, secondo le impostazioni del registratore",
			"sees the point from the south, 18 m, about 130 px/m: recognition (a known person can be recognised)|footage: should be there, by the recorder's settings"},
		"no density": {with(func(r *search.Result) { r.Sight.PixelsPerMetre, r.Sight.Class = 0, "" }),
			"inquadra il punto da sud, 18 m|filmato: dovrebbe", "sees the point from the south, 18 m|footage: should"},
		"every doubt": {with(func(r *search.Result) {
			r.Sight.Sees, r.Doubts, r.BeforeDeclared = protocol.Unknown, 1<<13-1, true
			r.Camera.Position.AccuracyM = 40
			for _, group := range []string{"position", "view", "schedule", "retention"} {
				r.Facts = append(r.Facts, search.Fact{Group: group, Age: 800 * day})
			}
		}), "può inquadrare il punto da sud, 18 m; se lo inquadra, circa 130 px/m: riconoscimento (si riconosce una persona nota)|la direzione non è nota|si muove: può guardare altrove|l'angolo di ripresa non è noto|non si sa fin dove vede|la posizione è nota solo entro 40 m|la posizione è un dato vecchio, di 2 anni fa|la visuale è un dato vecchio, di 2 anni fa|gli orari sono un dato vecchio, di 2 anni fa|la conservazione è un dato vecchio, di 2 anni fa|l'ora cercata viene prima della dichiarazione: posizione e visuale sono quelle dichiarate dopo|era buio: non si sa se di notte vede lì|forse un edificio copre la visuale|l'ora cercata deve ancora venire|filmato:",
			"may see the point from the south, 18 m; if it does, about 130 px/m: recognition (a known person can be recognised)|its direction is not known|it turns: it may look elsewhere|its angle of view is not known|how far it sees is not known|its position is known to 40 m only|its position is an old fact, of 2 years ago|its view is an old fact, of 2 years ago|its hours are an old fact, of 2 years ago|how long it keeps footage is an old fact, of 2 years ago|the time searched is before the declaration: position and view are those declared later|it was dark: not known whether it sees there at night|a building may stand in between|the time searched is still to come|footage:"},
		"near": {with(func(r *search.Result) {
			r.Class, r.Sight.Sees, r.Camera.View.DirectionDeg = search.ClassB, protocol.No, &south
			r.BeforeDeclared = true
		}), "non inquadra il punto: ne è a 18 m, verso sud, e guarda verso sud (180°)|l'ora cercata viene prima",
			"does not see the point: it is 18 m from it, to the south, and looks south (180°)|the time searched is before"},
		"turns away": {with(func(r *search.Result) {
			r.Sight.Sees, r.Camera.View.DirectionDeg, r.Camera.View.Turns = protocol.No, &south, true
		}), "non inquadra il punto: ne è a 18 m, verso sud|filmato", "does not see the point: it is 18 m from it, to the south|footage"},
		"gone by age": {with(func(r *search.Result) {
			r.Class, r.Footage.Exists = search.ClassC, protocol.No
			r.Retention = protocol.Retention{Kind: protocol.RetentionAge, Age: 12 * time.Hour}
		}), "filmato: già cancellato: il registratore tiene le immagini 12 ore|inquadra il punto", "footage: already deleted: the recorder keeps footage for 12 hours|sees the point"},
		"gone by an earlier limit": {with(func(r *search.Result) {
			r.Class, r.Footage.Exists = search.ClassC, protocol.No
			r.Retention = protocol.Retention{Kind: protocol.RetentionAge, Age: 30 * day}
		}), "filmato: già cancellato|inquadra il punto", "footage: already deleted|sees the point"},
		"gone events": {with(func(r *search.Result) {
			r.Class, r.Footage.Exists, r.Recording = search.ClassC, protocol.No, protocol.OnEvent
			r.Retention = protocol.Retention{Kind: protocol.RetentionAge, Age: 30 * day, EventAge: 6 * time.Hour}
		}), "filmato: già cancellato: il registratore tiene le immagini 6 ore|", "footage: already deleted: the recorder keeps footage for 6 hours|"},
		"gone as measured": {with(func(r *search.Result) {
			r.Class, r.Footage.Exists = search.ClassC, protocol.No
			r.Retention = protocol.Retention{Kind: protocol.RetentionAge, Age: 30 * day, OldestFootage: noon.Add(-time.Hour)}
		}), "filmato: già cancellato: sul registratore il filmato più vecchio è del 21/11/2026 13:30|", "footage: already deleted: the oldest footage on the recorder is of 21/11/2026 13:30|"},
		"off": {with(func(r *search.Result) {
			r.Class, r.Footage.Exists, r.Recording = search.ClassC, protocol.No, protocol.No
		}), "filmato: in quel momento non registrava|inquadra", "footage: was not recording at that time|sees"},
	} {
		for lang, want := range map[pages.Lang]string{pages.It: c.it, pages.En: c.en} {
			w := set.Words(lang)
			if got := strings.Join(why(w, point, c.r).list(w, c.r.Class), "|"); !strings.HasPrefix(got, want) {
				t.Errorf("%s:\ngot  %s\nwant %s", name, got, want)
			}
		}
	}
}

var rewrite = flag.Bool("update", false, "rewrite the golden answer")

const goldenAnswer = "../../../testdata/consult/answer.json"

// TestGoldenAnswer is the whole answer of an ordinary search, with what chance
// makes replaced by its name. Programs rest on it.
func TestGoldenAnswer(t *testing.T) {
	w := newTown(t)
	names := map[string]string{}
	sites := append(milan(), odd()...)
	for _, s := range sites {
		names[s.recorder.ID] = "recorder of " + s.site.Name
	}
	for name, id := range w.declare(sites...) {
		names[id] = "site of " + name
	}
	res := w.send("POST", "/search", officerName, exact("until", event.Add(25*time.Minute).Format(time.RFC3339)), false)
	if res.status != http.StatusOK {
		t.Fatalf("%d %s", res.status, res.body)
	}
	var a jsonAnswer
	if err := json.Unmarshal([]byte(res.body), &a); err != nil {
		t.Fatal(err)
	}
	names[a.Search], names[a.Asked.Case] = "id of the search", "id of the case"
	var whole any
	if err := json.Unmarshal([]byte(res.body), &whole); err != nil {
		t.Fatal(err)
	}
	indented, err := json.MarshalIndent(whole, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got := regexp.MustCompile(`"checkpoint": ".*"`).ReplaceAllString(string(indented)+"\n", `"checkpoint": "signed"`)
	for id, name := range names {
		got = strings.ReplaceAll(got, id, name)
	}
	if *rewrite {
		if err := os.MkdirAll(filepath.Dir(goldenAnswer), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(goldenAnswer, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenAnswer)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the answer differs from %s; if that is meant: go test ./collector/web/consult -run Golden -update\n%s", goldenAnswer, got)
	}
}

// TestLanguageOfAnswers: programs are answered in the language they ask for, and
// in English when they ask for none of ours.
func TestLanguageOfAnswers(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	for asked, want := range map[string]string{"": "sees the point", "de": "sees the point", "it-IT,en;q=0.5": "inquadra il punto", "en": "sees the point"} {
		w.change = func(r *http.Request) { r.Header.Set("Accept-Language", asked) }
		if a := w.answer(exact()); !strings.HasPrefix(a.Results[0].Why[0], want) {
			t.Errorf("Accept-Language %q: %q", asked, a.Results[0].Why)
		}
	}
	w.change = func(r *http.Request) { r.Header.Set("Accept-Language", "it") }
	for path, form := range map[string]map[string][]string{"/search": exact("reason", ""), "/requests": {}, "/reveal": {"search": {"none"}}} {
		if res := w.send("POST", path, officerName, form, false); !strings.Contains(res.body, "Scrivi") && !strings.Contains(res.body, "memoria") {
			t.Errorf("%s: %s", path, res.body)
		}
	}
}
