package audit

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/trail"
)

// Whoever may reach the listener takes hashes and nothing else; who hands
// something in must be a witness.
func TestAWitnessNeedsNoCredential(t *testing.T) {
	m := newRoom(t)
	m.consult(3)
	for path, want := range map[string]int{"": http.StatusUnprocessableEntity, "?old=x": http.StatusUnprocessableEntity, "?old=-1": http.StatusUnprocessableEntity,
		"?old=4": http.StatusConflict, "?old=0": http.StatusOK, "?old=2": http.StatusOK, "?old=3": http.StatusOK} {
		rw := m.get(m.handler, WitnessPath+path, "")
		if rw.Code != want {
			t.Errorf("%q: %d %s", path, rw.Code, rw.Body)
		}
		for _, secret := range []string{"Questura", "search", "officer", "112"} {
			if want == http.StatusOK && strings.Contains(rw.Body.String(), secret) {
				t.Errorf("%q tells %q", path, secret)
			}
		}
	}
	private, _, err := trail.NewWitnessKey("procura.example.it")
	if err != nil {
		t.Fatal(err)
	}
	older, err := m.trail.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := trail.Cosign(m.get(m.handler, WitnessPath+"?old=3", "").Body.Bytes(), m.trail.VerifierKey(), older, private, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		body []byte
		want int
	}{"nothing": {nil, http.StatusForbidden}, "nobody": {older, http.StatusForbidden}, "stranger": {stranger.Checkpoint, http.StatusForbidden},
		"huge": {make([]byte, maxCosigned+1), http.StatusRequestEntityTooLarge}} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "http://127.0.0.1:8082"+WitnessPath, bytes.NewReader(c.body))
		rw := httptest.NewRecorder()
		if m.handler.ServeHTTP(rw, r); rw.Code != c.want {
			t.Errorf("%s: %d %s", name, rw.Code, rw.Body)
		}
	}
}
