package registry

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"anagrafe/collector/act"
)

// maxCaseRecord is the largest record of a case, in bytes of its JSON: as many
// cameras, of some 3 KiB each, as an entry on the trail can name.
const maxCaseRecord = 128 << 20

// CaseRecord is what an officer saw or did in a case, copied into it so that it
// outlives the register's own copy.
type CaseRecord struct {
	CaseID     string
	Number     int // counts from 1, given by the register
	At         time.Time
	Actor      string          // user id
	Kind       act.Kind        // as of the entry on the trail
	TrailIndex int64           // of that entry
	Brief      json.RawMessage // what lists show of it: short, for they read many
	Body       json.RawMessage // all of it, as it was shown; nil: Brief says it all, or it was not read
}

// recordHead is the sealed part of a record that lists read.
type recordHead struct {
	Actor      string          `json:"actor"`
	TrailIndex int64           `json:"trail_index"`
	Brief      json.RawMessage `json:"brief,omitempty"`
}

// AddCaseRecord adds a record to a case, closed ones included, and gives its
// number. ErrUnknownCase when there is no such case, or it was destroyed.
func (r *Registry) AddCaseRecord(ctx context.Context, rec CaseRecord) (number int, err error) {
	head, body, err := packRecord(rec)
	if err == nil {
		err = r.update(ctx, func(ctx context.Context, tx *tx) error {
			number, err = r.addCaseRecord(ctx, tx, rec, head, body)
			return err
		})
	}
	if err != nil {
		return 0, fmt.Errorf("add a record to case %s: %w", rec.CaseID, err)
	}
	return number, nil
}

// packRecord returns the two parts of a record as they are sealed; no body where the
// record has none.
func packRecord(rec CaseRecord) (head, body []byte, err error) {
	if rec.Actor == "" || rec.Kind == "" {
		return nil, nil, errors.New("who and what are needed")
	}
	if n := len(rec.Brief) + len(rec.Body); n > maxCaseRecord {
		return nil, nil, fmt.Errorf("it has %d bytes, more than %d", n, maxCaseRecord)
	}
	if head, err = json.Marshal(recordHead{rec.Actor, rec.TrailIndex, rec.Brief}); err == nil && rec.Body != nil {
		body, err = pack(rec.Body)
	}
	return head, body, err
}

func (r *Registry) addCaseRecord(ctx context.Context, tx *tx, rec CaseRecord, head, body []byte) (number int, err error) {
	var known bool
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM cases WHERE id = ?1 AND body IS NOT NULL),
		(SELECT coalesce(max(number), 0) + 1 FROM case_records WHERE case_id = ?1)`, rec.CaseID).Scan(&known, &number)
	if err == nil && !known {
		err = ErrUnknownCase
	}
	if err != nil {
		return 0, err
	}
	if head, err = r.sealInCase(ctx, tx, rec.CaseID, recordPlace("head", number), head); err != nil {
		return 0, err
	}
	if body != nil {
		if body, err = r.sealInCase(ctx, tx, rec.CaseID, recordPlace("body", number), body); err != nil {
			return 0, err
		}
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO case_records (case_id, number, at, kind, actor_hash, head, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
		rec.CaseID, number, micros(exact(rec.At)), rec.Kind, r.actorHash(rec.Actor), head, body)
	return number, err
}

func (r *Registry) actorHash(user string) []byte { return r.caseHash("case actor", user) }

const (
	recordColumns = "r.case_id, r.number, r.at, r.kind, (SELECT sealed FROM data_keys k WHERE k.owner = r.case_id), r.head"
	wholeRecords  = recordColumns + ", r.body FROM case_records r WHERE "
	briefRecords  = recordColumns + ", NULL FROM case_records r WHERE "
)

// CaseRecords returns the records of a case in their order, whole. That the force
// may see the case, Case has told.
func (r *Registry) CaseRecords(ctx context.Context, caseID string) ([]CaseRecord, error) {
	return r.caseRecords(ctx, wholeRecords+"r.case_id = ? ORDER BY r.number", caseID)
}

// CaseHistory returns the newest records of a case, at most limit, the newest first
// and without their bodies; of one kind, or of all where kind is "".
func (r *Registry) CaseHistory(ctx context.Context, caseID string, kind act.Kind, limit int) ([]CaseRecord, error) {
	return r.caseRecords(ctx, briefRecords+"r.case_id = ?1 AND (?2 = '' OR r.kind = ?2) ORDER BY r.number DESC LIMIT ?3", caseID, kind, limit)
}

// RecordsBy returns the newest records that a user made in whatever case, at most
// limit, the newest first and without their bodies.
func (r *Registry) RecordsBy(ctx context.Context, user string, limit int) ([]CaseRecord, error) {
	return r.caseRecords(ctx, briefRecords+"r.actor_hash = ? ORDER BY r.at DESC, r.case_id, r.number DESC LIMIT ?", r.actorHash(user), limit)
}

func (r *Registry) caseRecords(ctx context.Context, query string, args ...any) (all []CaseRecord, err error) {
	err = r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			rec, err := r.scanCaseRecord(scan)
			all = append(all, rec)
			return err
		}, "SELECT "+query, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("read the records of a case: %w", err)
	}
	return all, nil
}

func (r *Registry) scanCaseRecord(scan func(...any) error) (rec CaseRecord, err error) {
	var at int64
	var key, head, body []byte
	if err := scan(&rec.CaseID, &rec.Number, &at, &rec.Kind, &key, &head, &body); err != nil {
		return rec, err
	}
	plain, err := r.openInCase(rec.CaseID, recordPlace("head", rec.Number), key, head)
	if err != nil {
		return rec, err
	}
	h, err := decode[recordHead](string(plain))
	rec.At, rec.Actor, rec.TrailIndex, rec.Brief = fromMicros(at), h.Actor, h.TrailIndex, h.Brief
	if err != nil || body == nil {
		return rec, err
	}
	packed, err := r.openInCase(rec.CaseID, recordPlace("body", rec.Number), key, body)
	if err != nil {
		return rec, err
	}
	rec.Body, err = unpack(packed)
	return rec, err
}

// An answer in JSON says the same words of each camera: packed it takes a tenth.
func pack(plain []byte) ([]byte, error) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(plain)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("a record of a case is damaged: %w", err)
	}
	return io.ReadAll(io.LimitReader(r, maxCaseRecord))
}

// caseKey is the sealed data key of a case c.
const caseKey = "(SELECT sealed FROM data_keys k WHERE k.owner = c.id)"

const caseBodyPlace = "cases.body"

func recordPlace(column string, number int) string { return placeOf("case_records."+column, number) }

// sealInCase seals what is to stand at a place of a case: with the key of
// consultation, for nobody else to read, and that with the case's own, to be
// destroyed.
func (r *Registry) sealInCase(ctx context.Context, tx *tx, caseID, place string, plain []byte) ([]byte, error) {
	secret, err := r.seal(plain)
	if err != nil {
		return nil, err
	}
	b, err := r.vault.makeBox(ctx, tx, ownerCase, caseID)
	if err != nil {
		return nil, err
	}
	return b.seal(place, secret)
}

// openInCase opens what stands at a place of a case, with its sealed data key.
func (r *Registry) openInCase(caseID, place string, key, sealed []byte) ([]byte, error) {
	b, err := r.vault.box(caseID, key)
	if err != nil {
		return nil, err
	}
	secret, err := b.open(place, sealed)
	if err != nil {
		return nil, err
	}
	return r.unsealUpTo(secret, 2*maxCaseRecord)
}
