package update

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"
	"golang.org/x/mod/semver"

	"anagrafe/protocol"
)

// Bounds of the metadata, in bytes: a root of a dozen keys has some 5 KiB, a
// timestamp and a snapshot under 1, and each release some 1.5.
const (
	maxRoot      = 64 << 10
	maxTimestamp = 16 << 10
	maxSnapshot  = 16 << 10
	maxTargets   = protocol.MaxChannelPart
	maxRotations = 32
	// partTime is how long one request may take: a part of 512 KiB comes at 9 KiB a
	// second or more, or it is asked for again at the next look.
	partTime = 60 * time.Second
	// lookTime bounds all of the metadata of one look.
	lookTime = 5 * time.Minute
	// collectorURL stands for the collector; the transport knows where it is.
	collectorURL = "https://collector"
)

// offer is a release and the target that holds its program.
type offer struct {
	protocol.Release
	target *metadata.TargetFiles
}

// Look asks the channel what there is, and fetches a version that is for this agent.
// It is ready when it lies whole and verified on the disk, to be tried at once.
func (u *Updater) Look(ctx context.Context) (ready bool, err error) {
	if !u.Able() {
		return false, nil
	}
	u.looking.Lock()
	defer u.looking.Unlock()
	newest, offers, err := u.offers(ctx)
	if err == nil {
		ready, err = u.take(ctx, offers)
	}
	err = asErrFull(err)
	u.seen.mu.Lock()
	defer u.seen.mu.Unlock()
	u.seen.at, u.seen.wrong = u.Now(), err
	if newest != nil {
		u.seen.newest = *newest
	}
	return ready, err
}

// take fetches the best offer, if the owner lets it.
func (u *Updater) take(ctx context.Context, offers []offer) (bool, error) {
	u.mu.Lock()
	s, err := u.load()
	u.mu.Unlock()
	if err != nil || u.Mode == Hold || s.Hold {
		return false, err
	}
	for _, o := range offers { // the newest first
		if f, is := s.failed(o.Version); is && (f.Why != protocol.SetbackSilent || u.Now().Sub(f.At) < silentFor) {
			continue
		}
		err := u.fetch(ctx, o)
		return err == nil, err
	}
	return false, nil
}

// offers are the releases for this agent above its version, the newest first, and
// the newest of all that there is for such a machine.
func (u *Updater) offers(ctx context.Context) (newest *protocol.Release, offers []offer, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	targets, err := u.refresh(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("the update channel: %w", err)
	}
	agent := u.AgentID()
	var all []offer
	for name, t := range targets {
		if t.Custom == nil {
			continue // none of ours
		}
		r, err := protocol.ParseRelease(*t.Custom)
		if err != nil || r.Target() != name || r.OS != runtime.GOOS || r.Arch != runtime.GOARCH || semver.Compare(r.Version, u.Version) <= 0 {
			continue // a later kind of release, or another machine's, or an old one
		}
		if t.Length <= 0 || t.Length > protocol.MaxProgram || len(t.Hashes["sha256"]) != 32 {
			return nil, nil, fmt.Errorf("the update channel: version %s has %d bytes, or no SHA-256: it is not taken", r.Version, t.Length)
		}
		all = append(all, offer{r, t})
	}
	slices.SortFunc(all, func(a, b offer) int { return cmp.Or(semver.Compare(b.Version, a.Version)) })
	for _, o := range all {
		if newest == nil {
			newest = &o.Release
		}
		if agent != "" && o.InRollout(agent, u.Now()) {
			offers = append(offers, o)
		}
	}
	return newest, offers, nil
}

// refresh verifies the channel's metadata and gives its targets.
func (u *Updater) refresh(ctx context.Context) (map[string]*metadata.TargetFiles, error) {
	dir := filepath.Join(u.Dir, "metadata")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := u.anchor(dir)
	if err != nil {
		return nil, err
	}
	removeUnreadable(dir)
	c, err := config.New(collectorURL+protocol.ChannelPath, root)
	if err != nil {
		return nil, err
	}
	c.RootMaxLength, c.TimestampMaxLength, c.SnapshotMaxLength, c.TargetsMaxLength = maxRoot, maxTimestamp, maxSnapshot, maxTargets
	c.MaxRootRotations, c.MaxDelegations = maxRotations, 0
	c.LocalMetadataDir, c.LocalTargetsDir = dir, dir
	c.Fetcher = fetcher{ctx, u}
	up, err := updater.New(c)
	if err != nil {
		return nil, err
	}
	// This machine's own clock, though it may be wrong: by the collector's, the
	// collector could hand out what has long expired.
	up.UnsafeSetRefTime(u.Now())
	if err := up.Refresh(); err != nil {
		if e, ok := errors.AsType[*metadata.ErrDownloadHTTP](err); ok && e.StatusCode == http.StatusNotFound {
			return nil, errors.New("this collector has none")
		}
		return nil, err
	}
	return up.GetTopLevelTargets(), nil
}

// removeUnreadable removes what was kept of the metadata and cannot be read, as after a power
// cut: go-tuf would stumble over it for ever. What can be read, it verifies itself.
func removeUnreadable(dir string) {
	for name, read := range map[string]func([]byte) error{
		"timestamp.json": func(b []byte) error { _, err := metadata.Timestamp().FromBytes(b); return err },
		"snapshot.json":  func(b []byte) error { _, err := metadata.Snapshot().FromBytes(b); return err },
		"targets.json":   func(b []byte) error { _, err := metadata.Targets().FromBytes(b); return err },
	} {
		path := filepath.Join(dir, name)
		if raw, err := os.ReadFile(path); err == nil && read(raw) != nil {
			_ = os.Remove(path)
		}
	}
	left, _ := filepath.Glob(filepath.Join(dir, "tuf_tmp*")) // what it was writing when it was killed
	for _, path := range left {
		_ = os.Remove(path)
	}
}

// anchor is the root to trust: the one that was shipped, or a later one that was
// verified from it and kept.
func (u *Updater) anchor(dir string) ([]byte, error) {
	shipped, err := metadata.Root().FromBytes(u.Root)
	if err != nil {
		return nil, fmt.Errorf("root.json that was shipped with the program: %w", err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "root.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return u.Root, nil
	}
	if err != nil {
		return nil, err
	}
	if kept, err := metadata.Root().FromBytes(raw); err == nil && kept.Signed.Version > shipped.Signed.Version && kept.VerifyDelegate(metadata.ROOT, kept) == nil {
		return raw, nil
	}
	return u.Root, nil
}

// fetcher is go-tuf's way to the channel.
type fetcher struct {
	ctx context.Context // of the look
	u   *Updater
}

// DownloadFile returns a file of at most so many bytes.
func (f fetcher) DownloadFile(address string, most int64, _ time.Duration) ([]byte, error) {
	raw, status, err := f.u.get(f.ctx, address, most, -1)
	if err == nil && status != http.StatusOK {
		err = &metadata.ErrDownloadHTTP{StatusCode: status, URL: address}
	}
	return raw, err
}

// get asks for a file, or from a place on for most bytes of it, within partTime.
func (u *Updater) get(ctx context.Context, address string, most, from int64) (raw []byte, status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, partTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, 0, err
	}
	if from >= 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, from+most-1))
	}
	resp, err := u.Transport.RoundTrip(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	raw, err = io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err == nil && int64(len(raw)) > most {
		err = &metadata.ErrDownloadLengthMismatch{Msg: fmt.Sprintf("%s has more than %d bytes", req.URL.Path, most)}
	}
	return raw, resp.StatusCode, err
}

// address is where a target lies in a repository with consistent snapshots (TUF 1.0,
// section 6.2): under its hash.
func (o offer) address() string {
	return collectorURL + protocol.ChannelPath + "targets/" + hex.EncodeToString(o.target.Hashes["sha256"]) + "." + o.Target()
}
