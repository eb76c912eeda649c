package protocol

import (
	"encoding/json"
	"fmt"
	"time"

	"anagrafe/protocol/wire"

	"google.golang.org/protobuf/proto"
)

// Notice is what the collector hands down to the agents of a site. Nothing in
// one makes an agent scan or read a device: it is for the owner's eyes. What the agent
// replies by itself is listed at ReplyState.
type Notice struct {
	ID     string // UUID made by the collector; the same id twice is one notice
	SiteID string
	At     time.Time
	Body   NoticeBody
}

// NoticeBody is one of Preserve, SiteChange, Reminder, Letter (values, not pointers).
type NoticeBody interface{ NoticeKind() NoticeKind }

// NoticeKind names what a notice says, where it is kept: its body is JSON there.
type NoticeKind string

const (
	NoticePreserve   NoticeKind = "preserve"
	NoticeSiteChange NoticeKind = "site-change"
	NoticeReminder   NoticeKind = "reminder"
	NoticeLetter     NoticeKind = "letter"
)

func (Preserve) NoticeKind() NoticeKind   { return NoticePreserve }
func (SiteChange) NoticeKind() NoticeKind { return NoticeSiteChange }
func (Reminder) NoticeKind() NoticeKind   { return NoticeReminder }
func (Letter) NoticeKind() NoticeKind     { return NoticeLetter }

// DecodeNotice reads a body that was kept as JSON.
func DecodeNotice(kind NoticeKind, text []byte) (NoticeBody, error) {
	switch kind {
	case NoticePreserve:
		return decodeBody[Preserve](text)
	case NoticeSiteChange:
		return decodeBody[SiteChange](text)
	case NoticeReminder:
		return decodeBody[Reminder](text)
	case NoticeLetter:
		return decodeBody[Letter](text)
	}
	return nil, fmt.Errorf("a kept notice is of the unknown kind %q", kind)
}

func decodeBody[T NoticeBody](text []byte) (NoticeBody, error) {
	var body T
	if err := json.Unmarshal(text, &body); err != nil {
		return nil, fmt.Errorf("a kept notice, %s, is damaged: %w", body.NoticeKind(), err)
	}
	return body, nil
}

// NoticeLife is how long a request to preserve, or a reminder, is of use: hardly
// any store keeps footage for longer. Both ends close one that nobody answered by
// then, and delete what it says some time later.
const NoticeLife = 90 * 24 * time.Hour

// RequestKind is by which rule footage is asked for.
type RequestKind string

const (
	Invitation RequestKind = "invitation" // art. 348 c.p.p.: the owner may say no
	Order      RequestKind = "order"      // art. 354 c.p.p.: given by an ufficiale di polizia giudiziaria
)

// Preserve asks that footage is kept from being overwritten.
type Preserve struct {
	Kind      RequestKind `json:"kind"`
	From      string      `json:"from"` // force, office and officer, as the owner reads it
	Phone     string      `json:"phone,omitempty"`
	Reference string      `json:"reference,omitempty"` // of the case, to be quoted
	Start     time.Time   `json:"start"`
	End       time.Time   `json:"end"`
	CameraIDs []string    `json:"camera_ids"` // as declared
	CheckCode string      `json:"check_code"` // to be checked on the collector's page
}

// SiteState is what became of a whole site.
type SiteState string

const (
	SiteWithdrawn SiteState = "withdrawn" // with the owner's link, or by another agent; none brings it back
	SiteSuspended SiteState = "suspended"
	SiteResumed   SiteState = "resumed"
)

// SiteChange tells what was decided about the site elsewhere than at this agent.
type SiteChange struct {
	State SiteState `json:"state"`
	At    time.Time `json:"at"`
}

// Reminder asks the owner to look at something.
type Reminder struct {
	Reason string `json:"reason"`
}

// MaxLetter is how many characters a letter may have.
const MaxLetter = 1000

// Letter is what the register's office writes to the owner, in its own words and
// in lines. An agent older than version 4 cannot show it, and does not keep it: the
// owner's page at the collector has it too.
type Letter struct {
	Text string `json:"text"`
}

// ReplyState is how far a notice has come at the site. Two are told by the
// agent by itself: received, and seen when a person opened it. Two are measured:
// present and absent. The others are a person's word.
type ReplyState string

const (
	ReplyReceived ReplyState = "received" // kept by the agent, in its own store
	ReplySeen     ReplyState = "seen"     // shown to a person
	ReplyPresent  ReplyState = "present"  // the footage is still there, as the recorder says
	ReplyAbsent   ReplyState = "absent"   // it is there no more, as the recorder says
	ReplyCopied   ReplyState = "copied"   // as a person says: by whom, where
	ReplyCannot   ReplyState = "cannot"   // "call me"
	ReplyTooLate  ReplyState = "too-late"
	ReplyRefused  ReplyState = "refused"
)

// Reply says how far a notice has come. Like an observation it has a time of
// its own and may arrive late.
type Reply struct {
	NoticeID string     `json:"notice_id"`
	State    ReplyState `json:"state"`
	At       time.Time  `json:"at"`
	By       string     `json:"by,omitempty"`   // the person's name; "" for what the agent tells by itself
	Note     string     `json:"note,omitempty"` // in the person's words
}

func (c checker) reply(r Reply) {
	c.id("notice_id", r.NoticeID)
	known(c, "state", r.State, ReplyReceived, ReplySeen, ReplyPresent, ReplyAbsent, ReplyCopied, ReplyCannot, ReplyTooLate, ReplyRefused)
	c.time("at", r.At)
	c.text("by", r.By, maxName)
	c.text("note", r.Note, maxLine)
	switch r.State {
	case ReplyCopied, ReplyCannot, ReplyTooLate, ReplyRefused:
		if blank(r.By) {
			c.add("by", "is missing: a person says this")
		}
	}
}

// Validate checks a notice as Message.Validate checks a message. The error is
// FieldErrors.
func (n Notice) Validate() error {
	var errs FieldErrors
	c := checker{&errs, ""}
	c.id("id", n.ID)
	c.id("site_id", n.SiteID)
	c.time("at", n.At)
	switch b := n.Body.(type) {
	case Preserve:
		c.preserve(b)
	case SiteChange:
		known(c, "state", b.State, SiteWithdrawn, SiteSuspended, SiteResumed)
		c.in("site_change").time("at", b.At)
	case Reminder:
		c.required("reason", b.Reason, maxLine)
	case Letter:
		c.lines("text", b.Text, MaxLetter)
	default:
		c.add("body", "is none that version %d of the protocol knows", Version)
	}
	if len(errs) > 0 {
		return errs
	}
	return nil
}

func (c checker) preserve(p Preserve) {
	known(c, "kind", p.Kind, Invitation, Order)
	c.required("from", p.From, maxLine)
	c.phone("phone", p.Phone)
	c.text("reference", p.Reference, maxLine)
	c.time("start", p.Start)
	c.time("end", p.End)
	if !p.End.After(p.Start) {
		c.add("end", "must be after start")
	}
	c.few("camera_ids", len(p.CameraIDs), MaxCameras)
	if len(p.CameraIDs) == 0 {
		c.add("camera_ids", "are missing")
	}
	for i, id := range p.CameraIDs {
		c.id(fmt.Sprintf("camera_ids[%d]", i), id)
	}
	c.required("check_code", p.CheckCode, maxName)
}

// NoticeToWire converts a notice that is valid; it gives the FieldErrors of one
// that is not.
func NoticeToWire(n Notice) (*wire.Notice, error) {
	if err := n.Validate(); err != nil {
		return nil, fmt.Errorf("notice %s: %w", n.ID, err)
	}
	w := &wire.Notice{Id: n.ID, SiteId: n.SiteID, At: timeToWire(n.At)}
	switch b := n.Body.(type) {
	case Preserve:
		w.Body = &wire.Notice_Preserve{Preserve: &wire.Preserve{
			Kind: string(b.Kind), From: b.From, Phone: b.Phone, Reference: b.Reference,
			Start: timeToWire(b.Start), End: timeToWire(b.End), CameraIds: b.CameraIDs, CheckCode: b.CheckCode,
		}}
	case SiteChange:
		w.Body = &wire.Notice_SiteChange{SiteChange: &wire.SiteChange{State: string(b.State), At: timeToWire(b.At)}}
	case Reminder:
		w.Body = &wire.Notice_Reminder{Reminder: &wire.Reminder{Reason: b.Reason}}
	case Letter:
		w.Body = &wire.Notice_Letter{Letter: &wire.Letter{Text: b.Text}}
	}
	return w, nil
}

// NoticeFromWire reads a notice. One of a kind that this version does not know
// is an error, as FieldErrors that name the body; so is one over MaxNotice.
func NoticeFromWire(w *wire.Notice) (Notice, error) {
	if size := proto.Size(w); size > MaxNotice {
		return Notice{}, fmt.Errorf("notice: %w: it has %d bytes", ErrTooBig, size)
	}
	n := Notice{ID: w.GetId(), SiteID: w.GetSiteId(), At: timeFromWire(w.GetAt())}
	switch b := w.GetBody().(type) {
	case *wire.Notice_Preserve:
		p := b.Preserve
		n.Body = Preserve{Kind: RequestKind(p.GetKind()), From: p.GetFrom(), Phone: p.GetPhone(), Reference: p.GetReference(),
			Start: timeFromWire(p.GetStart()), End: timeFromWire(p.GetEnd()), CameraIDs: p.GetCameraIds(), CheckCode: p.GetCheckCode()}
	case *wire.Notice_SiteChange:
		n.Body = SiteChange{State: SiteState(b.SiteChange.GetState()), At: timeFromWire(b.SiteChange.GetAt())}
	case *wire.Notice_Reminder:
		n.Body = Reminder{Reason: b.Reminder.GetReason()}
	case *wire.Notice_Letter:
		n.Body = Letter{Text: b.Letter.GetText()}
	}
	if err := n.Validate(); err != nil {
		return Notice{}, fmt.Errorf("notice: %w", err)
	}
	return n, nil
}
