package inventory

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"anagrafe/protocol"
)

// access is what the owner is shown of their sites.
func access(t *testing.T, v *Inventory) []OwnerAccess {
	t.Helper()
	all, err := v.OwnerAccess(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// acknowledge gives the next message a signed receipt, with a code or none.
func acknowledge(t *testing.T, v *Inventory, link string, code protocol.Code) {
	t.Helper()
	id, _, raw, ok, err := v.Next(t.Context(), "")
	if err != nil || !ok {
		t.Fatal("nothing waits", err)
	}
	r := receipt(id, raw)
	r.Note, r.OwnerLink, r.OwnerCode = "note of "+id, link, code
	if err := v.Acknowledge(t.Context(), r, "h3"); err != nil {
		t.Fatal(err)
	}
}

// The receipt stays with its message, the newest link and code with the site,
// across a restart, and until the withdrawal is recorded.
func TestReceiptAndOwnerAccess(t *testing.T) {
	v, _ := declared(t, 1) // by a collector of before
	dir := filepath.Dir(path(t, v))
	if all := access(t, v); len(all) > 0 || outbox(t, v)[0].Receipt != "" {
		t.Fatalf("%+v", all)
	}
	first, newest := protocol.NewCode(), protocol.NewCode()
	const link = "https://telecamere.example/site"
	id := cameras(t, v)[0].ID
	for i, code := range []protocol.Code{first, newest, {}} {
		lat, lon := 45.4+float64(i)/1000, 9.19
		if err := v.Set(t.Context(), id, Edit{Lat: &lat, Lon: &lon}); err != nil {
			t.Fatal(err)
		}
		approve(t, v, id)
		acknowledge(t, v, link, code)
	}
	want := OwnerAccess{siteA, access(t, v)[0].SiteName, link, newest, false}
	if all := access(t, v); len(all) != 1 || all[0] != want {
		t.Fatalf("link %q, the newest code %t", all[0].Link, all[0].Code == newest)
	}
	if sent := outbox(t, v)[1]; sent.Receipt != "note of "+sent.ID {
		t.Errorf("receipt %q", sent.Receipt)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if b, err := os.ReadFile(name); err == nil && strings.Contains(string(b), newest.String()) {
			t.Errorf("the code stands in %s", filepath.Base(name))
		}
	}
	if err := v.WithdrawSite(t.Context(), siteA, protocol.Approval{}); err != nil {
		t.Fatal(err)
	}
	v, want.Leaving = open(t, powerCut(t, dir)), true
	if all := access(t, v); len(all) != 1 || all[0] != want {
		t.Error("a withdrawal that waits takes the code away, which takes the site out without this computer")
	}
	acknowledge(t, v, "", protocol.Code{})
	if all := access(t, v); len(all) != 0 {
		t.Error("a site that is out of the register still has a code")
	}
}

// Without its key the code is forgotten, and nothing else fails; the next receipt
// brings it again.
func TestOwnerCodeWithoutItsKey(t *testing.T) {
	v, found := declared(t, 1)
	dir := filepath.Dir(path(t, v))
	again := func() {
		t.Helper()
		lat, lon := 45.4, 9.1
		if err := v.Set(t.Context(), found[0].ID, Edit{Lat: &lat, Lon: &lon}); err != nil {
			t.Fatal(err)
		}
		approve(t, v, found[0].ID)
		acknowledge(t, v, "https://telecamere.example/site", protocol.NewCode())
		if len(access(t, v)) != 1 {
			t.Fatal("the receipt's code is not kept")
		}
	}
	again()
	key := filepath.Join(dir, "secrets.key")
	for _, lose := range []func() error{
		func() error { return os.Remove(key) },
		func() error { return os.WriteFile(key, []byte(strings.Repeat("ab", 32)), 0o600) },
	} {
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
		if err := lose(); err != nil {
			t.Fatal(err)
		}
		v = open(t, dir)
		if all := access(t, v); len(all) != 0 {
			t.Error("a code opens with another key")
		}
		again()
	}
}
