package uplink

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
)

// twins are two hosts of one collector, and a line that knows the addresses of both.
func twins(t *testing.T, hosts int) (one, two *collector, l *line) {
	one, two = newCollector(t), newCollector(t)
	two.authority, two.port = one.authority, one.port
	for _, c := range []*collector{one, two} {
		c.serve(servers{udp: true}, c.tlsConfig(one.authority, one.host), nil)
	}
	id := one.authority.identity(t, one.addr, time.Now().Add(-time.Hour))
	l, err := newLine(id.Collector, id.trust(), lineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.transport.close)
	l.transport.addresses = func(context.Context) (all []netip.AddrPort, err error) {
		for _, c := range []*collector{one, two}[:hosts] {
			all = append(all, netip.AddrPortFrom(netip.MustParseAddr(c.host), uint16(c.port)))
		}
		return all, nil
	}
	return one, two, l
}

// busy has a collector say that it cannot work now.
func (c *collector) busy() {
	c.set(func() {
		c.before = func([]byte) error {
			e := refusal(connect.CodeUnavailable, string(protocol.ReasonTemporary), "later").(*connect.Error)
			e.Meta().Set(protocol.RetryAfterHeader, "3600")
			return e
		}
	})
}

// A host that says that it cannot work now is left for the other of the name; the way
// back is open once that one cannot either.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	one, two, l := twins(t, 2)
	u := New(Options{Outbox: newOutbox()})
	b := backoff{first: time.Second, most: time.Minute, jitter: rand.N[time.Duration]}
	const hour = time.Hour // as a busy host asks
	patient := false
	send := func(want Reason) {
		t.Helper()
		_, _, failure := u.send(t.Context(), l, outgoing{id: "a", siteID: "site-1", message: []byte("a message")})
		switch {
		case want == "" && failure != nil:
			t.Fatal(failure)
		case want != "" && (failure == nil || failure.Reason != want):
			t.Fatalf("%v, want %s", failure, want)
		case failure != nil:
			if d := u.wait(l, failure, &b); (d >= hour) != patient {
				t.Fatalf("it waits %v", d)
			}
		}
	}
	came := func(first, second int) {
		t.Helper()
		if got := []int{len(one.heard().got), len(two.heard().got)}; !slices.Equal(got, []int{first, second}) {
			t.Fatalf("the hosts were sent %v messages, want %d and %d", got, first, second)
		}
	}
	send("")
	came(1, 0)
	one.busy()
	send(protocol.ReasonTemporary)
	came(2, 0)
	send("")
	came(2, 1)
	one.set(func() { one.before = nil })
	send("") // it stays where it is
	came(2, 2)
	two.busy()
	patient = true // both were left
	send(protocol.ReasonTemporary)
	send("")
	came(3, 3)
}

// A name of one address keeps its connection: there is nobody else.
func TestNowhereElse(t *testing.T) {
	t.Parallel()
	one, _, l := twins(t, 1)
	u := New(Options{Outbox: newOutbox()})
	one.busy()
	_, _, failure := u.send(t.Context(), l, outgoing{id: "a", siteID: "site-1", message: []byte("a message")})
	if failure == nil {
		t.Fatal("a busy collector took it")
	}
	before := l.transport.conn
	u.wait(l, failure, &backoff{first: time.Second, most: time.Minute, jitter: rand.N[time.Duration]})
	if l.transport.conn != before || before == nil {
		t.Error("the connection was closed")
	}
}

// What was left comes last, the longest ago first of it, and only for a while.
func TestLeftOrder(t *testing.T) {
	at := func(i byte) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, i}), 8443)
	}
	now := time.Now()
	l := left{at(1): now, at(2): now.Add(-time.Minute), at(4): now.Add(-time.Hour)}
	addrs := []netip.AddrPort{at(1), at(2), at(3), at(4)}
	l.order(addrs, now.Add(-udpRetry))
	if want := []netip.AddrPort{at(3), at(4), at(2), at(1)}; !slices.Equal(addrs, want) {
		t.Errorf("%v, want %v", addrs, want)
	}
}
