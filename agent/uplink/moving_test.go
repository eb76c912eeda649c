package uplink

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// relay carries datagrams between one agent and the collector, as a router that
// translates addresses does.
type relay struct {
	t     *testing.T
	near  *net.UDPConn
	to    *net.UDPAddr
	sizes chan int // of what the agent sends, and below 0 of what it gets

	mu      sync.Mutex
	agent   netip.AddrPort
	far     *net.UDPConn
	running sync.WaitGroup
}

func newRelay(t *testing.T, c *collector) *relay {
	t.Helper()
	near, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, near: near, to: &net.UDPAddr{IP: net.ParseIP(c.host), Port: c.port}, sizes: make(chan int, 100000)}
	r.rebind()
	r.running.Go(func() {
		buf := make([]byte, 64<<10)
		for {
			n, from, err := near.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			r.mu.Lock()
			r.agent = from
			far := r.far
			r.mu.Unlock()
			r.sizes <- n
			_, _ = far.Write(buf[:n])
		}
	})
	t.Cleanup(func() {
		_ = near.Close()
		r.mu.Lock()
		_ = r.far.Close()
		r.mu.Unlock()
		r.running.Wait()
	})
	return r
}

// rebind forgets the mapping: from now on the collector sees another port.
func (r *relay) rebind() {
	r.t.Helper()
	far, err := net.DialUDP("udp", nil, r.to)
	if err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	old := r.far
	r.far = far
	r.mu.Unlock()
	if old != nil {
		_ = old.Close()
	}
	r.running.Go(func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := far.Read(buf)
			if err != nil {
				return
			}
			r.mu.Lock()
			agent := r.agent
			r.mu.Unlock()
			r.sizes <- -n
			_, _ = r.near.WriteToUDPAddrPort(buf[:n], agent)
		}
	})
}

// through has UDP go through the relay; TCP would go to the collector.
func (r *relay) through(t *testing.T, c *collector) *Identity {
	id := c.authority.identity(t, c.addr, time.Now())
	id.Collector = "https://" + r.near.LocalAddr().String()
	return id
}

// relayed is a collector whose certificate is good at the relay's address too.
func relayed(t *testing.T) (*collector, *relay) {
	t.Helper()
	c := newCollector(t)
	c.serve(both, nil, c.tlsConfig(c.authority, c.host, "127.0.0.1"))
	return c, newRelay(t, c)
}

// A router that forgets gives the connection another port: the collector
// follows it, and the notice stream goes on.
func TestStreamSurvivesRebinding(t *testing.T) {
	c, nat := relayed(t)
	s := &shelf{kept: make(chan string, 10)}
	run(t, nat.through(t, c), newOutbox(), func(u *Uplink) {
		keeping(s)(u)
		u.transport.keepAlive = 20 * time.Millisecond
	})
	<-c.listens
	for range 3 {
		nat.rebind()
		n := notice(t)
		c.notify <- n
		if got := <-s.kept; got != n.GetId() {
			t.Errorf("kept %s", got)
		}
	}
	if len(c.listens) > 0 {
		t.Error("the stream was opened anew")
	}
}

// When this machine gets another address the connection moves there.
func TestStreamSurvivesAnotherAddress(t *testing.T) {
	c := newCollector(t)
	c.serve(both, nil, nil)
	s := &shelf{kept: make(chan string, 10)}
	o := newOutbox("a1")
	var address atomic.Uint32
	r := run(t, c.authority.identity(t, c.addr, time.Now()), o, func(u *Uplink) {
		keeping(s)(u)
		u.pace.look = time.Millisecond
		u.transport.localTo = func(*net.UDPAddr) (netip.Addr, bool) {
			return netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + address.Load())}), address.Load() != 99
		}
	})
	r.expect(t, outcome{"a", "h3", ""})
	<-c.listens
	told := func() {
		t.Helper()
		n := notice(t)
		c.notify <- n
		if got := <-s.kept; got != n.GetId() {
			t.Errorf("kept %s", got)
		}
	}
	told() // no call is under way any more
	transport := r.newest()
	moves := func() int {
		transport.mu.Lock()
		defer transport.mu.Unlock()
		if transport.conn == nil {
			return -1
		}
		transport.conn.mu.Lock()
		defer transport.conn.mu.Unlock()
		return len(transport.conn.moved)
	}
	for i := range uint32(2) {
		address.Store(99) // no network
		address.Store(i + 1)
		for moves() <= int(i) {
			if !pause(t.Context(), time.Millisecond) {
				t.Fatal("not moved")
			}
		}
		told()
		o.add(string(rune('b'+i)) + "1")
		r.expect(t, outcome{string(rune('b' + i)), "h3", ""})
	}
	if len(c.listens) > 0 {
		t.Error("the stream was opened anew")
	}
	remotes := slices.Compact(c.heard().remotes)
	if len(remotes) != 3 {
		t.Errorf("the collector saw it at %v", remotes)
	}
}

// Where the collector does not answer at the new address, the agent connects
// again at once.
func TestAnotherAddressWithoutAnswer(t *testing.T) {
	c := newCollector(t)
	c.serve(both, nil, nil)
	var address atomic.Uint32
	r := run(t, c.authority.identity(t, c.addr, time.Now()), newOutbox(), func(u *Uplink) {
		u.pace.look, u.pace.listen, u.pace.listenMost = time.Millisecond, time.Hour, time.Hour
		u.transport.localTo = func(*net.UDPAddr) (netip.Addr, bool) {
			return netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + address.Load())}), true
		}
	})
	<-c.listens
	transport := r.newest()
	transport.mu.Lock()
	conn := transport.conn
	transport.mu.Unlock()
	conn.mu.Lock()
	conn.moved = make([]leg, 0, mostMoves)
	for range mostMoves {
		socket, err := net.ListenUDP("udp", nil)
		if err != nil {
			t.Fatal(err)
		}
		conn.moved = append(conn.moved, leg{&quic.Transport{Conn: socket}, socket})
	}
	conn.mu.Unlock()
	address.Store(1)
	<-c.listens
}

// A machine that wakes up connects at once, in whatever back-off it went to
// sleep.
func TestWakesUp(t *testing.T) {
	c := newCollector(t)
	stop := c.serve(both, nil, nil)
	var slept atomic.Int64
	waits := make(chan struct{}, 1)
	run(t, c.authority.identity(t, c.addr, time.Now()), newOutbox(), func(u *Uplink) {
		u.pace.look, u.pace.listen, u.pace.listenMost = time.Millisecond, time.Hour, time.Hour
		u.now = func() time.Time { return time.Now().Add(time.Duration(slept.Load())) }
		u.o.Jitter = func(d time.Duration) time.Duration { waits <- struct{}{}; return d }
	})
	<-c.listens
	stop()
	<-waits // for an hour, whether the stream was ended or broken
	c.serve(both, nil, nil)
	slept.Store(int64(8 * time.Hour))
	<-c.listens
}

// What a day of an agent that has nothing to say costs on the wire, with the
// headers of UDP and IP.
func TestIdleDay(t *testing.T) {
	const headers, day = 8 + 40, 24 * time.Hour // the longer ones, of IPv6
	c, nat := relayed(t)
	r := run(t, nat.through(t, c), newOutbox(), func(u *Uplink) { u.transport.keepAlive = 5 * time.Millisecond })
	<-c.listens
	var up, down []int
	for len(up) < 40 || len(down) < 40 {
		if n := <-nat.sizes; n > 0 {
			up = append(up, n)
		} else {
			down = append(down, -n)
		}
	}
	slices.Sort(up)
	slices.Sort(down)
	ping, pong := up[len(up)/2]+headers, down[len(down)/2]+headers
	held := int(day/keepAlive) * (ping + pong)
	t.Logf("held: %d + %d bytes every %v, %d kB a day", ping, pong, keepAlive, held/1000)
	if held > 500_000 {
		t.Errorf("a held day is %d bytes", held)
	}

	// The first visit has no ticket; of the others the least, as a machine that is
	// busy sends some of it twice.
	visit := 1 << 30
	c.notify <- park(time.Second)
	for range 3 {
		r.parked(t)
		for len(nat.sizes) > 0 {
			<-nat.sizes
		}
		<-c.listens
		c.notify <- park(time.Second)
		r.parked(t)
		bytes := 0
		for len(nat.sizes) > 0 {
			n := <-nat.sizes
			bytes += max(n, -n) + headers
		}
		visit = min(visit, bytes)
	}
	r.stop()
	// Four slots of six hours, and the sign of life taken to be as long as one.
	t.Logf("parked: %d bytes a visit, %d kB a day", visit, 5*visit/1000)
	if 5*visit > 50_000 {
		t.Errorf("a visit is %d bytes", visit)
	}
}
