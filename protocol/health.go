package protocol

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"anagrafe/protocol/wire"
)

// Fault is what keeps the facts of a device from being known, or makes them of no
// use. The list is closed: a device's own words may hold anything.
type Fault string

const (
	FaultUnreachable Fault = "unreachable"    // it answered before, and did not in the last search
	FaultPassword    Fault = "no-password"    // it asks for a password, and none was typed
	FaultRefused     Fault = "wrong-password" // it refused the one that was typed, or its clock is so wrong that it refuses all
	FaultLocked      Fault = "locked"         // it locks users out for some time
	FaultCertificate Fault = "certificate"    // it shows another certificate than before
	FaultMaker       Fault = "unknown-maker"  // it speaks, and no interface of it is known
	FaultUnread      Fault = "unread"         // it let the user in, and does not tell when it records or for how long images stay
	FaultClock       Fault = "clock"          // its clock is off by WrongClock or more
	FaultStopped     Fault = "not-recording"  // it says itself that a camera is not recorded
)

// Faults lists all, those first that keep the most from being known.
var Faults = []Fault{FaultUnreachable, FaultLocked, FaultRefused, FaultPassword, FaultCertificate, FaultMaker, FaultUnread, FaultStopped, FaultClock}

// Maker is whose device it is, of a closed list: what an unknown device calls its
// maker may be anything.
type Maker string

// MakerOther is one that is not in the list, MakerUnknown one that was not told.
const (
	MakerOther   Maker = "other"
	MakerUnknown Maker = "unknown"
)

// Makers lists all. Those sold under other names count as their own.
var Makers = []Maker{"hikvision", "dahua", "axis", "uniview", "synology", "reolink", "unifi", "hanwha", "nx", "frigate", "zoneminder", "mediamtx",
	"avigilon", "bosch", "cp-plus", "ezviz", "foscam", "grundig", "honeywell", "imou", "milestone", "mobotix", "panasonic", "pelco", "provision-isr",
	"qnap", "sony", "tiandy", "tp-link", "tvt", "vivotek", "wyze", "xiaomi", MakerOther, MakerUnknown}

// makersToo are names under which makers of the list go.
var makersToo = map[string]Maker{"ubiquiti": "unifi", "samsung": "hanwha", "wisenet": "hanwha", "networkoptix": "nx", "nxwitness": "nx", "dwspectrum": "nx",
	"tplink": "tp-link", "tapo": "tp-link", "cpplus": "cp-plus", "provisionisr": "provision-isr", "unv": "uniview"}

// MakerOf finds the maker in what a device calls it.
func MakerOf(vendor string) Maker {
	bare := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, vendor)
	if bare == "" {
		return MakerUnknown
	}
	for _, m := range Makers[:len(Makers)-2] {
		name := strings.ReplaceAll(string(m), "-", "")
		if bare == name || len(name) > 3 && strings.HasPrefix(bare, name) {
			return m
		}
	}
	for name, m := range makersToo {
		if strings.HasPrefix(bare, name) {
			return m
		}
	}
	return MakerOther
}

var firmwareFamily = regexp.MustCompile(`[0-9]{1,4}\.[0-9]{1,4}`)

// FirmwareFamily is the first two numbers of a version ("V4.30.085 build 200916" is
// "4.30"), "" where there are none: what is below tells one device from another.
func FirmwareFamily(firmware string) string { return firmwareFamily.FindString(firmware) }

// MaxOthers bounds the counts of devices that are not declared, MaxDiagnosis the
// characters of a diagnosis.
const (
	MaxOthers    = 128
	MaxDiagnosis = 8000
	// maxDevices is more than any site's network holds.
	maxDevices = 1 << 16
)

// Health is how an agent and what it reads stand technically. It leaves by itself,
// without personal data: what is not declared is counted, by maker and fault.
type Health struct {
	At           time.Time `json:"at"`
	AgentVersion string    `json:"agent_version"`
	Platform     string    `json:"platform"` // "linux/amd64"
	// SearchedAt is the end of the last whole search; zero: there was none yet.
	SearchedAt time.Time `json:"searched_at,omitzero"`
	// Cameras that were found, of these those whose device answers what it is asked,
	// and those that a person confirmed.
	Found     int              `json:"cameras_found"`
	Answered  int              `json:"cameras_answered"`
	Confirmed int              `json:"cameras_confirmed"`
	Recorders []RecorderHealth `json:"recorders,omitempty"`
	Others    []OtherFaults    `json:"others,omitempty"`
}

// RecorderHealth is of a recorder that is declared.
type RecorderHealth struct {
	RecorderID string  `json:"recorder_id"`
	Maker      Maker   `json:"maker"`
	Model      string  `json:"model,omitempty"`
	Firmware   string  `json:"firmware,omitempty"` // see FirmwareFamily
	Faults     []Fault `json:"faults,omitempty"`
}

// OtherFaults counts devices that are not declared. A device with two faults is
// counted with that which is first in Faults.
type OtherFaults struct {
	Maker   Maker `json:"maker"`
	Fault   Fault `json:"fault,omitempty"` // "": none
	Devices int   `json:"devices"`
}

// Diagnosis is a text about the devices of a site that somebody there has read and
// sent, for the helpdesk.
type Diagnosis struct {
	Text     string   `json:"text"` // lines
	Approval Approval `json:"approval"`
}

func (c checker) health(h Health) {
	c.time("at", h.At)
	c.required("agent_version", h.AgentVersion, maxName)
	c.text("platform", h.Platform, maxName)
	c.optionalTime("searched_at", h.SearchedAt)
	c.number("cameras_found", int64(h.Found), 0, maxDevices)
	c.number("cameras_answered", int64(h.Answered), 0, int64(h.Found))
	c.number("cameras_confirmed", int64(h.Confirmed), 0, MaxCameras)
	c.few("recorders", len(h.Recorders), maxRecorders)
	seen := map[string]bool{}
	for i, r := range h.Recorders {
		at := c.at("recorders", i)
		at.id("recorder_id", r.RecorderID)
		if seen[r.RecorderID] {
			at.add("recorder_id", "occurs twice")
		}
		seen[r.RecorderID] = true
		known(at, "maker", r.Maker, Makers...)
		at.text("model", r.Model, maxName)
		if FirmwareFamily(r.Firmware) != r.Firmware {
			at.add("firmware", "must be two numbers with a point between them")
		}
		at.few("faults", len(r.Faults), len(Faults))
		for j, f := range r.Faults {
			known(at, fmt.Sprintf("faults[%d]", j), f, Faults...)
			if slices.Contains(r.Faults[:j], f) {
				at.add(fmt.Sprintf("faults[%d]", j), "occurs twice")
			}
		}
	}
	c.few("others", len(h.Others), MaxOthers)
	for i, o := range h.Others {
		at := c.at("others", i)
		known(at, "maker", o.Maker, Makers...)
		known(at, "fault", o.Fault, append([]Fault{""}, Faults...)...)
		at.number("devices", int64(o.Devices), 1, maxDevices)
	}
}

func (c checker) diagnosis(d Diagnosis) {
	c.lines("text", d.Text, MaxDiagnosis)
	c.approval(d.Approval)
}

// lines wants a text of several lines that says something.
func (c checker) lines(field, s string, most int) {
	if blank(s) {
		c.add(field, "is missing")
		return
	}
	if utf8.RuneCountInString(s) > most {
		c.add(field, "has more than %d characters", most)
		return
	}
	c.text(field, strings.ReplaceAll(s, "\n", " "), most)
}

func healthToWire(h Health) *wire.Health {
	w := &wire.Health{At: timeToWire(h.At), AgentVersion: h.AgentVersion, Platform: h.Platform, SearchedAt: timeToWire(h.SearchedAt),
		CamerasFound: uint32(h.Found), CamerasAnswered: uint32(h.Answered), CamerasConfirmed: uint32(h.Confirmed)}
	for _, r := range h.Recorders {
		to := &wire.RecorderHealth{RecorderId: r.RecorderID, Maker: string(r.Maker), Model: r.Model, Firmware: r.Firmware}
		for _, f := range r.Faults {
			to.Faults = append(to.Faults, string(f))
		}
		w.Recorders = append(w.Recorders, to)
	}
	for _, o := range h.Others {
		w.Others = append(w.Others, &wire.OtherFaults{Maker: string(o.Maker), Fault: string(o.Fault), Devices: uint32(o.Devices)})
	}
	return w
}

func healthFromWire(w *wire.Health) Health {
	h := Health{At: timeFromWire(w.GetAt()), AgentVersion: w.GetAgentVersion(), Platform: w.GetPlatform(), SearchedAt: timeFromWire(w.GetSearchedAt()),
		Found: int(w.GetCamerasFound()), Answered: int(w.GetCamerasAnswered()), Confirmed: int(w.GetCamerasConfirmed())}
	for _, r := range w.GetRecorders() {
		from := RecorderHealth{RecorderID: r.GetRecorderId(), Maker: Maker(r.GetMaker()), Model: r.GetModel(), Firmware: r.GetFirmware()}
		for _, f := range r.GetFaults() {
			from.Faults = append(from.Faults, Fault(f))
		}
		h.Recorders = append(h.Recorders, from)
	}
	for _, o := range w.GetOthers() {
		h.Others = append(h.Others, OtherFaults{Maker: Maker(o.GetMaker()), Fault: Fault(o.GetFault()), Devices: int(o.GetDevices())})
	}
	return h
}
