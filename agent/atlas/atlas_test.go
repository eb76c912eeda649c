package atlas

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"anagrafe/protocol"
)

// collector counts what it is asked.
type collector struct {
	clock *clock
	takes time.Duration // each call

	mu    sync.Mutex
	err   error // of each call
	about protocol.MapDescription
	body  string // of each tile
	asked map[string]int
}

func (c *collector) ask(what string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked[what]++
	c.clock.at = c.clock.at.Add(c.takes)
	return c.err
}

func (c *collector) DescribeMap(context.Context) (protocol.MapDescription, error) {
	return c.about, c.ask("description")
}

func (c *collector) Tile(_ context.Context, at protocol.TileAt) ([]byte, error) {
	if err := c.ask("tile"); err != nil || at != there {
		return nil, err
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write([]byte(c.body))
	err = errors.Join(err, w.Close())
	return out.Bytes(), err
}

func (c *collector) Places(_ context.Context, text string) ([]protocol.FoundPlace, error) {
	if err := c.ask(text); err != nil || !strings.EqualFold(text, "via Torino 1") {
		return nil, err
	}
	return []protocol.FoundPlace{{Name: "Via Torino 1", At: protocol.Point{Lon: 9_187_600, Lat: 45_462_900}, Sure: true}}, nil
}

var (
	there   = protocol.TileAt{Z: 14, X: 8610, Y: 5863}
	nothing = protocol.TileAt{Z: 14, X: 1, Y: 1}
	errGone = errors.New("the collector does not answer")
)

// rig is an atlas over a collector, with a time that stands.
type rig struct {
	*Atlas
	clock     *clock
	collector *collector
	dir       string
}

func start(t *testing.T) *rig {
	t.Helper()
	c := &clock{time.Unix(1.7e9, 0)}
	r := &rig{clock: c, dir: filepath.Join(t.TempDir(), "map"), collector: &collector{clock: c, body: "a tile", asked: map[string]int{},
		about: protocol.MapDescription{Tiles: true, Credit: "© Someone", MinZoom: 8, MaxZoom: 14, Tag: "1", Places: true}}}
	r.open(t)
	return r
}

// open opens the atlas, as after a restart.
func (r *rig) open(t *testing.T) {
	t.Helper()
	a, err := Open(r.dir, r.collector, nil)
	if err != nil {
		t.Fatal(err)
	}
	a.now = r.clock.now
	r.Atlas = a
}

func (r *rig) wantTile(t *testing.T, want string) {
	t.Helper()
	if raw, err := r.Tile(t.Context(), there); err != nil || string(raw) != want {
		t.Errorf("the tile is %q, %v, want %q", raw, err, want)
	}
}

func (r *rig) wantPlace(t *testing.T, text string) {
	t.Helper()
	if all, err := r.Places(t.Context(), text); err != nil || len(all) != 1 || all[0].At.Lon != 9_187_600 || !all[0].Sure {
		t.Errorf("%q means %+v, %v", text, all, err)
	}
}

func (r *rig) wantAsked(t *testing.T, what string, n int) {
	t.Helper()
	if got := r.collector.asked[what]; got != n {
		t.Errorf("asked %d times for %s, want %d", got, what, n)
	}
}

// Nothing is asked for twice, and all of it is there after a restart and offline.
func TestKeptHere(t *testing.T) {
	r := start(t)
	for range 3 {
		r.wantTile(t, "a tile")
		r.wantPlace(t, " via  Torino 1 ")
		r.wantPlace(t, "Via Torino 1")
		if raw, err := r.Tile(t.Context(), nothing); err != nil || raw != nil {
			t.Errorf("where nothing is: %q, %v", raw, err)
		}
		r.open(t)
	}
	r.wantAsked(t, "tile", 2)
	r.wantAsked(t, "via Torino 1", 1)
	r.wantAsked(t, "description", 1)
	r.collector.err = errGone
	r.clock.at = r.clock.at.Add(300 * 24 * time.Hour)
	r.open(t)
	r.wantTile(t, "a tile")
	r.wantPlace(t, "via Torino 1")
	if d, err := r.Describe(t.Context()); err != nil || d != r.collector.about {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := r.Tile(t.Context(), protocol.TileAt{Z: 14, X: 2, Y: 2}); !errors.Is(err, errGone) {
		t.Errorf("a tile that was never here: %v", err)
	}
	if _, err := r.Places(t.Context(), "via Roma 1"); !errors.Is(err, errGone) {
		t.Errorf("an address that was never here: %v", err)
	}
}

// Before anything is here, and where the collector has nothing.
func TestNothing(t *testing.T) {
	r := start(t)
	r.collector.err = errGone
	if _, err := r.Describe(t.Context()); !errors.Is(err, errGone) {
		t.Errorf("%v", err)
	}
	if _, err := r.Tile(t.Context(), there); !errors.Is(err, errGone) {
		t.Errorf("%v", err)
	}
	r.collector.err, r.collector.about = nil, protocol.MapDescription{}
	if _, err := r.Tile(t.Context(), there); !errors.Is(err, errNoMap) {
		t.Errorf("%v", err)
	}
	if _, err := r.Places(t.Context(), "via Torino 1"); !errors.Is(err, errNoPlaces) {
		t.Errorf("%v", err)
	}
	r.wantAsked(t, "tile", 0)
	// A map that came later is found within the hour.
	r.collector.about = protocol.MapDescription{Tiles: true, MaxZoom: 14, Tag: "1"}
	r.clock.at = r.clock.at.Add(describedFor)
	r.wantTile(t, "a tile")
}

func TestAskedAnew(t *testing.T) {
	r := start(t)
	r.wantTile(t, "a tile")
	r.wantPlace(t, "via Torino 1")
	r.collector.body = "a newer tile"
	r.clock.at = r.clock.at.Add(keptFor - time.Hour)
	r.wantTile(t, "a tile")
	r.clock.at = r.clock.at.Add(2 * time.Hour)
	r.wantTile(t, "a newer tile")
	r.wantAsked(t, "tile", 2)
	// A clock that was wrong when it came: not kept for ever.
	r.clock.at = r.clock.at.Add(-10 * 365 * 24 * time.Hour)
	r.collector.body = "the newest tile"
	r.wantTile(t, "the newest tile")
	// Another map.
	r.collector.body, r.collector.about.Tag = "a tile of another map", "2"
	r.wantTile(t, "the newest tile")
	r.clock.at = r.clock.at.Add(describedFor)
	r.wantTile(t, "a tile of another map")
	before := r.collector.asked["via Torino 1"]
	r.wantPlace(t, "via Torino 1")
	r.wantAsked(t, "via Torino 1", before+1) // for its age, not for the map
}

// Where nothing can be, nothing is asked for; what was found nowhere is asked again.
func TestNotAsked(t *testing.T) {
	r := start(t)
	for _, at := range []protocol.TileAt{{Z: 7}, {Z: 15}, {Z: 14, X: -1}, {Z: 10, Y: 1 << 10}} {
		if raw, err := r.Tile(t.Context(), at); err != nil || raw != nil {
			t.Errorf("%+v: %q, %v", at, raw, err)
		}
	}
	r.wantAsked(t, "tile", 0)
	for _, text := range []string{"", "  ", strings.Repeat("x", protocol.MaxPlaceText+1), "\x00"} {
		if _, err := r.Places(t.Context(), text); err == nil {
			t.Errorf("%q is looked up", text)
		}
	}
	for range 2 {
		if all, err := r.Places(t.Context(), "nowhere"); err != nil || len(all) != 0 {
			t.Errorf("%+v, %v", all, err)
		}
	}
	r.wantAsked(t, "nowhere", 2)
}

// Of a page's many requests one waits for a collector that does not answer; one
// whose reader went away says nothing of the collector.
func TestOneWaits(t *testing.T) {
	r := start(t)
	r.wantTile(t, "a tile")
	r.collector.err, r.collector.takes = errGone, 5*time.Second
	ask := func(x int) error {
		_, err := r.Tile(t.Context(), protocol.TileAt{Z: 14, X: x, Y: 0})
		return err
	}
	for x := range 10 {
		if err := ask(x); !errors.Is(err, errGone) {
			t.Errorf("%v", err)
		}
	}
	r.wantAsked(t, "tile", 2)
	r.clock.at = r.clock.at.Add(rest)
	r.collector.err, r.collector.takes = nil, 0
	if err := ask(1); err != nil {
		t.Errorf("the collector is back: %v", err)
	}
	// At once is no waiting.
	r.collector.err = errGone
	for x := range 3 {
		_ = ask(20 + x)
	}
	r.wantAsked(t, "tile", 6)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	r.collector.takes = 5 * time.Second
	if _, err := r.Tile(gone, protocol.TileAt{Z: 14, X: 30, Y: 0}); err == nil {
		t.Error("no error")
	}
	r.collector.err = nil
	if err := ask(31); err != nil {
		t.Errorf("after a reader went away: %v", err)
	}
	// A reader who would wait no longer has waited in vain as well.
	late, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	r.clock.at, r.collector.err = r.clock.at.Add(rest), errGone
	if _, err := r.Tile(late, protocol.TileAt{Z: 14, X: 32, Y: 0}); err == nil {
		t.Error("no error")
	}
	before := r.collector.asked["tile"]
	if err := ask(33); err == nil {
		t.Error("no error")
	}
	r.wantAsked(t, "tile", before)
}

func TestForget(t *testing.T) {
	r := start(t)
	r.wantTile(t, "a tile")
	r.wantPlace(t, "via Torino 1")
	if n, size, err := Kept(r.dir); n != 3 || size == 0 || err != nil {
		t.Errorf("%d files of %d bytes, %v", n, size, err)
	}
	if err := r.Forget(); err != nil {
		t.Fatal(err)
	}
	if n, _, err := Kept(r.dir); n != 0 || err != nil {
		t.Errorf("%d files are left, %v", n, err)
	}
	r.collector.err = errGone
	if _, err := r.Tile(t.Context(), there); !errors.Is(err, errGone) {
		t.Errorf("after it was forgotten: %v", err)
	}
}

// Many at once, for the race detector.
func TestAtOnce(t *testing.T) {
	r := start(t)
	r.collector.clock = &clock{} // the atlas's own stands still
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for x := range 10 {
				if _, err := r.Tile(t.Context(), protocol.TileAt{Z: 14, X: x, Y: i % 2}); err != nil {
					t.Error(err)
				}
			}
			if i == 0 {
				if err := r.Forget(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
