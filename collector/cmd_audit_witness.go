package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"

	"anagrafe/collector/trail"
	"anagrafe/collector/web/audit"
	"anagrafe/protocol/wholefile"
)

// maxWitnessed bounds what a witness reads of a collector's answer, in bytes.
const maxWitnessed = 1 << 20

// cmdAuditWitness is what a witness runs, on a machine of its own, as often as it
// likes: it needs no directory of a collector and no credential.
func cmdAuditWitness(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	server := f.String("server", "", "the collector's consultation address")
	key := f.String("key", "", "the trail's verifier key, taken down when the trail began")
	keyFile := f.String("key-file", "", "the witness's private key, that nobody else can read")
	checkpoint := f.String("checkpoint", "", "file with the checkpoint that was signed last; the new one takes its place")
	first := f.Bool("first", false, "there is none yet: begin with what the collector shows now")
	name := f.String("new", "", "make the private key of a witness with this name, and print the public one")
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	switch {
	case *keyFile == "":
		return misuse("-key-file FILE is missing")
	case *name != "":
		return c.newWitness(*name, *keyFile)
	case *server == "" || *key == "" || *checkpoint == "":
		return misuse("-server, -key and -checkpoint are needed")
	}
	private, err := readPrivate(*keyFile)
	if err != nil {
		return err
	}
	if err := overTLS(*server); err != nil {
		return err
	}
	asker := &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	cl := client{http: asker, server: strings.TrimSuffix(*server, "/")}
	older, err := olderCheckpoint(ctx, cl, *checkpoint, *first)
	if err != nil {
		return err
	}
	signed, err := cl.witness(ctx, *key, private, older, *checkpoint)
	if err != nil {
		return err
	}
	if c.json {
		return c.print(signed)
	}
	_, err = fmt.Fprintf(c.out, "co-signed: %s, as %s, at %s; %s holds it: keep that file\n",
		counted(int(signed.Size), "entry", "entries"), signed.Name, signed.At.Format(time.RFC3339), *checkpoint)
	return err
}

// newWitness makes the key of a witness.
func (c *call) newWitness(name, file string) error {
	private, public, err := trail.NewWitnessKey(name)
	if err != nil {
		return misuse(err.Error())
	}
	if err := wholefile.WriteNew(file, []byte(private+"\n"), 0o600); err != nil {
		return fmt.Errorf("writing the witness's key: %w", err)
	}
	if c.json {
		return c.print(struct {
			Witness string `json:"witness"`
		}{public})
	}
	fmt.Fprintln(c.out, public)
	return nil
}

// readPrivate reads a key that nobody else can read.
func readPrivate(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", fmt.Errorf("reading the witness's key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("others on this machine can read %s: run chmod 600 %s, and make another key if they may have", file, file)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading the witness's key: %w", err)
	}
	return string(b), nil
}

// olderCheckpoint is what the witness signed last. One that has lost it must say
// so: to begin anew in silence is what a forger would wish for.
func olderCheckpoint(ctx context.Context, cl client, file string, first bool) ([]byte, error) {
	older, err := os.ReadFile(file)
	switch {
	case err == nil && first:
		return nil, fmt.Errorf("%s is there: leave out -first, which is for a witness that has signed nothing yet", file)
	case err == nil:
		return older, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("reading the older checkpoint: %w", err)
	case !first:
		return nil, fmt.Errorf("%s is not there: give the checkpoint that was signed last, or one that an auditor kept; -first begins with what the collector shows now", file)
	}
	taken, err := cl.get(ctx, audit.WitnessPath+"?old=0")
	if err != nil {
		return nil, err
	}
	_, checkpoint, ok := strings.Cut(string(taken), "\n\n")
	if !ok {
		return nil, errors.New("the collector's answer holds no checkpoint")
	}
	return []byte(checkpoint), nil
}

// witness takes, checks, signs, keeps and hands back, in that order: a signature
// that was given away is never forgotten.
func (cl client) witness(ctx context.Context, key, private string, older []byte, file string) (trail.Cosigned, error) {
	size, err := trail.CheckpointSize(older, key)
	if err != nil {
		return trail.Cosigned{}, err
	}
	taken, err := cl.get(ctx, fmt.Sprintf("%s?old=%d", audit.WitnessPath, size))
	if err != nil {
		return trail.Cosigned{}, err
	}
	signed, err := trail.Cosign(taken, key, older, private, time.Now())
	if err != nil {
		return trail.Cosigned{}, err
	}
	if err := wholefile.Write(file, signed.Checkpoint, 0o600); err != nil {
		return trail.Cosigned{}, fmt.Errorf("keeping the signed checkpoint: %w", err)
	}
	body, err := cl.send(ctx, http.MethodPost, audit.WitnessPath, "text/plain; charset=utf-8", strings.NewReader(string(signed.Checkpoint)))
	if err != nil {
		return trail.Cosigned{}, fmt.Errorf("handing the signature back: %w: it is in %s, run this again", err, file)
	}
	return signed, body.Close()
}

// get reads a short text.
func (cl client) get(ctx context.Context, path string) ([]byte, error) {
	body, err := cl.send(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, maxWitnessed))
	if err != nil {
		return nil, fmt.Errorf("reading the collector's answer: %w", err)
	}
	return b, nil
}
