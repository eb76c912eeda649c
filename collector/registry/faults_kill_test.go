package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// killedEnv tells a process of this test binary which register it shall load
// until it is killed.
const killedEnv = "ANAGRAFE_TEST_KILLED"

// killed is what such a process is told.
type killed struct {
	Store, TrailKeys string
	Early            bool
	Sites            []left // to go on with
}

// left is a site that the process before has left.
type left struct {
	Site, Agent string
	N           int
	State       outcome
}

// TestKilledProcess is that process; it does nothing in the run of the tests.
func TestKilledProcess(t *testing.T) {
	told := os.Getenv(killedEnv)
	if told == "" {
		return
	}
	var k killed
	if err := json.Unmarshal([]byte(told), &k); err != nil {
		t.Fatal(err)
	}
	r := openWith(t, Options{Store: k.Store, Keys: keysOf(k.Store), Ledger: filepath.Join(filepath.Dir(k.TrailKeys), "erased.ledger"), Log: discarded()})
	tr, err := openTrail(t.Context(), r, k.TrailKeys)
	if err != nil {
		t.Fatal(err)
	}
	out := os.NewFile(3, "ledger")
	var sites []*client
	for _, s := range k.Sites {
		g, _, _, err := r.Site(t.Context(), s.Agent, s.Site)
		if err != nil {
			t.Fatal(err)
		}
		sites = append(sites, &client{site: s.Site, agent: s.Agent, n: s.N, epoch: g.Epoch, revision: int64(s.State.Messages), suspended: s.State.Suspended})
	}
	l := &load{r: r, trail: tr, now: time.Now, early: k.Early, ledger: func(s noted) error {
		line, err := s.line()
		if err != nil {
			return err
		}
		_, err = out.WriteString(line) // short enough to be written in one piece
		return err
	}}
	t.Fatal("not killed: ", l.run(t.Context(), sites))
}

// siege is a register whose process is killed again and again.
type siege struct {
	*ledger
	store, keys string
	early       bool
}

func newSiege(t *testing.T) *siege {
	dir := t.TempDir()
	return &siege{ledger: newLedger(), store: storeAt(t, filepath.Join(dir, "registry.db")), keys: filepath.Join(dir, "keys")}
}

// anywhere picks when to kill a process: a moment after some number of acts, or
// while it starts.
func anywhere() (acts int, moment time.Duration) {
	if rand.IntN(10) == 0 {
		return 0, time.Duration(rand.Int64N(int64(100 * time.Millisecond)))
	}
	return 1 + rand.IntN(40), time.Duration(rand.Int64N(int64(2 * time.Millisecond)))
}

// strike starts a process and kills it, a moment after so many acts were
// acknowledged.
func (s *siege) strike(t *testing.T, acts int, moment time.Duration) {
	t.Helper()
	told, err := json.Marshal(killed{s.store, s.keys, s.early, s.left()})
	if err != nil {
		t.Fatal(err)
	}
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledProcess$")
	cmd.Env = append(os.Environ(), killedEnv+"="+string(told))
	cmd.ExtraFiles = []*os.File{out}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err = cmd.Start()
	out.Close()
	if err != nil {
		t.Fatal(err)
	}
	kill := func() { time.AfterFunc(moment, func() { _ = cmd.Process.Kill() }) }
	if acts == 0 {
		kill()
	}
	if err := s.follow(in, acts, kill); err != nil {
		t.Error(err)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the process ended by itself: %v\n%s", err, &said)
	}
}

// left are some sites to go on with.
func (s *siege) left() (sites []left) {
	for site, c := range s.sites {
		if c.state.Granted && len(sites) < loadAgents/2 {
			sites = append(sites, left{site, c.agent, c.last, c.state})
		}
	}
	return sites
}

// look audits the register as the killed process left it.
func (s *siege) look(t *testing.T, all bool) []string {
	t.Helper()
	r := openStore(t, s.store)
	found, err := s.audit(t.Context(), r, s.keys, all)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return found
}

// killAgain kills n processes under load, and audits the register after each.
func killAgain(t *testing.T, n int) {
	const each = 50 // kills of one register
	total := 0
	for n > 0 {
		s := newSiege(t)
		for range min(n, each) {
			acts, moment := anywhere()
			s.strike(t, acts, moment)
			n--
			if found := s.look(t, n == 0); len(found) > 0 {
				t.Fatalf("%d kills before the end: %q", n, found)
			}
		}
		total += s.done
	}
	t.Logf("%d acts were acknowledged, and none was lost", total)
}

// What was acknowledged is there after kill -9 of a process under load, whole,
// and what is there is whole. TestLongKilledWriterLosesNothing kills 500 times.
func TestKilledWriterLosesNothing(t *testing.T) { killAgain(t, 25) }
