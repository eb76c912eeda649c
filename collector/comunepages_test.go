package main

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// surfer is a person with a browser on one listener, as far as forms go: scripts and
// looks are tested beside the pages.
type surfer struct {
	t       *testing.T
	handler http.Handler
	host    string
	bearer  string // secret of a credential file; "": by cookie alone
	cookies []*http.Cookie
}

func newSurfer(t *testing.T, w *web.Web, host string, routes ...[]web.Route) *surfer {
	t.Helper()
	h, err := w.Handler(routes...)
	if err != nil {
		t.Fatal(err)
	}
	return &surfer{t: t, handler: h, host: host}
}

// goes opens a page, or sends a form where there is one, and wants the status. It
// gives the page's text, or the path that it is sent on to.
func (s *surfer) goes(want int, path string, form ...string) string {
	s.t.Helper()
	method, v := http.MethodGet, url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		method = http.MethodPost
		v.Add(form[i], form[i+1])
	}
	r := httptest.NewRequestWithContext(s.t.Context(), method, s.host+path, strings.NewReader(v.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept", "text/html")
	r.RemoteAddr = "127.0.0.1:99"
	if s.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+s.bearer)
	}
	for _, c := range s.cookies {
		r.AddCookie(c)
	}
	rw := httptest.NewRecorder()
	s.handler.ServeHTTP(rw, r)
	if rw.Code != want {
		s.t.Fatalf("%s %s answers %d: %s", method, path, rw.Code, rw.Body)
	}
	for _, c := range rw.Result().Cookies() {
		s.cookies = slices.DeleteFunc(s.cookies, func(old *http.Cookie) bool { return old.Name == c.Name })
		if c.MaxAge >= 0 {
			s.cookies = append(s.cookies, c)
		}
	}
	if rw.Code == http.StatusSeeOther {
		return rw.Header().Get("Location")
	}
	return rw.Body.String()
}

// shows opens a page that must have the words: what is looked for elsewhere was there.
func (s *surfer) shows(path string, words ...string) {
	s.t.Helper()
	page := html.UnescapeString(s.goes(http.StatusOK, path))
	for _, word := range words {
		if !strings.Contains(page, word) {
			s.t.Errorf("%s does not show %q", path, word)
		}
	}
}

// officerSurfs signs the one officer in, by a link.
func (s *serving) officerSurfs() *surfer {
	s.t.Helper()
	users, err := s.o.reg.Users(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	i := slices.IndexFunc(users, func(u registry.User) bool { return u.Role == registry.RoleOfficer })
	link, err := s.o.opsWeb.NewLink(s.t.Context(), "", users[i].ID, time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	b := newSurfer(s.t, s.o.consultWeb, s.o.config.ConsultURL, s.o.consultRoutes...)
	_, token, _ := strings.Cut(link, "token=")
	b.goes(http.StatusSeeOther, "/login/link", "token", token)
	return b
}

// byPages is a case from its first question to its end, as officer and owner do it in
// their browsers.
func (e *evening) byPages(s *serving, stream *connect.ServerStreamForClient[wire.Notice]) {
	s.t.Helper()
	if err := s.o.reg.AddForce(s.t.Context(), "Carabinieri", sealedTo(s.t)); err != nil {
		s.t.Fatal(err)
	}
	b := s.officerSurfs()
	answer := b.goes(http.StatusSeeOther, "/search", "at", plantedLon+","+plantedLat, "time", plantedFrom, "radius", "300",
		"case_kind", "event112", "case_ref", "", "offence", "robbery", "reason", plantedOther)
	search := strings.TrimPrefix(answer, "/search/")
	b.shows(answer, plantedOther)
	one := e.caseOf(s)
	b.goes(http.StatusSeeOther, "/reveal", "search", search, "site", e.site)
	request := e.preserved(s, b, search, stream)
	b.goes(http.StatusSeeOther, one+"/called", "search", search, "mark", "called:"+e.site)
	b.goes(http.StatusSeeOther, one+"/refer", "case_ref", plantedLater)
	b.goes(http.StatusSeeOther, one+"/share", "force", "Carabinieri")
	b.shows(one, plantedLater, plantedOther)

	made := b.goes(http.StatusSeeOther, "/papers", "search", search, "site", e.site, "basis", "348",
		"place", plantedPlace, "office", plantedOffice, "phone", plantedPhone, "delivery", plantedHand)
	b.shows(made, plantedPlace, plantedOffice, plantedHand, plantedLater)
	b.shows(made+".pdf", "%PDF-")
	b.goes(http.StatusOK, "/patrol", "search", search, "site", e.site)
	b.goes(http.StatusOK, "/export", "search", search, "format", "csv")
	if file := b.goes(http.StatusOK, one+"/dossier", "case", one); !strings.Contains(file, plantedLater) {
		s.t.Error("the dossier does not have the reference")
	}
	b.shows(request, plantedNote)
	b.goes(http.StatusSeeOther, one+"/close", "case", one)
}

// caseOf is the address of the newest case.
func (e *evening) caseOf(s *serving) string {
	s.t.Helper()
	all, err := s.o.reg.Cases(s.t.Context(), "Questura", 9)
	if err != nil || len(all) != 2 || all[0].Reason != plantedOther {
		s.t.Fatalf("cases %+v, %v", all, err)
	}
	return "/cases/" + all[0].ID
}

// preserved has the officer ask on the page, anybody check the code that the owner
// was given, and the owner answer at the site's page; it gives the request's address.
func (e *evening) preserved(s *serving, b *surfer, search string, stream *connect.ServerStreamForClient[wire.Notice]) string {
	s.t.Helper()
	b.goes(http.StatusOK, "/preserve", "search", search, "site", e.site)
	request := b.goes(http.StatusSeeOther, "/requests", "search", search, "listed", e.site, "site", e.site, "kind", "order", "phone", plantedPhone, "before", "5", "after", "5")
	id, p := e.hears(stream)
	if p.Phone != plantedPhone {
		s.t.Fatalf("the owner was told %+v", p)
	}
	e.say(protocol.Reply{NoticeID: id, State: protocol.ReplyReceived, At: time.Now()})

	public := newSurfer(s.t, s.o.publicWeb, s.o.config.PublicURL, s.o.publicRoutes...)
	told := public.goes(http.StatusOK, "/check", "code", p.CheckCode)
	if !strings.Contains(told, "Questura") {
		s.t.Errorf("the page of codes does not know the request:\n%s", told)
	}
	e.seen = append(e.seen, sight{"the public page of codes", told})
	public.goes(http.StatusSeeOther, "/site", "code", e.ownerCode)
	public.shows("/site", plantedPhone)
	public.goes(http.StatusSeeOther, "/site/requests/"+id, "by", "Anna", "note", plantedNote, "state", string(protocol.ReplyCopied))
	return request
}
