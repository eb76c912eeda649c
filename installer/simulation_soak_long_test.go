//go:build long

package installer

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// soakEnv says how many nights are lived.
const soakEnv = "ANAGRAFE_SOAK_WORLDS"

// watch is how long each world of the soak lives.
const watch = 8 * time.Hour

// nights are those in which a clock does something: Rome puts it back, and forward,
// and at the end of a year a second may be inserted.
var nights = []struct {
	name   string
	begins time.Time
	leaps  time.Time // zero: none
}{
	{"summer time ends", time.Date(2026, 10, 24, 21, 0, 0, 0, time.UTC), time.Time{}},
	{"summer time begins", time.Date(2027, 3, 27, 21, 0, 0, 0, time.UTC), time.Time{}},
	{"a second is inserted", time.Date(2026, 12, 31, 20, 0, 0, 0, time.UTC), time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC)},
}

// How often a thing happens in such a night, of what the simulation knows: mostly
// the agent looks, now and then something fails, and seldom somebody does
// something. Faults are counted for the report.
var (
	usual = map[string]int{"look": 60, "change on the network": 12, "confirm": 8, "approve all": 2, "refuse": 1, "withdraw": 1, "new phone": 1,
		"preserve": 3, "read notices": 3, "suspend or resume": 1, "fair weather": 6, "clock right": 2, "back up": 2}
	faulty = map[string]int{"kill agent": 3, "kill collector": 4, "network down": 3, "bad weather": 5, "disk full": 3, "slow disk": 3, "clock an hour off": 2, "leap second": 1}
)

// soakPlan draws what happens in one night.
func soakPlan(seed uint64, begins, leaps time.Time) (steps []step, faults map[string]int) {
	r := rand.New(rand.NewPCG(seed, 8))
	steps, faults = slices.Clone(opening), map[string]int{}
	for _, s := range steps {
		begins = begins.Add(s.wait)
	}
	names := slices.Concat(slices.Sorted(maps.Keys(usual)), slices.Sorted(maps.Keys(faulty)))
	often := func(i int) int { return usual[names[i]] + faulty[names[i]] }
	for at, end := begins, begins.Add(watch); at.Before(end); at = at.Add(steps[len(steps)-1].wait) {
		s := step{names[draw(r, len(names), often)], r.Uint32(), time.Duration(r.ExpFloat64() * float64(90*time.Second))}
		if at.Before(leaps) && !at.Add(2*time.Minute).Before(leaps) {
			s.do, s.wait = "leap second", 5*time.Minute
		}
		if faulty[s.do] > 0 {
			faults[s.do]++
		}
		if s.do == "clock an hour off" {
			s.do, s.n = "clock wrong", uint32((mostWrong+time.Hour*time.Duration(1-2*int(s.n%2)))/time.Minute)
		}
		steps = append(steps, s)
	}
	return steps, faults
}

// TestLongSoak: worlds that live eight hours of nights in which clocks change, with
// faults as often as a bad night has them, by a clock that passes when nobody works.
// After each step the register agrees with the receipts that were given, and in the
// end it holds their messages, each once, and what the owner decided.
func TestLongSoak(t *testing.T) {
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	was := time.Local
	time.Local = rome
	t.Cleanup(func() { time.Local = was })
	seed := setting(t, seedEnv, uint64(rand.Uint32()))
	worlds := int(setting(t, soakEnv, 12))
	t.Logf("seeds from %d on (%s=%[1]d repeats them)", seed, seedEnv)
	by, messages, taken := map[string]int{}, 0, 0
	for n := range worlds {
		night := nights[n%len(nights)]
		steps, faults := soakPlan(seed, night.begins, night.leaps)
		done, err := simulateFrom(t, night.begins, seed, steps, fault{}, quiet, func(w *world) error {
			err := w.settle()
			messages += len(w.ledger.messages)
			return errors.Join(err, w.held())
		})
		if err != nil {
			t.Errorf("the night in which %s, seed %d, after %d steps: %v", night.name, seed, done, err)
		}
		for kind, times := range faults {
			by[kind] += times
		}
		taken += done
		seed++
	}
	total := 0
	for _, times := range by {
		total += times
	}
	t.Logf("%d nights of %v, %d steps; %d messages acknowledged, each held once; %d faults: %v", worlds, watch, taken, messages, total, by)
	for kind := range faulty {
		if by[kind] == 0 {
			t.Errorf("%s: never", kind)
		}
	}
}

// held compares message by message: what was acknowledged is held with its bytes'
// hash, once, and nothing else is.
func (w *world) held() (err error) {
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(w.collectorDir(), registerName)+"?mode=ro")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.Query("SELECT id, sha256 FROM messages")
	if err != nil {
		return err
	}
	defer rows.Close()
	var wrong []error
	there := map[string]bool{}
	for rows.Next() {
		var id string
		var sum []byte
		if err := rows.Scan(&id, &sum); err != nil {
			return err
		}
		there[id] = true
		if said, acknowledged := w.ledger.messages[id]; !acknowledged {
			wrong = append(wrong, fmt.Errorf("message %s is held, and was never acknowledged", id))
		} else if !bytes.Equal(sum, said.sum[:sha256.Size]) {
			wrong = append(wrong, fmt.Errorf("other bytes of message %s are held", id))
		}
	}
	for id := range w.ledger.messages {
		if !there[id] {
			wrong = append(wrong, fmt.Errorf("message %s was acknowledged and is not held", id))
		}
	}
	return errors.Join(append(wrong, rows.Err())...)
}
