package ingest

import (
	"net/http"
	"time"

	"connectrpc.com/connect"
	"golang.org/x/sync/semaphore"

	"anagrafe/protocol"
)

const (
	// givenDay is what one agent gets of the update channel in a day, and at once:
	// a program twice, and metadata.
	givenDay = 128 << 20 // bytes
	// maxGiving bounds the answers of the channel under way at once, each of
	// protocol.MaxChannelPart bytes at most: a roll-out shall not keep the calls of
	// owners waiting.
	maxGiving = 64
)

// updates serves the files of the update channel to agents that are admitted.
func (s *Server) updates(files http.Handler) http.Handler {
	giving := semaphore.NewWeighted(maxGiving)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		agentID, refused := s.admit(r.Context(), "update channel", 0)
		if refused == nil && !giving.TryAcquire(1) {
			refused = s.busy(minRetry)
		} else if refused == nil {
			defer giving.Release(1)
			refused = s.pays(agentID)
		}
		if refused != nil {
			_ = s.errors.Write(w, r, refused) // who is gone need not be told
			return
		}
		sent := &sentBytes{ResponseWriter: w}
		defer func() { s.given.add(agentID, -float64(sent.n), s.now()) }()
		files.ServeHTTP(sent, r)
	})
}

// pays takes what a call costs at least from the agent's share of the day.
func (s *Server) pays(agentID string) *connect.Error {
	wait, ok := s.given.take(agentID, shownCost, s.now())
	if ok {
		return nil
	}
	e := s.refuse(reasonBudget, connect.CodeResourceExhausted, "this agent has had more of the update channel than a day's share: it goes on later")
	e.Meta().Set(protocol.ReasonHeader, string(protocol.ReasonTooMany))
	e.Meta().Set(protocol.RetryAfterHeader, seconds(max(wait, time.Second)))
	return e
}

// sentBytes counts what an answer has.
type sentBytes struct {
	http.ResponseWriter
	n int
}

func (w *sentBytes) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.n += n
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *sentBytes) Unwrap() http.ResponseWriter { return w.ResponseWriter }
