package ingest

import (
	"context"
	"crypto/sha256"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// fakeRegister keeps in memory what a Register keeps, and lets a test choose
// an error or look on at a moment. The real one is tested with its package.
type fakeRegister struct {
	mu        sync.Mutex
	codes     map[[32]byte]*fakeCode
	agents    map[string]bool // true: revoked
	keys      map[[32]byte]string
	grants    map[string]protocol.Grant // by agent and site
	records   map[string]protocol.Receipt
	latest    map[string]int64
	raw       map[string][]byte
	certified []string
	waiting   map[string][]protocol.Notice // by agent
	queue     []string                     // the agents, as their notices were queued
	redeemed  Redemption                   // the last one

	owner    protocol.Code // in each receipt
	storeErr error
	onRecord func() // after the record is durable, before Record returns
}

type fakeCode struct {
	site, agent string
	key         [32]byte
	expires     time.Time
}

func newFakeRegister() *fakeRegister {
	return &fakeRegister{codes: map[[32]byte]*fakeCode{}, agents: map[string]bool{}, keys: map[[32]byte]string{},
		grants: map[string]protocol.Grant{}, records: map[string]protocol.Receipt{}, latest: map[string]int64{}, raw: map[string][]byte{},
		waiting: map[string][]protocol.Notice{}}
}

func (f *fakeRegister) invite(site string, expires time.Time) protocol.Code {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := protocol.NewCode()
	f.codes[c.Hash()] = &fakeCode{site: site, expires: expires}
	return c
}

func (f *fakeRegister) revoke(agent string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.agents[agent] = true
}

func (f *fakeRegister) Redeem(_ context.Context, r Redemption) (protocol.Grant, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.redeemed = r
	c, ok := f.codes[r.CodeHash]
	switch {
	case !ok:
		return protocol.Grant{}, ErrUnknownCode
	case c.agent != "" && c.key != r.KeyHash:
		return protocol.Grant{}, ErrUsedCode
	case c.agent == "" && r.At.After(c.expires):
		return protocol.Grant{}, ErrExpiredCode
	}
	if c.agent == "" {
		c.agent, c.key = r.AgentID, r.KeyHash
		if known, ok := f.keys[r.KeyHash]; ok {
			c.agent = known
		}
		f.keys[r.KeyHash] = c.agent
		if _, known := f.agents[c.agent]; !known {
			f.agents[c.agent] = false
		}
		f.grants[c.agent+c.site] = protocol.Grant{AgentID: c.agent, SiteID: c.site, SiteName: "Panificio", Category: "shop", Epoch: 1, From: r.At}
	}
	if f.agents[c.agent] {
		return protocol.Grant{}, ErrRevoked
	}
	return f.grants[c.agent+c.site], nil
}

func (f *fakeRegister) Admit(_ context.Context, agentID string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	revoked, known := f.agents[agentID]
	switch {
	case !known:
		return ErrUnknownAgent
	case revoked:
		return ErrRevoked
	}
	return nil
}

func (f *fakeRegister) Knows(_ context.Context, _, _, messageID string) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, known := f.records[messageID]
	return known, nil
}

func (f *fakeRegister) Record(ctx context.Context, agentID string, m protocol.Message, raw []byte, at time.Time) (protocol.Receipt, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.storeErr != nil {
		return protocol.Receipt{}, f.storeErr
	}
	sum := sha256.Sum256(raw)
	if r, ok := f.records[m.ID]; ok {
		if r.SHA256 != sum {
			return protocol.Receipt{}, ErrConflict
		}
		r.Duplicate, r.OwnerCode = true, f.owner
		return r, nil
	}
	if _, ok := f.grants[agentID+m.SiteID]; !ok {
		return protocol.Receipt{}, ErrNotGranted
	}
	if m.Revision <= f.latest[m.SiteID] {
		return protocol.Receipt{}, ErrStale
	}
	f.latest[m.SiteID], f.raw[m.SiteID] = m.Revision, raw
	f.records[m.ID] = protocol.Receipt{MessageID: m.ID, SiteID: m.SiteID, SHA256: sum, RecordedAt: at, OwnerCode: f.owner}
	if f.onRecord != nil {
		f.onRecord()
	}
	return f.records[m.ID], nil
}

func (f *fakeRegister) Site(_ context.Context, agentID, siteID string) (protocol.Grant, int64, []byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.storeErr != nil {
		return protocol.Grant{}, 0, nil, f.storeErr
	}
	g, ok := f.grants[agentID+siteID]
	if !ok {
		return protocol.Grant{}, 0, nil, ErrNotGranted
	}
	return g, f.latest[siteID], f.raw[siteID], nil
}

func (f *fakeRegister) Certified(_ context.Context, _, serial string, _ time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.certified = append(f.certified, serial)
	return nil
}

// Waiting gives pages of two.
func (f *fakeRegister) Waiting(_ context.Context, agentID string, _ time.Time, after int64) ([]protocol.Notice, int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.agents[agentID] { // revoked
		return nil, 0, nil
	}
	all := f.waiting[agentID]
	all = all[min(int(after), len(all)):]
	if len(all) < 2 {
		return slices.Clone(all), 0, nil
	}
	return slices.Clone(all[:2]), after + 2, nil
}

func (f *fakeRegister) Noticed(_ context.Context, after int64) ([]string, int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.queue[after:]), int64(len(f.queue)), nil
}

// notice queues a reminder for agents, and gives its id.
func (f *fakeRegister) notice(agents ...string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := protocol.Notice{ID: uuid.NewString(), SiteID: site, At: time.Now(), Body: protocol.Reminder{Reason: "recapiti"}}
	for _, a := range agents {
		f.waiting[a] = append(f.waiting[a], n)
	}
	f.queue = append(f.queue, agents...)
	return n.ID
}

// receive has an agent say that it has what waits.
func (f *fakeRegister) receive(agent string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.waiting, agent)
}

// when has fn called after each record, before it is answered.
func (f *fakeRegister) when(fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.onRecord = fn
}

// fail has each Record and Site return err.
func (f *fakeRegister) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.storeErr = err
}

func (f *fakeRegister) serials() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.certified)
}

func (f *fakeRegister) recorded() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.records)
}
