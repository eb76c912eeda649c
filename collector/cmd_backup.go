package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/daemon"
	"anagrafe/protocol/wholefile"
)

const (
	maxKeyFile    = 1 << 20         // of a file of keys; ours have under 20 KiB
	maxRecipients = 16              // of one backup
	backupStall   = 5 * time.Minute // that one write of a backup may wait for its reader
)

// backupRequest is what the handlers of backups are asked.
type backupRequest struct {
	Recipients []string `json:"recipients"`
}

// cmdBackup writes the register, or the keys that open it, to a file.
func cmdBackup(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	var in backupRequest
	f.Var((*daemon.Repeated)(&in.Recipients), "recipient", "public key, age1..., of who may restore it; may be given again for others")
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	if len(in.Recipients) == 0 {
		return misuse("-recipient age1... is missing: make a pair of keys elsewhere, with age-keygen -o restore.key, keep that file off this host and give its public key here")
	}
	if _, err := recipients(in.Recipients); err != nil {
		return misuse(err.Error())
	}
	var size int64
	sum := sha256.New()
	err = wholefile.CreateNew(words[0], func(file io.Writer) error {
		return c.withCollector(ctx, func(cl client) error {
			return cl.fetch(ctx, "/"+c.name, in, io.MultiWriter(file, sum), &size)
		})
	})
	if err != nil {
		return err
	}
	now := time.Now()
	if c.json {
		return c.print(struct {
			File        string    `json:"file"`
			Bytes       int64     `json:"bytes"`
			SHA256      string    `json:"sha256"`
			DeleteUntil time.Time `json:"delete_until,omitzero"`
		}{words[0], size, fmt.Sprintf("%x", sum.Sum(nil)), c.deleteUntil(now)})
	}
	fmt.Fprintf(c.out, "%s is written: %d bytes, SHA-256 %x\n", words[0], size, sum.Sum(nil))
	if c.deleteUntil(now).IsZero() {
		fmt.Fprintln(c.out, "It holds no key: whoever is to restore it needs a backup of the keys too (backup-keys), and DIR/erased.ledger as it is then.")
		return nil
	}
	fmt.Fprintf(c.out, "Keep it apart from the backups of the register, and delete it by %s: as long as it is there, what was erased can be opened in them.\n",
		c.deleteUntil(now).Local().Format(time.DateOnly))
	return nil
}

// deleteUntil is when the file must be gone; zero: it may be kept.
func (c *call) deleteUntil(now time.Time) time.Time {
	if c.name == "backup-keys" {
		return now.Add(registry.KeysLife).UTC()
	}
	return time.Time{}
}

func recipients(given []string) (all []age.Recipient, err error) {
	if len(given) == 0 || len(given) > maxRecipients {
		return nil, fmt.Errorf("give 1 to %d recipients", maxRecipients)
	}
	for _, s := range given {
		r, err := age.ParseRecipients(strings.NewReader(s))
		if err != nil || len(r) != 1 {
			return nil, fmt.Errorf("%q is not the public key of an age pair (age1...)", s)
		}
		all = append(all, r[0])
	}
	return all, nil
}

// fetch asks for a stream and copies it; one that breaks off is an error.
func (cl client) fetch(ctx context.Context, path string, in any, out io.Writer, size *int64) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	body, err := cl.send(ctx, http.MethodPost, path, "application/json", strings.NewReader(string(b)))
	if err != nil {
		return err
	}
	defer body.Close()
	if *size, err = io.Copy(out, body); err != nil {
		return fmt.Errorf("the backup broke off: %w (the collector's log says why, if it was there)", err)
	}
	return nil
}

// backupControl serves the command line alone: what it gives is encrypted, to a
// key that whoever asks has chosen.
func (o *collector) backupControl() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /backup", func(rw http.ResponseWriter, r *http.Request) {
		o.answerBackup(rw, r, act.Backup, func(out io.Writer, to []age.Recipient) (registry.ArchiveInfo, error) {
			return o.reg.Backup(r.Context(), out, to, version())
		})
	})
	mux.HandleFunc("POST /backup-keys", func(rw http.ResponseWriter, r *http.Request) {
		o.answerBackup(rw, r, act.BackupKeys, func(out io.Writer, to []age.Recipient) (registry.ArchiveInfo, error) {
			files, err := keyFiles(o.dir) // not before the entry on the trail, which may wait: they may be changed meanwhile
			if err != nil {
				return registry.ArchiveInfo{}, err
			}
			return o.reg.BackupKeys(r.Context(), out, to, version(), files)
		})
	})
	return mux
}

// answerBackup puts the backup on the trail and streams it. An error after the
// first byte can only be told by ending the connection.
func (o *collector) answerBackup(rw http.ResponseWriter, r *http.Request, kind act.Kind, write func(io.Writer, []age.Recipient) (registry.ArchiveInfo, error)) {
	var in backupRequest
	err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, 64<<10)).Decode(&in)
	var to []age.Recipient
	if err == nil {
		to, err = recipients(in.Recipients)
	}
	if err != nil {
		web.WriteJSON(rw, http.StatusBadRequest, web.Problem{Error: err.Error(), Field: "recipients"})
		return
	}
	if err := o.record(r.Context(), web.Act{Kind: kind, User: web.Host(registry.RoleAdmin), From: web.From(r), Details: map[string]any{"recipients": in.Recipients}}); err != nil {
		o.opsWeb.Unrecorded(rw, r, err)
		return
	}
	rw.Header().Set("Content-Type", "application/octet-stream")
	info, err := write(web.Streamed(rw, backupStall), to)
	if err != nil {
		o.log.ErrorContext(r.Context(), "the backup broke off", "kind", kind, "err", err)
		panic(http.ErrAbortHandler) // net/http's way to end a connection without a good ending
	}
	o.log.InfoContext(r.Context(), "backup written", "kind", kind, "id", info.ID, "schema", info.Schema)
}

// keyFiles reads DIR/root.secret and the files in DIR/keys.
func keyFiles(dir string) (files []registry.KeyFile, err error) {
	entries, err := os.ReadDir(filepath.Join(dir, "keys"))
	if err != nil {
		return nil, fmt.Errorf("reading the keys: %w", err)
	}
	paths := []string{rootSecretFile}
	for _, e := range entries {
		if e.Type().IsRegular() && !strings.Contains(e.Name(), ".new-") { // left by a write that was cut short
			paths = append(paths, "keys/"+e.Name())
		}
	}
	for _, p := range paths {
		b, err := wholefile.Read(filepath.Join(dir, filepath.FromSlash(p)), maxKeyFile)
		if err != nil {
			return nil, fmt.Errorf("reading the keys: %w", err)
		}
		files = append(files, registry.KeyFile{Path: p, Content: b})
	}
	return files, nil
}
