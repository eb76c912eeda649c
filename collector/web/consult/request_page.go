package consult

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// maxRequests is how many requests of a force, or of a case, one list shows.
const maxRequests = 200

// errNoRequest is why a request is not shown.
var errNoRequest = errors.New("this force has no such request")

// readBody is what the trail keeps, sealed, of looking at a request.
type readBody struct {
	Request     string `json:"request_id"`
	FromAddress string `json:"from_address,omitempty"`
}

// sent is a request with how far it has come at each of its sites.
type sent struct {
	registry.Request
	asked []registry.Asked
	of    registry.Case // as it stands; its ID "": not this force's any more
}

func (s sent) states(c *Consult) []siteState {
	all := make([]siteState, len(s.asked))
	for i, a := range s.asked {
		all[i] = stateOf(i+1, a, s.draft(a), c.Now())
	}
	return all
}

// draft is what a site was sent.
func (s sent) draft(a registry.Asked) registry.Draft {
	i := slices.IndexFunc(s.Sites, func(d registry.Draft) bool { return d.NoticeID == a.Notice.ID })
	if i < 0 {
		return registry.Draft{}
	}
	return s.Sites[i]
}

// look reads a request through the trail: each look at it is an entry.
func (c *Consult) look(r *http.Request, u officer) (sent, trail.Proof, error) {
	id := r.PathValue("id")
	s, err := c.readSent(r.Context(), id, u)
	if err != nil {
		return sent{}, trail.Proof{}, err
	}
	entry := u.entry(c.Now(), act.RequestList, s.CaseID, 0, readBody{id, u.from})
	return trail.Answer(r.Context(), c.Trail, entry, func(context.Context) (sent, int, any, error) {
		ids := make([]string, len(s.asked))
		for i, a := range s.asked {
			ids[i] = a.Notice.ID
		}
		return s, len(s.asked), ids, nil
	})
}

func (c *Consult) readSent(ctx context.Context, id string, u officer) (sent, error) {
	q, asked, ok, err := c.Registry.Request(ctx, id, u.Force)
	if err == nil && !ok {
		err = errNoRequest
	}
	if err != nil {
		return sent{}, err
	}
	k, _, err := c.Registry.Case(ctx, q.CaseID, u.Force)
	return sent{q, asked, k}, err
}

// requestPage shows how far a request has come.
func (c *Consult) requestPage(w http.ResponseWriter, r *http.Request) {
	u, err := c.officer(r)
	if err != nil {
		c.fail(w, r, http.StatusForbidden, "error.force", err)
		return
	}
	s, proof, err := c.look(r, u)
	switch {
	case err != nil:
		c.failRequest(w, r, err)
	case web.WantsJSON(r):
		out := jsonOneRequest{Request: s.ID, Case: s.CaseID, Force: s.Force, Kind: s.Kind(), At: s.At.UTC(), Notices: make([]jsonNotice, len(s.asked)),
			Trail: jsonProof{proof.Index, string(proof.Checkpoint)}}
		for i, a := range s.asked {
			out.Notices[i] = noticeJSON(a)
		}
		web.WriteJSON(w, http.StatusOK, out)
	default:
		c.showRequest(w, r, u, s, "", nil)
	}
}

func (c *Consult) failRequest(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errNoRequest) {
		c.fail(w, r, http.StatusNotFound, "error.request.none", err)
		return
	}
	c.Log.ErrorContext(r.Context(), "request not shown", "err", err)
	c.fail(w, r, http.StatusServiceUnavailable, "error.request.unlisted", err)
}

// requestStates answers the page that asks what is new: nothing (204) while all is
// as it shows it, which is no look at anything, else what has changed, as a look.
func (c *Consult) requestStates(w http.ResponseWriter, r *http.Request) {
	u, err := c.officer(r)
	if err != nil {
		c.fail(w, r, http.StatusForbidden, "error.force", err)
		return
	}
	s, err := c.readSent(r.Context(), r.PathValue("id"), u)
	if err != nil {
		c.failRequest(w, r, err)
		return
	}
	seen := r.URL.Query().Get("seen")
	if stateTokens(s.states(c)) == seen {
		pages.SecureHeaders(w.Header())
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if s, _, err = c.look(r, u); err != nil {
		c.failRequest(w, r, err)
		return
	}
	v := c.watchView(c.words(r), s, seen)
	c.set.Fragment(w, r, "request.html", "watched", v)
}

// watchView is what asks for news, and what it brings.
type watchView struct {
	Poll   string // the address to ask; "": nothing is expected any more
	Every  int    // seconds
	States []siteState
	News   string
}

func (c *Consult) watchView(w *pages.Words, s sent, seen string) watchView {
	states := s.states(c)
	v := watchView{Every: pollEvery, States: changed(states, seen)}
	v.News = news(w, v.States)
	if slices.ContainsFunc(states, func(s siteState) bool { return s.Open }) {
		v.Poll = "/requests/" + s.ID + "/states?" + url.Values{"seen": {stateTokens(states)}}.Encode()
	}
	return v
}

// requestView is what request.html reads.
type requestView struct {
	ID    string
	Kind  protocol.RequestKind
	From  string // who asked, as the owners read it
	Mine  bool
	Ref   string
	Phone string
	Sites []requestSite
	Watch watchView
	Calls int       // sites that are to be called now
	Band  *caseBand // nil: its case is not to be seen any more
}

// requestSite is one site of it.
type requestSite struct {
	State    siteState
	Draft    registry.Draft
	Origin   origin // how sure it is who declared it
	Trust    string
	SiteID   string
	From, To string
	Cameras  []preserveCamera
	Left     left
	Script   script
	PEC      *letter // nil: it has no PEC
	Contacts contactsView
	Called   *calledMark // the newest word on a call; nil: none
}

func (c *Consult) showRequest(w http.ResponseWriter, r *http.Request, u officer, s sent, revealed string, contacts []registry.Contact) {
	words := c.words(r)
	called, err := c.calledIn(r.Context(), s.of.ID) // of a case that is not to be seen any more: none
	if err != nil {
		c.failRequest(w, r, err)
		return
	}
	v := requestView{ID: s.ID, Kind: s.Kind(), Mine: s.By == u.ID, Watch: c.watchView(words, s, "")}
	if s.of.ID != "" {
		band := c.band(s.of, u.User)
		v.Band = &band
	}
	for i, state := range s.states(c) {
		d := s.draft(s.asked[i])
		v.From, v.Ref, v.Phone = d.Asked.From, d.Asked.Reference, d.Asked.Phone
		one := requestSite{State: state, Draft: d, Origin: originWords(words, d.Trust, false), Trust: trustWords(words, d.Trust), SiteID: d.SiteID,
			From: words.DateTime(d.Asked.Start), To: words.DateTime(d.Asked.End), Cameras: camerasWords(words, d),
			Script: c.script(words, u, s, d), Contacts: contactsView{Request: s.ID, SiteID: d.SiteID, Case: s.CaseID, N: i + 1, LeftOut: d.ByPhone, Gone: s.asked[i].SiteName == ""}}
		if d.Reach.PECs > 0 {
			one.PEC = c.letter(words, d)
		}
		if m, ok := called[d.SiteID]; ok {
			one.Called = &m
		}
		if d.SiteID == revealed {
			one.Contacts.show(contacts)
		}
		if state.Call != "" {
			v.Calls++
		}
		v.Sites = append(v.Sites, one)
	}
	p := c.page(r, "request.html", "request.title", http.StatusOK, nil)
	p.Wide, p.Scripts, p.Styles, p.Data = false, nil, append(p.Styles, "requests.css"), v
	c.set.Render(w, r, p)
}

// requestsView is what requests.html reads.
type requestsView struct {
	Case string // id, "": of the whole force
	All  []requestLine
}

// requestLine is a request in a list.
type requestLine struct {
	registry.Request
	Start, End         string
	Reference          string
	Names              []string
	Sites, Calls, Open int
}

// listPage lists the requests of the force and of the cases shared with it, or of
// one case.
func (c *Consult) listPage(w http.ResponseWriter, r *http.Request, u officer) {
	id := r.URL.Query().Get("case")
	if id != "" { // only a case of theirs is named on the trail
		switch _, ok, err := c.Registry.Case(r.Context(), id, u.Force); {
		case err != nil:
			c.broken(w, r, err)
			return
		case !ok:
			c.fail(w, r, http.StatusNotFound, "error.case.unknown", nil)
			return
		}
	}
	entry := u.entry(c.Now(), act.RequestList, id, 0, map[string]string{"from_address": u.from})
	all, _, err := trail.Answer(r.Context(), c.Trail, entry, func(ctx context.Context) ([]registry.Request, int, any, error) {
		all, err := c.Registry.Requests(ctx, u.Force, id, maxRequests)
		ids := make([]string, len(all))
		for i, q := range all {
			ids[i] = q.ID
		}
		return all, len(all), ids, err
	})
	asked, err2 := c.Registry.Asked(r.Context(), u.Force, maxListed)
	if err = errors.Join(err, err2); err != nil {
		c.failRequest(w, r, err)
		return
	}
	words := c.words(r)
	v := requestsView{Case: id}
	for _, q := range all {
		v.All = append(v.All, c.line(words, q, asked))
	}
	p := c.page(r, "requests.html", "requests.title", http.StatusOK, nil)
	p.Wide, p.Scripts, p.Styles, p.Data = false, nil, append(p.Styles, "requests.css"), v
	c.set.Render(w, r, p)
}

// line is a request of a list, with how many of its sites are open, and to be
// called, as far as the force itself asked.
func (c *Consult) line(w *pages.Words, q registry.Request, asked []registry.Asked) requestLine {
	l := requestLine{Request: q, Sites: len(q.Sites)}
	s := sent{Request: q}
	for _, d := range q.Sites {
		l.Start, l.End, l.Reference = w.Short(d.Asked.Start), w.Short(d.Asked.End), d.Asked.Reference
		l.Names = append(l.Names, d.Name)
	}
	for _, a := range asked {
		if a.RequestID != q.ID {
			continue
		}
		state := stateOf(0, a, s.draft(a), c.Now())
		if state.Open {
			l.Open++
		}
		if state.Call != "" {
			l.Calls++
		}
	}
	return l
}
