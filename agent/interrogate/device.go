package interrogate

import (
	"context"

	"anagrafe/agent/discover"
	"anagrafe/protocol"
)

// Credential is a device's user and password. It is never logged.
type Credential struct{ User, Password string }

// Memory knows the passwords that the owner typed, which of them a device has
// refused, and the certificate by which a device is known. It outlives the
// program: a refused password is not tried again until the owner changes it, and
// a device that shows another certificate is not talked to until the owner says
// that it is the same.
type Memory interface {
	// Credential gives what the owner typed for this device, or ok=false.
	Credential(ctx context.Context, s discover.Sighting) (c Credential, ok bool, err error)
	// Refused tells whether this device has refused c: known by any of its
	// Sighting.Keys, since it may have shown only the other one at the time.
	Refused(ctx context.Context, s discover.Sighting, c Credential) (bool, error)
	// Refuse records that it has. When it fails, nothing more is asked of the device.
	Refuse(ctx context.Context, s discover.Sighting, c Credential) error
	// Pinned gives the SHA-256 of the certificate (DER) that this device, by any of
	// its Sighting.Keys, showed at first use; ok=false: none is kept.
	Pinned(ctx context.Context, s discover.Sighting) (sha256 []byte, ok bool, err error)
	// Pin keeps it. When it fails, no password is sent.
	Pin(ctx context.Context, s discover.Sighting, sha256 []byte) error
}

// Kind is what a device is to the register.
type Kind string

// The kinds of device.
const (
	KindCamera   Kind = "camera"
	KindRecorder Kind = "recorder"
)

// Needs is what the owner must give before the device says more.
type Needs string

// What may be lacking.
const (
	NeedsNothing         Needs = "nothing"
	NeedsCredentials     Needs = "credentials"       // it asks for a password and none is known
	NeedsPasswordOrClock Needs = "password-or-clock" // it refused, and its clock could not be read first
	NeedsWrongPassword   Needs = "wrong-password"    // it refused, its clock being known
	NeedsCertificate     Needs = "certificate"       // it shows another certificate than before: nothing is sent until the owner accepts it
)

// Device is what one device said of itself. Texts are trimmed, bounded, and
// free of the credentials that devices echo.
type Device struct {
	Sighting   discover.Sighting
	Kind       Kind
	Vendor     string
	Model      string
	Firmware   string
	Serial     string // may be missing or the same on every device of a maker
	HardwareID string
	Name       string          // as the owner or the factory named it
	MACs       []string        // lower case with colons; for identity only, they never leave the site
	Clock      *protocol.Clock // nil: not read
	Zone       string          // of the device: IANA, or fixed as "UTC+01:00"; "" unknown
	Needs      Needs
	Storage    []string // the kinds of place where it keeps images, as ONVIF names them: "LocalStorage", "NFS", "CIFS", ...
	Suggested  *Place   // where it says it is; to be offered to the owner, never sent
	Channels   []Channel
	Errors     []Problem // what could not be read, and why
	Answered   bool      // it spoke ONVIF, if only to refuse
}

// Place is a position that a device was told, degrees WGS84.
type Place struct{ Lat, Lon float64 }

// Channel is one picture source: of a recorder, or the camera itself.
//
// Decision: Name is never made of on-screen text, which may not leave the site
// (DESIGN 4). That text has a field of its own, which nothing copies: whoever
// shows it offers it to the owner, and only what the owner then types is a name.
type Channel struct {
	ID        string // the device's own token: stable, not for people
	Name      string // "" when the device names none
	WidthPx   int    // of the main stream; 0 unknown
	HeightPx  int
	Turns     bool // it has a motor (PTZ)
	Infrared  bool
	Analogue  bool      // a video input of a hybrid recorder; false also where that is not known
	OnScreen  string    // the text in the picture, for the owner's eyes only; it never leaves the site
	Camera    *Identity // the camera behind a recorder's channel, nil if the recorder does not tell
	Schedule  protocol.Schedule
	Retention protocol.Retention
	Facts     map[string]protocol.Fact // of "name", "resolution", "schedule", "retention": present when the device said something
}

// Identity is what a recorder tells of the camera behind a channel. All of it
// serves to recognise a camera that was also seen directly; none of it leaves
// the site, but for the name if the owner keeps it.
type Identity struct {
	Serial   string
	MACs     []string // as in Device
	Endpoint string   // "urn:uuid:..."
	Name     string
	Address  string // an IP address, often of a network that only the recorder reaches
}

// Problem is something that could not be read.
type Problem struct {
	What string `json:"what"` // the operation, e.g. "GetRecordings"
	Why  string `json:"why"`
}
