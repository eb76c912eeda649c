package join

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

const (
	sitesOnPage = 25
	// maxReferentPage bounds what is skipped.
	maxReferentPage = 10_000
)

// sitesView is a page of a referent's sites.
type sitesView struct {
	Sites       []siteRow
	All         int
	Chosen      map[string]string // what the address chose: state, health, sort
	Orders      []registry.ReferentOrder
	Page, Pages int
	Before      string // address of the page before; "" none
	After       string
}

// siteRow is a site in the list.
type siteRow struct {
	registry.ReferentSite
	Health []problemView // what is wrong; none: nothing that is known
	Heard  string
}

// Hidden reports whether its owner suspended it.
func (s siteRow) Hidden() bool { return s.State == registry.Suspended }

// chosen reads what the address chooses; what it does not know is left out.
func chosen(r *http.Request) map[string]string {
	q, c := r.URL.Query(), make(map[string]string)
	for name, known := range map[string][]string{"state": {string(registry.Sharing), string(registry.Suspended)}, "health": {"unheard", "asked"},
		"sort": {string(registry.ByAsked), string(registry.ByHeard), string(registry.ByCameras), string(registry.ByNewest)}} {
		if v := q.Get(name); slices.Contains(known, v) {
			c[name] = v
		}
	}
	return c
}

// pageOf reads which page of a list is asked for, from 1.
func pageOf(r *http.Request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || n < 1 || n > maxReferentPage {
		return 1
	}
	return n
}

func (f *Referents) sites(rw http.ResponseWriter, r *http.Request) {
	u, _ := web.User(r.Context())
	now, c, page := f.web.Now(), chosen(r), pageOf(r)
	q := registry.ReferentQuery{State: registry.State(c["state"]), Order: registry.ReferentOrder(c["sort"]), Asked: c["health"] == "asked",
		Skip: (page - 1) * sitesOnPage, Most: sitesOnPage}
	if c["health"] == "unheard" {
		q.Unheard = now.Add(-protocol.UnheardAfter)
	}
	list, all, err := f.Registry.ReferentSites(r.Context(), u.ID, q, now)
	if err != nil {
		f.web.Broken(rw, r, err)
		return
	}
	words := f.words(r)
	v := sitesView{All: all, Chosen: c, Orders: registry.ReferentOrders, Page: page, Pages: max(1, (all+sitesOnPage-1)/sitesOnPage)}
	for _, s := range list {
		wrong, err := f.Registry.Wrong(r.Context(), s.ID, now)
		if err != nil {
			f.web.Broken(rw, r, err)
			return
		}
		v.Sites = append(v.Sites, siteRow{ReferentSite: s, Health: problems(words, wrong), Heard: heardWords(words, s.SiteSummary)})
	}
	at := func(n int) string {
		to := url.Values{"page": {strconv.Itoa(n)}}
		for name, value := range c {
			to.Set(name, value)
		}
		return ReferentPath + "?" + to.Encode()
	}
	if page > 1 {
		v.Before = at(min(page-1, v.Pages))
	}
	if page < v.Pages {
		v.After = at(page + 1)
	}
	f.show(rw, r, pages.Page{Template: "referent_sites.html", Title: "sites.title", Wide: true, Styles: []string{"login.css"}, Data: v})
}

// heardWords says when a site was last heard.
func heardWords(w *pages.Words, s registry.SiteSummary) string {
	if s.HeardAt.IsZero() {
		return w.T("sites.never")
	}
	return w.Short(s.HeardAt)
}

// problemView is what is wrong at a site, in words: what, and what to do.
type problemView struct {
	Kind, What, Do string
	Bad            bool // footage is being lost
}

// problems words what is wrong at a site.
func problems(w *pages.Words, wrong []registry.AlertChange) (all []problemView) {
	for _, c := range wrong {
		kind := string(c.Alert)
		off := (time.Duration(c.OffsetMs) * time.Millisecond).Abs()
		side := "ahead"
		if c.OffsetMs < 0 {
			side = "behind"
		}
		v := problemView{Kind: kind, Do: w.T("wrong." + kind + ".do"), Bad: c.Alert == protocol.AlertSilent || c.Alert == protocol.AlertStopped}
		switch c.Alert {
		case protocol.AlertClock:
			v.What = w.T("wrong.clock."+side, "name", c.Name, "by", w.Duration(off))
		case protocol.AlertShorter:
			v.What = w.T("wrong.shorter", "name", c.Name, "was", w.Duration(time.Duration(c.WasS)*time.Second), "is", w.Duration(time.Duration(c.IsS)*time.Second))
		case protocol.AlertUnheard:
			v.What = w.T("wrong.unheard", "since", w.Short(c.Since))
		default:
			v.What = w.T("wrong."+kind, "name", c.Name, "since", w.Short(c.Since))
		}
		all = append(all, v)
	}
	return all
}
