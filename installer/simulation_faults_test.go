package installer

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// fault is what is wrong with the programs; the zero fault is nothing.
type fault struct {
	name         string
	wrapRegister func(*registry.Registry) ingest.Register
}

func (f fault) register(r *registry.Registry) ingest.Register {
	if f.wrapRegister == nil {
		return r
	}
	return f.wrapRegister(r)
}

// planted are the mistakes that the simulation must find.
func planted() []fault {
	return []fault{
		{name: "lost acknowledgement", wrapRegister: func(r *registry.Registry) ingest.Register { return early{r} }},
		{name: "double apply", wrapRegister: func(r *registry.Registry) ingest.Register { return forgetful{r} }},
		{name: "stale revision", wrapRegister: func(r *registry.Registry) ingest.Register { return &careless{Registry: r} }},
		{name: "dropped withdrawal", wrapRegister: func(r *registry.Registry) ingest.Register { return keeping{r} }},
		{name: "resurrected site", wrapRegister: func(r *registry.Registry) ingest.Register { return &reviving{Registry: r, keys: map[string][32]byte{}} }},
		{name: "skipped change", wrapRegister: func(r *registry.Registry) ingest.Register { return skipping{r} }},
	}
}

func receiptFor(m protocol.Message, raw []byte, at time.Time) protocol.Receipt {
	return protocol.Receipt{MessageID: m.ID, SiteID: m.SiteID, SHA256: sha256.Sum256(raw), RecordedAt: at.UTC().Truncate(time.Microsecond)}
}

// early acknowledges a message before it is on disk: it writes it a second
// later, if it still runs.
type early struct{ *registry.Registry }

func (e early) Record(ctx context.Context, agentID string, m protocol.Message, raw []byte, at time.Time) (protocol.Receipt, error) {
	if known, err := e.Knows(ctx, agentID, m.SiteID, m.ID); err != nil || known || m.Revision == 1 {
		return e.Registry.Record(ctx, agentID, m, raw, at)
	}
	time.AfterFunc(time.Second, func() {
		_, _ = e.Registry.Record(context.Background(), agentID, m, raw, at) // fails once it is closed
	})
	return receiptFor(m, raw, at), nil
}

// forgetful does not know a message again.
type forgetful struct{ *registry.Registry }

func (f forgetful) Record(ctx context.Context, agentID string, m protocol.Message, raw []byte, at time.Time) (protocol.Receipt, error) {
	receipt, err := f.Registry.Record(ctx, agentID, m, raw, at)
	if _, observed := m.Body.(protocol.Observation); err != nil || !receipt.Duplicate || !observed {
		return receipt, err
	}
	again := m
	again.ID = uuid.NewString()
	if _, err := f.Registry.Record(ctx, agentID, again, raw, at); err != nil {
		return protocol.Receipt{}, err
	}
	return receiptFor(m, raw, at), nil
}

// careless takes the declaration that came last for the newest. It gives the
// register revisions of its own, so that there every one seems newer.
type careless struct {
	*registry.Registry
	mu   sync.Mutex
	last int64
}

func (c *careless) Record(ctx context.Context, agentID string, m protocol.Message, raw []byte, at time.Time) (protocol.Receipt, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == 0 {
		c.last = time.Now().UnixMicro()
	}
	c.last++
	declaration, is := m.Body.(protocol.Declaration)
	known, err := c.Knows(ctx, agentID, m.SiteID, m.ID)
	if err != nil {
		return protocol.Receipt{}, err
	}
	seen := m
	seen.Revision = c.last
	if is && known && len(declaration.Cameras) > 0 {
		seen.ID = uuid.NewString()
	}
	receipt, err := c.Registry.Record(ctx, agentID, seen, raw, at)
	receipt.MessageID = m.ID
	return receipt, err
}

// keeping acknowledges a withdrawal and does nothing.
type keeping struct{ *registry.Registry }

func (k keeping) Record(ctx context.Context, agentID string, m protocol.Message, raw []byte, at time.Time) (protocol.Receipt, error) {
	if _, withdraws := m.Body.(protocol.Withdrawal); withdraws {
		return receiptFor(m, raw, at), nil
	}
	return k.Registry.Record(ctx, agentID, m, raw, at)
}

// reviving takes a declaration, late or repeated, for a reason to enrol the
// site's agent anew when the site is withdrawn.
type reviving struct {
	*registry.Registry
	mu   sync.Mutex
	keys map[string][32]byte // by agent
}

func (r *reviving) Redeem(ctx context.Context, d ingest.Redemption) (protocol.Grant, error) {
	g, err := r.Registry.Redeem(ctx, d)
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.keys[g.AgentID] = d.KeyHash
	}
	return g, err
}

func (r *reviving) Record(ctx context.Context, agentID string, m protocol.Message, raw []byte, at time.Time) (protocol.Receipt, error) {
	_, declares := m.Body.(protocol.Declaration)
	h, err := r.History(ctx, m.SiteID, time.Time{})
	if err != nil || !declares || !h.Withdrawn {
		return r.Registry.Record(ctx, agentID, m, raw, at)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	code := protocol.NewCode()
	if _, err := r.Invite(ctx, registry.Invitation{SiteID: m.SiteID, CodeHash: code.Hash(), At: at, ExpiresAt: at.Add(time.Hour),
		Site: protocol.Site{Name: "-", Category: "other"}}); err != nil {
		return protocol.Receipt{}, err
	}
	g, err := r.Registry.Redeem(ctx, ingest.Redemption{CodeHash: code.Hash(), KeyHash: r.keys[agentID], AgentID: uuid.NewString(), At: at})
	if errors.Is(err, ingest.ErrRevoked) {
		return r.Registry.Record(ctx, agentID, m, raw, at)
	}
	if err != nil {
		return protocol.Receipt{}, err
	}
	again := m
	again.ID, again.Epoch = uuid.NewString(), g.Epoch
	if _, err := r.Registry.Record(ctx, g.AgentID, again, raw, at); err != nil {
		return protocol.Receipt{}, err
	}
	return receiptFor(m, raw, at), nil
}

// skipping leaves changes of schedule and retention out of an observation that
// is late.
type skipping struct{ *registry.Registry }

func (s skipping) Record(ctx context.Context, agentID string, m protocol.Message, raw []byte, at time.Time) (protocol.Receipt, error) {
	if o, observed := m.Body.(protocol.Observation); observed && at.Sub(m.MadeAt) > time.Minute {
		o.Cameras = slices.Clone(o.Cameras)
		for i := range o.Cameras {
			o.Cameras[i].Schedule, o.Cameras[i].Retention = nil, nil
		}
		m.Body = o
	}
	return s.Registry.Record(ctx, agentID, m, raw, at)
}
