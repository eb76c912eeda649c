package registry

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// AssistedState is how far an assisted entry has come.
type AssistedState string

const (
	AssistedTyping    AssistedState = "typing" // not sent yet
	AssistedSent      AssistedState = "sent"
	AssistedOpened    AssistedState = "opened" // its owner looks at it
	AssistedConfirmed AssistedState = "confirmed"
	AssistedRefused   AssistedState = "refused"
	AssistedExpired   AssistedState = "expired"
	AssistedCancelled AssistedState = "cancelled" // by its operator
)

// AssistedStates are all of them.
var AssistedStates = []AssistedState{AssistedTyping, AssistedSent, AssistedOpened, AssistedConfirmed, AssistedRefused, AssistedExpired, AssistedCancelled}

// assistedState is one of them; the moment is ?1.
const assistedState = `CASE WHEN x.outcome IS NOT NULL THEN x.outcome WHEN x.ends_at <= ?1 THEN 'expired'
	WHEN x.opened_at IS NOT NULL THEN 'opened' WHEN x.sent_at IS NOT NULL THEN 'sent' ELSE 'typing' END`

// AssistedRow is an assisted entry as operations see it: nothing of what was typed.
type AssistedRow struct {
	ID       string
	State    AssistedState
	Medium   Medium
	Channel  Channel // "": not sent yet
	Sendings int
	BegunAt  time.Time
	EndsAt   time.Time // if it is not confirmed
	At       time.Time // when it came into its state
}

// AssistedNumber is by what an entry is known on the telephone: the beginning of its id.
func AssistedNumber(id string) string {
	if len(id) < 8 {
		return id
	}
	return id[:4] + "-" + id[4:8]
}

// AssistedFilter selects entries; zero fields match all.
type AssistedFilter struct {
	Operator    string // required: nobody lists those of others
	ID          string
	State       AssistedState
	Medium      Medium
	Channel     Channel
	From, Until time.Time // of BegunAt
}

func (f AssistedFilter) where(now time.Time) *where {
	w := newWhere(now)
	w.and("x.operator = ?", f.Operator)
	if f.ID != "" {
		w.and("x.id = ?", f.ID)
	}
	if f.State != "" {
		w.and("? = "+assistedState, string(f.State)) // assistedState has a number of its own
	}
	if f.Medium != "" {
		w.and("x.medium = ?", string(f.Medium))
	}
	if f.Channel != "" {
		w.and("x.channel = ?", string(f.Channel))
	}
	if !f.From.IsZero() {
		w.and("x.begun_at >= ?", micros(f.From))
	}
	if !f.Until.IsZero() {
		w.and("x.begun_at < ?", micros(f.Until))
	}
	return w
}

// CountAssisted counts the assisted entries of a filter.
func (r *Registry) CountAssisted(ctx context.Context, f AssistedFilter) (int, error) {
	return r.count(ctx, "assisted x", f.where(r.now()))
}

// AssistedRows calls row for each of a window, by when they were begun.
func (r *Registry) AssistedRows(ctx context.Context, f AssistedFilter, in Window, row func(AssistedRow) error) error {
	w := f.where(r.now())
	args := append(w.args[:len(w.args):len(w.args)], in.Limit, in.Offset)
	order := "x.begun_at DESC, x.id DESC"
	if in.Ascending {
		order = "x.begun_at, x.id"
	}
	err := r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			var a AssistedRow
			var begun, ends, sent, opened, ended int64
			if err := scan(&a.ID, &a.State, &a.Medium, &a.Channel, &a.Sendings, &begun, &ends, &sent, &opened, &ended); err != nil {
				return err
			}
			a.BegunAt, a.EndsAt = fromMicros(begun), fromMicros(ends)
			switch a.State {
			case AssistedTyping:
				a.At = a.BegunAt
			case AssistedSent:
				a.At = fromMicros(sent)
			case AssistedOpened:
				a.At = fromMicros(opened)
			default:
				if a.At = fromMicros(ended); a.At.IsZero() { // expired, and not deleted yet
					a.At = a.EndsAt
				}
			}
			return row(a)
		}, "SELECT x.id, "+assistedState+`, x.medium, coalesce(x.channel, ''), x.sendings, x.begun_at, x.ends_at, coalesce(x.sent_at, 0), coalesce(x.opened_at, 0),
			coalesce(x.ended_at, 0) FROM assisted x`+w.String()+" ORDER BY "+order+" LIMIT ?"+strconv.Itoa(len(args)-1)+" OFFSET ?"+strconv.Itoa(len(args)), args...)
	})
	if err != nil {
		return fmt.Errorf("list assisted entries: %w", err)
	}
	return nil
}

// AssistedCounts counts the assisted entries of all operators by state.
func (r *Registry) AssistedCounts(ctx context.Context) (map[AssistedState]int, error) {
	counts := map[AssistedState]int{}
	err := r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			var s AssistedState
			var n int
			err := scan(&s, &n)
			counts[s] = n
			return err
		}, "SELECT state, count(*) FROM (SELECT "+assistedState+" AS state FROM assisted x) t GROUP BY state", micros(r.now()))
	})
	if err != nil {
		return nil, fmt.Errorf("count assisted entries: %w", err)
	}
	return counts, nil
}
