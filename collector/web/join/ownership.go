package join

import (
	"context"
	"errors"
	"net/http"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
)

// ownershipRequest names a site and an organisation.
type ownershipRequest struct {
	Organisation string `json:"organisation"` // id or name
	Site         string `json:"site"`         // id
}

// takeIn makes a site that is of no organisation one of an organisation's: it is
// the same owner's.
func (j *Join) takeIn(rw http.ResponseWriter, r *http.Request) {
	site, o, ok := j.readOwnership(rw, r, act.OrganisationTakeIn)
	if !ok {
		return
	}
	if err := j.Registry.JoinOrganisation(r.Context(), site, o.ID, j.Web.Now()); err != nil {
		j.refuseOwner(rw, r, err)
		return
	}
	web.WriteJSON(rw, http.StatusOK, map[string]string{"site_id": site, "organisation_id": o.ID})
}

// invitation is a one-time code for a site, as ops gives it too.
type invitation struct {
	SiteID    string    `json:"site_id"`
	Site      string    `json:"site,omitempty"`
	Code      string    `json:"code"` // shown once: the register keeps its hash
	Link      string    `json:"link"`
	ExpiresAt time.Time `json:"expires_at"`
}

// changeOwner gives a site to another organisation, and answers with the link by
// which that one adheres: until it has, no search finds the site.
func (j *Join) changeOwner(rw http.ResponseWriter, r *http.Request) {
	site, o, ok := j.readOwnership(rw, r, act.OwnerChange)
	if !ok {
		return
	}
	if err := j.Registry.ChangeOwner(r.Context(), site, o.ID, j.Web.Now()); err != nil {
		j.refuseOwner(rw, r, err)
		return
	}
	out, err := j.invite(r.Context(), site) // after it: a change of owner ends the codes of before
	if err != nil {
		j.Log.ErrorContext(r.Context(), "the owner of a site was changed, but the new one's code could not be made", "site", site, "err", err)
		j.refuse(rw, r, "", "owner.code")
		return
	}
	out.Site = o.Name
	web.WriteJSON(rw, http.StatusOK, out)
}

// readOwnership reads a request, checks what can be checked before it, and puts it
// on the trail; when it returns false the answer is written.
func (j *Join) readOwnership(rw http.ResponseWriter, r *http.Request, kind act.Kind) (site string, o protocol.Organisation, ok bool) {
	var in ownershipRequest
	if !j.readJSON(rw, r, &in) {
		return "", o, false
	}
	if o, ok = j.organisation(rw, r, in.Organisation); !ok {
		return "", o, false
	}
	known, err := j.Registry.HasSite(r.Context(), in.Site)
	switch {
	case err != nil:
		j.Web.Broken(rw, r, err)
		return "", o, false
	case !known:
		j.refuse(rw, r, "site", "export.site")
		return "", o, false
	}
	return in.Site, o, j.recordAct(rw, r, kind, 1, map[string]string{"site": in.Site, "organisation": o.ID})
}

func (j *Join) refuseOwner(rw http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, registry.ErrUnknownSite):
		j.refuse(rw, r, "site", "export.site")
	case errors.Is(err, registry.ErrOtherOrganisation):
		j.refuse(rw, r, "site", "owner.other")
	case errors.Is(err, registry.ErrSameOrganisation):
		j.refuse(rw, r, "site", "owner.same")
	default:
		j.Web.Broken(rw, r, err)
	}
}

// invite makes a one-time code for a site that is there.
func (j *Join) invite(ctx context.Context, siteID string) (invitation, error) {
	code, now := protocol.NewCode(), j.Web.Now().UTC().Truncate(time.Second)
	i := registry.Invitation{SiteID: siteID, CodeHash: code.Hash(), ExpiresAt: now.Add(registry.CodeLife), At: now}
	if _, err := j.Registry.Invite(ctx, i); err != nil {
		return invitation{}, err
	}
	return invitation{SiteID: siteID, Code: code.String(), Link: j.Link(code), ExpiresAt: i.ExpiresAt}, nil
}
