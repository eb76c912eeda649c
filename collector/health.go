package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"syscall"
	"time"
)

const (
	// readyTime is how long all questions of /readyz may take together.
	readyTime = 5 * time.Second
	// fullBelow is how much of the disk has to be free, in bytes: the trail, the
	// register's log and its checkpoints go on for a while with that.
	fullBelow = 64 << 20
)

// check is one thing without which the collector cannot answer.
type check struct {
	name string
	ask  func(ctx context.Context) error
	says string // of a failure: what and what to do; the error itself is in the log alone
}

// health answers /healthz and /readyz, on the metrics listener.
type health struct {
	ctx    context.Context // of the service: ended, it takes nothing new
	checks []check
	log    *slog.Logger

	mu  sync.Mutex
	bad map[string]bool // checks that failed last time: said in the log once
}

// newHealth asks what the collector of o needs; ctx is that of its service.
func (o *collector) newHealth(ctx context.Context) *health {
	return &health{ctx: ctx, log: o.log, bad: map[string]bool{}, checks: []check{
		{"database", func(ctx context.Context) error {
			_, _, err := o.reg.Schema(ctx)
			return err
		}, "the register's database does not answer: see to its server or its disk"},
		{"schema", func(ctx context.Context) error {
			has, needs, err := o.reg.Schema(ctx)
			if err == nil && has != needs {
				err = fmt.Errorf("the database has schema %d, this program needs %d", has, needs)
			}
			return err
		}, "the database has not the schema that this program needs: start the same version everywhere"},
		{"trail", func(ctx context.Context) error {
			_, err := o.trail.Size(ctx)
			return err
		}, "the audit trail cannot be read, or its last checkpoint is not its own: nothing can be consulted"},
		{"disk", func(context.Context) error { return roomIn(o.dir, fullBelow) },
			"the disk under the collector's directory is full: make room"},
	}}
}

// roomIn is an error when fewer than least bytes are free for others than root.
func roomIn(dir string, least uint64) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return fmt.Errorf("look at the disk under %s: %w", dir, err)
	}
	if free := st.Bavail * uint64(st.Bsize); free < least {
		return fmt.Errorf("%d bytes are free under %s, %d are needed", free, dir, least)
	}
	return nil
}

// alive answers /healthz: the process runs and answers. It asks nothing of others,
// so that what restarts a hung process does not restart one whose database is away.
func (h *health) alive(rw http.ResponseWriter, _ *http.Request) {
	writeHealth(rw, http.StatusOK, map[string]any{"alive": true})
}

// ready answers /readyz: 200 when everything is there that answers need, otherwise
// 503; {"ready": false, "checks": {"database": "ok", "disk": "the disk …"}}. Once the
// service is told to end it says so at once, while answers under way are finished.
func (h *health) ready(rw http.ResponseWriter, r *http.Request) {
	if h.ctx.Err() != nil {
		writeHealth(rw, http.StatusServiceUnavailable, map[string]any{"ready": false, "checks": map[string]string{"service": "it is ending"}})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	says, code := map[string]string{"service": "ok"}, http.StatusOK
	for _, c := range h.checks {
		err := c.ask(ctx)
		if says[c.name] = "ok"; err != nil {
			says[c.name], code = c.says, http.StatusServiceUnavailable
		}
		h.note(c.name, err)
	}
	writeHealth(rw, code, map[string]any{"ready": code == http.StatusOK, "checks": says})
}

// note logs a check that has begun to fail, or holds again.
func (h *health) note(name string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch was := h.bad[name]; {
	case err != nil && !was:
		h.log.Error("the collector is not ready", "check", name, "err", err)
	case err == nil && was:
		h.log.Info("the collector is ready again", "check", name)
	}
	h.bad[name] = err != nil
}

func writeHealth(rw http.ResponseWriter, code int, answer map[string]any) {
	rw.Header().Set("Content-Type", "application/json")
	rw.Header().Set("Cache-Control", "no-store")
	rw.WriteHeader(code)
	_ = json.NewEncoder(rw).Encode(answer) // who asked may be gone
}
