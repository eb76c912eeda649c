package update

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"anagrafe/protocol"
	"anagrafe/protocol/wholefile"
)

// spare is what a fetched program has to leave free on the disk, in bytes: the
// inventory is copied before a trial, and goes on being written.
const spare = 64 << 20

// errFull says that there is no room for an update.
var errFull = errors.New("there is no room on the disk for the update: the program that runs goes on, and it is fetched once there is room")

// fetch brings an offer's program onto the disk, whole and verified, and sets its
// trial. What came of it before is not asked for again.
func (u *Updater) fetch(ctx context.Context, o offer) error {
	path := u.path(o.Version)
	want := fetched{hex.EncodeToString(o.target.Hashes["sha256"]), o.target.Length}
	if check(path, want) == nil {
		if err := checkSpace(u.Dir, spare); err != nil {
			return err
		}
		return u.stage(o, want)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	part := path + ".part"
	if err := u.download(ctx, o, part); err != nil {
		return fmt.Errorf("fetching version %s: %w", o.Version, err)
	}
	u.at("downloaded")
	if err := check(part, want); err != nil {
		_ = os.Remove(part) // from the beginning, the next time
		return fmt.Errorf("version %s as it came is not what was signed: %w", o.Version, err)
	}
	if err := errors.Join(os.Chmod(part, 0o500), os.Rename(part, path)); err != nil {
		return err
	}
	if err := wholefile.SyncDir(filepath.Dir(path)); err != nil {
		return err
	}
	u.at("in place")
	return u.stage(o, want)
}

// download goes on with a file where it stopped, part by part.
func (u *Updater) download(ctx context.Context, o offer, part string) (err error) {
	f, err := os.OpenFile(part, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	have, size := info.Size(), o.target.Length
	if have > size {
		have = 0
	}
	if err := checkSpace(filepath.Dir(part), size-have+spare); err != nil {
		return err
	}
	for have < size {
		u.at("part")
		raw, status, err := u.get(ctx, o.address(), min(size-have, protocol.MaxChannelPart), have)
		switch {
		case err != nil:
			return err
		case status != http.StatusPartialContent:
			return fmt.Errorf("the collector answered with status %d", status)
		case len(raw) == 0:
			return errors.New("the collector gave an empty part")
		}
		if _, err := f.WriteAt(raw, have); err != nil {
			return err
		}
		have += int64(len(raw))
	}
	return errors.Join(f.Truncate(size), f.Sync())
}

// stage records a program that lies on the disk, and sets its trial.
func (u *Updater) stage(o offer, as fetched) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	s, err := u.load()
	if err != nil {
		return err
	}
	s.Programs[o.Version] = as
	s.Notes[o.Version] = whatIsSaid{u.Now().UTC(), o.Notes}
	s.Trial = &trial{Version: o.Version}
	u.tidy(s)
	if err := u.save(s); err != nil {
		return err
	}
	u.at("staged")
	return nil
}

// tidy removes programs that nobody will start again. What cannot be removed is
// removed another time.
func (u *Updater) tidy(s *state) {
	wanted := map[string]bool{s.Kept: true, s.Previous: true, u.Version: true}
	if s.Trial != nil {
		wanted[s.Trial.Version] = true
	}
	for v := range s.Programs {
		if !wanted[v] {
			delete(s.Programs, v)
		}
	}
	for v := range s.Notes {
		if !wanted[v] {
			delete(s.Notes, v)
		}
	}
	entries, err := os.ReadDir(u.Dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.IsDir() && protocol.CheckVersion(e.Name()) == nil && !wanted[e.Name()] {
			_ = os.RemoveAll(filepath.Join(u.Dir, e.Name()))
		}
	}
}

// check reads a file to its end and compares it with what it should be.
func check(path string, want fetched) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, io.LimitReader(f, want.Size+1))
	if err != nil {
		return err
	}
	hash, err := hex.DecodeString(want.SHA256)
	if err != nil || n != want.Size || !bytes.Equal(sum.Sum(nil), hash) {
		return errors.New("the file is not the one that was recorded")
	}
	return nil
}
