package consult

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/collector/registry/registrytest"
	"anagrafe/collector/search"
	"anagrafe/collector/trail"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// It is Saturday 21 November 2026, 14:30 in Rome; something happened the
// evening before.
var (
	noon  = time.Date(2026, 11, 21, 13, 30, 0, 0, time.UTC)
	event = time.Date(2026, 11, 20, 19, 45, 0, 0, time.UTC)
	place = protocol.Point{Lon: 9_187_570, Lat: 45_464_080} // a crossing in the centre of Milan
)

const secret = "0123456789abcdef0123456789abcdef"

// town is a collector's consultation side over real parts, with a few sites.
type town struct {
	t        *testing.T
	reg      *registry.Registry
	trail    *trail.Trail
	identity *age.X25519Identity
	web      *web.Web
	consult  *Consult
	server   *httptest.Server
	users    map[string]registry.User
	secrets  map[string]string
	change   func(*http.Request) // what send changes before it sends
}

// setup changes the town before it opens.
type setup func(*Options)

func newTown(t *testing.T, change ...setup) *town {
	t.Helper()
	ctx := context.Background()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	w := &town{t: t, users: map[string]registry.User{}, secrets: map[string]string{}}
	var err error
	must := func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var store trail.Store
	w.reg, store = registrytest.OpenTrail(t, registrytest.Options(t.TempDir(), log))
	w.trail, err = trail.Open(ctx, store, trail.Options{KeyDir: t.TempDir(), PseudonymKey: []byte(secret), Log: log})
	must()
	t.Cleanup(func() { w.trail.Close() })
	w.identity, err = age.GenerateX25519Identity()
	must()
	err = w.reg.AddForce(ctx, "Questura", w.identity.Recipient().String())
	must()
	now := func() time.Time { return noon }
	o := Options{Index: search.New(w.reg, log), Trail: w.trail, Registry: w.reg, Log: log, Now: now}
	for _, f := range change {
		f(&o)
	}
	w.consult, err = New(o)
	must()
	t.Cleanup(func() { w.consult.Close() })
	mux := http.NewServeMux()
	w.server = httptest.NewServer(mux)
	t.Cleanup(w.server.Close)
	w.web, err = web.New(web.Options{Registry: w.reg, Face: pages.FaceConsult, Roles: []string{registry.RoleOfficer, registry.RoleForceAuditor}, PublicURL: w.server.URL,
		Secret: []byte(secret), Log: log, Now: now, Record: func(ctx context.Context, a web.Act) error {
			_, err := w.trail.Append(ctx, trail.Entry{Actor: a.User.ID, Force: a.User.Force, Kind: a.Kind, Count: a.Count, Body: a.Details, Recipient: w.identity.Recipient().String()})
			return err
		}})
	must()
	h, err := w.web.Handler(w.consult.Routes())
	must()
	mux.Handle("/", h)
	w.officer("Ispettrice L. Bruni")
	return w
}

// officer adds a person who may consult.
func (w *town) officer(name string) registry.User {
	w.t.Helper()
	return w.of(name, "Questura", "ufficiale di PG")
}

// of adds an officer of a force.
func (w *town) of(name, force, qualification string) registry.User {
	w.t.Helper()
	return w.add(registry.User{Name: name, Role: registry.RoleOfficer, Force: force, Qualification: qualification})
}

// add gives somebody a credential.
func (w *town) add(u registry.User) registry.User {
	w.t.Helper()
	secret, hash := w.web.NewSecret()
	u.ID, u.SecretHash, u.At = uuid.NewString(), hash, noon
	if err := w.reg.AddUser(context.Background(), u); err != nil {
		w.t.Fatal(err)
	}
	w.users[u.Name], w.secrets[u.Name] = u, secret
	return u
}

// place is a site of the town and its cameras.
type siteOf struct {
	site     protocol.Site
	contact  protocol.Contact
	recorder protocol.Recorder
	cameras  []protocol.Camera
	clock    *protocol.Clock // read two hours ago; nil: never
	approver string          // "": the contact
}

// camera hangs east and north of the place, in metres.
type hung struct {
	name            string
	east, north     float64
	direction       int // -1: unknown
	angle, reach    int
	keeps           time.Duration // 0: unknown
	schedule        protocol.Schedule
	turns, infrared bool
}

var (
	made    = noon.Add(-30 * 24 * time.Hour) // all was declared then
	fact    = protocol.Fact{Source: protocol.Confirmed, At: made}
	always  = protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: "Europe/Rome", Fact: fact}
	motion  = protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Motion, Zone: "Europe/Rome", Fact: fact}
	off     = protocol.Schedule{Kind: protocol.ScheduleOff, Fact: fact}
	unknown = protocol.Schedule{}
)

func site(name string, category protocol.Category, address, contact string, offset time.Duration, cameras ...hung) siteOf {
	s := siteOf{site: protocol.Site{Name: name, Category: category, Address: address},
		contact:  protocol.Contact{Name: contact, Role: protocol.RoleOwner, Phone: "+39 02 5550 " + fmt.Sprint(100+len(name)), Email: "sicurezza@example.it", Hours: "dalle 8 alle 20"},
		recorder: protocol.Recorder{ID: uuid.NewString(), Vendor: "Aster", Model: "NVR-16", Name: "Retro", Storage: protocol.StorageOnPremises}}
	if offset != 0 {
		s.clock = &protocol.Clock{OffsetMs: offset.Milliseconds(), UncertaintyMs: 1500, Method: "onvif GetSystemDateAndTime", At: noon.Add(-2 * time.Hour)}
	}
	for i, h := range cameras {
		at := away(place, h.north, 0)
		at = away(protocol.Point{Lon: int32(at[0] * 1e6), Lat: int32(at[1] * 1e6)}, h.east, 90)
		c := protocol.Camera{ID: uuid.NewSHA1(uuid.NameSpaceURL, []byte(name+h.name)).String(), RecorderID: s.recorder.ID, Channel: fmt.Sprint(i + 1), Name: h.name, NameFact: fact,
			Position:      protocol.Position{Point: protocol.Point{Lon: int32(at[0] * 1e6), Lat: int32(at[1] * 1e6)}, AccuracyM: 3, Method: "map", Fact: fact},
			View:          protocol.View{WidthPx: 2560, HeightPx: 1440, Turns: h.turns, Infrared: h.infrared, Fact: fact},
			Schedule:      h.schedule,
			OutdoorPublic: protocol.Outdoor{Yes: true, By: contact, At: made}}
		if h.direction >= 0 {
			c.View.DirectionDeg, c.View.AngleDeg, c.View.RangeM = &h.direction, &h.angle, &h.reach
		}
		if h.keeps > 0 {
			c.Retention = protocol.Retention{Kind: protocol.RetentionAge, Age: h.keeps, Fact: protocol.Fact{Source: protocol.Measured, At: made}}
		}
		s.cameras = append(s.cameras, c)
	}
	return s
}

const day = 24 * time.Hour

// milan is the town's ordinary content: all classes, all degrees of knowledge.
func milan() []siteOf {
	return []siteOf{
		site("Farmacia Orefici", "pharmacy", "Via Orefici 5", "Marta Colli", 190*time.Second,
			hung{name: "Ingresso", east: 7, north: 14, direction: 215, angle: 90, reach: 40, keeps: day, schedule: always, infrared: true},
			hung{name: "Vetrina", east: -20, north: 38, direction: 310, angle: 80, reach: 35, keeps: day, schedule: always}),
		site("Banca di Credito Lariano", "bank", "Via Victor Hugo 2", "Sala controllo", -3*time.Second,
			hung{name: "EST 1 bancomat", east: -22, north: -13, direction: 62, angle: 75, reach: 55, keeps: 7 * day, schedule: always, infrared: true},
			hung{name: "EST 2 portone", east: -28, north: -22, direction: 235, angle: 80, reach: 45, keeps: 7 * day, schedule: always, infrared: true}),
		site("Bar Orefici", "bar-restaurant", "Via Orefici 9", "Paolo Re", 0,
			hung{name: "Dehors", east: 30, north: -8, direction: 300, angle: 100, reach: 45, keeps: 0, schedule: motion}),
		site("Condominio Via Hugo 4", "condominium", "Via Victor Hugo 4", "Studio Lombardi, amministratore", 58*time.Minute,
			hung{name: "CAM 03", east: -30, north: 28, direction: -1, keeps: 3 * day, schedule: unknown}),
		site("Gioielleria Ferri", "shop", "Via Spadari 3", "Anna Ferri", time.Second,
			hung{name: "Strada", east: -46, north: -44, direction: 138, angle: 90, reach: 40, keeps: 36 * time.Hour, schedule: always, infrared: true}),
		site("Libreria del Passaggio", "shop", "Via Orefici 14", "Ugo Sala", 40*time.Second,
			hung{name: "Esterno", east: 52, north: -30, direction: 110, angle: 90, reach: 35, keeps: 12 * time.Hour, schedule: always}),
		site("Ottica Duomo", "shop", "Via Orefici 2", "Ivo Galli", 0,
			hung{name: "Marciapiede", east: 72, north: 57, direction: 85, angle: 90, reach: 35, keeps: 5 * day, schedule: off}),
	}
}

// declare brings sites into the registry the way agents do.
func (w *town) declare(sites ...siteOf) map[string]string {
	w.t.Helper()
	ctx := context.Background()
	ids := map[string]string{}
	for _, s := range sites {
		code := sha256.Sum256([]byte(s.site.Name))
		id, err := w.reg.Invite(ctx, registry.Invitation{Site: s.site, CodeHash: code, ExpiresAt: made.Add(day), At: made})
		if err != nil {
			w.t.Fatal(err)
		}
		g, err := w.reg.Redeem(ctx, ingest.Redemption{CodeHash: code, KeyHash: sha256.Sum256([]byte(id)), AgentID: uuid.NewString(), AgentVersion: "1.0", At: made})
		if err != nil {
			w.t.Fatal(err)
		}
		bodies := []protocol.Body{protocol.Declaration{Site: s.site, Contacts: []protocol.Contact{s.contact}, Recorders: []protocol.Recorder{s.recorder},
			Cameras: s.cameras, Approval: protocol.Approval{By: cmp.Or(s.approver, s.contact.Name), Role: protocol.RoleOwner, At: made}}}
		if s.clock != nil {
			bodies = append(bodies, protocol.Observation{Recorders: []protocol.RecorderObservation{{RecorderID: s.recorder.ID, At: s.clock.At, Reachable: true, Clock: s.clock}}})
		}
		for i, body := range bodies {
			at := made
			if i > 0 {
				at = noon.Add(-2 * time.Hour)
			}
			m := protocol.Message{ID: uuid.NewString(), SiteID: id, Epoch: g.Epoch, Revision: int64(i + 1), MadeAt: at, Body: body}
			raw, err := protocol.Encode(m)
			if err != nil {
				w.t.Fatal(err)
			}
			if _, err := w.reg.Record(ctx, g.AgentID, m, raw, at.Add(time.Second)); err != nil {
				w.t.Fatal(err)
			}
		}
		ids[s.site.Name] = id
	}
	return ids
}
