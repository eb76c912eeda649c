package registry

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/collector/trail"
	"anagrafe/protocol"
)

// load is what goes on at a register: agents that are enrolled, declare, observe,
// answer and withdraw, owners that suspend and resume, notices that are queued,
// and entries of the trail, all at once.
type load struct {
	r      *Registry
	trail  *trail.Trail
	ledger func(noted) error
	now    func() time.Time // of the machine that the register runs on

	patient bool // what fails is tried again, as agents do; else the first failure ends the load
	early   bool // what is asked for is said to be done before it is: the audit must notice

	gate   sync.RWMutex // held by each deed: who locks it sees none under way
	mu     sync.Mutex
	failed int     // acts, when patient
	newest []error // what the last few of them failed with
}

const (
	loadAgents = 8 // that work at once, each on a site of its own
	loadLives  = 24
)

// errLeft means that nobody knows whether an act was done, and nobody may ask
// again: its site is left as it is.
var errLeft = errors.New("left as it is")

// run goes on until ctx ends, or until an act fails where none should. It begins
// with the sites that there are.
func (l *load) run(ctx context.Context, sites []*client) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	work := func(f func() error) {
		all.Go(func() {
			for ctx.Err() == nil {
				if err := f(); err != nil && !errors.Is(err, errLeft) && ctx.Err() == nil {
					cancel(err)
				}
			}
		})
	}
	for i := range loadAgents {
		if i < len(sites) {
			work(func() error {
				p := sites[i]
				sites[i] = nil
				return l.live(ctx, p)
			})
			continue
		}
		work(func() error { return l.live(ctx, nil) })
	}
	for range 2 {
		work(func() error { return l.consult(ctx) })
	}
	all.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// client is a site with its agent, and what it has said.
type client struct {
	site, agent string
	n           int
	epoch       int64
	revision    int64
	suspended   bool
	notice      string // that waits; ""
}

// live drives a site until it is withdrawn; nil: a new one.
func (l *load) live(ctx context.Context, p *client) error {
	if p == nil {
		p = &client{site: uuid.NewString(), agent: uuid.NewString()}
		if err := l.enrol(ctx, p); err != nil {
			return err
		}
	}
	if p.revision == 0 {
		if err := l.declare(ctx, p); err != nil {
			return err
		}
	}
	for range 1 + rand.IntN(loadLives) {
		acts := []func(context.Context, *client) error{l.declare, l.observe, l.observe, l.notice, l.suspend}
		if p.notice != "" {
			acts = append(acts, l.reply, l.reply)
		}
		if err := acts[rand.IntN(len(acts))](ctx, p); err != nil {
			return err
		}
	}
	return l.end(ctx, p)
}

// do asks for an act until it is acknowledged. once: an act that may have been
// done and cannot be asked for again without being done twice.
func (l *load) do(ctx context.Context, a deed, once bool, f func() error) error {
	if err := l.ledger(noted{deed: a}); err != nil {
		return err
	}
	if l.early {
		if err := l.ledger(noted{Done: true, deed: a}); err != nil {
			return err
		}
	}
	for {
		err := l.try(ctx, a, f)
		if err == nil {
			return nil
		}
		if !l.patient {
			return fmt.Errorf("%s at %s: %w", a.Kind, a.Site, err)
		}
		l.note(err)
		if once {
			return errLeft
		}
		select {
		case <-time.After(5 * time.Millisecond): // as agents wait, but shorter
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *load) try(ctx context.Context, a deed, f func() error) error {
	l.gate.RLock()
	defer l.gate.RUnlock()
	if err := f(); err != nil {
		return err
	}
	if l.early {
		return nil
	}
	done := noted{Done: true, deed: a}
	// That it cannot be read now is no matter.
	_ = l.r.read.QueryRowContext(ctx, "SELECT number FROM changes WHERE site_id = ?", a.Site).Scan(&done.At)
	return l.ledger(done)
}

func (l *load) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed++
	l.newest = append(l.newest, err)
	l.newest = slices.Delete(l.newest, 0, max(0, len(l.newest)-100))
}

func (l *load) failures() (failed int, newest []error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed, slices.Clone(l.newest)
}

func (l *load) enrol(ctx context.Context, p *client) error {
	code, key := sha256.Sum256([]byte("code "+p.agent)), sha256.Sum256([]byte("key "+p.agent))
	at := l.now()
	if err := func() error {
		l.gate.RLock()
		defer l.gate.RUnlock()
		_, err := l.r.Invite(ctx, Invitation{NewID: p.site, Site: protocol.Site{Name: "Invited", Category: "shop", Address: "Via Invito 1"},
			CodeHash: code, ExpiresAt: at.Add(14 * 24 * time.Hour), At: at})
		return err
	}(); err != nil {
		if !l.patient {
			return err
		}
		l.note(err)
		return errLeft
	}
	return l.do(ctx, deed{Kind: actEnrol, Site: p.site, Agent: p.agent}, false, func() error {
		g, err := l.r.Redeem(ctx, ingest.Redemption{CodeHash: code, KeyHash: key, AgentID: p.agent, AgentVersion: "1.0", At: l.now()})
		p.epoch = g.Epoch
		return err
	})
}

// deliver sends the site's next message.
func (l *load) deliver(ctx context.Context, p *client, kind string, body func(n int, at time.Time) protocol.Body) error {
	p.n++
	p.revision++
	made := l.now()
	m := protocol.Message{ID: uuid.NewString(), SiteID: p.site, Epoch: p.epoch, Revision: p.revision, MadeAt: made, Body: body(p.n, made)}
	raw, err := protocol.Encode(m)
	if err != nil {
		return err
	}
	return l.do(ctx, deed{Kind: kind, Site: p.site, ID: m.ID, N: p.n}, false, func() error {
		receipt, err := l.r.Record(ctx, p.agent, m, raw, l.now())
		if err == nil && (receipt.MessageID != m.ID || receipt.SHA256 != sha256.Sum256(raw)) {
			err = fmt.Errorf("the receipt is of %s", receipt.MessageID)
		}
		return err
	})
}

func (l *load) declare(ctx context.Context, p *client) error {
	return l.deliver(ctx, p, actDeclare, func(n int, _ time.Time) protocol.Body { return benchDeclaration(n) })
}

func (l *load) observe(ctx context.Context, p *client) error {
	return l.deliver(ctx, p, actObserve, func(n int, at time.Time) protocol.Body {
		return protocol.Observation{Recorders: []protocol.RecorderObservation{{RecorderID: id(recorderNumber), At: at, Reachable: true,
			Clock: &protocol.Clock{OffsetMs: int64(n), UncertaintyMs: 1, Method: "test", At: at}}}}
	})
}

func (l *load) notice(ctx context.Context, p *client) error {
	p.n++
	n := protocol.Notice{ID: uuid.NewString(), SiteID: p.site, At: l.now(), Body: protocol.Reminder{Reason: "recapiti da confermare"}}
	err := l.do(ctx, deed{Kind: actNotice, Site: p.site, ID: n.ID, N: p.n}, true, func() error {
		return l.r.update(ctx, func(ctx context.Context, tx *tx) error { return l.r.queueNotice(ctx, tx, n) })
	})
	if err == nil {
		p.notice = n.ID
	}
	return err
}

func (l *load) reply(ctx context.Context, p *client) error {
	notice := p.notice
	p.notice = ""
	return l.deliver(ctx, p, actReply, func(_ int, at time.Time) protocol.Body {
		return protocol.Reply{NoticeID: notice, State: protocol.ReplySeen, At: at}
	})
}

func (l *load) suspend(ctx context.Context, p *client) error {
	kind, state := actSuspend, protocol.SiteSuspended
	if p.suspended {
		kind, state = actResume, protocol.SiteResumed
	}
	p.n++
	p.suspended = !p.suspended
	return l.do(ctx, deed{Kind: kind, Site: p.site, N: p.n}, true, func() error { return l.r.Act(ctx, p.site, state, l.now()) })
}

func (l *load) end(ctx context.Context, p *client) error {
	if rand.IntN(4) > 0 {
		return l.deliver(ctx, p, actWithdraw, func(int, time.Time) protocol.Body { return withdrawal() })
	}
	p.n++
	return l.do(ctx, deed{Kind: actTakeOut, Site: p.site, N: p.n}, true, func() error {
		return l.r.Act(ctx, p.site, protocol.SiteWithdrawn, l.now())
	})
}

// consult writes an entry of the trail.
func (l *load) consult(ctx context.Context) error {
	a := deed{Kind: actTrail, ID: uuid.NewString()}
	if err := l.ledger(noted{deed: a}); err != nil {
		return err
	}
	l.gate.RLock()
	defer l.gate.RUnlock()
	proof, err := l.trail.Append(ctx, trail.Entry{Actor: "officer", Kind: "search", Body: entryBody{a.ID}})
	switch {
	case err == nil:
		return l.ledger(noted{Done: true, deed: a, At: proof.Index})
	case !l.patient:
		return err
	}
	l.note(err)
	return errLeft
}

// entryBody is what an entry of the load says.
type entryBody struct {
	ID string `json:"id"`
}
