package main

import (
	"anagrafe/protocol"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// snapshotRenewed is how long before its end refresh makes a new snapshot.
const snapshotRenewed = 7 * 24 * time.Hour

// sign adds one owner's signature to all that is prepared.
func (c channel) sign(k key) error {
	if err := c.show(); err != nil {
		return err
	}
	newest, err := c.newestRoot()
	if err != nil {
		return err
	}
	former := newest != nil && owns(newest, k)
	root, err := metadata.Root().FromFile(c.staged("root.json"))
	switch {
	case errors.Is(err, fs.ErrNotExist) && former:
		root = newest
	case err == nil && (former || owns(root, k)):
		// A change of owners is signed by the old and the new ones.
		if err := signOnce(c, root, k, c.staged("root.json")); err != nil || !owns(root, k) {
			return err
		}
	case err == nil, errors.Is(err, fs.ErrNotExist):
		return errors.New("this key is none of the owners'")
	default:
		return err
	}
	tg, err := metadata.Targets().FromFile(c.staged("targets.json"))
	if err != nil {
		return err
	}
	return signOnce(c, tg, k, c.staged("targets.json"))
}

func owns(root *metadata.Metadata[metadata.RootType], k key) bool {
	return slices.Contains(root.Signed.Roles[metadata.ROOT].KeyIDs, k.id)
}

func signOnce[T metadata.Roles](c channel, m *metadata.Metadata[T], k key, path string) error {
	m.Signatures = slices.DeleteFunc(m.Signatures, func(s metadata.Signature) bool { return s.KeyID == k.id })
	if _, err := m.Sign(k); err != nil {
		return err
	}
	return write(c, m, path)
}

// publish makes what is prepared, and enough owners signed, the channel's.
func (c channel) publish(online key) error {
	root, err := c.publishRoot()
	if err != nil {
		return err
	}
	if !slices.Contains(root.Signed.Roles[metadata.TIMESTAMP].KeyIDs, online.id) {
		return errors.New("this key is not that of the channel (-online of root)")
	}
	ts, sn, tg, err := c.published()
	if err != nil {
		return err
	}
	staged, err := c.prepared(tg)
	if err != nil {
		return err
	}
	if tg = cmp.Or(staged, tg); tg == nil {
		return errors.New("nothing is prepared")
	}
	if err := root.VerifyDelegate(metadata.TARGETS, tg); err != nil {
		return fmt.Errorf("the targets are not signed by %d owners: %w", signers, err)
	}
	for name, file := range tg.Signed.Targets {
		if err := c.program(file, name); err != nil {
			return err
		}
	}
	if err := write(c, tg, c.numbered(tg.Signed.Version, metadata.TARGETS)); err != nil {
		return err
	}
	if sn == nil {
		sn, ts = metadata.Snapshot(c.now), metadata.Timestamp(c.now)
		sn.Signed.Version, ts.Signed.Version = 0, 0
	}
	sn.Signed.Meta["targets.json"] = metadata.MetaFile(tg.Signed.Version)
	if err := c.online(ts, sn, online, true); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(c.dir, "staged"))
}

// publishRoot publishes the root that is prepared, if there is one, and gives the
// newest.
func (c channel) publishRoot() (*metadata.Metadata[metadata.RootType], error) {
	before, err := c.newestRoot()
	if err != nil {
		return nil, err
	}
	root, err := metadata.Root().FromFile(c.staged("root.json"))
	if errors.Is(err, fs.ErrNotExist) || err == nil && before != nil && root.Signed.Version <= before.Signed.Version {
		if before == nil {
			return nil, errors.New("there is no channel here yet: begin with root")
		}
		return before, nil // of one that was killed after this step
	}
	if err != nil {
		return nil, err
	}
	for _, by := range []*metadata.Metadata[metadata.RootType]{before, root} {
		if by == nil {
			continue
		}
		if err := by.VerifyDelegate(metadata.ROOT, root); err != nil {
			return nil, fmt.Errorf("the root is not signed by %d owners of now and %d of before: %w", signers, signers, err)
		}
	}
	return root, write(c, root, c.numbered(root.Signed.Version, metadata.ROOT))
}

// program moves a prepared program to its place, or finds it there.
func (c channel) program(file *metadata.TargetFiles, name string) error {
	to := filepath.Join(c.dir, hashed(file, name))
	raw, err := os.ReadFile(c.staged(hashed(file, name)))
	if errors.Is(err, fs.ErrNotExist) {
		raw, err = os.ReadFile(to)
	}
	if err == nil {
		err = file.VerifyLengthHashes(raw)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return replace(to, raw)
}

// refresh makes a new timestamp, and a new snapshot when the old one ends soon. What it
// cannot renew it tells in time, by an error: that needs two of the owners.
func (c channel) refresh(online key) error {
	ts, sn, tg, err := c.published()
	if err != nil {
		return err
	}
	if ts == nil {
		return errors.New("there is no channel here yet: begin with root")
	}
	if err := c.online(ts, sn, online, sn.Signed.Expires.Sub(c.now) < snapshotRenewed); err != nil {
		return err
	}
	root, err := c.newestRoot()
	if err != nil {
		return err
	}
	if end := protocol.Earlier(root.Signed.Expires, tg.Signed.Expires); end.Sub(c.now) < ownersTold {
		return fmt.Errorf("the channel was refreshed, but what its owners signed ends on %s, and from then on no agent takes an update: "+
			"prepare it anew (root, with the same keys), let two of them sign, and publish", end.Format(time.DateOnly))
	}
	return nil
}

// online signs what the channel's key signs, the timestamp last.
func (c channel) online(ts *metadata.Metadata[metadata.TimestampType], sn *metadata.Metadata[metadata.SnapshotType], k key, snapshot bool) error {
	if snapshot {
		sn.Signed.Version++
		sn.Signed.Expires = c.now.Add(snapshotHolds)
		sn.ClearSignatures()
		if err := signOnce(c, sn, k, c.numbered(sn.Signed.Version, metadata.SNAPSHOT)); err != nil {
			return err
		}
	}
	ts.Signed.Version++
	ts.Signed.Expires = c.now.Add(timestampHolds)
	ts.Signed.Meta["snapshot.json"] = metadata.MetaFile(sn.Signed.Version)
	ts.ClearSignatures()
	return signOnce(c, ts, k, filepath.Join(c.dir, "timestamp.json"))
}
