package review

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// noticesView is the list of what came down from the register.
type noticesView struct {
	Notices []noticeLine
	By      string // who answers from the list: the first contact; "" nobody is named yet
}

type noticeLine struct {
	inventory.Notice
	Title string
	Asks  bool // it waits for an answer
}

// notices lists what was handed down, newest first.
func (v *Review) notices(r *http.Request) (answer, error) {
	all, err := v.Inventory.Notices(r.Context())
	if err != nil {
		return answer{}, err
	}
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	w := v.words(r)
	view := noticesView{}
	for _, n := range all {
		asks := n.Kind == protocol.NoticePreserve && n.Body != nil && n.Answer == "" && !n.Left
		view.Notices = append(view.Notices, noticeLine{n, noticeTitle(w, n), asks})
		if asks && view.By == "" {
			view.By = answering(known, n.SiteID)
		}
	}
	a := page("notices.html", "notices.title", view)
	a.json = struct {
		Notices []inventory.Notice `json:"notices"`
	}{append([]inventory.Notice{}, all...)}
	return a, nil
}

// answering is who answers for a site unless they say otherwise: its first contact.
func answering(known inventory.View, siteID string) string {
	for _, c := range known.Contacts[siteID] {
		return c.Name
	}
	return ""
}

func noticeTitle(w *pages.Words, n inventory.Notice) string {
	switch b := n.Body.(type) {
	case protocol.Preserve:
		return w.T("notice.title."+string(b.Kind), "from", b.From)
	case protocol.SiteChange:
		return w.T("notice.title." + string(b.State))
	}
	return w.T("notice.title." + string(n.Kind))
}

// banner leads from the first page to what nobody has opened yet. Its words are
// the same for every kind of message, so that a glance at the screen reveals nothing.
type banner struct {
	N    int
	Href string
}

func bannerOf(known inventory.View) banner {
	b := banner{N: len(known.Unopened), Href: "/notices"}
	if b.N == 1 {
		b.Href += "/" + known.Unopened[0]
	}
	return b
}

// noticeView is one notice in words.
type noticeView struct {
	inventory.Notice
	Title  string
	Site   *inventory.Site
	Ask    *protocol.Preserve // what is asked, and of which cameras
	Change *protocol.SiteChange
	Remind *protocol.Reminder
	Letter *protocol.Letter
	From   string // the interval in words, in local time
	To     string
	Of     []askedCamera
	Form   fields
	Asking bool // the recorders, now
	Known  bool // among the cameras is one of this computer: its recorder can be asked
	Opened bool // the note: something was typed, or is proposed
}

// askedCamera is a camera of a request to preserve.
type askedCamera struct {
	Name, Recorder string
	Unknown        bool   // it is not among those of this computer
	From, To       string // as the recorder's own clock shows them
	ClockKnown     bool
	Fate           fate
	Until          time.Time // when the beginning is overwritten; zero: not known
	Save           string    // the page that shows how to save it
	Check          *checkView
}

// notice opens one, which marks it as seen: it is the one GET that changes
// something, and no more than that a person has looked. What a browser fetches
// ahead does not count.
func (v *Review) notice(r *http.Request) (answer, error) {
	open := v.Inventory.SeeNotice
	if strings.Contains(r.Header.Get("Sec-Purpose"), "prefetch") {
		open = v.Inventory.Notice
	}
	n, err := open(r.Context(), r.PathValue("id"))
	if err != nil {
		return answer{}, err
	}
	return v.noticePage(r, n, nil)
}

func (v *Review) noticePage(r *http.Request, n inventory.Notice, f fields) (answer, error) {
	w := v.words(r)
	view := noticeView{Notice: n, Title: noticeTitle(w, n), Form: f}
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	if i := slices.IndexFunc(known.Sites, func(g inventory.Site) bool { return g.SiteID == n.SiteID }); i >= 0 {
		view.Site = &known.Sites[i]
	}
	switch b := n.Body.(type) {
	case protocol.Preserve:
		view.Ask = &b
		view.From, view.To = wall(w, b.Start.In(pages.Rome())), wall(w, b.End.In(pages.Rome()))
		view.Of = askedCameras(w, known, n, b)
		view.Asking = v.finds.under(n.ID)
		view.Known = slices.ContainsFunc(view.Of, func(c askedCamera) bool { return !c.Unknown })
	case protocol.SiteChange:
		view.Change = &b
	case protocol.Reminder:
		view.Remind = &b
	case protocol.Letter:
		view.Letter = &b
	}
	if f == nil {
		view.Form = fields{"by": {Value: n.AnsweredBy}}
		if n.AnsweredBy == "" {
			view.Form["by"] = field{Value: answering(known, n.SiteID)}
		}
	}
	if f == nil && n.Answer == "" {
		view.Form["note"] = field{Value: partNote(w, n)}
	}
	view.Opened = view.Form["note"] != field{} || view.Form["by"].Value == "" || view.Form["by"].Error != ""
	a := page("notice.html", "notices.title", view)
	a.json = n
	if view.Asking && f == nil {
		a.after = findPause
	}
	if f != nil {
		a.page.Status = http.StatusUnprocessableEntity
	}
	return a, nil
}

func askedCameras(w *pages.Words, known inventory.View, n inventory.Notice, p protocol.Preserve) (all []askedCamera) {
	now := time.Now()
	a := asked{p.Start, p.End}
	for _, id := range p.CameraIDs {
		c, err := known.Camera(id)
		if err != nil {
			all = append(all, askedCamera{Unknown: true})
			continue
		}
		on := onRecorder(a, c.Device)
		all = append(all, askedCamera{Name: channelWords(w, c), Recorder: recorderWords(c.Device),
			From: wall(w, on.From), To: wall(w, on.To), ClockKnown: on.Clock != nil, Fate: fateOf(a, c.Values, now),
			Until: protocol.FootageOf(p.Start, now, nil, []protocol.Era[protocol.Retention]{{Value: c.Values.Retention}}).Until,
			Check: checkOf(w, n, id),
			Save:  "/save?camera=" + c.ID + "&from=" + p.Start.UTC().Format(time.RFC3339) + "&to=" + p.End.UTC().Format(time.RFC3339)})
	}
	return all
}

// answerNotice takes a person's answer to a request.
func (v *Review) answerNotice(r *http.Request) (answer, error) {
	id := r.PathValue("id")
	var in struct {
		State protocol.ReplyState `json:"state"`
		By    string              `json:"by"`
		Note  string              `json:"note"`
	}
	var f fields
	if filled, err := read(r, &in); err != nil {
		return answer{}, err
	} else if filled {
		f = typed(r, "state", "by", "note")
		in.State, in.By, in.Note = protocol.ReplyState(f["state"].Value), f["by"].Value, f["note"].Value
	}
	err := v.Inventory.AnswerNotice(r.Context(), id, protocol.Reply{State: in.State, By: in.By, Note: in.Note})
	if errs, ok := errors.AsType[protocol.FieldErrors](err); ok && f != nil && !wantsJSON(r) {
		f.wrong(errs, nil)
		n, err := v.Inventory.Notice(r.Context(), id)
		if err != nil {
			return answer{}, err
		}
		return v.noticePage(r, n, f)
	}
	if err != nil {
		return answer{}, err
	}
	if in.State != protocol.ReplyRefused {
		v.find(id) // with the owner's answer the recorder is asked, and not before
	}
	n, err := v.Inventory.Notice(r.Context(), id)
	return answer{json: n, to: "/notices/" + id + "?done=answered"}, err
}
