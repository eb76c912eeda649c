package consult

import (
	"testing"
	"time"

	"anagrafe/collector/search"
)

func TestMemoryForgets(t *testing.T) {
	now := noon
	m := newMemory(func() time.Time { return now })
	keep := func(user string, results int) *answer {
		a := &answer{userID: user, results: make([]search.Result, results)}
		m.keep(a)
		return a
	}
	there := func(a *answer) bool { _, ok := m.find(a.id, a.userID); return ok }

	first, others := keep("a", 1), keep("b", 1)
	if first.id == others.id || !there(first) || !there(others) {
		t.Fatal("two answers, each with its own id")
	}
	if _, ok := m.find(first.id, "b"); ok {
		t.Error("an answer was given to another officer")
	}
	for range maxPerUser {
		keep("a", 1)
	}
	if there(first) || !there(others) {
		t.Error("an officer's oldest answer makes room for their newest, and for nobody else's")
	}
	large := keep("c", maxKept)
	if there(others) || !there(large) {
		t.Error("the oldest must go when the results are too many, and the newest stay")
	}
	now = now.Add(answerKept - time.Second)
	if !there(large) {
		t.Error("forgotten too early")
	}
	now = now.Add(time.Second)
	if there(large) || len(m.all) != 0 {
		t.Error("not forgotten in time")
	}
}
