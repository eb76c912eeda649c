//go:build bench

package installer

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/collector/registry/registrytest"
	"anagrafe/protocol"
)

// backedUpCameras is how many the register has; ANAGRAFE_CAMERAS says otherwise, a
// country's 1500000 for one.
func backedUpCameras() int {
	if n, err := strconv.Atoi(os.Getenv("ANAGRAFE_CAMERAS")); err == nil && n > 0 {
		return n
	}
	return whole(100_000, 20_000)
}

const camerasASite = 20

// backupFigures backs up and restores a register on SQLite, beside
// SQLite's own copy of the file, which is neither encrypted nor of any engine.
func backupFigures(t *testing.T) []figure {
	t.Helper()
	dir := t.TempDir()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, registerName)
	filling := timed(t, func() error { fillRegister(t, dir, file); return nil })
	figures := loadFigures(t, dir, file, backedUpCameras())
	copying := timed(t, func() error {
		_, err := openSQL(t, file).ExecContext(t.Context(), "VACUUM INTO ?", filepath.Join(dir, "copy.db"))
		return err
	})
	r := registrytest.Open(t, registrytest.Options(dir, quiet))
	at := map[string]string{"backup": filepath.Join(dir, "backup"), "keys": filepath.Join(dir, "keys")}
	write := func(path string, do func(io.Writer) error) error {
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		defer f.Close()
		w := bufio.NewWriter(f)
		if err := do(w); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
		return f.Sync()
	}
	to := []age.Recipient{key.Recipient()}
	backing := timed(t, func() error {
		return write(at["backup"], func(w io.Writer) error { _, err := r.Backup(t.Context(), w, to, "1.0"); return err })
	})
	files, err := registrytest.KeyFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := write(at["keys"], func(w io.Writer) error { _, err := r.BackupKeys(t.Context(), w, to, "1.0", files); return err }); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	var done registry.Restored
	restoring := timed(t, func() (err error) {
		done, err = registry.Restore(t.Context(), registry.Restoration{Store: "sqlite:" + filepath.Join(dir, "restored.db"), Keys: registrytest.Options(dir, quiet).Keys,
			Identities: []age.Identity{key}, Log: slog.New(slog.DiscardHandler),
			Backup:     func() (io.ReadCloser, error) { return os.Open(at["backup"]) },
			KeysBackup: func() (io.ReadCloser, error) { return os.Open(at["keys"]) }})
		return err
	})
	if done.Rows < int64(backedUpCameras()) || done.Unread != 0 {
		t.Fatalf("%+v: this is no measurement", done)
	}
	size := func(path string) float64 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return float64(info.Size()) / (1 << 20)
	}
	return append(figures,
		atMost("backup", fmt.Sprintf("back up %d cameras (declared in %.0f s), against SQLite's copy of the file", backedUpCameras(), filling), backing, "s", copying, 5),
		atMost("restore", "restore them", restoring, "s", copying, 8),
		atMost("backup.size", "the backup, against the copy", size(at["backup"]), "MiB", size(filepath.Join(dir, "copy.db")), 1),
	)
}

func timed(t *testing.T, do func() error) float64 {
	t.Helper()
	start := time.Now()
	if err := do(); err != nil {
		t.Fatal(err)
	}
	return time.Since(start).Seconds()
}

// fillRegister has sites declare, many at a time.
func fillRegister(t *testing.T, dir, file string) {
	t.Helper()
	r := registrytest.Open(t, registrytest.Options(dir, quiet))
	errs := make(chan error)
	const atOnce = 64
	for w := range atOnce {
		go func() {
			var err error
			for i := w; i < backedUpCameras()/camerasASite && err == nil; i += atOnce {
				err = declareSite(t.Context(), r, i, func(*protocol.Camera) {})
			}
			errs <- err
		}()
	}
	for range atOnce {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if err := r.Close(); err != nil || t.Failed() {
		t.Fatal(err)
	}
}

// spread is where a site's camera hangs: as dense as Amsterdam's register would be
// in Milan, some 195 a square kilometre, on as much land as that takes; those of
// a site within 100 m.
func spread(site, n int) protocol.Point {
	dice := rand.New(rand.NewPCG(uint64(site), 0))
	side := math.Sqrt(float64(backedUpCameras()) / 195) // km
	lon, lat := 9.19e6+side*dice.Float64()*12_800, 45.46e6+side*dice.Float64()*9_000
	around := rand.New(rand.NewPCG(uint64(site), uint64(n)+1))
	return protocol.Point{Lon: int32(lon) + around.Int32N(1280), Lat: int32(lat) + around.Int32N(900)}
}

// declareSite has a new site declare its cameras, each as it is changed.
func declareSite(ctx context.Context, r *registry.Registry, i int, change func(*protocol.Camera)) error {
	now := time.Now().UTC()
	key := sha256.Sum256(fmt.Append(nil, i))
	site := protocol.Site{Name: fmt.Sprint("Farmacia ", i), Category: "pharmacy", Address: fmt.Sprint("via Torino ", i)}
	if _, err := r.Invite(ctx, registry.Invitation{Site: site, CodeHash: key, At: now, ExpiresAt: now.Add(time.Hour)}); err != nil {
		return err
	}
	g, err := r.Redeem(ctx, ingest.Redemption{CodeHash: key, KeyHash: key, AgentID: uuid.NewString(), AgentVersion: "1.0", At: now})
	if err != nil {
		return err
	}
	fact := protocol.Fact{Source: protocol.Confirmed, At: now}
	d := protocol.Declaration{Site: site, Recorders: []protocol.Recorder{{ID: uuid.NewString(), Vendor: "Acme", Model: "NVR-8", Name: "NVR"}},
		Contacts: []protocol.Contact{{Name: "Anna Riva", Role: protocol.RoleOwner, Phone: "+39 02 1234567"}},
		Approval: protocol.Approval{By: "Anna Riva", Role: protocol.RoleOwner, At: now}}
	direction, angle, reach := 90, 80, 40
	for n := range camerasASite {
		d.Cameras = append(d.Cameras, protocol.Camera{ID: uuid.NewString(), RecorderID: d.Recorders[0].ID, Name: fmt.Sprint("Ingresso ", n), NameFact: fact,
			Position:      protocol.Position{Point: spread(i, n), AccuracyM: 3, Method: "map", Fact: fact},
			View:          protocol.View{DirectionDeg: &direction, AngleDeg: &angle, RangeM: &reach, WidthPx: 1920, HeightPx: 1080, Fact: fact},
			Schedule:      protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: "Europe/Rome", Fact: fact},
			Retention:     protocol.Retention{Kind: protocol.RetentionAge, Age: 72 * time.Hour, Fact: fact},
			OutdoorPublic: protocol.Outdoor{Yes: true, By: "Anna", At: now}})
		change(&d.Cameras[n])
	}
	m := protocol.Message{ID: uuid.NewString(), SiteID: g.SiteID, Epoch: g.Epoch, Revision: 1, MadeAt: now, Body: d}
	raw, err := protocol.Encode(m)
	if err != nil {
		return err
	}
	_, err = r.Record(ctx, g.AgentID, m, raw, now)
	return err
}
