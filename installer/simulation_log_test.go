package installer

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
)

// trail keeps what is logged, for the comparison of two runs.
type trail struct {
	mu  sync.Mutex
	all []string
}

func (*trail) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (t *trail) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "line to the collector" {
		// It is said when the last thing that went wrong is another than before.
		// Where a stream is cut and a call fails in one moment, either may be last.
		return nil
	}
	line := fmt.Sprintf("%s %s", r.Time.UTC().Format("2006-01-02T15:04:05.000000000"), r.Message)
	r.Attrs(func(a slog.Attr) bool {
		line += fmt.Sprintf(" %s=%v", a.Key, a.Value)
		return true
	})
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, line)
	return nil
}

func (t *trail) WithAttrs([]slog.Attr) slog.Handler { return t }
func (t *trail) WithGroup(string) slog.Handler      { return t }

// lines are those of each moment in one order: of what happens at the same
// moment, nothing is promised.
func (t *trail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Sorted(slices.Values(t.all))
}
