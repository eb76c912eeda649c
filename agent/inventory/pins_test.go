package inventory

import (
	"bytes"
	"crypto/sha256"
	"net/netip"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/interrogate"
)

// known is a device of which only its endpoint or its address is seen.
func known(key string) discover.Sighting {
	if address, err := netip.ParseAddrPort(key); err == nil {
		return discover.Sighting{Address: address}
	}
	return discover.Sighting{Endpoint: key}
}

func TestPins(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir)
	first, other := sha256.Sum256([]byte("first")), sha256.Sum256([]byte("other"))
	d := cameraDevice(0)
	endpoint, address := d.Sighting.Endpoint, d.Sighting.Address.String()
	pinned := func(what, device string, want []byte) {
		t.Helper()
		got, ok, err := v.Pinned(t.Context(), known(device))
		if err != nil || ok != (want != nil) || !bytes.Equal(got, want) {
			t.Errorf("%s: %x, %t, %v; want %x", what, got, ok, err, want)
		}
	}
	pin := func(device string, sum [32]byte) error { return v.Pin(t.Context(), known(device), sum[:]) }

	pinned("never seen", endpoint, nil)
	if err := pin(address, first); err != nil { // found by its address alone
		t.Fatal(err)
	}
	pinned("at first use", address, first[:])
	pinned("another device", cameraDevice(1).Sighting.Endpoint, nil)
	byAddress := d
	byAddress.Sighting.Endpoint = ""
	record(t, v, noon, byAddress)
	record(t, v, noon, d)
	pinned("by its endpoint", endpoint, first[:])
	moved := at(d, "10.0.0.7:443")
	record(t, v, noon.Add(time.Hour), moved)
	pinned("at another address", "10.0.0.7:443", first[:])
	pinned("another device at the old address", address, nil)

	v.Close()
	v = open(t, dir)
	pinned("after a restart", endpoint, first[:])
	if err := pin(endpoint, first); err != nil {
		t.Errorf("the same again: %v", err)
	}
	for _, key := range []string{endpoint, "10.0.0.7:443"} {
		if err := pin(key, other); err == nil || !strings.Contains(err.Error(), "type its password again") {
			t.Errorf("another certificate for %s: %v", key, err)
		}
	}
	pinned("after an attempt to replace it", endpoint, first[:])
	if err := pin(cameraDevice(1).Sighting.Endpoint, [32]byte{}); err != nil {
		t.Fatal(err)
	}
	if err := v.Pin(t.Context(), known("192.168.7.77:443"), []byte("short")); err == nil {
		t.Error("what is no SHA-256 was kept")
	}

	// The owner typing the password again is the word that it is the same device.
	if err := v.SetCredential(t.Context(), deviceIDs(t, v)[0], interrogate.Credential{User: "u", Password: "p"}); err != nil {
		t.Fatal(err)
	}
	pinned("after the owner's word", endpoint, nil)
	if err := pin(endpoint, other); err != nil {
		t.Fatal(err)
	}
	pinned("the new one", "10.0.0.7:443", other[:])
	if got, ok, err := v.Pinned(t.Context(), known(cameraDevice(1).Sighting.Endpoint)); err != nil || !ok || !bytes.Equal(got, make([]byte, 32)) {
		t.Errorf("the other device's: %x %t %v", got, ok, err)
	}
}

// A host that copies a device's serial number and MAC cannot have its own
// certificate taken for the device's; and one that merely gets its address is
// not held to the device's certificate.
func TestPinsOfOthers(t *testing.T) {
	v := open(t, t.TempDir())
	first, other := sha256.Sum256([]byte("first")), sha256.Sum256([]byte("other"))
	d := cameraDevice(0)
	record(t, v, noon, d)
	if err := v.Pin(t.Context(), d.Sighting, first[:]); err != nil {
		t.Fatal(err)
	}
	copied := at(d, "192.168.7.99:443")
	copied.Sighting.Endpoint = "urn:uuid:77777777-7777-4777-8777-777777777777"
	if err := v.Pin(t.Context(), copied.Sighting, other[:]); err != nil {
		t.Fatal(err)
	}
	record(t, v, noon.Add(time.Hour), copied)
	if got, ok, err := v.Pinned(t.Context(), copied.Sighting); err != nil || !ok || !bytes.Equal(got, first[:]) {
		t.Errorf("the copy is held to %x, %t, %v; want the certificate shown first", got, ok, err)
	}

	w := open(t, t.TempDir())
	record(t, w, noon, d)
	if err := w.Pin(t.Context(), discover.Sighting{Address: d.Sighting.Address}, first[:]); err != nil {
		t.Fatal(err)
	}
	heir := at(cameraDevice(1), d.Sighting.Address.String())
	record(t, w, noon.Add(time.Hour), heir)
	if got, ok, err := w.Pinned(t.Context(), heir.Sighting); err != nil || ok {
		t.Errorf("the next holder of the address is held to %x, %v", got, err)
	}
}
