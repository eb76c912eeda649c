package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// PaperAcquisition is a request to acquire footage.
const PaperAcquisition = "acquisition"

// Paper is a document of a force. Its number is given before it is on the trail,
// for it stands in the document whose hash the trail has: one whose entry then
// failed keeps its number, annulled, as in any register of protocol.
type Paper struct {
	ID, CaseID string
	Force      string
	Kind       string
	Year       int // in Italy
	Number     int // counts from 1 for each force and year, without gaps
	At         time.Time
	Annulled   bool            // it never was on the trail: nobody may see it
	TrailIndex int64           // of its entry
	SHA256     [32]byte        // of the file
	Body       json.RawMessage // what the file is made from, byte for byte
}

// NumberPaper keeps a paper under the next number of its force and year: body is
// given that number and says what to keep. It is annulled until ConfirmPaper.
// ErrUnknownCase when there is no such case, or it was destroyed.
func (r *Registry) NumberPaper(ctx context.Context, p Paper, body func(number int) (json.RawMessage, error)) (Paper, error) {
	if p.ID == "" || p.Force == "" || p.Year < 2000 {
		return Paper{}, errors.New("number a paper: an id, a force and a year are needed")
	}
	p.At, p.Annulled = exact(p.At), true
	err := r.update(ctx, func(ctx context.Context, tx *tx) (err error) {
		var known bool
		err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM cases WHERE id = ?1 AND body IS NOT NULL),
			(SELECT coalesce(max(number), 0) + 1 FROM papers WHERE force = ?2 AND year = ?3)`, p.CaseID, p.Force, p.Year).Scan(&known, &p.Number)
		if err == nil && !known {
			err = ErrUnknownCase
		}
		if err != nil {
			return err
		}
		if p.Body, err = body(p.Number); err != nil {
			return err
		}
		sealed, err := r.sealInCase(ctx, tx, p.CaseID, paperBody(p.ID), p.Body)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO papers (id, case_id, force, year, number, kind, at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			p.ID, p.CaseID, p.Force, p.Year, p.Number, p.Kind, micros(p.At), sealed)
		return err
	})
	if err != nil {
		return Paper{}, fmt.Errorf("number a paper of %s: %w", p.Force, err)
	}
	return p, nil
}

func paperBody(id string) string { return placeOf("papers.body", id) }

// ConfirmPaper records that a paper is on the trail, with the hash of its file.
func (r *Registry) ConfirmPaper(ctx context.Context, id string, index int64, sum [32]byte) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		done, err := tx.ExecContext(ctx, "UPDATE papers SET trail_index = ?, sha256 = ? WHERE id = ? AND trail_index IS NULL", index, sum[:], id)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, errors.New("it is not there, or is confirmed already"))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("confirm paper %s: %w", id, err)
	}
	return nil
}

const paperColumns = `p.id, p.case_id, p.force, p.kind, p.year, p.number, p.at, coalesce(p.trail_index, -1), p.sha256,
	(SELECT sealed FROM data_keys k WHERE k.owner = p.case_id), p.body FROM papers p WHERE p.body IS NOT NULL AND `

// Paper finds a paper by its id. Use Case to check that the caller may see its case.
func (r *Registry) Paper(ctx context.Context, id string) (Paper, bool, error) {
	all, err := r.papers(ctx, "p.id = ?", id)
	if err != nil || len(all) == 0 {
		return Paper{}, false, err
	}
	return all[0], true, nil
}

// Papers lists the papers of a case in the order in which they were made, those
// that were annulled too.
func (r *Registry) Papers(ctx context.Context, caseID string) ([]Paper, error) {
	return r.papers(ctx, "p.case_id = ? ORDER BY p.at, p.force, p.year, p.number", caseID)
}

func (r *Registry) papers(ctx context.Context, condition string, args ...any) (all []Paper, err error) {
	err = r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			p, err := r.scanPaper(scan)
			all = append(all, p)
			return err
		}, "SELECT "+paperColumns+condition, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("read papers: %w", err)
	}
	return all, nil
}

func (r *Registry) scanPaper(scan func(...any) error) (p Paper, err error) {
	var at int64
	var sum, key, sealed []byte
	if err := scan(&p.ID, &p.CaseID, &p.Force, &p.Kind, &p.Year, &p.Number, &at, &p.TrailIndex, &sum, &key, &sealed); err != nil {
		return p, err
	}
	p.At, p.Annulled = fromMicros(at), p.TrailIndex < 0
	copy(p.SHA256[:], sum)
	p.Body, err = r.openInCase(p.CaseID, paperBody(p.ID), key, sealed)
	return p, err
}
