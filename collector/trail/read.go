package trail

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"filippo.io/age"
)

// headersAtOnce is how many headers are read from the store at once, of about 300
// bytes each.
const headersAtOnce = 2000

// Size is how many entries the trail has, by its last checkpoint, whose signature is
// checked.
func (t *Trail) Size(ctx context.Context) (int64, error) {
	_, tree, err := t.last(ctx)
	return tree.N, err
}

// Headers ranges over those of the entries from number n on, to the newest; an error is
// the last that it gives.
func (t *Trail) Headers(ctx context.Context, n int64) iter.Seq2[Header, error] {
	return func(yield func(Header, error) bool) {
		for {
			all, err := t.headers(ctx, n, n+headersAtOnce)
			for _, h := range all {
				if !yield(h, nil) {
					return
				}
			}
			if err != nil {
				yield(Header{}, err)
				return
			}
			if len(all) < headersAtOnce {
				return
			}
			n += headersAtOnce
		}
	}
}

// headers gives what can be read of the headers from inclusive to exclusive.
func (t *Trail) headers(ctx context.Context, from, to int64) ([]Header, error) {
	raw, err := t.store.Headers(ctx, from, to)
	all := make([]Header, 0, len(raw))
	for i, b := range raw {
		h, err := decodeHeader(b)
		if err != nil {
			return all, fmt.Errorf("the header of entry %d cannot be read: %w: verify the trail", from+int64(i), err)
		}
		all = append(all, h)
	}
	return all, err
}

// Between ranges over the headers of the entries from a time on and before another, in
// the order of the trail; an error is the last that it gives. Each entry has the time of
// its machine's clock, which may have been wrong for one of them: so none ends the
// search, and only blocks whose least and greatest time are known to lie outside are
// left out.
func (t *Trail) Between(ctx context.Context, from, until time.Time) iter.Seq2[Header, error] {
	return func(yield func(Header, error) bool) {
		for block := 0; ; block++ {
			if s, known := t.times.of(block); known && (s.greatest.Before(from) || !s.least.Before(until)) {
				continue
			}
			n := int64(block) * headersAtOnce
			all, err := t.headers(ctx, n, n+headersAtOnce)
			for _, h := range all {
				if !h.At.Before(from) && h.At.Before(until) && !yield(h, nil) {
					return
				}
			}
			if err != nil {
				yield(Header{}, err)
				return
			}
			if len(all) < headersAtOnce {
				return
			}
			t.times.learn(block, all)
		}
	}
}

// times are the spans of whole blocks of headers, the oldest first.
type times struct {
	mu     sync.Mutex
	blocks []span
}

type span struct{ least, greatest time.Time }

func (t *times) of(block int) (s span, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if block >= len(t.blocks) {
		return span{}, false
	}
	return t.blocks[block], true
}

func (t *times) learn(block int, all []Header) {
	earlier := func(x, y Header) int { return x.At.Compare(y.At) }
	t.mu.Lock()
	defer t.mu.Unlock()
	if block == len(t.blocks) {
		t.blocks = append(t.blocks, span{slices.MinFunc(all, earlier).At, slices.MaxFunc(all, earlier).At})
	}
}

// Body gives the body of an entry as it is stored, for Header.Open.
func (t *Trail) Body(ctx context.Context, n int64) ([]byte, error) {
	_, bodies, err := t.store.Entries(ctx, n, n+1)
	if err == nil && len(bodies) != 1 {
		err = fmt.Errorf("entry %d is missing: verify the trail", n)
	}
	if err != nil {
		return nil, err
	}
	return bodies[0], nil
}

// Open returns what a body holds; it is sealed to one of the identities, or plain.
func (h Header) Open(body []byte, identities ...age.Identity) (Content, error) {
	if len(body) == 0 {
		return Content{}, errors.New("deleted after its term")
	}
	return open(h, body, identities)
}

// ActorPseudonym is how the headers name a user; CasePseudonym a force's case.
func (t *Trail) ActorPseudonym(userID string) string { return t.pseudonym("actor", "", userID) }

// CasePseudonym is how the headers name a case of a force, by the case's id.
func (t *Trail) CasePseudonym(force, caseID string) string {
	return t.pseudonym("case", force, caseID)
}
