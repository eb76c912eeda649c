package uplink

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"google.golang.org/protobuf/types/known/timestamppb"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// newSigner makes a key of receipts.
func newSigner(t *testing.T) (note.Signer, string) {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, "collector.example")
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return s, public
}

// signing is a collector that signs, and an identity made some time ago that
// knows its key.
func signing(t *testing.T, made time.Duration) (*collector, *Identity) {
	t.Helper()
	c := newCollector(t)
	c.signer, c.key = newSigner(t)
	id := c.authority.identity(t, c.addr, time.Now().Add(-made))
	id.receiptKey = c.key
	if err := id.save(); err != nil {
		t.Fatal(err)
	}
	return c, id
}

// The signed receipt, the owner's link and code, and that the site stays, come to the
// outbox as they left the collector.
func TestSignedReceipt(t *testing.T) {
	c, id := signing(t, time.Hour)
	code := protocol.NewCode()
	c.receipt = func(r *wire.Receipt) {
		r.OwnerLink, r.OwnerCode, r.SiteStays = "https://telecamere.example/site", code.String(), true
	}
	c.serve(both, nil, nil)
	o := newOutbox("a1")
	r := run(t, id, o, nil)
	r.expect(t, outcome{"a", "h3", ""})
	r.stop()
	got := o.receipts[0]
	if _, err := protocol.OpenReceipt(got.Note, c.key); err != nil {
		t.Error(err)
	}
	if got.OwnerLink != "https://telecamere.example/site" || got.OwnerCode != code {
		t.Errorf("link %q, code %v", got.OwnerLink, got.OwnerCode == code)
	}
	if !got.SiteStays {
		t.Error("that the site stays in the register did not come to the outbox")
	}
}

// A receipt that the collector's key did not sign, or that says something else
// than it is handed over with, does not count: the message stays.
func TestReceiptsThatAreNotBelieved(t *testing.T) {
	other, _ := newSigner(t)
	cases := map[string]func(c *collector, r *wire.Receipt){
		"no signature": func(_ *collector, r *wire.Receipt) { r.Note = nil },
		"one letter other": func(_ *collector, r *wire.Receipt) {
			r.Note = bytes.Replace(r.Note, []byte("recorded 2"), []byte("recorded 3"), 1)
		},
		"another key": func(_ *collector, r *wire.Receipt) {
			signed, _ := protocol.SignReceipt(protocol.Receipt{MessageID: r.GetMessageId(), SiteID: "site-1",
				SHA256: [32]byte(r.GetMessageSha256()), RecordedAt: r.GetRecordedAt().AsTime()}, other)
			r.Note = []byte(signed)
		},
		"another time": func(_ *collector, r *wire.Receipt) {
			r.RecordedAt = timestamppb.New(r.GetRecordedAt().AsTime().Add(time.Second))
		},
	}
	for field, change := range map[string]func(*protocol.Receipt){
		"another message": func(r *protocol.Receipt) { r.MessageID = "b" },
		"another site":    func(r *protocol.Receipt) { r.SiteID = "site-2" },
		"other bytes":     func(r *protocol.Receipt) { r.SHA256[0]++ },
	} {
		cases[field] = func(c *collector, r *wire.Receipt) {
			says := protocol.Receipt{MessageID: r.GetMessageId(), SiteID: "site-1",
				SHA256: [32]byte(r.GetMessageSha256()), RecordedAt: r.GetRecordedAt().AsTime()}
			change(&says)
			signed, _ := protocol.SignReceipt(says, c.signer)
			r.Note = []byte(signed)
		}
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			c, id := signing(t, 0)
			c.receipt = func(r *wire.Receipt) { change(c, r) }
			c.serve(both, nil, nil)
			o := newOutbox("a1")
			r := run(t, id, o, nil)
			r.trouble(UnexpectedAnswer)
			c.set(func() { c.receipt = nil })
			r.expect(t, outcome{"a", "h3", ""}) // once, and only now
			if n := len(c.heard().got); n < 2 {
				t.Errorf("it came %d times: the first receipt was believed", n)
			}
		})
	}
}

// A collector that has another key than this agent knows, or than it knew of
// when it was enrolled, tells it at a renewal that the first receipt brings
// about: nothing waits for day 20.
func TestKeyOfReceiptsIsTakenAtARenewal(t *testing.T) {
	for name, before := range map[string]func(t *testing.T) string{
		"enrolled before there were keys": func(*testing.T) string { return "" },
		"the collector's key is another":  func(t *testing.T) string { _, key := newSigner(t); return key },
	} {
		t.Run(name, func(t *testing.T) {
			c, id := signing(t, 3*time.Hour)
			if id.receiptKey = before(t); id.save() != nil {
				t.Fatal("not saved")
			}
			c.serve(both, nil, nil)
			o := newOutbox("a1")
			r := run(t, id, o, nil)
			r.expect(t, outcome{"a", "h3", ""})
			until := id.Until()
			for i := byte('b'); !r.Status().CertificateUntil.After(until) && i < 'z'; i++ {
				o.add(string([]byte{i, '1'}))
				r.expect(t, outcome{string(i), "h3", ""})
			}
			o.add("z1")
			r.expect(t, outcome{"z", "h3", ""})
			r.stop()
			kept, err := Open(id.dir)
			if err != nil || kept.receiptKey != c.key {
				t.Errorf("kept %q, %v", kept.receiptKey, err)
			}
		})
	}
}

// A young certificate is not renewed for the key's sake: a collector that signs
// with one key and tells another would get no rest.
func TestNoRenewalForTheKeyOfAYoungCertificate(t *testing.T) {
	c, id := signing(t, time.Hour)
	_, id.receiptKey = newSigner(t)
	came := make(chan struct{}, 1000)
	c.receipt = func(*wire.Receipt) { came <- struct{}{} }
	c.serve(both, nil, nil)
	o := newOutbox("a1")
	r := run(t, id, o, nil)
	for range 3 {
		<-came
	}
	r.stop()
	if !r.Status().CertificateUntil.Equal(id.Until()) || len(o.ended) > 0 {
		t.Error("it was renewed, or the message was taken as acknowledged")
	}
}

// What names no page that a browser may open, or no code, is left out.
func TestOwnerAccess(t *testing.T) {
	code := protocol.NewCode().String()
	for link, ok := range map[string]bool{
		"https://telecamere.example/site": true, "http://localhost:8080/site": true, "http://telecamere.example/site": false,
		"javascript:alert(1)": false, "https://user@telecamere.example/": false, "https://telecamere.example/site?code=1": false,
		"https://telecamere.example/site#x": false, "": false, "https://" + strings.Repeat("a", 600): false,
	} {
		if got, c := ownerAccess(&wire.Receipt{OwnerLink: link, OwnerCode: code}); (got == link) != ok && link != "" || (c != protocol.Code{}) != ok {
			t.Errorf("%q: taken as %q", link, got)
		}
	}
	if got, _ := ownerAccess(&wire.Receipt{OwnerLink: "https://telecamere.example/site", OwnerCode: code + "X"}); got != "" {
		t.Errorf("a link without a code: %q", got)
	}
}
