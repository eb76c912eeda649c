package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/dossier"
	"anagrafe/collector/registry/registrytest"
	"anagrafe/collector/trail"
)

// TestDossierCommands: a file and a key are enough, and what was altered is named
// and not shown.
func TestDossierCommands(t *testing.T) {
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	_, store := registrytest.OpenTrail(t, registrytest.Options(dir, log))
	tr, err := trail.Open(t.Context(), store, trail.Options{KeyDir: dir, PseudonymKey: make([]byte, 32), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tr.Close() })
	at := time.Date(2026, 11, 22, 11, 0, 0, 0, time.UTC)
	proof, err := tr.Append(t.Context(), trail.Entry{At: at, Actor: "u1", Kind: "search", Case: "c1"})
	if err != nil {
		t.Fatal(err)
	}
	entry, err := tr.Prove(t.Context(), proof.Index)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := dossier.Write(dossier.Head{Case: "c1", Force: "Questura", Made: at, MadeBy: "M. Rossi"},
		[]dossier.Part{{Kind: "search", At: at, By: "M. Rossi", Index: proof.Index, Body: json.RawMessage(`{"place":"Via Torino"}`)}}, []trail.Inclusion{entry}, tr.Sign)
	if err != nil {
		t.Fatal(err)
	}
	whole, altered := filepath.Join(dir, "whole"), filepath.Join(dir, "altered")
	for file, content := range map[string][]byte{whole: raw, altered: bytes.Replace(raw, []byte("Torino"), []byte("Milano"), 1)} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args []string
		exit int
		says string
	}{
		{[]string{"dossier", "verify", whole, "-key", tr.VerifierKey()}, exitDone,
			"verified: the dossier of case c1 of Questura, made by M. Rossi at 2026-11-22T11:00:00Z: not a byte was changed; proven on the trail: 1 entry"},
		{[]string{"dossier", "verify", whole, "-key", tr.VerifierKey(), "-json"}, exitDone, `"verified":true`},
		{[]string{"dossier", "show", whole, "-key", tr.VerifierKey()}, exitDone, `{"place":"Via Torino"}`},
		{[]string{"dossier", "verify", altered, "-key", tr.VerifierKey()}, exitFailed, "line 2"},
		{[]string{"dossier", "show", altered, "-key", tr.VerifierKey()}, exitFailed, "does not verify"},
		{[]string{"dossier", "verify", whole}, exitMisuse, "-key is needed"},
		{[]string{"dossier", "verify", filepath.Join(dir, "none"), "-key", tr.VerifierKey()}, exitFailed, "reading the dossier"},
	} {
		var out, problem bytes.Buffer
		got := run(t.Context(), console{nil, &out, &problem}, c.args)
		said := strings.ReplaceAll(out.String()+problem.String(), `": `, `":`)
		if got != c.exit || !strings.Contains(said, c.says) {
			t.Errorf("%v: exit %d, %s", c.args, got, said)
		}
		if c.exit != exitDone && strings.Contains(said, "Milano") {
			t.Errorf("%v shows what was altered", c.args)
		}
	}
}
