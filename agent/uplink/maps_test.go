package uplink

import (
	"bytes"
	"compress/gzip"
	"context"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// ground answers as a collector's map, or as one that lies.
type ground struct {
	wire.UnimplementedMapServiceHandler
	about *wire.DescribeMapResponse
	tile  []byte
	found *wire.FindPlacesResponse
}

func (g ground) DescribeMap(context.Context, *connect.Request[wire.DescribeMapRequest]) (*connect.Response[wire.DescribeMapResponse], error) {
	return connect.NewResponse(g.about), nil
}

func (g ground) GetTile(_ context.Context, req *connect.Request[wire.GetTileRequest]) (*connect.Response[wire.GetTileResponse], error) {
	if at, err := protocol.TileAtFromWire(req.Msg); err != nil || at != there {
		return connect.NewResponse(&wire.GetTileResponse{}), nil
	}
	return connect.NewResponse(&wire.GetTileResponse{Tile: g.tile}), nil
}

func (g ground) FindPlaces(_ context.Context, req *connect.Request[wire.FindPlacesRequest]) (*connect.Response[wire.FindPlacesResponse], error) {
	if req.Msg.GetText() != "via Torino 1" {
		return connect.NewResponse(&wire.FindPlacesResponse{}), nil
	}
	return connect.NewResponse(g.found), nil
}

var there = protocol.TileAt{Z: 14, X: 8610, Y: 5863}

func zipped(t *testing.T, raw []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func honest(t *testing.T) ground {
	return ground{about: protocol.MapDescription{Tiles: true, Credit: "© Someone", MaxZoom: 14, Tag: "1", Places: true}.Wire(),
		tile:  zipped(t, []byte("a tile")),
		found: protocol.PlacesToWire([]protocol.FoundPlace{{Name: "Via Torino 1", At: protocol.Point{Lon: 9_187_600, Lat: 45_462_900}, Sure: true}})}
}

// mapped is an uplink whose line is open to a collector with such a map.
func mapped(t *testing.T, on servers, g wire.MapServiceHandler) (*collector, *running) {
	t.Helper()
	c := newCollector(t)
	c.ground = g
	c.serve(on, nil, nil)
	r := run(t, c.authority.identity(t, c.addr, time.Now()), newOutbox(), changeFor(on))
	<-c.listens
	return c, r
}

func TestMap(t *testing.T) {
	t.Parallel()
	for via, on := range map[string]servers{"h3": both, "h2": {tcp: true}} {
		t.Run(via, func(t *testing.T) {
			c, r := mapped(t, on, honest(t))
			if d, err := r.DescribeMap(t.Context()); err != nil || !d.Tiles || !d.Places || d.MaxZoom != 14 || d.Tag != "1" {
				t.Errorf("%+v, %v", d, err)
			}
			packed, err := r.Tile(t.Context(), there)
			if raw, bad := protocol.UnpackTile(packed); err != nil || bad != nil || string(raw) != "a tile" {
				t.Errorf("%q, %v, %v", raw, err, bad)
			}
			if packed, err := r.Tile(t.Context(), protocol.TileAt{}); err != nil || packed != nil {
				t.Errorf("where nothing is: %q, %v", packed, err)
			}
			if all, err := r.Places(t.Context(), "via Torino 1"); err != nil || len(all) != 1 || all[0].At.Lon != 9_187_600 || !all[0].Sure {
				t.Errorf("%+v, %v", all, err)
			}
			if all, err := r.Places(t.Context(), "nowhere"); err != nil || len(all) != 0 {
				t.Errorf("%+v, %v", all, err)
			}
			h := c.heard()
			if last := h.via[len(h.via)-1]; last != via {
				t.Errorf("it went over %s", last)
			}
			for _, head := range h.headers {
				for name, values := range head {
					if all := strings.Join(values, " "); strings.Contains(all, "Torino") || strings.Contains(all, "8610") {
						t.Errorf("a header tells what is asked: %s: %s", name, all)
					}
				}
			}
		})
	}
}

// A collector of before there was a map, and one that has none.
func TestNoMap(t *testing.T) {
	t.Parallel()
	for name, g := range map[string]wire.MapServiceHandler{"of before": nil, "without": wire.UnimplementedMapServiceHandler{}} {
		t.Run(name, func(t *testing.T) {
			_, r := mapped(t, both, g)
			if d, err := r.DescribeMap(t.Context()); err != nil || d != (protocol.MapDescription{}) {
				t.Errorf("%+v, %v", d, err)
			}
			if _, err := r.Tile(t.Context(), there); reasonFrom(t, err) != protocol.ReasonNoMap {
				t.Errorf("a tile: %v", err)
			}
			if _, err := r.Places(t.Context(), "via Torino 1"); reasonFrom(t, err) != protocol.ReasonNoMap {
				t.Errorf("an address: %v", err)
			}
			if s := r.Status(); s.LastError != "" {
				t.Errorf("the line is told to be bad: %s", s.LastError)
			}
		})
	}
}

// Answers beyond their limits are none.
func TestLyingMap(t *testing.T) {
	t.Parallel()
	g := ground{about: &wire.DescribeMapResponse{MinZoom: 9, MaxZoom: 8}, tile: zipped(t, make([]byte, protocol.MaxTile+1)),
		found: &wire.FindPlacesResponse{Places: []*wire.Place{{Name: "x", LatMicrodegrees: 91e6}}}}
	c, r := mapped(t, both, g)
	if _, err := r.DescribeMap(t.Context()); reasonFrom(t, err) != UnexpectedAnswer {
		t.Errorf("a description: %v", err)
	}
	if _, err := r.Tile(t.Context(), there); reasonFrom(t, err) != UnexpectedAnswer {
		t.Errorf("a tile: %v", err)
	}
	if _, err := r.Places(t.Context(), "via Torino 1"); reasonFrom(t, err) != UnexpectedAnswer {
		t.Errorf("an address: %v", err)
	}
	id := c.authority.identity(t, c.addr, time.Now())
	if _, err := id.DescribeMap(t.Context(), nil); reasonFrom(t, err) != UnexpectedAnswer {
		t.Errorf("a description over a line of its own: %v", err)
	}
}

// hanging has a part of the map that never comes.
type hanging struct{ ground }

func (hanging) GetTile(ctx context.Context, _ *connect.Request[wire.GetTileRequest]) (*connect.Response[wire.GetTileResponse], error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// A map that is slow ends nothing else on its connection.
func TestSlowMap(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	c.ground = hanging{honest(t)}
	c.serve(both, nil, nil)
	s := &shelf{kept: make(chan string, 1)}
	r := run(t, c.authority.identity(t, c.addr, time.Now()), newOutbox(), func(u *Uplink) {
		keeping(s)(u)
		u.pace.maps = time.Millisecond
	})
	<-c.listens
	if _, err := r.Tile(t.Context(), there); err == nil { // the collector, which is told how long, may be the first to say so
		t.Error("a tile came")
	}
	if !r.newest().connected() {
		t.Fatal("the connection was closed")
	}
	n := notice(t)
	c.notify <- n
	if got := <-s.kept; got != n.GetId() || len(c.listens) > 0 {
		t.Errorf("kept %s, and the stream of notices was opened %d times more", got, len(c.listens))
	}
}

// Before the enrolment, after the end, and when the collector is gone.
func TestMapOffline(t *testing.T) {
	t.Parallel()
	if _, err := New(Options{}).Tile(t.Context(), there); reasonFrom(t, err) != NotEnrolled {
		t.Errorf("before the enrolment: %v", err)
	}
	c := newCollector(t)
	c.ground = honest(t)
	stop := c.serve(both, nil, nil)
	id := c.authority.identity(t, c.addr, time.Now())
	if d, err := id.DescribeMap(t.Context(), nil); err != nil || !d.Tiles {
		t.Errorf("over a line of its own: %+v, %v", d, err)
	}
	r := run(t, id, newOutbox(), udpDead)
	<-c.listens
	stop()
	if _, err := r.Places(t.Context(), "via Torino 1"); reasonFrom(t, err) != Unreachable {
		t.Errorf("the collector is gone: %v", err)
	}
	r.stop()
	if _, err := r.Places(t.Context(), "via Torino 1"); reasonFrom(t, err) != Unreachable {
		t.Errorf("after the end: %v", err)
	}
}

// A parked agent dials for the map and rests again.
func TestMapParked(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	c.ground = honest(t)
	c.serve(both, nil, nil)
	r := run(t, c.authority.identity(t, c.addr, time.Now()), newOutbox(), func(u *Uplink) { u.o.Park, u.pace.slot = true, time.Hour })
	c.notify <- &wire.Notice{Body: &wire.Notice_Park{Park: &wire.Park{AfterSeconds: 3600}}}
	r.parked(t)
	if packed, err := r.Tile(t.Context(), there); err != nil || len(packed) == 0 {
		t.Errorf("%q, %v", packed, err)
	}
	if r.newest().connected() {
		t.Error("the connection stays open")
	}
	r.parked(t)
}
