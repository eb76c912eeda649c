package ops

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"anagrafe/collector/web"
)

// A count is read anew for who asks, unless it is of a moment ago; where that takes long,
// what was read before is shown, until it is too old, and read anew for the next.
func TestRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		life, end := context.WithCancel(t.Context())
		shift := time.Duration(0)
		o := &Ops{Options: Options{Web: &web.Web{Options: web.Options{Now: func() time.Time { return time.Now().Add(shift) }}}, Log: slog.New(slog.DiscardHandler)}, life: life}
		var m remembered[int]
		reads := 0
		ask := func(what string, takes time.Duration, fails error, want int, waits time.Duration) {
			t.Helper()
			began := time.Now()
			got, at, err := m.get(t.Context(), o, func(ctx context.Context) (int, error) {
				reads++
				n := reads
				select {
				case <-time.After(takes):
					return n, fails
				case <-ctx.Done():
					return 0, ctx.Err()
				}
			})
			if got != want || err != fails && want == 0 || time.Since(began) != waits || err == nil && at.IsZero() {
				t.Errorf("%s: %d as of %v, %v, after %v; want %d after %v", what, got, at, err, time.Since(began), want, waits)
			}
			synctest.Wait()
		}
		broken := errors.New("broken")
		ask("an error is not kept", time.Millisecond, broken, 0, time.Millisecond)
		ask("the first one waits", time.Millisecond, nil, 2, time.Millisecond)
		ask("of a moment ago", time.Millisecond, nil, 2, 0)
		time.Sleep(rememberedFor)
		ask("one that cannot be read anew", time.Millisecond, broken, 2, time.Millisecond)
		ask("what is quick is read anew", patience/2, nil, 4, patience/2)
		time.Sleep(rememberedFor)
		ask("what becomes slow is not waited for longer", 2*patience, nil, 4, patience)
		time.Sleep(patience)
		synctest.Wait()
		ask("and was read for the next", patience, nil, 5, 0)
		time.Sleep(rememberedFor)
		ask("what was slow is shown", 2*patience, nil, 5, 0)
		time.Sleep(2 * patience)
		synctest.Wait()
		ask("and was read, too", 2*patience, nil, 6, 0)
		time.Sleep(kept)
		ask("what is too old is not shown", 2*patience, nil, 7, 2*patience)
		shift = -time.Hour
		ask("nor what is of a time to come", 2*patience, nil, 8, 2*patience)
		shift = 0
		time.Sleep(kept)
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, _, err := m.get(gone, o, func(context.Context) (int, error) { time.Sleep(patience); return 7, nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("who has gone: %v", err)
		}
		end()
		m.wait()
	})
}
