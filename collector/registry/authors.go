package registry

import (
	"context"
	"time"

	"anagrafe/protocol"
)

// author is in which quality somebody made a change.
type author string

const (
	authorUnknown     author = "" // of what is done again by the ledger of erasures, which names nobody
	authorOwner       author = "owner"
	authorReferent    author = "referent"
	authorControlRoom author = "control-room"
	authorAgent       author = "agent" // the program: a measurement, or what follows from an enrolment
	authorOps         author = "ops"
	authorImport      author = "import"
	authorAgeing      author = "ageing" // nobody: an adhesion that was not renewed, a suspension that was to end
)

// reason is why something changed.
type reason string

const (
	reasonMeasured  reason = "measured"  // an agent read it from the recorder
	reasonDeclared  reason = "declared"  // a person approved a declaration
	reasonReplaced  reason = "replaced"  // an agent, or for contacts the organisation, took the place of others: what they had declared went
	reasonLeft      reason = "left"      // what one agent had declared was withdrawn, others' stays
	reasonEmptied   reason = "emptied"   // the same, and nothing stays; agents enrolled since may still declare
	reasonSuspended reason = "suspended" // hidden from search
	reasonResumed   reason = "resumed"
	reasonWithdrawn reason = "withdrawn" // the whole site was erased
)

// Origin is who made a change, and why.
type Origin struct {
	Author author `json:"author"`
	Name   string `json:"name,omitempty"` // of the person as they gave it; "" of a withdrawn site
	Reason reason `json:"reason"`
	Notice string `json:"notice,omitempty"` // version of the information notice that they had read; "" not known
}

var measured = Origin{Author: authorAgent, Reason: reasonMeasured}

// byOrganisation is the origin of contacts of a site that give way to its organisation's.
var byOrganisation = Origin{Author: authorOps, Reason: reasonReplaced}

// approved is the origin of what a person approved.
func approved(a protocol.Approval, why reason) Origin {
	return Origin{Author: author(a.Role), Name: a.By, Reason: why, Notice: a.NoticeVersion}
}

// originOf is the origin of what a message changes.
func originOf(b protocol.Body) Origin {
	switch body := b.(type) {
	case protocol.Declaration:
		return approved(body.Approval, reasonDeclared)
	case protocol.Withdrawal:
		return approved(body.Approval, reasonWithdrawn)
	case protocol.SiteSuspension:
		return approved(body.Approval, reason(hidingState(body)))
	}
	return measured
}

// Act is something that was done to what a site declares.
type Act struct {
	At         time.Time // when it was decided, as its sender says
	RecordedAt time.Time
	Origin
}

// act returns the number of this write's act, and records it the first time: a
// message that changes nothing is no act.
func (w *write) act(ctx context.Context) (int64, error) {
	if w.number > 0 {
		return w.number, nil
	}
	if err := w.tx.QueryRowContext(ctx, "SELECT coalesce(max(number), 0) + 1 FROM acts WHERE site_id = ?", w.m.SiteID).Scan(&w.number); err != nil {
		return 0, err
	}
	var name []byte
	if w.origin.Name != "" {
		sealed, err := w.seal(ctx, actName(w.number), w.origin.Name)
		if err != nil {
			return 0, err
		}
		name = sealed
	}
	return w.number, w.exec(ctx, "INSERT INTO acts (site_id, number, at, recorded_at, author, name, reason, notice) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		w.m.SiteID, w.number, w.validFrom(), micros(w.at), string(w.origin.Author), name, string(w.origin.Reason), w.origin.Notice)
}

// actEmptied records that nothing of the site is left, and erases the names of
// those who declared it.
func (w *write) actEmptied(ctx context.Context, why reason) error {
	w.origin.Name, w.origin.Reason = "", why
	if _, err := w.act(ctx); err != nil {
		return err
	}
	return w.exec(ctx, "UPDATE acts SET name = NULL WHERE site_id = ? AND name IS NOT NULL", w.m.SiteID)
}

// readActs reads what was done to a site, by number.
func (s site) readActs(ctx context.Context) ([]Act, error) {
	var acts []Act
	err := each(ctx, s.tx, func(scan func(...any) error) error {
		var a Act
		var number, at, recorded int64
		var name []byte
		if err := scan(&number, &at, &recorded, &a.Author, &name, &a.Reason, &a.Notice); err != nil {
			return err
		}
		a.At, a.RecordedAt = fromMicros(at), fromMicros(recorded)
		if name != nil {
			plain, err := s.box.open(actName(number), name)
			if err != nil {
				return err
			}
			a.Name = string(plain)
		}
		acts = append(acts, a)
		return nil
	}, "SELECT number, at, recorded_at, author, name, reason, notice FROM acts WHERE site_id = ? ORDER BY number", s.id)
	return acts, err
}

// origin is that of an act by its number.
func origin(acts []Act, number int64) Origin {
	if number < 1 || number > int64(len(acts)) {
		return Origin{}
	}
	return acts[number-1].Origin
}
