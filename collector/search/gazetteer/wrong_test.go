package gazetteer

import (
	"math/rand/v2"
	"strings"
	"testing"

	"anagrafe/protocol"
)

// TestNeverSilentlyWrong types addresses of the real register as people do. Whatever
// is done to them, what is sure is right.
func TestNeverSilentlyWrong(t *testing.T) {
	r := ReadAddresses(sharedData(t, "addresses/civici_municipi_5_9.csv"))
	report(t, "numbers", r)
	x := milan(t)
	var dice *rand.Rand
	changes := []struct {
		name string
		do   func(street, house string) string
	}{
		{"as it is", func(s, h string) string { return s + " " + h }},
		{"upper case", func(s, h string) string { return strings.ToUpper(s + ", " + h) }},
		{"number first", func(s, h string) string { return h + " " + s }},
		{"no kind", func(s, h string) string { _, rest, _ := strings.Cut(s, " "); return rest + " " + h }},
		{"abbreviated", func(s, h string) string {
			return strings.NewReplacer("Viale ", "V.le ", "Piazza ", "P.za ", "Piazzale ", "P.le ", "Corso ", "C.so ", "San ", "S. ", "Santa ", "S. ").Replace(s) + " n. " + h + ", 20100 Milano"
		}},
		{"last name alone", func(s, h string) string {
			words := strings.Fields(s)
			return words[0] + " " + words[len(words)-1] + " " + h
		}},
		{"another kind", func(s, h string) string { _, rest, _ := strings.Cut(s, " "); return "Largo " + rest + " " + h }},
		{"a letter lost", func(s, h string) string {
			i := 4 + dice.IntN(max(1, len(s)-4))
			return s[:min(i, len(s)-1)] + s[min(i+1, len(s)):] + " " + h
		}},
		{"another letter", func(s, h string) string {
			i := min(4+dice.IntN(max(1, len(s)-4)), len(s)-1)
			return s[:i] + string(rune('a'+dice.IntN(26))) + s[i+1:] + " " + h
		}},
	}
	for i, c := range changes {
		name, change := c.name, c.do
		dice = rand.New(rand.NewPCG(7, uint64(i)))
		sure, wrong, none := 0, 0, 0
		const asked = 150
		for range asked {
			e := r.Entries[dice.IntN(len(r.Entries))]
			text := change(e.Street, e.House)
			found := x.Find(text)
			switch {
			case found.Kind == None:
				none++
			case name == "last name alone" && found.Sure && found.Answers[0].points == 0:
				sure++ // Via Cassano d'Adda without its first word is Via Adda, another street
			case found.Sure:
				sure++
				if protocol.DistanceM(found.Answers[0].At, e.At) > conflictM {
					wrong++
					t.Logf("%q for %s %s: %s", text, e.Street, e.House, found.Answers[0].Name())
				}
			}
		}
		t.Logf("%-16s sure of %d, asks %d, finds nothing %d of %d", name, sure, asked-sure-none, none, asked)
		if wrong > 0 {
			t.Errorf("%s: sure and wrong %d times of %d", name, wrong, asked)
		}
		if name != "a letter lost" && name != "another letter" && none > 0 || none > asked/20 {
			t.Errorf("%s: nothing found %d times of %d", name, none, asked)
		}
		if (name == "as it is" || name == "upper case" || name == "number first" || name == "abbreviated") && sure < asked*99/100 {
			t.Errorf("%s: sure %d times of %d", name, sure, asked)
		}
	}
}

// TestUnknownStreets asks for streets that the gazetteer lacks: nothing may be sure.
func TestUnknownStreets(t *testing.T) {
	r := ReadAddresses(sharedData(t, "addresses/civici_municipi_5_9.csv"))
	report(t, "numbers", r)
	var known []Entry
	asked := make(map[string]string)
	for _, e := range r.Entries {
		if strings.ContainsAny(e.Street[len(e.Street)-1:], "aei") { // a part of the streets
			asked[e.Street] = e.House
		} else {
			known = append(known, e)
		}
	}
	x := Build(known, nil)
	if len(asked) < 300 || x.Streets() < 200 {
		t.Fatalf("%d streets are left out, %d are there", len(asked), x.Streets())
	}
	for street, house := range asked {
		if f := x.Find(street + " " + house); f.Sure {
			t.Errorf("%s %s is not there: sure of %s", street, house, f.Answers[0].Name())
		}
	}
}
