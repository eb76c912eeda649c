package search

import (
	"math/rand/v2"
	"testing"
	"time"

	"anagrafe/protocol"
)

// Every answer about any moment, as of any time at which all of it was known, is
// the same by what is left of a series as by the whole, whatever was recorded.
func TestThinnedAnswersTheSame(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 7))
	thinner := 0
	for range 4000 {
		whole := someRetentions(dice)
		thin := thinned(whole)
		thinner += len(whole) - len(thin)
		end := newest(nil, whole)
		for range 60 {
			now := end.Add(time.Duration(dice.IntN(200)) * time.Hour)
			at := now.Add(-time.Duration(dice.IntN(500)) * time.Hour)
			if dice.IntN(4) == 0 { // right at an edge
				at = whole[dice.IntN(len(whole))].From.Add(time.Duration(dice.IntN(3)-1) * time.Microsecond)
			}
			for _, recorded := range []protocol.Answer{protocol.Yes, protocol.OnEvent, protocol.Unknown, protocol.No} {
				got, want := protocol.FootageRecorded(at, now, recorded, thin), protocol.FootageRecorded(at, now, recorded, whole)
				if got != want {
					t.Fatalf("recorded %s at %s, asked %s: %+v, want %+v\nwhole %+v\nthin %+v", recorded, at, now, got, want, whole, thin)
				}
			}
		}
	}
	if thinner < 10_000 {
		t.Errorf("%d eras left out: this shows nothing", thinner)
	}
}

// someRetentions is a series as the register makes them: looks at the store's
// depth, often in a row, changes of what is configured, and declarations that
// carry an older look.
func someRetentions(dice *rand.Rand) (eras []protocol.Era[protocol.Retention]) {
	var r protocol.Retention
	at := noon
	for range 1 + dice.IntN(14) {
		at = at.Add(time.Duration(dice.IntN(40)) * time.Hour) // 0: superseded at once
		look := func(t time.Time) {
			if !t.Before(r.ObservedAt) {
				r.OldestFootage, r.ObservedAt, r.Settled = t.Add(-time.Duration(dice.IntN(300))*time.Hour), t, dice.IntN(3) > 0
			}
		}
		switch dice.IntN(8) {
		case 0:
			r.Kind, r.Age, r.EventAge = protocol.RetentionAge, time.Duration(1+dice.IntN(200))*time.Hour, time.Duration(dice.IntN(2)*dice.IntN(400))*time.Hour
		case 1:
			r.Kind, r.Age, r.EventAge = protocol.RetentionCapacity, 0, 0
		case 2:
			r.Kind, r.Age, r.EventAge = protocol.RetentionUnknown, 0, 0
		case 3: // declared with a look of before
			look(at.Add(-time.Duration(dice.IntN(10)) * time.Hour))
		default:
			look(at)
		}
		r.Fact = protocol.Fact{Source: protocol.Measured, At: at}
		eras = append(eras, protocol.Era[protocol.Retention]{From: at, Value: r})
	}
	return eras
}

// A series of which the looks are not in the order of its eras stays as it is.
func TestNotThinned(t *testing.T) {
	look := func(from, observed int) protocol.Era[protocol.Retention] {
		at := noon.Add(hours(float64(observed)))
		return protocol.Era[protocol.Retention]{From: noon.Add(hours(float64(from))), Value: protocol.Retention{OldestFootage: noon, ObservedAt: at, Settled: true}}
	}
	if eras := []protocol.Era[protocol.Retention]{look(0, 9), look(1, 2), look(3, 3)}; len(thinned(eras)) != 3 {
		t.Errorf("%+v", thinned(eras))
	}
}
