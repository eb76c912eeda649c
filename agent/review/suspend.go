package review

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// suspendedSite is a site that is shared, and whether searches find it.
type suspendedSite struct {
	inventory.Site
	Hidden bool
	// Last is the newest word on it that left from here; nil: none did.
	Last *inventory.Sent
}

// LastDay is the last day of the suspension; zero: it has none.
func (s suspendedSite) LastDay() time.Time {
	if s.SuspendedUntil.IsZero() {
		return time.Time{}
	}
	return s.SuspendedUntil.Add(-time.Second)
}

type suspendView struct {
	Sites []suspendedSite
	Form  fields // of the site in "site_id", where a day was refused
}

// siteJSON is a site of GET /suspend for programs.
type siteJSON struct {
	SiteID   string              `json:"site_id"`
	SiteName string              `json:"site_name"`
	State    protocol.SiteState  `json:"state,omitempty"` // "suspended", or not there
	Until    time.Time           `json:"until,omitzero"`  // when it is shown again by itself
	Sent     inventory.SentState `json:"sent,omitempty"`  // how far the last word on it has come
}

// suspended shows which sites are hidden from search, and the buttons.
func (v *Review) suspended(r *http.Request) (answer, error) { return v.suspendPage(r, nil) }

func (v *Review) suspendPage(r *http.Request, wrong fields) (answer, error) {
	sites, err := v.sharedSites(r)
	if err != nil {
		return answer{}, err
	}
	a := page("suspend.html", "suspend.title", suspendView{sites, wrong})
	all := []siteJSON{}
	for _, s := range sites {
		one := siteJSON{SiteID: s.SiteID, SiteName: s.SiteName, State: s.State, Until: s.SuspendedUntil}
		if s.Last != nil {
			one.Sent = s.Last.State
		}
		all = append(all, one)
	}
	a.json = struct {
		Sites []siteJSON `json:"sites"`
	}{all}
	if wrong != nil {
		a.page.Status = http.StatusUnprocessableEntity
	}
	return a, nil
}

// sharedSites are those of which the register holds something.
func (v *Review) sharedSites(r *http.Request) (sites []suspendedSite, err error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return nil, err
	}
	last, err := v.Inventory.LastSuspensions(r.Context())
	if err != nil {
		return nil, err
	}
	for _, g := range known.Sites {
		shared := slices.ContainsFunc(known.Cameras, func(c inventory.Camera) bool {
			return c.State == inventory.StateDeclared && (c.SiteID == g.SiteID || c.SiteID == "" && len(known.Sites) == 1)
		})
		if !shared {
			continue
		}
		s := suspendedSite{Site: g, Hidden: g.State == protocol.SiteSuspended}
		if sent, is := last[g.SiteID]; is {
			s.Last = &sent
		}
		sites = append(sites, s)
	}
	return sites, nil
}

// suspension is the owner's word on one site, or on all that are shared.
type suspension struct {
	SiteID string `json:"site_id"` // "": all
	Until  string `json:"until"`   // the last day of it, 2006-01-02 in Italy; "": no last day
	By     string `json:"by"`
}

func suspensionOf(r *http.Request) (s suspension, err error) {
	if filled, err := read(r, &s); err != nil || !filled {
		return s, err
	}
	f := typed(r, "site_id", "until")
	return suspension{SiteID: f["site_id"].Value, Until: f["until"].Value}, nil
}

// suspend hides a site from search, at once and without a reason.
func (v *Review) suspend(r *http.Request) (answer, error) {
	s, err := suspensionOf(r)
	if err != nil {
		return answer{}, err
	}
	until, err := lastDay(s.Until)
	if err == nil {
		err = v.eachShared(r, s.SiteID, func(siteID string) error {
			return v.Inventory.Suspend(r.Context(), siteID, until, protocol.Approval{By: s.By})
		})
	}
	if errs, is := errors.AsType[protocol.FieldErrors](err); is && errs[0].Field == "until" && !wantsJSON(r) {
		return v.suspendPage(r, fields{"site_id": {Value: s.SiteID}, "until": {Value: s.Until, Error: "wrong.until"}})
	}
	return v.suspendDone(r, err, "/suspend?done=suspended")
}

// resume shows a site again.
func (v *Review) resume(r *http.Request) (answer, error) {
	s, err := suspensionOf(r)
	if err == nil {
		err = v.eachShared(r, s.SiteID, func(siteID string) error {
			return v.Inventory.Resume(r.Context(), siteID, protocol.Approval{By: s.By})
		})
	}
	return v.suspendDone(r, err, "/suspend?done=resumed")
}

// suspendDone answers with how the sites stand now.
func (v *Review) suspendDone(r *http.Request, err error, to string) (answer, error) {
	if errors.Is(err, inventory.ErrNothingShared) {
		return answer{}, problem{status: http.StatusConflict, key: "error.unshared", Field: "site_id",
			What: inventory.ErrNothingShared.Error(), Hint: "only what is in the register can be suspended, or resumed"}
	}
	if err != nil {
		return answer{}, err
	}
	a, err := v.suspendPage(r, nil)
	a.page, a.to = nil, to
	return a, err
}

// eachShared does something to one site, or to all that are shared.
func (v *Review) eachShared(r *http.Request, siteID string, do func(siteID string) error) error {
	if siteID != "" {
		return do(siteID)
	}
	sites, err := v.sharedSites(r)
	if err != nil {
		return err
	}
	if len(sites) == 0 {
		return inventory.ErrNothingShared
	}
	for _, s := range sites {
		if err := do(s.SiteID); err != nil {
			return err
		}
	}
	return nil
}

// lastDay is the end of a day in Italy; zero for "".
func lastDay(day string) (time.Time, error) {
	if day == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, day, pages.Rome())
	if err != nil {
		return time.Time{}, protocol.FieldErrors{{Field: "until", Why: "must be a day like 2026-12-31"}}
	}
	return t.AddDate(0, 0, 1), nil
}
