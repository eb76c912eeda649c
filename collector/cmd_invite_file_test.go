package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/basemap/maptest"
	"anagrafe/protocol/pages/pagestest"
)

// invited runs the command and reads its JSON.
func invited(t *testing.T, want int, args ...string) waveMade {
	t.Helper()
	var out, errs bytes.Buffer
	if got := run(t.Context(), console{nil, &out, &errs}, append([]string{"invite", "-json"}, args...)); got != want {
		t.Fatalf("%v: exit %d, want %d\n%s", args, got, want, &errs)
	}
	var r waveMade
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// The 999 businesses of Milan: the 120 that have ceased are left out and named. Read
// without its column of states, all 999 are invited, each with a code of its own and a
// page of its own, and by a second run nobody.
func TestInviteMilan(t *testing.T) {
	pagestest.Need(t, have("pdfinfo"), "poppler-utils are not installed: run make deps")
	file, dir := maptest.Milan(t, "business/milano_businesses.csv"), t.TempDir()
	r := invited(t, exitDone, "-file", file, "-dry-run", "-town", "Milano", "-data", filepath.Join(dir, "one"))
	if r.Lines != 999 || r.Ceased != 120 || r.Wrong != 0 || r.Invited["new"] != 879 || r.Done || len(r.Unmapped) != 0 {
		t.Errorf("with the column of states: %+v", short(r))
	}

	all := filepath.Join(dir, "all.csv")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(all, bytes.Replace(raw, []byte(",state\r\n"), []byte(",note\r\n"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	letters, data := filepath.Join(dir, "letters.pdf"), filepath.Join(dir, "data")
	args := []string{"-config", whoInvites(t, dir), "-file", all, "-town", "Milano", "-source", "albo delle botteghe storiche", "-per-day", "100", "-data", data}
	start := time.Now()
	r = invited(t, exitDone, append(args, "-letters", letters)...)
	t.Logf("999 invitations and letters in %v", time.Since(start))
	if r.Invited["new"] != 999 || r.LettersMade != 999 || r.Wave != 1 || r.LastDay.Sub(r.FirstDay) != 9*24*time.Hour {
		t.Errorf("%+v", short(r))
	}
	codes := map[string]bool{}
	for _, one := range r.Results {
		codes[one.Code] = true
	}
	if len(codes) != 999 {
		t.Errorf("%d codes", len(codes))
	}
	out, err := exec.CommandContext(t.Context(), "pdfinfo", letters).CombinedOutput()
	if err != nil || !regexp.MustCompile(`Pages:\s+999\n`).Match(out) {
		t.Errorf("%v\n%s", err, out)
	}
	again := invited(t, exitDone, args...)
	if again.Invited["open"] != 999 || again.Wave != 0 || again.Results[7].Code != r.Results[7].Code {
		t.Errorf("a second run: %+v", short(again))
	}
}

// whoInvites is a configuration that says who invites.
func whoInvites(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "collector.toml")
	if err := os.WriteFile(path, []byte("controller = \"Comune di Prova\"\ncontroller_contact = \"02 1234567\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func have(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

func short(r waveMade) waveMade {
	r.Results, r.CeasedLines, r.Letters = nil, nil, nil
	return r
}

// What is done in part exits with 3, what is not done with 1, and no empty file of
// letters stays.
func TestInviteFileExits(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file.csv")
	if err := os.WriteFile(file, []byte("nome;via;civico;email\nBar;Via Roma;1;\nBar Due;Via Roma;2;info@@bar\nBar Tre;Via Roma;3;info@bar.example.it\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	letters, config := filepath.Join(dir, "letters.pdf"), whoInvites(t, dir)
	var errs bytes.Buffer
	if got := run(t.Context(), console{nil, &errs, &errs}, []string{"invite", "-data", filepath.Join(dir, "nobody"), "-file", file,
		"-partial"}); got != exitFailed || !strings.Contains(errs.String(), "controller_contact") {
		t.Errorf("nobody invites: exit %d\n%s", got, &errs)
	}
	for _, c := range []struct {
		args string
		want int
	}{
		{"-file FILE", exitFailed},
		{"-file FILE -dry-run", exitFailed},
		{"-file FILE -letters LETTERS", exitFailed},
		{"-file FILE -partial -letters LETTERS", exitPartly},
		{"-file FILE -partial -letters LETTERS", exitFailed}, // it is there
		{"-file FILE -site Bar", exitMisuse},
		{"-site Bar -per-day 3", exitMisuse},
		{"-file FILE -letters LETTERS -dry-run", exitMisuse},
		{"-file MISSING", exitFailed},
	} {
		args := strings.Fields(strings.NewReplacer("FILE", file, "LETTERS", letters).Replace(c.args))
		var out, errs bytes.Buffer
		if got := run(t.Context(), console{nil, &out, &errs}, append([]string{"invite", "-config", config, "-data", filepath.Join(dir, "data")}, args...)); got != c.want {
			t.Errorf("%s: exit %d, want %d\n%s%s", c.args, got, c.want, &out, &errs)
		}
		if info, err := os.Stat(letters); err == nil && info.Size() == 0 {
			t.Errorf("%s: an empty file of letters stays", c.args)
		}
	}
}
