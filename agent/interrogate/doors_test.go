package interrogate

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"anagrafe/agent/discover"
)

// challenged asks for Digest, and leaves what comes with it to answer.
func challenged(answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if r.Header.Get("Authorization") != "" {
			answer(w, r)
			return
		}
		w.Header().Set("Server", "App-webs/")
		w.Header().Set("WWW-Authenticate", `Digest realm="r", nonce="n", qop="auth"`)
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// TestNoClearRefusal: a device that has no clear word for a wrong password gets it
// twice over all its doors, within one look or two, and then never again, whatever
// the number of visits and of starts of the program.
func TestNoClearRefusal(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"hangs up":           func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"its page to log in": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login.html", http.StatusFound) },
		"an error of its own": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
		},
		"no time": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
	} {
		t.Run(name, func(t *testing.T) {
			var signed atomic.Int64
			s := namedServer(t, challenged(func(w http.ResponseWriter, r *http.Request) {
				signed.Add(1)
				answer(w, r)
			}))
			m := &memory{given: Credential{User: "utente", Password: "sbagliata"}}
			for range 24 {
				asker(t, m).Ask(t.Context(), s)
			}
			if n := signed.Load(); n > maxDoubts {
				t.Errorf("the password went out %d times, want %d at most", n, maxDoubts)
			}
		})
	}
}

// TestAPasswordIsNotSentAnewByTheTransport: one question is one request, also when
// a device hangs up on a connection that was used before.
func TestAPasswordIsNotSentAnewByTheTransport(t *testing.T) {
	var signed atomic.Int64
	s := serveWeb(t, challenged(func(http.ResponseWriter, *http.Request) {
		signed.Add(1)
		panic(http.ErrAbortHandler)
	}))
	w := webTo(t, s, &memory{given: Credential{User: "utente", Password: "sbagliata"}})
	if _, err := w.get(t.Context(), "/", ""); !errors.Is(err, errBroken) || signed.Load() != 1 {
		t.Errorf("%v after %d requests with the password, want one", err, signed.Load())
	}
}

// TestAnEndedLookIsNoRefusal: that the owner ended a scan, or that its time was
// over, while the device was about to answer says nothing of the password.
func TestAnEndedLookIsNoRefusal(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var signed atomic.Int64
	s := serveWeb(t, challenged(func(_ http.ResponseWriter, r *http.Request) {
		signed.Add(1)
		cancel()
		<-r.Context().Done()
	}))
	m := &memory{given: Credential{User: "utente", Password: "giusta"}}
	w := webTo(t, s, m)
	for range 16 { // after the end a free turn is taken or not, by chance
		_, _ = w.get(ctx, "/", "")
	}
	if len(m.refused) != 0 || signed.Load() != 1 || w.auth.standing != paused {
		t.Errorf("refused %v, %d requests with the password, standing %v", m.refused, signed.Load(), w.auth.standing)
	}
}

// TestAcceptedThoughTooLong: who answers with success has let the user in, also
// where the answer cannot be used.
func TestAcceptedThoughTooLong(t *testing.T) {
	s := serveWeb(t, challenged(func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, maxAnswer+1)) }))
	m := &memory{given: Credential{User: "utente", Password: "giusta"}}
	w := webTo(t, s, m)
	for range maxDoubts {
		if _, err := w.get(t.Context(), "/", ""); !errors.Is(err, errTooLong) {
			t.Errorf("%v, want that it is too long", err)
		}
	}
	if len(m.refused) != 0 || !w.auth.works() {
		t.Errorf("refused %v, works %v", m.refused, w.auth.works())
	}
}

// TestSessionsAreClosedAlsoWhenItFellSilent: questions without an answer end the
// reading, and not the session.
func TestSessionsAreClosedAlsoWhenItFellSilent(t *testing.T) {
	out := 0
	s := serveWeb(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/logout" {
			panic(http.ErrAbortHandler)
		}
		out++
	})
	w := webTo(t, s, &memory{})
	w.closing(func(ctx context.Context) { _, _ = w.try(ctx, call{path: "/logout"}) })
	for range maxSilent {
		_, _ = w.do(t.Context(), call{method: http.MethodPost, path: "/"})
	}
	if _, err := w.get(t.Context(), "/", ""); !errors.Is(err, errSilent) {
		t.Fatalf("it has not fallen silent: %v", err)
	}
	if w.close(t.Context()); out != 1 {
		t.Errorf("%d logouts", out)
	}
}

// TestLoginOverTLSBesidePlainONVIF: a family that logs in first of all does so with
// the certificate that the device showed when it was recognised, which is pinned
// before the password is sent; at each look, not at the first alone.
func TestLoginOverTLSBesidePlainONVIF(t *testing.T) {
	for _, f := range []family{reolinkFamily, unifiFamily} {
		t.Run(string(f.name), func(t *testing.T) {
			passwords := 0
			s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err == nil && strings.Contains(string(body), "giusta") {
					passwords++
				}
				switch cmd := r.URL.Query().Get("cmd"); {
				case r.URL.Path == unifiSystem:
					io.WriteString(w, `{"hardware":{"shortname":"UNVR"},"deviceState":"ready"}`)
				case cmd == "GetDevInfo":
					io.WriteString(w, `[{"cmd":"GetDevInfo","code":1,"error":{"rspCode":-6,"detail":"please login first"}}]`)
				case cmd == "Login":
					io.WriteString(w, `[{"cmd":"Login","code":0,"value":{"Token":{"name":"t0k3n"}}}]`)
				case r.URL.Path == unifiLogin:
					w.Header().Set("Set-Cookie", "TOKEN=t0k3n")
				default:
					w.WriteHeader(http.StatusNotFound)
				}
			}))
			t.Cleanup(s.Close)
			door, err := url.Parse(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			m := &memory{given: Credential{User: "utente", Password: "giusta"}, pinning: errors.New("the disk is full")}
			look := func() {
				// Sighted at another port, over plain HTTP.
				sighting := discover.Sighting{Endpoint: "urn:uuid:5e471e15-0000-4000-8000-00000000f0aa", Address: netip.MustParseAddrPort("127.0.0.1:1")}
				a := asker(t, m)
				q := &questioning{conversation: newConversation(a.subject(sighting), a.envelopes), device: Device{Sighting: sighting}}
				q.trust.recall(t.Context())
				c := &candidate{family: f}
				if q.try(t.Context(), c, *door); c.found != known {
					t.Fatal("it was not recognised")
				}
				q.own(t.Context(), c)
			}
			if look(); passwords != 0 {
				t.Error("the password was sent though the certificate could not be remembered")
			}
			m.pinning = nil
			for n := 1; n <= 3; n++ {
				if look(); passwords != n {
					t.Errorf("look %d: %d logins", n, passwords)
				}
			}
		})
	}
}

// TestLoginRefusedByStatus: 401 to a login is a refusal, whatever stands in it.
func TestLoginRefusedByStatus(t *testing.T) {
	for name, login := range map[Family]func(context.Context, *web) error{
		Reolink: reolinkLogin,
		Synology: func(ctx context.Context, w *web) error {
			return synoLogin(ctx, w, synoAPIs{synoAuth: {Path: "entry.cgi"}})
		},
	} {
		sent := 0
		s := serveWeb(t, func(w http.ResponseWriter, _ *http.Request) {
			sent++
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, "<html>no</html>")
		})
		m := &memory{given: Credential{User: "utente", Password: "sbagliata"}}
		for range 3 {
			if err := login(t.Context(), webTo(t, s, m)); err == nil {
				t.Errorf("%s: it was let in", name)
			}
		}
		if sent != 1 {
			t.Errorf("%s: the password went out %d times", name, sent)
		}
	}
}

// TestUniviewLetInWithAnOddStatus: answers with 599 that are good show that the
// password is right, also when the device then hangs up.
func TestUniviewLetInWithAnOddStatus(t *testing.T) {
	var answers atomic.Int64 // hung-up connections have handlers side by side
	s := serveWeb(t, challenged(func(w http.ResponseWriter, _ *http.Request) {
		if answers.Add(1) > 2 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(lapiStatus)
		io.WriteString(w, `{"Response":{"ResponseURL":"/LAPI/V1.0/x","ResponseCode":0,"StatusCode":0,"Data":{"DeviceModel":"NVR"}}}`)
	}))
	m := &memory{given: Credential{User: "utente", Password: "giusta"}}
	w := webTo(t, s, m)
	if _, err := (uniview{}).read(t.Context(), w); err != nil || !w.auth.works() || len(m.refused) != 0 {
		t.Errorf("%v, works %v, refused %v", err, w.auth.works(), m.refused)
	}
}
