package installer

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"anagrafe/agent/uplink"
	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/collector/registry/registrytest"
	"anagrafe/protocol"
)

// realCollector is a collector's door and register on real sockets, that goes down and
// comes up again at the same address.
type realCollector struct {
	t         *testing.T
	dir       string
	host      string
	at        string       // host:port
	back      atomic.Int64 // how far its clock is behind, in nanoseconds
	public    [2]string    // files of a public certificate and its key; "": none
	authority *ingest.Authority
	reg       *registry.Registry
	stop      func()
}

func newRealCollector(t *testing.T) *realCollector {
	t.Helper()
	// An address of its own and a port that the system gives to nobody.
	host := net.IPv4(127, byte(1+rand.N(250)), byte(rand.N(250)), byte(1+rand.N(250))).String()
	o := &realCollector{t: t, dir: t.TempDir(), host: host, at: net.JoinHostPort(host, strconv.Itoa(20000+rand.N(10000)))}
	o.start()
	t.Cleanup(func() { o.stop() })
	return o
}

func (o *realCollector) now() time.Time { return time.Now().Add(-time.Duration(o.back.Load())) }

func (o *realCollector) start() {
	o.t.Helper()
	log := slog.New(slog.NewTextHandler(o.t.Output(), nil))
	var err error
	if o.authority, err = ingest.OpenAuthority(o.dir); err != nil {
		o.t.Fatal(err)
	}
	if o.reg, _, err = registry.Open(context.Background(), registrytest.Options(o.dir, log)); err != nil {
		o.t.Fatal(err)
	}
	receipts, err := ingest.OpenReceiptKey(o.dir, o.host)
	if err != nil {
		o.t.Fatal(err)
	}
	server, err := ingest.New(ingest.Options{MaxHeld: 100, Authority: o.authority, ReceiptKey: receipts, Register: o.reg, Listen: o.at, Hosts: []string{o.host},
		CertificateFile: o.public[0], KeyFile: o.public[1], RootSecret: bytes.Repeat([]byte{1}, 32), Log: log, Now: o.now})
	if err != nil {
		o.t.Fatal(err)
	}
	if err := server.Listen(); err != nil {
		o.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	o.stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-done, o.reg.Close()); err != nil {
			o.t.Error(err)
		}
	})
}

func (o *realCollector) restart() {
	o.t.Helper()
	o.stop()
	o.start()
}

// step makes a step of the roll-over.
func (o *realCollector) step(do func(*ingest.Authority) error, restart bool) {
	o.t.Helper()
	if err := do(o.authority); err != nil {
		o.t.Fatal(err)
	}
	if restart {
		o.restart()
	}
}

// link makes an invitation.
func (o *realCollector) link() protocol.Link {
	o.t.Helper()
	code := protocol.NewCode()
	if _, err := o.reg.Invite(o.t.Context(), registry.Invitation{Site: protocol.Site{Name: "Bar", Category: "shop"},
		CodeHash: code.Hash(), ExpiresAt: time.Now().Add(14 * 24 * time.Hour), At: time.Now()}); err != nil {
		o.t.Fatal(err)
	}
	return protocol.Link{Collector: "https://" + o.at, Code: code, Pin: o.authority.Pin()}
}

// enrolled gives the directory of an agent that was enrolled some days ago.
func (o *realCollector) enrolled(days int) string {
	o.t.Helper()
	o.back.Store(int64(time.Duration(days) * 24 * time.Hour))
	defer o.back.Store(0)
	dir := o.t.TempDir()
	if _, err := uplink.Enrol(o.t.Context(), dir, "", o.link().String(), uplink.EnrolOptions{}); err != nil {
		o.t.Fatal(err)
	}
	return dir
}

// run lets an agent run until seen says so, and gives its last status.
func run(t *testing.T, dir string, seen func(uplink.Status) bool) uplink.Status {
	t.Helper()
	id, err := uplink.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	u := uplink.New(uplink.Options{Identity: id, Outbox: nothing{}, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Jitter: func(time.Duration) time.Duration { return 0 }})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- u.Run(ctx) }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !seen(u.Status()) && ctx.Err() == nil {
		<-tick.C
	}
	last := u.Status()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	return last
}

// hears tells what an agent hears of its collector: "" when it is admitted.
func hears(t *testing.T, dir string) uplink.Reason {
	t.Helper()
	return run(t, dir, func(s uplink.Status) bool { return s.Transport != "" || s.LastReason != "" }).LastReason
}

// renews lets an agent run whose certificate is due until it has another.
func renews(t *testing.T, dir string) {
	t.Helper()
	id, err := uplink.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := run(t, dir, func(s uplink.Status) bool { return s.CertificateUntil.After(id.Until()) })
	if !s.CertificateUntil.After(id.Until()) {
		t.Errorf("not renewed: %s", s.LastError)
	}
}

// enrols tries a link on a host, and gives the reason of a refusal.
func enrols(t *testing.T, dir string, l protocol.Link) uplink.Reason {
	t.Helper()
	_, err := uplink.Enrol(t.Context(), dir, "", l.String(), uplink.EnrolOptions{})
	if e, ok := errors.AsType[*uplink.Error](err); ok {
		return e.Reason
	} else if err != nil {
		t.Error(err)
	}
	return ""
}

func identityOf(t *testing.T, dir string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "identity.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// knows counts the authorities that an agent recognises its collector by.
func knows(t *testing.T, dir string) int {
	return strings.Count(identityOf(t, dir), "Anagrafe-Role: authority")
}

func agentID(t *testing.T, dir string) string {
	t.Helper()
	id, err := uplink.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return id.AgentID
}

// nothing is an outbox of an agent that has nothing to say.
type nothing struct{}

func (nothing) Next(context.Context, string) (string, string, []byte, bool, error) {
	return "", "", nil, false, nil
}
func (nothing) Acknowledge(context.Context, protocol.Receipt, string) error { return nil }
func (nothing) Reject(context.Context, string, string) error                { return nil }
func (nothing) Recorded(context.Context) (map[string]string, error)         { return nil, nil }
func (nothing) Recall(context.Context, string) error                        { return nil }
func (nothing) Waiting() <-chan struct{}                                    { return nil }
func (nothing) Unhurried() <-chan struct{}                                  { return nil }

// TestAuthorityRollOver: one authority takes the place of another, in a collector
// that runs on and in one that is started again after each step.
func TestAuthorityRollOver(t *testing.T) {
	for name, restart := range map[string]bool{"running": false, "restarted": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newRealCollector(t)
			first := o.authority.Pin()
			want := func(what string, got, want any) {
				t.Helper()
				if got != want {
					t.Errorf("%s: %v, want %v", what, got, want)
				}
			}
			dependents := func() registry.Dependents {
				t.Helper()
				all := o.authority.Standing()
				d, err := o.reg.Dependents(t.Context(), all[len(all)-1].Since, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				return d
			}
			told, awake, never := o.enrolled(27), o.enrolled(27), o.enrolled(0)
			asleep := o.enrolled(60) // its certificate ended 30 days ago
			old, older := o.link(), o.link()

			o.step((*ingest.Authority).Next, restart)
			want("pin of a link while the next one is announced", o.authority.Pin(), first)
			renews(t, told)
			want("authorities known after the announcement", knows(t, told), 2)
			want("authorities known without it", knows(t, awake), 1)
			holding := o.enrolled(0) // knows both, and holds the old one's certificate to the end

			o.step((*ingest.Authority).Switch, restart)
			o.back.Store(int64(-2 * time.Second)) // certificates have whole seconds
			if o.authority.Pin() == first {
				t.Error("links still name the old authority")
			}
			want("told of the next one", hears(t, told), uplink.Reason(""))
			want("not told", hears(t, never), uplink.Reason(""))
			want("a link printed before", enrols(t, t.TempDir(), old), uplink.Reason(""))
			want("a link printed now", enrols(t, t.TempDir(), o.link()), uplink.Reason(""))
			d := dependents()
			want("agents of the old one", d.Agents, 5)
			want("links of the old one", d.Codes, 1)
			if days := time.Until(d.AgentsUntil).Hours() / 24; days < 119 || days > 120 {
				t.Errorf("they depend on it for %.1f days", days)
			}
			renews(t, awake)
			renews(t, asleep)
			want("agents of the old one", dependents().Agents, 3)

			o.step((*ingest.Authority).Retire, restart)
			want("renewed by the new one", hears(t, awake), uplink.Reason(""))
			want("asleep, then renewed by the new one", hears(t, asleep), uplink.Reason(""))
			want("told, with the old one's certificate", hears(t, holding), protocol.ReasonRetiredAuthority)
			want("never told", hears(t, never), uplink.ServerUntrusted)
			want("a link printed before", enrols(t, t.TempDir(), older), uplink.ServerUntrusted)
			for _, dir := range []string{holding, never} {
				before := agentID(t, dir)
				want("a new link", enrols(t, dir, o.link()), uplink.Reason(""))
				want("admitted with it", hears(t, dir), uplink.Reason(""))
				want("the agent's id", agentID(t, dir), before)
				want("authorities known", knows(t, dir), 1)
			}

			o.step((*ingest.Authority).Replace, restart)
			want("after a theft", hears(t, awake), uplink.ServerUntrusted)
			want("a new link", enrols(t, awake, o.link()), uplink.Reason(""))
			want("admitted with it", hears(t, awake), uplink.Reason(""))
		})
	}
}
