package update

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"anagrafe/protocol"
)

// key signs.
type key struct {
	signature.Signer
	public *metadata.Key
}

func newKey(t *testing.T) key {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := signature.LoadSigner(private, crypto.Hash(0))
	if err != nil {
		t.Fatal(err)
	}
	k, err := metadata.KeyFromPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return key{s, k}
}

func keyID(t *testing.T, k key) string {
	t.Helper()
	id, err := k.public.ID()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// repository is a channel in memory, which a test may spoil.
type repository struct {
	t         *testing.T
	owners    [3]key // two of them sign root and targets
	online    key
	root      *metadata.Metadata[metadata.RootType]
	targets   *metadata.Metadata[metadata.TargetsType]
	snapshot  *metadata.Metadata[metadata.SnapshotType]
	timestamp *metadata.Metadata[metadata.TimestampType]

	mu    sync.Mutex
	files map[string][]byte // by name in the channel
	asked []string
	// answer replaces the answer to a request, unless it gives false.
	answer func(w http.ResponseWriter, r *http.Request, name string) bool
}

var now = time.Now().UTC().Truncate(time.Second)

func newRepository(t *testing.T) *repository {
	t.Helper()
	r := &repository{t: t, online: newKey(t), files: map[string][]byte{}}
	for i := range r.owners {
		r.owners[i] = newKey(t)
	}
	r.root = metadata.Root(now.AddDate(1, 0, 0))
	r.root.Signed.ConsistentSnapshot = true
	for _, role := range []string{metadata.ROOT, metadata.TARGETS} {
		for _, k := range r.owners {
			r.must(r.root.Signed.AddKey(k.public, role))
		}
		r.root.Signed.Roles[role].Threshold = 2
	}
	for _, role := range []string{metadata.SNAPSHOT, metadata.TIMESTAMP} {
		r.must(r.root.Signed.AddKey(r.online.public, role))
	}
	r.targets = metadata.Targets(now.AddDate(1, 0, 0))
	r.snapshot = metadata.Snapshot(now.AddDate(0, 0, 14))
	r.timestamp = metadata.Timestamp(now.AddDate(0, 0, 3))
	r.publishRoot(r.owners[:2]...)
	r.publish(r.owners[:2]...)
	return r
}

func (r *repository) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func sign[T metadata.Roles](r *repository, m *metadata.Metadata[T], keys ...key) []byte {
	r.t.Helper()
	m.ClearSignatures()
	for _, k := range keys {
		_, err := m.Sign(k)
		r.must(err)
	}
	raw, err := m.ToBytes(false)
	r.must(err)
	return raw
}

func (r *repository) put(name string, raw []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files[name] = raw
}

func (r *repository) publishRoot(keys ...key) []byte {
	raw := sign(r, r.root, keys...)
	r.put(fmt.Sprintf("%d.root.json", r.root.Signed.Version), raw)
	return raw
}

// publish signs targets as they are, and a snapshot and a timestamp of them.
func (r *repository) publish(keys ...key) {
	r.t.Helper()
	r.put(fmt.Sprintf("%d.targets.json", r.targets.Signed.Version), sign(r, r.targets, keys...))
	r.snapshot.Signed.Meta["targets.json"] = metadata.MetaFile(r.targets.Signed.Version)
	r.put(fmt.Sprintf("%d.snapshot.json", r.snapshot.Signed.Version), sign(r, r.snapshot, r.online))
	r.timestamp.Signed.Meta["snapshot.json"] = metadata.MetaFile(r.snapshot.Signed.Version)
	r.put("timestamp.json", sign(r, r.timestamp, r.online))
}

// next numbers all three anew.
func (r *repository) next() {
	r.targets.Signed.Version++
	r.snapshot.Signed.Version++
	r.timestamp.Signed.Version++
}

func released(version string) protocol.Release {
	return protocol.Release{Version: version, OS: runtime.GOOS, Arch: runtime.GOARCH, Percent: 100, From: now.Add(-time.Hour),
		Notes: map[string]string{"it": "Novità.", "en": "News."}}
}

// add has the targets hold a program; name "" is the right one.
func (r *repository) add(rel protocol.Release, name string, program []byte) {
	r.t.Helper()
	custom, err := json.Marshal(rel)
	r.must(err)
	if name == "" {
		name = rel.Target()
	}
	file, err := metadata.TargetFile().FromBytes(name, program, "sha256")
	r.must(err)
	file.Custom = (*json.RawMessage)(&custom)
	r.targets.Signed.Targets[name] = file
	sum := sha256.Sum256(program)
	r.put("targets/"+hex.EncodeToString(sum[:])+"."+name, program)
}

// release adds a program of a new version and publishes it.
func (r *repository) release(version string, program []byte) {
	r.t.Helper()
	r.next()
	r.add(released(version), "", program)
	r.publish(r.owners[0], r.owners[2])
}

// RoundTrip is the line to a collector that serves the channel as collector/ingest does.
func (r *repository) RoundTrip(req *http.Request) (*http.Response, error) {
	name := strings.TrimPrefix(req.URL.Path, protocol.ChannelPath)
	r.mu.Lock()
	r.asked = append(r.asked, name+" "+req.Header.Get("Range"))
	raw, is := r.files[name]
	r.mu.Unlock()
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	if r.answer != nil && r.answer(w, req, name) {
		return w.Result(), nil
	}
	var from, to int
	switch n, _ := fmt.Sscanf(req.Header.Get("Range"), "bytes=%d-%d", &from, &to); {
	case !is:
		w.WriteHeader(http.StatusNotFound)
	case n == 2:
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(raw[min(from, len(raw)):min(to+1, len(raw))])
	default:
		_, _ = w.Write(raw)
	}
	return w.Result(), nil
}

func (r *repository) count(prefix string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.asked {
		if strings.HasPrefix(a, prefix) {
			n++
		}
	}
	return n
}

// fakeInventory counts what is done to it.
type fakeInventory struct {
	content, copied string
	schema          int64
	failCopy        error
}

func (f *fakeInventory) Copy(context.Context) error {
	if f.failCopy == nil {
		f.copied = f.content
	}
	return f.failCopy
}

func (f *fakeInventory) Restore() error {
	if f.copied != "" {
		f.content = f.copied
	}
	return nil
}
func (f *fakeInventory) Drop() error                           { f.copied = ""; return nil }
func (f *fakeInventory) Schema(context.Context) (int64, error) { return f.schema, nil }

// client is an agent of v1.0.0 that trusts the repository.
func client(t *testing.T, r *repository) (*Updater, *fakeInventory) {
	t.Helper()
	r.mu.Lock()
	root := r.files["1.root.json"]
	r.mu.Unlock()
	inv := &fakeInventory{content: "before", schema: 16}
	return New(Options{Dir: filepath.Join(t.TempDir(), "updates"), Mode: Auto, Root: root, Version: "v1.0.0", Installed: "/usr/bin/anagrafe-agent",
		AgentID: func() string { return "9d2f3a52-1a57-4a09-9d0e-2f0d3f1c4b5a" }, Transport: r, Inventory: inv, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}), inv
}

// staged is the version whose trial is set.
func staged(t *testing.T, u *Updater) string {
	t.Helper()
	s, err := u.load()
	if err != nil {
		t.Fatal(err)
	}
	if s.Trial == nil {
		return ""
	}
	return s.Trial.Version
}

// refused looks, and wants an error that says so, and nothing staged.
func refused(t *testing.T, u *Updater, says string) {
	t.Helper()
	ready, err := u.Look(t.Context())
	if err == nil || ready || !strings.Contains(err.Error(), says) {
		t.Errorf("%v, %v: it should say %q", ready, err, says)
	}
	if v := staged(t, u); v != "" {
		t.Errorf("%s is staged", v)
	}
	if st, err := u.Standing(); err != nil || st.Wrong == "" {
		t.Errorf("the owner is told %+v, %v", st, err)
	}
}

var errGone = errors.New("the line is gone")
