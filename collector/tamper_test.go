package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"anagrafe/collector/trail"
)

// program runs this program as a process of its own, in an empty directory: it has
// nothing but the files that its arguments name.
func program(t *testing.T, args ...string) (exit int, out, complaint string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, self)
	cmd.Args = append([]string{"anagrafe-collector"}, args...) // by which TestMain knows the program
	cmd.Dir, cmd.Env = t.TempDir(), []string{"HOME=/nonexistent", "TMPDIR=" + t.TempDir()}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

// evidence is what an auditor has outside the collector, and an export.
type evidence struct {
	key, witness, older string // older is a file
	export              []string
}

// watchedOffice is an office whose trail a witness co-signs.
func watchedOffice(t *testing.T, dir, witness string) *collector {
	t.Helper()
	c := defaults()
	c.Witnesses = []string{witness}
	o, err := openCollector(t.Context(), dir, c, discard())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// consults puts n searches of an officer on the trail.
func consults(t *testing.T, o *collector, n int, recipient string) {
	t.Helper()
	for range n {
		if _, err := o.trail.Append(t.Context(), trail.Entry{Actor: "officer-1", Force: "Questura", Kind: "search", Case: "case-1", Count: 2,
			Body: map[string]string{"reason": "rapina"}, Recipient: recipient}); err != nil {
			t.Fatal(err)
		}
	}
}

func exportOf(t *testing.T, o *collector) []string {
	t.Helper()
	var out bytes.Buffer
	if err := o.trail.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	return strings.SplitAfter(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func sealedTo(t *testing.T) string {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return key.Recipient().String()
}

// Whatever is done to the trail, a fresh process that has only the export, the
// public key and an older checkpoint finds it, and names the entry.
// It is long because it is one table.
func TestAFreshProcessFindsTampering(t *testing.T) {
	private, witness, err := trail.NewWitnessKey("procura.example.it")
	if err != nil {
		t.Fatal(err)
	}
	dir, at, recipient := t.TempDir(), t.TempDir(), sealedTo(t)
	yesterday := filepath.Join(at, "yesterday.db")
	o := watchedOffice(t, dir, witness)
	e := evidence{key: o.trail.VerifierKey(), witness: witness, older: filepath.Join(at, "older")}
	empty, err := o.trail.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	consults(t, o, 5, recipient)
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	copyFile(t, registerFile(dir), yesterday)
	o = watchedOffice(t, dir, witness)
	consults(t, o, 3, recipient)
	older, err := o.trail.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(e.older, older, 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := o.trail.ProveConsistency(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	cosigned, err := trail.Cosign(taken, e.key, empty, private, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.trail.AddCosignature(t.Context(), cosigned.Checkpoint); err != nil {
		t.Fatal(err)
	}
	consults(t, o, 12, recipient)
	e.export = exportOf(t, o)
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}

	// Somebody puts yesterday's register back, and the collector goes on.
	goesOn := func(n int) []string {
		for _, gone := range []string{"-wal", "-shm"} {
			os.Remove(registerFile(dir) + gone)
		}
		copyFile(t, yesterday, registerFile(dir))
		o := watchedOffice(t, dir, witness)
		defer o.Close()
		consults(t, o, n, recipient)
		return exportOf(t, o)
	}
	back, on := goesOn(1), goesOn(15)
	stranger := watchedOffice(t, t.TempDir(), witness)
	consults(t, stranger, 20, recipient)
	swapped := exportOf(t, stranger)
	if err := stranger.Close(); err != nil {
		t.Fatal(err)
	}

	if code, out, complaint := e.verify(t, e.export); code != exitDone || !strings.Contains(out, "verified: 20 entries") ||
		!strings.Contains(out, "procura.example.it has co-signed the first 8 entries") {
		t.Fatalf("untouched: exit %d: %s%s", code, out, complaint)
	}
	const n = 11 // the entry that is touched, on line n+1
	edit := func(old, new string) func([]string) []string {
		return func(lines []string) []string {
			if !strings.Contains(lines[n+1], old) {
				t.Fatalf("%s is not in %s", old, lines[n+1])
			}
			lines[n+1] = strings.Replace(lines[n+1], old, new, 1)
			return lines
		}
	}
	here := "entry 11"
	for name, c := range map[string]struct {
		do         func([]string) []string
		kind, name string // as the complaint says
	}{
		"edit of the count":     {edit(`"count":2`, `"count":0`), "edit", here},
		"edit of the time":      {edit(`"at":"2`, `"at":"3`), "edit", here},
		"edit of the force":     {edit(`"force":"Q`, `"force":"P`), "edit", here},
		"edit of the kind":      {edit(`"kind":"s`, `"kind":"t`), "edit", here},
		"edit of the actor":     {flip(n, `"actor":"`), "edit", here},
		"edit of the case":      {flip(n, `"case":"`), "edit", here},
		"edit of the body":      {flip(n, `"body":"`), "edit", here},
		"edit of the body hash": {flip(n, `"body_sha256":"`), "edit", here},
		"edit of the leaf":      {flip(n, `"hashes":["`), "edit", here},
		"edit of a node":        {flipLast(n, `","`), "edit", "entries"},
		"delete":                {func(l []string) []string { return slices.Delete(l, n+1, n+2) }, "delete", here},
		"delete of three":       {func(l []string) []string { return slices.Delete(l, n+1, n+4) }, "delete", "entries 11 to 13"},
		"insert":                {func(l []string) []string { return slices.Insert(l, n+1, l[4]) }, "insert", here},
		"insert at the end":     {func(l []string) []string { return append(l, "\n", l[4]) }, "insert", "entry 20"},
		"reorder":               {func(l []string) []string { l[n+1], l[n+3] = l[n+3], l[n+1]; return l }, "reorder", "entries 11 to 13"},
		"truncate":              {func(l []string) []string { return l[:n+1] }, "truncate", "entries 11 to 19"},
		"rolled back":           {func([]string) []string { return back }, "roll-back", "entries 6 to 7"},
		"rolled back, went on":  {func([]string) []string { return on }, "rewrite", "entries 0 to 7"},
		"swapped key":           {func([]string) []string { return swapped }, "key", ""},
		"swapped key, renamed": {func(l []string) []string {
			l[0] = strings.ReplaceAll(l[0], nameOf(e.key), nameOf(keyIn(t, swapped)))
			return l
		}, "key", ""},
		"first line's size": {func(l []string) []string { l[0] = strings.Replace(l[0], `"size":20`, `"size":21`, 1); return l }, "edit", ""},
		"first line's key":  {func(l []string) []string { l[0] = strings.Replace(l[0], e.key, keyIn(t, swapped), 1); return l }, "key", ""},
		"checkpoint's size": {func(l []string) []string { l[0] = strings.Replace(l[0], `\n20\n`, `\n19\n`, 1); return l }, "key", ""},
		"witness removed":   {func(l []string) []string { l[0] = l[0][:strings.Index(l[0], `,"cosigned"`)] + "}\n"; return l }, "witness", ""},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, complaint := e.verify(t, c.do(slices.Clone(e.export)))
			if code != exitFailed || out != "" || !strings.Contains(complaint, "does not verify ("+c.kind) || !strings.Contains(complaint, c.name) {
				t.Errorf("exit %d: %s%s", code, out, complaint)
			}
		})
	}
}

// verify runs audit verify over the lines.
func (e evidence) verify(t *testing.T, lines []string) (exit int, out, complaint string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "export")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return program(t, "audit", "verify", "-key", e.key, "-checkpoint", e.older, "-export", file, "-witness", e.witness)
}

// flip changes the first character of base64 or base32 behind a mark in entry n.
func flip(n int, mark string) func([]string) []string {
	return func(lines []string) []string {
		lines[n+1] = flipped(lines[n+1], strings.Index(lines[n+1], mark)+len(mark))
		return lines
	}
}

// flipLast does so behind the last such mark.
func flipLast(n int, mark string) func([]string) []string {
	return func(lines []string) []string {
		lines[n+1] = flipped(lines[n+1], strings.LastIndex(lines[n+1], mark)+len(mark))
		return lines
	}
}

func flipped(s string, at int) string {
	if s[at] == 'a' {
		return s[:at] + "b" + s[at+1:]
	}
	return s[:at] + "a" + s[at+1:]
}

// keyIn is the key that an export's first line names, nameOf the name in a key.
func keyIn(t *testing.T, export []string) string {
	t.Helper()
	var first struct {
		Key string `json:"verifier_key"`
	}
	if err := json.Unmarshal([]byte(export[0]), &first); err != nil {
		t.Fatal(err)
	}
	return first.Key
}

func nameOf(key string) string {
	name, _, _ := strings.Cut(key, "+")
	return name
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// The witness's command: it makes its key, begins, comes again, and stands by what
// it has signed.
// It is long because it is one way, step by step.
func TestAWitnessVisitsTheCollector(t *testing.T) {
	at := t.TempDir()
	key, checkpoint := filepath.Join(at, "witness.key"), filepath.Join(at, "signed")
	code, out, complaint := program(t, "audit", "witness", "-new", "procura.example.it", "-key-file", key)
	if code != exitDone {
		t.Fatal(complaint)
	}
	witness := strings.TrimSpace(out)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "collector.toml"), []byte("witnesses = [\""+witness+"\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := readConfig(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	config.ListenAgents, config.ListenPublic, config.ListenOps, config.ListenMetrics = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "off"
	config.ListenConsult = freePort(t, "127.0.0.1")
	config.ConsultURL = "http://" + config.ListenConsult
	o, err := openCollector(t.Context(), dir, config, discard())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- o.serve(ctx, io.Discard) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	typed(t, dir, "user", "list") // answered when all is served
	visit := func(more ...string) (int, string) {
		code, out, complaint := program(t, append([]string{"audit", "witness", "-server", config.ConsultURL, "-key", o.trail.VerifierKey(), "-key-file", key, "-checkpoint", checkpoint}, more...)...)
		return code, out + complaint
	}
	if code, said := visit(); code != exitFailed || !strings.Contains(said, "-first") {
		t.Errorf("without its own checkpoint: %d %s", code, said)
	}
	consults(t, o, 3, sealedTo(t))
	size, err := o.trail.Size(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if code, said := visit("-first"); code != exitDone || !strings.Contains(said, "co-signed: "+counted(int(size), "entry", "entries")) {
		t.Errorf("first visit: %d %s", code, said)
	}
	consults(t, o, 2, sealedTo(t))
	if code, said := visit(); code != exitDone || !strings.Contains(said, "co-signed: "+counted(int(size)+2, "entry", "entries")) {
		t.Errorf("second visit: %d %s", code, said)
	}
	all, err := o.trail.Cosignatures(t.Context())
	signed, readErr := os.ReadFile(checkpoint)
	if err != nil || readErr != nil || len(all) != 1 || all[0].Size != size+2 || !bytes.Equal(all[0].Checkpoint, signed) {
		t.Errorf("kept %+v, %v, %v", all, err, readErr)
	}
	if code, said := visit("-first"); code != exitFailed || !strings.Contains(said, "-first") {
		t.Errorf("-first where it has signed before: %d %s", code, said)
	}
	export := filepath.Join(at, "export")
	typed(t, dir, "audit", "export", export)
	if code, out, complaint := program(t, "audit", "verify", "-key", o.trail.VerifierKey(), "-checkpoint", checkpoint, "-export", export, "-witness",
		witness); code != exitDone || !strings.Contains(out, "procura.example.it") {
		t.Errorf("%d %s%s", code, out, complaint)
	}
	// A key that the collector does not know.
	stranger := filepath.Join(at, "stranger.key")
	if code, _, complaint := program(t, "audit", "witness", "-new", "procura.example.it", "-key-file", stranger); code != exitDone {
		t.Fatal(complaint)
	}
	code, _, complaint = program(t, "audit", "witness", "-server", config.ConsultURL, "-key", o.trail.VerifierKey(), "-key-file", stranger, "-checkpoint", filepath.Join(at, "other"), "-first")
	if code != exitFailed || !strings.Contains(complaint, "witnesses") {
		t.Errorf("a stranger's signature: %d %s", code, complaint)
	}
	if code, _, complaint := program(t, "audit", "witness", "-new", "x", "-key-file", key); code != exitFailed || !strings.Contains(complaint, "exists") {
		t.Errorf("a key was written over: %d %s", code, complaint)
	}
}
