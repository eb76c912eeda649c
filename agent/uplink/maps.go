package uplink

import (
	"context"
	"errors"
	"net/http"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// mapTimeout is how long somebody who looks at a page waits for the map.
const mapTimeout = 10 * time.Second

// errSlowMap ends a call in place of a deadline, at which the transport leaves the
// connection: a map that is slow says nothing about what else goes on there.
var errSlowMap = errors.New("the collector did not give its map in time")

// What the calls below are for, in their errors.
const (
	askDescription = "ask the collector for its map"
	askTile        = "get a part of the map"
	askPlaces      = "look up an address"
)

// DescribeMap asks which map and addresses the collector has. An older collector
// without the service has none, which is no error. Other errors are *Error, as of Tile
// and Places.
func (u *Uplink) DescribeMap(ctx context.Context) (d protocol.MapDescription, err error) {
	err = u.asked(ctx, askDescription, func(ctx context.Context, l *line) (err error) {
		d, err = l.describeMap(ctx)
		return err
	})
	return d, err
}

// DescribeMap asks as [Uplink.DescribeMap] does, over a connection of its own. wrap may be
// nil.
func (i *Identity) DescribeMap(ctx context.Context, wrap func(http.RoundTripper) http.RoundTripper) (protocol.MapDescription, error) {
	l, err := newLine(i.Collector, i.trust(), lineOptions{wrap: wrap})
	if err != nil {
		return protocol.MapDescription{}, newError(NoCollector, err, askDescription)
	}
	defer l.transport.close()
	ctx, cancel := context.WithTimeout(ctx, mapTimeout)
	defer cancel()
	d, err := l.describeMap(ctx)
	if err != nil {
		return protocol.MapDescription{}, explainMap(askDescription, err)
	}
	return d, nil
}

func (l *line) describeMap(ctx context.Context) (protocol.MapDescription, error) {
	resp, err := l.maps.DescribeMap(ctx, connect.NewRequest(&wire.DescribeMapRequest{}))
	switch {
	case connect.CodeOf(err) == connect.CodeUnimplemented:
		return protocol.MapDescription{}, nil
	case err != nil:
		return protocol.MapDescription{}, err
	}
	return read(protocol.MapDescriptionFromWire(resp.Msg))
}

// Tile returns a vector tile packed by gzip, of at most protocol.MaxTile bytes packed
// and unpacked; nil: there is nothing.
func (u *Uplink) Tile(ctx context.Context, at protocol.TileAt) (packed []byte, err error) {
	err = u.asked(ctx, askTile, func(ctx context.Context, l *line) error {
		resp, err := l.maps.GetTile(ctx, connect.NewRequest(at.Wire()))
		if err != nil {
			return err
		}
		packed = resp.Msg.GetTile()
		_, err = read(protocol.UnpackTile(packed))
		return err
	})
	if err != nil {
		return nil, err
	}
	return packed, nil
}

// Places says what an address may mean, best first. The text goes to the collector,
// which keeps nothing of it.
func (u *Uplink) Places(ctx context.Context, text string) (found []protocol.FoundPlace, err error) {
	err = u.asked(ctx, askPlaces, func(ctx context.Context, l *line) error {
		resp, err := l.maps.FindPlaces(ctx, connect.NewRequest(&wire.FindPlacesRequest{Text: text}))
		if err != nil {
			return err
		}
		found, err = read(protocol.PlacesFromWire(resp.Msg))
		return err
	})
	return found, err
}

// asked makes a call over the present connection. It does not change the status:
// what a page asks for is no delivery.
func (u *Uplink) asked(ctx context.Context, what string, call func(context.Context, *line) error) error {
	u.mu.Lock()
	id, l := u.identity, u.line
	u.mu.Unlock()
	switch {
	case id == nil:
		return newError(NotEnrolled, nil, what)
	case l == nil:
		return newError(Unreachable, errors.New("the line to the collector is not open now"), what)
	}
	l.parking.begin()
	defer l.parking.end()
	ctx, cancel := context.WithTimeoutCause(ctx, u.pace.maps, errSlowMap)
	defer cancel()
	if err := call(ctx, l); err != nil {
		return explainMap(what, err)
	}
	return nil
}

// explainMap is explain for these calls: an answer that is beyond its limits or cannot
// be read came from a collector that was reached.
func explainMap(what string, err error) *Error {
	if wrong, ok := errors.AsType[answerError](err); ok {
		return newError(UnexpectedAnswer, wrong.error, what)
	}
	if connect.CodeOf(err) == connect.CodeUnimplemented {
		return newError(protocol.ReasonNoMap, errors.New("this collector has none"), what)
	}
	return explain(what, err)
}

// answerError is what is wrong with an answer.
type answerError struct{ error }

// read marks an error of reading an answer.
func read[T any](v T, err error) (T, error) {
	if err != nil {
		err = answerError{err}
	}
	return v, err
}
