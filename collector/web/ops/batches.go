package ops

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
)

// batchesOnPage is how many batches a list has at most.
const batchesOnPage = 50

// batchRequest asks for codes for an association.
type batchRequest struct {
	Association string `json:"association"`
	Count       string `json:"count"`
}

// batchJSON is a batch, as it is listed.
type batchJSON struct {
	ID          string    `json:"id"`
	Association string    `json:"association"`
	Codes       int       `json:"codes"`
	Used        int       `json:"used"`
	At          time.Time `json:"at"`
	ExpiresAt   time.Time `json:"expires_at"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
}

// batchMade is a batch with its codes, which are shown once.
type batchMade struct {
	batchJSON
	Invitations []invitedMember `json:"invitations"`
}

// invitedMember is a code of a batch: of a member nothing else is known.
type invitedMember struct {
	Code string `json:"code"`
	Link string `json:"link"`
}

// addBatch makes codes for an association.
func (o *Ops) addBatch(rw http.ResponseWriter, r *http.Request) {
	var in batchRequest
	if err := web.ReadFields(r, map[string]*string{"association": &in.Association, "count": &in.Count}); err != nil {
		o.refuseBatch(rw, r, wrong{"", "invite.unreadable"})
		return
	}
	in.Association = strings.Join(strings.Fields(in.Association), " ")
	if in.Association == "" || !web.OneLine(in.Association, registry.MaxAssociation) {
		o.refuseBatch(rw, r, wrong{"association", "batch.association"})
		return
	}
	n, err := strconv.Atoi(in.Count)
	if err != nil || n < 1 || n > registry.MaxBatch {
		o.refuseBatch(rw, r, wrong{"count", "batch.count"})
		return
	}
	now := o.Web.Now().UTC().Truncate(time.Second)
	b := registry.Batch{ID: uuid.NewString(), Association: in.Association, At: now, ExpiresAt: now.Add(registry.CodeLife)}
	out := batchMade{batchJSON: batchJSON{ID: b.ID, Association: b.Association, Codes: n, At: b.At, ExpiresAt: b.ExpiresAt}}
	for range n {
		code := protocol.NewCode()
		b.CodeHashes = append(b.CodeHashes, code.Hash())
		out.Invitations = append(out.Invitations, invitedMember{code.String(), protocol.Link{Collector: o.AgentsURL, Code: code, Pin: o.Pin()}.String()})
	}
	if !o.record(rw, r, act.BatchAdd, map[string]any{"batch": b.ID, "association": b.Association, "codes": n}) {
		return
	}
	if err := o.Registry.AddBatch(r.Context(), b); err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	web.WriteJSON(rw, http.StatusCreated, out)
}

// batches lists those that were made, the newest first: ?page=N counts from 1.
func (o *Ops) batches(rw http.ResponseWriter, r *http.Request) {
	page, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || page < 1 || page > registry.MaxBatch {
		page = 1
	}
	list, all, err := o.Registry.Batches(r.Context(), (page-1)*batchesOnPage, batchesOnPage)
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	out := []batchJSON{}
	for _, b := range list {
		out = append(out, batchJSON(b))
	}
	web.WriteJSON(rw, http.StatusOK, map[string]any{"batches": out, "all": all, "page": page})
}

// endBatch makes the unused codes of a batch good for nothing.
func (o *Ops) endBatch(rw http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if uuid.Validate(id) != nil { // nothing else is written to the trail
		o.refuseBatch(rw, r, wrong{"id", "batch.unknown"})
		return
	}
	if !o.record(rw, r, act.BatchEnd, map[string]string{"batch": id}) {
		return
	}
	err := o.Registry.EndBatch(r.Context(), id, o.Web.Now())
	switch {
	case errors.Is(err, registry.ErrUnknownBatch):
		o.refuseBatch(rw, r, wrong{"id", "batch.unknown"})
	case err != nil:
		o.Web.Broken(rw, r, err)
	default:
		web.WriteJSON(rw, http.StatusOK, map[string]string{"id": id})
	}
}

// refuseBatch answers as JSON alone: there is no page of these yet.
func (o *Ops) refuseBatch(rw http.ResponseWriter, r *http.Request, bad wrong) {
	o.problem(rw, r, http.StatusUnprocessableEntity, bad)
}
