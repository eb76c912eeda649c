package search

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/collector/registry/registrytest"
	"anagrafe/protocol"
)

var (
	noon  = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)
	duomo = protocol.Point{Lon: 9_190_000, Lat: 45_464_000}
)

func hours(n float64) time.Duration { return time.Duration(n * float64(time.Hour)) }

func openNew(t testing.TB) (*registry.Registry, *Index) {
	t.Helper()
	r := openAt(t, "sqlite:"+filepath.Join(t.TempDir(), "registry.db"))
	return r, New(r, slog.New(slog.NewTextHandler(t.Output(), nil)))
}

func openAt(t testing.TB, store string) *registry.Registry {
	t.Helper()
	o := registrytest.Options(t.TempDir(), slog.New(slog.NewTextHandler(t.Output(), nil)))
	o.Store = store
	return registrytest.Open(t, o)
}

// owner declares one site.
type owner struct {
	t           testing.TB
	r           *registry.Registry
	agent, site string
	epoch       int64
	revision    int64
}

func enrol(t testing.TB, r *registry.Registry, at time.Time) *owner {
	t.Helper()
	o := &owner{t: t, r: r, agent: uuid.NewString()}
	var err error
	code := sha256.Sum256([]byte(o.agent))
	o.site, err = r.Invite(t.Context(), registry.Invitation{Site: protocol.Site{Name: "Bar"}, CodeHash: code, ExpiresAt: at.Add(hours(1)), At: at})
	if err != nil {
		t.Fatal(err)
	}
	g, err := r.Redeem(t.Context(), ingest.Redemption{CodeHash: code, KeyHash: code, AgentID: o.agent, At: at})
	if err != nil {
		t.Fatal(err)
	}
	o.epoch = g.Epoch
	return o
}

func (o *owner) say(made time.Time, body protocol.Body) {
	o.t.Helper()
	o.revision++
	m := protocol.Message{ID: uuid.NewString(), SiteID: o.site, Epoch: o.epoch, Revision: o.revision, MadeAt: made, Body: body}
	raw, err := protocol.Encode(m)
	if err == nil {
		_, err = o.r.Record(o.t.Context(), o.agent, m, raw, made)
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *owner) declare(made time.Time, cameras ...protocol.Camera) {
	o.t.Helper()
	o.say(made, declaration(cameras...))
}

func declaration(cameras ...protocol.Camera) protocol.Declaration {
	return protocol.Declaration{
		Site:      protocol.Site{Name: "Bar Duomo", Category: "bar-restaurant", Address: "Piazza del Duomo 1"},
		Contacts:  []protocol.Contact{{Name: "Anna", Role: protocol.RoleOwner, Phone: "02 123456"}},
		Recorders: []protocol.Recorder{{ID: id(1000), Vendor: "Acme", Name: "NVR"}},
		Cameras:   cameras,
		Approval:  protocol.Approval{By: "Anna", Role: protocol.RoleOwner, At: noon},
	}
}

func id(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// metres gives the point that lies so far east and north of the Duomo.
func metres(east, north float64) protocol.Point {
	return protocol.Point{Lon: duomo.Lon + int32(east/78_000*1e6), Lat: duomo.Lat + int32(north/111_150*1e6)}
}

// cam n hangs east of the Duomo and looks in a direction; it keeps three
// days.
func cam(n int, east float64, direction int) protocol.Camera {
	fact := protocol.Fact{Source: protocol.Confirmed, At: noon}
	angle, reach := 90, 100
	return protocol.Camera{
		ID: id(n), RecorderID: id(1000), Name: fmt.Sprint("Camera ", n), NameFact: fact,
		Position:      protocol.Position{Point: metres(east, 0), AccuracyM: 2, Method: "map", Fact: fact},
		View:          protocol.View{DirectionDeg: &direction, AngleDeg: &angle, RangeM: &reach, WidthPx: 1920, HeightPx: 1080, Fact: fact},
		Schedule:      protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: "Europe/Rome", Fact: fact},
		Retention:     protocol.Retention{Kind: protocol.RetentionAge, Age: hours(72), Fact: fact},
		OutdoorPublic: protocol.Outdoor{Yes: true, By: "Anna", At: noon},
	}
}

const (
	east = 90
	west = 270
)
