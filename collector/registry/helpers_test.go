package registry

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/collector/registry/pgtest"
	"anagrafe/protocol"
)

// noon is a moment to count from.
var noon = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)

// tested is the engine that the tests of this process run on: see
// TestOnPostgreSQL.
var tested = engine(cmp.Or(os.Getenv(engineEnv), string(sqlite)))

const engineEnv = "ANAGRAFE_TEST_ENGINE"

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// TestOnPostgreSQL runs all tests of this package again on the other engine: what
// holds on one holds on both.
func TestOnPostgreSQL(t *testing.T) { onPostgreSQL(t) }

func onPostgreSQL(t *testing.T) {
	if tested == postgres {
		return // this is that run
	}
	args := []string{"-test.run=" + cmp.Or(flag.Lookup("test.run").Value.String(), "."), "-test.skip=^Test(Long)?OnPostgreSQL$", "-test.timeout=25m"}
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), engineEnv+"="+string(postgres))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// onlySQLite skips, in the run on PostgreSQL, a test of SQLite's own files.
func onlySQLite(t testing.TB) {
	t.Helper()
	if tested != sqlite {
		t.Skip("of SQLite alone")
	}
}

// onlyPostgres skips, in the run on SQLite, a test of what PostgreSQL alone can do:
// serve several collectors, and be killed on its own.
func onlyPostgres(t testing.TB) {
	t.Helper()
	if tested != postgres {
		t.Skip("of PostgreSQL alone")
	}
}

// storeAt is a register of its own for each path.
func storeAt(t testing.TB, path string) string {
	t.Helper()
	if tested == postgres {
		return pgtest.Database(t, path)
	}
	return "sqlite:" + path
}

func openAt(t testing.TB, path string) *Registry {
	t.Helper()
	return openStore(t, storeAt(t, path))
}

// testedKey is the key of consultation of all registers of these tests.
const testedKey = "AGE-SECRET-KEY-1QURSWPC8QURSWPC8QURSWPC8QURSWPC8QURSWPC8QURSWPC8QURSKMP32K"

// keysOf are those of a store, the same each time: beside SQLite's file, or in the
// directory of the server's socket.
func keysOf(store string) Keys {
	keys := Keys{Lookup: make([]byte, leastKey), Owners: bytes.Repeat([]byte{9}, leastKey), Ledger: ledgerKey}
	keys.Consult, _ = age.ParseX25519Identity(testedKey)
	if file, ok := strings.CutPrefix(store, "sqlite:"); ok {
		keys.Master = filepath.Join(filepath.Dir(file), "master.key")
	} else if u, err := url.Parse(store); err == nil {
		keys.Master = filepath.Join(u.Query().Get("host"), path.Base(u.Path)+".master.key")
	}
	return keys
}

// optionsOf are those of a store, with a ledger that begins.
func optionsOf(t testing.TB, store string) Options {
	t.Helper()
	return Options{Store: store, Keys: keysOf(store), Ledger: filepath.Join(t.TempDir(), "erased.ledger"), Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
}

func openStore(t testing.TB, store string) *Registry {
	t.Helper()
	return openWith(t, optionsOf(t, store))
}

func openWith(t testing.TB, o Options) *Registry {
	t.Helper()
	r, _, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func openNew(t testing.TB) *Registry { return openAt(t, filepath.Join(t.TempDir(), "registry.db")) }

// sender is an agent with a grant, that numbers its messages.
type sender struct {
	t        testing.TB
	r        *Registry
	agent    string
	key      [32]byte
	site     string
	epoch    int64
	revision int64
}

func enrol(t testing.TB, r *Registry, at time.Time) *sender {
	t.Helper()
	s := &sender{t: t, r: r, agent: uuid.NewString(), key: sha256.Sum256([]byte(uuid.NewString()))}
	site, err := r.Invite(context.Background(), Invitation{Site: protocol.Site{Name: "Invited", Category: "shop", Address: "Via Invito 1"},
		CodeHash: s.code("first"), ExpiresAt: at.Add(14 * 24 * time.Hour), At: at})
	if err != nil {
		t.Fatal(err)
	}
	s.site = site
	s.redeem("first", at)
	return s
}

func (s *sender) code(name string) [32]byte { return sha256.Sum256([]byte(s.agent + name)) }

func (s *sender) redeem(code string, at time.Time) protocol.Grant {
	s.t.Helper()
	g, err := s.r.Redeem(context.Background(), ingest.Redemption{CodeHash: s.code(code), KeyHash: s.key, AgentID: s.agent, AgentVersion: "1.0", At: at})
	if err != nil {
		s.t.Fatal(err)
	}
	s.epoch, s.revision = g.Epoch, 0
	return g
}

// next makes the site's next message.
func (s *sender) next(made time.Time, body protocol.Body) protocol.Message {
	s.revision++
	return protocol.Message{ID: uuid.NewString(), SiteID: s.site, Epoch: s.epoch, Revision: s.revision, MadeAt: made, Body: body}
}

func (s *sender) deliver(m protocol.Message, at time.Time) (protocol.Receipt, error) {
	s.t.Helper()
	raw, err := protocol.Encode(m)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.r.Record(context.Background(), s.agent, m, raw, at)
}

// say makes and delivers a message that must be taken.
func (s *sender) say(made time.Time, body protocol.Body) protocol.Receipt {
	s.t.Helper()
	receipt, err := s.deliver(s.next(made, body), made.Add(time.Second))
	if err != nil {
		s.t.Fatal(err)
	}
	return receipt
}

func (s *sender) history() History {
	s.t.Helper()
	h, err := s.r.History(context.Background(), s.site, time.Time{})
	if err != nil {
		s.t.Fatal(err)
	}
	return h
}

// id makes a readable UUID.
func id(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

const recorderNumber = 1000

// camera n hangs on recorder 1000.
func camera(n int, name string) protocol.Camera {
	fact := protocol.Fact{Source: protocol.Confirmed, At: noon}
	direction, angle, reach := 90, 80, 40
	return protocol.Camera{
		ID: id(n), RecorderID: id(recorderNumber), Name: name, NameFact: fact,
		Position:      protocol.Position{Point: protocol.Point{Lon: 9_190_000 + int32(n), Lat: 45_464_000}, AccuracyM: 3, Method: "map", Fact: fact},
		View:          protocol.View{DirectionDeg: &direction, AngleDeg: &angle, RangeM: &reach, WidthPx: 1920, HeightPx: 1080, Fact: fact},
		Schedule:      protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: "Europe/Rome", Fact: fact},
		Retention:     protocol.Retention{Kind: protocol.RetentionAge, Age: 72 * time.Hour, Fact: fact},
		OutdoorPublic: protocol.Outdoor{Yes: true, By: "Anna", At: noon},
	}
}

func declaration(cameras ...protocol.Camera) protocol.Declaration {
	return protocol.Declaration{
		Site:      protocol.Site{Name: "Farmacia Centrale", Category: "pharmacy", Address: "Via Torino 1"},
		Contacts:  []protocol.Contact{{Name: "Anna", Role: protocol.RoleOwner, Phone: "+39 02 1234567"}},
		Recorders: []protocol.Recorder{{ID: id(recorderNumber), Vendor: "Acme", Model: "NVR-8", Name: "NVR"}},
		Cameras:   cameras,
		Approval:  protocol.Approval{By: "Anna", Role: protocol.RoleOwner, At: noon},
	}
}

func withdrawal() protocol.Withdrawal {
	return protocol.Withdrawal{Approval: protocol.Approval{By: "Anna", Role: protocol.RoleOwner, At: noon}}
}

func sees(n int, at, oldest time.Time) protocol.Observation {
	return protocol.Observation{Cameras: []protocol.CameraObservation{{CameraID: id(n), At: at, OldestFootage: oldest}}}
}

func plainContacts(contacts []Contact) (plain []protocol.Contact) {
	for _, c := range contacts {
		plain = append(plain, c.Contact)
	}
	return plain
}
