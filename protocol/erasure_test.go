package protocol

import (
	"crypto/rand"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
)

func TestErasureCertificate(t *testing.T) {
	secret, public, err := note.GenerateKey(rand.Reader, "telecamere.example")
	if err != nil {
		t.Fatal(err)
	}
	_, other, err := note.GenerateKey(rand.Reader, "telecamere.example")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	c := ErasureCertificate{SiteID: "00000000-0000-4000-8000-000000000001", At: at, Erased: map[string]int64{"cameras": 2},
		Keys: map[string]int64{"site": 1}, BackupsUntil: at.AddDate(0, 0, 30)}
	signed, err := SignErasure(c, signer)
	if err != nil {
		t.Fatal(err)
	}
	got, err := OpenErasure(signed, public)
	if err != nil || got.SiteID != c.SiteID || !got.At.Equal(c.At) || !got.BackupsUntil.Equal(c.BackupsUntil) ||
		!maps.Equal(got.Erased, c.Erased) || !maps.Equal(got.Keys, c.Keys) {
		t.Errorf("%+v, %v", got, err)
	}
	receipt, err := SignReceipt(Receipt{MessageID: "m", SiteID: "s", RecordedAt: at}, signer)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct{ signed, key string }{
		"changed":       {strings.Replace(signed, `"cameras": 2`, `"cameras": 3`, 1), public},
		"another key":   {signed, other},
		"no key":        {signed, "nonsense"},
		"a receipt":     {receipt, public},
		"nothing":       {"", public},
		"much too long": {signed + strings.Repeat("x", maxCertificate), public},
	} {
		if got, err := OpenErasure(x.signed, x.key); !errors.Is(err, ErrCertificate) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := OpenReceipt(signed, public); !errors.Is(err, errReceipt) {
		t.Errorf("a certificate is taken for a receipt: %v", err)
	}
}
