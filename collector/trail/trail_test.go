package trail

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"filippo.io/age"
	"golang.org/x/mod/sumdb/note"
)

func TestAppendGivesPlacesInOrderAndACheckpointOverThem(t *testing.T) {
	tr := start(t, &memory{})
	v, err := note.NewVerifier(tr.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(9) {
		proof, err := tr.Append(t.Context(), Entry{Actor: "a", Kind: "search"})
		if err != nil {
			t.Fatal(err)
		}
		tree, err := openCheckpoint(proof.Checkpoint, v)
		if err != nil {
			t.Fatal(err)
		}
		if proof.Index != i || tree.N != i+1 {
			t.Fatalf("entry %d got index %d under a checkpoint of %d entries", i, proof.Index, tree.N)
		}
	}
}

func TestEntriesThatWaitGoInOneCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gated := &memory{}
		tr, err := Open(t.Context(), gated, testOptions(t, filepath.Join(t.TempDir(), "k")))
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Close()
		gate := make(chan struct{})
		gated.gate = gate
		first := gated.commits
		var wg sync.WaitGroup
		appendOne := func() {
			wg.Go(func() {
				if _, err := tr.Append(t.Context(), Entry{Actor: "a", Kind: "search"}); err != nil {
					t.Error(err)
				}
			})
		}
		appendOne()
		synctest.Wait() // the first commit is at the store
		for range 100 {
			appendOne()
		}
		synctest.Wait() // the others are queued
		close(gate)
		wg.Wait()
		if got := gated.commits - first; got != 2 {
			t.Errorf("101 entries took %d commits, want 2: one that was under way, one for all that waited", got)
		}
		if len(gated.headers) != 101 {
			t.Errorf("%d entries stored", len(gated.headers))
		}
	})
}

func TestAnswerIsRefusedWhenTheTrailCannotBeWritten(t *testing.T) {
	for _, late := range []bool{false, true} {
		m := &memory{late: late}
		tr := start(t, m)
		add(t, tr, 3)
		ask := func() (string, Proof, error) {
			return Answer(t.Context(), tr, Entry{Actor: "a", Kind: "search"}, func(context.Context) (string, int, any, error) {
				return "three cameras", 3, []string{"c1", "c2", "c3"}, nil
			})
		}
		m.fail = errors.New("disk full")
		if got, _, err := ask(); err == nil || got != "" || !errors.Is(err, m.fail) {
			t.Fatalf("late=%v: with a failing store the answer was %q, %v", late, got, err)
		}
		m.fail = nil
		got, proof, err := ask()
		if err != nil || got != "three cameras" {
			t.Fatalf("late=%v: once the store works again the answer was %q, %v", late, got, err)
		}
		want := int64(3)
		if late {
			want = 4 // the refused one had reached the disk: it stays on the trail
		}
		if proof.Index != want {
			t.Errorf("late=%v: index %d, want %d", late, proof.Index, want)
		}
		verify(t, tr)
	}
}

func TestAnswer(t *testing.T) {
	m := &memory{}
	tr := start(t, m)
	broken := errors.New("index broken")
	if _, _, err := Answer(t.Context(), tr, Entry{Actor: "a", Kind: "search"}, func(context.Context) (int, int, any, error) {
		return 7, 1, nil, broken
	}); !errors.Is(err, broken) {
		t.Fatalf("a query that fails gave %v", err)
	}
	ran := false
	if _, _, err := Answer(t.Context(), tr, Entry{Actor: "a", Kind: "search", Force: "Questura"}, func(context.Context) (int, int, any, error) {
		ran = true
		return 7, 1, nil, nil
	}); err == nil || ran {
		t.Fatalf("a force without a public key: ran=%v, %v", ran, err)
	}
	if len(m.headers) != 0 {
		t.Fatalf("%d entries", len(m.headers))
	}
	if _, _, err := Answer(t.Context(), tr, Entry{Actor: "a", Kind: "search", Body: "where"}, func(context.Context) (int, int, any, error) {
		return 7, 2, []string{"c1", "c2"}, nil
	}); err != nil {
		t.Fatal(err)
	}
	if h, err := decodeHeader(m.headers[0]); err != nil || h.Count != 2 {
		t.Errorf("header %+v, %v", h, err)
	}
	if !bytes.Contains(m.bodies[0], []byte(`"details":{"asked":"where","found":["c1","c2"]}`)) {
		t.Errorf("body %s", m.bodies[0])
	}
}

func TestWhatAForceAsksIsSealed(t *testing.T) {
	questura, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{}
	tr := start(t, m)
	add(t, tr, 1)
	if _, err := tr.Append(t.Context(), Entry{Actor: "agente-rossi", Force: "Questura", Kind: "search", Case: "112:4711",
		Body: map[string]string{"reason": "rapina in via Torino"}, Recipient: questura.Recipient().String()}); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"agente-rossi", "4711", "rapina"} {
		if bytes.Contains(m.headers[1], []byte(secret)) || bytes.Contains(m.bodies[1], []byte(secret)) {
			t.Errorf("%q stands in clear on the trail", secret)
		}
	}
	if bytes.Contains(m.headers[0], []byte("user-1")) {
		t.Error("the header names the actor")
	}
	var export bytes.Buffer
	if err := tr.Export(t.Context(), &export); err != nil {
		t.Fatal(err)
	}
	show := func(id *age.X25519Identity) []Shown {
		var all []Shown
		if err := Show(bytes.NewReader(export.Bytes()), strings.NewReader(id.String()), func(s Shown) error {
			all = append(all, s)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return all
	}
	mine, theirs := show(questura), show(other)
	if c := mine[1].Content; c == nil || c.Actor != "agente-rossi" || c.Case != "112:4711" || !bytes.Contains(c.Details, []byte("rapina")) {
		t.Errorf("the force's own auditor reads %+v", mine[1])
	}
	if theirs[1].Content != nil || theirs[1].Why == "" {
		t.Errorf("another force's auditor reads %+v", theirs[1])
	}
	if theirs[0].Content == nil {
		t.Errorf("an act of the Comune is not readable: %+v", theirs[0])
	}
}

func TestPseudonyms(t *testing.T) {
	tr := start(t, &memory{})
	first := tr.pseudonym("case", "Questura", "112:1")
	if again := tr.pseudonym("case", "Questura", "112:1"); again != first {
		t.Error("the same case gets two pseudonyms")
	}
	for _, other := range [][3]string{{"case", "Carabinieri", "112:1"}, {"actor", "Questura", "112:1"}, {"case", "Questura1", "12:1"}} {
		if first == tr.pseudonym(other[0], other[1], other[2]) {
			t.Errorf("%v has the pseudonym of another", other)
		}
	}
}

func TestEntriesThatAreRefused(t *testing.T) {
	tr := start(t, &memory{})
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]Entry{
		"no kind":          {Actor: "a"},
		"no actor":         {Kind: "search"},
		"negative count":   {Actor: "a", Kind: "search", Count: -1},
		"no recipient":     {Actor: "a", Kind: "search", Force: "Questura"},
		"no force":         {Actor: "a", Kind: "search", Recipient: id.Recipient().String()},
		"bad recipient":    {Actor: "a", Kind: "search", Force: "Questura", Recipient: "age1nonsense"},
		"long word":        {Actor: strings.Repeat("a", maxField+1), Kind: "search"},
		"not UTF-8":        {Actor: "a\xff", Kind: "search"},
		"body not JSON":    {Actor: "a", Kind: "search", Body: func() {}},
		"body without end": {Actor: "a", Kind: "search", Body: strings.Repeat("a", maxBody)},
	} {
		if _, err := tr.Append(t.Context(), e); err == nil {
			t.Errorf("%s: appended", name)
		}
	}
	if n := len(tr.store.(*memory).headers); n != 0 {
		t.Errorf("%d entries", n)
	}
}

func TestAfterCloseNothingIsAppended(t *testing.T) {
	tr := start(t, &memory{})
	add(t, tr, 1)
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Append(t.Context(), Entry{Actor: "a", Kind: "search"}); !errors.Is(err, errClosed) {
		t.Fatalf("got %v", err)
	}
}

func TestAnImpatientCallerIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		tr, err := Open(t.Context(), m, testOptions(t, filepath.Join(t.TempDir(), "k")))
		if err != nil {
			t.Fatal(err)
		}
		gate := make(chan struct{})
		m.gate = gate
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan error, 1)
		go func() {
			_, err := tr.Append(ctx, Entry{Actor: "a", Kind: "search"})
			got <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-got; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		close(gate)
		tr.Close()
	})
}

func TestOpenAgain(t *testing.T) {
	m, dir := &memory{}, t.TempDir()
	open := func() (*Trail, error) { return Open(t.Context(), m, testOptions(t, dir)) }
	tr, err := open()
	if err != nil {
		t.Fatal(err)
	}
	add(t, tr, 5)
	tr.Close()
	again, err := open()
	if err != nil {
		t.Fatal(err)
	}
	if again.VerifierKey() != tr.VerifierKey() {
		t.Error("the key changed")
	}
	add(t, again, 3)
	verify(t, again)
	again.Close()
	path := filepath.Join(dir, keyFile)
	key, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v", info.Mode(), err)
	}
	otherDir := t.TempDir()
	if _, _, err := makeKey(otherDir, filepath.Join(otherDir, keyFile)); err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(filepath.Join(otherDir, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	// Each guard fires, names its remedy, and leaves the key alone.
	for name, c := range map[string]struct {
		break_ func()
		want   string
	}{
		"key missing":   {func() { os.Remove(path) }, "backup of the keys"},
		"key damaged":   {func() { os.WriteFile(path, key[:20], 0o600) }, "backup of the keys"},
		"key of two":    {func() { os.WriteFile(path, mixed(key, other), 0o600) }, "do not belong together"},
		"key swapped":   {func() { os.WriteFile(path, other, 0o600) }, "put the right key back"},
		"key readable":  {func() { os.Chmod(path, 0o644) }, "chmod 600"},
		"entry gone":    {func() { m.headers = m.headers[:7] }, "holds 7 entries but its last checkpoint says 8"},
		"hash changed":  {func() { m.hashes[edgeIndexes(8)[0]] = bytes.Repeat([]byte{1}, 32) }, "restore it from a backup"},
		"no checkpoint": {func() { m.checkpoint = nil }, "no checkpoint"},
	} {
		headers, hashes, checkpoint := m.headers, maps.Clone(m.hashes), m.checkpoint
		c.break_()
		if tr, err := open(); err == nil {
			tr.Close()
			t.Errorf("%s: opened", name)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		m.headers, m.hashes, m.checkpoint = headers, hashes, checkpoint
		if err := os.WriteFile(path, key, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if tr, err := open(); err != nil {
		t.Errorf("put right again: %v", err)
	} else {
		tr.Close()
	}
}

// mixed is the signing key of one with the verifier key of the other.
func mixed(a, b []byte) []byte {
	return []byte(strings.Fields(string(a))[0] + "\n" + strings.Fields(string(b))[1] + "\n")
}

// verify checks the whole trail against its empty beginning.
func verify(t *testing.T, tr *Trail) Report {
	t.Helper()
	var out bytes.Buffer
	if err := tr.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	report, err := Verify(&out, tr.vkey, emptyCheckpoint(t, tr))
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestAHeaderReadsOneWayOnly(t *testing.T) {
	h := Header{Version: 1, Actor: "a", Kind: "search", Count: 2}
	raw, err := h.encode()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := decodeHeader(raw); err != nil || got != h {
		t.Fatalf("%+v, %v", got, err)
	}
	for name, other := range map[string]string{
		"a field twice":    strings.Replace(string(raw), `"count":2`, `"count":9,"count":2`, 1),
		"a field too many": strings.Replace(string(raw), `"count":2`, `"count":2,"more":1`, 1),
		"another spelling": strings.Replace(string(raw), `"count":2`, `"Count":2`, 1),
		"spaces":           strings.Replace(string(raw), `"count":2`, `"count": 2`, 1),
		"something after":  string(raw) + "{}",
		"not an object":    "7",
	} {
		if _, err := decodeHeader([]byte(other)); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}
