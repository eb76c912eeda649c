package uplink

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"anagrafe/protocol"
)

// TestMain fails when the tests, all of which stop what they started, leave a
// goroutine of ours or of the transports behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := leftGoroutines(10 * time.Second); code == 0 && left != "" {
		fmt.Fprintf(os.Stderr, "goroutines left after all tests:\n%s\n", left)
		code = 1
	}
	os.Exit(code)
}

// leftGoroutines gives the stacks that are still there after the patience:
// the last steps of a closed connection are taken by itself.
func leftGoroutines(patience time.Duration) string {
	buf := make([]byte, 4<<20)
	for end := time.Now().Add(patience); ; runtime.Gosched() {
		var left []string
		for i, stack := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if i > 0 && (strings.Contains(stack, "anagrafe/") || strings.Contains(stack, "quic-go") || strings.Contains(stack, "net/http")) {
				left = append(left, stack)
			}
		}
		if len(left) == 0 || time.Now().After(end) {
			return strings.Join(left, "\n\n")
		}
	}
}

// outbox keeps messages in memory and says on a channel how each one ended.
type outbox struct {
	waiting   chan struct{}
	unhurried chan struct{}
	ended     chan outcome

	mu       sync.Mutex
	queue    []string
	ackFail  int      // so many calls of Acknowledge fail
	keeps    bool     // what was acknowledged is remembered, and may be recalled
	done     []string // in order
	receipts []protocol.Receipt
}

type outcome struct{ id, transport, why string }

func newOutbox(messages ...string) *outbox {
	return &outbox{waiting: make(chan struct{}, 1), unhurried: make(chan struct{}, 1), ended: make(chan outcome, 100), queue: messages}
}

func (o *outbox) add(m string) { o.put(m, o.waiting) }

func (o *outbox) put(m string, say chan<- struct{}) {
	o.mu.Lock()
	o.queue = append(o.queue, m)
	o.mu.Unlock()
	select {
	case say <- struct{}{}:
	default:
	}
}

func (o *outbox) Next(context.Context, string) (string, string, []byte, bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.queue) == 0 {
		return "", "", nil, false, nil
	}
	return o.queue[0][:1], "site-1", []byte(o.queue[0]), true, nil
}

func (o *outbox) Acknowledge(_ context.Context, r protocol.Receipt, transport string) error {
	id := r.MessageID
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ackFail > 0 {
		o.ackFail--
		return errors.New("disk full")
	}
	if o.queue[0][:1] != id || sha256.Sum256([]byte(o.queue[0])) != r.SHA256 || r.RecordedAt.IsZero() || r.SiteID != "site-1" {
		return errors.New("acknowledged something else")
	}
	if o.keeps {
		o.done = append(o.done, o.queue[0])
	}
	o.queue = o.queue[1:]
	o.receipts = append(o.receipts, r)
	o.ended <- outcome{id: id, transport: transport}
	return nil
}

func (o *outbox) Recorded(context.Context) (map[string]string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.done) == 0 {
		return nil, nil
	}
	return map[string]string{"site-1": o.done[len(o.done)-1][:1]}, nil
}

func (o *outbox) Recall(_ context.Context, id string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n := len(o.done); n > 0 && o.done[n-1][:1] == id {
		o.queue, o.done = append([]string{o.done[n-1]}, o.queue...), o.done[:n-1]
	}
	select {
	case o.waiting <- struct{}{}:
	default:
	}
	return nil
}

func (o *outbox) Reject(_ context.Context, id, why string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = o.queue[1:]
	o.ended <- outcome{id: id, why: why}
	return nil
}

func (o *outbox) Waiting() <-chan struct{}   { return o.waiting }
func (o *outbox) Unhurried() <-chan struct{} { return o.unhurried }

// troubles is a log handler that says on a channel what reason was logged.
type troubles struct {
	slog.Handler
	reasons chan Reason
}

func (h troubles) Handle(ctx context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if reason, ok := a.Value.Any().(Reason); ok && a.Key == "reason" {
			select {
			case h.reasons <- reason:
			default:
			}
		}
		return true
	})
	return h.Handler.Handle(ctx, r)
}

// running is an Uplink at work, with short waits.
type running struct {
	*Uplink
	outbox     *outbox
	reasons    chan Reason // logged troubles
	transports *atomic.Pointer[transport]
	stop       func()
}

// newest is the transport of the newest session.
func (r *running) newest() *transport { return r.transports.Load() }

func run(t *testing.T, id *Identity, o *outbox, change func(*Uplink)) *running {
	t.Helper()
	reasons := make(chan Reason, 1000)
	var transports atomic.Pointer[transport]
	u := New(Options{Identity: id, Outbox: o, Version: "1.0",
		WrapTransport: func(rt http.RoundTripper) http.RoundTripper {
			transports.Store(rt.(*transport))
			return rt
		},
		Log: slog.New(troubles{slog.NewTextHandler(t.Output(), nil), reasons})})
	u.pace = pace{deliver: time.Millisecond, deliverMost: 20 * time.Millisecond, listen: time.Millisecond, listenMost: 20 * time.Millisecond,
		slot: time.Nanosecond, look: time.Hour, maps: mapTimeout,
		renew: time.Millisecond, renewMost: 20 * time.Millisecond, refused: 20 * time.Millisecond}
	u.transport.retry, u.transport.idle, u.transport.keepAlive = time.Hour, 30*time.Second, 20*time.Second
	if change != nil {
		change(u)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- u.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return &running{Uplink: u, outbox: o, reasons: reasons, transports: &transports, stop: stop}
}

// udpDead is a change for run where UDP gets no answer.
func udpDead(u *Uplink) { u.transport.idle = 200 * time.Millisecond }

// changeFor is the change that a collector with these sides needs.
func changeFor(on servers) func(*Uplink) {
	if on.udp {
		return nil
	}
	return udpDead
}

// expect waits for messages to end as said.
func (r *running) expect(t *testing.T, want ...outcome) {
	t.Helper()
	for _, w := range want {
		if got := <-r.outbox.ended; got != w {
			t.Errorf("message %q ended as %+v, want %+v", got.id, got, w)
		}
	}
}

// trouble waits until a reason is logged.
func (r *running) trouble(want Reason) {
	for got := range r.reasons {
		if got == want {
			return
		}
	}
}
