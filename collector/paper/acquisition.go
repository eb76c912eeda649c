package paper

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// acquisitionFormat is the version of an Acquisition's JSON: words and order of the
// document belong to it too, since the same input must give the same file.
const acquisitionFormat = "anagrafe-acquisition/1"

// maxAcquisition bounds the JSON of one request, bytes: 512 cameras have some 500 KiB.
const maxAcquisition = 2 << 20

// Acquisition is one request to acquire footage, of one force to one owner.
type Acquisition struct {
	Format string    `json:"format"`
	ID     string    `json:"id"` // UUID; the trail's entry carries it
	Number int       `json:"number"`
	Year   int       `json:"year"`
	Made   time.Time `json:"made"`

	From  Sender    `json:"from"`
	To    Addressee `json:"to"`
	Basis Basis     `json:"basis"`
	Case  CaseRef   `json:"case"`

	Place string    `json:"place"` // where it happened, in words
	Start time.Time `json:"start"` // in real time, UTC
	End   time.Time `json:"end"`

	Sites     []Site    `json:"sites"`
	Delivery  string    `json:"delivery,omitempty"`   // where and to whom the copies go, in the officer's words
	CheckCode string    `json:"check_code,omitempty"` // of the request to preserve before it
	CheckPage string    `json:"check_page,omitempty"` // where the owner tries the code
	Asked     time.Time `json:"asked,omitzero"`       // when they were asked to preserve
}

// Sender is the force and officer that ask.
type Sender struct {
	Force         string `json:"force"`
	Office        string `json:"office,omitempty"`
	Officer       string `json:"officer"`
	Qualification string `json:"qualification,omitempty"`
	Phone         string `json:"phone,omitempty"`
}

// Addressee is the owner: an organisation, or a site without one.
type Addressee struct {
	Name           string `json:"name"`
	FiscalCode     string `json:"fiscal_code,omitempty"`
	Representative string `json:"representative,omitempty"`
	Capacity       string `json:"capacity,omitempty"` // in which that person acts
	PEC            string `json:"pec,omitempty"`      // only where it was revealed
}

// CaseRef is the case as the owner may read it: without the offence, for acts of
// an investigation are secret (art. 329 c.p.p.).
type CaseRef struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`          // a word "case.kind.*"
	Ref  string `json:"ref,omitempty"` // "": it follows
}

// Site is one place of the owner.
type Site struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Address string   `json:"address"`
	Cameras []Camera `json:"cameras"`
}

// Camera is one camera as who stands before its recorder finds it.
type Camera struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"` // on the recorder
	OldName  string    `json:"old_name,omitempty"`
	Channel  string    `json:"channel,omitempty"`
	Recorder string    `json:"recorder,omitempty"`
	Start    time.Time `json:"start"` // what it is asked for, in real time
	End      time.Time `json:"end"`
	Clock    *Clock    `json:"clock,omitempty"` // nil: never measured
	// When it is overwritten as far as is known; zero: not known.
	Overwritten time.Time `json:"overwritten,omitzero"`
}

// Clock is the interval as the recorder's own clock shows it, and the measurement
// that it rests on.
type Clock struct {
	From          string    `json:"from"` // its digits: "2006-01-02T15:04:05"
	Until         string    `json:"until"`
	OffsetMs      int64     `json:"offset_ms"` // recorder minus real time
	UncertaintyMs int64     `json:"uncertainty_ms"`
	Method        string    `json:"method,omitempty"`
	At            time.Time `json:"at"`
}

// Title names the request as it is quoted: "12/2026".
func (a Acquisition) Title() string { return fmt.Sprintf("%d/%d", a.Number, a.Year) }

// Encode returns the canonical JSON: the fields in their order, no spaces.
func (a Acquisition) Encode() ([]byte, error) {
	a.Format = acquisitionFormat
	raw, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("encode request %s: %w", a.ID, err)
	}
	if len(raw) > maxAcquisition {
		return nil, fmt.Errorf("the request has %d bytes, more than %d: choose fewer cameras", len(raw), maxAcquisition)
	}
	return raw, nil
}

// Decode reads what Encode wrote, and nothing else.
func Decode(raw []byte) (Acquisition, error) {
	var a Acquisition
	if len(raw) > maxAcquisition {
		return a, fmt.Errorf("read a request: it has %d bytes, more than %d", len(raw), maxAcquisition)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return a, fmt.Errorf("read a request: %w", err)
	}
	if a.Format != acquisitionFormat {
		return a, fmt.Errorf("read a request: its format is %q, this program knows %q: read it with the version that made it", a.Format, acquisitionFormat)
	}
	again, err := a.Encode()
	if err != nil {
		return a, err
	}
	if !bytes.Equal(again, raw) {
		return a, errors.New("read a request: it is not in canonical form")
	}
	return a, nil
}

// hash is the SHA-256 of the canonical JSON.
func (a Acquisition) hash() ([32]byte, error) {
	raw, err := a.Encode()
	return sha256.Sum256(raw), err
}
