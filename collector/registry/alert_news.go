package registry

import (
	"cmp"
	"slices"
	"time"

	"anagrafe/protocol"
)

// AlertNews is what a message to a contact says of one site.
type AlertNews struct {
	Site    string        `json:"site"` // its name
	Changes []AlertChange `json:"changes"`
}

// AlertChange is one thing that went wrong, or is right again.
type AlertChange struct {
	Alert protocol.Alert `json:"alert"`
	Right bool           `json:"right,omitempty"` // it is right again
	Name  string         `json:"name,omitempty"`  // of the recorder or camera, as declared
	Since time.Time      `json:"since,omitzero"`  // of AlertSilent, AlertStopped and AlertUnheard
	// OffsetMs is of AlertClock: device minus UTC.
	OffsetMs int64 `json:"offset_ms,omitempty"`
	// WasS and IsS are of AlertShorter: how long images stayed and stay, in seconds.
	WasS int64 `json:"was_s,omitempty"`
	IsS  int64 `json:"is_s,omitempty"`
}

// alertKey is what can be wrong at a site: thing is the id of a recorder or
// camera, "" the site's agent.
type alertKey struct {
	alert protocol.Alert
	thing string
}

// alertTold is what contacts were told.
type alertTold struct {
	at     time.Time
	was    time.Duration // of AlertShorter: how long images stayed before
	mended time.Time     // zero: it is still so
}

// alertJudge tells what is wrong at a site, by what its agents have told. It
// reads no clock and no table.
type alertJudge struct {
	h     History
	heard time.Time // the newest message of an agent; zero: no agent speaks for it now
	told  map[alertKey]alertTold
	now   time.Time

	wrong map[alertKey]AlertChange // of what there is: with Right, that it is right
}

// judge gives, of every recorder and camera that is declared, whether something is
// wrong. What is not known is left out: it changes nothing.
func (j *alertJudge) judge() map[alertKey]AlertChange {
	j.wrong = make(map[alertKey]AlertChange)
	if !j.heard.IsZero() {
		j.say(protocol.AlertUnheard, "", AlertChange{Right: j.now.Sub(j.heard) < protocol.UnheardAfter, Since: j.heard})
	}
	recorders := make(map[string]bool)
	for id, versions := range j.h.Cameras {
		if v := versions[len(versions)-1]; !v.Withdrawn {
			recorders[v.Camera.RecorderID] = true
			j.camera(id, v.Camera)
		}
	}
	for id := range recorders {
		j.silent(id)
		j.clock(id)
	}
	return j.wrong
}

func (j *alertJudge) say(a protocol.Alert, thing string, c AlertChange) {
	c.Alert = a
	j.wrong[alertKey{a, thing}] = c
}

// holds reports that contacts were told of it and not yet that it is right again.
func (j *alertJudge) holds(k alertKey) (alertTold, bool) {
	t, ok := j.told[k]
	return t, ok && t.mended.IsZero()
}

// silent judges by the looks at a recorder: one that was not reached since a day,
// each time that the agent looked.
func (j *alertJudge) silent(id string) {
	looks := j.h.Reachable[id]
	if len(looks) == 0 {
		return
	}
	last := looks[len(looks)-1]
	since := last.From
	for _, l := range slices.Backward(looks) {
		if l.Value {
			break
		}
		since = l.From
	}
	if last.Value || last.From.Sub(since) >= protocol.SilentAfter {
		j.say(protocol.AlertSilent, id, AlertChange{Right: last.Value, Name: j.recorder(id), Since: since})
	}
}

func (j *alertJudge) clock(id string) {
	if len(j.h.Clocks[id]) == 0 {
		return
	}
	c := slices.MaxFunc(j.h.Clocks[id], func(a, b protocol.Clock) int { return a.At.Compare(b.At) })
	off := (time.Duration(c.OffsetMs) * time.Millisecond).Abs()
	_, told := j.holds(alertKey{protocol.AlertClock, id})
	if told && off > protocol.RightClock && off <= protocol.WrongClock {
		return
	}
	j.say(protocol.AlertClock, id, AlertChange{Right: off <= protocol.WrongClock, Name: j.recorder(id), OffsetMs: c.OffsetMs})
}

// camera judges by the looks at its store; those at a recorder that is not reached
// say only what was seen before.
func (j *alertJudge) camera(id string, declared protocol.Camera) {
	if looks := j.h.Reachable[declared.RecorderID]; len(looks) > 0 && !looks[len(looks)-1].Value {
		return
	}
	seen, schedules := j.h.Retentions[id], j.h.Schedules[id]
	if len(seen) == 0 || len(schedules) == 0 {
		return
	}
	since, stopped := protocol.StoppedSince(schedules[len(schedules)-1], seen, j.now)
	j.say(protocol.AlertStopped, id, AlertChange{Right: !stopped, Name: declared.Name, Since: since})

	was, is, shorter := protocol.Shrunk(declared.Retention, seen)
	if told, ok := j.holds(alertKey{protocol.AlertShorter, id}); ok && !shorter {
		if !protocol.Regained(told.was, told.at, declared.Retention, seen) {
			return
		}
	}
	j.say(protocol.AlertShorter, id, AlertChange{Right: !shorter, Name: declared.Name, WasS: int64(was / time.Second), IsS: int64(is / time.Second)})
}

// recorder is its name as its owner knows it.
func (j *alertJudge) recorder(id string) string {
	eras := j.h.Recorders[id]
	if len(eras) == 0 {
		return ""
	}
	r := eras[len(eras)-1].Value
	return cmp.Or(r.Name, r.Vendor+" "+r.Model)
}

// news returns what the contacts are to be told: what is wrong and was not told, and
// what was told and is right. What was right for less than alertPause is told
// again only after it, so that a loose cable is not a message an hour.
func (j *alertJudge) news() (changes []AlertChange, keys []alertKey) {
	for k, c := range j.judge() {
		t, known := j.told[k]
		switch {
		case c.Right && known && t.mended.IsZero(), !c.Right && (!known || !t.mended.IsZero() && j.now.Sub(t.mended) >= alertPause):
			keys = append(keys, k)
		}
	}
	order := func(a protocol.Alert) int { return slices.Index(protocol.Alerts, a) }
	slices.SortFunc(keys, func(a, b alertKey) int {
		x, y := j.wrong[a], j.wrong[b]
		return cmp.Or(cmp.Compare(order(a.alert), order(b.alert)), cmp.Compare(x.Name, y.Name), cmp.Compare(a.thing, b.thing))
	})
	for _, k := range keys {
		changes = append(changes, j.wrong[k])
	}
	return changes, keys
}
