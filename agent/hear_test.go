package main

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"anagrafe/agent/discover"
)

func hello(n int) discover.Sighting {
	return discover.Sighting{Endpoint: fmt.Sprintf("urn:uuid:%d", n), Methods: []discover.Method{discover.MethodHello},
		Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(n)}), 80)}
}

// A device that says Hello several times is looked at once, after a moment; one
// that says it later, again; and a flood is bounded.
func TestGreetingsAreGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := greetings{wake: make(chan struct{}, 1), waiting: map[string]discover.Sighting{}}
		visits := make(chan int, 10) // how many devices each was to
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			g.run(ctx, func(_ context.Context, said []discover.Sighting) { visits <- len(said) })
			close(ended)
		}()
		expect := func(when string, want ...int) {
			t.Helper()
			synctest.Wait()
			for _, n := range want {
				select {
				case got := <-visits:
					if got != n {
						t.Errorf("%s: a visit to %d devices, want %d", when, got, n)
					}
				default:
					t.Errorf("%s: no visit", when)
				}
			}
			if n := len(visits); n > 0 {
				t.Fatalf("%s: %d visits too many", when, n)
			}
		}
		for range 3 {
			g.add(hello(1))
			time.Sleep(500 * time.Millisecond) // of the bubble's clock
		}
		g.add(hello(2))
		expect("before the devices are ready")
		time.Sleep(greetingQuiet)
		expect("after a moment", 2)
		for n := range 3 * greetingsMost {
			g.add(hello(n))
		}
		time.Sleep(2 * greetingQuiet)
		expect("after a flood", greetingsMost)
		time.Sleep(time.Hour)
		expect("without a greeting")
		g.add(hello(1))
		synctest.Wait()
		stop()
		<-ended
		expect("after the end")
	})
}
