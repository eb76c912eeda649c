package trail

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// emptyCheckpoint is the first checkpoint that a trail ever signed.
func emptyCheckpoint(t testing.TB, tr *Trail) []byte {
	t.Helper()
	return signed(t, tr.signer, 0, edge{})
}

func signed(t testing.TB, s note.Signer, size int64, e edge) []byte {
	t.Helper()
	root, err := tlog.TreeHash(size, e)
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, err := signCheckpoint(s, tlog.Tree{N: size, Hash: root})
	if err != nil {
		t.Fatal(err)
	}
	return checkpoint
}

// sample is a trail of 12 entries with a checkpoint taken home after 5.
type sample struct {
	tr    *Trail
	older []byte
	lines []string // of the export
}

func newSample(t testing.TB) sample {
	t.Helper()
	s := sample{tr: start(t, &memory{})}
	add(t, s.tr, 5)
	var err error
	if s.older, err = s.tr.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	add(t, s.tr, 7)
	var out bytes.Buffer
	if err := s.tr.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	s.lines = strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(s.lines) != 13 {
		t.Fatalf("%d lines", len(s.lines))
	}
	return s
}

func join(lines []string) *strings.Reader { return strings.NewReader(strings.Join(lines, "\n") + "\n") }

// change rewrites entry n of the lines.
func change(t testing.TB, lines []string, n int, f func(*line, *Header)) {
	t.Helper()
	var l line
	if err := json.Unmarshal([]byte(lines[n+1]), &l); err != nil {
		t.Fatal(err)
	}
	h, err := decodeHeader(l.Header)
	if err != nil {
		t.Fatal(err)
	}
	f(&l, &h)
	if l.Header, err = h.encode(); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	lines[n+1] = string(raw)
}

// rebuild gives every line the index, the hashes and, if s is not nil, the
// checkpoint that fit the (forged) entries: what somebody with all of the
// database would do.
func rebuild(t testing.TB, lines []string, s note.Signer) {
	t.Helper()
	e := edge{}
	for n := range len(lines) - 1 {
		change(t, lines, n, func(l *line, h *Header) { l.Index, h.Index = int64(n), int64(n) })
		change(t, lines, n, func(l *line, h *Header) {
			var err error
			if l.Hashes, err = e.add(int64(n), leaf(l.Header, h.BodySHA256)); err != nil {
				t.Fatal(err)
			}
		})
	}
	if s == nil {
		return
	}
	var f first
	if err := json.Unmarshal([]byte(lines[0]), &f); err != nil {
		t.Fatal(err)
	}
	f.Size, f.Checkpoint = int64(len(lines)-1), string(signed(t, s, int64(len(lines)-1), e))
	raw, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	lines[0] = string(raw)
}

func TestVerifyAcceptsTheUntouchedExport(t *testing.T) {
	s := newSample(t)
	for name, older := range map[string][]byte{"of no entries": emptyCheckpoint(t, s.tr), "of five": s.older} {
		report, err := Verify(join(s.lines), s.tr.VerifierKey(), older)
		if err != nil {
			t.Fatalf("older checkpoint %s: %v", name, err)
		}
		if report.Size != 12 || report.Kinds["invite"] != 12 || report.BodiesDeleted != 0 || report.From.IsZero() {
			t.Errorf("older checkpoint %s: %+v", name, report)
		}
	}
	now, err := s.tr.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(join(s.lines), s.tr.VerifierKey(), now); err != nil {
		t.Errorf("older checkpoint of the same size: %v", err)
	}
}

func TestVerifyAcceptsADeletedBody(t *testing.T) {
	s := newSample(t)
	change(t, s.lines, 3, func(l *line, _ *Header) { l.Body = nil })
	report, err := Verify(join(s.lines), s.tr.VerifierKey(), s.older)
	if err != nil || report.BodiesDeleted != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

// It is long because it is one table.
func TestVerifyNamesTheTampering(t *testing.T) {
	type tampering struct {
		do          func(t *testing.T, s sample, lines []string) []string
		kind        Tampering
		first, last int64
	}
	edit := func(n int, f func(*line, *Header)) func(*testing.T, sample, []string) []string {
		return func(t *testing.T, _ sample, lines []string) []string {
			change(t, lines, n, f)
			return lines
		}
	}
	for name, c := range map[string]tampering{
		"edited header":    {edit(7, func(_ *line, h *Header) { h.Count = 0 }), Edited, 7, 7},
		"edited actor":     {edit(0, func(_ *line, h *Header) { h.Actor = "x" }), Edited, 0, 0},
		"edited body":      {edit(11, func(l *line, _ *Header) { l.Body = []byte(`{}`) }), Edited, 11, 11},
		"edited body hash": {edit(2, func(l *line, h *Header) { l.Body = nil; h.BodySHA256[0]++ }), Edited, 2, 2},
		"edited with its leaf": {edit(6, func(l *line, h *Header) {
			h.Kind = "login"
			raw, _ := h.encode()
			l.Hashes[0] = leaf(raw, h.BodySHA256)
		}), Edited, 6, 7}, // entries 6 and 7 share the first inner node
		"edited inner node": {edit(5, func(l *line, _ *Header) { l.Hashes[1][0]++ }), Edited, 4, 5},
		"added hash":        {edit(5, func(l *line, _ *Header) { l.Hashes = append(l.Hashes, tlog.Hash{}) }), Edited, 5, 5},
		"removed hashes":    {edit(5, func(l *line, _ *Header) { l.Hashes = nil }), Edited, 5, 5},
		"unreadable line": {func(_ *testing.T, _ sample, lines []string) []string {
			lines[5] = "{"
			return lines
		}, Edited, 4, 4},
		"header not canonical": {func(_ *testing.T, _ sample, lines []string) []string {
			lines[5] = strings.Replace(lines[5], `"count":1`, `"count":9,"count":1`, 1)
			return lines
		}, Edited, 4, 4},
		"deleted": {func(_ *testing.T, _ sample, lines []string) []string {
			return slices.Delete(lines, 5, 6)
		}, Deleted, 4, 4},
		"two deleted": {func(_ *testing.T, _ sample, lines []string) []string {
			return slices.Delete(lines, 5, 7)
		}, Deleted, 4, 5},
		"deleted and numbered anew": {func(t *testing.T, _ sample, lines []string) []string {
			lines = slices.Delete(lines, 5, 6)
			for n := 4; n < len(lines)-1; n++ {
				change(t, lines, n, func(l *line, h *Header) { l.Index, h.Index = int64(n), int64(n) })
			}
			return lines
		}, Deleted, 4, 4},
		"first deleted": {func(_ *testing.T, _ sample, lines []string) []string {
			return slices.Delete(lines, 1, 2)
		}, Deleted, 0, 0},
		"inserted copy": {func(_ *testing.T, _ sample, lines []string) []string {
			return slices.Insert(lines, 5, lines[3])
		}, Inserted, 4, 4},
		"inserted forgery, numbered anew": {func(t *testing.T, _ sample, lines []string) []string {
			lines = slices.Insert(lines, 5, lines[3])
			for n := 4; n < len(lines)-1; n++ {
				change(t, lines, n, func(l *line, h *Header) { l.Index, h.Index = int64(n), int64(n) })
			}
			return lines
		}, Inserted, 4, 4},
		"inserted at the end": {func(_ *testing.T, _ sample, lines []string) []string {
			return append(lines, lines[12])
		}, Inserted, 12, 12},
		"forged at the end, with its hashes": {func(t *testing.T, _ sample, lines []string) []string {
			lines = append(lines, lines[12])
			rebuild(t, lines, nil)
			return lines
		}, Inserted, 12, 12},
		"a note of another kind, signed with the key": {func(t *testing.T, s sample, lines []string) []string {
			other, err := note.Sign(&note.Note{Text: strings.Replace(checkpointText(t, lines), s.tr.signer.Name(), "receipts", 1)}, s.tr.signer)
			if err != nil {
				t.Fatal(err)
			}
			return setCheckpoint(t, lines, other)
		}, OtherKey, -1, -1},
		"two swapped": {func(_ *testing.T, _ sample, lines []string) []string {
			lines[4], lines[9] = lines[9], lines[4]
			return lines
		}, Reordered, 3, 8},
		"truncated":        {func(_ *testing.T, _ sample, lines []string) []string { return lines[:10] }, Truncated, 9, 11},
		"all entries gone": {func(_ *testing.T, _ sample, lines []string) []string { return lines[:1] }, Truncated, 0, 11},
		"rolled back before the older checkpoint": {func(t *testing.T, s sample, lines []string) []string {
			lines = lines[:4]
			rebuild(t, lines, s.tr.signer)
			return lines
		}, RolledBack, 3, 4},
		"all hashes made anew after the older checkpoint": {func(t *testing.T, _ sample, lines []string) []string {
			change(t, lines, 8, func(_ *line, h *Header) { h.Count = 99 })
			rebuild(t, lines, nil)
			return lines
		}, Edited, 5, 11},
		"all hashes made anew before the older checkpoint": {func(t *testing.T, _ sample, lines []string) []string {
			change(t, lines, 2, func(_ *line, h *Header) { h.Count = 99 })
			rebuild(t, lines, nil)
			return lines
		}, Edited, 0, 4},
		"history written anew with the key": {func(t *testing.T, s sample, lines []string) []string {
			change(t, lines, 2, func(_ *line, h *Header) { h.Count = 99 })
			rebuild(t, lines, s.tr.signer)
			return lines
		}, Rewritten, 0, 4},
		"signed with another key of the same name": {func(t *testing.T, s sample, lines []string) []string {
			skey, vkey, err := note.GenerateKey(zeros{}, s.tr.signer.Name())
			if err != nil {
				t.Fatal(err)
			}
			other, err := note.NewSigner(skey)
			if err != nil {
				t.Fatal(err)
			}
			rebuild(t, lines, other)
			lines[0] = strings.Replace(lines[0], s.tr.VerifierKey(), vkey, 1)
			return lines
		}, OtherKey, -1, -1},
		"checkpoint without signature": {func(_ *testing.T, _ sample, lines []string) []string {
			i := strings.Index(lines[0], `\n\n`)
			lines[0] = lines[0][:i+2] + `\n"}`
			return lines
		}, OtherKey, -1, -1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSample(t)
			lines := c.do(t, s, slices.Clone(s.lines))
			_, err := Verify(join(lines), s.tr.VerifierKey(), s.older)
			got, ok := errors.AsType[*Tampered](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if got.Kind != c.kind || got.First != c.first || got.Last != c.last {
				t.Errorf("got %v, want %s of entries %d to %d", got, c.kind, c.first, c.last)
			}
		})
	}
}

// checkpointText is the signed text of an export's checkpoint.
func checkpointText(t *testing.T, lines []string) string {
	t.Helper()
	var f first
	if err := json.Unmarshal([]byte(lines[0]), &f); err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(f.Checkpoint, "\n\n")
	return text + "\n"
}

func setCheckpoint(t *testing.T, lines []string, checkpoint []byte) []string {
	t.Helper()
	var f first
	if err := json.Unmarshal([]byte(lines[0]), &f); err != nil {
		t.Fatal(err)
	}
	f.Checkpoint = string(checkpoint)
	raw, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	lines[0] = string(raw)
	return lines
}

// zeros makes a key that is not ours, always the same.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestVerifyNeedsKeyAndOlderCheckpointFromOutside(t *testing.T) {
	s := newSample(t)
	other := start(t, &memory{})
	for name, c := range map[string]struct {
		vkey  string
		older []byte
		want  string
	}{
		"no key":               {"", s.older, "no key"},
		"no checkpoint":        {s.tr.VerifierKey(), nil, "no older checkpoint"},
		"not a key":            {"nonsense", s.older, "not a verifier key"},
		"another trail's key":  {other.VerifierKey(), s.older, "not signed with the key"},
		"another's checkpoint": {s.tr.VerifierKey(), emptyCheckpoint(t, other), "not signed with the key"},
		"damaged checkpoint":   {s.tr.VerifierKey(), bytes.Replace(s.older, []byte("\n5\n"), []byte("\n4\n"), 1), "not signed with the key"},
		"huge checkpoint":      {s.tr.VerifierKey(), make([]byte, maxCheckpoint+1), "not signed with the key"},
	} {
		if _, err := Verify(join(s.lines), c.vkey, c.older); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, export := range map[string]string{"empty": "", "not an export": "{}\n", "no JSON": "hello\n", "endless line": strings.Repeat("a", maxLine+1)} {
		if _, err := Verify(strings.NewReader(export), s.tr.VerifierKey(), s.older); err == nil {
			t.Errorf("%s: verified", name)
		}
	}
}

func TestVerifyFindsWhatWasChangedInTheStore(t *testing.T) {
	for name, c := range map[string]struct {
		do          func(*memory)
		kind        Tampering
		first, last int64
	}{
		"row edited": {func(m *memory) {
			m.headers[3] = bytes.Replace(m.headers[3], []byte(`"count":1`), []byte(`"count":0`), 1)
		}, Edited, 3, 3},
		"row not JSON": {func(m *memory) { m.headers[3] = []byte("gone") }, Edited, 3, 3},
		"body edited":  {func(m *memory) { m.bodies[3] = []byte("{}") }, Edited, 3, 3},
		"row deleted": {func(m *memory) {
			m.headers, m.bodies = slices.Delete(slices.Clone(m.headers), 3, 4), slices.Delete(slices.Clone(m.bodies), 3, 4)
		}, Deleted, 3, 3},
		"hash edited":   {func(m *memory) { m.hashes[tlog.StoredHashIndex(0, 3)] = make([]byte, 32) }, Edited, 3, 3},
		"last rows cut": {func(m *memory) { m.headers, m.bodies = m.headers[:10], m.bodies[:10] }, Truncated, 10, 11},
		"rows swapped": {func(m *memory) {
			m.headers[2], m.headers[6] = m.headers[6], m.headers[2]
			m.bodies[2], m.bodies[6] = m.bodies[6], m.bodies[2]
		}, Reordered, 2, 6},
	} {
		t.Run(name, func(t *testing.T) {
			m := &memory{}
			tr := start(t, m)
			add(t, tr, 12)
			c.do(m)
			var out bytes.Buffer
			if err := tr.Export(t.Context(), &out); err != nil {
				t.Fatal(err)
			}
			_, err := Verify(&out, tr.VerifierKey(), emptyCheckpoint(t, tr))
			got, ok := errors.AsType[*Tampered](err)
			if !ok || got.Kind != c.kind || got.First != c.first || got.Last != c.last {
				t.Errorf("got %v, want %s of entries %d to %d", err, c.kind, c.first, c.last)
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	s := newSample(f)
	whole := strings.Join(s.lines, "\n") + "\n"
	f.Add([]byte(whole))
	f.Add([]byte(strings.Join(s.lines[:3], "\n")))
	f.Add([]byte(strings.Replace(whole, `"count":1`, `"count":2`, 1)))
	f.Add([]byte(`{"format":"anagrafe-trail/1"}`))
	f.Fuzz(func(t *testing.T, export []byte) {
		report, err := Verify(bytes.NewReader(export), s.tr.VerifierKey(), s.older)
		if err != nil {
			return
		}
		// What verifies shows the twelve entries of the trail, whatever its spelling.
		if report.Size != 12 || report.Kinds["invite"] != 12 {
			t.Errorf("a changed export verifies: %+v", report)
		}
	})
}

// Whichever byte of an export is altered, it is found; one of an entry names it.
func TestVerifyFindsEveryAlteredByte(t *testing.T) {
	w := newWatched(t)
	older := w.last
	add(t, w.Trail, 1)
	w.visit(t, time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC))
	add(t, w.Trail, 1)
	export := w.exported(t)
	if _, err := Verify(bytes.NewReader(export), w.vkey, older, w.public); err != nil {
		t.Fatal(err)
	}
	starts := []int{0}
	for i, b := range export {
		if b == '\n' {
			starts = append(starts, i+1)
		}
	}
	for i := range export {
		altered := slices.Clone(export)
		altered[i] ^= 1
		_, err := Verify(bytes.NewReader(altered), w.vkey, older, w.public)
		if err == nil {
			t.Fatalf("byte %d, %q, made %q: not found", i, export[i], altered[i])
		}
		entry, _ := slices.BinarySearch(starts, i+1)
		entry -= 2 // the line of i, less the first one
		if f, ok := errors.AsType[*Tampered](err); entry >= 0 && export[i] != '\n' && (!ok || f.First > int64(entry) || f.Last < int64(entry)) {
			t.Fatalf("byte %d, %q, of entry %d: %v", i, export[i], entry, err)
		}
	}
}

func TestALineHasOneForm(t *testing.T) {
	s := newSample(t)
	good := s.lines[4]
	if _, err := parseLine([]byte(good), nil); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"empty":          "",
		"spaces":         strings.Replace(good, `"body":`, `"body": `, 1),
		"a field more":   strings.Replace(good, `,"body"`, `,"x":1,"body"`, 1),
		"behind it":      good + " ",
		"index twice":    strings.Replace(good, `{"index":3`, `{"index":3,"index":3`, 1),
		"index spelt":    strings.Replace(good, `{"index":3`, `{"index":03`, 1),
		"empty body":     `{"index":3,"header":{},"body":"","hashes":[]}`,
		"newline in it":  `{"index":3,"header":{},"body":"AA\r==","hashes":[]}`,
		"loose base64":   `{"index":3,"header":{},"body":"AB==","hashes":[]}`,
		"short hash":     `{"index":3,"header":{},"body":null,"hashes":["AA=="]}`,
		"hashes unended": `{"index":3,"header":{},"body":null,"hashes":[`,
		"comma":          strings.Replace(good, `"]}`, `",]}`, 1),
	} {
		l, err := parseLine([]byte(bad), nil)
		if err == nil {
			_, err = decodeHeader(l.Header)
		}
		if err == nil {
			t.Errorf("%s: read", name)
		}
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add([]byte(`{"index":3,"header":{},"body":"AA==","hashes":["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]}`))
	f.Add([]byte(`{"index":0,"header":{},"body":null,"hashes":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := parseLine(raw, nil)
		if err != nil || !json.Valid(l.Header) {
			return
		}
		again, err := json.Marshal(l)
		if len(l.Hashes) == 0 {
			again = bytes.Replace(again, []byte(`"hashes":null`), []byte(`"hashes":[]`), 1)
		}
		if err != nil || (!bytes.Equal(again, raw) && bytes.Contains(raw, again[:len(beforeIndex)]) && canonicalHeader(l.Header)) {
			t.Errorf("%q reads as %q", raw, again)
		}
	})
}

// canonicalHeader tells whether json.Marshal leaves a header as it is.
func canonicalHeader(header []byte) bool {
	again, err := json.Marshal(json.RawMessage(header))
	return err == nil && bytes.Equal(again, header)
}
