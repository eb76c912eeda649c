package registry

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"strings"

	"anagrafe/protocol"
)

// A phone or an e-mail address is sealed, and found by a keyed hash of it: who
// has a copy of the database, without the root secret, can neither read one nor
// try whether one is there.

// lookupHash is by what a phone number, an e-mail address or a PEC is looked up;
// not ok for a text that is neither.
func lookupHash(key []byte, text string) (hash [sha256.Size]byte, ok bool) {
	normal := cmp.Or(normalAddress(text), normalPhone(text))
	if normal == "" {
		return hash, false
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte("anagrafe look-up 1\x00" + normal))
	return [sha256.Size]byte(m.Sum(nil)), true
}

// normalAddress is an e-mail address in lower case, "" for what is none. The part
// before the @ is told apart by case on hardly any server (RFC 5321, 2.4).
func normalAddress(text string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	name, host, ok := strings.Cut(text, "@")
	if !ok || name == "" || host == "" || strings.ContainsAny(text, " \t\r\n") {
		return ""
	}
	return text
}

const (
	italy     = "+39"
	minDigits = 3  // short Italian numbers: 112, 1500
	maxDigits = 15 // E.164, with the country's
)

// normalPhone is a number as E.164 writes it, taken for an Italian one where it
// has no prefix (behind +39 an Italian number keeps its leading zero); "" for
// what is none. Words before and after it, as of an extension, are left out.
func normalPhone(text string) string {
	start := strings.IndexAny(text, "+0123456789")
	if start < 0 {
		return ""
	}
	text, prefix := text[start:], italy
	for _, international := range []string{"+", "00"} {
		if rest, ok := strings.CutPrefix(text, international); ok {
			text, prefix = rest, "+"
			break
		}
	}
	var digits strings.Builder
	for _, c := range text {
		if c >= '0' && c <= '9' {
			digits.WriteRune(c)
		} else if !strings.ContainsRune(" \t\u00a0-./()", c) {
			break
		}
	}
	if digits.Len() < minDigits || len(prefix)-1+digits.Len() > maxDigits {
		return ""
	}
	return prefix + digits.String()
}

// lookupHashes are those of all contacts, each once.
func lookupHashes(key []byte, contacts []protocol.Contact) map[[sha256.Size]byte]bool {
	hashes := make(map[[sha256.Size]byte]bool)
	for _, c := range contacts {
		for _, text := range []string{c.Phone, c.Email, c.PEC} {
			if h, ok := lookupHash(key, text); ok {
				hashes[h] = true
			}
		}
	}
	return hashes
}
