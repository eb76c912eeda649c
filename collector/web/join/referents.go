package join

import (
	"errors"
	"net/http"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// Referents look after the sites of others. They sign in with a passkey, on the public
// listener, and see those that somebody let them look after. Nothing is asked of the
// role: each site and each act goes by a delegation that is in force now (MayAct), whose
// id stands on the trail beside the act. The people of an owner of many sites are
// referents too: its representative has a delegation with all powers for all sites.

// ReferentPath is where a referent begins.
const ReferentPath = "/referent"

// Referents are the pages of referents.
type Referents struct {
	*Join
	web    *web.Web      // which lets referents in
	upload chan struct{} // a place for each file that is read at once
}

// uploadsAtOnce bounds the files of referents in memory.
const uploadsAtOnce = 2

// NewReferents makes the pages. w is of the public listener's address and accepts
// referents alone.
func NewReferents(j *Join, w *web.Web) (*Referents, error) {
	if j == nil || w == nil {
		return nil, errors.New("the pages of referents need the public pages and their own sign-in")
	}
	return &Referents{Join: j, web: w, upload: make(chan struct{}, uploadsAtOnce)}, nil
}

// Routes are the pages, for referents who signed in.
func (f *Referents) Routes() []web.Route {
	route := func(pattern string, h http.HandlerFunc) web.Route {
		return web.Route{Pattern: pattern, Roles: []string{registry.RoleReferent}, Handler: h}
	}
	return []web.Route{
		route("GET "+ReferentPath, f.sites),
		route("GET "+ReferentPath+"/sites/{id}", f.site),
		route("POST "+ReferentPath+"/sites/{id}/requests/{notice}", f.answer),
		route("GET "+ReferentPath+"/delegations", f.delegations),
		route("GET "+ReferentPath+"/import", f.importPage),
		{Pattern: "POST " + ReferentPath + "/import", Roles: []string{registry.RoleReferent}, MaxBody: maxUpload + 64<<10, Handler: http.HandlerFunc(f.takeFile)},
		route("POST "+ReferentPath+"/export", f.export),
	}
}

// show answers with a page.
func (f *Referents) show(rw http.ResponseWriter, r *http.Request, p pages.Page) {
	u, _ := web.User(r.Context())
	p.Face, p.User = pages.FacePublic, u.Name
	p.Nav = []pages.Nav{{Key: "nav.sites", Href: ReferentPath}, {Key: "nav.delegations", Href: ReferentPath + "/delegations"},
		{Key: "nav.import", Href: ReferentPath + "/import"}, {Key: "nav.account", Href: "/account"}}
	for i := range p.Nav {
		p.Nav[i].Current = p.Nav[i].Href == r.URL.Path
	}
	f.pages.Render(rw, r, p)
}

func (f *Referents) words(r *http.Request) *pages.Words { return f.pages.Words(pages.Language(r)) }

// missing answers for a site that is not there, or not this referent's: nobody is told
// which.
func (f *Referents) missing(rw http.ResponseWriter, r *http.Request) {
	f.show(rw, r, pages.Page{Template: "referent_missing.html", Title: "missing.title", Status: http.StatusNotFound})
}

// may returns the delegation by which who asks may use a power for a site.
func (f *Referents) may(r *http.Request, siteID string, p protocol.Power) (protocol.Delegation, bool, error) {
	u, _ := web.User(r.Context())
	d, ok, err := f.Registry.MayAct(r.Context(), u.ID, siteID, p, f.web.Now())
	if errors.Is(err, registry.ErrUnknownSite) {
		return d, false, nil
	}
	return d, ok, err
}

// powers are those that who asks has for a site, each by a delegation.
func (f *Referents) powers(r *http.Request, siteID string) (map[protocol.Power]protocol.Delegation, error) {
	all := make(map[protocol.Power]protocol.Delegation)
	for _, p := range []protocol.Power{protocol.MayPrepare, protocol.MayApprove, protocol.MayAnswer} {
		d, ok, err := f.may(r, siteID, p)
		if err != nil {
			return nil, err
		}
		if ok {
			all[p] = d
		}
	}
	return all, nil
}
