package ops

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// maxAct is the longest text of an act, or of a reason, in characters.
const maxAct = 1000

type forceAct struct {
	Text string    `json:"act"`
	At   time.Time `json:"added_at"`
}

type force struct {
	Name         string     `json:"name"`
	Recipient    string     `json:"recipient"`
	Acts         []forceAct `json:"acts"`
	Administered bool       `json:"administered"` // it has an administrator of its own
}

// typedForce is what is typed to add a force, or to name the first administrator of one.
type typedForce struct{ Name, Recipient, Act, Administers, Administrator string }

type forcesData struct {
	Forces []force    `json:"forces"`
	Typed  typedForce `json:"-"`
	Wrong  wrong      `json:"-"`
}

func (o *Ops) forces(rw http.ResponseWriter, r *http.Request) {
	o.showForces(rw, r, http.StatusOK, typedForce{}, wrong{})
}

func (o *Ops) showForces(rw http.ResponseWriter, r *http.Request, status int, in typedForce, bad wrong) {
	all, err := o.Registry.Forces(r.Context())
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	data := forcesData{Forces: []force{}, Typed: in, Wrong: bad}
	for _, f := range all {
		shown := force{f.Name, f.Recipient, []forceAct{}, f.Administered}
		for _, a := range f.Acts {
			shown.Acts = append(shown.Acts, forceAct{a.Text, a.At})
		}
		data.Forces = append(data.Forces, shown)
	}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, status, data)
		return
	}
	p := pages.Page{Template: "forces.html", Title: "forces.title", Wide: true, Status: status, Data: data}
	if bad.Key != "" {
		p.Notes = []pages.Note{{Kind: "danger", Key: bad.Key}}
	}
	o.show(rw, r, p)
}

// addForce adds a force by the act that lets it consult, or another act of one that
// is there. The act is on the Comune's own trail, not sealed: admission to consultation is no
// secret.
func (o *Ops) addForce(rw http.ResponseWriter, r *http.Request) {
	var in typedForce
	again := func(status int, bad wrong) {
		o.refuse(rw, r, status, bad, func() { o.showForces(rw, r, status, in, bad) })
	}
	if err := web.ReadFields(r, map[string]*string{"name": &in.Name, "recipient": &in.Recipient, "act": &in.Act}); err != nil {
		again(http.StatusBadRequest, wrong{"", "forces.unreadable"})
		return
	}
	known, bad, err := o.checkForce(r.Context(), in)
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	if bad.Key != "" {
		again(http.StatusUnprocessableEntity, bad)
		return
	}
	kind, recipient := act.ForceAdd, in.Recipient
	if known.Name != "" {
		kind, recipient = act.ForceAct, known.Recipient
	}
	if !o.record(rw, r, kind, map[string]string{"force": in.Name, "recipient": recipient, "act": in.Act}) {
		return
	}
	err = o.Registry.AddForce(r.Context(), in.Name, recipient)
	if errors.Is(err, registry.ErrExists) { // somebody else has added it meanwhile
		again(http.StatusConflict, wrong{"recipient", "forces.recipient.other"})
		return
	}
	if err == nil {
		err = o.Registry.AddForceAct(r.Context(), in.Name, registry.ForceAct{Text: in.Act, At: o.Web.Now()})
	}
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, http.StatusCreated, map[string]string{"name": in.Name, "recipient": recipient, "act": in.Act})
		return
	}
	http.Redirect(rw, r, "/forces", http.StatusSeeOther)
}

// checkForce says which field cannot be taken, and which force of that name is there.
// A new one needs the public key to which all that it asks will be sealed.
func (o *Ops) checkForce(ctx context.Context, in typedForce) (known registry.Force, bad wrong, err error) {
	switch {
	case in.Name == "" || !web.OneLine(in.Name, web.MaxName):
		return known, wrong{"name", "forces.name.wrong"}, nil
	case in.Act == "" || !web.OneLine(in.Act, maxAct):
		return known, wrong{"act", "forces.act.wrong"}, nil
	}
	all, err := o.Registry.Forces(ctx)
	if err != nil {
		return known, wrong{}, err
	}
	if i := slices.IndexFunc(all, func(f registry.Force) bool { return f.Name == in.Name }); i >= 0 {
		if in.Recipient != "" && in.Recipient != all[i].Recipient {
			bad = wrong{"recipient", "forces.recipient.other"}
		}
		return all[i], bad, nil
	}
	if in.Recipient == "" {
		return known, wrong{"recipient", "forces.recipient.missing"}, nil
	}
	if _, err := age.ParseRecipients(strings.NewReader(in.Recipient)); err != nil || strings.ContainsAny(in.Recipient, "\r\n") {
		return known, wrong{"recipient", "forces.recipient.wrong"}, nil
	}
	return known, wrong{}, nil
}
