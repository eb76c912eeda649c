package interrogate

import (
	"context"
	"crypto/rand"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/icholy/digest"

	"anagrafe/agent/discover"
	"anagrafe/agent/discover/cameratest"
)

// signed counts the requests that carried credentials.
func signed(d *cameratest.Device) (n int) {
	for _, r := range d.Requests() {
		if r.Scheme != "" {
			n++
		}
	}
	return n
}

func TestSchemes(t *testing.T) {
	for name, c := range map[string]struct {
		auth   cameratest.Auth
		scheme string
	}{
		"token only":  {cameratest.AuthToken, "token"},
		"digest only": {cameratest.AuthDigest, "digest"},
		"both":        {cameratest.AuthBoth, "digest"},
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t, loadWritten(t, "fintovista-dome"), cameratest.Options{
				Auth: c.auth, User: "utente", Password: `<&"è`, ClockOffset: -3*3600e9 + 300e9, TokenSkew: 5e9,
			})
			m := &memory{given: Credential{User: "utente", Password: `<&"è`}}
			got := asker(t, m).Ask(t.Context(), sighted(d))
			if got.Model != "D21" || len(got.Channels) != 1 || got.Needs != NeedsNothing || len(got.Errors) > 0 {
				t.Errorf("read as %+v", got)
			}
			refusals, first := 0, true
			for _, r := range d.Requests() {
				if r.Scheme != "" {
					first = false
					if r.Scheme != c.scheme || r.Refused {
						t.Errorf("%s carried %q, refused: %v; want %q", r.Operation, r.Scheme, r.Refused, c.scheme)
					}
				} else if r.Refused {
					refusals++
				} else if !first && r.Operation != "GetSystemDateAndTime" {
					t.Errorf("%s carried no credentials, although it is known that they are wanted", r.Operation)
				}
			}
			if refusals != 1 {
				t.Errorf("%d anonymous questions were refused, want the one that showed the scheme", refusals)
			}
			onlyReads(t, d)
		})
	}
}

func TestWithoutCredentials(t *testing.T) {
	d := start(t, loadWritten(t, "fintovista-dome"), cameratest.Options{Auth: cameratest.AuthDigest, User: "u", Password: "p"})
	got := asker(t, &memory{}).Ask(t.Context(), sighted(d))
	if got.Needs != NeedsCredentials || !got.Answered || got.Clock == nil || signed(d) != 0 {
		t.Errorf("needs %q, answered %v, clock %v, %d requests with credentials", got.Needs, got.Answered, got.Clock, signed(d))
	}
	asked := 0
	for _, r := range d.Requests() {
		if r.Operation != "GetSystemDateAndTime" && r.Method != http.MethodGet {
			asked++
		}
	}
	if asked > 2 {
		t.Errorf("it was asked %d times although it had refused", asked)
	}
}

// TestOneWrongPassword: after a single wrong attempt nothing more is tried, now
// or at the next scan, until the owner gives another password.
func TestOneWrongPassword(t *testing.T) {
	for name, c := range map[string]struct {
		auth  cameratest.Auth
		needs Needs
	}{
		"token":  {cameratest.AuthToken, NeedsWrongPassword},
		"digest": {cameratest.AuthDigest, NeedsWrongPassword},
		"both":   {cameratest.AuthBoth, NeedsWrongPassword},
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t, loadWritten(t, "fintovista-dome"), cameratest.Options{Auth: c.auth, User: "utente", Password: "giusta",
				Quirks: cameratest.Quirks{LockoutAfter: 2, WrongTokenRefusesAll: true}})
			m := &memory{given: Credential{User: "utente", Password: "sbagliata"}}
			got := asker(t, m).Ask(t.Context(), sighted(d))
			if got.Needs != c.needs || signed(d) != 1 || d.WrongAttempts() != 1 {
				t.Errorf("needs %q, %d requests with credentials, %d wrong; want %q after exactly one", got.Needs, signed(d), d.WrongAttempts(), c.needs)
			}
			if text := fmt.Sprint(got.Errors); !strings.Contains(text, "1 attempt(s)") {
				t.Errorf("the attempts left are not passed on: %s", text)
			}

			// Another Asker with the same memory is the program started again.
			got = asker(t, m).Ask(t.Context(), sighted(d))
			if got.Needs != NeedsWrongPassword || signed(d) != 1 {
				t.Errorf("asked again: needs %q, %d requests with credentials", got.Needs, signed(d))
			}

			m.given.Password = "giusta"
			got = asker(t, m).Ask(t.Context(), sighted(d))
			if got.Needs != NeedsNothing || got.Model != "D21" {
				t.Errorf("with the right password: needs %q, model %q", got.Needs, got.Model)
			}
		})
	}
}

// TestRefusesEvenTheTime is the recorded camera that refuses all questions.
// As its clock cannot be read, the password may be right and the time wrong.
func TestRefusesEvenTheTime(t *testing.T) {
	c := loadRecorded(t, filepath.Join(sharedOnvif(t), "AXIS_P5655-E_wrong-credentials"))
	d := start(t, c, cameratest.Options{})
	m := &memory{given: Credential{User: "utente", Password: "parola"}}
	for range 2 {
		got := asker(t, m).Ask(t.Context(), sighted(d))
		if signed(d) != 1 || got.Needs != NeedsPasswordOrClock || !got.Answered || got.Clock != nil {
			t.Errorf("needs %q, answered %v, clock %v, %d requests with credentials", got.Needs, got.Answered, got.Clock, signed(d))
		}
	}
	if m.refused[d.Options().Endpoint] != m.given {
		t.Error("the refusal was not remembered")
	}
}

// brokenMemory cannot say what was refused.
type brokenMemory struct{ *memory }

func (brokenMemory) Refused(context.Context, discover.Sighting, Credential, Door) (bool, error) {
	return false, errors.New("the disk is full")
}

func TestNoMemoryNoAttempt(t *testing.T) {
	d := start(t, loadWritten(t, "fintovista-dome"), cameratest.Options{Auth: cameratest.AuthToken, User: "u", Password: "p"})
	m := brokenMemory{&memory{given: Credential{User: "u", Password: "p"}}}
	if got := asker(t, m).Ask(t.Context(), sighted(d)); signed(d) != 0 || len(got.Errors) == 0 {
		t.Errorf("%d requests with credentials, problems %v", signed(d), got.Errors)
	}
}

// soapServer is a device of a few lines, for what cameratest's do not do.
func soapServer(t *testing.T, answer http.HandlerFunc) discover.Sighting {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return discover.Sighting{Endpoint: "urn:uuid:" + t.Name(), Address: netip.MustParseAddrPort(s.Listener.Addr().String())}
}

func envelopeWith(body string) string {
	return `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema"><s:Body>` + body + `</s:Body></s:Envelope>`
}

func operationOf(r *http.Request) (operation, user string) {
	var e struct {
		User string `xml:"Header>Security>UsernameToken>Username"`
		Body struct {
			Any struct{ XMLName xml.Name } `xml:",any"`
		}
	}
	b, _ := io.ReadAll(r.Body)
	_ = xml.Unmarshal(b, &e)
	return e.Body.Any.XMLName.Local, e.User
}

// TestNonceOnce: a device that takes every nonce only once, and does not say
// that a used one is stale, is read to the end.
func TestNonceOnce(t *testing.T) {
	var mu sync.Mutex
	nonce, wrong := rand.Text(), 0
	s := soapServer(t, func(w http.ResponseWriter, r *http.Request) {
		op, _ := operationOf(r)
		mu.Lock()
		defer mu.Unlock()
		chal := &digest.Challenge{Realm: "x", Nonce: nonce, Algorithm: "SHA-256", QOP: []string{"auth"}}
		if op != "GetSystemDateAndTime" {
			got, err := digest.ParseCredentials(r.Header.Get("Authorization"))
			if err != nil || got.Nonce != nonce {
				w.Header().Add("WWW-Authenticate", chal.String())
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			want, err := digest.Digest(chal, digest.Options{Method: r.Method, URI: r.RequestURI, Username: "u", Password: "p", Cnonce: got.Cnonce, Count: got.Nc})
			nonce = rand.Text()
			if err != nil || want.Response != got.Response {
				wrong++
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
		}
		io.WriteString(w, envelopeWith("<tds:"+op+"Response><tds:Model>once</tds:Model></tds:"+op+"Response>"))
	})
	got := asker(t, &memory{given: Credential{User: "u", Password: "p"}}).Ask(t.Context(), s)
	if got.Model != "once" || got.Needs != NeedsNothing || wrong != 0 || len(got.Errors) != 1 { // the time
		t.Errorf("read as %+v, %d wrong answers to challenges", got, wrong)
	}
}

// TestDateAsClock: of a device that wants credentials even for the time, and
// holds them to its wrong clock, that clock is known by the date of its refusal.
func TestDateAsClock(t *testing.T) {
	shown := func() time.Time { return time.Now().Add(-11 * time.Minute) }
	s := soapServer(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		var e struct {
			Created time.Time `xml:"Header>Security>UsernameToken>Created"`
			Body    struct {
				Any struct{ XMLName xml.Name } `xml:",any"`
			}
		}
		_ = xml.Unmarshal(b, &e)
		w.Header().Set("Date", shown().UTC().Format(http.TimeFormat))
		if e.Created.Sub(shown()).Abs() > 5*time.Second {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		op := e.Body.Any.XMLName.Local
		io.WriteString(w, envelopeWith("<tds:"+op+"Response><tds:Model>M</tds:Model></tds:"+op+"Response>"))
	})
	if got := asker(t, &memory{given: Credential{User: "u", Password: "p"}}).Ask(t.Context(), s); got.Model != "M" || got.Needs != NeedsNothing {
		t.Errorf("needs %q, read as %+v", got.Needs, got)
	}
}

// TestTwoRowsOneWrongPassword: of two questions that a device refuses at the
// same time only one is tried with the password.
func TestTwoRowsOneWrongPassword(t *testing.T) {
	var mu sync.Mutex
	var signed []string
	var refused atomic.Int32
	both := make(chan struct{})
	s := soapServer(t, func(w http.ResponseWriter, r *http.Request) {
		op, user := operationOf(r)
		wanted := op == "GetNetworkInterfaces" || op == "GetServices"
		switch {
		case user != "":
			mu.Lock()
			signed = append(signed, op)
			mu.Unlock()
		case !wanted:
			io.WriteString(w, envelopeWith("<tds:"+op+"Response><tds:Model>M</tds:Model></tds:"+op+"Response>"))
			return
		default:
			if refused.Add(1) == 2 {
				close(both)
			}
			select {
			case <-both:
			case <-r.Context().Done():
			}
		}
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, envelopeWith(`<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode></s:Code></s:Fault>`))
	})
	m := &memory{given: Credential{User: "u", Password: "wrong"}}
	got := asker(t, m).Ask(t.Context(), s)
	mu.Lock()
	defer mu.Unlock()
	if len(signed) != 1 || len(m.refused) != 1 || got.Model != "M" {
		t.Errorf("with the password were asked: %v; remembered: %v; read as %+v", signed, m.refused, got)
	}
}

// TestForbiddenIsNoWrongPassword: a user who may read little is not locked out
// and not taken for one with a wrong password; two refusals in a row end it.
func TestForbiddenIsNoWrongPassword(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	s := soapServer(t, func(w http.ResponseWriter, r *http.Request) {
		op, user := operationOf(r)
		mu.Lock()
		defer mu.Unlock()
		if user != "" {
			asked = append(asked, op)
		}
		if user == "" || op == "GetNetworkInterfaces" || op == "GetServices" || op == "GetCapabilities" {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, envelopeWith(`<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode></s:Code><s:Reason><s:Text>Sender not Authorized</s:Text></s:Reason></s:Fault>`))
			return
		}
		io.WriteString(w, envelopeWith("<tds:"+op+"Response/>"))
	})
	m := &memory{given: Credential{User: "u", Password: "p"}}
	got := asker(t, m).Ask(t.Context(), s)
	if len(m.refused) > 0 || got.Needs != NeedsNothing {
		t.Errorf("refused %v, needs %q", m.refused, got.Needs)
	}
	// Two questions are under way at a time, so a third may have left already.
	if n := len(asked); n < 3 || n > 6 || slices.Contains(asked, "GetProfiles") {
		t.Errorf("asked with credentials: %v; want an end after two refusals in a row", asked)
	}
}

func TestNeverBasic(t *testing.T) {
	s := soapServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("credentials were sent")
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="camera"`)
		w.WriteHeader(http.StatusUnauthorized)
	})
	got := asker(t, &memory{given: Credential{User: "u", Password: "p"}}).Ask(t.Context(), s)
	if got.Needs != NeedsCredentials || len(got.Errors) == 0 || !strings.Contains(got.Errors[0].Why, "readable") {
		t.Errorf("needs %q, problems %v", got.Needs, got.Errors)
	}
}

// TestEchoedSecretsAreRemoved: what a device repeats of user, password and
// digest reaches neither the report nor the log.
func TestEchoedSecretsAreRemoved(t *testing.T) {
	const password = "SENTINEL-segreta"
	s := soapServer(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		token := ""
		if _, after, ok := strings.Cut(string(b), "PasswordDigest\">"); ok {
			token, _, _ = strings.Cut(after, "<")
		}
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, envelopeWith(`<s:Fault><s:Code><s:Value>ter:NotAuthorized</s:Value></s:Code><s:Reason><s:Text>user utente-7 password `+password+` digest [`+token+`] not authorized</s:Text></s:Reason></s:Fault>`))
	})
	got := asker(t, &memory{given: Credential{User: "utente-7", Password: password}}).Ask(t.Context(), s)
	text := fmt.Sprintf("%+v", got)
	if strings.Contains(text, password) || strings.Contains(text, "utente-7") || !strings.Contains(text, "[removed]") || !strings.Contains(text, "digest [[removed]]") {
		t.Errorf("the report holds what the device echoed: %s", text)
	}
}
