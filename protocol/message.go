package protocol

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Limits of one message. A device's answer has a limit of its own.
const (
	// Version is the protocol version this program speaks: see doc.go for its history.
	Version = 4
	// MaxMessage is the largest encoded Message, in bytes.
	MaxMessage = 1 << 20
	// MaxCameras is the most cameras that one site may declare.
	MaxCameras = 512
	// maxRecorders is the most recorders of one site: a camera that records
	// onto its own card is its own recorder, hence as many as cameras.
	maxRecorders = MaxCameras
	// maxContacts is the most contacts of one site.
	maxContacts = 32
	// maxIntervals is the most intervals in one row of a schedule: half-hours.
	maxIntervals = 48
	// maxSuspensions is the most suspensions of one schedule.
	maxSuspensions = 64
	// MaxNotice is the largest encoded Notice, in bytes.
	MaxNotice = 64 << 10
)

// Message is what an agent sends: one numbered statement about one site.
// Messages of a site are ordered by (Epoch, Revision).
type Message struct {
	ID       string // UUID made by the agent; the same id twice is one message
	SiteID   string // UUID made by the collector
	Epoch    int64  // the grant's enrolment epoch, from 1
	Revision int64  // counts the site's messages within the epoch, from 1
	MadeAt   time.Time
	Body     Body
}

// Body is one of Declaration, Observation, Withdrawal, SiteSuspension, Reply, Health, Diagnosis
// (values, not pointers).
type Body interface{ body() }

func (Declaration) body()    {}
func (Observation) body()    {}
func (Withdrawal) body()     {}
func (SiteSuspension) body() {}
func (Reply) body()          {}
func (Health) body()         {}
func (Diagnosis) body()      {}

// Declaration is the full state of a site as a person confirmed it: what it
// does not name is no longer declared.
type Declaration struct {
	Site      Site       `json:"site"`
	Contacts  []Contact  `json:"contacts,omitempty"`
	Recorders []Recorder `json:"recorders,omitempty"`
	Cameras   []Camera   `json:"cameras,omitempty"`
	Approval  Approval   `json:"approval"`
}

// Withdrawal takes the whole site out of the register.
type Withdrawal struct {
	Approval Approval `json:"approval"`
}

// SiteSuspension hides the whole site from search, or ends that. What is recorded
// of it stays, and goes on being recorded. No reason is asked for.
type SiteSuspension struct {
	Resumed bool `json:"resumed,omitempty"` // it is shown again
	// Until is when the collector shows it again by itself; zero: when somebody resumes it.
	Until    time.Time `json:"until,omitzero"`
	Approval Approval  `json:"approval"`
}

// Approval says who decided, in which role, and when.
type Approval struct {
	By   string    `json:"by"` // the person's name as they gave it
	Role Role      `json:"role"`
	At   time.Time `json:"at"`
	// NoticeVersion is that of the information notice which they say to have read;
	// "" where none was shown: on a command line, and before protocol version 3.
	NoticeVersion string `json:"notice_version,omitempty"`
}

// Observation carries the closed list of measured facts that leave by
// themselves after adhesion: clock, oldest footage, reachability, the
// recorder's schedule and retention. An empty one is the daily sign of life.
type Observation struct {
	Recorders []RecorderObservation `json:"recorders,omitempty"`
	Cameras   []CameraObservation   `json:"cameras,omitempty"`
}

// RecorderObservation is one look at a recorder.
type RecorderObservation struct {
	RecorderID string    `json:"recorder_id"`
	At         time.Time `json:"at"`
	Reachable  bool      `json:"reachable"`
	Clock      *Clock    `json:"clock,omitempty"` // nil when it was not read
}

// CameraObservation is one look at what a recorder keeps of a camera; nil
// fields were not read.
type CameraObservation struct {
	CameraID      string     `json:"camera_id"`
	At            time.Time  `json:"at"`
	OldestFootage time.Time  `json:"oldest_footage,omitzero"` // zero: not read
	Schedule      *Schedule  `json:"schedule,omitempty"`
	Retention     *Retention `json:"retention,omitempty"`
}

// Receipt is the collector's word that a message is durably recorded.
type Receipt struct {
	MessageID  string
	SiteID     string
	SHA256     [32]byte // of the encoded message
	RecordedAt time.Time
	Duplicate  bool
	// SiteStays is said of a withdrawal that took away only what its agent had
	// declared: another agent was enrolled for the site after it was made.
	SiteStays bool

	// Note is all of the above but Duplicate and SiteStays, signed ([OpenReceipt]);
	// "" from a collector of version 1.
	Note string
	// OwnerLink is the page on which the owner suspends or withdraws the site from
	// any browser, and OwnerCode what is typed there; neither with a withdrawal.
	OwnerLink string
	OwnerCode Code
}

// Kind names the body: "declaration", "observation", "withdrawal", "suspension",
// "reply", "health", "diagnosis", or "" for none.
func (m Message) Kind() string {
	switch m.Body.(type) {
	case Declaration:
		return "declaration"
	case Observation:
		return "observation"
	case Withdrawal:
		return "withdrawal"
	case SiteSuspension:
		return "suspension"
	case Reply:
		return "reply"
	case Health:
		return "health"
	case Diagnosis:
		return "diagnosis"
	}
	return ""
}

// version is the oldest version that knows all that the message says: a collector
// one release behind takes what it can read.
func (m Message) version() uint32 {
	switch b := m.Body.(type) {
	case Health, Diagnosis:
		return 4
	case SiteSuspension:
		return 3
	case Declaration:
		if b.Approval.NoticeVersion != "" || slices.ContainsFunc(b.Contacts, func(c Contact) bool { return c.Alerts }) {
			return 3
		}
	case Withdrawal:
		if b.Approval.NoticeVersion != "" {
			return 3
		}
	case Reply:
		return 2
	}
	return 1
}

// MarshalJSON returns the message as a person may read it before and after it
// leaves: exactly what is encoded (times in UTC to the microsecond, ages in
// whole seconds), never more.
func (m Message) MarshalJSON() ([]byte, error) {
	var ignored FieldErrors // what cannot be sent is for Validate to say
	c := fromWire(toWire(m), &ignored)
	b, err := json.Marshal(struct {
		ID       string    `json:"id"`
		SiteID   string    `json:"site_id"`
		Epoch    int64     `json:"epoch"`
		Revision int64     `json:"revision"`
		MadeAt   time.Time `json:"made_at"`
		Kind     string    `json:"kind"`
		Body     Body      `json:"body"`
	}{c.ID, c.SiteID, c.Epoch, c.Revision, c.MadeAt, c.Kind(), c.Body})
	if err != nil {
		return nil, fmt.Errorf("message %s as JSON: %w", m.ID, err)
	}
	return b, nil
}
