package interrogate

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover"
)

// webTo makes a web to a server of a few lines, with this password in memory.
func webTo(t *testing.T, server *httptest.Server, m *memory) *web {
	t.Helper()
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := discover.Sighting{Endpoint: "urn:uuid:5e471e15-0000-4000-8000-00000000fffe", Address: netip.MustParseAddrPort(base.Host)}
	w := newWeb(*base, subjectOf(t, s, m))
	t.Cleanup(func() { w.close(t.Context()) })
	return w
}

// subjectOf is a device with this password in memory.
func subjectOf(t *testing.T, s discover.Sighting, m *memory) subject {
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	return subject{s, m, &trust{memory: m, sighting: s, log: log}, make(chan struct{}, 1), log, time.Now, callTime}
}

func serveWeb(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func TestPasswordsAreNotSentReadable(t *testing.T) {
	asked := 0
	s := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
		if _, _, ok := r.BasicAuth(); ok {
			asked++
			return
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="r"`)
		w.WriteHeader(http.StatusUnauthorized)
	})
	w := webTo(t, s, &memory{given: Credential{User: "u", Password: "p"}})
	if _, err := w.get(t.Context(), "/", ""); err != nil || asked != 1 {
		t.Errorf("on this very machine: %v, %d requests with the password, want one", err, asked)
	}
	w = webTo(t, s, &memory{given: Credential{User: "u", Password: "p"}})
	w.auth.readable = func() bool { return false }
	if _, err := w.get(t.Context(), "/", ""); err == nil || asked != 1 || w.auth.lacks() != NeedsCredentials {
		t.Errorf("through the network: %v, %d requests with the password, needs %q", err, asked, w.auth.lacks())
	}
	w = webTo(t, s, &memory{given: Credential{User: "u", Password: "p"}})
	w.base.Host = "192.0.2.7"
	sent := false
	err := w.login(t.Context(), func(Credential) (bool, error) { sent = true; return true, nil })
	if err == nil || sent || !strings.Contains(err.Error(), "HTTPS") {
		t.Errorf("a login by message through the network: sent %v, error %v", sent, err)
	}
}

func TestLogin(t *testing.T) {
	m := &memory{given: Credential{User: "u", Password: "p"}}
	s := serveWeb(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	tries := 0
	refuse := func(Credential) (bool, error) { tries++; return false, nil }
	for range 3 { // and the program started anew
		w := webTo(t, s, m)
		if err := w.login(t.Context(), refuse); err == nil || w.auth.lacks() != NeedsWrongPassword {
			t.Errorf("a refused login: %v, needs %q", err, w.auth.lacks())
		}
	}
	if tries != 1 {
		t.Errorf("the wrong password went out %d times", tries)
	}
	w := webTo(t, s, &memory{given: Credential{User: "u", Password: "p"}})
	if err := w.login(t.Context(), func(Credential) (bool, error) { return false, errors.New("no answer") }); err == nil || w.auth.lacks() != NeedsNothing || w.auth.standing != paused {
		t.Errorf("a login that failed otherwise: %v, needs %q", err, w.auth.lacks())
	}
	w = webTo(t, s, &memory{given: Credential{User: "u", Password: "p"}})
	if err := w.login(t.Context(), func(Credential) (bool, error) { return true, nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := w.get(t.Context(), "/x", ""); !errors.Is(err, errForbidden) || w.auth.lacks() != NeedsNothing {
		t.Errorf("what the user may not read: %v, needs %q", err, w.auth.lacks())
	}
	if err := webTo(t, s, &memory{}).login(t.Context(), refuse); err == nil || tries != 1 {
		t.Error("a login without a password was sent")
	}
}

func TestSessionsAreClosedAlsoWhenTheLookHasEnded(t *testing.T) {
	var paths []string
	s := serveWeb(t, func(w http.ResponseWriter, r *http.Request) { paths = append(paths, r.Method+" "+r.RequestURI) })
	w := webTo(t, s, &memory{})
	ctx, cancel := context.WithCancel(t.Context())
	w.query.Set("sid", "a b")
	w.closing(func(ctx context.Context) { w.try(ctx, call{path: "/outer"}) })
	w.closing(func(ctx context.Context) { w.try(ctx, call{method: "DELETE", path: "/inner", query: "a=1"}) })
	cancel()
	w.close(ctx)
	if want := []string{"DELETE /inner?a=1&sid=a+b", "GET /outer?sid=a+b"}; !slices.Equal(paths, want) {
		t.Errorf("asked %q, want %q", paths, want)
	}
}

func TestALockedAccountIsLeftAlone(t *testing.T) {
	signed := 0
	s := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			w.Header().Set("WWW-Authenticate", `Digest realm="r", nonce="n", qop="auth"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		signed++
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `{"RmLock":1800}`)
	})
	m := &memory{given: Credential{User: "u", Password: "p"}}
	w := webTo(t, s, m)
	_, err := w.get(t.Context(), "/", "")
	if e, ok := errors.AsType[*statusError](err); !ok || e.status != 403 || !strings.Contains(string(e.body), "RmLock") {
		t.Errorf("the driver got %v", err)
	}
	if _, err := w.get(t.Context(), "/", ""); err == nil || signed != 1 {
		t.Errorf("asked again: %v, %d signed requests", err, signed)
	}
	onvif := newAuthenticator(w.subject, DoorONVIF, w.private)
	if onvif.yield(w.auth); !onvif.ended() {
		t.Error("the other door is tried all the same")
	}
	if len(m.refused) != 0 {
		t.Error("it was taken for a refusal of the password")
	}
}

func TestWebLimits(t *testing.T) {
	s := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/huge":
			w.Write(make([]byte, maxAnswer+1))
		case "/elsewhere":
			http.Redirect(w, r, "https://192.0.2.9/", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/cut":
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "short")
		}
	})
	w := webTo(t, s, &memory{})
	for path, want := range map[string]error{"/huge": errTooLong, "/elsewhere": errRedirect, "/loop": errRedirect, "/cut": errBroken} {
		if _, err := w.get(t.Context(), path, ""); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
	if _, err := w.try(t.Context(), call{path: "//192.0.2.9/x"}); err == nil {
		t.Error("a path led to another host")
	}
	s.Close()
	for range maxSilent {
		w.get(t.Context(), "/", "")
	}
	if _, err := w.get(t.Context(), "/", ""); !errors.Is(err, errSilent) {
		t.Errorf("a silent device is asked on: %v", err)
	}
}
