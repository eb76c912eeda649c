package join

import (
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
)

// officeRoutes are what the command line asks about organisations, besides their
// files. Names stand in the body: no address holds one.
func (j *Join) officeRoutes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /organisations":          j.organisations,
		"POST /organisations":         j.addOrganisation,
		"POST /organisations/show":    j.showOrganisation,
		"POST /organisations/change":  j.changeOrganisation,
		"POST /organisations/take-in": j.takeIn,
		"POST /owner":                 j.changeOwner,
		"POST /delegations":           j.delegate,
		"POST /delegations/list":      j.listDelegations,
		"POST /delegations/revoke":    j.revokeDelegation,
	}
}

// organisation finds one by what was typed; when it returns false the answer is
// written.
func (j *Join) organisation(rw http.ResponseWriter, r *http.Request, typed string) (protocol.Organisation, bool) {
	o, err := j.Registry.Organisation(r.Context(), typed)
	switch {
	case errors.Is(err, registry.ErrUnknownOrganisation):
		j.refuse(rw, r, "organisation", "import.organisation")
		return o, false
	case err != nil:
		j.Web.Broken(rw, r, err)
		return o, false
	}
	return o, true
}

// organisationJSON is an organisation as it is listed.
type organisationJSON struct {
	protocol.Organisation
	Sites     int       `json:"sites"`
	CreatedAt time.Time `json:"created_at"`
}

func (j *Join) organisations(rw http.ResponseWriter, r *http.Request) {
	all, err := j.Registry.Organisations(r.Context())
	if err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	list := []organisationJSON{}
	for _, o := range all {
		list = append(list, organisationJSON{o.Organisation, o.Sites, o.CreatedAt})
	}
	web.WriteJSON(rw, http.StatusOK, map[string]any{"organisations": list})
}

func (j *Join) addOrganisation(rw http.ResponseWriter, r *http.Request) {
	var o protocol.Organisation
	if !j.readJSON(rw, r, &o) {
		return
	}
	o.ID = uuid.NewString()
	if !j.fitOrganisation(rw, &o) {
		return
	}
	// The id alone: the trail outlives what the organisation says of itself.
	if !j.recordAct(rw, r, act.OrganisationAdd, 1, map[string]string{"organisation": o.ID}) {
		return
	}
	err := j.Registry.AddOrganisation(r.Context(), o, j.Web.Now())
	if errors.Is(err, registry.ErrOrganisationName) {
		j.refuse(rw, r, "name", "organisation.name")
		return
	}
	if err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	web.WriteJSON(rw, http.StatusCreated, organisationJSON{Organisation: o, CreatedAt: j.Web.Now()})
}

// fitOrganisation puts an organisation into its usual form and checks it; when it
// returns false the answer is written.
func (j *Join) fitOrganisation(rw http.ResponseWriter, o *protocol.Organisation) bool {
	if code, err := protocol.FiscalCode(o.FiscalCode); err == nil {
		o.FiscalCode = code
	}
	fields, bad := errors.AsType[protocol.FieldErrors](o.Validate())
	if bad {
		web.WriteJSON(rw, http.StatusUnprocessableEntity, web.Problem{Error: fields[0].Why, Field: fields[0].Field})
	}
	return !bad
}

// organisationRequest names an organisation, by its id or name.
type organisationRequest struct {
	Organisation string `json:"organisation"`
}

// organisationDetails is all of an organisation but what its sites declare.
type organisationDetails struct {
	protocol.Organisation
	Sites       []siteLine            `json:"sites"`
	Delegations []protocol.Delegation `json:"delegations"` // also those that have ended
}

type siteLine struct {
	ID      string         `json:"id"`
	Name    string         `json:"name"`
	Address string         `json:"address"`
	State   registry.State `json:"state"`
	Cameras int            `json:"cameras"`
}

func (j *Join) showOrganisation(rw http.ResponseWriter, r *http.Request) {
	var in organisationRequest
	if !j.readJSON(rw, r, &in) {
		return
	}
	o, ok := j.organisation(rw, r, in.Organisation)
	if !ok {
		return
	}
	out := organisationDetails{Organisation: o, Sites: []siteLine{}, Delegations: []protocol.Delegation{}}
	sites, err := j.Registry.OrganisationSites(r.Context(), o.ID)
	if err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	for _, s := range sites {
		out.Sites = append(out.Sites, siteLine{s.ID, s.Name, s.Address, s.State, s.Cameras})
	}
	given, err := j.Registry.Delegations(r.Context(), o.ID)
	if err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	out.Delegations = append(out.Delegations, given...)
	web.WriteJSON(rw, http.StatusOK, out)
}

// organisationChange is what changes of an organisation; the rest stays.
type organisationChange struct {
	Organisation   string                   `json:"organisation"`
	Name           string                   `json:"name,omitempty"`
	FiscalCode     string                   `json:"fiscal_code,omitempty"`
	Trust          protocol.Trust           `json:"trust,omitempty"`
	Representative *protocol.Representative `json:"representative,omitempty"`
	Contacts       []protocol.Contact       `json:"contacts,omitempty"` // take the place of all that were
}

// changeOrganisation corrects what is known of an organisation, or gives it
// another representative: then the former one's codes open its sites no more.
func (j *Join) changeOrganisation(rw http.ResponseWriter, r *http.Request) {
	var in organisationChange
	if !j.readJSON(rw, r, &in) {
		return
	}
	o, ok := j.organisation(rw, r, in.Organisation)
	if !ok {
		return
	}
	var changed []string
	put := func(what string, is bool, set func()) {
		if is {
			changed = append(changed, what)
			set()
		}
	}
	put("name", in.Name != "", func() { o.Name = in.Name })
	put("fiscal_code", in.FiscalCode != "", func() { o.FiscalCode = in.FiscalCode })
	put("trust", in.Trust != "", func() { o.Trust = in.Trust })
	put("representative", in.Representative != nil, func() { o.Representative = in.Representative })
	put("contacts", len(in.Contacts) > 0, func() { o.Contacts = in.Contacts })
	switch {
	case len(changed) == 0:
		j.refuse(rw, r, "", "organisation.nothing")
		return
	case in.Representative != nil && len(in.Contacts) == 0 && o.Kind == protocol.Condominium:
		// Whom to call about a condominium is its administrator.
		j.refuse(rw, r, "contacts", "organisation.administrator")
		return
	case !j.fitOrganisation(rw, &o):
		return
	case !j.recordAct(rw, r, act.OrganisationChange, 1, map[string]any{"organisation": o.ID, "changed": changed}):
		return
	}
	err := j.Registry.SetOrganisation(r.Context(), o, j.Web.Now())
	switch {
	case errors.Is(err, registry.ErrOrganisationName):
		j.refuse(rw, r, "name", "organisation.name")
		return
	case err != nil:
		j.Web.Broken(rw, r, err)
		return
	}
	web.WriteJSON(rw, http.StatusOK, o)
}
