package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/daemon"
	"anagrafe/protocol/wholefile"
)

// restoration is what the command line says of a restore, and what was read of it.
type restoration struct {
	backup, keys, identity string
	ledgers                []string
	oldKeys                string // why keys over 30 days old are used

	identities   []age.Identity
	of           registry.ArchiveInfo // the backup
	keysOf       registry.ArchiveInfo
	files        []registry.KeyFile
	erasures     []registry.Erasure
	ledgerCopies [][]byte
}

// cmdRestore makes the register anew from a backup, the keys, and the ledger of
// what was erased since.
func cmdRestore(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	var in restoration
	f.StringVar(&in.identity, "identity", "", "file with the private key, as age-keygen made it")
	f.StringVar(&in.keys, "keys", "", "file that backup-keys wrote")
	f.StringVar(&in.oldKeys, "old-keys", "", "why keys over 30 days old are used: it goes on the trail")
	f.Var((*daemon.Repeated)(&in.ledgers), "ledger", "copy of erased.ledger, the newest there is; may be given again, for several collectors (default DIR/erased.ledger)")
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	if in.backup = words[0]; in.identity == "" || in.keys == "" {
		return misuse("-identity KEYFILE and -keys KEYSFILE are needed")
	}
	config, err := c.readConfig()
	if err != nil {
		return err
	}
	if err := config.check(); err != nil {
		return err
	}
	if err := in.check(c.dir, time.Now()); err != nil {
		return err
	}
	done, err := c.restore(ctx, config, &in)
	if err != nil {
		return err
	}
	recorded := c.recordRestore(ctx, config, &in, done)
	if recorded != nil {
		recorded = fmt.Errorf("the register is restored, but that is not on the trail: %w", recorded)
	}
	return errors.Join(c.tellRestored(&in, done), recorded)
}

// check reads all that is given to its end, and changes nothing.
func (in *restoration) check(dir string, now time.Time) error {
	var err error
	if in.identities, err = readIdentities(in.identity); err != nil {
		return err
	}
	if err := reading(in.backup, func(r io.Reader) (err error) {
		in.of, err = registry.CheckBackup(r, in.identities)
		return err
	}); err != nil {
		return err
	}
	if err := reading(in.keys, func(r io.Reader) (err error) {
		in.keysOf, in.files, err = registry.CheckKeys(r, in.identities)
		return err
	}); err != nil {
		return err
	}
	if age := now.Sub(in.keysOf.At); age > registry.KeysLife && in.oldKeys == "" {
		return fmt.Errorf("%s is of %s: a backup of the keys may be kept for 30 days, so that what was erased cannot be opened any more; "+
			"take a newer one (it opens older backups too), or, where there is none and the register would be lost, say why with -old-keys REASON: "+
			"what was erased since is erased again all the same", in.keys, in.keysOf.At.Local().Format(time.DateTime))
	}
	if err := in.checkFiles(dir); err != nil {
		return err
	}
	return in.readLedgers(dir)
}

func readIdentities(path string) ([]age.Identity, error) {
	b, err := wholefile.Read(path, maxKeyFile)
	if err != nil {
		return nil, fmt.Errorf("reading the private key: %w", err)
	}
	ids, err := age.ParseIdentities(bytes.NewReader(b))
	if err != nil { // its error may quote the key
		return nil, fmt.Errorf("%s is not a file of private keys of age (AGE-SECRET-KEY-1...)", path)
	}
	return ids, nil
}

// reading gives a file to a reader of it, and says of which file an error is.
func reading(path string, read func(io.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := read(f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// checkFiles refuses files of keys that would go elsewhere, or over others.
func (in *restoration) checkFiles(dir string) error {
	for _, f := range in.files {
		name, inKeys := strings.CutPrefix(f.Path, "keys/")
		if f.Path != rootSecretFile && (!inKeys || name == "" || strings.ContainsAny(name, `/\`) || !filepath.IsLocal(name)) {
			return fmt.Errorf("%s: %w (it has a file %q)", in.keys, registry.ErrDamaged, f.Path)
		}
		there, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(f.Path)))
		if errors.Is(err, fs.ErrNotExist) || err == nil && bytes.Equal(there, f.Content) {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading the keys that are there: %w", err)
		}
		return fmt.Errorf("%s is there and not the one that the backup was sealed with: restore into a new directory, or move its keys and root.secret away first",
			filepath.Join(dir, f.Path))
	}
	return nil
}

func (in *restoration) file(path string) []byte {
	if i := slices.IndexFunc(in.files, func(f registry.KeyFile) bool { return f.Path == path }); i >= 0 {
		return in.files[i].Content
	}
	return nil
}

// readLedgers reads the ledgers that are given, and the one of the directory.
func (in *restoration) readLedgers(dir string) error {
	own := ledgerFile(dir)
	if _, err := os.Stat(own); err == nil && !slices.Contains(in.ledgers, own) {
		in.ledgers = append([]string{own}, in.ledgers...)
	}
	if len(in.ledgers) == 0 {
		return fmt.Errorf("%s is not there: without the ledger of erasures, what was erased since the backup would come back; "+
			"copy it from the old host, or give its newest copy with -ledger FILE", own)
	}
	key, err := derive(in.file(rootSecretFile), ledgerPurpose)
	if err != nil {
		return err
	}
	continues := false
	for _, path := range in.ledgers {
		b, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("reading the ledger of erasures: %w", err)
		}
		text, rest, err := registry.ReadLedger(bytes.NewReader(b), key)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		continues = continues || text.Continues(in.of.Ledger) && text.Continues(in.keysOf.Ledger)
		in.erasures = append(in.erasures, text.Erasures...)
		in.ledgerCopies = append(in.ledgerCopies, b[:len(b)-rest])
	}
	if !continues {
		return fmt.Errorf("%s: %w (when the backups were made it had come further, or it is the ledger of another collector)", strings.Join(in.ledgers, ", "), registry.ErrLedger)
	}
	slices.SortStableFunc(in.erasures, func(a, b registry.Erasure) int { return a.At.Compare(b.At) })
	return nil
}

// restore puts the keys and the ledger in place, and fills the register.
func (c *call) restore(ctx context.Context, config Config, in *restoration) (_ registry.Restored, err error) {
	// Before root acts as the directory's owner, who may not reach them.
	backup, err := os.Open(in.backup)
	if err != nil {
		return registry.Restored{}, err
	}
	defer backup.Close()
	keysBackup, err := os.Open(in.keys)
	if err != nil {
		return registry.Restored{}, err
	}
	defer keysBackup.Close()
	held, err := takeLock(c.dir)
	if errors.Is(err, errDaemon) {
		err = fmt.Errorf("%w: stop it first", err)
	}
	if err != nil {
		return registry.Restored{}, err
	}
	defer func() { err = errors.Join(err, held.release()) }()
	for _, f := range in.files {
		path := filepath.Join(c.dir, filepath.FromSlash(f.Path))
		if err := wholefile.Write(path, f.Content, 0o600); err != nil {
			return registry.Restored{}, fmt.Errorf("writing the keys: %w", err)
		}
		if ext := filepath.Ext(path); ext == ".pub" || ext == ".pem" { // for whoever is to check something
			if err := os.Chmod(path, 0o644); err != nil {
				return registry.Restored{}, fmt.Errorf("writing the keys: %w", err)
			}
		}
	}
	if _, err := os.Stat(ledgerFile(c.dir)); errors.Is(err, fs.ErrNotExist) {
		if err := wholefile.Write(ledgerFile(c.dir), in.ledgerCopies[0], 0o600); err != nil {
			return registry.Restored{}, fmt.Errorf("writing the ledger of erasures: %w", err)
		}
	}
	keys, err := registerKeys(c.dir, in.file(rootSecretFile), true)
	if err != nil {
		return registry.Restored{}, err
	}
	return registry.Restore(ctx, registry.Restoration{
		Store: config.store(c.dir), Keys: keys, Identities: in.identities, Ledger: in.erasures, Log: c.log,
		Backup: again(backup), KeysBackup: again(keysBackup),
	})
}

// again returns what reads file from its beginning, each time.
func again(file *os.File) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(file, 0, math.MaxInt64)), nil
	}
}

// recordRestore opens the restored register once, which checks its keys, and
// puts the restore on its trail.
func (c *call) recordRestore(ctx context.Context, config Config, in *restoration, done registry.Restored) (err error) {
	o, err := openRegister(ctx, c.dir, config, c.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	return o.record(ctx, web.Act{Kind: act.Restore, User: web.Host(registry.RoleAdmin), Count: done.Sites, Details: map[string]any{
		"backup": in.of.ID, "backup_at": in.of.At, "keys_at": in.keysOf.At, "old_keys": in.oldKeys}})
}

func (c *call) tellRestored(in *restoration, done registry.Restored) error {
	if c.json {
		return c.print(struct {
			Backup      string    `json:"backup"`
			At          time.Time `json:"at"`
			Rows        int64     `json:"rows"`
			ErasedAgain int       `json:"sites_erased_or_suspended_again"`
			Unread      int       `json:"sites_not_opened"`
			Unnamed     int       `json:"organisations_not_opened"`
		}{in.of.ID, in.of.At, done.Rows, done.Sites, done.Unread, done.Organisations})
	}
	at := in.of.At.Local().Format(time.DateTime)
	fmt.Fprintf(c.out, "The register is as it was on %s: %d rows. Erased, suspended or resumed since, and again now: %s.\n", at, done.Rows, counted(done.Sites, "site", "sites"))
	if done.Unread > 0 {
		fmt.Fprintf(c.out, "Of %d sites the keys, of %s, open nothing: they have declared nothing until their agents send it again, the next time they have something to say.\n",
			done.Unread, in.keysOf.At.Local().Format(time.DateTime))
	}
	if done.Organisations > 0 {
		fmt.Fprintf(c.out, "Of %d organisations the keys open nothing either: organisation list has them as \"? ID\". They keep their sites and are found by their name; "+
			"type each anew (organisation change ID -name …, with -fiscal-code, -trust, -representative and -contact), and what it had delegated (delegation add).\n", done.Organisations)
	}
	fmt.Fprintf(c.out, "After that time, and not in it:\n"+
		"- what agents declared and observed: they send it again by themselves, the next time they have something to say;\n"+
		"- agents that were enrolled: they need a new code (invite);\n"+
		"- agents and people that were revoked: revoke them again, now, before anything is served;\n"+
		"- searches and other acts on the trail: a checkpoint of after that time does not verify, and its auditors are to be told why.\n")
	return nil
}
