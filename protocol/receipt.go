package protocol

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

const (
	// MaxReceipt is the largest signed receipt, in bytes; ours have about 500.
	MaxReceipt = 4 << 10
	// maxOwnerLink is the longest link to the owner's page.
	maxOwnerLink = 512
)

// receiptWords stand above the lines that programs read. They may change: what
// a receipt says is in its lines.
const receiptWords = "Ricevuta dell'Anagrafe Telecamere: il registro ha preso in carico il messaggio che ha questa impronta.\n" +
	"Receipt of the register of cameras: it has recorded the message that has this hash.\n\n"

// errReceipt is what every error of [OpenReceipt] wraps.
var errReceipt = errors.New("not a receipt that this key has signed")

// SignReceipt returns the receipt as a note (golang.org/x/mod/sumdb/note): words,
// then one "key value" line each for message, site, sha256 (hexadecimal, of the
// encoded message) and recorded (RFC 3339, UTC). Whether it is a duplicate is
// not said: with a signer whose signatures are deterministic, as those of
// Ed25519 are, the same message has one receipt, byte for byte.
func SignReceipt(r Receipt, s note.Signer) (string, error) {
	text := receiptWords + fmt.Sprintf("message %s\nsite %s\nsha256 %x\nrecorded %s\n",
		r.MessageID, r.SiteID, r.SHA256, r.RecordedAt.UTC().Format(time.RFC3339Nano))
	signed, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		return "", fmt.Errorf("sign the receipt of message %s: %w", r.MessageID, err)
	}
	return string(signed), nil
}

// OpenReceipt checks a signed receipt with a collector's verifier key
// (EnrolResponse.receipt_key) and gives what it says.
func OpenReceipt(signed, verifierKey string) (Receipt, error) {
	text, err := openNote(signed, verifierKey, MaxReceipt, errReceipt)
	if err != nil {
		return Receipt{}, err
	}
	r, err := readReceipt(text)
	if err != nil {
		return Receipt{}, fmt.Errorf("%w: %w", errReceipt, err)
	}
	r.Note = signed
	return r, nil
}

// openNote gives the text of a note of at most so many bytes that this key has signed;
// the errors wrap wrong.
func openNote(signed, verifierKey string, most int, wrong error) (text string, err error) {
	v, err := note.NewVerifier(verifierKey)
	if err != nil {
		return "", fmt.Errorf("%w: the key itself cannot be read", wrong)
	}
	if len(signed) > most {
		return "", fmt.Errorf("%w: it is over %d bytes long", wrong, most)
	}
	n, err := note.Open([]byte(signed), note.VerifierList(v))
	if err != nil {
		return "", fmt.Errorf("%w: %w", wrong, err)
	}
	return n.Text, nil
}

// readReceipt reads the lines of a receipt; other lines are for people, or of a
// later version.
func readReceipt(text string) (r Receipt, err error) {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch key {
		case "message", "site", "sha256", "recorded":
			if values[key] != "" {
				return Receipt{}, fmt.Errorf("it says %s twice", key)
			}
			values[key] = value
		}
	}
	if r.MessageID, r.SiteID = values["message"], values["site"]; r.MessageID == "" || r.SiteID == "" {
		return Receipt{}, errors.New("it names no message or no site")
	}
	sum, err := hex.DecodeString(values["sha256"])
	if err != nil || len(sum) != sha256.Size {
		return Receipt{}, errors.New("it names no SHA-256")
	}
	r.SHA256 = [32]byte(sum)
	if r.RecordedAt, err = time.Parse(time.RFC3339Nano, values["recorded"]); err != nil {
		return Receipt{}, errors.New("it does not say when the message was recorded")
	}
	return r, nil
}

// ParseReceiptKey reports whether a text is a verifier key of receipts.
func ParseReceiptKey(key string) error {
	if _, err := note.NewVerifier(key); err != nil {
		return fmt.Errorf("the key of receipts cannot be read: %w", err)
	}
	return nil
}

// ParseOwnerLink reads the address of the owner's page: https, or http on
// localhost, for a first try on one machine. It holds no secret.
func ParseOwnerLink(s string) (string, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || len(s) > maxOwnerLink || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("the link to the owner's page is none")
	case u.Scheme != "https" && !(u.Scheme == "http" && u.Hostname() == "localhost"):
		return "", errors.New("the link to the owner's page must begin with https://")
	}
	return u.String(), nil
}
