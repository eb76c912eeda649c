package trail

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A checkpoint that another implementation of tlog-cosignature/v1
// (transparency-dev/formats 0.1.1) signed, with the key of 32 bytes 0x07.
const (
	foreignPrivate = "PRIVATE+KEY+procura.example.it+f56ee860+BAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"
	foreignPublic  = "procura.example.it+f56ee860+BOpKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs"
	foreignSigned  = "log.example.it\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n" +
		"— procura.example.it 9W7oYAAAAABrAy1Fv1Mgspgrms0fuwLionOPQtzXwJ/woeKjcauIXYTpoN1s+m1tHJqpZiq1QtyKcmZo0DEMtkQNn/+MngDZDmOGAw==\n"
)

func TestACosignatureIsAsOthersMakeIt(t *testing.T) {
	w, err := parseWitness(foreignPublic)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open([]byte(foreignSigned), note.VerifierList(w))
	if err != nil {
		t.Fatal(err)
	}
	at, ok := cosignedAt(n, w)
	if !ok {
		t.Fatal("not cosigned")
	}
	signer, err := witnessSigner(foreignPrivate, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	if signer.vkey() != foreignPublic {
		t.Errorf("public key %s", signer.vkey())
	}
	mine, err := note.Sign(&note.Note{Text: n.Text}, signer)
	if err != nil || string(mine) != foreignSigned {
		t.Errorf("signed %s, %v", mine, err)
	}
}

func TestKeysOfWitnesses(t *testing.T) {
	private, public, err := NewWitnessKey("prefettura.example.it")
	if err != nil {
		t.Fatal(err)
	}
	if w, err := witnessSigner(private+"\n", time.Now); err != nil || w.vkey() != public || CheckWitnessKey(public) != nil {
		t.Errorf("%v", err)
	}
	dir := t.TempDir()
	_, logKey, err := makeKey(dir, dir+"/"+keyFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"", "x", logKey, private, public + "A", strings.Replace(public, "prefettura", "procura", 1), "+00000000+BA==", "a+00000000+BA=="} {
		if CheckWitnessKey(key) == nil {
			t.Errorf("%q passes for a witness's key", key)
		}
	}
	for _, key := range []string{"", public, strings.Replace(private, "prefettura", "procura", 1), "PRIVATE+KEY+a+00000000+BA=="} {
		if _, err := witnessSigner(key, time.Now); err == nil {
			t.Errorf("%q passes for a witness's private key", key)
		}
	}
	for _, name := range []string{"", "a b", "a+b", "a\nb", strings.Repeat("a", maxField+1)} {
		if _, _, err := NewWitnessKey(name); err == nil {
			t.Errorf("%q passes for a name", name)
		}
	}
}

// watched is a trail with a witness.
type watched struct {
	*Trail
	store           *memory
	private, public string
	last            []byte // what the witness signed last
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	private, public, err := NewWitnessKey("procura.example.it")
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{store: &memory{}, private: private, public: public}
	o := testOptions(t, t.TempDir())
	o.Witnesses = []string{public}
	if w.Trail, err = Open(t.Context(), w.store, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	if w.last, err = w.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// visit has the witness come.
func (w *watched) visit(t *testing.T, at time.Time) Cosigned {
	t.Helper()
	v, err := note.NewVerifier(w.vkey)
	if err != nil {
		t.Fatal(err)
	}
	old, err := openCheckpoint(w.last, v)
	if err != nil {
		t.Fatal(err)
	}
	taken, err := w.ProveConsistency(t.Context(), old.N)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Cosign(taken, w.vkey, w.last, w.private, at)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := w.AddCosignature(t.Context(), c.Checkpoint)
	if err != nil || kept.Size != c.Size || !kept.At.Equal(c.At) {
		t.Fatalf("%+v, %v", kept, err)
	}
	w.last = c.Checkpoint
	return c
}

func (w *watched) exported(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := w.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAWitnessComesAndComesAgain(t *testing.T) {
	w := newWatched(t)
	older := w.last
	at := time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)
	if all, err := w.Cosignatures(t.Context()); err != nil || len(all) != 1 || all[0].Checkpoint != nil || all[0].Name != "procura.example.it" {
		t.Errorf("before its first visit: %+v, %v", all, err)
	}
	if _, err := Verify(bytes.NewReader(w.exported(t)), w.vkey, older, w.public); !found(err, Unseen) {
		t.Errorf("a witness that never came: %v", err)
	}
	for i, n := range []int{0, 3, 0, 1, 17} {
		add(t, w.Trail, n)
		size := w.visit(t, at.Add(time.Duration(i)*time.Hour)).Size
		add(t, w.Trail, 2)
		report, err := Verify(bytes.NewReader(w.exported(t)), w.vkey, older, w.public)
		if err != nil || len(report.Witnesses) != 1 || report.Witnesses[0].Size != size || report.Size != size+2 {
			t.Fatalf("visit %d: %+v, %v", i, report, err)
		}
	}
	// The same checkpoint serves as an auditor's older one.
	if _, err := Verify(bytes.NewReader(w.exported(t)), w.vkey, w.last); err != nil {
		t.Error(err)
	}
	// Handing in an old one again changes nothing.
	last, old := w.last, w.store.cosigned[w.public]
	if _, err := w.AddCosignature(t.Context(), last); err != nil || !bytes.Equal(w.store.cosigned[w.public], old) {
		t.Error(err)
	}
	if _, err := w.ProveConsistency(t.Context(), 1000); !errors.Is(err, ErrShorter) {
		t.Errorf("proof from what is not there: %v", err)
	}
}

func found(err error, kind Tampering) bool {
	f, ok := errors.AsType[*Tampered](err)
	return ok && f.Kind == kind
}

func TestAWitnessRefusesAnotherPast(t *testing.T) {
	w := newWatched(t)
	add(t, w.Trail, 6)
	w.visit(t, time.Now())
	add(t, w.Trail, 3)
	taken, err := w.ProveConsistency(t.Context(), 6)
	if err != nil {
		t.Fatal(err)
	}
	// A past of nine other entries, under the same key.
	forged := &memory{}
	other := &Trail{store: forged, log: w.log, signer: w.signer, vkey: w.vkey, pseudonyms: w.pseudonyms}
	if err := forged.Append(t.Context(), other.begin); err != nil {
		t.Fatal(err)
	}
	add(t, other, 4)
	short, err := other.ProveConsistency(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	add(t, other, 5)
	rewritten, err := other.ProveConsistency(t.Context(), 6)
	if err != nil {
		t.Fatal(err)
	}
	stranger := start(t, &memory{})
	add(t, stranger, 9)
	foreign, err := stranger.ProveConsistency(t.Context(), 6)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		taken []byte
		kind  Tampering // "": some other error
	}{
		"rewritten":      {rewritten, Rewritten},
		"rolled back":    {short, RolledBack},
		"another key":    {foreign, OtherKey},
		"altered proof":  {bytes.Replace(taken, []byte("\n"), []byte("\n"+tlog.Hash{}.String()+"\n"), 1), Rewritten},
		"another begin":  {bytes.Replace(taken, []byte("old 6"), []byte("old 5"), 1), ""},
		"not a proof":    {[]byte("<html>"), ""},
		"negative":       {bytes.Replace(taken, []byte("old 6"), []byte("old -6"), 1), ""},
		"a proof line":   {bytes.Replace(taken, []byte("old 6\n"), []byte("old 6\nx\n"), 1), ""},
		"endless proof":  {bytes.Replace(taken, []byte("old 6\n"), []byte("old 6\n"+strings.Repeat(tlog.Hash{}.String()+"\n", 64)), 1), ""},
		"larger than it": {make([]byte, maxTaken+1), ""},
	} {
		_, err := Cosign(c.taken, w.vkey, w.last, w.private, time.Now())
		if err == nil || c.kind != "" && !found(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Cosign(taken, w.vkey, w.last, w.private, time.Now()); err != nil {
		t.Errorf("untouched: %v", err)
	}

	// The forged past, with what the witness signed of the true one, is found by
	// its key even if the auditor's older checkpoint is of the empty trail.
	forged.cosigned = w.store.cosigned
	other.witnesses = w.witnesses
	var out bytes.Buffer
	if err := other.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(bytes.NewReader(out.Bytes()), w.vkey, emptyCheckpoint(t, w.Trail)); err != nil {
		t.Errorf("without the witness it should pass: %v", err)
	}
	if _, err := Verify(bytes.NewReader(out.Bytes()), w.vkey, emptyCheckpoint(t, w.Trail), w.public); !found(err, Rewritten) {
		t.Errorf("a rewritten past that a witness has not seen: %v", err)
	}
	// A collector that went back to it refuses the witness's signature, aloud.
	if _, err := other.AddCosignature(t.Context(), w.last); !errors.Is(err, ErrFork) {
		t.Errorf("a cosignature of another past: %v", err)
	}
}

func TestACosignatureThatIsAheadOfTheTrailIsAFork(t *testing.T) {
	w := newWatched(t)
	before := w.store.checkpoint
	add(t, w.Trail, 2)
	w.visit(t, time.Now())
	w.store.headers, w.store.bodies, w.store.hashes, w.store.checkpoint = nil, nil, nil, before
	if _, err := w.AddCosignature(t.Context(), w.last); !errors.Is(err, ErrFork) {
		t.Errorf("rolled back: %v", err)
	}
	export := w.exported(t)
	if _, err := Verify(bytes.NewReader(export), w.vkey, before, w.public); !found(err, RolledBack) {
		t.Errorf("rolled back: %v", err)
	}
}

func TestOnlyWitnessesOfTheConfigurationCosign(t *testing.T) {
	w := newWatched(t)
	add(t, w.Trail, 2)
	taken, err := w.ProveConsistency(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	private, public, err := NewWitnessKey("procura.example.it") // of the same name
	if err != nil {
		t.Fatal(err)
	}
	c, err := Cosign(taken, w.vkey, w.last, private, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	plain, err := w.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{"stranger": c.Checkpoint, "nobody": plain, "nothing": nil, "too long": make([]byte, maxCheckpoint+1),
		"altered": bytes.Replace(c.Checkpoint, []byte("\n2\n"), []byte("\n3\n"), 1)} {
		if _, err := w.AddCosignature(t.Context(), raw); !errors.Is(err, ErrNotWitness) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Verify(bytes.NewReader(w.exported(t)), w.vkey, w.last, public); !found(err, Unseen) {
		t.Errorf("another witness of the same name: %v", err)
	}
	if _, err := Verify(bytes.NewReader(w.exported(t)), w.vkey, w.last, "nonsense"); err == nil {
		t.Error("verified with a key that is none")
	}
	if _, err := Open(t.Context(), w.store, Options{PseudonymKey: make([]byte, 32), KeyDir: t.TempDir(), Witnesses: []string{"x"}}); err == nil {
		t.Error("opened with a witness's key that is none")
	}
}

// What somebody does to the cosigned checkpoints in an export is found.
func TestACosignedCheckpointInAnExportIsChanged(t *testing.T) {
	w := newWatched(t)
	add(t, w.Trail, 3)
	w.visit(t, time.Now())
	add(t, w.Trail, 3)
	export := w.exported(t)
	top, rest, _ := bytes.Cut(export, []byte("\n"))
	for name, change := range map[string]func(string) string{
		"size":      func(s string) string { return strings.Replace(s, "\n3\n", "\n6\n", 1) },
		"signature": func(s string) string { return s[:len(s)-10] + "AAAAAAAA=\n" },
		"removed":   func(string) string { return "" },
	} {
		var f first
		if err := json.Unmarshal(top, &f); err != nil {
			t.Fatal(err)
		}
		f.Cosigned[0] = change(f.Cosigned[0])
		line, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(bytes.NewReader(append(append(line, '\n'), rest...)), w.vkey, emptyCheckpoint(t, w.Trail), w.public); !found(err, Unseen) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzCosign(f *testing.F) {
	f.Add([]byte("old 3\nAAAA\n\nx\n3\n"), []byte(foreignSigned))
	f.Fuzz(func(t *testing.T, taken, checkpoint []byte) {
		if _, _, _, err := parseTaken(taken); err == nil && !bytes.HasPrefix(taken, []byte("old ")) {
			t.Errorf("%q", taken)
		}
		w, err := parseWitness(foreignPublic)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := openCosigned(checkpoint, foreignPublic, w); err == nil {
			t.Errorf("%q", checkpoint)
		}
	})
}
