package atlas

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"anagrafe/protocol"
)

// Collector answers requests for tiles and addresses; package uplink implements it.
type Collector interface {
	DescribeMap(context.Context) (protocol.MapDescription, error)
	// Tile gives a vector tile packed by gzip, which can be unpacked; nil: there is
	// nothing.
	Tile(context.Context, protocol.TileAt) ([]byte, error)
	Places(ctx context.Context, text string) ([]protocol.FoundPlace, error)
}

// Errors that no waiting mends.
var (
	errNoMap    = errors.New("the collector has no map: place the cameras by coordinates")
	errNoPlaces = errors.New("the collector has no addresses: place the cameras by coordinates or on the map")
)

const (
	describedFor = time.Hour
	keptFor      = 30 * 24 * time.Hour

	// patience is how long a request waits for the collector if there is an old answer to
	// show; describing, if there is none and a page is being built.
	patience   = 2 * time.Second
	describing = 5 * time.Second
	// tired is how long an attempt takes that others shall not repeat, and rest for
	// how long they do not.
	tired = time.Second
	rest  = 20 * time.Second
)

// Atlas is the map and the addresses as they are kept here. Its methods may be
// called at the same time.
type Atlas struct {
	shelf     *shelf
	collector Collector
	log       *slog.Logger
	now       func() time.Time

	mu    sync.Mutex
	again time.Time // before it, nobody waits for the collector
	why   error     // what came of it last
}

// Open opens what lies in a directory, which is made when there is something to
// keep. log may be nil.
func Open(dir string, c Collector, log *slog.Logger) (*Atlas, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	a := &Atlas{collector: c, log: log, now: time.Now}
	var err error
	if a.shelf, err = openShelf(dir, maxKept, func() time.Time { return a.now() }); err != nil {
		return nil, fmt.Errorf("open the map that is kept here: %w", err)
	}
	return a, nil
}

// Forget removes all that is kept.
func (a *Atlas) Forget() error {
	if err := a.shelf.clear(); err != nil {
		return fmt.Errorf("forget the map that is kept here: %w", err)
	}
	return nil
}

// Describe says what there is to show.
func (a *Atlas) Describe(ctx context.Context) (d protocol.MapDescription, err error) {
	const name = "description"
	before, _, _ := a.shelf.get(name)
	raw, err := a.kept(ctx, name, describedFor, describing, func(ctx context.Context) ([]byte, error) {
		d, err := a.collector.DescribeMap(ctx)
		if err != nil {
			return nil, err
		}
		return json.Marshal(d)
	})
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return d, fmt.Errorf("read the description of the map: %w", err)
	}
	var was protocol.MapDescription
	if json.Unmarshal(before, &was) == nil && was.Tag != d.Tag {
		a.shelf.remove(func(name string) bool { return !strings.HasPrefix(name, "tile-") })
	}
	return d, nil
}

// Tile returns a vector tile as it is unpacked; nil: there is nothing.
func (a *Atlas) Tile(ctx context.Context, at protocol.TileAt) ([]byte, error) {
	d, err := a.Describe(ctx)
	switch {
	case err != nil:
		return nil, err
	case !d.Tiles:
		return nil, errNoMap
	case !at.Valid() || at.Z < d.MinZoom || at.Z > d.MaxZoom:
		return nil, nil
	}
	packed, err := a.kept(ctx, fmt.Sprintf("tile-%d-%d-%d", at.Z, at.X, at.Y), keptFor, 0, func(ctx context.Context) ([]byte, error) {
		return a.collector.Tile(ctx, at)
	})
	if err != nil {
		return nil, err
	}
	return protocol.UnpackTile(packed)
}

// Places says what an address may mean, best first. A text that cannot be one is
// protocol.FieldErrors.
func (a *Atlas) Places(ctx context.Context, text string) (found []protocol.FoundPlace, err error) {
	text = strings.Join(strings.Fields(text), " ")
	if err := protocol.CheckPlaceText(text); err != nil {
		return nil, err
	}
	d, err := a.Describe(ctx)
	switch {
	case err != nil:
		return nil, err
	case !d.Places:
		return nil, errNoPlaces
	}
	sum := sha256.Sum256([]byte(strings.ToLower(text)))
	raw, err := a.kept(ctx, "place-"+hex.EncodeToString(sum[:]), keptFor, 0, func(ctx context.Context) ([]byte, error) {
		found, err := a.collector.Places(ctx, text)
		if err != nil || len(found) == 0 {
			return nil, err
		}
		return json.Marshal(found)
	})
	if err != nil || len(raw) == 0 {
		return nil, err
	}
	if err := json.Unmarshal(raw, &found); err != nil {
		return nil, fmt.Errorf("read what is known of an address: %w", err)
	}
	return found, nil
}

// kept returns what lies under a name, if it is no older than fresh, else asks for it:
// for no longer than patience where there is an old one, which is better than none,
// else for no longer than wait (0: as long as the collector's own calls take).
func (a *Atlas) kept(ctx context.Context, name string, fresh, wait time.Duration, ask func(context.Context) ([]byte, error)) ([]byte, error) {
	old, came, ok := a.shelf.get(name)
	// A time to come is of a clock that was wrong, then or now.
	if age := a.now().Sub(came); ok && age >= 0 && age < fresh {
		return old, nil
	}
	if ok {
		wait = patience
	}
	cleared := a.shelf.times()
	got, err := a.ask(ctx, wait, ask)
	switch {
	case err != nil && ok:
		return old, nil
	case err != nil:
		return nil, err
	}
	if strings.HasPrefix(name, "place-") && len(got) == 0 {
		return nil, nil
	}
	if err := a.shelf.put(name, got, cleared); err != nil {
		a.log.WarnContext(ctx, "a part of the map cannot be kept on this computer", "err", err)
	}
	return got, nil
}

// ask asks the collector, unless somebody has just waited for it in vain.
func (a *Atlas) ask(ctx context.Context, wait time.Duration, ask func(context.Context) ([]byte, error)) ([]byte, error) {
	a.mu.Lock()
	begun, again, why := a.now(), a.again, a.why
	a.mu.Unlock()
	if begun.Before(again) && again.Sub(begun) <= rest {
		return nil, why
	}
	asking := ctx
	if wait > 0 {
		var cancel context.CancelFunc
		asking, cancel = context.WithTimeout(ctx, wait)
		defer cancel()
	}
	got, err := ask(asking)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch now := a.now(); {
	case err == nil:
		a.again = time.Time{}
	case !errors.Is(ctx.Err(), context.Canceled) && now.Sub(begun) >= tired: // not the reader who went away
		a.again, a.why = now.Add(rest), err
	}
	return got, err
}
