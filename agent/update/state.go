package update

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"anagrafe/protocol"
	"anagrafe/protocol/wholefile"
)

const (
	stateFile   = "state.json"
	programFile = "anagrafe-agent" // on Windows with .exe behind it
	maxState    = 1 << 20
)

// state is DIR/updates/state.json: what is started, and why.
type state struct {
	// Kept is the version that runs, Previous the one to go back to; "": the
	// program that was installed.
	Kept     string `json:"kept,omitempty"`
	Previous string `json:"previous,omitempty"`
	// Starts counts those of Kept that did not end well, until it has Settled.
	Starts  int  `json:"starts,omitempty"`
	Settled bool `json:"settled,omitempty"`
	// Schema is that of the inventory that Previous wrote.
	Schema int64 `json:"schema,omitempty"`
	// Trial is under way, or was when the power went; nil: none.
	Trial    *trial                `json:"trial,omitempty"`
	Failed   []failure             `json:"failed,omitempty"` // the newest last
	Programs map[string]fetched    `json:"programs,omitempty"`
	Hold     bool                  `json:"hold,omitempty"` // the owner said: not now
	Notes    map[string]whatIsSaid `json:"notes,omitempty"`
}

// trial is of a version that nobody has found good yet.
type trial struct {
	Version string `json:"version"`
	Starts  int    `json:"starts"`
	// Copied: the inventory of before lies beside, whole.
	Copied bool  `json:"copied,omitempty"`
	Schema int64 `json:"schema,omitempty"` // of that one
}

// failure is a version that was tried, and from which the agent went back.
type failure struct {
	Version string           `json:"version"`
	Why     protocol.Setback `json:"why"`
	At      time.Time        `json:"at"`
}

// fetched is a program whole on the disk.
type fetched struct {
	SHA256 string `json:"sha256"` // hex
	Size   int64  `json:"size"`
}

// whatIsSaid is of a version that came, for the owner.
type whatIsSaid struct {
	Came  time.Time         `json:"came"`
	Notes map[string]string `json:"notes"`
}

// load reads the state. Where there is none, or it is not readable, nothing was
// fetched yet.
func (u *Updater) load() (*state, error) {
	s := &state{}
	raw, err := os.ReadFile(filepath.Join(u.Dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s.whole(), nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading which version to run: %w", err)
	}
	if len(raw) > maxState || json.Unmarshal(raw, s) != nil {
		u.Log.Warn("which version to run cannot be read: the program that was installed runs", "file", stateFile)
		s = &state{}
	}
	return s.whole(), nil
}

// whole has no nil maps and no names that are none.
func (s *state) whole() *state {
	if s.Programs == nil {
		s.Programs = map[string]fetched{}
	}
	if s.Notes == nil {
		s.Notes = map[string]whatIsSaid{}
	}
	for v := range s.Programs {
		if protocol.CheckVersion(v) != nil {
			delete(s.Programs, v)
		}
	}
	for _, v := range []*string{&s.Kept, &s.Previous} {
		if _, there := s.Programs[*v]; !there {
			*v = ""
		}
	}
	if s.Trial != nil {
		if _, there := s.Programs[s.Trial.Version]; !there {
			s.Trial = nil
		}
	}
	return s
}

// save puts the state in place of the one before, durably or not at all.
func (u *Updater) save(s *state) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = os.MkdirAll(u.Dir, 0o700)
	}
	if err == nil {
		err = wholefile.Write(filepath.Join(u.Dir, stateFile), raw, 0o600)
	}
	if err != nil {
		return fmt.Errorf("writing which version to run: %w", err)
	}
	return nil
}

// failed is the failure of a version.
func (s *state) failed(version string) (failure, bool) {
	for _, f := range s.Failed {
		if f.Version == version {
			return f, true
		}
	}
	return failure{}, false
}

// maxFailed is how many failures are remembered.
const maxFailed = 20

func (s *state) fail(version string, why protocol.Setback, at time.Time) {
	s.Failed = slices.DeleteFunc(s.Failed, func(f failure) bool { return f.Version == version })
	s.Failed = append(s.Failed, failure{version, why, at.UTC().Truncate(time.Second)})
	if over := len(s.Failed) - maxFailed; over > 0 {
		s.Failed = s.Failed[over:]
	}
}
