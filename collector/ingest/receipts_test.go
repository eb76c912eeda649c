package ingest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// The receipt is signed with the key that enrolment and renewal tell, and a
// duplicate gets the same one, byte for byte, also from the next process.
func TestReceiptIsSigned(t *testing.T) {
	r := start(t, nil)
	_, cert, key := r.agent(t, time.Now())
	c := r.dial(t, "h3", cert)
	code := protocol.NewCode()
	r.register.mu.Lock()
	r.register.owner = code
	r.register.mu.Unlock()
	m := message(t, 1, protocol.Observation{})
	first, err := deliver(t.Context(), c, m)
	if err != nil {
		t.Fatal(err)
	}
	renewed, err := c.enrol.Renew(t.Context(), connect.NewRequest(&wire.RenewRequest{Csr: csrOf(t, key)}))
	if err != nil {
		t.Fatal(err)
	}
	says, err := protocol.OpenReceipt(string(first.GetNote()), renewed.Msg.GetReceiptKey())
	if err != nil {
		t.Fatal(err)
	}
	if says.MessageID != first.GetMessageId() || says.SiteID != site || string(says.SHA256[:]) != string(first.GetMessageSha256()) ||
		!says.RecordedAt.Equal(first.GetRecordedAt().AsTime()) {
		t.Errorf("it says %+v, the answer %v", says, first)
	}
	if first.GetOwnerLink() != "https://telecamere.example/site" || first.GetOwnerCode() != code.String() {
		t.Errorf("link %q", first.GetOwnerLink())
	}
	again, err := deliver(t.Context(), c, m)
	if err != nil || !again.GetDuplicate() || string(again.GetNote()) != string(first.GetNote()) {
		t.Errorf("the duplicate's receipt is another one: %v\n%s\n%s", err, first.GetNote(), again.GetNote())
	}
	enrolled := r.register.invite(site, time.Now().Add(time.Hour))
	answer, err := r.dial(t, "h3", nil).enrol.Enrol(t.Context(), connect.NewRequest(&wire.EnrolRequest{Code: enrolled.String(), Csr: csrOf(t, newKey(t))}))
	if err != nil || answer.Msg.GetReceiptKey() != renewed.Msg.GetReceiptKey() {
		t.Errorf("enrolment tells another key than renewal: %v", err)
	}
	// No code, no link: there is nothing to act upon.
	r.register.mu.Lock()
	r.register.owner = protocol.Code{}
	r.register.mu.Unlock()
	if last, err := deliver(t.Context(), c, message(t, 2, protocol.Observation{})); err != nil || last.GetOwnerLink()+last.GetOwnerCode() != "" {
		t.Errorf("link %q, code %q: %v", last.GetOwnerLink(), last.GetOwnerCode(), err)
	}
}

// The key is made once, closed to others, and never replaced in silence.
func TestReceiptKeyIsNeverReplaced(t *testing.T) {
	dir := t.TempDir()
	key, err := OpenReceiptKey(dir, "telecamere.example")
	if err != nil {
		t.Fatal(err)
	}
	path, pub := filepath.Join(dir, "keys", "receipt.key"), filepath.Join(dir, "keys", "receipt.pub")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || !strings.HasPrefix(key.VerifierKey(), "telecamere.example+") {
		t.Errorf("mode %v, key %q, %v", info.Mode(), key.VerifierKey(), err)
	}
	if told, err := os.ReadFile(pub); err != nil || strings.TrimSpace(string(told)) != key.VerifierKey() {
		t.Errorf("%q, %v", told, err)
	}
	same := func() {
		t.Helper()
		if again, err := OpenReceiptKey(dir, "other.example"); err != nil || again.VerifierKey() != key.VerifierKey() {
			t.Errorf("opened again: %v", err)
		}
	}
	same()
	if err := os.Remove(pub); err != nil {
		t.Fatal(err)
	}
	same() // a first start that was cut short
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(string(whole))
	other, err := OpenReceiptKey(t.TempDir(), "telecamere.example")
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{"empty": "", "cut": string(whole[:len(whole)/2]), "noise": "a b\n",
		"halves of two keys": lines[0] + "\n" + other.VerifierKey() + "\n", "one half": lines[0] + "\n"} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenReceiptKey(dir, "x"); err == nil || !strings.Contains(err.Error(), "backup") {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("%s: the key stands in the error", name)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenReceiptKey(dir, "x"); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("gone: %v", err)
	}
	if err := os.WriteFile(path, whole, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenReceiptKey(dir, "x"); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("open to all: %v", err)
	}
}

// What a signature adds to a delivery.
func BenchmarkReceipt(b *testing.B) {
	key, err := OpenReceiptKey(b.TempDir(), "telecamere.example")
	if err != nil {
		b.Fatal(err)
	}
	r := protocol.Receipt{MessageID: site, SiteID: site, RecordedAt: time.Now()}
	for b.Loop() {
		if _, err := key.sign(r); err != nil {
			b.Fatal(err)
		}
	}
}
