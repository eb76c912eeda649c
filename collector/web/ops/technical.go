package ops

import (
	"context"
	"errors"
	"net/http"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// technicalData is one site's technical state: nothing of its contacts, of where its
// cameras are and what they are called, and of what was asked of its owner.
type technicalData struct {
	Site      registry.Technical `json:"-"`
	ID        string             `json:"id"`
	State     registry.State     `json:"state"`
	Agents    []technicalAgent   `json:"agents"`
	Recorders []technicalDevice  `json:"recorders"`
	Codes     []code             `json:"codes"`
	Letter    letterForm         `json:"-"`
}

type technicalAgent struct {
	ID             string    `json:"id"`
	Version        string    `json:"version"`
	Platform       string    `json:"platform,omitempty"`
	SeenAt         time.Time `json:"seen_at,omitzero"`
	RevokedAt      time.Time `json:"revoked_at,omitzero"`
	CertificateEnd time.Time `json:"certificate_until,omitzero"`
	VisitUntil     time.Time `json:"visit_until,omitzero"`
	SearchedAt     time.Time `json:"searched_at,omitzero"`
	Found          int       `json:"cameras_found"`
	Answered       int       `json:"cameras_answered"`
	Confirmed      int       `json:"cameras_confirmed"`
}

type technicalDevice struct {
	Maker    protocol.Maker   `json:"maker"`
	Model    string           `json:"model,omitempty"`
	Firmware string           `json:"firmware,omitempty"`
	LookedAt time.Time        `json:"looked_at,omitzero"`
	Faults   []technicalFault `json:"faults"`
}

type technicalFault struct {
	Cause    registry.Cause `json:"cause"`
	Since    time.Time      `json:"since"`
	OffsetMs int64          `json:"offset_ms,omitempty"`
}

// Minutes is by how much a clock is wrong.
func (f technicalFault) Minutes() int {
	return int((time.Duration(f.OffsetMs) * time.Millisecond).Round(time.Minute) / time.Minute)
}

// Silent reports that no agent was heard of the site for days.
func (d technicalData) Silent(now time.Time) bool {
	return d.State == registry.Sharing && now.Sub(d.Site.HeardAt) > staleAfter
}

// siteCodes is how many of a site's codes its page shows.
const siteCodes = 20

// technical shows one site.
func (o *Ops) technical(rw http.ResponseWriter, r *http.Request) {
	o.showTechnical(rw, r, http.StatusOK, letterForm{Text: o.proposed(r)})
}

func (o *Ops) showTechnical(rw http.ResponseWriter, r *http.Request, status int, form letterForm) {
	t, err := o.Registry.Technical(r.Context(), r.PathValue("id"))
	if errors.Is(err, registry.ErrUnknownSite) {
		o.missing(rw, r, "site.unknown")
		return
	}
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	data, err := o.technicalOf(r.Context(), t)
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, status, data)
		return
	}
	data.Letter = form
	p := pages.Page{Template: "site.html", Title: "site.title", Wide: true, Status: status, Data: data}
	if form.Wrong != "" {
		p.Notes = []pages.Note{{Kind: "danger", Key: form.Wrong}}
	} else if r.URL.Query().Get("done") == "letter" {
		p.Notes = []pages.Note{{Kind: "success", Key: "letter.done"}}
	}
	o.show(rw, r, p)
}

func (o *Ops) technicalOf(ctx context.Context, t registry.Technical) (technicalData, error) {
	d := technicalData{Site: t, ID: t.ID, State: t.State, Agents: []technicalAgent{}, Recorders: []technicalDevice{}, Codes: []code{}}
	for _, a := range t.Agents {
		d.Agents = append(d.Agents, technicalAgent{a.ID, a.Version, a.Platform, a.SeenAt, a.RevokedAt, a.CertificateEnds, a.VisitUntil, a.SearchedAt, a.Found, a.Answered, a.Confirmed})
	}
	for _, e := range t.Recorders {
		device := technicalDevice{e.Maker, e.Model, e.Firmware, e.LookedAt, []technicalFault{}}
		for _, f := range e.Faults {
			device.Faults = append(device.Faults, technicalFault{registry.FaultCause(f.Fault), f.Since, f.Size})
		}
		d.Recorders = append(d.Recorders, device)
	}
	err := o.Registry.CodeRows(ctx, registry.CodeFilter{SiteID: t.ID}, registry.Window{Limit: siteCodes}, func(c registry.CodeRow) error {
		d.Codes = append(d.Codes, codeOf(c))
		return nil
	})
	return d, err
}
