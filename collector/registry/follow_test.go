package registry

import (
	"context"
	"testing"
	"time"

	"anagrafe/protocol"
)

// Whatever search or an agent waits for is told once it is committed, on both engines;
// a revocation with its agent.
func TestWhatIsCommittedIsTold(t *testing.T) {
	r := openNew(t)
	r.followPoll = time.Hour
	s, gone := enrol(t, r, noon), enrol(t, r, noon)
	ctx, stop := context.WithCancel(t.Context())
	heard, done := make(chan string, 1000), make(chan error, 1)
	go func() { done <- r.Follow(ctx, func(revoked string) { heard <- revoked }) }()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	mustTell(t, heard, "", func() { s.say(noon, declaration(camera(1, "Ingresso"))) }) // or that it listens
	for _, do := range []func(){
		func() { s.queue(hour(1), preserve(id(1))) },
		func() { must(r.Act(t.Context(), s.site, protocol.SiteSuspended, hour(2))) },
		func() { must(r.Act(t.Context(), s.site, protocol.SiteResumed, hour(3))) },
		func() { _, err := r.WriteTo(t.Context(), []string{s.site}, "Buongiorno", hour(4)); must(err) },
		func() { must(r.DoubtContact(t.Context(), s.site, hour(5))) },
		func() {
			must(r.PutGazetteer(t.Context(), []GazetteerSource{{Name: "civici", Kind: "addresses", ImportedAt: hour(6), Body: []byte("civici")}}))
		},
		func() { _, err := r.Erase(t.Context(), s.site, hour(7)); must(err) },
	} {
		mustTell(t, heard, "", do)
	}
	mustTell(t, heard, gone.agent, func() { must(r.Revoke(t.Context(), gone.agent, hour(8))) })
	stop()
	must(<-done)
}

// mustTell waits until what is done has been told.
func mustTell(t *testing.T, heard <-chan string, want string, do func()) {
	t.Helper()
	for len(heard) > 0 {
		<-heard
	}
	do()
	for late := time.After(patience); ; {
		select {
		case got := <-heard:
			if got == want {
				return
			}
		case <-late:
			t.Fatalf("%q was not told", want)
		}
	}
}
