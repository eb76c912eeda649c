package uplink

import (
	"time"

	"github.com/quic-go/quic-go"
)

// A collector that was killed, or that can no longer reach us, is silent. Its
// successor could answer with a stateless reset, but quic-go sends none for packets
// as small as a keep-alive, and the idle timeout takes a minute more. So an agent that
// gets no answer reconnects: that costs a handshake, and a notice may be waiting.
const (
	silenceLook  = time.Second
	silenceLimit = 5 * time.Second // a mobile link's worst round trip, a few times over
	// One packet may have been an acknowledgement, which nobody answers. QUIC's
	// own probes make it more within the limit.
	silencePackets = 3
)

// silence tells from a connection's counters whether the other end is gone.
type silence struct {
	heard    bool      // received holds
	received uint64    // packets, at the last look that found new ones
	sent     uint64    // packets, at that look
	asked    time.Time // when packets sent since were first seen; zero: none
}

// look takes the counters as they are now.
func (s *silence) look(sent, received uint64, now time.Time) (gone bool) {
	if !s.heard || received != s.received {
		*s = silence{heard: true, received: received, sent: sent}
		return false
	}
	if sent == s.sent {
		return false
	}
	if s.asked.IsZero() {
		s.asked = now
	}
	return sent-s.sent >= silencePackets && now.Sub(s.asked) >= silenceLimit
}

// CloseWhenSilent closes a connection when the other end has not answered for
// some seconds. It returns when the connection has ended.
func CloseWhenSilent(conn *quic.Conn) {
	again := time.NewTicker(silenceLook)
	defer again.Stop()
	var s silence
	for {
		select {
		case <-conn.Context().Done():
			return
		case now := <-again.C:
			stats := conn.ConnectionStats()
			if s.look(stats.PacketsSent, stats.PacketsReceived, now) {
				_ = conn.CloseWithError(0, "no answer for some seconds")
				return
			}
		}
	}
}
