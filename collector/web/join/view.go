package join

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// siteView is the owner's site as the page shows it.
type siteView struct {
	registry.OwnSite
	Hidden bool // suspended
	Shown  []cameraView
	// Delegated is what referents may do for the site now.
	Delegated []delegatedTo
	// Doubtful: a contact is shown to officers as not verified. RenewSoon: the
	// first reminder is due, or was; Overdue: the year is over.
	Doubtful, RenewSoon, Overdue bool
	Waiting                      bool        // a contact has not accepted yet
	Requests                     []askedView // to preserve, the newest first
	Readers                      []registry.AlertReader
	ByHand                       bool              // typed on the public form, and no agent keeps it
	Letters                      []registry.Letter // of the office, the newest first
}

// cameraView is a camera in words.
type cameraView struct {
	Name, Place, Looks, Records, Keeps string
}

// LastDay is the last day of a suspension that ends by itself.
func (v siteView) LastDay() time.Time { return v.SuspendedUntil.Add(-time.Second) }

func view(w *pages.Words, own registry.OwnSite, now time.Time) siteView {
	v := siteView{OwnSite: own, Hidden: own.State == registry.Suspended,
		Doubtful:  slices.ContainsFunc(own.Contacts, func(c registry.Contact) bool { return c.Unverified }),
		Waiting:   slices.ContainsFunc(own.Contacts, func(c registry.Contact) bool { return c.Unconfirmed }),
		RenewSoon: !now.Before(own.Adhesion.RemindAt), Overdue: !now.Before(own.Adhesion.RenewBy)}
	for _, c := range own.Declared {
		v.Shown = append(v.Shown, cameraView{Name: c.Name, Place: place(w, c.Position), Looks: looks(w, c.View),
			Records: w.T("records." + cmp.Or(string(c.Schedule.Kind), "unknown")), Keeps: keeps(w, c.Retention)})
	}
	slices.SortStableFunc(v.Shown, func(a, b cameraView) int { return strings.Compare(a.Name, b.Name) })
	return v
}

func place(w *pages.Words, p protocol.Position) string {
	degrees := func(micro int32) string { return strconv.FormatFloat(float64(micro)/1e6, 'f', 6, 64) }
	return w.T("camera.place.value", "lat", degrees(p.Lat), "lon", degrees(p.Lon), "metres", w.Number(cmp.Or(p.AccuracyM, protocol.DefaultAccuracyM)))
}

func looks(w *pages.Words, v protocol.View) string {
	switch {
	case v.Turns:
		return w.T("camera.turns")
	case v.DirectionDeg != nil:
		return w.Side(float64(*v.DirectionDeg))
	}
	return w.T("camera.unknown")
}

func keeps(w *pages.Words, r protocol.Retention) string {
	switch r.Kind {
	case protocol.RetentionAge:
		return w.Duration(r.Age)
	case protocol.RetentionCapacity:
		return w.T("camera.capacity")
	}
	return w.T("camera.unknown")
}
