package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// sweep is what -sweep prints: what a collector took with more and more agents.
type sweep struct {
	Machine machine   `json:"machine"`
	Began   time.Time `json:"began"`
	Load    string    `json:"load_before"` // the machine's load average: latencies beside strangers' work are longer
	Points  []point   `json:"points"`
	// Enrolled is how many sites the register has from the beginning: agents of all points.
	Enrolled int    `json:"-"`               // of the result
	Ended    string `json:"ended,omitempty"` // why the next point was not reached; "": all were
}

// point is a number of connected agents and of cameras, and what that took. Counts of
// what is kept are since the register was new.
type point struct {
	Agents   int      `json:"agents"`
	Sites    int      `json:"sites"`
	Cameras  int      `json:"cameras"`
	Beats    int      `json:"heartbeats"`
	Changes  int      `json:"changes"` // declarations after a site's first
	Searches int      `json:"searches"`
	Most     int64    `json:"rss_most_bytes"` // of the collector while it came to this point and was there
	Disk     int64    `json:"disk_bytes"`     // of its directory
	Wire     int64    `json:"wire_bytes"`     // QUIC both ways, with the headers of UDP and IP, of the agents that are connected
	Held     float64  `json:"held_s"`         // that they were, all together
	Connect  *phase   `json:"connect,omitempty"`
	Windows  []window `json:"windows"` // the first: the same work at each point
}

// window is a time in which things are done at a constant rate.
type window struct {
	Mix     mix             `json:"per_second"`
	Seconds float64         `json:"seconds"`
	CPU     float64         `json:"server_cpu_s"`
	Did     map[string]took `json:"did,omitempty"`
}

// mix is what is done in a second.
type mix struct {
	Beats    float64 `json:"heartbeats"`
	Changes  float64 `json:"changes"`
	Searches float64 `json:"searches"`
	Pages    float64 `json:"pages"`
}

// The windows of a point: the first is the same at each, the second differs from one to
// the next, so that what each kind costs can be told apart, and in the third nobody does
// anything but keep alive, each agent once.
var (
	same   = mix{Beats: 20, Changes: 20, Searches: 2, Pages: 1}
	others = []mix{{Beats: 60}, {Changes: 50}, {Searches: 8}, {Pages: 6}, {Beats: 30, Searches: 4}, {Changes: 30, Pages: 3}, {Beats: 40, Changes: 10}}
)

const (
	quietFor  = 20 * time.Second
	sameFor   = 12 * time.Second
	othersFor = 8 * time.Second
	// crowd is how many cameras a site has whose agent is never connected: it brings a
	// register to the number of cameras of a point.
	crowd = 480
)

// target is a point to come to.
type target struct{ agents, cameras int }

// targets reads "500,1000,2000:60000": agents, and cameras where they are to be more
// than those of the agents' own sites.
func targets(text string) (all []target, err error) {
	for part := range strings.SplitSeq(text, ",") {
		left, right, more := strings.Cut(part, ":")
		var t target
		if t.agents, err = strconv.Atoi(left); err == nil && more {
			t.cameras, err = strconv.Atoi(right)
		}
		if err != nil || t.agents < 1 {
			return nil, fmt.Errorf("-sweep: %q is not AGENTS or AGENTS:CAMERAS", part)
		}
		t.cameras = max(t.cameras, t.agents*cameras)
		if len(all) > 0 && (t.agents < all[len(all)-1].agents || t.cameras < all[len(all)-1].cameras) {
			return nil, errors.New("-sweep: agents and cameras can only become more from one point to the next")
		}
		all = append(all, t)
	}
	return all, nil
}

// crowds is how many sites bring the cameras that the agents' own lack.
func (t target) crowds() int { return (t.cameras - t.agents*cameras) / crowd }

// needs is how many agents all points need, those of the crowds last.
func needs(all []target) int {
	crowds := 0
	for _, t := range all {
		crowds = max(crowds, t.crowds())
	}
	return all[len(all)-1].agents + crowds
}

// sweep comes to each point and measures there.
func (s *stage) sweep(ctx context.Context, all []target) error {
	out := &sweep{Machine: thisMachine(), Began: time.Now().UTC().Truncate(time.Second), Load: loadAverage()}
	s.result.Sweep = out
	if err := s.enrol(ctx); err != nil {
		return err
	}
	if _, err := s.staff(ctx); err != nil {
		return err
	}
	most := all[len(all)-1].agents
	own, crowds := s.fleet.agents[:most], s.fleet.agents[most:]
	for _, a := range crowds {
		a.cameras = crowd
	}
	var at point
	last := time.Now()
	for i, t := range all {
		say("%d agents, %d cameras ...", t.agents, t.cameras)
		before := at.Agents
		err := s.come(ctx, &at, t, own, crowds)
		at.Held += float64(before+at.Agents) / 2 * time.Since(last).Seconds() // they come one after the other
		last = time.Now()
		if err == nil {
			err = s.look(ctx, &at, others[i%len(others)], own[:t.agents])
		}
		if err != nil && (ctx.Err() != nil || i == 0) {
			return err
		}
		if err != nil { // as many as this machine bears
			out.Ended, _, _ = strings.Cut(err.Error(), ",") // without all that the attempts failed with
			say("no further: %v", err)
			return nil
		}
		at.Held += float64(at.Agents) * time.Since(last).Seconds()
		last = time.Now()
		out.Points = append(out.Points, at)
	}
	return nil
}

// look measures at a point.
func (s *stage) look(ctx context.Context, at *point, other mix, own []*agent) (err error) {
	at.Windows = nil
	for _, w := range []struct {
		mix    mix
		during time.Duration
	}{{same, sameFor}, {other, othersFor}, {mix{}, quietFor}} {
		measured, err := s.window(ctx, w.mix, w.during, own)
		if err != nil {
			return err
		}
		at.Windows = append(at.Windows, measured)
		at.Beats += measured.Did[beat].Done
		at.Changes += measured.Did[change].Done
		at.Searches += measured.Did[search].Done
	}
	if at.Most, err = mostMemory(s.pid()); err != nil {
		return err
	}
	at.Wire = sent(own)
	at.Disk, err = size(s.collector.dir)
	return err
}

// come connects and declares until the point is reached.
func (s *stage) come(ctx context.Context, at *point, t target, own, crowds []*agent) error {
	if err := forgetMost(s.pid()); err != nil {
		return err
	}
	f := s.fleet
	at.Connect = nil
	if t.agents > at.Agents {
		connected, err := s.gather(ctx, own[at.Agents:t.agents])
		if err != nil {
			return err
		}
		at.Connect = connected
		if _, err := f.all(ctx, own[at.Agents:t.agents], func(ctx context.Context, a *agent) error { return a.deliver(ctx) }); err != nil {
			return err
		}
	}
	if n := t.crowds(); n > at.Sites-at.Agents {
		if _, err := f.all(ctx, crowds[at.Sites-at.Agents:n], func(ctx context.Context, a *agent) error { return a.visit(ctx) }); err != nil {
			return err
		}
		at.Sites = n + at.Agents
	}
	at.Sites += t.agents - at.Agents
	at.Agents = t.agents
	at.Cameras = t.agents*cameras + (at.Sites-at.Agents)*crowd
	return nil
}

// window does a mix for a while, evenly.
func (s *stage) window(ctx context.Context, m mix, during time.Duration, own []*agent) (w window, err error) {
	w = window{Mix: m}
	counted := newTally()
	start := time.Now()
	w.CPU, err = cost(s.pid(), func() error {
		var under sync.WaitGroup
		for kind, rate := range map[string]float64{beat: m.Beats, change: m.Changes, search: m.Searches, page: m.Pages} {
			under.Go(func() { s.evenly(ctx, kind, rate, during, own, counted) })
		}
		pause(ctx, during)
		under.Wait()
		return ctx.Err()
	})
	w.Seconds, w.Did = time.Since(start).Seconds(), counted.all()
	for kind, did := range w.Did {
		if len(did.Failed) > 0 {
			return w, fmt.Errorf("%s: %v: this is no measurement", kind, did.Failed)
		}
	}
	return w, err
}

// evenly does one kind at a rate, each by the next agent of those given.
func (s *stage) evenly(ctx context.Context, kind string, rate float64, during time.Duration, own []*agent, counted *tally) {
	var under sync.WaitGroup
	defer under.Wait()
	begin := time.Now()
	for i := range int(rate * during.Seconds()) {
		due := begin.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		if !pause(ctx, time.Until(due)) {
			return
		}
		who := (i*7919 + len(kind)) % len(own) // a prime: the same agent is not asked again soon
		under.Go(func() { s.does(ctx, event{kind: kind, who: who}, due, counted) })
	}
}

// sent is what went over the connections of these agents until now, with 28 bytes of UDP
// and IPv4 around each packet.
func sent(agents []*agent) (bytes int64) {
	for _, a := range agents {
		if l, _ := a.now(); l != nil {
			st := l.quic.ConnectionStats()
			bytes += int64(st.BytesSent + st.BytesReceived + 28*(st.PacketsSent+st.PacketsReceived))
		}
	}
	return bytes
}

// size is what a directory takes, but for SQLite's write-ahead logs, which are as long
// as the longest that they ever were.
func size(dir string) (bytes int64, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasSuffix(path, "-wal") || strings.HasSuffix(path, "-shm") {
			return err
		}
		i, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			bytes += i.Size()
		}
		return err
	})
	return bytes, err
}
