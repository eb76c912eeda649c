package registry

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

// watched is a site of whose recorder a contact wishes to be told.
type watched struct {
	*sender
	hour int // since noon
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	r := openNew(t)
	w := &watched{sender: enrol(t, r, noon)}
	r.now = func() time.Time { return w.at() }
	w.say(noon, wishing("anna@example.it"))
	return w
}

// wishing is a declaration whose contacts wish to be told.
func wishing(addresses ...string) protocol.Declaration {
	d := mailed(addresses...)
	for i := range d.Contacts {
		d.Contacts[i].Alerts = true
	}
	d.Cameras[0].Retention.Age = 7 * 24 * time.Hour
	return d
}

func (w *watched) at() time.Time { return noon.Add(time.Duration(w.hour) * time.Hour) }

// tells is a look of the agent: whether it reached the recorder, by how many
// seconds its clock is wrong, and how many hours its full store reaches back; 0:
// it was not read.
func (w *watched) tells(reached bool, seconds, depth int) {
	w.t.Helper()
	at := w.at()
	o := protocol.Observation{Recorders: []protocol.RecorderObservation{{RecorderID: id(recorderNumber), At: at, Reachable: reached}}}
	if reached {
		o.Recorders[0].Clock = &protocol.Clock{OffsetMs: int64(seconds) * 1000, UncertaintyMs: 100, Method: "onvif", At: at}
	}
	if depth > 0 {
		oldest := at.Add(-time.Duration(depth) * time.Hour)
		o.Cameras = []protocol.CameraObservation{{CameraID: id(1), At: at, OldestFootage: oldest, Retention: &protocol.Retention{
			Kind: protocol.RetentionCapacity, OldestFootage: oldest, ObservedAt: at, Settled: true, Fact: protocol.Fact{Source: protocol.Measured, At: at}}}}
	}
	w.say(at, o)
}

func (w *watched) run() Alerted {
	w.t.Helper()
	done, err := w.r.Alert(w.t.Context(), w.at(), noon.AddDate(-1, 0, 0))
	if err != nil {
		w.t.Fatal(err)
	}
	return done
}

// post takes what is due, as "ADDRESS: SITE: CHANGE, CHANGE".
func (w *watched) post() (all []string) {
	w.t.Helper()
	due, err := w.r.DueMail(w.t.Context(), w.at().Add(time.Minute), 100)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range due {
		if m.News == nil {
			all = append(all, m.Address)
		} else {
			all = append(all, m.Address+": "+m.News.Site+": "+changeWords(m.News.Changes))
		}
		if err := w.r.MailSent(w.t.Context(), m, w.at().Add(time.Minute)); err != nil {
			w.t.Fatal(err)
		}
	}
	slices.Sort(all)
	return all
}

func changeWords(changes []AlertChange) string {
	var words []string
	for _, c := range changes {
		word := string(c.Alert) + " " + c.Name
		if c.Right {
			word = "right " + word
		} else if c.Alert == protocol.AlertClock {
			word += fmt.Sprint(" ", c.OffsetMs/1000)
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

// Days of a site's recorder, a run each hour: one message a change, and one when
// it is right again.
func TestAlerts(t *testing.T) {
	// daily has the agent look each day of so many, from a day on.
	daily := func(looks map[int]func(*watched), from, to int, f func(w *watched, day int)) map[int]func(*watched) {
		for day := from; day < to; day++ {
			looks[day*24] = func(w *watched) { f(w, day) }
		}
		return looks
	}
	well := func(w *watched, _ int) { w.tells(true, 2, 0) }
	none := map[int]func(*watched){}
	for name, c := range map[string]struct {
		looks map[int]func(*watched)
		days  int
		want  []string // "HOUR CHANGES"
	}{
		"all is well": {daily(none, 0, 12, well), 12, nil},
		"a recorder that is off for a night": {daily(map[int]func(*watched){30: func(w *watched) { w.tells(false, 0, 0) },
			40: func(w *watched) { w.tells(true, 0, 0) }}, 0, 5, well), 5, nil},
		"a recorder that is gone, and back": {daily(daily(daily(map[int]func(*watched){}, 0, 2, well), 2, 6, func(w *watched, _ int) { w.tells(false, 0, 0) }), 6, 9, well), 9,
			[]string{"72 silent NVR", "144 right silent NVR"}},
		"a clock an hour ahead, and mended": {daily(daily(map[int]func(*watched){}, 0, 3, func(w *watched, _ int) { w.tells(true, 3480, 0) }), 3, 6, well), 6,
			[]string{"0 clock NVR 3480", "72 right clock NVR"}},
		"a clock near the limit": {daily(map[int]func(*watched){}, 0, 9, func(w *watched, day int) { w.tells(true, []int{70, 55, 65, 45, 61, 25, 40, 59, 20}[day], 0) }), 9,
			[]string{"0 clock NVR 70", "120 right clock NVR"}},
		"a loose cable: again a day later only": {daily(map[int]func(*watched){}, 0, 5, func(w *watched, day int) { w.tells(true, []int{90, 0, 90, 90, 90}[day], 0) }), 5,
			[]string{"0 clock NVR 90", "24 right clock NVR", "48 clock NVR 90"}},
		"a loose cable within the day": {map[int]func(*watched){0: func(w *watched) { w.tells(true, 90, 0) }, 24: func(w *watched) { w.tells(true, 0, 0) },
			30: func(w *watched) { w.tells(true, 90, 0) }}, 3, []string{"0 clock NVR 90", "24 right clock NVR", "48 clock NVR 90"}},
		"a third less: told once, not as right when the week is over": {daily(map[int]func(*watched){}, 0, 14, func(w *watched, day int) {
			w.tells(true, 0, []int{300, 300, 190, 190, 190, 190, 190, 190, 190, 190, 190, 190, 290, 290}[day])
		}), 14, []string{"72 shorter one", "288 right shorter one"}},
		"a full store that stands still": {daily(map[int]func(*watched){}, 0, 6, func(w *watched, day int) { w.tells(true, 0, []int{168, 168, 192, 216, 168, 168}[day]) }), 6,
			[]string{"72 stopped one", "96 right stopped one"}},
		"less than was declared": {daily(map[int]func(*watched){}, 0, 12, func(w *watched, day int) { w.tells(true, 0, 100) }), 12,
			[]string{"0 shorter one"}},
		"a shop that is closed for a long weekend": {daily(daily(map[int]func(*watched){}, 0, 2, well), 8, 10, well), 10, nil},
		"an agent that says nothing": {daily(daily(map[int]func(*watched){}, 0, 2, well), 20, 22, well), 22,
			[]string{"193 unheard ", "480 right unheard "}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatched(t)
			var got []string
			for w.hour = 0; w.hour < c.days*24; w.hour++ {
				if f := c.looks[w.hour]; f != nil {
					f(w)
				}
				if w.hour%6 != 0 && w.hour != 193 {
					continue
				}
				if w.run(); w.run().Mail != 0 {
					t.Errorf("hour %d: a second run tells it again", w.hour)
				}
				for _, m := range w.post() {
					news, ok := strings.CutPrefix(m, "anna@example.it: Farmacia Centrale: ")
					if !ok {
						t.Errorf("sent: %s", m)
					}
					got = append(got, fmt.Sprint(w.hour, " ", news))
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("told %q, want %q", got, c.want)
			}
		})
	}
}

// The last word holds: whoever says it.
func TestWhoIsTold(t *testing.T) {
	w := newWatched(t)
	wrong := func() []string { // something new is wrong
		t.Helper()
		w.hour += 48
		w.tells(true, 0, 0)
		w.run()
		w.post()
		w.hour += 48
		w.tells(true, 500, 0)
		w.run()
		var to []string
		for _, m := range w.post() {
			to = append(to, strings.SplitN(m, ":", 2)[0])
		}
		return to
	}
	want := func(what string, addresses ...string) {
		t.Helper()
		if got := wrong(); !slices.Equal(got, addresses) {
			t.Errorf("%s: told %q, want %q", what, got, addresses)
		}
	}
	say := func(d protocol.Declaration) { w.say(w.at(), d) }
	set := func(address string, on, ok bool) {
		t.Helper()
		if got, err := w.r.SetAlerts(t.Context(), w.site, address, on); err != nil || got != ok {
			t.Errorf("%v %v", got, err)
		}
	}
	want("by the tick", "anna@example.it")
	set("ANNA@example.it", false, true)
	want("ended by the owner")
	d := wishing("anna@example.it")
	d.Contacts[0].Hours = "sempre"
	say(d)
	want("a declaration that repeats its tick")
	d.Contacts[0].Alerts = false
	say(d)
	d.Contacts[0].Alerts = true
	say(d)
	want("ticked anew", "anna@example.it")
	d.Contacts[0].Alerts = false
	say(d)
	want("un-ticked")
	set("anna@example.it", true, true)
	set("other@example.it", true, false)
	want("by the owner alone", "anna@example.it")
	if all, err := w.r.AlertReaders(t.Context(), w.site); err != nil || len(all) != 1 || all[0] != (AlertReader{ChannelEmail, "anna@example.it", true}) {
		t.Errorf("%+v %v", all, err)
	}

	say(wishing("anna@example.it", "bruna@example.it"))
	want("two contacts", "anna@example.it", "bruna@example.it")

	d = wishing("anna@example.it", "ugo@example.it")
	d.Contacts[1].Name = "Ugo"
	say(d)
	w.run()
	w.post() // Ugo is asked whether he is a contact
	want("one who was named by somebody else and did not accept", "anna@example.it")

	if err := w.r.Act(t.Context(), w.site, protocol.SiteSuspended, w.at()); err != nil {
		t.Fatal(err)
	}
	want("suspended")
	if err := w.r.Act(t.Context(), w.site, protocol.SiteWithdrawn, w.at()); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := w.r.view(t.Context(), func(tx *tx) error {
		return tx.QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM alert_readers) + (SELECT count(*) FROM alerts)").Scan(&left)
	}); err != nil || left != 0 {
		t.Errorf("after the withdrawal %d rows are left, %v", left, err)
	}
}

// A reader ends the alerts with the link of the message, and with no other.
func TestEndAlerts(t *testing.T) {
	w := newWatched(t)
	w.tells(true, 500, 0)
	w.run()
	due, err := w.r.DueMail(t.Context(), w.at().Add(time.Minute), 100)
	if err != nil || len(due) != 1 || due[0].End == "" || due[0].Token != "" {
		t.Fatalf("%+v %v", due, err)
	}
	for token, known := range map[string]bool{due[0].End: true, due[0].End + "x": false, "": false} {
		if site, ok, err := w.r.AlertSite(t.Context(), token); err != nil || ok != known || ok && site != w.site {
			t.Errorf("%q: %q %v %v", token, site, ok, err)
		}
	}
	for range 2 {
		if err := w.r.EndAlerts(t.Context(), due[0].End); err != nil {
			t.Fatal(err)
		}
	}
	w.hour += 48
	w.tells(true, 0, 0)
	if done := w.run(); done.Mail != 0 {
		t.Errorf("told after it was ended: %+v", done)
	}
}

// An alert neither waits for the message that all others are, nor is its
// repetition, nor keeps it back.
func TestAlertBesideOtherMail(t *testing.T) {
	w := newWatched(t)
	w.tells(true, 500, 0)
	w.run()
	if _, err := w.r.WriteTo(t.Context(), []string{w.site}, "Chiamateci.", w.at()); err != nil {
		t.Fatal(err)
	}
	if got := w.post(); !slices.Equal(got, []string{"anna@example.it", "anna@example.it: Farmacia Centrale: clock NVR 500"}) {
		t.Errorf("sent %q", got)
	}
	var kept int
	if err := w.r.view(t.Context(), func(tx *tx) error {
		return tx.QueryRowContext(t.Context(), "SELECT count(*) FROM mail_queue WHERE body IS NOT NULL OR address IS NOT NULL").Scan(&kept)
	}); err != nil || kept != 0 {
		t.Errorf("of what was sent %d keep what they said, %v", kept, err)
	}
}

// What was not sent when the contacts changed goes to those there are now.
func TestAlertFollowsTheContacts(t *testing.T) {
	w := newWatched(t)
	w.tells(true, 500, 0)
	w.run()
	w.say(w.at(), wishing("bruna@example.it"))
	if got := w.post(); len(got) > 0 {
		t.Errorf("sent %q", got)
	}
	w.run()
	if got := w.post(); !slices.Equal(got, []string{"bruna@example.it: Farmacia Centrale: clock NVR 500"}) {
		t.Errorf("sent %q", got)
	}
}

// A collector that was away does not take its own silence for its agents'.
func TestAlertAfterTheCollectorWasAway(t *testing.T) {
	w := newWatched(t)
	w.hour = 30 * 24
	for since, want := range map[time.Duration]int{time.Hour: 0, comeBack: 1} {
		done, err := w.r.Alert(t.Context(), w.at(), w.at().Add(-since))
		if err != nil || done.Wrong[protocol.AlertUnheard] != want {
			t.Errorf("%v after it is back: %+v %v, want %d", since, done, err, want)
		}
	}
}

// No run tells more sites than it may; the next one goes on.
func TestAlertsAreBounded(t *testing.T) {
	w := newWatched(t)
	for range alertMost + 3 {
		s := enrol(t, w.r, noon)
		s.say(noon, wishing("anna@example.it"))
	}
	w.hour = 30 * 24
	for _, want := range []int{alertMost, 4, 0} {
		if done := w.run(); done.Mail != want || done.Wrong[protocol.AlertUnheard] != want {
			t.Errorf("%+v, want %d", done, want)
		}
	}
}
