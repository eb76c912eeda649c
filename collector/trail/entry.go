package trail

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"filippo.io/age"
	"golang.org/x/mod/sumdb/tlog"

	"anagrafe/collector/act"
)

const (
	maxBody  = 4 << 20 // bytes of a body as stored: a search over a whole city has some 2,000 answers of 1 KiB
	maxField = 256     // bytes of each word of a header
)

// Entry is one act as the caller knows it. Actor and Case are given in clear:
// the trail puts their pseudonyms in the header and themselves in the body.
type Entry struct {
	At        time.Time // zero: now
	Actor     string    // user id
	Force     string    // name of the force; "" for acts of the Comune
	Kind      act.Kind  // what was done
	Case      string    // e.g. "annotation:2026/118"; "" when the act has none
	Count     int       // how many records it touched
	Body      any       // marshals to JSON: what was asked and found
	Recipient string    // age recipient of the force; "" only when Force is ""
}

// Header is the clear part of an entry, from which statistics are made.
type Header struct {
	Version    int       `json:"v"`
	Index      int64     `json:"index"`
	At         time.Time `json:"at"`             // UTC, microseconds
	Actor      string    `json:"actor"`          // pseudonym
	Case       string    `json:"case,omitempty"` // pseudonym
	Force      string    `json:"force,omitempty"`
	Kind       act.Kind  `json:"kind"`
	Count      int       `json:"count"`
	Sealed     bool      `json:"sealed"`
	BodySHA256 tlog.Hash `json:"body_sha256"`
}

// Content is what a body holds once it is opened.
type Content struct {
	Actor   string          `json:"actor"`
	Case    string          `json:"case,omitempty"`
	Details json.RawMessage `json:"details,omitempty"`
	// Salt makes the hash of a short body useless for guessing it after the
	// body was deleted.
	Salt []byte `json:"salt"`
}

// check reports what is wrong with an entry before any work is done for it.
func (e Entry) check() error {
	switch {
	case !slices.Contains(act.Kinds, e.Kind):
		return fmt.Errorf("no entry is of kind %q", e.Kind)
	case e.Actor == "":
		return errors.New("an entry needs an actor")
	case e.Count < 0:
		return errors.New("an entry cannot have touched fewer than no records")
	case e.Force == "" && e.Recipient != "":
		return errors.New("an entry that is sealed to a force must name the force")
	case e.Force != "" && e.Recipient == "":
		return fmt.Errorf("force %q has no public key, so what it asks cannot be sealed: give the force an age recipient (made with age-keygen)", e.Force)
	}
	for _, s := range []string{e.Actor, e.Force, e.Case} {
		if len(s) > maxField || !utf8.ValidString(s) {
			return fmt.Errorf("the words of an entry must be UTF-8 of at most %d bytes", maxField)
		}
	}
	if e.Recipient != "" {
		if _, err := age.ParseRecipients(strings.NewReader(e.Recipient)); err != nil {
			return fmt.Errorf("the public key of force %q is not an age recipient: %w", e.Force, err)
		}
	}
	return nil
}

// prepare checks an entry and gives its header, without the index, and its body.
func (t *Trail) prepare(e Entry) (Header, []byte, error) {
	if err := e.check(); err != nil {
		return Header{}, nil, err
	}
	body, err := seal(e)
	if err != nil {
		return Header{}, nil, err
	}
	if e.At.IsZero() {
		e.At = time.Now()
	}
	h := Header{
		Version: 1,
		At:      e.At.UTC().Truncate(time.Microsecond),
		Actor:   t.pseudonym("actor", "", e.Actor),
		Force:   e.Force, Kind: e.Kind, Count: e.Count,
		Sealed:     e.Recipient != "",
		BodySHA256: sha256.Sum256(body),
	}
	if e.Case != "" {
		h.Case = t.pseudonym("case", e.Force, e.Case)
	}
	return h, body, nil
}

// seal returns the body as it is stored.
func seal(e Entry) ([]byte, error) {
	content := Content{Actor: e.Actor, Case: e.Case, Salt: make([]byte, 16)}
	rand.Read(content.Salt) // never fails
	if e.Body != nil {
		details, err := json.Marshal(e.Body)
		if err != nil {
			return nil, fmt.Errorf("encode a body: %w", err)
		}
		content.Details = details
	}
	plain, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("encode a body: %w", err)
	}
	if len(plain) > maxBody-4096 { // what age adds: its header, and 16 bytes for each 64 KiB
		return nil, fmt.Errorf("the body of an entry has %d bytes, more than %d: ask for less at once", len(plain), maxBody-4096)
	}
	if e.Recipient == "" {
		return plain, nil
	}
	recipients, err := age.ParseRecipients(strings.NewReader(e.Recipient))
	if err != nil {
		return nil, fmt.Errorf("seal a body: %w", err)
	}
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, recipients...)
	if err == nil {
		if _, err = w.Write(plain); err == nil {
			err = w.Close()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("seal a body: %w", err)
	}
	return sealed.Bytes(), nil
}

// open returns the content of a body.
func open(h Header, body []byte, identities []age.Identity) (Content, error) {
	if h.Sealed {
		r, err := age.Decrypt(bytes.NewReader(body), identities...)
		if err != nil {
			return Content{}, err
		}
		if body, err = io.ReadAll(io.LimitReader(r, maxBody)); err != nil {
			return Content{}, err
		}
	}
	var c Content
	if err := json.Unmarshal(body, &c); err != nil {
		return Content{}, fmt.Errorf("read the body of entry %d: %w", h.Index, err)
	}
	return c, nil
}

// encode returns the canonical JSON of a header: the fields in their order, no
// spaces, as encoding/json writes them.
func (h Header) encode() ([]byte, error) { return json.Marshal(h) }

// decodeHeader reads a header and refuses any other bytes than the canonical
// ones, so that what a person reads is what was hashed.
func decodeHeader(raw []byte) (Header, error) {
	var h Header
	if err := json.Unmarshal(raw, &h); err != nil {
		return Header{}, err
	}
	canonical, err := h.encode()
	if err != nil {
		return Header{}, err
	}
	if !bytes.Equal(canonical, raw) {
		return Header{}, errors.New("it is not in canonical form")
	}
	return h, nil
}

// leaf is the hash of an entry in the tree: over the hash of its header and
// the hash of its body, so that a body can be deleted.
func leaf(header []byte, body tlog.Hash) tlog.Hash {
	sum := sha256.Sum256(header)
	return tlog.RecordHash(append(sum[:], body[:]...))
}

// pseudonym hides a word behind the trail's key: the same word always gets the
// same pseudonym, and nobody without the key can try words against it. Cases
// carry their force, so that equal numbers of two forces do not meet.
func (t *Trail) pseudonym(domain, force, word string) string {
	m := hmac.New(sha256.New, t.pseudonyms)
	for _, s := range []string{domain, force, word} {
		fmt.Fprintf(m, "%d:%s", len(s), s) // lengths keep ("a","bc") and ("ab","c") apart
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(m.Sum(nil)[:15]))
}
