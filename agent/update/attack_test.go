package update

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"anagrafe/protocol"
)

var program = []byte(strings.Repeat("a program ", 1<<17)) // more than one part

func TestGood(t *testing.T) {
	r := newRepository(t)
	u, _ := client(t, r)
	if ready, err := u.Look(t.Context()); err != nil || ready {
		t.Fatalf("nothing is there: %v, %v", ready, err)
	}
	r.release("v1.1.0", program)
	ready, err := u.Look(t.Context())
	if err != nil || !ready || staged(t, u) != "v1.1.0" {
		t.Fatalf("%v, %v, %q", ready, err, staged(t, u))
	}
	raw, err := os.ReadFile(u.path("v1.1.0"))
	if err != nil || string(raw) != string(program) {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
	if info, err := os.Stat(u.path("v1.1.0")); err != nil || info.Mode().Perm() != 0o500 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if st, err := u.Standing(); err != nil || st.Next != "v1.1.0" || st.NextNotes["it"] == "" || st.Wrong != "" || st.Held {
		t.Errorf("%+v, %v", st, err)
	}
	before := r.count("targets/")
	if ready, err := u.Look(t.Context()); err != nil || !ready || r.count("targets/") != before {
		t.Errorf("what is there was fetched again: %v, %v", ready, err)
	}
}

// The attacks of the specification (TUF 1.0, section 1.5.2), each by who has taken
// over the collector, and has the online key where the attack needs one.
// It is long because it is one table.
func TestAttacks(t *testing.T) {
	for name, c := range map[string]struct {
		attack func(r *repository, look func())
		says   string
	}{
		"wrong key": {func(r *repository, look func()) {
			stranger, other := newKey(t), newKey(t)
			r.next()
			r.add(released("v1.1.0"), "", program)
			r.publish(stranger, other)
		}, "not enough signatures"},
		"one key of the two": {func(r *repository, look func()) {
			r.next()
			r.add(released("v1.1.0"), "", program)
			r.publish(r.owners[0])
		}, "not enough signatures"},
		"one key twice": {func(r *repository, look func()) {
			r.next()
			r.add(released("v1.1.0"), "", program)
			r.publish(r.owners[0], r.owners[0])
		}, "multiple signatures"},
		"online key for the program": {func(r *repository, look func()) {
			r.next()
			r.add(released("v1.1.0"), "", program)
			r.publish(r.owners[0], r.online)
		}, "not enough signatures"},
		"unsigned timestamp": {func(r *repository, look func()) {
			r.release("v1.1.0", program)
			r.put("timestamp.json", sign(r, r.timestamp))
		}, "not enough signatures"},
		"changed after signing": {func(r *repository, look func()) {
			r.release("v1.1.0", program)
			r.put("2.targets.json", []byte(strings.Replace(string(r.files["2.targets.json"]), `"percent":100`, `"percent":99`, 1)))
		}, "not enough signatures"},
		"roll-back of the timestamp": {func(r *repository, look func()) {
			old := r.files["timestamp.json"]
			r.release("v1.1.0", program)
			r.next()
			r.targets.Signed.Targets = map[string]*metadata.TargetFiles{}
			r.publish(r.owners[:2]...)
			look()
			r.put("timestamp.json", old)
		}, "new timestamp version 1 must be >= 3"},
		"roll-back of the snapshot": {func(r *repository, look func()) {
			r.release("v1.1.0", program)
			r.next()
			r.targets.Signed.Targets = map[string]*metadata.TargetFiles{}
			r.publish(r.owners[:2]...)
			look()
			r.timestamp.Signed.Version++
			r.timestamp.Signed.Meta["snapshot.json"] = metadata.MetaFile(2)
			r.put("timestamp.json", sign(r, r.timestamp, r.online))
		}, "new snapshot version 2 must be >= 3"},
		"roll-back of the targets": {func(r *repository, look func()) {
			r.release("v1.1.0", program)
			r.next()
			r.targets.Signed.Targets = map[string]*metadata.TargetFiles{}
			r.publish(r.owners[:2]...)
			look()
			r.snapshot.Signed.Version, r.timestamp.Signed.Version = 4, 4
			r.snapshot.Signed.Meta["targets.json"] = metadata.MetaFile(2)
			r.put("4.snapshot.json", sign(r, r.snapshot, r.online))
			r.timestamp.Signed.Meta["snapshot.json"] = metadata.MetaFile(4)
			r.put("timestamp.json", sign(r, r.timestamp, r.online))
		}, "targets.json version"},
		"freeze: expired timestamp": {func(r *repository, look func()) {
			r.timestamp.Signed.Expires = now.Add(-time.Minute)
			r.release("v1.1.0", program)
		}, "timestamp.json is expired"},
		"freeze: expired snapshot": {func(r *repository, look func()) {
			r.snapshot.Signed.Expires = now.Add(-time.Minute)
			r.release("v1.1.0", program)
		}, "snapshot.json is expired"},
		"freeze: expired targets": {func(r *repository, look func()) {
			r.targets.Signed.Expires = now.Add(-time.Minute)
			r.release("v1.1.0", program)
		}, "targets is expired"},
		"freeze: expired root": {func(r *repository, look func()) {
			r.root.Signed.Version++
			r.root.Signed.Expires = now.Add(-time.Minute)
			r.publishRoot(r.owners[:2]...)
			r.release("v1.1.0", program)
		}, "root.json is expired"},
		"mix-and-match": {func(r *repository, look func()) {
			// Two true releases: the targets of the one in the repository of the other.
			r.release("v1.1.0", program)
			first := r.files["2.targets.json"]
			r.release("v1.2.0", append([]byte("other "), program...))
			r.put("3.targets.json", first)
		}, "expected targets version 3, got 2"},
		"fast-forward without the key": {func(r *repository, look func()) {
			stranger := newKey(t)
			r.release("v1.1.0", program)
			r.timestamp.Signed.Version = 1 << 40
			r.put("timestamp.json", sign(r, r.timestamp, stranger))
		}, "not enough signatures"},
		"a root of strangers": {func(r *repository, look func()) {
			other := newRepository(t)
			other.root.Signed.Version = 2
			r.put("2.root.json", sign(other, other.root, other.owners[:2]...))
		}, "not enough signatures"},
		"a root of one owner": {func(r *repository, look func()) {
			r.root.Signed.Version = 2
			r.root.Signed.Roles[metadata.TARGETS].Threshold = 1
			r.publishRoot(r.owners[0])
		}, "not enough signatures"},
		"a root that leaves a version out": {func(r *repository, look func()) {
			r.root.Signed.Version = 3
			r.put("2.root.json", sign(r, r.root, r.owners[:2]...))
		}, "bad version number"},
		"endless timestamp": {func(r *repository, look func()) { endless(r, "timestamp.json") }, "has more than"},
		"endless root":      {func(r *repository, look func()) { endless(r, "2.root.json") }, "has more than"},
		"endless snapshot": {func(r *repository, look func()) {
			r.release("v1.1.0", program)
			endless(r, "2.snapshot.json")
		}, "has more than"},
		"endless targets": {func(r *repository, look func()) {
			r.release("v1.1.0", program)
			endless(r, "2.targets.json")
		}, "has more than"},
		"endless program": {func(r *repository, look func()) {
			r.release("v1.1.0", program)
			endless(r, "targets/")
		}, "has more than"},
		"a program of another length": {func(r *repository, look func()) {
			r.release("v1.1.0", program)
			spoil(r, program[:len(program)-1])
		}, "empty part"},
		"another program of the same length": {func(r *repository, look func()) {
			r.release("v1.1.0", program)
			spoil(r, []byte(strings.ToUpper(string(program))))
		}, "is not what was signed"},
		"a program beyond the bound": {func(r *repository, look func()) {
			r.next()
			r.add(released("v1.1.0"), "", program)
			for _, f := range r.targets.Signed.Targets {
				f.Length = protocol.MaxProgram + 1
			}
			r.publish(r.owners[:2]...)
		}, "not taken"},
		"no channel": {func(r *repository, look func()) { r.files = map[string][]byte{} }, "this collector has none"},
		"not JSON":   {func(r *repository, look func()) { r.put("timestamp.json", []byte("<html>")) }, "invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t)
			u, _ := client(t, r)
			look := func() { // at an honest state; what is staged by it is of no matter
				if _, err := u.Look(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			look()
			c.attack(r, look)
			refused(t, u, c.says)
		})
	}
}

func spoil(r *repository, program []byte) {
	for name := range r.files {
		if strings.HasPrefix(name, "targets/") {
			r.put(name, program)
		}
	}
}

// endless answers for a name without an end.
func endless(r *repository, prefix string) {
	r.answer = func(w http.ResponseWriter, req *http.Request, name string) bool {
		if !strings.HasPrefix(name, prefix) {
			return false
		}
		if req.Header.Get("Range") != "" {
			w.WriteHeader(http.StatusPartialContent)
		}
		_, _ = w.Write(make([]byte, protocol.MaxChannelPart+1))
		return true
	}
}

// A target may be named as it likes: what is not named as a release is none, and no
// name becomes a path.
func TestTargetNames(t *testing.T) {
	r := newRepository(t)
	u, _ := client(t, r)
	r.next()
	for _, name := range []string{"../../etc/cron.d/x", "anagrafe-agent_v1.1.0_linux_amd64/../../x", "/anagrafe-agent_v1.1.0_linux_amd64", "anagrafe-agent_v1.1.0_plan9_mips"} {
		r.add(released("v1.1.0"), name, program)
	}
	odd := released("v1.1.0")
	odd.Version = "../../v9.9.9"
	r.add(odd, odd.Target(), program)
	older := released("v0.9.0")
	r.add(older, "", program)
	same := released("v1.0.0")
	r.add(same, "", program)
	r.publish(r.owners[:2]...)
	if ready, err := u.Look(t.Context()); err != nil || ready || r.count("targets/") > 0 {
		t.Errorf("%v, %v, %v", ready, err, r.asked)
	}
	files, err := filepath.Glob(filepath.Join(u.Dir, "*"))
	if err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
}

// A drip is cut off: at each request by its time, which the look's context stands
// for here, and what came is not lost.
func TestDripAndResume(t *testing.T) {
	r := newRepository(t)
	u, _ := client(t, r)
	r.release("v1.1.0", program)
	parts := 0
	r.answer = func(w http.ResponseWriter, req *http.Request, name string) bool {
		if !strings.HasPrefix(name, "targets/") {
			return false
		}
		if deadline, ok := req.Context().Deadline(); !ok || time.Until(deadline) > partTime {
			t.Error("a request has no end")
		}
		parts++
		return parts > 1 // status 200, and nothing: the line broke
	}
	if ready, err := u.Look(t.Context()); err == nil || ready {
		t.Fatalf("%v, %v", ready, err)
	}
	r.answer = nil
	before := r.count("targets/")
	if ready, err := u.Look(t.Context()); err != nil || !ready {
		t.Fatalf("%v, %v", ready, err)
	}
	want := (len(program) + protocol.MaxChannelPart - 1) / protocol.MaxChannelPart
	if n := r.count("targets/") - before; n != want-1 {
		t.Errorf("the rest came in %d parts of %d", n, want)
	}
}

// After a fast-forward by who stole the online key, the owners change that key, and
// agents take its lower numbers.
func TestFastForwardRecovery(t *testing.T) {
	r := newRepository(t)
	u, _ := client(t, r)
	r.snapshot.Signed.Version, r.timestamp.Signed.Version = 1<<40, 1<<40
	r.publish(r.owners[:2]...)
	if _, err := u.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	stolen := r.online
	r.online = newKey(t)
	for _, role := range []string{metadata.SNAPSHOT, metadata.TIMESTAMP} {
		r.must(r.root.Signed.RevokeKey(keyID(t, stolen), role))
		r.must(r.root.Signed.AddKey(r.online.public, role))
	}
	r.root.Signed.Version++
	r.publishRoot(r.owners[1], r.owners[2])
	r.snapshot.Signed.Version, r.timestamp.Signed.Version, r.targets.Signed.Version = 1, 1, 1
	r.release("v1.1.0", program)
	if ready, err := u.Look(t.Context()); err != nil || !ready {
		t.Errorf("%v, %v", ready, err)
	}
}

// The newest root that was seen is kept: who hides it, and plays back what the
// revoked key signs, gets nowhere.
func TestNewestRootIsKept(t *testing.T) {
	r := newRepository(t)
	u, _ := client(t, r)
	stolen := r.online
	r.online = newKey(t)
	for _, role := range []string{metadata.SNAPSHOT, metadata.TIMESTAMP} {
		r.must(r.root.Signed.RevokeKey(keyID(t, stolen), role))
		r.must(r.root.Signed.AddKey(r.online.public, role))
	}
	r.root.Signed.Version++
	r.publishRoot(r.owners[:2]...)
	r.next()
	r.publish(r.owners[:2]...)
	if _, err := u.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	delete(r.files, "2.root.json")
	r.online = stolen
	r.release("v1.1.0", program)
	refused(t, u, "not enough signatures")
}

// What a power cut left of the kept metadata is no hindrance.
func TestDamagedMetadata(t *testing.T) {
	r := newRepository(t)
	u, _ := client(t, r)
	if _, err := u.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"root.json", "timestamp.json", "snapshot.json", "targets.json", "tuf_tmp123"} {
		if err := os.WriteFile(filepath.Join(u.Dir, "metadata", name), []byte(`{"signed":`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.release("v1.1.0", program)
	if ready, err := u.Look(t.Context()); err != nil || !ready {
		t.Errorf("%v, %v", ready, err)
	}
}

func TestStagesAndHold(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Updater, *protocol.Release)
		ready  bool
		next   string
	}{
		"all":         {func(*Updater, *protocol.Release) {}, true, "v1.1.0"},
		"nobody yet":  {func(_ *Updater, r *protocol.Release) { r.Percent = 0 }, false, "v1.1.0"},
		"later":       {func(_ *Updater, r *protocol.Release) { r.From = now.Add(time.Hour) }, false, "v1.1.0"},
		"paused":      {func(_ *Updater, r *protocol.Release) { r.Paused = true }, false, "v1.1.0"},
		"held":        {func(u *Updater, _ *protocol.Release) { u.Mode = Hold }, false, "v1.1.0"},
		"held by him": {func(u *Updater, _ *protocol.Release) { _ = u.SetHold(true) }, false, "v1.1.0"},
		"let go": {func(u *Updater, _ *protocol.Release) {
			_ = u.SetHold(true)
			_ = u.SetHold(false)
		}, true, "v1.1.0"},
		"off":          {func(u *Updater, _ *protocol.Release) { u.Mode = Off }, false, ""},
		"no anchor":    {func(u *Updater, _ *protocol.Release) { u.Root = nil }, false, ""},
		"no version":   {func(u *Updater, _ *protocol.Release) { u.Version = "(devel)" }, false, ""},
		"not enrolled": {func(u *Updater, _ *protocol.Release) { u.AgentID = func() string { return "" } }, false, "v1.1.0"},
		"another machine's": {func(_ *Updater, r *protocol.Release) {
			r.Arch = "mips"
		}, false, ""},
		"failed before": {func(u *Updater, _ *protocol.Release) {
			s, _ := u.load()
			s.fail("v1.1.0", protocol.SetbackCrash, now.Add(-silentFor))
			_ = u.save(s)
		}, false, "v1.1.0"},
		"silent before": {func(u *Updater, _ *protocol.Release) {
			s, _ := u.load()
			s.fail("v1.1.0", protocol.SetbackSilent, now.Add(time.Minute-silentFor))
			_ = u.save(s)
		}, false, "v1.1.0"},
		"silent a day ago": {func(u *Updater, _ *protocol.Release) {
			s, _ := u.load()
			s.fail("v1.1.0", protocol.SetbackSilent, now.Add(-silentFor))
			_ = u.save(s)
		}, true, "v1.1.0"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t)
			u, _ := client(t, r)
			rel := released("v1.1.0")
			c.change(u, &rel)
			r.next()
			r.add(rel, "", program)
			r.publish(r.owners[:2]...)
			ready, err := u.Look(t.Context())
			if err != nil || ready != c.ready || (staged(t, u) != "") != c.ready {
				t.Errorf("%v, %v", ready, err)
			}
			if st, err := u.Standing(); err != nil || st.Next != c.next {
				t.Errorf("%+v, %v", st, err)
			}
			if (!u.Able()) != (len(r.asked) == 0) {
				t.Errorf("asked: %v", r.asked)
			}
		})
	}
}

// Without a line nothing happens, and it is told.
func TestNoLine(t *testing.T) {
	r := newRepository(t)
	u, _ := client(t, r)
	u.Transport = gone{}
	refused(t, u, errGone.Error())
}

type gone struct{}

func (gone) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.Join(errGone, io.EOF)
}
