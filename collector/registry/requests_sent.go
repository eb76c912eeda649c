package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"anagrafe/collector/act"
)

// requestRecord is what the case keeps of a request, as it was sent.
type requestRecord struct {
	RequestID string  `json:"request_id"`
	Sites     []Draft `json:"sites"`
}

// addRequest keeps a request as it is sent: it goes with its case.
func (r *Registry) addRequest(ctx context.Context, tx *tx, q Request) error {
	if len(q.Sites) == 0 || q.By == "" {
		return errors.New("who asks, and a site, are needed")
	}
	body, err := json.Marshal(requestRecord{q.ID, q.Sites})
	if err != nil {
		return err
	}
	rec := CaseRecord{CaseID: q.CaseID, At: q.At, Actor: q.By, Kind: act.Request, TrailIndex: q.TrailIndex, Brief: q.Brief, Body: body}
	head, packed, err := packRecord(rec)
	if err != nil {
		return err
	}
	number, err := r.addCaseRecord(ctx, tx, rec, head, packed)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO requests (id, case_id, record, force, at) VALUES (?, ?, ?, ?, ?)",
		q.ID, q.CaseID, number, q.Force, micros(exact(q.At)))
	return err
}

// requestSeenBy is the condition that a force (?1) may see a request q: its own,
// or one of a case that it may see.
const requestSeenBy = `(q.force = ?1 OR EXISTS (SELECT 1 FROM cases c WHERE c.id = q.case_id
	AND (c.force = ?1 OR EXISTS (SELECT 1 FROM case_shares s WHERE s.case_id = c.id AND s.force = ?1))))`

// Request returns a request that a force may see, with how far it has come at each
// site, in the order of the sites that were sent it. false: there is none such.
func (r *Registry) Request(ctx context.Context, id, force string) (q Request, asked []Asked, ok bool, err error) {
	all, err := r.requests(ctx, requestSeenBy+" AND q.id = ?2", force, id)
	if err == nil && len(all) == 1 {
		q, ok = all[0], true
		asked, err = r.asked(ctx, "n.request_id = ?1 ORDER BY n.number", id)
	}
	if err != nil {
		return Request{}, nil, false, fmt.Errorf("read request %s: %w", id, err)
	}
	return q, asked, ok, nil
}

// Requests lists the newest requests that a force may see, at most limit: of a
// case, or of all where caseID is "".
func (r *Registry) Requests(ctx context.Context, force, caseID string, limit int) ([]Request, error) {
	all, err := r.requests(ctx, requestSeenBy+" AND (?2 = '' OR q.case_id = ?2) ORDER BY q.number DESC LIMIT ?3", force, caseID, limit)
	if err != nil {
		return nil, fmt.Errorf("list the requests of %s: %w", force, err)
	}
	return all, nil
}

// AskedIn lists what was asked in a case, the oldest first. The caller has checked with
// Case that it may see it.
func (r *Registry) AskedIn(ctx context.Context, caseID string, limit int) ([]Asked, error) {
	all, err := r.asked(ctx, "n.request_id IN (SELECT q.id FROM requests q WHERE q.case_id = ?1) ORDER BY n.number LIMIT ?2", caseID, limit)
	if err != nil {
		return nil, fmt.Errorf("list what was asked in case %s: %w", caseID, err)
	}
	return all, nil
}

// requests reads those that a condition chooses, of q. Of a case that was destroyed
// there is none.
func (r *Registry) requests(ctx context.Context, which string, args ...any) (all []Request, err error) {
	err = r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			q, err := r.scanRequest(scan)
			all = append(all, q)
			return err
		}, "SELECT q.id, q.force, "+recordColumns+", r.body FROM requests q JOIN case_records r ON r.case_id = q.case_id AND r.number = q.record WHERE "+which, args...)
	})
	return all, err
}

func (r *Registry) scanRequest(scan func(...any) error) (q Request, err error) {
	rec, err := r.scanCaseRecord(func(into ...any) error { return scan(append([]any{&q.ID, &q.Force}, into...)...) })
	if err != nil {
		return q, err
	}
	b, err := decode[requestRecord](string(rec.Body))
	q.CaseID, q.By, q.At, q.TrailIndex, q.Sites = rec.CaseID, rec.Actor, rec.At, rec.TrailIndex, b.Sites
	return q, err
}
