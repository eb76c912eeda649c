package ingest

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"anagrafe/protocol"
)

// files is a channel of one part.
type files struct{}

func (files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == protocol.ChannelPath+"large" {
		_, _ = w.Write(make([]byte, protocol.MaxChannelPart))
		return
	}
	_, _ = fmt.Fprint(w, r.URL.Path)
}

func withChannel(s *Server) { s.channel = files{} }

func fetchFile(t *testing.T, c client, name string) (int, string, http.Header) {
	t.Helper()
	resp, err := c.http.Get(c.url + protocol.ChannelPath + name)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw), resp.Header
}

// The channel is for agents that are admitted at that very call.
func TestChannel(t *testing.T) {
	r := start(t, withChannel)
	for _, transport := range transports {
		id, cert, _ := r.agent(t, time.Now())
		c, stranger := r.dial(t, transport, cert), r.dial(t, transport, nil)
		if status, body, _ := fetchFile(t, c, "timestamp.json"); status != 200 || body != "/channel/timestamp.json" {
			t.Errorf("%s: %d %q", transport, status, body)
		}
		if status, _, h := fetchFile(t, stranger, "timestamp.json"); status != http.StatusUnauthorized || h.Get(protocol.ReasonHeader) != string(protocol.ReasonNoCertificate) {
			t.Errorf("%s without a certificate: %d %v", transport, status, h)
		}
		resp, err := c.http.Post(c.url+protocol.ChannelPath+"timestamp.json", "text/plain", nil)
		if err != nil || resp.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s POST: %v, %v", transport, resp, err)
		} else {
			_ = resp.Body.Close()
		}
		r.register.revoke(id)
		if status, _, h := fetchFile(t, c, "timestamp.json"); status < 400 || h.Get(protocol.ReasonHeader) != string(protocol.ReasonRevoked) {
			t.Errorf("%s revoked: %d %v", transport, status, h)
		}
	}
}

// One agent has its share of a day, and no more; what was given counts.
func TestChannelShare(t *testing.T) {
	r := start(t, func(s *Server) {
		withChannel(s)
		s.given = newBuckets[string](limit{protocol.MaxChannelPart + shownCost, 0.001}, maxBudgets)
	})
	_, cert, _ := r.agent(t, time.Now())
	c := r.dial(t, "h2", cert)
	if status, body, _ := fetchFile(t, c, "large"); status != 200 || len(body) != protocol.MaxChannelPart {
		t.Fatalf("%d with %d bytes", status, len(body))
	}
	if status, _, h := fetchFile(t, c, "large"); status != http.StatusTooManyRequests || h.Get(protocol.RetryAfterHeader) == "" {
		t.Errorf("%d %v", status, h)
	}
	_, other, _ := r.agent(t, time.Now())
	if status, _, _ := fetchFile(t, r.dial(t, "h3", other), "large"); status != 200 {
		t.Errorf("another agent: %d", status)
	}
}

func TestNoChannel(t *testing.T) {
	r := start(t, nil)
	_, cert, _ := r.agent(t, time.Now())
	if status, _, _ := fetchFile(t, r.dial(t, "h2", cert), "timestamp.json"); status != http.StatusNotFound {
		t.Errorf("%d", status)
	}
}
