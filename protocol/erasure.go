package protocol

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// ErasureCertificate says what a register erased of a site when its operator was
// asked to. It names nobody.
type ErasureCertificate struct {
	SiteID string    `json:"site_id"`
	At     time.Time `json:"at"`
	// Erased counts, by kind, what was there: cameras, contacts, ...; zeros for a
	// site that was withdrawn before.
	Erased map[string]int64 `json:"erased"`
	// Keys are the data keys that were destroyed, by what they sealed: "site",
	// "notice".
	Keys map[string]int64 `json:"keys_destroyed"`
	// BackupsUntil is when the last backup of the keys must be gone with which an
	// older backup could still be opened; a restore before that erases again.
	BackupsUntil time.Time `json:"backups_until"`
}

// maxCertificate is the largest signed certificate, in bytes; ours have about 1,000.
const maxCertificate = 16 << 10

const certificateWords = "Certificato di cancellazione dell'Anagrafe Telecamere: il registro ha cancellato ciò che è detto qui sotto.\n" +
	"Certificate of erasure of the register of cameras: it has erased what is said below.\n\n"

// ErrCertificate is what every error of [OpenErasure] wraps.
var ErrCertificate = errors.New("not a certificate of erasure that this key has signed")

// SignErasure returns the certificate as a note (golang.org/x/mod/sumdb/note): words,
// then its JSON (indented by spaces: a note has no tabs).
func SignErasure(c ErasureCertificate, s note.Signer) (string, error) {
	body, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encode the certificate of site %s: %w", c.SiteID, err)
	}
	signed, err := note.Sign(&note.Note{Text: certificateWords + string(body) + "\n"}, s)
	if err != nil {
		return "", fmt.Errorf("sign the certificate of site %s: %w", c.SiteID, err)
	}
	return string(signed), nil
}

// OpenErasure checks a signed certificate with a collector's verifier key, the one
// of its receipts, and gives what it says. The errors wrap ErrCertificate.
func OpenErasure(signed, verifierKey string) (ErasureCertificate, error) {
	text, err := openNote(signed, verifierKey, maxCertificate, ErrCertificate)
	if err != nil {
		return ErasureCertificate{}, err
	}
	_, body, _ := strings.Cut(text, "\n\n")
	var c ErasureCertificate
	if err := json.Unmarshal([]byte(body), &c); err != nil || c.SiteID == "" || c.At.IsZero() {
		return ErasureCertificate{}, fmt.Errorf("%w: it is something else", ErrCertificate)
	}
	return c, nil
}
