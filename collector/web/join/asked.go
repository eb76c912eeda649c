package join

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// Limits of an answer as it is typed, in bytes.
const (
	maxBy   = 120
	maxNote = 300
)

// askedView is a request to preserve in words, those of the agent's page.
type askedView struct {
	ID       string
	Asked    protocol.Preserve
	At       time.Time
	From, To string
	Cameras  []askedCamera
	Open     bool
	Answer   registry.NoticeState // what a person said last; "": nobody yet
	By       string               // who; of one that is open whom the form names
}

// askedCamera is a camera as it stands on the recorder.
type askedCamera struct {
	Name, Recorder, From, To string // From and To on the recorder's own clock; "": never measured
	Until                    time.Time
}

// said are the states that are a person's word.
var said = []protocol.ReplyState{protocol.ReplyCopied, protocol.ReplyCannot, protocol.ReplyTooLate, protocol.ReplyRefused}

// requests returns the requests that a site was sent, and notes that a person has
// seen those that are open: the site's code opens them here.
func (j *Join) requests(r *http.Request, own registry.OwnSite) ([]askedView, error) {
	all, err := j.Registry.AskedOf(r.Context(), own.ID)
	if err != nil {
		return nil, err
	}
	words := j.pages.Words(pages.Language(r))
	views := make([]askedView, len(all))
	for i, a := range all {
		views[i] = viewAsked(words, own, a)
		if !views[i].Open || slices.ContainsFunc(a.Replies, func(p registry.Reply) bool { return p.State == protocol.ReplySeen && p.AgentID == "" }) {
			continue
		}
		if err := j.Registry.ReplyAsOwner(r.Context(), own.ID, protocol.Reply{NoticeID: a.NoticeID, State: protocol.ReplySeen, At: j.Web.Now()}); err != nil {
			return nil, err
		}
	}
	return views, nil
}

func viewAsked(w *pages.Words, own registry.OwnSite, a registry.OwnAsked) askedView {
	v := askedView{ID: a.NoticeID, Asked: a.Draft.Asked, At: a.At, From: w.DateTime(a.Draft.Asked.Start), To: w.DateTime(a.Draft.Asked.End), Open: a.ClosedAt.IsZero()}
	for _, c := range a.Cameras {
		k := askedCamera{Name: c.Name, Recorder: c.Recorder, Until: c.Until}
		if c.Clock != nil {
			k.From, k.To = onClock(c.ClockFrom, c.Zone), onClock(c.ClockUntil, c.Zone)
		}
		v.Cameras = append(v.Cameras, k)
	}
	if slices.Contains(said, protocol.ReplyState(a.State)) {
		v.Answer = a.State
		for _, p := range a.Replies {
			if registry.NoticeState(p.State) == a.State {
				v.By = p.By
			}
		}
	}
	if i := slices.IndexFunc(own.Contacts, func(c registry.Contact) bool { return c.Role == protocol.RoleOwner }); i >= 0 {
		v.By = cmp.Or(v.By, own.Contacts[i].Name)
	}
	return v
}

// onClock writes a moment as the recorder's display shows it.
func onClock(t time.Time, zone string) string {
	at, known := protocol.Schedule{Zone: zone}.Location()
	if !known {
		at = pages.Rome()
	}
	return t.In(at).Format("02/01/2006 15:04:05")
}

// answer takes what the owner says about a request.
func (j *Join) answer(rw http.ResponseWriter, r *http.Request) {
	own, ok := j.own(rw, r, true)
	if !ok {
		return
	}
	views, err := j.requests(r, own)
	if err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	i := slices.IndexFunc(views, func(v askedView) bool { return v.ID == r.PathValue("id") })
	p := protocol.Reply{NoticeID: r.PathValue("id"), State: protocol.ReplyState(r.PostFormValue("state")), At: j.Web.Now(),
		By: strings.TrimSpace(r.PostFormValue("by")), Note: strings.TrimSpace(r.PostFormValue("note"))}
	switch {
	case i < 0:
		j.showSite(rw, r, own, http.StatusNotFound, "answer.gone")
	case !slices.Contains(said, p.State), p.State == protocol.ReplyRefused && views[i].Asked.Kind != protocol.Invitation:
		j.showSite(rw, r, own, http.StatusUnprocessableEntity, "answer.state")
	case p.By == "" || !fits(p.By, maxBy) || !fits(p.Note, maxNote):
		j.showSite(rw, r, own, http.StatusUnprocessableEntity, "answer.by")
	case !j.record(rw, r, act.OwnerReply, own.ID, map[string]string{"notice": p.NoticeID}):
	default:
		err := j.Registry.ReplyAsOwner(r.Context(), own.ID, p)
		if errors.Is(err, registry.ErrUnknownNotice) {
			j.showSite(rw, r, own, http.StatusNotFound, "answer.gone")
			return
		}
		if err != nil {
			j.Web.Broken(rw, r, err)
			return
		}
		http.Redirect(rw, r, SitePath+"#asked-"+p.NoticeID, http.StatusSeeOther)
	}
}

func fits(s string, most int) bool {
	return len(s) <= most && !strings.ContainsFunc(s, unicode.IsControl)
}
