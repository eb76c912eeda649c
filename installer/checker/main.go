// Command checker compares what agents and officers were told was saved with what the register
// and the trail hold. It uses none of the code that it judges: it reads one snapshot of the SQLite
// file or PostgreSQL database with SQL of its own, and rebuilds the Merkle tree from the entries
// (golang.org/x/mod/sumdb). Tests of the whole product run it, while they go on or afterwards:
//
//	go run ./installer/loadtest -codes codes.json -phases enrol,connect,live -for 1h -ledger ledger.jsonl
//	go run ./installer/checker -ledger ledger.jsonl -data /var/lib/anagrafe-collector
//
// # The ledger
//
// A ledger has one JSON object a line for each event, written by the clients before and after
// each call:
//
//	{"event":"sent","at":"…","agent":"…","site":"…","message":"…","sha256":"HEX","kind":"declaration","epoch":1,"revision":3,"cameras":6}
//	{"event":"acknowledged","at":"…","message":"…","sha256":"HEX"}
//	{"event":"asked","at":"…","search":"…"}
//	{"event":"answered","at":"…","search":"…","entry":17,"checkpoint":"…"}
//
// "sent" and "asked" are written before anything leaves; "acknowledged" and "answered" count once
// they are on disk. search is the client's own name for the question, entry its index on the
// trail, and checkpoint the trail as witnessed then. A torn last line is ignored.
//
// # The report
//
// An acknowledged message is lost if it is not stored byte for byte (by its hash), or if its site
// does not stand as its newest declaration says. A record stored twice is doubled; one of a site in
// the ledger that nobody sent is unsent. An entry of the trail is unverifiable if no signed
// checkpoint proves it, or if it differs from what a checkpoint in the ledger covers. Sites
// outside the ledger are not judged.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// Exit codes, as those of the programs.
const (
	exitFailed = 1 // something was lost, or could not be read
	exitMisuse = 2
)

// task is what the command line asks for.
type task struct {
	ledgers []string
	store   string // sqlite:FILE or postgres://…
	key     string // verifier key of the trail
	json    bool
}

func main() {
	t, err := parse(os.Args[1:], os.Stderr)
	if err != nil {
		os.Exit(exitMisuse)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := t.run(ctx)
	if err == nil {
		err = r.print(os.Stdout, t.json)
	}
	if err == nil && !r.OK {
		err = errors.New("the register does not hold what was acknowledged: keep its directory and the ledger as they are")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "checker:", err)
		os.Exit(exitFailed)
	}
}

func parse(args []string, complain io.Writer) (t task, err error) {
	f := flag.NewFlagSet("checker", flag.ContinueOnError)
	f.SetOutput(complain)
	f.Func("ledger", "file in which the askers wrote what they asked and were told; may be given again", func(s string) error {
		t.ledgers = append(t.ledgers, s)
		return nil
	})
	data := f.String("data", "", "the collector's directory")
	f.StringVar(&t.store, "store", "", "where the register is: sqlite:FILE or postgres://HOST/DATABASE (default: DIR/registry.db)")
	f.StringVar(&t.key, "key", "", "the trail's verifier key, kept outside the collector (default: the one in DIR/keys/checkpoint.key)")
	f.BoolVar(&t.json, "json", false, "print one JSON value")
	if err := f.Parse(args); err != nil {
		return t, err
	}
	if err = t.complete(*data, f.Args()); err != nil {
		fmt.Fprintln(complain, "checker:", err)
	}
	return t, err
}

// complete fills in what the collector's directory tells.
func (t *task) complete(data string, rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("what is %q?", rest[0])
	case len(t.ledgers) == 0:
		return errors.New("-ledger FILE is missing")
	case data == "" && (t.store == "" || t.key == ""):
		return errors.New("give -data DIR, or both -store and -key")
	}
	if t.store == "" {
		t.store = "sqlite:" + filepath.Join(data, "registry.db")
	}
	if t.key != "" {
		return nil
	}
	file := filepath.Join(data, "keys", "checkpoint.key")
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the trail's key: %w", err)
	}
	lines := strings.Fields(string(text)) // the signing key, and the verifier's
	if len(lines) != 2 {
		return fmt.Errorf("%s does not hold a signing key and a verifier key", file)
	}
	t.key = lines[1]
	return nil
}

// run compares. What was acknowledged before the register is read must be in it;
// what is in it must have been sent before it was read, so the ledger's end is
// read afterwards: the collector and those who ask may go on meanwhile.
func (t task) run(ctx context.Context) (*report, error) {
	told := newLedger()
	if err := told.read(t.ledgers, true); err != nil {
		return nil, err
	}
	var trail *grown
	s, err := look(ctx, t.store, func(rows entries) (err error) {
		trail, err = grow(rows)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := told.read(t.ledgers, false); err != nil {
		return nil, err
	}
	r := &report{}
	r.messages(told, s)
	r.sites(told, s)
	if err := r.trail(told, s, trail, t.key); err != nil {
		return nil, err
	}
	r.finish()
	return r, nil
}

// print writes the report.
func (r *report) print(w io.Writer, asJSON bool) error {
	if !asJSON {
		_, err := fmt.Fprint(w, r)
		return err
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
