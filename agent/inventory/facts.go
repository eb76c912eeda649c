package inventory

import (
	"maps"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// facts are, by group of values ("name", "schedule", ...), the question that was
// asked and the device's own words. They are for the owner, who may doubt a
// value; nothing of them enters a message.
type facts map[string]interrogate.Fact

// and returns f with what was read now in place of what was read before. A group
// that was not read keeps its last words, as its value does.
func (f facts) and(now map[string]interrogate.Fact) facts {
	if len(now) == 0 {
		return f
	}
	out := maps.Clone(f)
	if out == nil {
		out = facts{}
	}
	maps.Copy(out, now)
	return out
}

// take copies one group from another reading of the same camera.
func (f facts) take(group string, from facts) facts {
	if fact, ok := from[group]; ok {
		return f.and(facts{group: fact})
	}
	return f
}

// differs names, of a declared camera, what the device now tells otherwise than
// was declared: "schedule", "retention". Both leave by themselves with the date
// of the reading, so nobody is asked; the owner is shown the two side by side.
// What was not read says nothing against what was declared, and what the owner says
// himself waits for his yes: see changedHours.
func differs(was, is protocol.Camera) (groups []string) {
	if s := is.Schedule.Fact.Source; s != protocol.SourceUnknown && s != protocol.Declared && !sameSchedule(was.Schedule, is.Schedule) {
		groups = append(groups, "schedule")
	}
	if is.Retention.Kind != protocol.RetentionUnknown && is.Retention.Fact.Source != protocol.Declared && !sameLimits(was.Retention, is.Retention) {
		groups = append(groups, "retention")
	}
	return groups
}

// sameLimits compares what is configured.
func sameLimits(a, b protocol.Retention) bool {
	return a.Kind == b.Kind && a.Age == b.Age && a.EventAge == b.EventAge
}
