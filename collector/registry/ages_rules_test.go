package registry

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"anagrafe/protocol"
)

// Whatever happens to a site, Age may sleep until due: it then does what an
// Age that comes four times a day does, at the same time; and a second step at one
// moment does nothing.
func TestDueIsNeverLate(t *testing.T) {
	type done struct {
		hour int
		aged
	}
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		eager := ages{heard: noon}.renewal(noon)
		lazy := eager
		due := lazy.due(noon)
		if seed%5 == 0 { // a site that never had an agent
			eager.heard, lazy.heard = time.Time{}, time.Time{}
			due = lazy.due(noon)
		}
		talks, clicks := 1+rnd.IntN(500), 2+rnd.IntN(3000) // once in so many times, on average
		var often, seldom []done
		for hour := 0; hour < 26*31*24; hour += 6 {
			now := noon.Add(time.Duration(hour) * time.Hour)
			if !eager.heard.IsZero() && rnd.IntN(talks) == 0 {
				eager.heard, lazy.heard = now, now // nobody winds due for a message
			}
			switch rnd.IntN(clicks) {
			case 0:
				eager, lazy = eager.renewal(now), lazy.renewal(now)
				due = lazy.due(now)
			case 1:
				if eager.asked.IsZero() {
					eager.asked, lazy.asked = now, now
					due = lazy.due(now)
				}
			}
			var do aged
			if eager, do = eager.step(now); do != (aged{}) {
				often = append(often, done{hour, do})
			}
			if do.withdraw {
				due = protocol.Earlier(due, lazy.due(now))
			} else if _, again := eager.step(now); again != (aged{}) {
				t.Fatalf("seed %d: a second step asks for %+v", seed, again)
			}
			if due.After(now) {
				if do.withdraw {
					break
				}
				continue
			}
			var did aged
			if lazy, did = lazy.step(now); did != (aged{}) {
				seldom = append(seldom, done{hour, did})
			}
			if due = lazy.due(now); did.withdraw {
				break
			} else if !due.After(now) {
				t.Fatalf("seed %d: due stays at %v after a step at %v", seed, due, now)
			}
		}
		if !slices.Equal(often, seldom) {
			t.Fatalf("seed %d: always %+v, when due %+v", seed, often, seldom)
		}
	}
}

// The six reminders come in the places where they should, and the last three are
// never skipped.
func TestRemindersLate(t *testing.T) {
	for _, off := range []int{0, 300, 360, 500, 702, 718, 729, 731, 1500} { // days for which nobody looks
		a, withdrawn := ages{}.renewal(noon), 0
		var final []int
		for day := off; withdrawn == 0 && day < 3000; day++ {
			before := a.stage
			var do aged
			if a, do = a.step(noon.AddDate(0, 0, day)); do.withdraw {
				withdrawn = day
			} else if a.stage > max(before, len(reminders)) {
				final = append(final, day)
			}
		}
		if len(final) != 3 || withdrawn < 731 || withdrawn-final[0] < 30 || withdrawn-final[2] < 3 {
			t.Errorf("off for %d days: reminders on days %v, withdrawn on day %d", off, final, withdrawn)
		}
	}
}
