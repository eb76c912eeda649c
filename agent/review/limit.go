package review

import (
	"net/netip"
	"sync"
	"time"

	"anagrafe/protocol"
)

// Attempts at the network's password, and at invalid links, allowed in one window.
const (
	tryWindow = 15 * time.Minute
	maxTries  = 5  // of one address
	maxAll    = 40 // of all: one attacker may hold many addresses of a home network
	maxLinks  = 60 // of one address
)

// limit counts what failed. It is counted before it is tried, so that tries side by
// side do not slip through, and taken back where it was right.
type limit struct {
	now       func() time.Time
	most, all int

	mu    sync.Mutex
	began time.Time
	total int
	of    map[netip.Prefix]int
}

// try counts one more of an address. Where it is one too many it says how long
// there is to wait.
func (l *limit) try(from netip.Prefix) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if now.Sub(l.began) >= tryWindow || l.of == nil {
		l.began, l.total, l.of = now, 0, map[netip.Prefix]int{}
	}
	if l.of[from] >= l.most || l.total >= l.all {
		return l.began.Add(tryWindow).Sub(now)
	}
	l.of[from]++
	l.total++
	return 0
}

// right takes back what was counted of a try that was right, and what its address
// got wrong before.
func (l *limit) right(from netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total -= l.of[from]
	delete(l.of, from)
}

// network is whose try counts as one caller's.
func network(remote string) netip.Prefix {
	at, _ := netip.ParseAddrPort(remote) // else the zero one, with a budget of its own
	return protocol.SourceOf(at.Addr())
}
