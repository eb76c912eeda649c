//go:build long

package installer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestLongUpdateUnanswered: the channel answers 503, first while a program is fetched,
// which then goes on where it stopped, and then while that one is on trial, which the
// trial does not mind.
func TestLongUpdateUnanswered(t *testing.T) {
	tn, p, agent := updating(t)
	// A program that goes on once this test lets it.
	gate := filepath.Join(t.TempDir(), "gate")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	next := t.TempDir()
	waiting := filepath.Join(next, "waiting")
	script := "#!/bin/sh\nread -r _ <'" + gate + "'\nexec '" + builtAgent(t, next, "v1.1.0", "") + "' \"$@\"\n"
	if err := os.WriteFile(waiting, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	p.release("v1.1.0", waiting)

	programs, err := filepath.Glob(filepath.Join(p.channel, "targets", "*"))
	if err != nil || len(programs) != 1 {
		t.Fatalf("%q, %v", programs, err)
	}
	back := unreadable(t, programs[0])
	v := tn.look(agent, "the refusal of the program", func(v versionsSeen) bool { return strings.Contains(v.Wrong, "503") })
	if v.Version != "v1.0.0" || len(v.Failed) > 0 {
		t.Errorf("%+v", v)
	}
	back()

	agent.until("the agent to be asked to look", func() bool { return !tn.versions("look").unanswered })
	var open *os.File
	agent.until("the trial", func() (begun bool) {
		open, err = os.OpenFile(gate, os.O_WRONLY|syscall.O_NONBLOCK, 0) // ENXIO: nobody waits there
		return err == nil
	})
	back = unreadable(t, filepath.Join(p.channel, "timestamp.json"))
	if _, err := open.WriteString("go on\n"); err != nil {
		t.Fatal(err)
	}
	if err := open.Close(); err != nil {
		t.Fatal(err)
	}
	agent.until("the version that was on trial", func() bool { return tn.versions().Version == "v1.1.0" })
	v = tn.look(agent, "the refusal of the timestamp", func(v versionsSeen) bool { return strings.Contains(v.Wrong, "503") })
	if v.Version != "v1.1.0" || len(v.Failed) > 0 {
		t.Errorf("%+v", v)
	}
	back()
	tn.look(agent, "the channel", func(v versionsSeen) bool { return v.Wrong == "" && !v.LookedAt.IsZero() })
	agent.until("ops to see it", func() bool { return tn.seenByOps() == "v1.1.0" })
}

// unreadable has the collector answer 503 for a file of the channel, until back.
func unreadable(t *testing.T, file string) (back func()) {
	t.Helper()
	move := func(from, to string) {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	kept := filepath.Join(t.TempDir(), "kept")
	move(file, kept)
	if err := os.Symlink(filepath.Base(file), file); err != nil { // to itself
		t.Fatal(err)
	}
	return func() { move(kept, file) }
}

// TestLongUpdateOtherSchema: a version that brings the inventory to a schema which the
// one before refuses, and then fails its trial. The one before goes on with all that it
// knew, also when it is killed and started again, and ops see which one failed.
func TestLongUpdateOtherSchema(t *testing.T) {
	tn, p, agent := updating(t)
	agent.until("a camera", func() bool { return len(tn.cameras()) > 0 })
	known := seenCamera{tn.cameras()[0].ID, "declared"}
	tn.agent("set", known.ID, "-outdoor-public", "yes", "-name", "Ingresso", "-lon", "9.19", "-lat", "45.4641")
	tn.agent("approve", known.ID)
	dir := t.TempDir()
	marker := filepath.Join(dir, "migrated")
	p.release("v1.1.0", builtAgent(t, dir, "v1.1.0", laterSchema(t, dir, marker)))

	v := tn.look(agent, "the way back", func(v versionsSeen) bool { return len(v.Failed) == 1 })
	if v.Version != "v1.0.0" || v.Failed[0].Version != "v1.1.0" || v.Failed[0].Why != "crash" {
		t.Errorf("%+v", v)
	}
	if _, err := os.Stat(marker); err != nil {
		t.Fatalf("the version that failed never had the inventory: %v", err)
	}
	agent.until("ops to see it", func() bool { return tn.seenByOps() == "v1.0.0+back.v1.1.0.crash" })
	agent.kill()
	agent.start(t)
	agent.until("the version before", func() bool { return tn.versions().Version == "v1.0.0" })
	if now := tn.cameras(); !slices.Contains(now, known) {
		t.Errorf("of the camera that was confirmed it knows %+v", now)
	}
	if left, err := filepath.Glob(filepath.Join(tn.agentDir, "inventory.before*")); err != nil || len(left) > 0 {
		t.Errorf("copies of the inventory are left: %v, %v", left, err)
	}
}

// laterSchema is an overlay by which the agent has one step more in its schema, and
// ends in its trial once it has taken that.
func laterSchema(t *testing.T, dir, marker string) (overlay string) {
	t.Helper()
	const trial = "func (s *agent) prove(ctx context.Context, parent *update.Parent) error {\n"
	source := string(read(t, filepath.Join("..", "agent", "update.go")))
	changed := strings.Replace(source, trial, trial+"\tif parent != nil && parent.Trial {\n\t\t_ = os.WriteFile(\""+marker+"\", nil, 0o600)\n\t\tos.Exit(3)\n\t}\n", 1)
	if changed == source {
		t.Fatal("the agent's trial begins elsewhere")
	}
	replace := map[string]string{}
	for name, text := range map[string]string{
		"update.go":                        changed,
		"inventory/schema/99999_later.sql": "-- +goose Up\nCREATE TABLE later (id INTEGER PRIMARY KEY);\n",
	} {
		file := filepath.Join(dir, filepath.Base(name))
		write(t, file, text, 0o600)
		replace[absolute(t, filepath.Join("..", "agent", name))] = file
	}
	raw, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlay = filepath.Join(dir, "overlay.json")
	write(t, overlay, string(raw), 0o600)
	return overlay
}
