package ops

import (
	"net/http"
	"testing"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// queued asks for the lines of a cause, of which there must be so many, as many as the
// technical queue counts; it gives when they were read.
func (d *desk) queued(cause registry.Cause, want int) string {
	d.t.Helper()
	_, all := d.ask(d.control, "", "GET", "/queue", nil)
	counted := 0.0
	for _, c := range all["causes"].([]any) {
		if c := c.(map[string]any); c["cause"] == string(cause) {
			counted = c["lines"].(float64)
		}
	}
	code, got := d.ask(d.control, "", "GET", "/queue/lines?cause="+string(cause), nil)
	if code != http.StatusOK || got["total"] != float64(want) || len(got["rows"].([]any)) != want || counted != float64(want) || got["counted_at"] != all["counted_at"] {
		d.t.Errorf("%d: %v lines as of %v, %v are counted as of %v; want %d", code, got["total"], got["counted_at"], counted, all["counted_at"], want)
	}
	return got["counted_at"].(string)
}

// TestQueueIsKept: a page shows what was read before, and when, until it is too old or
// somebody was shut out since; opening it has it read anew.
func TestQueueIsKept(t *testing.T) {
	d := newDesk(t)
	sites := newSickDesk(t, d)
	var ahead time.Duration
	d.web.Now = func() time.Time { return time.Now().Add(ahead) }
	first := d.queued("version", 3)
	d.sick("Bar Quarto", "axis", "", time.Now(), protocol.FaultUnread)
	if again := d.queued("version", 3); again != first {
		t.Errorf("as of %s, and before of %s", again, first)
	}
	ahead += rememberedFor
	if _, got := d.ask(d.control, "", "GET", "/queue", nil); got["counted_at"] != first { // who comes now has it read
		t.Errorf("as of %s, and before of %s", got["counted_at"], first)
	}
	_, _, _ = d.ops.reading.Do("", func() (any, error) { return nil, nil }) // waits for that
	d.queued("version", 4)

	d.sick("Bar Quinto", "axis", "", time.Now())
	ahead += kept
	d.queued("version", 5)

	// One that was being read before somebody is shut out is not what is shown after.
	before, held := d.ops.queued.Load(), make(chan struct{})
	d.ops.reading.DoChan("", func() (any, error) {
		<-held
		d.ops.queued.Store(before)
		return nil, nil
	})
	if code, got := d.ask(d.control, "", "POST", "/agents/"+sites[0].agent+"/revoke", nil); code != http.StatusOK {
		t.Fatal(code, got)
	}
	go close(held)
	d.queued("version", 4)
	if err := d.reg.Revoke(t.Context(), sites[1].agent, time.Now()); err != nil { // by another collector
		t.Fatal(err)
	}
	d.queued("version", 3)

	ahead += kept
	if err := d.ops.ReadAhead(t.Context()); err != nil {
		t.Fatal(err)
	}
	read := d.ops.queued.Load()
	d.queued("version", 3)
	if d.ops.queued.Load() != read {
		t.Error("what was read ahead was read again")
	}

	d.ops.Close()
	d.queued("version", 3)
	ahead += kept
	if code, _ := d.ask(d.control, "", "GET", "/queue", nil); code != http.StatusInternalServerError {
		t.Errorf("what cannot be read: %d", code)
	}
}
