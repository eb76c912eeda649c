package review

import (
	"context"
	"errors"
	"sync"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
)

// ErrSilent is Options.Try's word for a device that does not answer at all.
var ErrSilent = errors.New("it does not answer now: see whether it is switched on and connected")

// outcome is what came of a password: the key "trial.OUTCOME" has the words.
type outcome string

// The outcomes. Of all but right, the page says what to do next.
const (
	underWay    outcome = ""
	right       outcome = "right"
	wrong       outcome = "wrong"
	wrongOrTime outcome = "clock"       // perhaps the device's clock is to blame
	readable    outcome = "readable"    // it would have to be sent readable, and was not sent
	another     outcome = "certificate" // it shows another certificate than before
	silent      outcome = "silent"
	before      outcome = "before" // it has refused this password before: not tried
	unclear     outcome = "failed"
)

// trial is the last password that was tried on a device, since this program runs.
type trial struct {
	by      *session
	Outcome outcome
	Others  []spread
	Wrong   int // how many passwords this device has refused
}

// spread is what came of the same password on another device.
type spread struct {
	Device  inventory.Device
	Outcome outcome
}

type trials struct {
	running sync.WaitGroup

	mu sync.Mutex
	of map[string]trial // by device
}

func (t *trials) last(deviceID string) (trial, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	last, ok := t.of[deviceID]
	return last, ok
}

// begin notes that a password is being tried on a device; false: one is already.
func (t *trials) begin(deviceID string, by *session) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	last, ok := t.of[deviceID]
	if ok && last.Outcome == underWay {
		return false
	}
	if t.of == nil {
		t.of = map[string]trial{}
	}
	t.of[deviceID] = trial{by: by, Wrong: last.Wrong}
	return true
}

func (t *trials) end(deviceID string, o outcome, others []spread) {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := t.of[deviceID]
	if last.Outcome, last.Others = o, others; o == wrong || o == wrongOrTime {
		last.Wrong++
	}
	t.of[deviceID] = last
}

// try tries a password on a device, at once and in the background: the page shows how
// it goes on. Where it is right it is tried once on each of others too. c without a
// user: the person says that the device asks for none.
func (v *Review) try(by *session, d inventory.Device, c interrogate.Credential, others []inventory.Device) {
	if !v.trials.begin(d.ID, by) {
		return
	}
	v.trials.running.Go(func() {
		ctx := v.search.ctx // ends with Close
		came := v.tryOne(ctx, by, d, c)
		var rest []spread
		if came == right {
			for _, o := range others {
				rest = append(rest, spread{o, v.tryAnother(ctx, by, o, c)})
			}
		}
		v.trials.end(d.ID, came, rest)
	})
}

// tryAnother tries on a device what was right on another one, unless it has refused
// just that before.
func (v *Review) tryAnother(ctx context.Context, by *session, d inventory.Device, c interrogate.Credential) outcome {
	at, err := v.Inventory.Reach(ctx, d.ID, "")
	if err != nil {
		return unclear
	}
	refused, err := v.Inventory.Refused(ctx, at.Sighting, c, interrogate.EveryDoor)
	switch {
	case err != nil:
		return unclear
	case refused:
		return before
	case !v.trials.begin(d.ID, by):
		return unclear
	}
	came := v.tryOne(ctx, by, d, c)
	v.trials.end(d.ID, came, nil)
	return came
}

// tryOne tries once, and has the session remember a password that is right.
func (v *Review) tryOne(ctx context.Context, by *session, d inventory.Device, c interrogate.Credential) outcome {
	needs, err := v.Try(ctx, d.ID, c)
	switch {
	case errors.Is(err, ErrSilent):
		return silent
	case err != nil:
		v.Log.Warn("a password could not be tried", "device", d.ID, "err", err)
		return unclear
	}
	switch needs {
	case interrogate.NeedsNothing:
		by.notePassword(d.ID)
		return right
	case interrogate.NeedsWrongPassword:
		return wrong
	case interrogate.NeedsPasswordOrClock:
		return wrongOrTime
	case interrogate.NeedsCertificate:
		return another
	case interrogate.NeedsCredentials:
		if c.User != "" {
			return readable
		}
		return wrong
	}
	return unclear
}
