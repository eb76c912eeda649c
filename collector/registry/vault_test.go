package registry

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
)

func newTestVault(t testing.TB) *vault {
	t.Helper()
	return newVault(newMaster(t), make([]byte, leastKey))
}

// aKey makes a data key as it stands in the table.
func aKey(t testing.TB, v *vault, owner string) []byte {
	t.Helper()
	key := make([]byte, dataKeySize)
	rand.Read(key)
	wrapped, err := v.master.wrap(owner, key)
	if err != nil {
		t.Fatal(err)
	}
	return wrapped
}

func TestBox(t *testing.T) {
	v := newTestVault(t)
	open := func(owner string, wrapped []byte) *box {
		t.Helper()
		b, err := v.box(owner, wrapped)
		if err != nil || b == nil {
			t.Fatal(b, err)
		}
		return b
	}
	wrapped := aKey(t, v, "a")
	b := open("a", wrapped)
	plain := []byte("Via Torino 1")
	sealed, err := b.seal("sites.body", plain)
	if err != nil || bytes.Contains(sealed, plain[:4]) {
		t.Fatalf("%q, %v", sealed, err)
	}
	if got, err := b.open("sites.body", sealed); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("opened: %q, %v", got, err)
	}
	if again, err := b.seal("sites.body", plain); err != nil || bytes.Equal(again, sealed) {
		t.Errorf("sealed twice it is the same: %v", err)
	}
	if empty, err := b.seal("x", nil); err != nil {
		t.Error(err)
	} else if got, err := b.open("x", empty); err != nil || len(got) != 0 {
		t.Errorf("nothing, opened: %q, %v", got, err)
	}

	damaged := bytes.Clone(sealed)
	damaged[len(damaged)-1] ^= 1
	other := open("b", aKey(t, v, "b"))
	for what, try := range map[string]func() ([]byte, error){
		"at another place":  func() ([]byte, error) { return b.open("contacts.body/0", sealed) },
		"damaged":           func() ([]byte, error) { return b.open("sites.body", damaged) },
		"cut short":         func() ([]byte, error) { return b.open("sites.body", sealed[:5]) },
		"with another key":  func() ([]byte, error) { return other.open("sites.body", sealed) },
		"with no key":       func() ([]byte, error) { return (*box)(nil).open("sites.body", sealed) },
		"with a moved key":  func() ([]byte, error) { _, err := v.box("b", wrapped); return nil, err },
		"as another's text": func() ([]byte, error) { return (&box{"b", b.aead}).open("sites.body", sealed) },
	} {
		if got, err := try(); err == nil {
			t.Errorf("%s it opens: %q", what, got)
		}
	}
	if _, err := (*box)(nil).open("x", sealed); !errors.Is(err, errDestroyed) {
		t.Error(err)
	}
	if b, err := v.box("a", zeros[:]); b != nil || err != nil {
		t.Errorf("a destroyed key gives %v, %v", b, err)
	}
}

func TestPlaces(t *testing.T) {
	if got := placeOf("versions.body", "camera", "id", int64(3)); got != "versions.body/camera/id/3" {
		t.Error(got)
	}
}

// The keys that are kept open are bounded, and each is unwrapped once.
func TestVaultKeepsFew(t *testing.T) {
	v := newTestVault(t)
	first := aKey(t, v, "first")
	one, err := v.box("first", first)
	if err != nil {
		t.Fatal(err)
	}
	if two, err := v.box("first", first); err != nil || one != two {
		t.Errorf("a key was unwrapped twice: %v", err)
	}
	for i := range maxOpened + 10 {
		owner := fmt.Sprint(i)
		if _, err := v.box(owner, aKey(t, v, owner)); err != nil {
			t.Fatal(err)
		}
	}
	if len(v.opened) != maxOpened {
		t.Errorf("%d keys are kept, at most %d meant", len(v.opened), maxOpened)
	}
	v.forget(first)
	if v.opened[string(first)] != nil {
		t.Error("a forgotten key is kept")
	}
}

func BenchmarkBox(b *testing.B) {
	v := newTestVault(b)
	wrapped := aKey(b, v, "a")
	opened, err := v.box("a", wrapped)
	if err != nil {
		b.Fatal(err)
	}
	place := placeOf("versions.body", "camera", "a", int64(1))
	plain := make([]byte, 700)
	sealed, err := opened.seal(place, plain)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("seal", func(b *testing.B) {
		for b.Loop() {
			if _, err := opened.seal(place, plain); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			if _, err := opened.open(place, sealed); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("unwrap", func(b *testing.B) {
		for b.Loop() {
			v.forget(wrapped)
			if _, err := v.box("a", wrapped); err != nil {
				b.Fatal(err)
			}
		}
	})
}
