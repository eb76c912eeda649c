package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"anagrafe/collector/trail"
	"anagrafe/protocol/daemon"
	"anagrafe/protocol/wholefile"
)

// cmdAuditExport writes the trail to a file, for others to verify.
func cmdAuditExport(ctx context.Context, c *call, args []string) error {
	words, err := c.parse(c.flags(), args, 1)
	if err != nil {
		return err
	}
	// Whole, for half an export would only look tampered with.
	return wholefile.CreateNew(words[0], func(file io.Writer) error { return c.export(ctx, file) })
}

func (c *call) export(ctx context.Context, w io.Writer) error {
	return c.withCollector(ctx, func(cl client) error {
		body, err := cl.send(ctx, http.MethodGet, "/audit/export", "", nil)
		if err != nil {
			return err
		}
		defer body.Close()
		if _, err := io.Copy(w, body); err != nil {
			return fmt.Errorf("reading the trail: %w", err)
		}
		return nil
	})
}

// withExport gives the export in file, or, when that is "", this collector's own.
func (c *call) withExport(ctx context.Context, file string, read func(io.Reader) error) error {
	if file != "" {
		f, err := os.Open(file)
		if err != nil {
			return fmt.Errorf("reading the export: %w", err)
		}
		defer f.Close()
		return read(bufio.NewReader(f))
	}
	temporary, err := os.CreateTemp("", "anagrafe-trail-*.jsonl")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	defer temporary.Close()
	if err := c.export(ctx, temporary); err != nil {
		return err
	}
	if _, err := temporary.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return read(bufio.NewReader(temporary))
}

// cmdAuditVerify proves the trail with a key and an older checkpoint that come
// from outside the collector: without them it would only prove that whoever
// changed the trail was consistent.
func cmdAuditVerify(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	key := f.String("key", "", "the trail's verifier key, as the credential file has it")
	checkpoint := f.String("checkpoint", "", "file with an older checkpoint, kept outside the collector")
	export := f.String("export", "", "file that \"audit export\" wrote (default: ask this collector)")
	var witnesses daemon.Repeated
	f.Var(&witnesses, "witness", "public key of a witness who must have co-signed this trail; may be given again")
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	if *key == "" || *checkpoint == "" {
		return misuse("-key and -checkpoint are needed, and must come from outside the collector's directory")
	}
	older, err := os.ReadFile(*checkpoint)
	if err != nil {
		return fmt.Errorf("reading the older checkpoint: %w", err)
	}
	var report trail.Report
	err = c.withExport(ctx, *export, func(r io.Reader) (err error) {
		report, err = trail.Verify(r, *key, older, witnesses...)
		return err
	})
	if err != nil {
		return err
	}
	if c.json {
		return c.print(struct {
			Verified bool `json:"verified"`
			trail.Report
		}{true, report})
	}
	fmt.Fprintf(c.out, "verified: %s, none changed, removed or inserted; it continues the older checkpoint of %s\n",
		counted(int(report.Size), "entry", "entries"), counted(int(report.OlderSize), "entry", "entries"))
	for _, w := range report.Witnesses {
		fmt.Fprintf(c.out, "witnessed: %s has co-signed the first %s of it, at %s; what came later it has not seen yet\n",
			w.Name, counted(int(w.Size), "entry", "entries"), w.At.Format(time.RFC3339))
	}
	return nil
}

// cmdAuditShow opens what was sealed to a force, with the private key that
// only the force's auditor has.
func cmdAuditShow(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	identity := f.String("identity", "", "the force's private key")
	export := f.String("export", "", "file that \"audit export\" wrote (default: ask this collector)")
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	if *identity == "" {
		return misuse("-identity FILE is missing")
	}
	key, err := os.Open(*identity)
	if err != nil {
		return fmt.Errorf("reading the private key: %w", err)
	}
	defer key.Close()
	lines := json.NewEncoder(c.out)
	return c.withExport(ctx, *export, func(r io.Reader) error {
		return trail.Show(r, key, func(s trail.Shown) error { return lines.Encode(s) })
	})
}
