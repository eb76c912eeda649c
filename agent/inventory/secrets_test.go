package inventory

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/interrogate"
)

var _ interrogate.Memory = (*Inventory)(nil)

const password = "Sentinella-7x9!parola"

func TestPasswordsAreNotInTheFile(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir)
	d := cameraDevice(0)
	record(t, v, noon, d)
	cred := interrogate.Credential{User: "sentinella-utente", Password: password}
	if err := v.SetCredential(t.Context(), deviceIDs(t, v)[0], cred); err != nil {
		t.Fatal(err)
	}
	if err := v.Refuse(t.Context(), d.Sighting, interrogate.Credential{User: "sentinella-utente", Password: password + "2"}, interrogate.EveryDoor); err != nil {
		t.Fatal(err)
	}
	got, ok, err := v.Credential(t.Context(), d.Sighting)
	if cred.For = d.Sighting.Address.Addr(); err != nil || !ok || got != cred {
		t.Fatalf("got %v, %t, %v", got, ok, err)
	}
	for _, when := range []string{"open", "closed"} {
		if b := files(t, dir); bytes.Contains(b, []byte(password)) || bytes.Contains(b, []byte(cred.User)) {
			t.Errorf("%s: the password or its user is in the file", when)
		} else if !bytes.Contains(b, []byte(d.Serial)) {
			t.Fatal("the search finds nothing at all")
		}
		v.Close()
	}
	// Another installation's key opens nothing.
	v = open(t, dir)
	v.secrets, err = newSecrets(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	if got, ok, err := v.Credential(t.Context(), d.Sighting); err == nil || ok || got != (interrogate.Credential{}) {
		t.Errorf("opened by a foreign key: %v, %t, %v", got, ok, err)
	}
}

func TestWhoIsToldAPassword(t *testing.T) {
	v := open(t, t.TempDir())
	d := cameraDevice(0)
	record(t, v, noon, d, cameraDevice(1))
	if err := v.SetCredential(t.Context(), deviceIDs(t, v)[0], interrogate.Credential{User: "u", Password: password}); err != nil {
		t.Fatal(err)
	}
	moved := at(d, "10.0.0.1:80").Sighting
	noReference := d.Sighting
	noReference.Endpoint = ""
	stranger := d.Sighting
	stranger.Endpoint = "urn:uuid:99999999-e0ae-504f-829b-000000000009"
	for name, tc := range map[string]struct {
		ok bool
		s  interrogate.Device
	}{
		"the device":                 {true, d},
		"at a new address":           {true, interrogate.Device{Sighting: moved}},
		"without its reference":      {true, interrogate.Device{Sighting: noReference}},
		"a stranger at its address":  {false, interrogate.Device{Sighting: stranger}},
		"another device of the site": {false, cameraDevice(1)},
	} {
		if _, ok, err := v.Credential(t.Context(), tc.s.Sighting); ok != tc.ok || err != nil {
			t.Errorf("%s: told %t (%v)", name, ok, err)
		}
	}
	if err := v.SetCredential(t.Context(), "no-such", interrogate.Credential{}); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v", err)
	}
}

func TestRefusedPasswordsOutliveTheProgram(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir)
	d := cameraDevice(0)
	record(t, v, noon, d)
	wrong := interrogate.Credential{User: "u", Password: password}
	for range 2 {
		if err := v.Refuse(t.Context(), d.Sighting, wrong, interrogate.EveryDoor); err != nil {
			t.Fatal(err)
		}
	}
	v.Close()
	v = open(t, dir)
	moved := at(d, "10.0.0.1:80").Sighting
	for _, tc := range []struct {
		device discover.Sighting
		c      interrogate.Credential
		want   bool
	}{
		{d.Sighting, wrong, true},
		{moved, wrong, true},
		{cameraDevice(1).Sighting, wrong, false},
		{d.Sighting, interrogate.Credential{User: "u", Password: password + "x"}, false},
		{d.Sighting, interrogate.Credential{User: "u" + password[:1], Password: password[1:]}, false},
	} {
		if got, err := v.Refused(t.Context(), tc.device, tc.c, interrogate.EveryDoor); got != tc.want || err != nil {
			t.Errorf("%+v: %t, %v", tc, got, err)
		}
	}
	// The owner types it again: one more try.
	if err := v.SetCredential(t.Context(), deviceIDs(t, v)[0], wrong); err != nil {
		t.Fatal(err)
	}
	if got, err := v.Refused(t.Context(), d.Sighting, wrong, interrogate.EveryDoor); got || err != nil {
		t.Errorf("still refused: %v", err)
	}
}

// A device that was known by its address, then by its endpoint, then at another
// address, is not asked again with a password that it refused at first.
func TestRefusalsFollowTheDevice(t *testing.T) {
	v := open(t, t.TempDir())
	wrong := interrogate.Credential{User: "u", Password: password}
	whole := cameraDevice(0)
	first := whole
	first.Sighting.Endpoint = ""
	record(t, v, noon, first)
	if err := v.Refuse(t.Context(), first.Sighting, wrong, interrogate.EveryDoor); err != nil {
		t.Fatal(err)
	}
	last := at(whole, "10.0.0.1:80")
	again := last
	again.Sighting.Endpoint = ""
	for i, d := range []interrogate.Device{first, whole, last, again} {
		if is, err := v.Refused(t.Context(), d.Sighting, wrong, interrogate.EveryDoor); !is || err != nil {
			t.Errorf("look %d: refused %t, %v", i, is, err)
		}
		record(t, v, noon.Add(time.Duration(i+1)*time.Hour), d)
	}
	if n := len(deviceIDs(t, v)); n != 1 {
		t.Errorf("%d devices: the test wants one", n)
	}
}

func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir)
	d := cameraDevice(0)
	record(t, v, noon, d)
	if err := v.SetCredential(t.Context(), deviceIDs(t, v)[0], interrogate.Credential{User: "u", Password: password}); err != nil {
		t.Fatal(err)
	}
	v.Close()
	key := filepath.Join(dir, "secrets.key")
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v: %v", info.Mode(), err)
	}
	if err := os.WriteFile(key, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, v.log); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged key: %v", err)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	v = open(t, dir)
	if _, ok, err := v.Credential(t.Context(), d.Sighting); ok || err != nil {
		t.Errorf("without its key the password is %t, %v", ok, err)
	}
	if all := cameras(t, v); len(all) != 1 || all[0].Device.HasPassword {
		t.Errorf("%+v", all)
	}
}

// TestAnImpostorGetsNoReadablePassword: a host that copies a device's endpoint
// reference and speaks TLS of its own is not told the password that the owner typed
// for another address.
func TestAnImpostorGetsNoReadablePassword(t *testing.T) {
	v := open(t, t.TempDir())
	d := cameraDevice(1)
	record(t, v, noon, d)
	if err := v.SetCredential(t.Context(), deviceIDs(t, v)[0], interrogate.Credential{User: "utente", Password: "giusta"}); err != nil {
		t.Fatal(err)
	}
	var asked, told atomic.Int64
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if asked.Add(1); strings.Contains(string(body), "giusta") {
			told.Add(1)
		}
		if r.URL.Query().Get("cmd") == "GetDevInfo" { // as a Reolink refuses it
			io.WriteString(w, `[{"cmd":"GetDevInfo","code":1,"error":{"rspCode":-6}}]`)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(s.Close)
	look := func() interrogate.Device {
		at := netip.MustParseAddrPort(strings.TrimPrefix(s.URL, "https://"))
		return asker(t, v, slog.New(slog.DiscardHandler)).Ask(t.Context(), discover.Sighting{Endpoint: d.Sighting.Endpoint, Address: at, XAddrs: []string{s.URL + "/onvif/device_service"}, Vendor: "Reolink"})
	}
	for range 2 {
		got := look()
		if told.Load() != 0 || asked.Load() == 0 || got.Family != interrogate.Reolink || got.Needs != interrogate.NeedsCertificate {
			t.Errorf("of %d requests %d told the password; family %q, needs %q", asked.Load(), told.Load(), got.Family, got.Needs)
		}
		record(t, v, noon, got) // it may now be taken for the device that was moved
	}
	// The owner's word that it is the same.
	if err := v.SetCredential(t.Context(), deviceIDs(t, v)[0], interrogate.Credential{User: "utente", Password: "giusta"}); err != nil {
		t.Fatal(err)
	}
	if look(); told.Load() != 1 {
		t.Errorf("after that the password was told %d times", told.Load())
	}
}
