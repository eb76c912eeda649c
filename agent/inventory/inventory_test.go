package inventory

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// noon is when the tests take place.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

const (
	siteA = "0d5b1c4e-3a57-4b0e-9d4f-6a1de2a7c001"
	siteB = "0d5b1c4e-3a57-4b0e-9d4f-6a1de2a7c002"
)

// open opens the inventory of dir; the clock stands at noon until moved.
func open(t *testing.T, dir string) *Inventory {
	t.Helper()
	v, err := Open(t.Context(), dir, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	v.now = func() time.Time { return noon }
	t.Cleanup(func() { v.Close() })
	return v
}

// cameraDevice is a camera that keeps its own footage; n tells it from others.
func cameraDevice(n byte) interrogate.Device {
	return interrogate.Device{
		Sighting: discover.Sighting{
			Endpoint: "urn:uuid:5f5a69c2-e0ae-504f-829b-0000000000" + string([]byte{'a' + n/16, 'a' + n%16}),
			Address:  netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 168, 7, 10 + n}), 80),
			Methods:  []discover.Method{discover.MethodTransmitter},
		},
		Kind: interrogate.KindCamera, Vendor: "Ditta", Model: "Modello 3", Firmware: "1.2",
		Serial: "SERIALE70" + string([]byte{'0' + n/10, '0' + n%10}), Name: "Ingresso",
		MACs:  []string{"02:11:22:33:44:" + string([]byte{'0' + n/10, '0' + n%10})},
		Clock: &protocol.Clock{OffsetMs: 1500, UncertaintyMs: 500, Method: "onvif GetSystemDateAndTime", At: noon},
		Needs: interrogate.NeedsNothing, Answered: true,
		Channels: []interrogate.Channel{channel("src_1", "Ingresso via Torino")},
	}
}

func channel(id, name string) interrogate.Channel {
	measured := protocol.Fact{Source: protocol.Measured, At: noon}
	return interrogate.Channel{
		ID: id, Name: name, WidthPx: 1920, HeightPx: 1080,
		Schedule:  protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: "Europe/Rome", Fact: measured},
		Retention: protocol.Retention{Kind: protocol.RetentionAge, Age: 72 * time.Hour, OldestFootage: noon.Add(-70 * time.Hour), ObservedAt: noon, Fact: measured},
		Facts:     map[string]interrogate.Fact{"name": {Fact: measured}, "resolution": {Fact: measured}, "schedule": {Fact: measured}, "retention": {Fact: measured}},
	}
}

func record(t *testing.T, v *Inventory, at time.Time, found ...interrogate.Device) {
	t.Helper()
	if err := v.Record(t.Context(), found, at); err != nil {
		t.Fatal(err)
	}
}

func cameras(t *testing.T, v *Inventory) []Camera {
	t.Helper()
	return view(t, v).Cameras
}

func view(t *testing.T, v *Inventory) View {
	t.Helper()
	w, err := v.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func asker(t *testing.T, v *Inventory, log *slog.Logger) *interrogate.Asker {
	t.Helper()
	a, err := interrogate.New(interrogate.Options{Memory: v, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func outbox(t *testing.T, v *Inventory) []Sent {
	t.Helper()
	all, err := v.Outbox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// outdoors answers and places a camera.
func outdoors(t *testing.T, v *Inventory, id string, yes bool) {
	t.Helper()
	err := v.Set(t.Context(), id, Edit{Outdoor: &yes, Lon: new(9.1859), Lat: new(45.4641), Direction: new(90), Angle: new(80), RangeM: new(30), By: "Anna Neri"})
	if err != nil {
		t.Fatal(err)
	}
}

func enrol(t *testing.T, v *Inventory, siteID string) {
	t.Helper()
	err := v.AddGrant(t.Context(), protocol.Grant{SiteID: siteID, SiteName: "Bar Centrale", Category: "bar-restaurant",
		Address: "via Torino 1, Milano", Epoch: 1, From: noon.Add(-time.Hour)}, "https://collettore.example:8443")
	if err != nil {
		t.Fatal(err)
	}
}

func contact(t *testing.T, v *Inventory) {
	t.Helper()
	if err := v.SetContact(t.Context(), "", protocol.Contact{Name: "Anna Neri", Role: protocol.RoleOwner, Phone: "+39 02 1234567"}); err != nil {
		t.Fatal(err)
	}
}

func approve(t *testing.T, v *Inventory, ids ...string) []Result {
	t.Helper()
	results, err := v.Approve(t.Context(), Selection{IDs: ids}, protocol.Approval{By: "Anna Neri"})
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// declared is an inventory with n cameras in the register, all acknowledged.
func declared(t *testing.T, n byte) (*Inventory, []Camera) {
	t.Helper()
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	contact(t, v)
	var found []interrogate.Device
	for i := range n {
		found = append(found, cameraDevice(i))
	}
	record(t, v, noon, found...)
	var ids []string
	for _, c := range cameras(t, v) {
		outdoors(t, v, c.ID, true)
		ids = append(ids, c.ID)
	}
	for _, r := range approve(t, v, ids...) {
		if r.Error != "" || len(r.Missing) > 0 {
			t.Fatalf("approve: %+v", r)
		}
	}
	deliver(t, v)
	return v, cameras(t, v)
}

// receipt is what a collector of before gives for a message: unsigned, without a
// code.
func receipt(id string, raw []byte) protocol.Receipt {
	return protocol.Receipt{MessageID: id, SHA256: sum(raw), RecordedAt: noon}
}

// deliver acknowledges all that waits.
func deliver(t *testing.T, v *Inventory) {
	t.Helper()
	for {
		id, _, raw, ok, err := v.Next(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return
		}
		if err := v.Acknowledge(t.Context(), receipt(id, raw), "h3"); err != nil {
			t.Fatal(err)
		}
	}
}

func last[T protocol.Body](t *testing.T, v *Inventory) T {
	t.Helper()
	all := outbox(t, v)
	if len(all) == 0 {
		t.Fatal("the outbox is empty")
	}
	body, ok := all[len(all)-1].Message.Body.(T)
	if !ok {
		t.Fatalf("the last message is a %s", all[len(all)-1].Kind)
	}
	return body
}

// files gives every byte of the directory's database files.
func files(t *testing.T, dir string) []byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "inventory.db*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no database files in %s: %v", dir, err)
	}
	var all bytes.Buffer
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.Bytes()
}

func TestOpenMakesFilesForTheOwnerAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "with ?, # and %41 in its name")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	v := open(t, dir)
	record(t, v, noon, cameraDevice(0))
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) < 2 {
		t.Fatalf("%d files: %v", len(entries), err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", e.Name(), info.Mode())
		}
	}
}

func TestOpenRefusesANewerSchema(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir)
	if _, err := v.writer.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`); err != nil {
		t.Fatal(err)
	}
	v.Close()
	_, err := Open(t.Context(), dir, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "newer program") {
		t.Fatalf("got %v", err)
	}
}

func TestPragmas(t *testing.T) {
	v := open(t, t.TempDir())
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "secure_delete": "1"} {
		var got string
		if err := v.writer.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", pragma, got, err, want)
		}
	}
	if _, err := v.reader.Exec(`DELETE FROM camera`); err == nil {
		t.Error("a reader may write")
	}
	rows, err := v.reader.Query(`SELECT name FROM pragma_table_list WHERE schema = 'main' AND NOT strict AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		t.Errorf("table %s is not STRICT", name)
	}
}

// A full disk costs the decision that was being made, and says what to do.
func TestDiskFull(t *testing.T) {
	v, all := declared(t, 1)
	var pages int
	if err := v.writer.QueryRowContext(t.Context(), `PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := v.writer.ExecContext(t.Context(), fmt.Sprintf(`PRAGMA max_page_count = %d`, pages)); err != nil {
		t.Fatal(err)
	}
	var err error
	for i := 0; err == nil && i < 100; i++ {
		_, err = v.Approve(t.Context(), Selection{IDs: []string{all[0].ID}}, protocol.Approval{})
	}
	if err == nil || !strings.Contains(err.Error(), "make room") {
		t.Errorf("got %v", err)
	}
}
