package registry

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

var ledgerKey = bytes.Repeat([]byte{7}, 32)

func ledgerOf(t testing.TB, path string) LedgerText {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text, rest, err := ReadLedger(bytes.NewReader(b), ledgerKey)
	if err != nil || rest != 0 {
		t.Fatal(rest, err)
	}
	return text
}

// A changed byte, a line that is left out or put elsewhere, another key: noticed.
func TestLedgerChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "erased.ledger")
	l, _, err := openLedger(path, ledgerKey)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	var heads []ledgerHead
	for i := range 4 {
		heads = append(heads, l.head())
		if err := l.add([]Erasure{{Site: id(i), What: erasedWithdrawn, At: noon}}); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	text := ledgerOf(t, path)
	if len(text.Erasures) != 4 || text.Erasures[3].Site != id(3) || !text.Erasures[0].At.Equal(noon) {
		t.Errorf("%+v", text)
	}
	for _, h := range append(heads, ledgerHead{}, l.head()) {
		if !text.Continues(h) {
			t.Errorf("it does not continue %+v", h)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, b, key []byte) {
		t.Helper()
		if _, rest, err := ReadLedger(bytes.NewReader(b), key); !errors.Is(err, ErrLedger) && rest == 0 {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range b {
		c := bytes.Clone(b)
		c[i] ^= 1
		refused("a changed byte", c, ledgerKey)
	}
	lines := strings.SplitAfter(string(b), "\n")
	refused("a line left out", []byte(lines[0]+lines[1]+lines[3]), ledgerKey)
	refused("lines exchanged", []byte(lines[0]+lines[2]+lines[1]), ledgerKey)
	refused("no first line", []byte(lines[1]), ledgerKey)
	refused("another key", b, bytes.Repeat([]byte{8}, 32))
	refused("nothing", nil, ledgerKey)
	cut, _, err := ReadLedger(strings.NewReader(lines[0]+lines[1]), ledgerKey)
	if err != nil || cut.Continues(heads[3]) || !cut.Continues(heads[1]) {
		t.Error("a ledger cut behind a line is as long as it was", err)
	}
}

// Half a line, as a power cut leaves it, was acknowledged to nobody.
func TestLedgerTorn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "erased.ledger")
	for i := range 3 {
		l, _, err := openLedger(path, ledgerKey)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.add([]Erasure{{Site: id(i), At: noon}}); err != nil {
			t.Fatal(err)
		}
		if err := l.close(); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(strings.Repeat("0", 70)); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	l, _, err := openLedger(path, ledgerKey)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if n := len(ledgerOf(t, path).Erasures); n != 3 {
		t.Errorf("%d lines", n)
	}
}

// What is erased, in whichever way, is on the ledger when it is acknowledged;
// what is refused is not.
func TestLedgerTakesErasures(t *testing.T) {
	r := openNew(t)
	path := r.ledger.file.Name()
	said := func() (all []string) {
		for _, e := range ledgerOf(t, path).Erasures {
			all = append(all, e.What+" "+e.Site)
		}
		return all
	}
	s, owner, office := enrol(t, r, noon), enrol(t, r, noon), enrol(t, r, noon)
	for _, s := range []*sender{s, owner, office} {
		s.say(noon, declaration(camera(1, "Ingresso")))
	}
	if got := said(); len(got) != 0 {
		t.Errorf("nothing was erased: %q", got)
	}
	s.say(noon, withdrawal())
	if _, err := s.deliver(s.next(noon, withdrawal()), noon.Add(time.Hour)); err == nil {
		t.Error("withdrawn twice")
	}
	for _, act := range []protocol.SiteState{protocol.SiteSuspended, protocol.SiteSuspended, protocol.SiteResumed, protocol.SiteWithdrawn} {
		if err := r.Act(t.Context(), owner.site, act, noon.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Erase(t.Context(), office.site, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	want := "withdrawn " + s.site + " suspended " + owner.site + " resumed " + owner.site + " withdrawn " + owner.site + " erased " + office.site
	if got := strings.Join(said(), " "); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	e := ledgerOf(t, path).Erasures[0]
	if e.Agent != s.agent || e.Grant != s.epoch || e.Epoch != s.epoch || !e.MadeAt.Equal(noon) {
		t.Errorf("%+v", e)
	}
}

// A ledger that cannot be written acknowledges nothing, and is made good by the
// next write, or at the next start.
func TestLedgerCannotBeWritten(t *testing.T) {
	store := storeAt(t, filepath.Join(t.TempDir(), "registry.db"))
	o := optionsOf(t, store)
	path := o.Ledger
	r, _, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	s := enrol(t, r, noon)
	s.say(noon, declaration(camera(1, "Ingresso")))
	whole := r.ledger.file
	if r.ledger.file, err = os.Open(path); err != nil { // for reading alone
		t.Fatal(err)
	}
	defer whole.Close()
	m := s.next(noon, withdrawal())
	if _, err := s.deliver(m, noon.Add(time.Minute)); err == nil || !strings.Contains(err.Error(), "ledger") {
		t.Fatal(err)
	}
	if _, err := s.deliver(m, noon.Add(time.Minute)); err == nil {
		t.Error("acknowledged the second time, and not on the ledger")
	}
	// What erases nothing is refused too, and leaves nothing behind: a one-time code would be burnt.
	if _, err := r.Invite(t.Context(), Invitation{Site: protocol.Site{Name: "Bar Due"}, At: noon, ExpiresAt: hour(48)}); err == nil || !strings.Contains(err.Error(), "ledger") {
		t.Error(err)
	}
	var sites int
	if err := r.write.QueryRowContext(t.Context(), "SELECT count(*) FROM sites").Scan(&sites); err != nil || sites != 1 {
		t.Errorf("%d sites are there, %v: what failed is committed", sites, err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r = openWith(t, o)
	if n := len(ledgerOf(t, path).Erasures); n != 1 {
		t.Errorf("%d lines after the start", n)
	}
	s.r = r
	if receipt, err := s.deliver(m, noon.Add(time.Hour)); err != nil || !receipt.Duplicate {
		t.Error(receipt, err)
	}
	if missing, err := r.missingIn(t.Context(), ledgerOf(t, path).Erasures); err != nil || len(missing) != 0 {
		t.Errorf("a ledger that says all is brought up to date: %+v, %v", missing, err)
	}
}

// What is undone after it was erased was not erased.
func TestLedgerOfWhatIsUndone(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	s.say(noon, declaration(camera(1, "Ingresso")))
	undone := errors.New("undone")
	if err := r.update(t.Context(), func(ctx context.Context, tx *tx) error {
		return cmp.Or(r.act(ctx, tx, s.site, protocol.SiteWithdrawn, hour(1), authorOwner), undone)
	}); !errors.Is(err, undone) {
		t.Fatal(err)
	}
	if e := ledgerOf(t, r.ledger.file.Name()).Erasures; len(e) != 0 {
		t.Errorf("%+v", e)
	}
	mustOwn(t, r, s.site)
}

func discarded() *slog.Logger { return slog.New(slog.DiscardHandler) }

func FuzzLedger(f *testing.F) {
	f.Add([]byte("x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, _, err := ReadLedger(bytes.NewReader(b), ledgerKey); err != nil && !errors.Is(err, ErrLedger) {
			t.Error(err)
		}
		line := append(append(macOf(ledgerKey, nil, b), ' '), b...)
		if _, _, err := ReadLedger(bytes.NewReader(append(line, '\n')), ledgerKey); err != nil && !errors.Is(err, ErrLedger) {
			t.Error(err)
		}
	})
}
