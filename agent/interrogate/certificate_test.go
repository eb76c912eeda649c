package interrogate

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"anagrafe/agent/discover"
	"anagrafe/agent/discover/cameratest"
)

func httpsCamera(t *testing.T) (*cameratest.Device, discover.Sighting) {
	d := start(t, loadWritten(t, "fintovista-dome"), cameratest.Options{HTTPS: true, Auth: cameratest.AuthToken, User: "u", Password: "p"})
	s := sighted(d)
	s.XAddrs = []string{"https://" + d.Address().String() + "/onvif/device_service"}
	return d, s
}

// TestCertificateIsPinned: the first certificate is kept; of a device that later
// shows another one nothing is asked, and no password is sent to it.
func TestCertificateIsPinned(t *testing.T) {
	d, s := httpsCamera(t)
	m := &memory{given: Credential{User: "u", Password: "p"}}
	if got := asker(t, m).Ask(t.Context(), s); got.Model != "D21" || len(got.Errors) > 0 {
		t.Fatalf("read as %+v", got)
	}
	sum := sha256.Sum256(d.Certificate())
	if !bytes.Equal(m.pins[s.Key()], sum[:]) {
		t.Fatalf("pinned %x, want %x", m.pins[s.Key()], sum)
	}
	before := len(d.Requests())
	if got := asker(t, m).Ask(t.Context(), s); got.Model != "D21" || len(got.Errors) > 0 {
		t.Fatalf("asked again, read as %+v", got)
	}
	if err := d.ChangeCertificate(); err != nil {
		t.Fatal(err)
	}
	again := len(d.Requests())
	got := asker(t, m).Ask(t.Context(), s)
	if len(d.Requests()) != again || before == again {
		t.Errorf("%d questions were put to a device with another certificate", len(d.Requests())-again)
	}
	if got.Needs != NeedsCertificate || got.Answered || len(got.Errors) != 1 || got.Errors[0] != (Problem{"certificate", errCertificate.Error()}) {
		t.Errorf("needs %q, answered %v, problems %v", got.Needs, got.Answered, got.Errors)
	}
	if !bytes.Equal(m.pins[s.Key()], sum[:]) {
		t.Error("the new certificate took the old one's place by itself")
	}
	delete(m.pins, s.Key()) // the owner accepts it
	if got := asker(t, m).Ask(t.Context(), s); got.Model != "D21" || len(got.Errors) > 0 {
		t.Errorf("accepted, and read as %+v", got)
	}
}

// TestUnpinnedNoPassword: where the certificate cannot be remembered, what needs
// a password is not read.
func TestUnpinnedNoPassword(t *testing.T) {
	d, s := httpsCamera(t)
	got := asker(t, &memory{given: Credential{User: "u", Password: "p"}, pinning: errors.New("the disk is full")}).Ask(t.Context(), s)
	if signed(d) != 0 || got.Clock == nil || !slices.ContainsFunc(got.Errors, func(p Problem) bool { return strings.Contains(p.Why, "no password was sent") }) {
		t.Errorf("%d requests with credentials, clock %v, problems %v", signed(d), got.Clock, got.Errors)
	}
}

// TestFollowsToTLS: a redirect from HTTP to HTTPS on the same host is followed
// once, and then all is asked there.
func TestFollowsToTLS(t *testing.T) {
	d, _ := httpsCamera(t)
	hops := 0
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hops++
		http.Redirect(w, r, "https://"+d.Address().String()+r.URL.Path, http.StatusMovedPermanently)
	}))
	t.Cleanup(plain.Close)
	m := &memory{given: Credential{User: "u", Password: "p"}}
	s := discover.Sighting{Address: netip.MustParseAddrPort(plain.Listener.Addr().String())}
	got := asker(t, m).Ask(t.Context(), s)
	if got.Model != "D21" || hops != 1 || len(got.Errors) > 0 {
		t.Errorf("after %d redirects read as %+v", hops, got)
	}
	if m.pins[s.Key()] == nil {
		t.Error("its certificate was not pinned")
	}
}

// TestPinnedIsNotAskedReadable: who announces himself under the name of a device
// that spoke TLS, and speaks plain HTTP, gets no password.
func TestPinnedIsNotAskedReadable(t *testing.T) {
	d := start(t, loadWritten(t, "fintovista-dome"), cameratest.Options{Auth: cameratest.AuthToken, User: "u", Password: "p"})
	s := sighted(d)
	m := &memory{given: Credential{User: "u", Password: "p"}, pins: map[string][]byte{s.Key(): bytes.Repeat([]byte{1}, sha256.Size)}}
	got := asker(t, m).Ask(t.Context(), s)
	for _, r := range d.Requests() {
		if r.Scheme != "" {
			t.Errorf("%s was signed by %s", r.Operation, r.Scheme)
		}
	}
	if len(got.Errors) == 0 {
		t.Error("nobody is told why it was not read")
	}
}
