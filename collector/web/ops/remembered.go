package ops

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// Counts of the whole register are read at most every rememberedFor. Where that takes
// longer than a page may, as at a hundred thousand sites, pages show what was read
// before, and say when; that one of them is opened has it read anew for the next.
// Only who comes first, or after nobody came for kept, waits for it.

const (
	rememberedFor = 3 * time.Second       // long enough that many who look cost as one
	patience      = 50 * time.Millisecond // with which a page waits for a count, unless the last one took longer
	kept          = 70 * time.Minute      // how old what pages show can be: see ReadAhead
	readTime      = time.Minute           // that reading it may take
)

// remembered is a count, as it was read last.
type remembered[T any] struct {
	last   atomic.Pointer[counting[T]]
	flight singleflight.Group
}

// counting is what was read, as it was at a time, and how long that took.
type counting[T any] struct {
	value T
	at    time.Time
	took  time.Duration
}

// get returns the count, and of when it is. An error is not kept, and is no matter as long
// as one from before can be shown.
func (m *remembered[T]) get(ctx context.Context, o *Ops, read func(context.Context) (T, error)) (value T, at time.Time, err error) {
	last := m.last.Load()
	if last != nil {
		age := o.Web.Now().Sub(last.at)
		if age < 0 || age >= kept {
			last = nil
		} else if age < rememberedFor {
			return last.value, last.at, nil
		}
	}
	done := m.read(o, read)
	var enough <-chan time.Time // never, where there is nothing to show
	if last != nil {
		if last.took > patience {
			return last.value, last.at, nil
		}
		enough = time.After(patience)
	}
	select {
	case r := <-done:
		switch {
		case r.Err != nil && last != nil:
			return last.value, last.at, nil
		case r.Err != nil:
			return value, at, r.Err
		}
		now := r.Val.(*counting[T])
		return now.value, now.at, nil
	case <-enough: // the others that are read beside it hold it up
		return last.value, last.at, nil
	case <-ctx.Done():
		return value, at, ctx.Err()
	}
}

// read has it read once at a time, beside the pages, until Close.
func (m *remembered[T]) read(o *Ops, read func(context.Context) (T, error)) <-chan singleflight.Result {
	return m.flight.DoChan("", func() (any, error) {
		ctx, end := context.WithTimeout(o.life, readTime)
		defer end()
		at, began := o.Web.Now(), time.Now()
		value, err := read(ctx)
		if err != nil {
			if o.life.Err() == nil {
				o.Log.ErrorContext(ctx, "the register cannot be counted; pages show what was counted before, for an hour", "err", err)
			}
			return nil, err
		}
		m.last.Store(&counting[T]{value, at, time.Since(began)})
		return m.last.Load(), nil
	})
}

// wait waits until nothing is read any more.
func (m *remembered[T]) wait() {
	_, _, _ = m.flight.Do("", func() (any, error) { return nil, nil })
}
