package consult

import (
	"encoding/json"
	"math"
	"net/http"
	"strings"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/search"
	"anagrafe/collector/trail"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// The JSON of an answer: the same values and words that the page shows, nothing
// about a person, and where the entry stands on the trail. openapi.json
// describes it.

type jsonAnswer struct {
	Search  string       `json:"search"` // id for POST /reveal and GET /search/ID
	At      time.Time    `json:"at"`     // when it was asked
	Asked   jsonAsked    `json:"asked"`
	Results []jsonResult `json:"results"`
	Hidden  jsonHidden   `json:"hidden"` // left out by the filters
	Trail   jsonProof    `json:"trail"`
}

type jsonAsked struct {
	placeBody
	drawnBody
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	Case  string    `json:"case"` // id of the case
	Kind  string    `json:"case_kind"`
	Ref   string    `json:"case_ref"` // as it was then; "": it was to follow
}

func (q *question) json() jsonAsked {
	return jsonAsked{q.place(), q.body(), q.From.UTC(), q.To.UTC(), q.Case.ID, q.Case.Kind, q.Case.Ref}
}

// jsonHidden counts by the first filter that left a result out.
type jsonHidden struct {
	Category   int `json:"category"`
	Continuous int `json:"continuous"`
	Certain    int `json:"certain"`
}

type jsonProof struct {
	Index      int64  `json:"index"`
	Checkpoint string `json:"checkpoint"`
}

type jsonResult struct {
	Class           search.Class       `json:"class"`
	CameraID        string             `json:"camera_id"`
	SiteID          string             `json:"site_id"`
	CameraName      string             `json:"camera_name"`
	OldName         string             `json:"old_name,omitempty"`
	Channel         string             `json:"channel,omitempty"`
	SiteName        string             `json:"site_name"`
	Category        protocol.Category  `json:"category"`
	Address         string             `json:"address"`
	Trust           string             `json:"trust"`
	Recorder        protocol.Recorder  `json:"recorder"`
	OldRecorderName string             `json:"old_recorder_name,omitempty"`
	Position        jsonPosition       `json:"position"`
	View            protocol.View      `json:"view"`
	BeforeDeclared  bool               `json:"before_declared"`
	Sight           jsonSight          `json:"sight"`                // among the buildings of the basemap
	OpenSight       *jsonSight         `json:"open_sight,omitempty"` // as if there were none; only where buildings were asked about
	Doubts          []string           `json:"doubts"`               // why it does not surely see, or why the footage does not surely exist
	From            time.Time          `json:"from"`                 // what this camera is asked for: on a route when they may have come by
	Until           time.Time          `json:"until"`
	Recording       protocol.Answer    `json:"recording"`
	Footage         jsonFootage        `json:"footage"`
	Schedule        protocol.Schedule  `json:"schedule"`
	Retention       protocol.Retention `json:"retention"`
	TimeLeftS       int64              `json:"time_left_s"`
	TimeLeftAssumed bool               `json:"time_left_assumed"`
	Clock           *jsonClock         `json:"clock"` // null: never measured
	Facts           []jsonFact         `json:"facts"`
	FactAgeS        int64              `json:"fact_age_s"`

	// In the language that was asked for.
	Why  []string `json:"why"`  // whole sentences, the most important first
	Left string   `json:"left"` // how long the footage remains, as of this answer
	Ask  string   `json:"ask"`  // the interval to ask for on the recorder's own clock
}

type jsonPosition struct {
	Lon       float64 `json:"lon"`
	Lat       float64 `json:"lat"`
	AccuracyM int     `json:"accuracy_m"`
	Method    string  `json:"method"`
}

type jsonSight struct {
	Sees           protocol.Answer `json:"sees"`
	DistanceM      float64         `json:"distance_m"`
	BearingDeg     float64         `json:"bearing_deg"` // from the point to the camera
	PixelsPerMetre float64         `json:"pixels_per_metre"`
	Class          protocol.Class  `json:"class"`
	NightUnknown   bool            `json:"night_unknown"`
	Hidden         protocol.Answer `json:"hidden,omitempty"` // by buildings; "": not asked
}

type jsonFootage struct {
	Exists   protocol.Answer `json:"exists"`
	Until    time.Time       `json:"until,omitzero"`
	Observed bool            `json:"observed"`
}

// jsonClock is the interval to ask for on the recorder's own clock, written as
// that clock shows it, and the measurement it rests on.
type jsonClock struct {
	From       time.Time `json:"from"`
	Until      time.Time `json:"until"`
	WithinMs   int64     `json:"within_ms"` // From and Until are widened by it already
	OffsetMs   int64     `json:"offset_ms"`
	Method     string    `json:"method,omitempty"` // how it was read
	MeasuredAt time.Time `json:"measured_at"`
}

type jsonFact struct {
	Group  string          `json:"group"`
	Source protocol.Source `json:"source"`
	At     time.Time       `json:"at"`
	AgeS   int64           `json:"age_s"`
}

// jsonProblem answers a question that cannot be understood: each wrong field by
// its name, the first one also as every problem names it.
type jsonProblem struct {
	web.Problem
	Errors []jsonFieldError `json:"errors"`
}

type jsonFieldError struct {
	Field      string      `json:"field"`
	Error      string      `json:"error"`
	Detail     string      `json:"detail,omitempty"`
	Candidates []string    `json:"candidates,omitempty"` // RFC 3339, with Rome's offset: what the time may have meant
	Places     []jsonPlace `json:"places,omitempty"`     // what the place may have meant
}

func problemOf(w *pages.Words, all []fieldError, hint string) jsonProblem {
	var p jsonProblem
	for _, e := range all {
		one := jsonFieldError{Field: e.Field, Error: e.words(w), Detail: e.Detail}
		for _, t := range e.Candidates {
			one.Candidates = append(one.Candidates, t.In(pages.Rome()).Format(time.RFC3339))
		}
		p.Errors = append(p.Errors, one)
	}
	p.Problem = web.Problem{Error: p.Errors[0].Error, Field: p.Errors[0].Field, Hint: w.T(hint)}
	return p
}

func (c *Consult) answerJSON(q *http.Request, a *answer) jsonAnswer {
	return c.rowsJSON(c.words(q), a, a.results)
}

// rowsJSON is an answer with those of its rows.
func (c *Consult) rowsJSON(words *pages.Words, a *answer, rows []search.Result) jsonAnswer {
	out := jsonAnswer{Search: a.id, At: a.at.UTC(), Results: []jsonResult{}, Trail: jsonProof{a.proof.Index, string(a.proof.Checkpoint)},
		Asked: a.question.json(), Hidden: jsonHidden(a.hidden)}
	for _, r := range rows {
		one, l := resultJSON(r), c.left(words, r)
		one.Why, one.Left = why(words, a, r).list(words, r.Class), l.String()
		ask, note := clockWords(words, r)
		one.Ask = strings.TrimSpace(ask + " " + note)
		out.Results = append(out.Results, one)
	}
	return out
}

func resultJSON(r search.Result) jsonResult {
	pos := r.Camera.Position
	out := jsonResult{Class: r.Class, CameraID: r.CameraID, SiteID: r.SiteID, CameraName: r.CameraName, OldName: r.OldName, Channel: r.Camera.Channel,
		SiteName: r.SiteName, Category: r.Category, Address: r.Address, Trust: r.Trust, Recorder: r.Recorder, OldRecorderName: r.OldRecorderName,
		Position: jsonPosition{lonOf(pos.Point), latOf(pos.Point), pos.AccuracyM, pos.Method}, View: r.Camera.View, BeforeDeclared: r.BeforeDeclared,
		Sight:  sightJSON(r.Sight),
		Doubts: append([]string{}, r.Doubts.Names()...), From: r.From.UTC(), Until: r.Until.UTC(),
		Recording: r.Recording, Footage: jsonFootage{r.Footage.Exists, r.Footage.Until.UTC(), r.Footage.Observed},
		Schedule: r.Schedule, Retention: r.Retention, TimeLeftS: int64(r.TimeLeft / time.Second), TimeLeftAssumed: r.TimeLeftAssumed,
		Facts: []jsonFact{}, FactAgeS: int64(r.FactAge / time.Second)}
	if r.Footage.Until.IsZero() {
		out.Footage.Until = time.Time{}
	}
	if out.Sight.Hidden = r.Hidden; r.Open != nil {
		open := sightJSON(r.Open.Sight)
		out.OpenSight = &open
	}
	if r.Clock != nil {
		out.Clock = &jsonClock{r.ClockFrom.UTC(), r.ClockUntil.UTC(), r.ClockWithin.Milliseconds(), r.Clock.OffsetMs, r.Clock.Method, r.Clock.At.UTC()}
	}
	for _, f := range r.Facts {
		out.Facts = append(out.Facts, jsonFact{f.Group, f.Source, f.At.UTC(), int64(f.Age / time.Second)})
	}
	return out
}

// tenth rounds what no position is known well enough to say more of.
func tenth(v float64) float64 { return math.Round(v*10) / 10 }

func sightJSON(s protocol.Sight) jsonSight {
	return jsonSight{Sees: s.Sees, DistanceM: tenth(s.DistanceM), BearingDeg: tenth(s.BearingDeg), PixelsPerMetre: tenth(s.PixelsPerMetre), Class: s.Class, NightUnknown: s.NightUnknown}
}

type jsonSite struct {
	SiteID   string        `json:"site_id"`
	SiteName string        `json:"site_name"`
	Trust    string        `json:"trust"` // how the identity of who declared it was checked
	Contacts []jsonContact `json:"contacts"`
}

// jsonContact is whom to call. What they wish to be told about their recorder is
// nothing to officers.
type jsonContact struct{ registry.Contact }

func (c jsonContact) MarshalJSON() ([]byte, error) {
	c.Alerts = false
	return json.Marshal(c.Contact)
}

func (s jsonSite) contacts() []registry.Contact {
	out := make([]registry.Contact, len(s.Contacts))
	for i, c := range s.Contacts {
		out[i] = c.Contact
	}
	return out
}

func contactsJSON(contacts []registry.Contact) []jsonContact {
	out := make([]jsonContact, len(contacts))
	for i, c := range contacts {
		out[i] = jsonContact{c}
	}
	return out
}

type jsonReveal struct {
	Sites []jsonSite  `json:"sites"`
	Trail []jsonProof `json:"trail"` // one entry a site, in the order of sites
}

func revealJSON(a *answer, sites []string, proofs []trail.Proof) jsonReveal {
	var out jsonReveal
	revealed := a.revealed()
	for i, site := range sites {
		first := firstOf(a, site)
		out.Sites = append(out.Sites, jsonSite{site, first.SiteName, first.Trust, contactsJSON(revealed[site])})
		out.Trail = append(out.Trail, jsonProof{proofs[i].Index, string(proofs[i].Checkpoint)})
	}
	return out
}

// jsonRequest answers POST /requests.
type jsonRequest struct {
	Request string            `json:"request_id"`
	Case    string            `json:"case_id"`
	At      time.Time         `json:"at"`
	Notices []jsonAskedNotice `json:"notices"` // one a site
	Trail   jsonProof         `json:"trail"`
}

type jsonAskedNotice struct {
	Notice    string   `json:"notice_id"`
	Site      string   `json:"site_id"`
	Cameras   []string `json:"camera_ids"`
	CheckCode string   `json:"check_code"` // the owner reads it too, to be sure who asks
	ByPhone   bool     `json:"by_phone"`   // nobody was told: call
}

// jsonRequests answers GET /requests: the newest first.
type jsonRequests struct {
	Notices []jsonNotice `json:"notices"`
	Trail   jsonProof    `json:"trail"`
}

// jsonOneRequest answers GET /requests/{id}.
type jsonOneRequest struct {
	Request string               `json:"request_id"`
	Case    string               `json:"case_id"`
	Force   string               `json:"force"`
	Kind    protocol.RequestKind `json:"kind"`
	At      time.Time            `json:"at"`
	Notices []jsonNotice         `json:"notices"` // one a site, in the order in which they were asked
	Trail   jsonProof            `json:"trail"`
}

type jsonNotice struct {
	Notice   string               `json:"notice_id"`
	Request  string               `json:"request_id"`
	Site     string               `json:"site_id"`
	SiteName string               `json:"site_name"` // "": withdrawn
	At       time.Time            `json:"at"`
	State    registry.NoticeState `json:"state"`
	Expires  time.Time            `json:"expires_at"`
	Closed   time.Time            `json:"closed_at,omitzero"`
	ByPhone  bool                 `json:"by_phone"`           // nobody was told: call
	Mailed   time.Time            `json:"mailed_at,omitzero"` // when the newest mail since was taken by a server
	Asked    *protocol.Preserve   `json:"asked"`              // null: deleted after its term
	Replies  []jsonReply          `json:"replies"`
}

type jsonReply struct {
	State    protocol.ReplyState `json:"state"`
	At       time.Time           `json:"at"`
	Recorded time.Time           `json:"recorded_at"`
	By       string              `json:"by,omitempty"`
	Note     string              `json:"note,omitempty"`
}

func noticeJSON(a registry.Asked) jsonNotice {
	n := jsonNotice{Notice: a.Notice.ID, Request: a.RequestID, Site: a.Notice.SiteID, SiteName: a.SiteName, At: a.Notice.At,
		State: a.State, Expires: a.ExpiresAt, Closed: a.ClosedAt, ByPhone: a.ByPhone, Mailed: a.MailedAt, Replies: make([]jsonReply, len(a.Replies))}
	if p, ok := a.Notice.Body.(protocol.Preserve); ok {
		n.Asked = &p
	}
	for i, r := range a.Replies {
		n.Replies[i] = jsonReply{r.State, r.At, r.RecordedAt, r.By, r.Note}
	}
	return n
}
