package interrogate

import (
	"context"

	"anagrafe/agent/discover"
	"anagrafe/protocol"
)

// Credential is a device's user and password. It is never logged.
type Credential struct{ User, Password string }

// Memory knows the passwords that the owner typed and which of them a device
// has refused. It outlives the program: a refused password is not tried again
// until the owner changes it.
type Memory interface {
	// Credential gives what the owner typed for this device, or ok=false.
	Credential(ctx context.Context, s discover.Sighting) (c Credential, ok bool, err error)
	// Refused tells whether this device has refused c: known by any of its
	// Sighting.Keys, since it may have shown only the other one at the time.
	Refused(ctx context.Context, s discover.Sighting, c Credential) (bool, error)
	// Refuse records that it has.
	Refuse(ctx context.Context, s discover.Sighting, c Credential) error
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
	Channels   []Channel
	Errors     []Problem // what could not be read, and why
	Answered   bool      // it spoke ONVIF, if only to refuse
}

// Channel is one picture source: of a recorder, or the camera itself.
type Channel struct {
	ID        string // the device's own token: stable, not for people
	Name      string // "" when the device names none
	WidthPx   int    // of the main stream; 0 unknown
	HeightPx  int
	Turns     bool // it has a motor (PTZ)
	Infrared  bool
	Schedule  protocol.Schedule
	Retention protocol.Retention
	Facts     map[string]protocol.Fact // of "name", "resolution", "schedule", "retention": present when the device said something
}

// Problem is something that could not be read.
type Problem struct {
	What string `json:"what"` // the operation, e.g. "GetRecordings"
	Why  string `json:"why"`
}
