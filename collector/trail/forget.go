package trail

import (
	"context"
	"fmt"
	"time"

	"anagrafe/collector/act"
)

// forgetter stands as the actor in the entry that says which bodies were deleted,
// their tombstone: a clock, and no person.
const forgetter = "retention"

// forgotten is the body of such an entry: entries First to Last, both included,
// all older than Before.
type forgotten struct {
	First  int64     `json:"first"`
	Last   int64     `json:"last"`
	Before time.Time `json:"before"`
}

// Forget deletes the bodies of the entries from before a time, and returns how many.
// Headers, hashes and checkpoints stay: the trail verifies as before, and
// says of each such entry that its body is gone. It goes by the order of the
// trail: what follows an entry that is not yet due waits for it.
//
// An entry says what is about to be deleted; when it cannot be written nothing is.
func (t *Trail) Forget(ctx context.Context, before time.Time) (int64, error) {
	n, err := t.forget(ctx, before)
	if err != nil {
		return 0, fmt.Errorf("delete old bodies of the audit trail: %w", err)
	}
	return n, nil
}

func (t *Trail) forget(ctx context.Context, before time.Time) (int64, error) {
	from, err := t.store.Forgotten(ctx)
	if err != nil {
		return 0, err
	}
	to, err := t.due(ctx, from, before)
	if err != nil || to == from {
		return 0, err
	}
	if _, err := t.Append(ctx, Entry{Actor: forgetter, Kind: act.TrailForget, Count: int(to - from),
		Body: forgotten{First: from, Last: to - 1, Before: before.UTC()}}); err != nil {
		return 0, err
	}
	return to - from, t.store.Forget(ctx, to)
}

// due is the first entry from from on that is not older than before.
func (t *Trail) due(ctx context.Context, from int64, before time.Time) (int64, error) {
	for h, err := range t.Headers(ctx, from) {
		if err != nil {
			return 0, err
		}
		if !h.At.Before(before) {
			break
		}
		from++
	}
	return from, nil
}
