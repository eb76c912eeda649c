package dossier

import (
	"encoding/json"
	"time"

	"anagrafe/collector/trail"
)

const (
	format  = "anagrafe-dossier/1"
	purpose = "anagrafe dossier 1" // first line of the note
)

// MaxSize is the largest file that is written or read, bytes.
const MaxSize = 512 << 20

// Head says of which case a dossier is, and who made it.
type Head struct {
	Format      string    `json:"format"`
	Case        string    `json:"case"` // id
	Force       string    `json:"force"`
	Made        time.Time `json:"made_at"`
	MadeBy      string    `json:"made_by"`
	VerifierKey string    `json:"verifier_key"` // of the key that signs; never trusted
}

// NoEntry is the index of what has no entry of its own on the trail.
const NoEntry = -1

// Part is one thing that the dossier tells.
type Part struct {
	Kind  string          `json:"kind"` // "case", "search", "reveal", "request", "state", "paper", "clock", ...
	At    time.Time       `json:"at"`
	By    string          `json:"by,omitempty"`
	Index int64           `json:"trail_index"` // of its entry, or NoEntry
	Body  json.RawMessage `json:"body"`
}

// line is one line between the first and the last: one of the two.
type line struct {
	Part  *Part            `json:"part,omitempty"`
	Entry *trail.Inclusion `json:"entry,omitempty"`
}

// last is the last line.
type last struct {
	Lines     []string `json:"lines"` // SHA-256 of each line before, in hexadecimal
	Signature string   `json:"signature"`
}

// Dossier is what a file holds, once it is verified.
type Dossier struct {
	Head    Head
	Parts   []Part
	Entries []entry
}

// entry is an act as the trail has it.
type entry struct {
	trail.Header
	Covered int64 `json:"-"` // entries that the checkpoint covers under which it is proven
}
