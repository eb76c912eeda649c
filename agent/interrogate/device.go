package interrogate

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/protocol"
)

// Credential is a device's user and password. It is never logged.
type Credential struct {
	User, Password string
	// For is the host for which the owner typed it; the zero Addr: not known. To
	// another one, which may only claim to be the device, it is not sent readable
	// unless that shows the certificate by which the device is known.
	For netip.Addr `json:",omitzero"`
}

// Door is where a device lets users in: some keep users of their own for ONVIF.
type Door string

// The doors of a device.
const (
	EveryDoor Door = ""
	DoorONVIF Door = "onvif"
	DoorOwn   Door = "own" // the maker's own interface

	// NoVerdict is no door: a device answered c in a way that is neither a yes nor a
	// no, and may be counting. What happens a second time counts as a refusal.
	NoVerdict Door = "no verdict"
)

// Memory knows the passwords that the owner typed, which of them a device has
// refused, and the certificate by which a device is known. It outlives the
// program: a refused password is not tried again until the owner changes it, and
// a device that shows another certificate is not talked to until the owner says
// that it is the same.
type Memory interface {
	// Credential gives what the owner typed for this device, or ok=false.
	Credential(ctx context.Context, s discover.Sighting) (c Credential, ok bool, err error)
	// Refused tells whether this device has refused c, at this door or at every one:
	// known by any of its Sighting.Keys, since it may have shown only the other one
	// at the time.
	Refused(ctx context.Context, s discover.Sighting, c Credential, at Door) (bool, error)
	// Refuse records that it has. When it fails, nothing more is asked of the device.
	Refuse(ctx context.Context, s discover.Sighting, c Credential, at Door) error
	// Accept records that it has let c in: a NoVerdict of before is forgotten.
	Accept(ctx context.Context, s discover.Sighting, c Credential) error
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

// Family names the maker's own interface that told of a device, beside ONVIF.
type Family string

// The families, in the order in which a host that names no maker is tried.
const (
	Hikvision  Family = "hikvision"  // ISAPI
	Dahua      Family = "dahua"      // CGI
	Axis       Family = "axis"       // VAPIX
	Uniview    Family = "uniview"    // LAPI
	Synology   Family = "synology"   // Surveillance Station
	Reolink    Family = "reolink"    // HTTP API
	UniFi      Family = "unifi"      // Protect
	Hanwha     Family = "hanwha"     // SUNAPI
	Nx         Family = "nx"         // Nx Witness, DW Spectrum, Wisenet WAVE
	Frigate    Family = "frigate"    // Frigate
	ZoneMinder Family = "zoneminder" // ZoneMinder
	MediaMTX   Family = "mediamtx"   // MediaMTX
)

// Kept is where a device says that its images are.
type Kept string

// Places of images. Which room that is only a person knows.
const (
	KeptUnknown Kept = ""
	KeptDisk    Kept = "disk"   // its own disks or card
	KeptShare   Kept = "share"  // a share of another machine on the network
	KeptRemote  Kept = "remote" // elsewhere: FTP or a cloud
	KeptSeveral Kept = "several"
)

// Fact is where and when a group of values was read, and from which words.
type Fact struct {
	protocol.Fact
	From string `json:"from,omitempty"` // the question, e.g. "GET /ISAPI/ContentMgmt/record/tracks", "onvif GetRecordings"
	Raw  string `json:"raw,omitempty"`  // the device's own words, bounded; for people, never sent
}

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
	// ZoneAssumed: it keeps wall time and does not say in which zone; Zone is the agent's assumption.
	ZoneAssumed bool
	Needs       Needs
	Family      Family          // whose own interface was read; "": ONVIF alone
	Kept        Kept            // where its images are
	Facts       map[string]Fact // of "clock", "zone", "kept": present when it said something
	Suggested   *place          // where it says it is; to be offered to the owner, never sent
	Channels    []Channel
	Errors      []Problem // what could not be read, and why
	Answered    bool      // it spoke ONVIF, if only to refuse
}

// place is a position that a device was told, degrees WGS84.
type place struct{ Lat, Lon float64 }

// Channel is one picture source: of a recorder, or the camera itself.
//
// Decision: Name is never made of on-screen text, which may not leave the
// site. That text has a field of its own, which nothing copies: whoever
// shows it offers it to the owner, and only what the owner then types is a name.
type Channel struct {
	ID        string   // the device's own token: stable, not for people
	Also      []string // other tokens by which the same channel may have been told, e.g. ONVIF's
	Name      string   // "" when the device names none
	WidthPx   int      // of the main stream; 0 unknown
	HeightPx  int
	Turns     bool // it has a motor (PTZ)
	Infrared  bool
	Analogue  bool      // a video input of a hybrid recorder; false also where that is not known
	OnScreen  string    // the text in the picture, for the owner's eyes only; it never leaves the site
	Camera    *Identity // the camera behind a recorder's channel, nil if the recorder does not tell
	Schedule  protocol.Schedule
	Retention protocol.Retention
	Facts     map[string]Fact // of "name", "resolution", "schedule", "retention", "oldest": present when the device said something
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

// What a device that locks users out is reported with.
const (
	lockedUser = "it has locked this user after wrong passwords"
	blockedUs  = "it blocks this computer after wrong passwords"
)

// Locked tells that the device lets nobody in for some time.
func (p Problem) Locked() bool {
	return strings.Contains(p.Why, lockedUser) || strings.Contains(p.Why, blockedUs)
}

// fact notes that the device told something about itself, in raw words.
func (d *Device) fact(group, from, raw string, now time.Time) {
	if d.Facts == nil {
		d.Facts = map[string]Fact{}
	}
	d.Facts[group] = Fact{protocol.Fact{Source: protocol.Measured, At: now}, cut(from), rawWords(raw)}
}

// kept notes where images are, unless a better answer is there.
func (d *Device) kept(k Kept, from, raw string, now time.Time) {
	if k != KeptUnknown && d.Kept == KeptUnknown {
		d.Kept = k
		d.fact("kept", from, raw, now.UTC().Truncate(time.Second))
	}
}
