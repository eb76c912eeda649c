package protocol

import (
	"strings"
	"time"
)

// Source says where a fact comes from.
type Source string

const (
	SourceUnknown Source = ""
	Declared      Source = "declared"  // a person typed it
	Measured      Source = "measured"  // the agent read it
	Confirmed     Source = "confirmed" // a person confirmed what the agent had read
)

// Fact is where and when a group of values comes from.
type Fact struct {
	Source Source    `json:"source"`
	At     time.Time `json:"at"`
}

// Answer is what can honestly be said: unknown is not no.
type Answer string

const (
	Yes     Answer = "yes"
	OnEvent Answer = "on-event" // only if something moved or an alarm went off
	No      Answer = "no"
	Unknown Answer = "unknown"
)

// Era is a value in force from From until the next era of the same series.
type Era[T any] struct {
	From  time.Time `json:"from"`
	Value T         `json:"value"`
}

// Role is what a person is to the site.
type Role string

const (
	RoleOwner       Role = "owner"
	RoleReferent    Role = "referent"     // technical referent
	RoleControlRoom Role = "control-room" // answers 24 hours
)

// Category is the kind of a site.
type Category string

// Categories lists every category that a declaration may name.
var Categories = []Category{"bank", "pharmacy", "shop", "bar-restaurant", "hotel", "condominium",
	"transport", "school", "health", "public-body", "company", "private-home", "other"}

// Site is one place of one organisation.
type Site struct {
	Name     string   `json:"name"`
	Category Category `json:"category"`
	Address  string   `json:"address"`
}

// Contact is a person or office to call. One of Phone, Email, PEC is present.
type Contact struct {
	Name  string `json:"name"`
	Role  Role   `json:"role"`
	Phone string `json:"phone,omitempty"`
	Email string `json:"email,omitempty"`
	PEC   string `json:"pec,omitempty"`
	Hours string `json:"hours,omitempty"` // when they answer, in the owner's words
	// Alerts is their own wish to be told when the recorder stops or its clock is wrong.
	Alerts bool `json:"alerts,omitempty"`
}

// Storage is where the images are kept.
type Storage string

const (
	StorageUnknown    Storage = ""
	StorageOnPremises Storage = "on-premises"
	StorageCloud      Storage = "cloud"
	StorageThirdParty Storage = "third-party"
)

// Recorder is the device that keeps the images; a camera that records onto its
// own card is its own recorder.
type Recorder struct {
	ID          string  `json:"id"` // UUID made by the agent
	Vendor      string  `json:"vendor"`
	Model       string  `json:"model"`
	Name        string  `json:"name"`
	Storage     Storage `json:"storage,omitempty"`
	StorageNote string  `json:"storage_note,omitempty"` // which room, in words
	Clock       *Clock  `json:"clock,omitempty"`        // nil: never read
}

// MakerModel names a device by its maker and model, each once: what has no models,
// such as a program, often gives its own name as both.
func MakerModel(vendor, model string) string {
	if vendor == "" || strings.HasPrefix(strings.ToLower(model), strings.ToLower(vendor)) {
		return model
	}
	return strings.TrimSpace(vendor + " " + model)
}

// Camera is one camera as it is declared.
type Camera struct {
	ID            string    `json:"id"` // UUID made by the agent
	RecorderID    string    `json:"recorder_id"`
	Channel       string    `json:"channel,omitempty"`
	Name          string    `json:"name"` // as it stands on the recorder
	NameFact      Fact      `json:"name_fact"`
	Position      Position  `json:"position"`
	View          View      `json:"view"`
	Schedule      Schedule  `json:"schedule"`
	Retention     Retention `json:"retention"`
	OutdoorPublic Outdoor   `json:"outdoor_public"`
}

// Outdoor is a person's answer to "does it film an outdoor area open to the
// public?". Only a yes can be declared.
type Outdoor struct {
	Yes bool      `json:"yes"`
	By  string    `json:"by"`
	At  time.Time `json:"at"`
}

// MissingForDeclaration names what a camera still lacks before it may be
// declared, in the order in which a person is asked: any of "name",
// "position", "outdoor_public". Nil: nothing.
func MissingForDeclaration(c Camera) []string {
	var missing []string
	if blank(c.Name) {
		missing = append(missing, "name")
	}
	if !c.Position.Placed() {
		missing = append(missing, "position")
	}
	if !c.OutdoorPublic.Yes {
		missing = append(missing, "outdoor_public")
	}
	return missing
}
