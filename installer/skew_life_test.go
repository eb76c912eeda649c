package installer

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/agent/uplink"
	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/collector/registry/registrytest"
	"anagrafe/protocol"
)

// lifeOfASite enrols, delivers, listens, renews and withdraws over a skew, and
// looks into the register.
func lifeOfASite(t *testing.T, s skew) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	// What was enrolled then is due to be renewed now.
	then := func() time.Time { return time.Now().Add(-26 * 24 * time.Hour) }
	o := openOffice(t, ctx, log)
	heard := make(chan string, 100)
	wrap := func(rt http.RoundTripper) http.RoundTripper { return between{rt, s, heard} }

	dir := t.TempDir()
	stop := o.serve(ctx, then)
	code := protocol.NewCode()
	site, err := o.reg.Invite(ctx, registry.Invitation{Site: protocol.Site{Name: "Bar Centrale", Category: "bar-restaurant", Address: "via Torino 1"},
		CodeHash: code.Hash(), At: then(), ExpiresAt: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	link := protocol.Link{Collector: "https://" + o.addr, Pin: o.authority.Pin(), Code: code}
	grant, err := uplink.Enrol(ctx, dir, "", link.String(), uplink.EnrolOptions{Version: "1", WrapTransport: wrap})
	if err != nil {
		t.Fatal(err)
	}
	stop()

	defer o.serve(ctx, time.Now)()
	box := &postbox{t: t, site: site, epoch: grant.Epoch, waiting: make(chan struct{}, 1), done: make(chan string, 10)}
	box.put("declaration", time.Now())
	box.put("observation", time.Now())
	end := runs(ctx, t, dir, box, log, wrap)
	box.mustEnd(ctx, "acknowledged")
	box.mustEnd(ctx, "acknowledged")
	if got := o.state(ctx); got != registry.Sharing {
		t.Errorf("the site is %s", got)
	}
	// What is acknowledged is compared when a line is new.
	end()
	end = runs(ctx, t, dir, box, log, wrap)
	want := map[string]bool{"Deliver": true, "GetSite": true, "Notices": true, "Renew": true}
	for len(want) > 0 {
		select {
		case name := <-heard:
			delete(want, name)
		case <-ctx.Done():
			t.Fatalf("no good answer to %v", want)
		}
	}
	box.put("withdrawal", time.Now())
	box.mustEnd(ctx, "acknowledged")
	if got := o.state(ctx); got != registry.Withdrawn {
		t.Errorf("the site is %s", got)
	}
	end()
}

// runs has the agent in dir deliver what the box holds, until end is called.
func runs(ctx context.Context, t *testing.T, dir string, box *postbox, log *slog.Logger, wrap func(http.RoundTripper) http.RoundTripper) (end func()) {
	t.Helper()
	identity, err := uplink.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	up := uplink.New(uplink.Options{Identity: identity, Outbox: box, Version: "1", Log: log, WrapTransport: wrap,
		Jitter: func(time.Duration) time.Duration { return 0 }})
	running, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- up.Run(running) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// office is a collector without its pages.
type office struct {
	t         *testing.T
	log       *slog.Logger
	authority *ingest.Authority
	receipts  *ingest.ReceiptKey
	reg       *registry.Registry
	addr      string
}

func openOffice(t *testing.T, ctx context.Context, log *slog.Logger) *office {
	t.Helper()
	dir := t.TempDir()
	authority, err := ingest.OpenAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	receipts, err := ingest.OpenReceiptKey(dir, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	reg := registrytest.Open(t, registrytest.Options(dir, log))
	return &office{t: t, log: log, authority: authority, receipts: receipts, reg: reg, addr: "127.0.0.1:0"}
}

// serve listens, at the same address each time, until what it gives is called.
func (o *office) serve(ctx context.Context, now func() time.Time) (stop func()) {
	o.t.Helper()
	server, err := ingest.New(ingest.Options{MaxHeld: 100, Authority: o.authority, ReceiptKey: o.receipts, Register: o.reg, Listen: o.addr, Hosts: []string{"127.0.0.1"},
		RootSecret: bytes.Repeat([]byte{1}, 32), Log: o.log, Now: now})
	if err != nil {
		o.t.Fatal(err)
	}
	if err := server.Listen(); err != nil {
		o.t.Fatal(err)
	}
	o.addr = server.Addr()
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			o.t.Error(err)
		}
	}
}

func (o *office) state(ctx context.Context) registry.State {
	o.t.Helper()
	sites, err := o.reg.Sites(ctx)
	if err != nil || len(sites) != 1 {
		o.t.Fatalf("%d sites: %v", len(sites), err)
	}
	return sites[0].State
}

// postbox is an outbox in memory, of one site.
type postbox struct {
	t       *testing.T
	site    string
	epoch   int64
	waiting chan struct{}
	done    chan string // how each message ended

	mu       sync.Mutex
	queue    []letter
	revision int64
	newest   string
}

type letter struct {
	id  string
	raw []byte
}

// put adds a message with the body of a wire vector of version 1.
func (b *postbox) put(vector string, at time.Time) {
	b.t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "testdata", "protocol", "good", "v1-"+vector+".bin"))
	if err != nil {
		b.t.Fatal(err)
	}
	m, err := protocol.Decode(raw)
	if err != nil {
		b.t.Fatal(err)
	}
	b.say(m.Body, at)
}

// say adds a message.
func (b *postbox) say(body protocol.Body, at time.Time) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.revision++
	m := protocol.Message{ID: uuid.NewString(), SiteID: b.site, Epoch: b.epoch, Revision: b.revision, MadeAt: at, Body: body}
	raw, err := protocol.Encode(m)
	if err != nil {
		b.t.Fatal(err)
	}
	b.queue = append(b.queue, letter{m.ID, raw})
	select {
	case b.waiting <- struct{}{}:
	default:
	}
}

func (b *postbox) mustEnd(ctx context.Context, how string) {
	b.t.Helper()
	select {
	case got := <-b.done:
		if got != how {
			b.t.Fatalf("a message is %s, not %s", got, how)
		}
	case <-ctx.Done():
		b.t.Fatal("a message has not been answered")
	}
}

func (b *postbox) Next(context.Context, string) (id, siteID string, message []byte, ok bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 {
		return "", "", nil, false, nil
	}
	return b.queue[0].id, b.site, b.queue[0].raw, true, nil
}

func (b *postbox) end(id, how string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) > 0 && b.queue[0].id == id {
		b.queue = b.queue[1:]
		b.done <- how
	}
}

func (b *postbox) Acknowledge(_ context.Context, r protocol.Receipt, _ string) error {
	b.end(r.MessageID, "acknowledged")
	b.mu.Lock()
	defer b.mu.Unlock()
	b.newest = r.MessageID
	return nil
}

func (b *postbox) Reject(_ context.Context, id string, why string) error {
	b.end(id, "refused: "+why)
	return nil
}

func (b *postbox) Recorded(context.Context) (map[string]string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return map[string]string{b.site: b.newest}, nil
}

func (b *postbox) Recall(context.Context, string) error { return nil }

func (b *postbox) Waiting() <-chan struct{} { return b.waiting }

func (b *postbox) Unhurried() <-chan struct{} { return nil }
