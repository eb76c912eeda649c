package dossier

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"anagrafe/collector/act"
	"anagrafe/collector/registry/registrytest"
	"anagrafe/collector/trail"
)

var noon = time.Date(2026, 11, 22, 11, 0, 0, 0, time.UTC)

// openTrail opens a trail in a register of its own.
func openTrail(t testing.TB) *trail.Trail {
	t.Helper()
	dir := t.TempDir()
	_, store := registrytest.OpenTrail(t, registrytest.Options(dir, slog.New(slog.DiscardHandler)))
	tr, err := trail.Open(t.Context(), store, trail.Options{KeyDir: dir, PseudonymKey: make([]byte, 32), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tr.Close() })
	return tr
}

// input is a case with three acts, of which two are on the trail.
func input(t testing.TB, tr *trail.Trail) (Head, []Part, []trail.Inclusion) {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	parts := []Part{{Kind: "case", At: noon, Index: NoEntry, Body: json.RawMessage(`{"kind":"annotation","ref":"7/2026"}`)}}
	var entries []trail.Inclusion
	for _, kind := range []act.Kind{act.Search, act.Reveal} {
		p, err := tr.Append(t.Context(), trail.Entry{At: noon, Actor: "u1", Force: "Questura", Kind: kind, Case: "c1", Recipient: key.Recipient().String()})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, Part{Kind: string(kind), At: noon, By: "M. Rossi", Index: p.Index, Body: json.RawMessage(`{"site_name":"Bar <Centrale>"}`)})
	}
	for _, p := range parts[1:] {
		e, err := tr.Prove(t.Context(), p.Index)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	return Head{Case: "c1", Force: "Questura", Made: noon, MadeBy: "M. Rossi", VerifierKey: tr.VerifierKey()}, parts, entries
}

func written(t testing.TB, tr *trail.Trail) []byte {
	t.Helper()
	h, parts, entries := input(t, tr)
	raw, err := Write(h, parts, entries, tr.Sign)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestVerify(t *testing.T) {
	tr := openTrail(t)
	d, err := Verify(written(t, tr), tr.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	if d.Head.Case != "c1" || len(d.Parts) != 3 || len(d.Entries) != 2 || d.Entries[1].Kind != "reveal" || d.Entries[1].Covered != 2 ||
		string(d.Parts[2].Body) != `{"site_name":"Bar \u003cCentrale\u003e"}` {
		t.Errorf("%+v", d)
	}
}

// TestEachByte: whatever one byte becomes, it is found, and the line is named.
func TestEachByte(t *testing.T) {
	tr := openTrail(t)
	raw := written(t, tr)
	vkey, n := tr.VerifierKey(), bytes.Count(raw, []byte("\n"))
	for i := range raw {
		for _, flip := range []byte{0x01, 0x20} {
			altered := bytes.Clone(raw)
			altered[i] ^= flip
			_, err := Verify(altered, vkey)
			bad, ok := errors.AsType[*Altered](err)
			if !ok {
				t.Fatalf("byte %d, %q made %q: %v", i, raw[i], altered[i], err)
			}
			at := bytes.Count(raw[:i], []byte("\n")) + 1
			// A line feed that goes, or comes, moves all that follows.
			if bad.Line != at && raw[i] != '\n' && altered[i] != '\n' && at < n {
				t.Fatalf("byte %d is in line %d of %d: %v", i, at, n, err)
			}
		}
	}
}

func TestAlteredLines(t *testing.T) {
	tr := openTrail(t)
	raw := written(t, tr)
	lines := strings.SplitAfter(string(raw), "\n")
	lines = lines[:len(lines)-1]
	n := len(lines)
	foreign := strings.SplitAfter(string(written(t, openTrail(t))), "\n")
	for _, c := range []struct {
		name string
		file []string
		line int
		why  string
	}{
		{"a line deleted", append(lines[:2:2], lines[3:]...), 3, "stood before it is missing"},
		{"a line inserted", append(append(lines[:2:2], lines[1]), lines[2:]...), 3, "not the one"},
		{"two lines swapped", append([]string{lines[0], lines[2], lines[1]}, lines[3:]...), 2, ""},
		{"cut short", lines[:n-2], n - 2, "last line"},
		{"the last line but one gone", append(lines[:n-2:n-2], lines[n-1]), n - 1, "missing here"},
		{"without its end", append(lines[:n-1:n-1], strings.TrimSuffix(lines[n-1], "\n")), n, "cut short"},
		{"something added", append(lines[:n:n], "x"), n + 1, "something was added"},
		{"a line added", append(lines[:n:n], "{}\n"), n + 1, "last line"},
		{"the end of another", append(lines[:n-1:n-1], foreign[n-1]), n, "key given"},
		{"nothing", nil, 0, "cut short"},
	} {
		_, err := Verify([]byte(strings.Join(c.file, "")), tr.VerifierKey())
		bad, ok := errors.AsType[*Altered](err)
		if !ok || bad.Line != c.line || !strings.Contains(bad.Why, c.why) {
			t.Errorf("%s: %v, want line %d: %s", c.name, err, c.line, c.why)
		}
	}
	if _, err := Verify(raw, openTrail(t).VerifierKey()); err == nil {
		t.Error("a file verified with another key")
	}
	if _, err := Verify(raw, ""); err == nil || !strings.Contains(err.Error(), "no key") {
		t.Errorf("a file verified without a key: %v", err)
	}
}

// TestIncomplete: what the signer itself left out, or mixed in, is found too.
func TestIncomplete(t *testing.T) {
	tr := openTrail(t)
	for name, change := range map[string]func(Head, []Part, []trail.Inclusion) (Head, []Part, []trail.Inclusion){
		"no entry for an act": func(h Head, p []Part, e []trail.Inclusion) (Head, []Part, []trail.Inclusion) { return h, p, e[:1] },
		"an entry that is not there": func(h Head, p []Part, e []trail.Inclusion) (Head, []Part, []trail.Inclusion) {
			e[0].Index++
			return h, p, e
		},
		"a proof of another entry": func(h Head, p []Part, e []trail.Inclusion) (Head, []Part, []trail.Inclusion) {
			e[0].Proof = e[1].Proof
			return h, p, e
		},
		"another case": func(h Head, p []Part, e []trail.Inclusion) (Head, []Part, []trail.Inclusion) {
			other, err := tr.Append(t.Context(), trail.Entry{At: noon, Actor: "u1", Kind: "search", Case: "c2"})
			if err != nil {
				t.Fatal(err)
			}
			one, err1 := tr.Prove(t.Context(), other.Index)
			next, err := tr.Append(t.Context(), trail.Entry{At: noon, Actor: "u1", Kind: "search", Case: "c3"})
			two, err2 := tr.Prove(t.Context(), next.Index)
			if err := errors.Join(err, err1, err2); err != nil {
				t.Fatal(err)
			}
			return h, p, append(e, one, two)
		},
	} {
		h, p, e := change(input(t, tr))
		raw, err := Write(h, p, e, tr.Sign)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(raw, tr.VerifierKey()); err == nil {
			t.Errorf("%s: it verified", name)
		} else if _, ok := errors.AsType[*Altered](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A note that says the same in other letters is not what was made.
func TestOneWayToWrite(t *testing.T) {
	tr := openTrail(t)
	raw := written(t, tr)
	end := bytes.LastIndexByte(raw[:len(raw)-1], '\n') + 1
	for _, c := range [][2]string{{`"lines":`, `"lines" :`}, {`{"lines"`, ` {"lines"`}, {`\n\n—`, `\n\n— x AAAAAAAA\n—`}, {"—", `\u2014`}} {
		altered := append(bytes.Clone(raw[:end]), bytes.Replace(raw[end:], []byte(c[0]), []byte(c[1]), 1)...)
		if bytes.Equal(altered, raw) {
			t.Fatalf("%q does not stand in the last line", c[0])
		}
		if _, err := Verify(altered, tr.VerifierKey()); err == nil {
			t.Errorf("%q instead of %q verified", c[1], c[0])
		}
	}
}

// Only what begins with its purpose is signed beside checkpoints.
func TestSignRefuses(t *testing.T) {
	tr := openTrail(t)
	name, _, _ := strings.Cut(tr.VerifierKey(), "+")
	for _, text := range []string{"", "x", "\nx\n", name + "\n0\n"} {
		if _, err := tr.Sign(text); err == nil {
			t.Errorf("%q was signed", text)
		}
	}
}

func FuzzVerify(f *testing.F) {
	tr := openTrail(f)
	raw, vkey := written(f, tr), tr.VerifierKey()
	f.Add(raw)
	f.Add([]byte("{}\n{}\n{}\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if _, err := Verify(in, vkey); err == nil && !bytes.Equal(in, raw) {
			t.Fatalf("%q verified", in)
		}
	})
}
