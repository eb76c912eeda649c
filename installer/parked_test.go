package installer

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/agent/uplink"
	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// mostOfAVisit is a bound of bytes, without the headers of UDP and IP: 6,000 are QUIC's
// five packets that must be 1,200 long, as the keys of both sides are too long for
// fewer, and 700 the next ticket.
const mostOfAVisit = 11_000

// TestParkedVisit: a parked agent of 16 cameras that comes to the real collector, says
// that all is as it was and asks for notices, costs no more than it must. Of several
// visits the least counts, as a machine that is busy sends some of it twice.
func TestParkedVisit(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	o := openOffice(t, ctx, log)
	defer o.serve(ctx, time.Now)()
	line := newRelay(t, o.addr)
	code := protocol.NewCode()
	site, err := o.reg.Invite(ctx, registry.Invitation{Site: protocol.Site{Name: "Bar Centrale", Category: "bar-restaurant", Address: "via Torino 1"},
		CodeHash: code.Hash(), At: time.Now(), ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	link := protocol.Link{Collector: "https://" + line.addr, Pin: o.authority.Pin(), Code: code}
	grant, err := uplink.Enrol(ctx, dir, "", link.String(), uplink.EnrolOptions{Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	box := &postbox{t: t, site: site, epoch: grant.Epoch, waiting: make(chan struct{}, 1), done: make(chan string, 10)}
	box.say(ofCameras(t, 16), time.Now())
	p := parkedAgent(ctx, t, dir, box, log)
	box.mustEnd(ctx, "acknowledged")
	p.looked(ctx)

	least := int64(1 << 30)
	for range 5 {
		before := line.up.Load() + line.down.Load()
		p.later.Add(int64(2 * time.Minute)) // else it would not look for notices beside what it says
		box.say(protocol.Observation{}, time.Now())
		box.mustEnd(ctx, "acknowledged")
		p.looked(ctx)
		least = min(least, line.up.Load()+line.down.Load()-before)
	}
	t.Logf("a visit is %d bytes", least)
	if least > mostOfAVisit {
		t.Errorf("a visit is %d bytes, more than %d", least, mostOfAVisit)
	}
	line.mu.Lock()
	defer line.mu.Unlock()
	if line.largest > 1200 {
		t.Errorf("a packet of %d bytes: a larger one than every path carries was tried", line.largest)
	}
}

// ofCameras is a declaration of so many cameras that are alike.
func ofCameras(t *testing.T, n int) protocol.Declaration {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "testdata", "protocol", "good", "v1-declaration.bin"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := protocol.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	d := m.Body.(protocol.Declaration)
	for one := d.Cameras[0]; len(d.Cameras) < n; d.Cameras = append(d.Cameras, one) {
		one.ID = uuid.NewString()
	}
	return d
}

// parkedUplink is one whose clock a test moves, and which tells when it asks for notices.
type parkedUplink struct {
	*uplink.Uplink
	t     *testing.T
	later atomic.Int64 // nanoseconds
	looks chan struct{}
}

func parkedAgent(ctx context.Context, t *testing.T, dir string, box *postbox, log *slog.Logger) *parkedUplink {
	t.Helper()
	identity, err := uplink.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	p := &parkedUplink{t: t, looks: make(chan struct{}, 10)}
	p.Uplink = uplink.New(uplink.Options{Identity: identity, Outbox: box, Version: "1", Log: log, Park: true,
		WrapTransport: func(rt http.RoundTripper) http.RoundTripper { return seesLooks{rt, p.looks} },
		Now:           func() time.Time { return time.Now().Add(time.Duration(p.later.Load())) },
		Jitter:        func(time.Duration) time.Duration { return 0 }})
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return p
}

// looked waits until it has asked for notices and has gone.
func (p *parkedUplink) looked(ctx context.Context) {
	p.t.Helper()
	select {
	case <-p.looks:
	case <-ctx.Done():
		p.t.Fatal("it has not asked for notices")
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for s := p.Status(); !s.Parked || s.Transport != ""; s = p.Status() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			p.t.Fatalf("it has not gone: %+v", s)
		}
	}
}

// seesLooks tells of each time that notices were asked for.
type seesLooks struct {
	http.RoundTripper
	looks chan<- struct{}
}

// RoundTrip implements http.RoundTripper.
func (s seesLooks) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := s.RoundTripper.RoundTrip(req)
	if err == nil && strings.HasSuffix(req.URL.Path, "/Notices") {
		s.looks <- struct{}{}
	}
	return resp, err
}
