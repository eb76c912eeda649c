package consult

import (
	"slices"
	"time"

	"anagrafe/collector/paper"
	"anagrafe/collector/registry"
	"anagrafe/collector/search"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// acquisition fills a request in with what an answer showed of sites of one owner.
func (c *Consult) acquisition(u officer, src paperSource, sites []string, f paperForm) paper.Acquisition {
	k, ans := src.question.Case, src.answer
	a := paper.Acquisition{Made: exactSecond(c.Now()), Basis: f.Basis,
		From: paper.Sender{Force: u.Force, Office: f.Office, Officer: u.Name, Qualification: u.Qualification, Phone: f.Phone},
		Case: paper.CaseRef{ID: k.ID, Kind: k.Kind, Ref: k.Ref}, Place: f.Place, Start: ans.question.From.UTC(), End: ans.question.To.UTC(), Delivery: f.Delivery}
	for _, site := range sites {
		a.Sites = append(a.Sites, siteOn(ans, site))
		if b, ok := src.before[site]; ok && a.Asked.IsZero() {
			a.Asked, a.CheckCode, a.CheckPage = exactSecond(b.at), b.code, c.CheckURL
		}
	}
	return a
}

// siteOn is a site with those of its cameras that were shown and whose footage is
// not surely gone; all of them where it is of all.
func siteOn(ans *answer, id string) paper.Site {
	s := paper.Site{ID: id}
	var gone []paper.Camera
	for _, r := range ans.results {
		if r.SiteID != id || r.Camera.ID == "" {
			continue
		}
		s.Name, s.Address = r.SiteName, r.Address
		if cam := cameraOn(r); r.Class == search.ClassC {
			gone = append(gone, cam)
		} else {
			s.Cameras = append(s.Cameras, cam)
		}
	}
	if s.Cameras == nil {
		s.Cameras = gone
	}
	return s
}

// cameraOn is a camera as its recorder's display names it and shows the time.
func cameraOn(r search.Result) paper.Camera {
	cam := paper.Camera{ID: r.CameraID, Name: r.CameraName, OldName: r.OldName, Channel: r.Camera.Channel, Recorder: recorderName(r),
		Start: r.From.UTC(), End: r.Until.UTC()}
	if !r.TimeLeftAssumed && !r.Footage.Until.IsZero() {
		cam.Overwritten = r.Footage.Until.UTC()
	}
	if r.Clock != nil && !r.ClockFrom.IsZero() {
		cam.Clock = &paper.Clock{From: display(r.ClockFrom, r.Schedule), Until: display(r.ClockUntil, r.Schedule),
			OffsetMs: r.Clock.OffsetMs, UncertaintyMs: r.Clock.UncertaintyMs, Method: r.Clock.Method, At: r.Clock.At.UTC()}
	}
	return cam
}

// display writes the digits that a recorder's display shows.
func display(t time.Time, s protocol.Schedule) string {
	moved, _ := onDisplay(t, s)
	return moved.In(pages.Rome()).Format("2006-01-02T15:04:05")
}

// organisationAsked is an organisation as it is addressed. Its PEC is named only
// where a contact with it was opened.
func organisationAsked(o protocol.Organisation, now time.Time, ans *answer, sites []string) paper.Addressee {
	to := paper.Addressee{Name: o.Name, FiscalCode: o.FiscalCode, PEC: openedPEC(ans, sites)}
	if rep := o.Representative; rep != nil && rep.InTerm(now) {
		to.Representative, to.Capacity = rep.Name, rep.Capacity
	}
	return to
}

// siteAsked is a site that is of no organisation: its owner is named only where
// their contact was opened.
func siteAsked(ans *answer, site string) paper.Addressee {
	to := paper.Addressee{Name: siteOn(ans, site).Name, PEC: openedPEC(ans, []string{site})}
	for _, contact := range ans.revealed()[site] {
		if contact.Role == protocol.RoleOwner && to.Representative == "" {
			to.Representative, to.Capacity = contact.Name, "proprietario"
		}
	}
	return to
}

func openedPEC(ans *answer, sites []string) string {
	opened := ans.revealed()
	for _, site := range sites {
		for _, contact := range opened[site] {
			if contact.PEC != "" {
				return contact.PEC
			}
		}
	}
	return ""
}

// namedOn are the sites of whose contacts one stands in an address.
func namedOn(to paper.Addressee, ans *answer, sites []string) (named []string) {
	opened := ans.revealed()
	for _, site := range sites {
		if slices.ContainsFunc(opened[site], func(c registry.Contact) bool {
			return to.PEC != "" && c.PEC == to.PEC || to.Representative != "" && c.Name == to.Representative
		}) {
			named = append(named, site)
		}
	}
	return named
}

// whereOf words the place that was asked for.
func whereOf(w *pages.Words, q *question) string {
	if line := placeLine(w, q); line != "" {
		return line
	}
	return whereWords(w, q)
}
