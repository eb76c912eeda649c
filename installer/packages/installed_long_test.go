//go:build long

package main

import (
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	_ "github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
)

const older = "0.0.9" // the version that is upgraded from

// dirOlder is where the earlier version's packages are, once madeOlder has made them.
const dirOlder = "../../build/packages-older"

var madeOlder sync.Once

// earlier makes the packages of an earlier version, of the programs of now: once for
// all tests.
func earlier(t *testing.T) {
	t.Helper()
	madeOlder.Do(func() {
		if err := os.RemoveAll(dirOlder); err != nil {
			t.Fatal(err)
		}
		_, epoch := bears(t)
		script(t, "../..", older, epoch, "pack", "amd64", "build/linux-amd64", "build/packages-older")
	})
}

// oldInventory writes what an earlier version of the agent has left in its directory:
// one camera, which its owner keeps out of the register. Every schema can be met; which one
// it is, the log says.
func oldInventory(t *testing.T, dir string, uid, gid int) {
	t.Helper()
	files := os.DirFS("../../agent/inventory/schema")
	all, err := fs.Glob(files, "*.sql")
	if err != nil || len(all) == 0 {
		t.Fatalf("the inventory's schemas: %v, %v", all, err)
	}
	var newest, version int64
	if _, err := fmt.Sscanf(all[len(all)-1], "%d", &newest); err != nil {
		t.Fatal(err)
	}
	version = 1 + rand.Int64N(newest)
	t.Logf("seed: the inventory has schema %d, the newest is %d", version, newest)
	if old, err := filepath.Glob(filepath.Join(dir, "inventory.db*")); err == nil {
		for _, file := range old {
			_ = os.Remove(file)
		}
	}
	file := filepath.Join(dir, "inventory.db")
	db, err := sql.Open("sqlite3", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`INSERT INTO device (id, kind, vendor, model, firmware, hardware_id, serial, macs, endpoint, address, name, methods, zone, needs, problems, first_seen, seen, answered, reachable)
		VALUES ('3d7ce2b0-5e55-4a3e-8a4c-000000000001', 'recorder', 'Acme', 'NVR', '1', '', '', '[]', '', '192.0.2.7:80', 'Registratore', '[]', '', 'nothing', '[]', 1, 1, 1, 1)`,
		`INSERT INTO camera (id, device_id, channel, seen, found_name, found_at, width_px, height_px, turns, infrared, view_at, schedule, retention,
		name, name_at, outdoor_by, outdoor_at, accuracy_m, placed_by, placed_at, aimed_at, decision, decided_by, decided_at)
		VALUES ('3d7ce2b0-5e55-4a3e-8a4c-000000000002', '3d7ce2b0-5e55-4a3e-8a4c-000000000001', '1', 1, 'Magazzino', 1, 0, 0, 0, 0, 1, '{}', '{}',
		'', 0, '', 0, 0, '', 0, 0, 'refused', 'Anna Neri', 1)`,
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%v: %s", err, statement)
		}
	}
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(file, uid, gid); err != nil {
		t.Fatal(err)
	}
}

// manager is how one kind of package is installed, upgraded and removed.
type manager struct {
	old, new        string // packages, in the machine
	install, remove []string
	purge           []string // nil: it knows none
}

// agentLife takes the agent from its first installation to its end: it starts, its
// owner is given a link, an older inventory is there after the upgrade with its data,
// removal keeps it, and purge does not.
// It is long because it is one way, step by step.
func (m *machine) agentLife(pm manager) {
	t := m.t
	t.Helper()
	const name, data = "anagrafe-agent", "/var/lib/anagrafe-agent"
	version, _ := bears(t)
	install := func(file string) string { return m.run(append(pm.install, file)...) }
	keepsCamera := func(after string) {
		t.Helper()
		if cameras := m.run(name, "cameras"); !strings.Contains(cameras, "Magazzino") {
			t.Errorf("after %s the inventory has %q", after, cameras)
		}
	}

	answers := filepath.Join(m.root, "etc", name, "answers.toml")
	if err := os.MkdirAll(filepath.Dir(answers), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(answers, []byte("[settings]\nname = \"Anna Neri\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Here is no screen and no terminal: a log is told how to get the link, and not the link.
	if said := install(pm.old); !strings.Contains(said, "sudo anagrafe-agent open") || strings.Contains(said, "token=") {
		t.Errorf("installing does not say how the owner goes on, or says the link to a log: %s", said)
	}
	if said := m.run(name, "open", "-print"); !strings.Contains(said, "http://127.0.0.1:8480/open?token=") {
		t.Errorf("there is no link: %s", said)
	}
	if !m.active(name) || m.unit(name, "UnitFileState") != "enabled" {
		t.Error("the agent does not run after it was installed")
	}
	byManager := pm.install[0] != "sh" // the tar's own script is none
	if off := strings.Contains(m.run("systemctl", "show", "-p", "Environment", name), "ANAGRAFE_AGENT_MANAGED=1"); off != byManager {
		t.Errorf("a package manager looks after the program: %v, and the program knows: %v", byManager, off)
	}
	if m.has("/etc/"+name+"/answers.toml") || !m.has(data+"/agent.toml") {
		t.Error("the answer file is not taken")
	}
	if info, err := os.Stat(m.root + data); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%s: %v, %v", data, info, err)
	}

	m.run("systemctl", "stop", name)
	uid, gid := m.user(name)
	oldInventory(t, m.root+data, uid, gid)
	m.run("systemctl", "start", name)
	before := m.unit(name, "MainPID")
	said := install(pm.new)
	if !m.active(name) || m.unit(name, "MainPID") == before {
		t.Errorf("the upgrade did not restart the agent: %s", said)
	}
	if strings.Contains(said, "token=") {
		t.Error("an upgrade opens the owner's page")
	}
	if got := strings.TrimSpace(m.run(name, "version")); got != name+" v"+version {
		t.Errorf("after the upgrade it is %q, not %s", got, version)
	}
	keepsCamera("the upgrade")

	if said := m.run(pm.remove...); strings.Contains(said, "usage:") || strings.Contains(said, "could not be") {
		t.Errorf("removing: %s", said)
	}
	if m.has("/usr/bin/"+name) || m.has("/usr/lib/systemd/system/"+name+".service") || !m.has(data+"/inventory.db") {
		t.Error("removal leaves the program, or deletes the data")
	}
	if state, _ := m.try("systemctl", "is-active", name); strings.TrimSpace(state) == "active" {
		t.Error("it runs after it was removed")
	}
	install(pm.new)
	if !m.active(name) {
		t.Error("it does not run after it was installed again")
	}
	keepsCamera("it was installed again")

	m.run(pm.remove...)
	if pm.purge == nil {
		return
	}
	m.run(pm.purge...)
	if _, err := m.try("id", name); err == nil || m.has(data) || m.has("/etc/"+name) || m.has("/etc/systemd/system/multi-user.target.wants/"+name+".service") {
		t.Errorf("purge leaves the user, %s or the service", data)
	}
}

// collectorLife: it waits to be configured, an upgrade restarts it, removal keeps the
// register and purge deletes it.
func (m *machine) collectorLife(pm manager) {
	t := m.t
	t.Helper()
	const name, data = "anagrafe-collector", "/var/lib/anagrafe-collector"
	if said := m.run(append(pm.install, pm.old)...); !strings.Contains(said, data+"/collector.toml") {
		t.Errorf("installing does not say how to go on: %s", said)
	}
	if m.unit(name, "ActiveState") != "inactive" || m.has(data+"/registry.db") {
		t.Error("the collector was started before it was configured")
	}
	uid, gid := m.user(name)
	settings := filepath.Join(m.root, data, "collector.toml")
	if err := os.WriteFile(settings, []byte("public_url = \"http://localhost:8080\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(settings, uid, gid); err != nil {
		t.Fatal(err)
	}
	m.run("systemctl", "enable", "--now", name)
	before := m.unit(name, "MainPID")
	m.run(append(pm.install, pm.new)...)
	if !m.active(name) || m.unit(name, "MainPID") == before {
		t.Error("the upgrade did not restart the collector")
	}
	m.run(pm.remove...)
	if m.has("/usr/bin/"+name) || !m.has(data+"/registry.db") || !m.has(data+"/keys/master.key") {
		t.Error("removal leaves the program, or deletes the register")
	}
	if pm.purge == nil {
		return
	}
	m.run(pm.purge...)
	if _, err := m.try("id", name); err == nil || m.has(data) || m.has("/etc/systemd/system/multi-user.target.wants/"+name+".service") {
		t.Errorf("purge leaves the user, %s or the service", data)
	}
}

func TestLongDeb(t *testing.T) {
	earlier(t)
	root := copyRoot(t)
	life := func(name string) manager {
		return manager{
			old: put(t, root, filepath.Join(dirOlder, name+"_"+older+"_amd64.deb")), new: put(t, root, made(t, name+"_*_amd64.deb")),
			install: []string{"dpkg", "-i"}, remove: []string{"dpkg", "-r", name}, purge: []string{"dpkg", "-P", name},
		}
	}
	agent, collector, publish := life("anagrafe-agent"), life("anagrafe-collector"), life("anagrafe-publish")
	m := boot(t, root)
	m.agentLife(agent)
	m.collectorLife(collector)
	m.publishLife(publish)
}

// rpm runs where dpkg knows nothing of the packages and none of Debian's helpers is
// there; what the packages require is there without rpm knowing.
func TestLongRpm(t *testing.T) {
	earlier(t)
	root := copyRoot(t)
	if err := os.Remove(filepath.Join(root, "usr/bin/deb-systemd-invoke")); err != nil {
		t.Fatal(err)
	}
	life := func(name string) manager {
		return manager{
			old: put(t, root, filepath.Join(dirOlder, name+"-"+older+"-1.x86_64.rpm")), new: put(t, root, made(t, name+"-*.x86_64.rpm")),
			install: []string{"rpm", "-U", "--nodeps"}, remove: []string{"rpm", "-e", name},
		}
	}
	agent, collector, publish := life("anagrafe-agent"), life("anagrafe-collector"), life("anagrafe-publish")
	m := boot(t, root)
	m.agentLife(agent)
	m.collectorLife(collector)
	m.publishLife(publish)
}

// The tar goes where neither dpkg nor rpm does.
func TestLongTar(t *testing.T) {
	earlier(t)
	root := copyRoot(t)
	life := func(name string) manager {
		version, _ := bears(t)
		new, before := put(t, root, made(t, name+"-*-linux-amd64.tar.gz")), put(t, root, filepath.Join(dirOlder, name+"-"+older+"-linux-amd64.tar.gz"))
		at := func(version string) string { return "/opt/" + name + "-" + version + "-linux-amd64/install.sh" }
		return manager{
			old: before, new: new,
			install: []string{"sh", "-euc", `tar xzf "$1" -C /opt && f=${1##*/} && /opt/"${f%.tar.gz}"/install.sh`, "sh"},
			remove:  []string{at(version), "--remove"}, purge: []string{at(version), "--purge"},
		}
	}
	agent, collector, publish := life("anagrafe-agent"), life("anagrafe-collector"), life("anagrafe-publish")
	m := boot(t, root)
	m.agentLife(agent)
	m.collectorLife(collector)
	m.publishLife(publish)
}
