package mail

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// gateway is an HTTP server that takes SMS.
type gateway struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	took   []map[string]any
	auth   []string
}

func newGateway(t *testing.T) *gateway {
	g := &gateway{status: http.StatusAccepted}
	g.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		var in map[string]any
		if err == nil {
			err = json.Unmarshal(raw, &in)
		}
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %q: %v", r.Method, raw, err)
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.took, g.auth = append(g.took, in), append(g.auth, r.Header.Get("Authorization"))
		if g.status == http.StatusFound {
			rw.Header().Set("Location", "/elsewhere")
		}
		rw.WriteHeader(g.status)
	}))
	t.Cleanup(g.Close)
	return g
}

// phones is a post whose register sends SMS, and its sender of them.
func phones(t *testing.T, g *gateway, change func(*SMSOptions)) (*post, *SMS) {
	t.Helper()
	p := newPost(t, "127.0.0.1:25", nil)
	o := SMSOptions{Registry: p.Registry, URL: g.URL + "/send", Token: "segreto", From: "Comune", PublicURL: "https://telecamere.example.it", Link: link, Log: p.Log, Now: p.Now}
	if change != nil {
		change(&o)
	}
	s, err := NewSMS(o)
	if err != nil {
		t.Fatal(err)
	}
	return p, s
}

// phone adds a site whose contact has no more than a number.
func (p *post) phone(number string) string {
	return p.declare(protocol.Contact{Name: "Anna Bianchi", Role: protocol.RoleOwner, Phone: number})
}

// A message to a phone goes to the gateway once, in the fields that it wants, says
// what all say, and is known as sent.
func TestSMS(t *testing.T) {
	g := newGateway(t)
	p, s := phones(t, g, func(o *SMSOptions) {
		o.User, o.Body = "comune", `{"recipient": ["{to}"], "message": "{text}", "sender": "{from}", "options": {"ref": "{id}", "{to}": 1}}`
	})
	p.phone("347 123 4567")
	for range 2 {
		if err := s.SendDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(g.took) != 1 {
		t.Fatalf("the gateway took %v", g.took)
	}
	got := g.took[0]
	text, _ := got["message"].(string)
	if to, ok := got["recipient"].([]any); !ok || len(to) != 1 || to[0] != "+393471234567" || got["sender"] != "Comune" || !strings.Contains(text, "c'è un messaggio, aprilo qui: "+link) {
		t.Errorf("%v", got)
	}
	if options, ok := got["options"].(map[string]any); !ok || len(options["ref"].(string)) != 36 || options["{to}"] != 1.0 {
		t.Errorf("%v", got["options"])
	}
	if g.auth[0] != "Basic Y29tdW5lOnNlZ3JldG8=" {
		t.Errorf("Authorization: %q", g.auth[0])
	}
	for _, secret := range []string{"Anna", "Bar", "polizia", "347"} {
		if strings.Contains(text, secret) {
			t.Errorf("the text says %q", secret)
		}
	}
	if strings.Contains(p.log.String(), "1234567") || strings.Contains(p.log.String(), "segreto") { // three digits stand in any time of day
		t.Error("the number or the token is in the log")
	}
	if p.waits(time.Hour) {
		t.Error("it would be sent again")
	}
}

// A link of its own, and what mail has, are not mixed up.
func TestSMSLink(t *testing.T) {
	g := newGateway(t)
	p, s := phones(t, g, nil)
	site := p.site("anna@example.it")
	if _, err := p.Registry.QueueLink(t.Context(), site, registry.ChannelSMS, "+39 347 1234567", "/confirm/abc", p.now); err != nil {
		t.Fatal(err)
	}
	if err := s.SendDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(g.took) != 1 || !strings.Contains(g.took[0]["text"].(string), "https://telecamere.example.it/confirm/abc") || g.auth[0] != "Bearer segreto" {
		t.Errorf("the gateway took %v with %v", g.took, g.auth)
	}
	if !p.waits(0) {
		t.Error("the mail was taken by the sender of SMS")
	}
}

// What a gateway answers: that a number does not exist marks the contact, where the
// configuration says by which status; all else is tried again, for two days.
func TestSMSRefused(t *testing.T) {
	for _, c := range []struct {
		status  int
		refused []int
		asked   int // of two messages
		marked  bool
		waits   bool
	}{
		{http.StatusNotFound, []int{404}, 2, true, false},
		{http.StatusNotFound, nil, 1, false, true},
		{http.StatusUnprocessableEntity, nil, 2, false, true},
		{http.StatusUnauthorized, []int{404}, 1, false, true},
		{http.StatusInternalServerError, []int{404}, 1, false, true},
		{http.StatusFound, nil, 1, false, true}, // not followed
	} {
		g := newGateway(t)
		g.status = c.status
		p, s := phones(t, g, func(o *SMSOptions) { o.Refused = c.refused })
		a, b := p.phone("347 1234567"), p.phone("348 1234567")
		err := s.SendDue(t.Context())
		if (err != nil) != (c.asked == 1) || err != nil && strings.Contains(err.Error(), "347") {
			t.Errorf("%d: %v", c.status, err)
		}
		if len(g.took) != c.asked {
			t.Errorf("%d: asked %d times", c.status, len(g.took))
		}
		if marks := append(p.doubted(a), p.doubted(b)...); !slices.Equal(marks, []bool{c.marked, c.marked}) {
			t.Errorf("%d: marked %v", c.status, marks)
		}
		if now, later := p.waits(0), p.waits(time.Hour); now != (c.asked == 1) || later != c.waits {
			t.Errorf("%d: what was not tried waits: %v, what was: %v", c.status, now, later)
		}
	}
}

// A gateway that says nothing is left when the collector ends, and the message waits.
func TestSMSHangs(t *testing.T) {
	asked, done := make(chan struct{}), make(chan struct{})
	g := newGateway(t)
	g.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { close(asked); <-done })
	p, s := phones(t, g, nil)
	defer close(done)
	p.phone("347 1234567")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-asked
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !p.waits(time.Hour) {
		t.Error("it does not wait")
	}
}

func TestSMSOptions(t *testing.T) {
	for name, change := range map[string]func(*SMSOptions){
		"in clear":      func(o *SMSOptions) { o.URL = "http://sms.example.it/" },
		"no address":    func(o *SMSOptions) { o.URL = "sms" },
		"a password":    func(o *SMSOptions) { o.URL = "https://a:b@sms.example.it/" },
		"not JSON":      func(o *SMSOptions) { o.Body = "to={to}" },
		"no text":       func(o *SMSOptions) { o.Body = `{"to":"{to}"}` },
		"half a login":  func(o *SMSOptions) { o.User, o.Token = "x", "" },
		"no link":       func(o *SMSOptions) { o.Link = "" },
		"a long link":   func(o *SMSOptions) { o.Link = "https://" + strings.Repeat("a", 120) },
		"no GSM letter": func(o *SMSOptions) { o.Link = "https://telecamere.example.it/ž" },
	} {
		o := SMSOptions{Registry: new(registry.Registry), URL: "https://sms.example.it/send", PublicURL: "https://t.example.it", Link: link, Log: newPost(t, "127.0.0.1:25", nil).Log}
		if _, err := NewSMS(o); err != nil {
			t.Fatal(err)
		}
		change(&o)
		if _, err := NewSMS(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// One message of 160 GSM characters, Italian first, English where it fits.
func TestSMSText(t *testing.T) {
	for n, english := range map[int]bool{20: true, 63: true, 64: false, 98: false} {
		text, err := smsText(strings.Repeat("x", n))
		if err != nil || strings.Contains(text, "There is") != english {
			t.Errorf("a link of %d: %q, %v", n, text, err)
		}
		if length, ok := gsmLength(text); !ok || length > 160 {
			t.Errorf("%d characters", length)
		}
	}
	if text, err := smsText(strings.Repeat("x", 99)); err == nil {
		t.Errorf("too long: %q", text)
	}
	for text, want := range map[string]int{"c'è": 3, "[]": 4, "€": 2, "": 0} {
		if n, ok := gsmLength(text); !ok || n != want {
			t.Errorf("%q: %d %v", text, n, ok)
		}
	}
	if _, ok := gsmLength("ž"); ok {
		t.Error("a letter that is not in the alphabet counts")
	}
}
