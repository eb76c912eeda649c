package protocol

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/semver"
)

// Limits of the update channel, which both sides and the publisher keep to.
const (
	// MaxProgram bounds an agent's program, in bytes; today's has some 40 MB.
	MaxProgram = 256 << 20
	// MaxChannelPart is how much of a file one request of the channel gives: an
	// agent fetches a program part by part, and goes on where it stopped.
	MaxChannelPart = 512 << 10
	// ChannelPath is where a collector serves the channel to its agents.
	ChannelPath = "/channel/"
	maxNotes    = 600 // characters
)

// Release is what the publishers say of one program of the agent, beside its length
// and hash: the "custom" value of a target in TUF's targets metadata (The Update
// Framework 1.0, section 4.5), signed with it.
type Release struct {
	Version string `json:"version"` // v1.2.3 (Semantic Versioning 2.0.0)
	OS      string `json:"os"`      // as Go's GOOS
	Arch    string `json:"arch"`    // as Go's GOARCH
	// Percent of the agents take it, from From on; which, is told by InRollout.
	Percent int       `json:"percent"`
	From    time.Time `json:"from"`
	Paused  bool      `json:"paused,omitempty"`
	// Notes say in a few sentences what changes, by language: "it" and "en".
	Notes map[string]string `json:"notes"`
}

var platformWord = regexp.MustCompile(`^[a-z0-9]{1,20}$`)

// CheckVersion checks the version of a program, which becomes the name of a directory.
func CheckVersion(version string) error {
	if !semver.IsValid(version) || semver.Canonical(version) != version || len(version) > 40 {
		return fmt.Errorf("%.60q is not a version such as v1.2.3", version)
	}
	return nil
}

// Check validates a release.
func (r Release) Check() error {
	if err := CheckVersion(r.Version); err != nil {
		return err
	}
	switch {
	case !platformWord.MatchString(r.OS) || !platformWord.MatchString(r.Arch):
		return fmt.Errorf("%.60q is not a system and a processor such as linux/amd64", r.OS+"/"+r.Arch)
	case r.Percent < 0 || r.Percent > 100:
		return fmt.Errorf("%d is not a percentage", r.Percent)
	case r.From.IsZero():
		return fmt.Errorf("from when on it is given is missing")
	}
	for _, lang := range []string{"it", "en"} {
		if n := r.Notes[lang]; strings.TrimSpace(n) == "" || utf8.RuneCountInString(n) > maxNotes || !utf8.ValidString(n) {
			return fmt.Errorf("the notes in %q are missing, or have more than %d characters", lang, maxNotes)
		}
	}
	if len(r.Notes) != 2 {
		return fmt.Errorf("the notes have other languages than it and en")
	}
	return nil
}

// ParseRelease reads the custom value of a target. An unknown key is an error: it
// may be a condition that this program does not keep.
func ParseRelease(custom []byte) (Release, error) {
	var r Release
	d := json.NewDecoder(bytes.NewReader(custom))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return Release{}, fmt.Errorf("what is said of the program cannot be read: %w", err)
	}
	return r, r.Check()
}

// Target is the name of the program in the channel. A target under any other name
// is none of ours.
func (r Release) Target() string {
	return fmt.Sprintf("anagrafe-agent_%s_%s_%s", r.Version, r.OS, r.Arch)
}

// InRollout reports whether an agent takes the release now. Its place among a hundred
// is a hash of its id and the version, so that it is not always the same agents who
// go first, and those of a smaller percentage are in every larger one.
func (r Release) InRollout(agentID string, now time.Time) bool {
	if r.Paused || now.Before(r.From) {
		return false
	}
	sum := sha256.Sum256([]byte(agentID + "\x00" + r.Version))
	return binary.BigEndian.Uint64(sum[:8])%100 < uint64(r.Percent)
}

// Setback is why an agent went back from a version.
type Setback string

const (
	SetbackCrash  Setback = "crash"  // it ended by itself, again and again
	SetbackSilent Setback = "silent" // it did not become healthy in time
)

var wentBack = regexp.MustCompile(`^(v[^+]+)\+back\.(v[0-9A-Za-z.-]+)\.(crash|silent)$`)

// WentBack is the version that an agent tells after it went back from another one:
// the failed one stands in the build metadata (Semantic Versioning 2.0.0, section
// 10), so that collectors of before show it, too.
func WentBack(runs, failed string, why Setback) string {
	return runs + "+back." + failed + "." + string(why)
}

// ReadWentBack takes such a version apart; for any other one, failed is "".
func ReadWentBack(told string) (runs, failed string, why Setback) {
	m := wentBack.FindStringSubmatch(told)
	if m == nil {
		return told, "", ""
	}
	return m[1], m[2], Setback(m[3])
}
