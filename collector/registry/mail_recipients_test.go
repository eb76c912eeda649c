package registry

import (
	"errors"
	"slices"
	"testing"
	"time"

	"anagrafe/protocol"
)

func TestMobilePhone(t *testing.T) {
	for typed, want := range map[string]string{
		"347 123 4567": "+393471234567", "+39 347 1234567": "+393471234567", "0039-347.1234567": "+393471234567", "320 12345": "",
		"02 1234567": "", "+39 02 1234567": "", "112": "", "": "", "anna@example.it": "", "+41 79 123 45 67": "+41791234567", "+4112": "",
		"347 123 4567 8 9": "",
	} {
		if got := MobilePhone(typed); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

// reached declares one contact for each way.
func reachedByAll() protocol.Declaration {
	d := mailed("anna@example.it")
	c := d.Contacts[0]
	c.PEC, c.Phone = "anna@pec.example.it", "347 1234567"
	pec, phone, desk := c, c, c
	pec.Email, phone.Email, phone.PEC, desk.Email, desk.PEC, desk.Phone = "", "", "", "", "", "02 1234567"
	d.Contacts = []protocol.Contact{c, pec, phone, desk}
	return d
}

// A contact is told by e-mail, else by PEC, else by SMS where they are sent; each
// channel's sender takes its own.
func TestWays(t *testing.T) {
	for sms, want := range map[bool][]string{
		false: {"email anna@example.it", "pec anna@pec.example.it"},
		true:  {"email anna@example.it", "pec anna@pec.example.it", "sms 347 1234567"},
	} {
		l := newLetters(t)
		if sms {
			l.r.sms = true
		}
		s := enrol(t, l.r, noon)
		s.say(noon, reachedByAll())
		l.queue(s)
		var got []string
		for _, c := range []Channel{ChannelEmail, ChannelPEC, ChannelSMS} {
			due, err := l.r.DueMail(t.Context(), l.now, 10, c)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range due {
				got = append(got, string(m.Channel)+" "+m.Address)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("SMS %v: %q, want %q", sms, got, want)
		}
		if len(l.due()) > 0 {
			t.Error("taken twice")
		}
	}
}

// A mobile number that a gateway refuses is marked as an address is.
func TestPhoneBounces(t *testing.T) {
	l := newLetters(t)
	l.r.sms = true
	s := enrol(t, l.r, noon)
	s.say(noon, reachedByAll())
	l.queue(s)
	for _, m := range l.due() {
		l.failed(m, m.Channel == ChannelSMS)
	}
	if marks := l.marks(s); !slices.Equal(marks, []bool{false, false, true, false}) {
		t.Errorf("marked: %v", marks)
	}
}

// A link is a message of its own: it neither waits for the one that all others are,
// nor stands for it, says where it leads once, and one address gets few in a day.
func TestQueueLink(t *testing.T) {
	l := newLetters(t)
	s := l.site("anna@example.it")
	l.queue(s)
	for _, path := range []string{"/a", "/b"} {
		if _, err := l.r.QueueLink(t.Context(), s.site, ChannelEmail, "Anna@example.it", path, l.now); err != nil {
			t.Fatal(err)
		}
	}
	paths := func() (all []string) {
		for _, m := range l.due() {
			all = append(all, m.Path)
			l.sent(m)
		}
		slices.Sort(all)
		return all
	}
	if got := paths(); !slices.Equal(got, []string{"", "/a", "/b"}) {
		t.Errorf("sent %q", got)
	}
	var err error
	n := 2
	for ; err == nil && n < 100; n++ {
		_, err = l.r.QueueLink(t.Context(), s.site, ChannelEmail, "anna@example.it", "/c", l.now)
	}
	if !errors.Is(err, ErrTooMuchMail) || n-1 != mailADay {
		t.Errorf("%d links in a day, %v", n-1, err)
	}
	if _, err := l.r.QueueLink(t.Context(), s.site, ChannelEmail, "anna@example.it", "/d", l.now.Add(24*time.Hour)); err != nil {
		t.Error(err)
	}
	if _, err := l.r.QueueLink(t.Context(), id(77), ChannelEmail, "anna@example.it", "/e", l.now); err == nil {
		t.Error("queued for an owner without a key")
	}
}

// An alert by SMS names nothing: it is the message that all others are.
func TestAlertBySMS(t *testing.T) {
	w := newWatched(t)
	w.r.sms = true
	d := wishing("")
	d.Contacts[0].Email, d.Contacts[0].Phone, d.Contacts[0].Alerts = "", "347 1234567", true
	w.say(w.at(), d)
	w.tells(true, 500, 0)
	if done := w.run(); done.Mail != 1 {
		t.Errorf("%+v", done)
	}
	due, err := w.r.DueMail(t.Context(), w.at().Add(time.Minute), 100)
	if err != nil || len(due) != 1 || due[0].Channel != ChannelSMS || due[0].News != nil {
		t.Errorf("%+v, %v", due, err)
	}
	if ok, err := w.r.SetAlerts(t.Context(), w.site, "347 1234567", false); err != nil || !ok {
		t.Error(ok, err)
	}
	if all, err := w.r.AlertReaders(t.Context(), w.site); err != nil || len(all) != 1 || all[0] != (AlertReader{ChannelSMS, "347 1234567", false}) {
		t.Errorf("%+v, %v", all, err)
	}
}
