package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"anagrafe/protocol/wire"
)

const (
	notices     = 1000 // sent one after the other, each to another agent
	noticeBytes = 256  // of an echo; a notice is about as long
)

// noticed is how long a notice takes to an agent while all are connected.
type noticed struct {
	Echo float64 `json:"echo_p99_s"`             // there and back, on one bare QUIC stream meanwhile
	Sent int     `json:"sent,omitempty"`         // notices
	P50  float64 `json:"notice_p50_s,omitempty"` // from before it was asked for until the agent has read it
	P99  float64 `json:"notice_p99_s,omitempty"`
	// Asked is how long the officer's own request took of that, until its answer.
	Asked float64 `json:"asked_p50_s,omitempty"`
}

// heard hands the notices that come in to the goroutine that waits for one.
type heard struct {
	mu   sync.Mutex
	site string
	came chan struct{}
}

// expect returns a channel that is closed when a site gets a notice.
func (h *heard) expect(site string) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.site, h.came = site, make(chan struct{})
	return h.came
}

func (h *heard) notice(n *wire.Notice) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.came != nil && n.GetSiteId() == h.site {
		close(h.came)
		h.came = nil
	}
}

// notice measures an echo, and requests to preserve, one after the other, where
// the collector is ours: an officer is needed.
func (s *stage) notice(ctx context.Context) error {
	s.result.Notice = &noticed{}
	if err := s.echo(ctx); err != nil {
		return err
	}
	if s.collector == nil {
		return nil
	}
	desks, err := s.staff(ctx)
	if err != nil {
		return err
	}
	var took, asked []time.Duration
	for i := range min(notices, s.agents) {
		a := s.fleet.agents[i]
		came, start := s.fleet.heard.expect(a.siteID), time.Now()
		if err := desks.ask(ctx, a); err != nil {
			return err
		}
		asked = append(asked, time.Since(start))
		select {
		case <-came:
			took = append(took, time.Since(start))
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(callTimeout):
			return errors.New("a notice did not come")
		}
	}
	slices.Sort(took)
	slices.Sort(asked)
	n := s.result.Notice
	n.Sent, n.P50, n.P99, n.Asked = len(took), quantile(took, 0.5), quantile(took, 0.99), quantile(asked, 0.5)
	return nil
}

// echo has a bare QUIC server send back what it gets, on one stream.
func (s *stage) echo(ctx context.Context) error {
	a := s.fleet.agents[0]
	p, err := startPeer(echoKind, a.authorities)
	if err != nil {
		return err
	}
	defer p.stop()
	if err := p.connect(ctx, a); err != nil {
		return err
	}
	stream, err := p.open[a].OpenStreamSync(ctx)
	if err != nil {
		return err
	}
	if err := stream.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	var took []time.Duration
	message := make([]byte, noticeBytes)
	for range notices {
		start := time.Now()
		if _, err := stream.Write(message); err != nil {
			return err
		}
		if _, err := io.ReadFull(stream, message); err != nil {
			return err
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	s.result.Notice.Echo = quantile(took, 0.99)
	return nil
}

// echoAll is the server's side: it sends everything back until the connection
// ends.
func echoAll(conn *quic.Conn) {
	stream, err := conn.AcceptStream(context.Background()) // ends with the connection
	if err != nil {
		return
	}
	_, _ = io.Copy(stream, stream)
}
