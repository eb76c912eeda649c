package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// ground is a map of one address and one tile, beside one that cannot be read and one that is too
// large.
type ground struct{}

func (ground) Describe() protocol.MapDescription {
	return protocol.MapDescription{Tiles: true, Credit: "© Someone", MinZoom: 8, MaxZoom: 14, Tag: "1", Places: true}
}

func (ground) Packed(z, x, y int) ([]byte, error) {
	switch [3]int{z, x, y} {
	case [3]int{14, 8610, 5863}:
		return []byte("a packed tile"), nil
	case [3]int{14, 1, 1}:
		return nil, fmt.Errorf("tile 14/1/1: %w", errors.New("the disk is broken"))
	case [3]int{14, 2, 2}:
		return make([]byte, protocol.MaxTile+1), nil
	}
	return nil, nil
}

func (ground) Find(text string) []protocol.FoundPlace {
	if text != "via Segreta 7" {
		return nil
	}
	return []protocol.FoundPlace{{Name: "Via Segreta 7", At: protocol.Point{Lon: 9_187_600, Lat: 45_462_900}, Sure: true}}
}

func withMap(s *Server) { s.o.Map = ground{} }

func tile(ctx context.Context, c client, z, x, y uint32) ([]byte, error) {
	resp, err := c.maps.GetTile(ctx, connect.NewRequest(&wire.GetTileRequest{Zoom: z, Column: x, Row: y}))
	if err != nil {
		return nil, err
	}
	return resp.Msg.GetTile(), nil
}

func TestMap(t *testing.T) {
	r := start(t, withMap)
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			_, cert, _ := r.agent(t, time.Now())
			c := r.dial(t, transport, cert)
			about, err := c.maps.DescribeMap(t.Context(), connect.NewRequest(&wire.DescribeMapRequest{}))
			if err != nil || !about.Msg.GetTiles() || !about.Msg.GetPlaces() || about.Msg.GetMaxZoom() != 14 || about.Msg.GetTag() != "1" || about.Msg.GetCredit() == "" {
				t.Errorf("%v, %v", about, err)
			}
			if raw, err := tile(t.Context(), c, 14, 8610, 5863); err != nil || string(raw) != "a packed tile" {
				t.Errorf("%q, %v", raw, err)
			}
			if raw, err := tile(t.Context(), c, 0, 0, 0); err != nil || len(raw) != 0 {
				t.Errorf("where nothing is: %q, %v", raw, err)
			}
			found, err := c.maps.FindPlaces(t.Context(), connect.NewRequest(&wire.FindPlacesRequest{Text: "via Segreta 7"}))
			if err != nil || len(found.Msg.GetPlaces()) != 1 || !found.Msg.GetPlaces()[0].GetSure() || found.Msg.GetPlaces()[0].GetLonMicrodegrees() != 9_187_600 {
				t.Errorf("%v, %v", found, err)
			}
		})
	}
}

func TestMapRefusals(t *testing.T) {
	r := start(t, withMap)
	id, cert, _ := r.agent(t, time.Now())
	c, stranger := r.dial(t, "h2", cert), r.dial(t, "h2", nil)
	for _, at := range [][3]uint32{{17, 0, 0}, {1, 2, 0}, {1, 0, 2}, {1 << 31, 0, 0}, {14, 1 << 31, 0}} {
		if _, err := tile(t.Context(), c, at[0], at[1], at[2]); reason(err) != protocol.ReasonInvalid {
			t.Errorf("%v: %v", at, err)
		}
	}
	for _, at := range [][3]uint32{{14, 1, 1}, {14, 2, 2}} {
		if _, err := tile(t.Context(), c, at[0], at[1], at[2]); reason(err) != protocol.ReasonTemporary || strings.Contains(err.Error(), "14/") {
			t.Errorf("%v: %v", at, err)
		}
	}
	for _, text := range []string{"", " ", strings.Repeat("x", protocol.MaxPlaceText+1), "via\x00Roma"} {
		if _, err := c.maps.FindPlaces(t.Context(), connect.NewRequest(&wire.FindPlacesRequest{Text: text})); reason(err) != protocol.ReasonInvalid {
			t.Errorf("%q: %v", text, err)
		}
	}
	calls := map[string]func(client) error{
		"describe": func(c client) error {
			_, err := c.maps.DescribeMap(t.Context(), connect.NewRequest(&wire.DescribeMapRequest{}))
			return err
		},
		"tile": func(c client) error { _, err := tile(t.Context(), c, 14, 8610, 5863); return err },
		"places": func(c client) error {
			_, err := c.maps.FindPlaces(t.Context(), connect.NewRequest(&wire.FindPlacesRequest{Text: "via Segreta 7"}))
			return err
		},
	}
	for name, call := range calls {
		if err := call(stranger); reason(err) != protocol.ReasonNoCertificate {
			t.Errorf("%s without a certificate: %v", name, err)
		}
	}
	r.register.revoke(id)
	for name, call := range calls {
		if err := call(c); reason(err) != protocol.ReasonRevoked {
			t.Errorf("%s of a revoked agent: %v", name, err)
		}
	}
}

// A collector without a map says so, by the word that one of before had no service
// for it.
func TestWithoutMap(t *testing.T) {
	r := start(t, nil)
	_, cert, _ := r.agent(t, time.Now())
	c := r.dial(t, "h3", cert)
	about, err := c.maps.DescribeMap(t.Context(), connect.NewRequest(&wire.DescribeMapRequest{}))
	if err != nil || about.Msg.GetTiles() || about.Msg.GetPlaces() {
		t.Errorf("%v, %v", about, err)
	}
	if _, err := tile(t.Context(), c, 14, 8610, 5863); connect.CodeOf(err) != connect.CodeUnimplemented || reason(err) != protocol.ReasonNoMap {
		t.Errorf("a tile: %v", err)
	}
	if _, err := c.maps.FindPlaces(t.Context(), connect.NewRequest(&wire.FindPlacesRequest{Text: "x"})); connect.CodeOf(err) != connect.CodeUnimplemented || reason(err) != protocol.ReasonNoMap {
		t.Errorf("an address: %v", err)
	}
}

// One agent gets a day's share of the map, and no other one pays for it.
func TestMapShare(t *testing.T) {
	now := time.Now()
	r := start(t, func(s *Server) {
		withMap(s)
		s.now = func() time.Time { return now } // the bucket does not fill again meanwhile
		s.shown = newBuckets[string](limit{3 * shownCost, 1}, 10)
	})
	_, cert, _ := r.agent(t, now)
	_, other, _ := r.agent(t, now)
	c := r.dial(t, "h2", cert)
	for range 2 {
		if _, err := tile(t.Context(), c, 14, 8610, 5863); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.maps.FindPlaces(t.Context(), connect.NewRequest(&wire.FindPlacesRequest{Text: "x"})); err != nil {
		t.Fatal(err)
	}
	_, err := tile(t.Context(), c, 14, 8610, 5863)
	ce := new(connect.Error)
	if reason(err) != protocol.ReasonTooMany || !asError(err, &ce) || ce.Meta().Get(protocol.RetryAfterHeader) != "8192" {
		t.Errorf("the share is used up: %v", err)
	}
	if _, err := c.maps.FindPlaces(t.Context(), connect.NewRequest(&wire.FindPlacesRequest{Text: "x"})); reason(err) != protocol.ReasonTooMany {
		t.Errorf("an address beyond the share: %v", err)
	}
	if _, err := tile(t.Context(), r.dial(t, "h2", other), 14, 8610, 5863); err != nil {
		t.Errorf("another agent: %v", err)
	}
	r.counts(t, reasonBudget, 2)
}

// safeBuffer is written by the server's goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// Whatever becomes of a call, neither the log nor a counter says what was asked.
func TestMapIsNotWrittenDown(t *testing.T) {
	log := new(safeBuffer)
	r := start(t, func(s *Server) {
		withMap(s)
		s.log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: withoutTime}))
	})
	id, cert, _ := r.agent(t, time.Now())
	c := r.dial(t, "h3", cert)
	for _, at := range [][3]uint32{{14, 8610, 5863}, {14, 1, 1}, {3, 7771, 0}} {
		_, _ = tile(t.Context(), c, at[0], at[1], at[2]) // some are refused
	}
	for _, text := range []string{"via Segreta 7", strings.Repeat("Segreta ", 40), "via Segreta\x00"} {
		_, _ = c.maps.FindPlaces(t.Context(), connect.NewRequest(&wire.FindPlacesRequest{Text: text})) // some are refused
	}
	r.stop()
	said := strings.ReplaceAll(log.b.String(), id, "") // which is random
	families, err := r.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		said += f.GetName()
		for _, m := range f.GetMetric() {
			said += fmt.Sprint(m.GetLabel())
		}
	}
	if !strings.Contains(said, "the disk is broken") {
		t.Errorf("the operator does not learn of the broken map: %s", said)
	}
	if found := regexp.MustCompile(`Segreta|\b(8610|5863|7771|14/1|45462900|9187600)\b`).FindString(said); found != "" {
		t.Errorf("%q is written down in %s", found, said)
	}
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
