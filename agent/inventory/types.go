package inventory

import (
	"errors"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// Errors that callers distinguish. Each is wrapped with what to do.
var (
	// ErrNotEnrolled: there is no grant, so there is nobody to declare to.
	ErrNotEnrolled = errors.New("this computer is not enrolled yet")
	// ErrUnknown: no camera, device or site has that id.
	ErrUnknown = errors.New("not known here")
)

// Site is one that this computer may speak for.
type Site struct {
	protocol.Grant
	Collector string `json:"collector"` // who gave the grant; https://host:port
	// State is what was decided about the site, here or elsewhere as a notice
	// told: protocol.SiteSuspended, protocol.SiteWithdrawn, or "". Suspend and
	// Resume change it from here.
	State protocol.SiteState `json:"state,omitempty"`
	// SuspendedUntil is when the register shows the site again by itself; zero: it does
	// not, or it was suspended elsewhere.
	SuspendedUntil time.Time `json:"suspended_until,omitzero"`
}

// State is where a camera stands with the owner.
type State string

// A camera's states. Only StateDeclared is in the register.
const (
	StateFound     State = "found"     // something is still missing, see Camera.Missing
	StateReady     State = "ready"     // complete, waits for the owner's yes
	StateRefused   State = "refused"   // the owner keeps it out
	StateDeclared  State = "declared"  // in the site's last declaration
	StateWithdrawn State = "withdrawn" // was declared, taken out
)

// Mine is whose a camera is by the owner's word. One that is somebody else's is
// refused (KeepOut).
type Mine string

// The answers; "" is none yet.
const (
	MineYes   Mine = "yes"
	MineLater Mine = "later" // decides another time; until then it enters no message
)

// Device is what the owner is shown of a device on this network.
type Device struct {
	ID          string            `json:"id"` // also protocol.Recorder.ID
	Kind        interrogate.Kind  `json:"kind"`
	Vendor      string            `json:"vendor"`
	Model       string            `json:"model"`
	Firmware    string            `json:"firmware,omitempty"`
	Name        string            `json:"name"`
	Address     string            `json:"address"` // host:port; shown here, never sent
	FoundBy     []string          `json:"found_by"`
	Needs       interrogate.Needs `json:"needs"`
	HasPassword bool              `json:"has_password"` // the owner has typed one
	Clock       *protocol.Clock   `json:"clock,omitempty"`
	Zone        string            `json:"zone,omitempty"`
	ZoneAssumed bool              `json:"zone_assumed,omitempty"` // Zone is the agent's assumption
	// Family is whose own interface was ever read, "" ONVIF alone; Kept is where it
	// says that images are; Facts are its words for "clock", "zone" and "kept".
	Family interrogate.Family          `json:"family,omitempty"`
	Kept   interrogate.Kept            `json:"kept,omitempty"`
	Facts  map[string]interrogate.Fact `json:"facts,omitempty"`
	// Storage is where the owner says that they are, and StorageNote in which room.
	Storage     protocol.Storage      `json:"storage,omitempty"`
	StorageNote string                `json:"storage_note,omitempty"`
	SeenAt      time.Time             `json:"seen_at"`              // last look that found it
	AnsweredAt  time.Time             `json:"answered_at,omitzero"` // last look in which it spoke
	Reachable   bool                  `json:"reachable"`            // it spoke in the last look that asked it
	Problems    []interrogate.Problem `json:"problems,omitempty"`
	ByHand      bool                  `json:"by_hand,omitempty"` // the owner listed it: no look has found it
}

// Camera is one channel of a device, and what the owner said of it.
type Camera struct {
	ID      string `json:"id"`
	State   State  `json:"state"`
	SiteID  string `json:"site_id,omitempty"` // "" until chosen, where there are several grants
	Device  Device `json:"device"`
	Mine    Mine   `json:"mine,omitempty"`
	Outdoor *bool  `json:"outdoor_public,omitempty"` // nil: not answered
	// Values is what would be declared if the owner said yes now.
	Values protocol.Camera `json:"values"`
	// Declared is what is declared; nil when it is not.
	Declared *protocol.Camera `json:"declared,omitempty"`
	// Changed names the groups in which Values differs from Declared and that
	// wait for a yes: "name", "position", "view", "schedule" and "retention" where
	// they are the owner's words; "contact" when the site's
	// contacts are others than were declared; "recorder" when its footage is kept
	// elsewhere than was declared, or it is declared under two ids;
	// "outdoor_public", see AskAgain; and "rejected" when the collector has
	// refused the declaration, which only a new yes repeats.
	Changed []string `json:"changed,omitempty"`
	// Channel is the recorder's own number or name for it, for people; "" where
	// only a protocol's token is known.
	Channel string `json:"channel,omitempty"`
	// Differs names what the device now tells otherwise than is Declared:
	// "schedule", "retention". It leaves by itself and waits for nobody.
	Differs []string `json:"differs,omitempty"`
	// Facts are, for "name", "resolution", "schedule", "retention" and "oldest",
	// when and by which question the value was read, and the device's own words;
	// for the owner's eyes, never sent.
	Facts map[string]interrogate.Fact `json:"facts,omitempty"`
	// Hours is when it records in the owner's words (see ParseHours), "" where he has
	// said nothing, and HoursAt when he last said or confirmed when it records and for
	// how long images stay. What the device tells instead is in Overruled.
	Hours     string    `json:"hours,omitempty"`
	HoursAt   time.Time `json:"hours_at,omitzero"`
	Overruled overruled `json:"overruled,omitzero"`
	// ByHand: the owner listed it, its recorder has not told it yet.
	ByHand bool `json:"by_hand,omitempty"`
	// Depth is how far back its footage was seen to reach.
	Depth Depth `json:"depth,omitzero"`
	// Missing names what it lacks to be declared: "name", "position",
	// "outdoor_public", "contact", "site", "place" (the site has no name), "takeover" (what
	// was typed of the site on a form waits for its owner, see TakeOver).
	Missing []string  `json:"missing,omitempty"`
	SeenAt  time.Time `json:"seen_at"`
	// AskAgain: two entries with a yes and a no turned out to be this camera, or
	// another camera is on the channel now. Until Outdoor is answered again no
	// more of it leaves; what is declared stays as it is.
	AskAgain bool `json:"ask_again,omitempty"`
	// MaybeSame is the id of an entry that may be the same camera: only a name or
	// an address says so. If it is, the owner keeps one of the two out.
	MaybeSame string `json:"maybe_same,omitempty"`
	// Paths are the ways in which it is seen; the first is where its footage is
	// kept, and is Device.
	Paths []Path `json:"paths"`
}

// Path is one way in which a camera is seen.
type Path struct {
	DeviceID string    `json:"device_id"`
	Address  string    `json:"address"` // host:port; shown here, never sent
	SeenAt   time.Time `json:"seen_at"` // last look that saw the camera there
}

// Edit is what the owner says of a camera; a nil field stays as it was.
type Edit struct {
	Name      *string  `json:"name,omitempty"`
	Mine      Mine     `json:"mine,omitempty"`           // "" stays as it was
	Outdoor   *bool    `json:"outdoor_public,omitempty"` // only their owner is asked: with it a camera is mine
	Lon       *float64 `json:"lon,omitempty"`            // degrees WGS84; with Lat
	Lat       *float64 `json:"lat,omitempty"`
	AccuracyM *int     `json:"accuracy_m,omitempty"` // default 20
	Method    string   `json:"method,omitempty"`     // how it was placed; default "typed"
	Direction *int     `json:"direction,omitempty"`  // degrees clockwise from north
	Angle     *int     `json:"angle,omitempty"`      // degrees
	RangeM    *int     `json:"range,omitempty"`      // metres
	SiteID    *string  `json:"site_id,omitempty"`
	// Schedule is when it records, as ParseHours reads it, and Days how many days its
	// images stay (0: "I do not know"). HoursRight confirms what is known of both.
	Schedule   *string `json:"schedule,omitempty"`
	Days       *int    `json:"days,omitempty"`
	HoursRight bool    `json:"hours_right,omitempty"`
	// Where the camera's recorder keeps images; for all cameras on it.
	Storage     *protocol.Storage `json:"storage,omitempty"`
	StorageNote *string           `json:"storage_note,omitempty"` // which room; with Storage, "" none
	// Clear names what goes back to "not said": "name", "outdoor_public",
	// "position", "direction", "angle", "range", "storage", "schedule", "days",
	// "mine".
	Clear []string `json:"clear,omitempty"`
	By    string   `json:"by,omitempty"` // who says so
}

// Result is what became of one camera that was to be approved: declared when
// Missing and Error are both empty.
type Result struct {
	ID      string   `json:"id"`
	Missing []string `json:"missing,omitempty"` // as Camera.Missing
	Error   string   `json:"error,omitempty"`
}

// SentState is what became of a message.
type SentState string

const (
	Waiting      SentState = "waiting"
	Acknowledged SentState = "acknowledged" // the collector has recorded it durably
	Rejected     SentState = "rejected"     // the collector refused it for good
)

// Sent is one message of the outbox, sent or waiting.
type Sent struct {
	ID         string           `json:"id"`
	SiteID     string           `json:"site_id"`
	Kind       string           `json:"kind"` // "declaration", "observation", "withdrawal", "suspension", "reply", "health", "diagnosis"
	MadeAt     time.Time        `json:"made_at"`
	State      SentState        `json:"state"`
	RecordedAt time.Time        `json:"recorded_at,omitzero"` // of the receipt
	Transport  string           `json:"transport,omitempty"`  // "h3", "h2": how it went
	Why        string           `json:"why,omitempty"`        // of a rejection; of a withdrawal, see WhySiteStays
	Receipt    string           `json:"receipt,omitempty"`    // a note that the collector signed (protocol.OpenReceipt); "" from one that signs none
	SHA256     string           `json:"sha256"`               // hex, of Raw
	Raw        []byte           `json:"raw"`                  // the very bytes, base64 in JSON
	Message    protocol.Message `json:"message"`              // the same, readable
}
