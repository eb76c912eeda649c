//go:build long

package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"
)

const (
	branchesAtOnce = 8  // installed at the same moment
	branchesAgain  = 20 // installed twice
)

// TestLongBranches is a bank's day: the 200 branches of its file, an answer file each
// with the code that "import -codes" made for it. Each is enrolled for its own branch,
// none twice, and the same file played again, for some of them, changes nothing.
func TestLongBranches(t *testing.T) {
	collector := startRealCollector(t)
	codes := filepath.Join(t.TempDir(), "codes.csv")
	collector.run("organisation", "add", "Banca Prealpina", "-fiscal-code", "01199250158", "-contact", "Sala operativa", "-phone", "02 5550000")
	collector.run("import", filepath.Join("..", "testdata", "import", "filiali.csv"), "-organisation", "Banca Prealpina", "-codes", codes)
	branches := readCodes(t, codes)
	if len(branches) != 200 {
		t.Fatalf("%d branches have a code", len(branches))
	}
	dirs := t.TempDir()
	play := func(those []branch) map[string]string { // what each branch is after it, by its name
		var mu sync.Mutex
		is := map[string]string{}
		var work errgroup.Group
		work.SetLimit(branchesAtOnce)
		for _, b := range those {
			work.Go(func() error {
				became, err := b.install(t.Context(), filepath.Join(dirs, b.name))
				if err != nil {
					return fmt.Errorf("%s: %w", b.name, err)
				}
				mu.Lock()
				defer mu.Unlock()
				is[b.name] = became
				return nil
			})
		}
		if err := work.Wait(); err != nil {
			t.Fatal(err)
		}
		return is
	}
	first := play(branches)
	enrolled := collector.enrolled()
	seed := rand.IntN(len(branches) / branchesAgain)
	t.Logf("seed %d", seed)
	var some []branch
	for n := seed; n < len(branches); n += len(branches) / branchesAgain {
		some = append(some, branches[n])
	}
	for name, again := range play(some) {
		if again != first[name] {
			t.Errorf("the same file again has changed %s: it was %s, and is %s", name, first[name], again)
		}
	}
	if again := collector.enrolled(); !slices.Equal(enrolled, again) {
		t.Errorf("the same files again have changed what the collector knows: %d agents, %d", len(enrolled), len(again))
	}
	want := slices.Sorted(maps.Keys(first))
	var got []string
	for _, agent := range enrolled {
		_, names, _ := strings.Cut(agent, " ")
		got = append(got, names)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%d agents for %d branches:\n%q", len(got), len(want), got)
	}
}

// branch is a line of the file of codes.
type branch struct{ name, link string }

func readCodes(t *testing.T, path string) (all []branch) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := csv.NewReader(f)
	lines.Comma = ';'
	if _, err := lines.Read(); err != nil { // its head
		t.Fatal(err)
	}
	for {
		line, err := lines.Read()
		if err == io.EOF {
			return all
		}
		if err != nil || len(line) != 4 {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, branch{line[1], line[3]})
	}
}

// install plays the answer file into a directory and starts the agent there, until it
// has done what the file says. It gives what the agent is then.
func (b branch) install(ctx context.Context, dir string) (became string, err error) {
	path := dir + ".toml"
	text := fmt.Sprintf("[enrol]\ncode = %q\n[contact]\nname = \"Centrale operativa\"\nrole = \"control-room\"\nphone = \"+39 02 5550 0100\"\n", b.link)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", err
	}
	if err := takeAnswers(path, dir); err != nil {
		return "", err
	}
	s, err := openAgent(ctx, dir, defaults(), slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.answer(ctx); err != nil {
		return "", err
	}
	held, err := s.inv.View(ctx)
	if err != nil {
		return "", err
	}
	grants, contacts := held.Sites, held.Contacts[""]
	if len(grants) != 1 || grants[0].SiteName != b.name || len(contacts) != 1 {
		return "", fmt.Errorf("it is enrolled as %+v, its contacts are %+v", grants, contacts)
	}
	waiting, err := s.inv.Counts(ctx)
	return fmt.Sprintf("%+v %+v %v", grants, contacts, waiting), err
}

func (r realCollector) run(args ...string) []byte {
	r.t.Helper()
	out, err := exec.CommandContext(r.t.Context(), r.bin, append(args, "-data", r.data)...).Output()
	if err != nil {
		r.t.Fatalf("%v: %v", args, err)
	}
	return out
}

// enrolled are the agents that the collector knows: id, a blank, the site's name.
func (r realCollector) enrolled() (all []string) {
	r.t.Helper()
	var list struct {
		Agents []struct {
			ID    string
			Sites []struct{ Name string }
		}
	}
	if err := json.Unmarshal(r.run("agents", "-json"), &list); err != nil {
		r.t.Fatal(err)
	}
	for _, a := range list.Agents {
		if len(a.Sites) != 1 {
			r.t.Errorf("agent %s serves %+v", a.ID, a.Sites)
			continue
		}
		all = append(all, a.ID+" "+a.Sites[0].Name)
	}
	slices.Sort(all)
	return all
}
