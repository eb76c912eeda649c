package audit

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"anagrafe/collector/trail"
	"anagrafe/collector/web"
)

// WitnessPath is where a witness takes what it signs (GET, with ?old=SIZE of what
// it signed last) and hands its signature back (POST).
//
// It is open: what leaves are hashes, a number of entries and a signature, and
// what comes in is believed only if a witness of the configuration signed it.
// Witnesses so need no credential, which would have to be one of the Comune's or
// of a force's; the listener's own network rules still hold.
const WitnessPath = "/audit/witness"

// maxCosigned bounds a cosigned checkpoint, in bytes: three lines and signatures.
const maxCosigned = 16 << 10

func (a *Audit) witnessRoutes() []web.Route {
	return []web.Route{
		{Pattern: "GET " + WitnessPath, Open: true, Handler: http.HandlerFunc(a.taken)},
		{Pattern: "POST " + WitnessPath, Open: true, MaxBody: maxCosigned, Handler: http.HandlerFunc(a.cosigned)},
	}
}

// taken gives the last checkpoint and the proof that it continues the older one.
func (a *Audit) taken(rw http.ResponseWriter, r *http.Request) {
	old, err := strconv.ParseInt(r.FormValue("old"), 10, 64)
	if err != nil || old < 0 {
		a.Web.Fail(rw, r, http.StatusUnprocessableEntity, web.Problem{Error: a.words(r).T("audit.witness.old"), Field: "old"})
		return
	}
	taken, err := a.Trail.ProveConsistency(r.Context(), old)
	switch {
	case errors.Is(err, trail.ErrShorter):
		a.Web.Fail(rw, r, http.StatusConflict, web.Problem{Error: a.words(r).T("audit.witness.shorter"), Hint: a.words(r).T("audit.witness.evidence")})
	case err != nil:
		a.Web.Broken(rw, r, err)
	default:
		text(rw, "anagrafe-witness.txt", string(taken))
	}
}

// cosigned takes a checkpoint that a witness signed.
func (a *Audit) cosigned(rw http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxCosigned))
	if err != nil {
		a.Web.Fail(rw, r, http.StatusRequestEntityTooLarge, web.Problem{Error: a.words(r).T("audit.witness.unknown")})
		return
	}
	signed, err := a.Trail.AddCosignature(r.Context(), raw)
	switch {
	case errors.Is(err, trail.ErrNotWitness):
		a.Web.Fail(rw, r, http.StatusForbidden, web.Problem{Error: a.words(r).T("audit.witness.unknown"), Hint: a.words(r).T("audit.witness.configure")})
	case errors.Is(err, trail.ErrFork):
		a.Web.Fail(rw, r, http.StatusConflict, web.Problem{Error: a.words(r).T("audit.witness.fork"), Hint: a.words(r).T("audit.witness.evidence")})
	case err != nil:
		a.Web.Broken(rw, r, err)
	default:
		a.Log.InfoContext(r.Context(), "a witness has co-signed the trail's checkpoint", "witness", signed.Name, "entries", signed.Size)
		rw.WriteHeader(http.StatusNoContent)
	}
}
