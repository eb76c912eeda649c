package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"anagrafe/protocol"
	"anagrafe/protocol/wholefile"
)

// How long what is signed holds. The shorter the timestamp's, the shorter an old
// state can be played back; whoever runs the collector renews it every day.
const (
	rootHolds      = 365 * 24 * time.Hour
	targetsHold    = 365 * 24 * time.Hour
	snapshotHolds  = 14 * 24 * time.Hour
	timestampHolds = 3 * 24 * time.Hour
	ownersTold     = 60 * 24 * time.Hour // before what they signed ends
	owners         = 3
	signers        = 2
)

// channel is the directory of a repository. What is prepared lies in its folder
// "staged", which nobody serves.
type channel struct {
	dir string
	now time.Time
	out io.Writer
}

func (c channel) staged(name string) string { return filepath.Join(c.dir, "staged", name) }

func (c channel) numbered(version int64, role string) string {
	return filepath.Join(c.dir, fmt.Sprintf("%d.%s.json", version, role))
}

// newestRoot is the last one published; nil: none yet.
func (c channel) newestRoot() (root *metadata.Metadata[metadata.RootType], err error) {
	for v := int64(1); ; v++ {
		next, err := metadata.Root().FromFile(c.numbered(v, metadata.ROOT))
		if errors.Is(err, fs.ErrNotExist) {
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		root = next
	}
}

// published are the timestamp, the snapshot and the targets of now; nil: none yet.
func (c channel) published() (ts *metadata.Metadata[metadata.TimestampType], sn *metadata.Metadata[metadata.SnapshotType], tg *metadata.Metadata[metadata.TargetsType], err error) {
	ts, err = metadata.Timestamp().FromFile(filepath.Join(c.dir, "timestamp.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil, nil
	}
	if err == nil {
		sn, err = metadata.Snapshot().FromFile(c.numbered(ts.Signed.Meta["snapshot.json"].Version, metadata.SNAPSHOT))
	}
	if err == nil {
		tg, err = metadata.Targets().FromFile(c.numbered(sn.Signed.Meta["targets.json"].Version, metadata.TARGETS))
	}
	return ts, sn, tg, err
}

// stageRoot prepares the first root, or the next one with other keys.
func (c channel) stageRoot(o options) error {
	if len(o.owners) != owners || o.online == "" {
		return fmt.Errorf("name %d owners' public keys with -owner, one of them of somebody outside the Comune, and that of the channel with -online", owners)
	}
	before, err := c.newestRoot()
	if err != nil {
		return err
	}
	root := metadata.Root(c.now.Add(rootHolds))
	root.Signed.ConsistentSnapshot = true
	if before != nil {
		root.Signed.Version = before.Signed.Version + 1
	}
	add := func(file string, roles ...string) error {
		k, err := publicKey(file)
		for _, role := range roles {
			if err == nil {
				err = root.Signed.AddKey(k, role)
			}
		}
		return err
	}
	for _, file := range o.owners {
		if err := add(file, metadata.ROOT, metadata.TARGETS); err != nil {
			return err
		}
	}
	if err := add(o.online, metadata.SNAPSHOT, metadata.TIMESTAMP); err != nil {
		return err
	}
	if len(root.Signed.Keys) != owners+1 {
		return errors.New("these are not four keys: the owners' are three, and that of the channel is none of them")
	}
	root.Signed.Roles[metadata.ROOT].Threshold, root.Signed.Roles[metadata.TARGETS].Threshold = signers, signers
	targets := metadata.Targets(c.now.Add(targetsHold))
	if before != nil { // they have to be signed by those who own them now
		if targets, err = c.targets(); err != nil {
			return err
		}
	}
	return errors.Join(write(c, root, c.staged("root.json")), write(c, targets, c.staged("targets.json")))
}

// targets are those that are prepared, or the next after those of now.
func (c channel) targets() (*metadata.Metadata[metadata.TargetsType], error) {
	_, _, now, err := c.published()
	if err != nil {
		return nil, err
	}
	tg, err := c.prepared(now)
	switch {
	case err != nil:
		return nil, err
	case tg == nil && now == nil:
		return nil, errors.New("there is no channel here yet: begin with root")
	case tg == nil:
		tg = now
		tg.Signed.Version++
	case now != nil && tg.Signed.Version == now.Signed.Version:
		return nil, fmt.Errorf("%s was published already: publish once more, which removes it", c.staged("targets.json"))
	}
	tg.Signed.Expires = c.now.Add(targetsHold)
	tg.ClearSignatures() // of what they were before
	return tg, nil
}

// prepared are the targets in DIR/staged; nil: none are. Those that are now published may
// have come back from an owner, or stayed when publishing was cut off: older or changed
// ones are refused, for agents would take the channel for one that was set back.
func (c channel) prepared(now *metadata.Metadata[metadata.TargetsType]) (*metadata.Metadata[metadata.TargetsType], error) {
	file := c.staged("targets.json")
	tg, err := metadata.Targets().FromFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what is prepared: %w", err)
	}
	if now != nil && (tg.Signed.Version < now.Signed.Version || tg.Signed.Version == now.Signed.Version && !reflect.DeepEqual(tg.Signed, now.Signed)) {
		return nil, fmt.Errorf("%s has number %d, and number %d is published: remove that folder, and prepare anew what is still wanted",
			file, tg.Signed.Version, now.Signed.Version)
	}
	return tg, nil
}

// add prepares a program.
func (c channel) add(program string, o options) error {
	r := o.release
	r.Notes = map[string]string{"it": o.noteIt, "en": o.noteEn}
	if r.Percent == unset {
		r.Percent = 10
	}
	var err error
	if r.From = c.now; o.from != "" {
		if r.From, err = time.Parse(time.RFC3339, o.from); err != nil {
			return fmt.Errorf("-from: %w", err)
		}
	}
	if err := r.Check(); err != nil {
		return err
	}
	tg, err := c.targets()
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	if len(raw) == 0 || len(raw) > protocol.MaxProgram {
		return fmt.Errorf("%s has %d bytes: a program has 1 to %d", program, len(raw), protocol.MaxProgram)
	}
	if _, is := tg.Signed.Targets[r.Target()]; is {
		return fmt.Errorf("%s is in the channel: a program that was changed is another version", r.Target())
	}
	file, err := metadata.TargetFile().FromBytes(r.Target(), raw, "sha256")
	if err != nil {
		return err
	}
	if err := describe(file, r); err != nil {
		return err
	}
	tg.Signed.Targets[r.Target()] = file
	if err := replace(c.staged(hashed(file, r.Target())), raw); err != nil {
		return err
	}
	return write(c, tg, c.staged("targets.json"))
}

// hashed is the name of a program's file (TUF 1.0, section 6.2).
func hashed(file *metadata.TargetFiles, name string) string {
	return filepath.Join("targets", hex.EncodeToString(file.Hashes["sha256"])+"."+name)
}

// said is what a target says of itself, which came from an owner's computer.
func said(file *metadata.TargetFiles) (protocol.Release, error) {
	if file.Custom == nil {
		return protocol.Release{}, errors.New("this target says of no release what it is: it was not prepared by add")
	}
	return protocol.ParseRelease(*file.Custom)
}

func describe(file *metadata.TargetFiles, r protocol.Release) error {
	custom, err := json.Marshal(r)
	file.Custom = (*json.RawMessage)(&custom)
	return err
}

// change prepares another share of a version, for all its machines.
func (c channel) change(o options) error {
	tg, err := c.targets()
	if err != nil {
		return err
	}
	found := false
	for name, file := range tg.Signed.Targets {
		r, err := said(file)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if r.Version != o.release.Version {
			continue
		}
		found = true
		if o.release.Percent != unset {
			r.Percent = o.release.Percent
		}
		r.Paused = (r.Paused || o.pause) && !o.resume
		if err := errors.Join(r.Check(), describe(file, r)); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("version %q is not in the channel", o.release.Version)
	}
	return write(c, tg, c.staged("targets.json"))
}

// show reports what is prepared, for its signers: compare the hashes with a
// program that you built yourself.
func (c channel) show() error {
	if root, err := metadata.Root().FromFile(c.staged("root.json")); err == nil {
		fmt.Fprintf(c.out, "root %d, until %s, signed by %d of %d\n", root.Signed.Version, root.Signed.Expires.Format(time.DateOnly), len(root.Signatures), signers)
		for _, id := range root.Signed.Roles[metadata.ROOT].KeyIDs {
			fmt.Fprintln(c.out, "  owner ", id)
		}
		fmt.Fprintln(c.out, "  online", strings.Join(root.Signed.Roles[metadata.TIMESTAMP].KeyIDs, " "))
	}
	tg, err := c.prepared(nil)
	if err != nil {
		return err
	}
	if tg == nil {
		return errors.New("nothing is prepared")
	}
	fmt.Fprintf(c.out, "targets %d, until %s, signed by %d of %d\n", tg.Signed.Version, tg.Signed.Expires.Format(time.DateOnly), len(tg.Signatures), signers)
	names := make([]string, 0, len(tg.Signed.Targets))
	for name := range tg.Signed.Targets {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		file := tg.Signed.Targets[name]
		r, err := said(file)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		state := ""
		if r.Paused {
			state = ", paused"
		}
		fmt.Fprintf(c.out, "  %s\n    sha256 %s, %d bytes\n    %d%% from %s%s\n    it: %s\n    en: %s\n", name,
			hex.EncodeToString(file.Hashes["sha256"]), file.Length, r.Percent, r.From.Format(time.RFC3339), state, r.Notes["it"], r.Notes["en"])
	}
	return nil
}

// write gives metadata its file.
func write[T metadata.Roles](c channel, m *metadata.Metadata[T], path string) error {
	raw, err := m.ToBytes(true)
	if err != nil {
		return err
	}
	return replace(path, raw)
}

// replace writes a file. Anybody may read it: the collector runs as another user, and
// there is no secret in it.
func replace(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return wholefile.Write(path, content, 0o644)
}
