//go:build long

package installer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"anagrafe/agent/discover/cameratest"
)

// machine is this machine's files, under a systemd and on a network of its own: what
// is changed there is changed in a copy.
type machine struct {
	t      *testing.T
	root   string
	leader string // pid of its systemd
}

// boot starts a machine: an overlay of this one's root, as a container of systemd-nspawn.
func boot(t *testing.T) machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("starting a machine needs root")
	}
	place := t.TempDir()
	mount := func(source, target, kind, options string) {
		t.Helper()
		if err := unix.Mount(source, target, kind, 0, options); err != nil {
			t.Fatalf("mounting %s: %v", kind, err)
		}
		t.Cleanup(func() { _ = unix.Unmount(target, unix.MNT_DETACH) })
	}
	mount("tmpfs", place, "tmpfs", "")
	at := func(name string) string { return filepath.Join(place, name) }
	for _, dir := range []string{"up", "work", "root"} {
		if err := os.Mkdir(at(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	mount("overlay", at("root"), "overlay", "lowerdir=/,upperdir="+at("up")+",workdir="+at("work"))
	m := machine{t: t, root: at("root")}
	m.write("/etc/machine-id", nil, 0o444)
	said, err := os.Create(at("console"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--directory="+m.root,
		"--machine="+fmt.Sprintf("anagrafe-%d", os.Getpid()), "--private-network", "--console=pipe")
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: it is in the package systemd-container (make deps)", err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		if leader, err := strconv.Atoi(m.leader); err == nil {
			_ = unix.Kill(leader, unix.SIGKILL) // and with it all that runs there: nspawn's end alone leaves them
		}
		_ = cmd.Process.Kill()
		<-ended
	})
	children := fmt.Sprintf("/proc/%d/task/%[1]d/children", cmd.Process.Pid)
	m.until("the container", func() bool {
		b, err := os.ReadFile(children)
		m.leader = strings.TrimSpace(string(b))
		if err != nil || m.leader == "" {
			return false
		}
		comm, err := os.ReadFile("/proc/" + m.leader + "/comm")
		return err == nil && strings.TrimSpace(string(comm)) == "systemd"
	})
	m.until("the machine's start", func() bool {
		state, _ := m.try("systemctl", "is-system-running")
		return strings.Contains(state, "running") || strings.Contains(state, "degraded")
	})
	m.run("ip", "link", "set", "lo", "up")
	return m
}

func (m machine) write(path string, b []byte, mode fs.FileMode) {
	m.t.Helper()
	path = filepath.Join(m.root, path)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, b, mode), os.Chmod(path, mode)); err != nil {
		m.t.Fatal(err)
	}
}

// command is one that root types on the machine.
func (m machine) command(ctx context.Context, words ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "nsenter", append([]string{"-t", m.leader, "-m", "-p", "-n", "-u", "-i", "--"}, words...)...)
}

func (m machine) try(words ...string) (string, error) {
	ctx, cancel := context.WithTimeout(m.t.Context(), patience)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := m.command(ctx, words...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%v: %w: %s", words, err, &errs)
	}
	return out.String(), nil
}

func (m machine) run(words ...string) string {
	m.t.Helper()
	out, err := m.try(words...)
	if err != nil {
		journal, _ := m.try("journalctl", "--no-pager", "-n", "40")
		m.t.Fatalf("%v\n%s", err, journal)
	}
	return out
}

func (m machine) json(into any, words ...string) {
	m.t.Helper()
	if err := json.Unmarshal([]byte(m.run(append(words, "-json")...)), into); err != nil {
		m.t.Fatalf("%v: %v", words, err)
	}
}

func (m machine) until(what string, done func() bool) {
	m.t.Helper()
	until := time.Now().Add(patience)
	for !done() {
		if time.Now().After(until) {
			journal, _ := m.try("journalctl", "--no-pager", "-n", "60")
			m.t.Fatalf("waited in vain for %s\n%s", what, journal)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// files lists what was made or changed on the machine, with its content's size, but for
// what systemd and this machine's own services write as they run.
func (m machine) files() map[string]string {
	m.t.Helper()
	all := map[string]string{}
	up := filepath.Join(filepath.Dir(m.root), "up")
	err := filepath.WalkDir(up, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, up)
		if slices.Contains([]string{"/var/log", "/var/lib/systemd", "/var/lib/postgresql", "/var/lib/prometheus", "/tmp", "/var/tmp", "/root"}, name) {
			return filepath.SkipDir
		}
		if info, err := d.Info(); err == nil && d.Type().IsRegular() {
			all[name] = strconv.FormatInt(info.Size(), 10)
		}
		return nil
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return all
}

// property is what systemd says of a service.
func (m machine) property(service, name string) string {
	return strings.TrimSpace(m.run("systemctl", "show", "--value", "--property="+name, service))
}

// plain builds a program without the race detector, whose memory no unit allows.
func plain(t *testing.T, name string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", file, "anagrafe/"+strings.TrimPrefix(name, "anagrafe-")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return read(t, file)
}

// TestTownOfMachine is no test: run by TestLongService on its machine's network it
// keeps the cameras there.
func TestTownOfMachine(t *testing.T) {
	if os.Getenv("ANAGRAFE_TOWN") == "" {
		return
	}
	lan, err := cameratest.Town(cameratest.TownOptions{Cameras: filepath.Join("..", "testdata", "cameras"), NoAuth: true})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("devices=%d\n", len(lan.Devices))
	<-t.Context().Done()
}

// Both services do all their work under systemd with the rights of their units; they
// are started again; root's commands leave them able to start; and after uninstall
// nothing is left of the agent.
// It is long because it is one way, step by step.
func TestLongService(t *testing.T) {
	agent, collector := plain(t, "anagrafe-agent"), plain(t, "anagrafe-collector")
	m := boot(t)
	before := m.files()
	m.write("/usr/bin/anagrafe-collector", collector, 0o755)
	m.write("/usr/lib/systemd/system/anagrafe-collector.service", read(t, units[1]), 0o644)
	m.write("/usr/lib/sysusers.d/anagrafe-collector.conf", read(t, filepath.Join("..", "collector", "anagrafe-collector.sysusers")), 0o644)
	m.run("systemd-sysusers", "anagrafe-collector.conf")
	m.write("/var/lib/anagrafe-collector/collector.toml", []byte("public_url = \"http://localhost\"\n"), 0o644)
	m.run("systemctl", "daemon-reload")
	m.run("systemctl", "start", "anagrafe-collector") // returns when it is ready
	var invitation struct{ Link string }
	m.json(&invitation, "anagrafe-collector", "invite", "-site", "Bar Centrale")
	if journal := m.run("journalctl", "--no-pager", "-u", "anagrafe-collector"); strings.Contains(journal, "token=") {
		t.Error("the first administrator's link is in the journal")
	}
	if mode := m.run("stat", "-c", "%a %U", "/var/lib/anagrafe-collector/first-link"); strings.TrimSpace(mode) != "600 anagrafe-collector" {
		t.Errorf("the first administrator's link: %s", mode)
	}
	withCollector := m.files()

	devices := m.town()
	m.write("/usr/local/bin/anagrafe-agent", agent, 0o755)
	m.write("/etc/anagrafe-agent/answers.toml", []byte("[enrol]\ncode = \""+invitation.Link+"\"\n"+
		"[contact]\nname = \"Anna Neri\"\nphone = \"+39 02 5550 0100\"\n[settings]\ninterfaces = [\"lo\"]\n"), 0o600)
	m.run("anagrafe-agent", "install")
	m.run("anagrafe-agent", "start")
	if said := m.run("anagrafe-agent", "open", "-first"); !strings.Contains(said, "sudo anagrafe-agent open") || strings.Contains(said, "http") {
		t.Errorf("without a terminal and a desktop open -first said %q", said)
	}
	for _, service := range []string{"anagrafe-agent", "anagrafe-collector"} {
		m.confined(service)
	}
	var status struct {
		Transport string
		Sites     []struct{ SiteID string }
	}
	m.until("the enrolment over QUIC", func() bool {
		m.json(&status, "anagrafe-agent", "status")
		return status.Transport == "h3" && len(status.Sites) == 1
	})
	var list struct{ Cameras []seenCamera }
	m.until("the cameras", func() bool {
		m.json(&list, "anagrafe-agent", "cameras")
		return len(list.Cameras) >= devices
	})
	if _, err := m.try("test", "-e", "/etc/anagrafe-agent/answers.toml"); err == nil {
		t.Error("the answer file is still there")
	}
	m.again("anagrafe-collector")
	m.again("anagrafe-agent")

	// Root, while nothing runs.
	m.run("anagrafe-agent", "stop")
	camera := list.Cameras[0].ID
	m.run("anagrafe-agent", "set", camera, "-outdoor-public", "yes", "-name", "Ingresso", "-lon", "9.19", "-lat", "45.4641")
	m.run("anagrafe-agent", "approve", camera, "-by", "Anna Neri")
	m.run("anagrafe-agent", "start")
	var box struct {
		Messages []struct{ Kind, State string }
	}
	m.until("the declaration", func() bool {
		m.json(&box, "anagrafe-agent", "outbox")
		return slices.Contains(box.Messages, struct{ Kind, State string }{"declaration", "acknowledged"})
	})
	journal := m.run("journalctl", "--no-pager", "-u", "anagrafe-agent", "-o", "json", "-p", "info")
	if logged := regexp.MustCompile(`"MESSAGE":"[^"]*level=INFO`); !logged.MatchString(journal) || strings.Contains(journal, `"MESSAGE":"<`) {
		t.Error("the agent's log has no priorities")
	}
	if warnings := m.run("journalctl", "--no-pager", "-u", "anagrafe-agent", "-o", "cat", "-p", "warning"); strings.Contains(warnings, "level=INFO") {
		t.Errorf("the journal takes for a warning:\n%s", warnings)
	}
	if _, code, _ := strings.Cut(invitation.Link, "#code="); code == "" || strings.Contains(m.run("journalctl", "--no-pager", "-o", "cat"), code) {
		t.Error("the code is in the journal")
	}

	if said := m.run("anagrafe-agent", "uninstall", "-withdraw", "-purge"); !strings.Contains(said, "Ritirata") {
		t.Errorf("uninstall said %q", said)
	}
	m.run("rm", "/usr/local/bin/anagrafe-agent")
	m.run("rmdir", "/etc/anagrafe-agent")
	after := m.files()
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if strings.HasPrefix(name, "/var/lib/anagrafe-collector/") ||
			slices.Contains([]string{"/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/subuid", "/etc/subgid"}, name) { // userdel's copies
			continue
		}
		if was, there := withCollector[name]; !there || was != after[name] {
			t.Errorf("left of the agent: %s, %s bytes (before %q)", name, after[name], was)
		}
	}
	if len(before) == 0 || len(after) <= len(before) {
		t.Error("the lists of files say nothing")
	}
}

// town starts the cameras on the machine's network.
func (m machine) town() (devices int) {
	m.t.Helper()
	self, err := os.Executable()
	if err != nil {
		m.t.Fatal(err)
	}
	cmd := exec.Command("nsenter", "-t", m.leader, "-n", "--", self, "-test.run=^TestTownOfMachine$")
	cmd.Env = append(os.Environ(), "ANAGRAFE_TOWN=1")
	said := filepath.Join(m.t.TempDir(), "town")
	out, err := os.Create(said)
	if err != nil {
		m.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	m.until("the cameras", func() bool {
		found := regexp.MustCompile(`devices=(\d+)`).FindSubmatch(read(m.t, said))
		if found == nil {
			return false
		}
		devices, err = strconv.Atoi(string(found[1]))
		return err == nil && devices > 0
	})
	return devices
}

// confined reads of the process itself what it may do.
func (m machine) confined(service string) {
	m.t.Helper()
	pid := m.property(service, "MainPID")
	status := m.run("cat", "/proc/"+pid+"/status")
	for _, want := range []string{"CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"} {
		if !strings.Contains(status, want) {
			m.t.Errorf("%s runs without %q:\n%s", service, want, status)
		}
	}
	if user := strings.TrimSpace(m.run("stat", "-c", "%U", "/proc/"+pid)); user != service {
		m.t.Errorf("%s runs as %q", service, user)
	}
	m.t.Logf("%s: %s", service, regexp.MustCompile(`VmHWM:.*`).FindString(status))
}

// again kills a service, and waits until systemd has started it again.
func (m machine) again(service string) {
	m.t.Helper()
	pid := m.property(service, "MainPID")
	m.run("kill", "-9", pid)
	m.until("the restart of "+service, func() bool {
		now := m.property(service, "MainPID")
		return now != "0" && now != pid && m.property(service, "ActiveState") == "active"
	})
}
