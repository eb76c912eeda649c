package ingest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"anagrafe/protocol"
	"anagrafe/protocol/wholefile"
)

const (
	receiptKeyFile = "receipt.key"
	receiptPubFile = "receipt.pub"
)

// ReceiptKey signs receipts. Signatures are Ed25519, hence the same for the same
// text; one takes about 30 microseconds (BenchmarkReceipt), a hundredth of a
// message's way through the register, and is made outside its transaction.
type ReceiptKey struct {
	signer   note.Signer
	verifier string
}

// OpenReceiptKey reads the key from keys/receipt.key (mode 0600) of a
// collector's directory, and makes it at the first start, under the name given:
// the host that people know the collector by. The verifier key stands beside it
// in keys/receipt.pub, so that a receipt can be checked without asking.
//
// A key that cannot be read, or that is gone while its public half is there, is
// an error and never replaced: agents would take no receipt of another one
// until they renew. The name stays what it was made with.
func OpenReceiptKey(dir, name string) (*ReceiptKey, error) {
	k, err := openReceiptKey(filepath.Join(dir, "keys"), name)
	if err != nil {
		return nil, fmt.Errorf("open the key of receipts: %w", err)
	}
	return k, nil
}

func openReceiptKey(keys, name string) (*ReceiptKey, error) {
	keyPath, pubPath := filepath.Join(keys, receiptKeyFile), filepath.Join(keys, receiptPubFile)
	secret, keyErr := wholefile.Read(keyPath, maxPEM)
	_, pubErr := os.Stat(pubPath)
	switch {
	case errors.Is(keyErr, fs.ErrNotExist) && errors.Is(pubErr, fs.ErrNotExist):
		return makeReceiptKey(keys, name)
	case errors.Is(keyErr, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is missing but its public half is there: restore it from the backup of the keys (or, to start anew, remove %s; agents "+
			"take the new key when they renew, within 20 days)", keyPath, pubPath)
	case keyErr != nil:
		return nil, fmt.Errorf("%w: give the collector's user the right to read it", keyErr)
	}
	info, err := os.Stat(keyPath)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by other users (mode %v): check who copied it, then run chmod 600 %s", keyPath, info.Mode().Perm(), keyPath)
	}
	lines := strings.Fields(string(secret))
	if len(lines) != 2 {
		return nil, fmt.Errorf("%s is damaged: it does not hold a signing key and a verifier key; restore it from the backup of the keys", keyPath)
	}
	k, err := newReceiptKey(lines[0], lines[1])
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: %w; restore it from the backup of the keys", keyPath, err)
	}
	if errors.Is(pubErr, fs.ErrNotExist) { // a first start that was cut between the two files
		return k, wholefile.Write(pubPath, []byte(k.verifier+"\n"), 0o644)
	}
	return k, nil
}

// makeReceiptKey writes the secret half first: the public one only repeats it.
func makeReceiptKey(keys, name string) (*ReceiptKey, error) {
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return nil, err
	}
	secret, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return nil, err
	}
	k, err := newReceiptKey(secret, public)
	if err != nil {
		return nil, err
	}
	if err := wholefile.Write(filepath.Join(keys, receiptKeyFile), []byte(secret+"\n"+public+"\n"), 0o600); err != nil {
		return nil, err
	}
	return k, wholefile.Write(filepath.Join(keys, receiptPubFile), []byte(public+"\n"), 0o644)
}

func newReceiptKey(secret, public string) (*ReceiptKey, error) {
	s, err := note.NewSigner(secret)
	if err != nil {
		return nil, err
	}
	v, err := note.NewVerifier(public)
	if err != nil {
		return nil, err
	}
	probe := []byte("both halves")
	if sig, err := s.Sign(probe); err != nil || v.Name() != s.Name() || v.KeyHash() != s.KeyHash() || !v.Verify(probe, sig) {
		return nil, errors.Join(err, errors.New("its two halves do not belong together"))
	}
	return &ReceiptKey{signer: s, verifier: public}, nil
}

// VerifierKey is the public half, as agents and the receipt command take it.
func (k *ReceiptKey) VerifierKey() string { return k.verifier }

// sign completes a receipt.
func (k *ReceiptKey) sign(r protocol.Receipt) (protocol.Receipt, error) {
	var err error
	r.Note, err = protocol.SignReceipt(r, k.signer)
	return r, err
}

// SignReceipt signs the receipt of what no agent sent: see protocol.SignReceipt.
func (k *ReceiptKey) SignReceipt(r protocol.Receipt) (string, error) {
	return protocol.SignReceipt(r, k.signer)
}

// SignErasure signs what the operator erased, with the same key: who was given a
// receipt has it.
func (k *ReceiptKey) SignErasure(c protocol.ErasureCertificate) (string, error) {
	return protocol.SignErasure(c, k.signer)
}
