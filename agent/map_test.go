package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/atlas"
	"anagrafe/agent/inventory"
	"anagrafe/agent/uplink"
	"anagrafe/protocol"
)

// ground is a collector's map.
type ground struct{ asked []string }

func (g *ground) DescribeMap(context.Context) (protocol.MapDescription, error) {
	return protocol.MapDescription{Tiles: true, Credit: "© Someone", MaxZoom: 14, Tag: "1", Places: true}, nil
}

func (g *ground) Tile(context.Context, protocol.TileAt) ([]byte, error) { return nil, nil }

func (g *ground) Places(_ context.Context, text string) ([]protocol.FoundPlace, error) {
	g.asked = append(g.asked, text)
	return []protocol.FoundPlace{{Name: "Via Torino 1", At: protocol.Point{Lon: 9_187_600, Lat: 45_462_900}, Sure: true}}, nil
}

// placing is an agent with four cameras of a site, whose collector has a map.
func placing(t *testing.T) (*agent, *ground, http.Handler) {
	t.Helper()
	config, err := readConfig(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := openAgent(t.Context(), t.TempDir(), config, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if _, err := s.findPlaces(t.Context(), "", "via Torino 1"); !errors.Is(err, inventory.ErrNotEnrolled) {
		t.Errorf("before the enrolment: %v", err)
	}
	if err := fourCameras(t, s.inv); err != nil {
		t.Fatal(err)
	}
	if e, ok := errors.AsType[*uplink.Error](placesError(s)); !ok || e.Reason != uplink.NotEnrolled {
		t.Errorf("without an identity: %v", placesError(s))
	}
	g := &ground{}
	if s.atlas, err = atlas.Open(atlasDir(s.dir), g, nil); err != nil {
		t.Fatal(err)
	}
	return s, g, s.review.Control()
}

func placesError(s *agent) error {
	_, err := s.findPlaces(context.Background(), "", "via Torino 1")
	return err
}

// asked makes one request as the command line.
func asked(h http.Handler, method, path, body string) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	answer, _ := io.ReadAll(w.Body)
	return w.Code, string(answer)
}

// The pages get the addresses and the map from what is kept here; the collector
// learns the text and not the site.
func TestGround(t *testing.T) {
	s, g, h := placing(t)
	const siteID = "0d5b1c4e-3a57-4b0e-9d4f-6a1de2a7c001"
	for range 2 {
		if code, body := asked(h, "GET", "/places?site="+siteID+"&q=via+Torino+1", ""); code != 200 || !strings.Contains(body, `"lon": 9.1876`) || !strings.Contains(body, `"sure": true`) {
			t.Errorf("%d %s", code, body)
		}
	}
	if len(g.asked) != 1 || g.asked[0] != "via Torino 1" {
		t.Errorf("the collector was asked %q", g.asked)
	}
	if code, body := asked(h, "GET", "/places?site=0d5b1c4e-3a57-4b0e-9d4f-6a1de2a7c002&q=via+Torino+1", ""); code != 404 {
		t.Errorf("a site that is not ours: %d %s", code, body)
	}
	if code, _ := asked(h, "GET", "/map/14/8610/5863", ""); code != http.StatusNoContent {
		t.Errorf("a tile: %d", code)
	}
	if info, err := s.mapInfo(t.Context()); err != nil || !info.Available || info.Attribution != "© Someone" || info.MaxZoom != 14 {
		t.Errorf("%+v, %v", info, err)
	}
	if f := examineKept(s.dir); f.State != uplink.StateGood || !strings.Contains(f.Found, "3 parts") {
		t.Errorf("%+v", f)
	}
	if f := examineMap(t.Context(), nil, uplink.StateBad); f.State != uplink.StateUnknown {
		t.Errorf("with a line that does not work: %+v", f)
	}
	if f := examineKept(t.TempDir()); f.State != uplink.StateGood || !strings.Contains(f.Found, "nothing") {
		t.Errorf("%+v", f)
	}
}

// With the last camera the map leaves this computer, and not before; also when the
// site was withdrawn elsewhere.
func TestMapGoesWithTheLastCamera(t *testing.T) {
	for _, elsewhere := range []bool{false, true} {
		s, _, h := placing(t)
		there := func() bool { _, err := os.Stat(atlasDir(s.dir)); return err == nil }
		all := known(t, s.inv).Cameras
		ids := []string{all[0].ID, all[1].ID}
		for _, id := range ids {
			if err := s.inv.Set(t.Context(), id, inventory.Edit{Outdoor: new(true)}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.inv.Approve(t.Context(), inventory.Selection{IDs: ids}, protocol.Approval{By: "Anna Neri"}); err != nil {
			t.Fatal(err)
		}
		if code, body := asked(h, "GET", "/places?q=via+Torino+1", ""); code != 200 || !there() {
			t.Fatalf("%d %s, kept: %v", code, body, there())
		}
		if code, body := asked(h, "POST", "/withdraw", `{"ids":["`+ids[0]+`"],"by":"Anna Neri"}`); code != 200 || !there() {
			t.Errorf("one of two cameras: %d %s, kept: %v", code, body, there())
		}
		if elsewhere {
			c, err := known(t, s.inv).Camera(ids[1])
			if err != nil {
				t.Fatal(err)
			}
			err = s.keepNotice(t.Context(), protocol.Notice{ID: "0d5b1c4e-3a57-4b0e-9d4f-6a1de2a7c0aa", SiteID: c.SiteID, At: time.Now(),
				Body: protocol.SiteChange{State: protocol.SiteWithdrawn, At: time.Now()}})
			if err != nil {
				t.Fatal(err)
			}
		} else if code, body := asked(h, "POST", "/withdraw", `{"all":true,"by":"Anna Neri"}`); code != 200 {
			t.Errorf("%d %s", code, body)
		}
		if there() {
			t.Errorf("after the withdrawal (elsewhere: %v) the map is still here", elsewhere)
		}
	}
}
