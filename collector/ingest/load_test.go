package ingest

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

func TestBuckets(t *testing.T) {
	now := time.Unix(1e9, 0)
	b := newBuckets[string](limit{most: 10, perSecond: 2}, 3)
	if _, ok := b.take("a", 10, now); !ok {
		t.Fatal("a full bucket does not give all it has")
	}
	wait, ok := b.take("a", 4, now)
	if ok || wait != 2*time.Second {
		t.Fatalf("4 of an empty bucket: %v, in %v", ok, wait)
	}
	if _, ok := b.take("a", 4, now.Add(wait)); !ok {
		t.Error("not there after the wait that was told")
	}
	b.add("a", 100, now.Add(wait))
	if _, ok := b.take("a", 11, now.Add(wait)); ok {
		t.Error("giving back made it hold more than it can")
	}
	if len(b.all) != 0 {
		t.Error("a full bucket is kept")
	}
	// A clock that is set back fills nothing, and empties nothing.
	b.take("a", 10, now)
	if _, ok := b.take("a", 1, now.Add(-time.Hour)); ok {
		t.Error("a clock that went back filled the bucket")
	}
	for i := range 1000 {
		b.take(strconv.Itoa(i), 5, now)
		if len(b.all) > 3 {
			t.Fatalf("%d buckets kept", len(b.all))
		}
	}
}

func TestArrivals(t *testing.T) {
	now := time.Unix(1e9, 0)
	from := func(i int) net.Addr { return &net.UDPAddr{IP: addr4(i).AsSlice(), Port: 1} }
	fresh := func() *arrivals { return newArrivals(func() time.Time { return now }) }

	a := fresh()
	for i := range 10 * sourceBurst { // as fast as they prove themselves
		x := a.arrive(from(1), true)
		if x == nil {
			t.Fatalf("arrival %d was refused", i)
		}
		x.prove()
		x.prove()
	}
	got := 0
	for a.arrive(from(1), true) != nil {
		got++
	}
	if got != sourceBurst {
		t.Errorf("%d arrivals that prove nothing got in, want %d", got, sourceBurst)
	}
	if a.arrive(from(2), true) == nil {
		t.Error("another address is refused with it")
	}
	got = 0
	for i := range 10 * allBurst {
		if a.arrive(from(100+i), true) != nil {
			got++
		}
	}
	if got != allBurst-sourceBurst-1 {
		t.Errorf("%d of all addresses got in after that", got)
	}
	now = now.Add(time.Second)
	if a.arrive(from(1), true) == nil {
		t.Error("refused for ever")
	}

	// Forged addresses cost those who bear them a round trip, and no more.
	a = fresh()
	forged := 0
	for range 10 * unseenAllBurst {
		if !a.mustShow(from(1)) {
			forged++
			if a.arrive(from(1), false) == nil {
				t.Fatal("passed, then refused")
			}
		}
	}
	if forged != unseenBurst {
		t.Errorf("%d handshakes in the name of one address", forged)
	}
	for i := range 10 * unseenAllBurst {
		if !a.mustShow(from(i)) {
			forged++
		}
	}
	if forged != unseenAllBurst {
		t.Errorf("%d handshakes in the name of any address", forged)
	}
	if x, kept := a.unseen.all[protocol.SourceOf(addr4(10*unseenAllBurst-1))]; kept {
		t.Errorf("an address from which none was let in owes %+v", x)
	}
	if !a.mustShow(from(1)) || a.arrive(from(1), true) == nil {
		t.Error("who shows that the address is its own is refused for what others did in its name")
	}
}

func TestLine(t *testing.T) {
	now := time.Unix(1e9, 0)
	l := &writeQueue{now: func() time.Time { return now }, each: firstTaken}
	var leave []func()
	enter := func(n int) {
		for range n {
			f, _, ok := l.enter()
			if !ok {
				t.Fatalf("refused after %d", len(leave))
			}
			leave = append(leave, f)
		}
	}
	// A register that takes 20 ms for each: 5 s are 250 of them, but a few may
	// always wait, for it takes many at once.
	enter(queueFew)
	for _, f := range leave {
		now = now.Add(20 * time.Millisecond)
		f()
	}
	leave = nil
	enter(queueFew)
	_, retry, ok := l.enter()
	want := time.Duration(queueFew) * l.each
	if ok || retry != want || l.each < 15*time.Millisecond || l.each > 25*time.Millisecond {
		t.Errorf("%v after %d that take %v each: come back in %v", ok, queueFew, l.each, retry)
	}
	// One that is fast takes more, but never any number.
	l.each = time.Microsecond
	enter(queueMost - queueFew)
	if _, retry, ok := l.enter(); ok || retry != minRetry {
		t.Errorf("more than %d wait: %v, %v", queueMost, ok, retry)
	}
	l.each = time.Hour
	if _, retry, _ := l.enter(); retry != maxRetry {
		t.Errorf("told to come back in %v", retry)
	}
}

func TestBusyRegister(t *testing.T) {
	r := start(t, nil)
	_, cert, _ := r.agent(t, time.Now())
	c := r.dial(t, "h3", cert)
	set := func(n int) {
		r.writes.mu.Lock()
		defer r.writes.mu.Unlock()
		r.writes.waiting, r.writes.each = n, 5*time.Millisecond
	}
	set(queueMost)
	_, err := deliver(t.Context(), c, message(t, 1, protocol.Observation{}))
	if reason(err) != protocol.ReasonTemporary || retryOf(err) != "21" { // 4,096 x 5 ms
		t.Errorf("a busy collector says %v, come back in %s s", err, retryOf(err))
	}
	if r.count(t, "refused_total", string(reasonBusy)) != 1 || r.register.recorded() != 0 {
		t.Error("not counted, or recorded all the same")
	}
	if r.count(t, "writes_waiting", "") != queueMost {
		t.Error("operations do not see the line")
	}
	set(0)
	if _, err := deliver(t.Context(), c, message(t, 1, protocol.Observation{})); err != nil {
		t.Error(err)
	}
	if n := r.writes.length(); n != 0 {
		t.Errorf("%v wait when all is done", n)
	}
}

func retryOf(err error) string {
	ce := new(connect.Error)
	if !errors.As(err, &ce) {
		return ""
	}
	return ce.Meta().Get(protocol.RetryAfterHeader)
}

func TestDailyBudget(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			var mu sync.Mutex
			now := time.Now()
			r := start(t, func(s *Server) {
				s.now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
			})
			id, cert, _ := r.agent(t, time.Now())
			c := r.dial(t, transport, cert)
			large := message(t, 1, protocol.Observation{})
			large = append(large, make([]byte, protocol.MaxMessage-len(large))...) // refused, and paid for
			sent := 0
			var err error
			for ; ; sent++ {
				if _, err = deliver(t.Context(), c, large); reason(err) != protocol.ReasonInvalid {
					break
				}
			}
			if reason(err) != protocol.ReasonTooMany || sent != 7 { // a request is a little larger than its message
				t.Fatalf("after %d MiB: %v", sent, err)
			}
			// Asking again costs nothing.
			first, again := retryOf(err), ""
			for range 100 {
				_, err = deliver(t.Context(), c, large)
				again = retryOf(err)
			}
			if again != first || r.count(t, "refused_total", string(reasonBudget)) != 101 {
				t.Errorf("told to wait %s s, then %s s", first, again)
			}
			// Another agent's is its own.
			_, other, _ := r.agent(t, time.Now())
			if _, err := deliver(t.Context(), r.dial(t, transport, other), message(t, 1, protocol.Observation{})); err != nil {
				t.Error(err)
			}
			wait, _ := strconv.Atoi(first)
			mu.Lock()
			now = now.Add(time.Duration(wait) * time.Second)
			mu.Unlock()
			if _, err := deliver(t.Context(), c, large); reason(err) != protocol.ReasonInvalid {
				t.Errorf("after the %s s that agent %s was told to wait: %v", first, id, err)
			}
		})
	}
}

// What the collector could not take is not held against the agent.
func TestBudgetOfWhatWasNotTaken(t *testing.T) {
	r := start(t, nil)
	id, cert, _ := r.agent(t, time.Now())
	c := r.dial(t, "h3", cert)
	r.register.fail(errors.New("the disk is full"))
	for range 5 {
		if _, err := deliver(t.Context(), c, message(t, 1, protocol.Observation{})); reason(err) != protocol.ReasonTemporary {
			t.Fatal(err)
		}
	}
	// Both are given back when the answer has left: it may be here first.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := r.bodies.Acquire(ctx, maxBodies); err != nil {
		t.Error("room for messages was not given back")
	}
	owes := func() bool {
		r.budgets.mu.Lock()
		defer r.budgets.mu.Unlock()
		_, owes := r.budgets.all[id]
		return owes
	}
	for owes() && ctx.Err() == nil {
		runtime.Gosched()
	}
	if owes() {
		t.Error("the agent paid for messages that were not recorded")
	}
	// Without room, a message is refused before it is read.
	if _, err := deliver(t.Context(), c, message(t, 1, protocol.Observation{})); reason(err) != protocol.ReasonTemporary || !strings.Contains(err.Error(), "too much to do") {
		t.Errorf("without room: %v", err)
	}
}

// Who has the key of an authority that was given up can write any agent's name
// into a certificate, and still comes through the handshake, to be told. It does
// not spend that agent's share of the day.
func TestBudgetOfSomeoneElse(t *testing.T) {
	r := start(t, nil)
	victim, stolen, _ := r.agent(t, time.Now())
	for _, step := range []func() error{r.authority.Next, r.authority.Replace} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	for _, transport := range transports {
		c := r.dial(t, transport, stolen)
		if _, err := deliver(t.Context(), c, message(t, 1, protocol.Observation{})); reason(err) != protocol.ReasonRetiredAuthority {
			t.Errorf("%s: Deliver: %v", transport, err)
		}
		for range 5 {
			if _, err := c.delivery.GetSite(t.Context(), connect.NewRequest(&wire.GetSiteRequest{SiteId: site})); reason(err) != protocol.ReasonRetiredAuthority {
				t.Errorf("%s: GetSite: %v", transport, err)
			}
		}
	}
	r.budgets.mu.Lock()
	defer r.budgets.mu.Unlock()
	if _, owes := r.budgets.all[victim]; owes {
		t.Error("the agent pays for calls that were made in its name")
	}
}

// A hundred thousand agents that all owe something take what is said.
func TestBudgetsAreBounded(t *testing.T) {
	b := newBuckets[string](limit{budgetDay, 1}, maxBudgets)
	now := time.Now()
	before := heap()
	for range 100_000 {
		b.take(uuid.NewString(), 2<<10, now)
	}
	if grown := heap() - before; grown > 100_000*200 {
		t.Errorf("100,000 budgets take %d bytes", grown)
	} else {
		t.Logf("100,000 budgets take %d KiB", grown>>10)
	}
	if len(b.all) != 100_000 {
		t.Error(len(b.all))
	}
}
