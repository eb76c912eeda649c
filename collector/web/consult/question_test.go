package consult

import (
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/search"
	"anagrafe/protocol"
)

func TestPlaces(t *testing.T) {
	milan := protocol.Point{Lon: 9_186_400, Lat: 45_465_400}
	for text, want := range map[string]protocol.Point{
		"9.1864,45.4654":         milan,
		" 9.1864 , 45.4654 ":     milan,
		"9.1864 45.4654":         milan,
		"9,1864;45,4654":         milan,
		"9,1864 45,4654":         milan,
		"45.4654, 9.1864":        milan, // as most maps give it
		"+9.1864,+45.4654":       milan,
		"-9.1864,45.4654":        {Lon: -9_186_400, Lat: 45_465_400},
		"geo:45.4654,9.1864":     milan,
		"geo:45.4654,9.1864;u=3": milan,
		"https://www.google.com/maps/@45.4654,9.1864,17z":                                                            milan,
		"https://www.google.com/maps/place/Duomo/@45.4640976,9.1893735,17z/data=!3m1!4b1!4m6!8m2!3d45.4654!4d9.1864": milan,
		"https://www.google.com/maps/place/45.4654,9.1864":                                                           milan,
		"https://maps.google.com/?q=45.4654,9.1864":                                                                  milan,
		"https://www.google.com/maps/search/?api=1&query=45.4654%2C9.1864":                                           milan,
		"https://www.openstreetmap.org/#map=17/45.4654/9.1864":                                                       milan,
		"https://www.openstreetmap.org/?mlat=45.4654&mlon=9.1864#map=12/45.0/9.0":                                    milan,
		"geo:0,0?q=45.4654,9.1864(Duomo%20di%20Milano)":                                                              milan,
		"geo:45.4654,9.1864?z=17&q=Duomo":                                                                            milan,
		"https://www.google.com/maps/dir/?api=1&destination=45.4654%2C9.1864&travelmode=walking":                     milan,
		"https://www.google.com/maps/@?api=1&map_action=pano&viewpoint=45.4654,9.1864":                               milan,
		"https://maps.google.com/maps?q=loc:45.4654,9.1864&z=17":                                                     milan,
		"https://www.openstreetmap.org/node/1#map=19/45.4654/9.1864&layers=N":                                        milan,
		"https://maps.apple.com/?address=Piazza%20del%20Duomo&ll=45.4654,9.1864&t=m":                                 milan,
		"https://maps.apple.com/place?coordinate=45.4654,9.1864&name=Duomo&map=explore":                              milan,
		"https://maps.apple.com/?daddr=45.4654,9.1864":                                                               milan,
		"https://maps.apple.com/?ll=45.4654,9.1864&q=Duomo":                                                          milan,
	} {
		got, err := parsePlace(text, true)
		if err != nil || got != want {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	if got, err := parsePlace("45.4654,9.1864", false); err != nil || got.Lon != 45_465_400 {
		t.Errorf("an exact caller's order was changed: %v %v", got, err)
	}
	for _, text := range []string{"", "Via Torino 12", "9.18", "181,45", "9,91", "9.1,45.1,3", "1e1,45", "NaN,NaN", "https://example.org/", "http://[", strings.Repeat("9", 3000),
		"https://www.google.com/maps/@95.4654,9.1864,17z", "9..1,45",
		// Of these nothing but their makers' servers know the place.
		"https://maps.app.goo.gl/QxYz1234abcd", "https://osm.org/go/0CrTzqq~-?m=", "https://what3words.com/sono.tre.parole", "///sono.tre.parole", "geo:0,0?q=Duomo(45)x", "geo:"} {
		if got, err := parsePlace(text, true); err == nil {
			t.Errorf("%q was taken for %v", text, got)
		}
	}
	if got, err := parsePlace(writePlace(milan), false); err != nil || got != milan {
		t.Errorf("what is written is not read back: %v %v", got, err)
	}
}

func FuzzPlace(f *testing.F) {
	for _, s := range []string{"9.1864,45.4654", "45,4 9,1", "geo:1,2", "https://www.google.com/maps/@45.4,9.1,17z", "https://x/?q=1.0,2.0", "https://x/?mlat=a&mlon=b", "!3d1!4d2:"} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, either bool) {
		p, err := parsePlace(s, either)
		if err != nil {
			return
		}
		if math.Abs(lonOf(p)) > 180 || math.Abs(latOf(p)) > 90 {
			t.Fatalf("%q gives %v", s, p)
		}
		if again, err := parsePlace(writePlace(p), false); err != nil || again != p {
			t.Fatalf("%q gives %v, and that %v %v", s, p, again, err)
		}
	})
}

// form is a well-filled form with some fields changed.
func form(changes ...string) url.Values {
	v := url.Values{"at": {"9.18757,45.46408"}, "date": {"2026-11-20"}, "time": {"20:45"}, "until": {"21:10"}, "radius": {"200"},
		"case_kind": {"annotation"}, "case_ref": {"2026/118"}, "offence": {"robbery"}, "reason": {"Rapina in strada"}}
	for i := 0; i+1 < len(changes); i += 2 {
		v.Set(changes[i], changes[i+1])
	}
	return v
}

func TestAskedTimes(t *testing.T) {
	utc := func(month time.Month, day, h, m int) time.Time {
		return time.Date(2026, month, day, h, m, 0, 0, time.UTC)
	}
	for _, c := range []struct {
		name      string
		changes   []string
		from, to  time.Time
		wrong     string // "field key"; "" none
		whichOnce bool
	}{
		{"an evening", nil, utc(11, 20, 19, 45), utc(11, 20, 20, 10), "", false},
		{"one moment", []string{"until", ""}, utc(11, 20, 19, 45), utc(11, 20, 19, 45), "", false},
		{"over midnight", []string{"time", "23:50", "until", "0:20"}, utc(11, 20, 22, 50), utc(11, 20, 23, 20), "", false},
		{"typed in haste", []string{"time", "845", "until", "9.05"}, utc(11, 20, 7, 45), utc(11, 20, 8, 5), "", false},
		{"seconds", []string{"time", "20:45:00", "until", "20:45:30"}, utc(11, 20, 19, 45), utc(11, 20, 19, 45).Add(30 * time.Second), "", false},
		{"exact", []string{"time", "2026-11-20T20:45:00+01:00", "until", "2026-11-20T21:10:00Z"}, utc(11, 20, 19, 45), utc(11, 20, 21, 10), "", false},
		{"summer", []string{"date", "2026-07-01"}, utc(7, 1, 18, 45), utc(7, 1, 19, 10), "", false},
		{"the hour left out", []string{"date", "2026-03-29", "time", "02:30", "until", ""}, time.Time{}, time.Time{}, "time error.time.never", false},
		{"an end in the hour left out", []string{"date", "2026-03-29", "time", "01:50", "until", "02:30"}, time.Time{}, time.Time{}, "until error.time.never", false},
		{"the hour that comes twice", []string{"date", "2026-10-25", "time", "02:30", "until", ""}, time.Time{}, time.Time{}, "time error.time.twice", true},
		{"its first", []string{"date", "2026-10-25", "time", "02:30", "until", "", "fold", "first"}, utc(10, 25, 0, 30), utc(10, 25, 0, 30), "", false},
		{"its second", []string{"date", "2026-10-25", "time", "02:30", "until", "02:40", "fold", "second"}, utc(10, 25, 1, 30), utc(10, 25, 1, 40), "", false},
		{"an end in it takes both", []string{"date", "2026-10-25", "time", "01:50", "until", "02:10"}, utc(10, 24, 23, 50), utc(10, 25, 1, 10), "", false},
		{"no time", []string{"time", ""}, time.Time{}, time.Time{}, "time error.time.missing", false},
		{"no day", []string{"date", "20/11/2026"}, time.Time{}, time.Time{}, "date error.date", false},
		{"nonsense", []string{"time", "25:00"}, time.Time{}, time.Time{}, "time error.time.form", false},
		{"nonsense end", []string{"until", "morgen"}, time.Time{}, time.Time{}, "until error.time.form", false},
		{"to come", []string{"date", "2026-11-22"}, time.Time{}, time.Time{}, "time error.time.future", false},
		{"end before start", []string{"time", "2026-11-20T20:45:00Z", "until", "2026-11-20T20:44:00Z"}, time.Time{}, time.Time{}, "until error.until.before", false},
		{"too long", []string{"time", "2026-09-20T20:45:00Z", "until", "2026-11-20T20:44:00Z"}, time.Time{}, time.Time{}, "until error.until.long", false},
		{"exact nonsense", []string{"time", "2026-11-20T25:45:00Z", "until", ""}, time.Time{}, time.Time{}, "time error.time.form", false},
		{"no zone", []string{"time", "2026-11-20T20:45", "until", ""}, time.Time{}, time.Time{}, "time error.time.zone", false},
		{"an end without a zone", []string{"time", "2026-11-20T20:45:00Z", "until", "2026-11-20T20:45:10"}, time.Time{}, time.Time{}, "until error.time.zone", false},
		{"no zone in the hour left out", []string{"time", "2026-03-29T02:30", "until", ""}, time.Time{}, time.Time{}, "time error.time.never", false},
		{"neither of the two", []string{"date", "2026-10-25", "time", "02:30", "fold", "third"}, time.Time{}, time.Time{}, "fold error.fold", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := readQuestion(form(c.changes...), noon, false)
			if c.wrong != "" {
				if len(q.Errors) != 1 || q.Errors[0].Field+" "+q.Errors[0].Key != c.wrong || q.AskWhichOne != c.whichOnce {
					t.Fatalf("got %v %v", q.Errors, q.AskWhichOne)
				}
				return
			}
			if len(q.Errors) > 0 || !q.From.Equal(c.from) || !q.To.Equal(c.to) {
				t.Fatalf("got %v to %v, %v", q.From.UTC(), q.To.UTC(), q.Errors)
			}
			// The page's own form, filled from the answer, asks the same again.
			f := formOf(q)
			again := readQuestion(form("date", f.Date, "time", f.Time, "until", f.Until, "fold", f.Fold), noon, false)
			if len(again.Errors) > 0 || !again.From.Equal(q.From) || again.To.Before(q.To) {
				t.Fatalf("the form filled again asks for %v to %v, %v", again.From.UTC(), again.To.UTC(), again.Errors)
			}
		})
	}
}

// What a time may have meant comes with the refusal: both moments of the hour
// that comes twice, none of the one that is left out.
func TestCandidates(t *testing.T) {
	for _, c := range []struct{ date, time, want string }{
		{"2026-10-25", "02:30", "2026-10-25T02:30:00+02:00 2026-10-25T02:30:00+01:00"},
		{"2026-10-25", "2:30:15", "2026-10-25T02:30:15+02:00 2026-10-25T02:30:15+01:00"},
		{"2027-03-28", "02:30", ""},
		{"", "2026-10-25T02:30", "2026-10-25T02:30:00+02:00 2026-10-25T02:30:00+01:00"},
		{"", "2026-11-20T20:45:10", "2026-11-20T20:45:10+01:00"},
		{"", "2026-11-20T20:45:00+25:00", ""},
	} {
		q := readQuestion(form("date", c.date, "time", c.time, "until", ""), noon, true)
		if len(q.Errors) != 1 {
			t.Errorf("%s %s: %v", c.date, c.time, q.Errors)
			continue
		}
		var got []string
		for _, m := range q.Errors[0].Candidates {
			got = append(got, m.Format(time.RFC3339))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s %s: %q, want %s", c.date, c.time, got, c.want)
		}
	}
}

func TestAskedFields(t *testing.T) {
	for want, changes := range map[string][]string{
		"":                      nil,
		"at error.at.missing":   {"at", " "},
		"at error.at.form":      {"at", "somewhere"},
		"radius error.radius":   {"radius", "49"},
		"case_kind error.kind":  {"case_kind", "gossip"},
		"case_ref error.ref":    {"case_ref", strings.Repeat("9", 101)},
		"offence error.offence": {"offence", ""},
		"reason error.reason":   {"reason", "boh"},
	} {
		q := readQuestion(form(changes...), noon, false)
		got := ""
		for _, e := range q.Errors {
			got += e.Field + " " + e.Key
		}
		if got != want {
			t.Errorf("%v: got %q, want %q", changes, got, want)
		}
	}
	if q := readQuestion(url.Values{}, noon, true); len(q.Errors) != 5 {
		t.Errorf("an empty form has five wrong fields, got %v", q.Errors)
	}
	if q := readQuestion(form("case_ref", ""), noon, false); len(q.Errors) > 0 {
		t.Errorf("a case without a number yet must be taken: %v", q.Errors)
	}
}

// FuzzTimes: whatever is typed as a time, what is taken is a window that can be
// searched, and each moment that is offered instead can be asked for as it is.
func FuzzTimes(f *testing.F) {
	for _, s := range [][4]string{{"2026-10-25", "02:30", "02:40", ""}, {"2026-10-25", "2.30", "", "second"}, {"2027-03-28", "02:30:15", "", "first"},
		{"", "2026-10-25T02:30", "2026-10-25T02:31:00Z", ""}, {"", "2026-11-20T20:45:00+25:00", "", ""}, {"0000-01-01", "0:00", "23:59", ""}, {"9999-12-31", "23:59", "0:00", ""}} {
		f.Add(s[0], s[1], s[2], s[3])
	}
	f.Fuzz(func(t *testing.T, date, from, until, fold string) {
		q := readQuestion(form("date", date, "time", from, "until", until, "fold", fold), noon, true)
		if len(q.Errors) == 0 && (q.To.Before(q.From) || q.From.After(noon) || q.To.Sub(q.From) > search.MaxWindow) {
			t.Errorf("taken: %v to %v", q.From, q.To)
		}
		for _, e := range q.Errors {
			for _, m := range e.Candidates {
				again := readQuestion(form("time", m.Format(time.RFC3339), "until", ""), m, true)
				if len(again.Errors) > 0 || !again.From.Equal(m) {
					t.Errorf("%q of %q is offered %v, and that is %v %v", from, date, m, again.From, again.Errors)
				}
			}
		}
	})
}
