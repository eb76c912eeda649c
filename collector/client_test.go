package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"anagrafe/collector/web"
)

// An officer's credential goes where they said, and nowhere that the answer
// says: a redirect on the same host could lead out of TLS.
func TestSearchFollowsNoRedirect(t *testing.T) {
	asked := []string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+" "+r.Header.Get("Authorization"))
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	b, err := json.Marshal(web.Credential{Server: server.URL, User: "u", Secret: "s"})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "rossi.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	var out, problem bytes.Buffer
	code := run(t.Context(), console{out: &out, err: &problem}, []string{"search", "-credential", file, "-at", "9.19,45.46",
		"-time", "2026-11-21T22:15:00Z", "-case", "event112:1", "-offence", "robbery", "-reason", "rapina in piazza"})
	if code != exitFailed || !strings.Contains(problem.String(), "307") {
		t.Errorf("exit %d: %s", code, problem.String())
	}
	if len(asked) != 1 || asked[0] != "/search Bearer s" {
		t.Errorf("asked: %q", asked)
	}
}
