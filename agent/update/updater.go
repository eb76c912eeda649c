package update

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"golang.org/x/mod/semver"

	"anagrafe/protocol"
)

// Mode is what the owner's configuration says.
type Mode string

const (
	Auto Mode = "auto" // updates are fetched and tried by themselves, unless they are held on the pages
	Hold Mode = "hold" // they are looked for and shown, and no more
	Off  Mode = "off"  // nobody looks
)

// Options are what main gives to an Updater.
type Options struct {
	Dir  string // DIR/updates
	Mode Mode
	// Root is root.json as it was shipped; nil: updates are off.
	Root []byte
	// Version is that of the running program, Launched that it was started from Dir
	// and is not the one that was installed.
	Version  string
	Launched bool
	// Installed is the path of the program that was installed.
	Installed string
	// AgentID tells which share of the agents this one is in; "": none, nothing is taken.
	AgentID func() string
	// Transport takes a request to the collector, over the agent's own connection
	// and to nobody else, whatever its host.
	Transport http.RoundTripper
	Inventory Inventory
	Log       *slog.Logger
	// Bound is how long a trial may last; 0: ten minutes.
	Bound time.Duration
	Now   func() time.Time // nil: time.Now
}

// Inventory is what a trial may do to what the agent knows.
type Inventory interface {
	// Copy makes a whole copy, in place of one of before.
	Copy(ctx context.Context) error
	// Restore puts the copy back, and may do so again; without one it does nothing.
	Restore() error
	// Drop removes the copy, if there is one.
	Drop() error
	// Schema is the number of the inventory's schema.
	Schema(ctx context.Context) (int64, error)
}

const (
	// maxStarts is how often a version may end by itself.
	maxStarts = 3
	// settles is how long one has to run to be out of that.
	settles      = time.Hour
	defaultBound = 10 * time.Minute
	// silentFor is when a version that did not reach the collector is tried again.
	silentFor = 24 * time.Hour
)

// Updater looks after the programs of one agent's directory. Its methods may be
// called at once.
type Updater struct {
	Options
	mu      sync.Mutex // held while the state is read and written
	looking sync.Mutex // one look at a time
	seen    seen
	at      func(step string) // a test's kill; else it does nothing
}

// seen is what the last look found, for the owner.
type seen struct {
	mu     sync.Mutex
	at     time.Time
	newest protocol.Release // above the running version; zero: none
	wrong  error
}

// New makes an Updater; it touches nothing.
func New(o Options) *Updater {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Bound == 0 {
		o.Bound = defaultBound
	}
	return &Updater{Options: o, at: func(string) {}}
}

// Able says whether programs are fetched and started here at all.
func (u *Updater) Able() bool {
	return u.Mode != Off && len(u.Root) > 0 && semver.IsValid(u.Version) && u.Installed != ""
}

// Standing is how it stands, for pages and command line.
type Standing struct {
	Able    bool      `json:"able"`
	Mode    Mode      `json:"mode"`
	Held    bool      `json:"held"` // by the configuration or on the pages
	Version string    `json:"version"`
	LookAt  time.Time `json:"looked_at,omitzero"`
	Wrong   string    `json:"wrong,omitempty"` // with the last look; English
	// Came is the running version's day, and Notes what it changed; zero: it was installed.
	Came  time.Time         `json:"came,omitzero"`
	Notes map[string]string `json:"notes,omitempty"`
	// Next is a newer version that is given out; "": none is known.
	Next      string            `json:"next,omitempty"`
	NextNotes map[string]string `json:"next_notes,omitempty"`
	Failed    []failure         `json:"failed,omitempty"`
}

// Standing reports how it stands.
func (u *Updater) Standing() (Standing, error) {
	u.mu.Lock()
	s, err := u.load()
	u.mu.Unlock()
	if err != nil {
		return Standing{}, err
	}
	u.seen.mu.Lock()
	defer u.seen.mu.Unlock()
	st := Standing{Able: u.Able(), Mode: u.Mode, Held: u.Mode == Hold || s.Hold, Version: u.Version, LookAt: u.seen.at, Failed: s.Failed}
	if said, is := s.Notes[u.Version]; is {
		st.Came, st.Notes = said.Came, said.Notes
	}
	if v := u.seen.newest; semver.Compare(v.Version, u.Version) > 0 {
		st.Next, st.NextNotes = v.Version, v.Notes
	}
	if u.seen.wrong != nil {
		st.Wrong = u.seen.wrong.Error()
	}
	return st, nil
}

// SetHold keeps the owner's word: with hold nothing is tried until it is taken back.
func (u *Updater) SetHold(hold bool) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	s, err := u.load()
	if err != nil || s.Hold == hold {
		return err
	}
	s.Hold = hold
	return u.save(s)
}

// Told is the version that ops are told: with the newest failure, while the version
// that it failed is above the running one.
func (u *Updater) Told() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	s, err := u.load()
	if err != nil || len(s.Failed) == 0 {
		return u.Version
	}
	last := s.Failed[len(s.Failed)-1]
	if semver.Compare(last.Version, u.Version) <= 0 {
		return u.Version
	}
	return protocol.WentBack(u.Version, last.Version, last.Why)
}

// Settled is called when the running version has run long enough, and Stopped when
// it ends because somebody wants it to, or for another version: then its start does
// not count.
func (u *Updater) Settled() error { return u.ended(func(s *state) { s.Settled, s.Starts = true, 0 }) }

// Stopped see Settled.
func (u *Updater) Stopped() error { return u.ended(func(s *state) { s.Starts = max(0, s.Starts-1) }) }

func (u *Updater) ended(change func(*state)) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	s, err := u.load()
	if err != nil || s.Kept != u.Version || s.Settled {
		return err
	}
	change(s)
	return u.save(s)
}

// Settles is how long a version has to run until Settled.
func (u *Updater) Settles() time.Duration { return settles }

// path is where a version's program lies.
func (u *Updater) path(version string) string {
	name := programFile
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(u.Dir, version, name)
}
