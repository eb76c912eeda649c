package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"

	"anagrafe/protocol"
)

// desk is where a test publishes.
type desk struct {
	t   *testing.T
	dir string
	now time.Time
}

func newDesk(t *testing.T) desk {
	workFactor = 10
	d := desk{t, t.TempDir(), time.Now()}
	d.write("secret", "one two three four five\nand a line that is not read")
	d.write("program", "a program")
	for _, name := range []string{"comune", "ateneo", "associazione", "canale", "estraneo"} {
		d.must("key", d.path(name), "-passphrase", d.path("secret"))
	}
	return d
}

func (d desk) path(name string) string { return filepath.Join(d.dir, name) }

func (d desk) write(name, content string) {
	d.t.Helper()
	if err := os.WriteFile(d.path(name), []byte(content), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d desk) run(args ...string) (string, error) {
	var out bytes.Buffer
	err := run(&out, args, d.now)
	return out.String(), err
}

func (d desk) must(args ...string) string {
	d.t.Helper()
	out, err := d.run(args...)
	if err != nil {
		d.t.Fatalf("%v: %v", args, err)
	}
	return out
}

func (d desk) refused(says string, args ...string) {
	d.t.Helper()
	if _, err := d.run(args...); err == nil || !strings.Contains(err.Error(), says) {
		d.t.Errorf("%v: %v; it should say %q", args, err, says)
	}
}

func (d desk) by(command, name string) []string {
	return []string{command, d.path("channel"), "-key", d.path(name), "-passphrase", d.path("secret")}
}

func (d desk) root(owners ...string) []string {
	args := []string{"root", d.path("channel"), "-online", d.path("canale.pub")}
	for _, o := range owners {
		args = append(args, "-owner", d.path(o+".pub"))
	}
	return args
}

func (d desk) add(version string) []string {
	return []string{"add", d.path("channel"), d.path("program"), "-version", version, "-note-it", "Novità.", "-note-en", "News."}
}

// files is the channel as go-tuf's own client sees it.
type files struct{ dir string }

func (f files) DownloadFile(address string, most int64, _ time.Duration) ([]byte, error) {
	raw, err := os.ReadFile(filepath.Join(f.dir, strings.TrimPrefix(address, "https://collector/")))
	if os.IsNotExist(err) {
		return nil, &metadata.ErrDownloadHTTP{StatusCode: 404}
	}
	if int64(len(raw)) > most {
		return nil, io.ErrShortBuffer
	}
	return raw, err
}

// client verifies the channel from its first root on.
func (d desk) client(at time.Time) (map[string]*metadata.TargetFiles, *updater.Updater, error) {
	d.t.Helper()
	root, err := os.ReadFile(d.path("channel/1.root.json"))
	if err != nil {
		d.t.Fatal(err)
	}
	c, err := config.New("https://collector/", root)
	if err != nil {
		d.t.Fatal(err)
	}
	c.Fetcher, c.DisableLocalCache = files{d.path("channel")}, true
	u, err := updater.New(c)
	if err != nil {
		d.t.Fatal(err)
	}
	u.UnsafeSetRefTime(at)
	if err := u.Refresh(); err != nil {
		return nil, nil, err
	}
	return u.GetTopLevelTargets(), u, nil
}

func TestPublish(t *testing.T) {
	d := newDesk(t)
	d.refused("begin with root", d.add("v1.0.0")...)
	d.refused("3 owners", d.root("comune", "ateneo")...)
	d.refused("not four keys", d.root("comune", "ateneo", "ateneo")...)
	d.refused("not four keys", d.root("comune", "ateneo", "canale")...)
	d.must(d.root("comune", "ateneo", "associazione")...)
	d.refused("is not a version", d.add("1.0")...)
	d.must(d.add("v1.0.0")...)
	d.refused("another version", d.add("v1.0.0")...)
	d.refused("none of the owners'", d.by("sign", "estraneo")...)
	d.refused("none of the owners'", d.by("sign", "canale")...)
	d.must(d.by("sign", "comune")...)
	d.must(d.by("sign", "comune")...) // twice is once
	d.refused("not signed by 2", d.by("publish", "canale")...)
	if shown := d.must(d.by("sign", "ateneo")...); !strings.Contains(shown, "anagrafe-agent_v1.0.0_linux_amd64") || !strings.Contains(shown, "sha256 ") || !strings.Contains(shown, "signed by 1 of 2") {
		t.Error(shown)
	}
	d.refused("not that of the channel", d.by("publish", "comune")...)
	d.must(d.by("publish", "canale")...)

	targets, u, err := d.client(d.now)
	if err != nil || len(targets) != 1 {
		t.Fatalf("%v, %v", targets, err)
	}
	for name, file := range targets {
		if r, err := protocol.ParseRelease(*file.Custom); err != nil || r.Target() != name || r.Percent != 10 {
			t.Errorf("%+v, %v", r, err)
		}
		if _, raw, err := u.DownloadTarget(file, "", ""); err != nil || string(raw) != "a program" {
			t.Errorf("%q, %v", raw, err)
		}
	}

	// More of the agents, which two of the three have to sign, too.
	d.must("stage", d.path("channel"), "-version", "v1.0.0", "-percent", "50", "-pause")
	d.refused("not in the channel", "stage", d.path("channel"), "-version", "v9.0.0")
	d.must(d.by("sign", "associazione")...)
	d.refused("not signed by 2", d.by("publish", "canale")...)
	d.must(d.by("sign", "ateneo")...)
	d.must(d.by("publish", "canale")...)
	targets, _, err = d.client(d.now)
	if r, bad := protocol.ParseRelease(*targets["anagrafe-agent_v1.0.0_linux_amd64"].Custom); err != nil || bad != nil || r.Percent != 50 || !r.Paused {
		t.Errorf("%+v, %v, %v", r, err, bad)
	}
}

// What was published comes back, from an owner's computer or since publishing was cut
// off: it is published again as long as nothing else was, never changed, never set back.
func TestPublishedAlready(t *testing.T) {
	d := newDesk(t)
	sign := func() {
		d.must(d.by("sign", "comune")...)
		d.must(d.by("sign", "ateneo")...)
	}
	comesBack := func() {
		if err := errors.Join(os.RemoveAll(d.path("channel/staged")), os.CopyFS(d.path("channel/staged"), os.DirFS(d.path("usb")))); err != nil {
			t.Fatal(err)
		}
	}
	d.must(d.root("comune", "ateneo", "associazione")...)
	d.must(d.add("v1.0.0")...)
	sign()
	if err := os.CopyFS(d.path("usb"), os.DirFS(d.path("channel/staged"))); err != nil {
		t.Fatal(err)
	}
	d.must(d.by("publish", "canale")...)
	comesBack()
	d.refused("published already", d.add("v1.1.0")...)
	d.must(d.by("publish", "canale")...)
	d.must(d.add("v1.1.0")...)
	sign()
	d.must(d.by("publish", "canale")...)
	comesBack()
	d.refused("number 2 is published", d.add("v1.2.0")...)
	d.refused("number 2 is published", d.by("publish", "canale")...)
	if targets, _, err := d.client(d.now); err != nil || len(targets) != 2 {
		t.Errorf("%v, %v", targets, err)
	}
	// And what comes back may be anything.
	raw, err := os.ReadFile(d.path("channel/2.targets.json"))
	if err != nil {
		t.Fatal(err)
	}
	raw = bytes.ReplaceAll(bytes.Replace(raw, []byte(`"version": 2`), []byte(`"version": 3`), 1), []byte(`"custom"`), []byte(`"costume"`))
	if err := os.WriteFile(d.path("channel/staged/targets.json"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	d.refused("not prepared by add", "show", d.path("channel"))
	d.refused("not prepared by add", "stage", d.path("channel"), "-version", "v1.0.0", "-percent", "50")
}

// The channel's key keeps it fresh, and nobody else: without it, it is over in days.
func TestRefresh(t *testing.T) {
	d := published(t)
	d.now = d.now.Add(4 * 24 * time.Hour)
	if _, _, err := d.client(d.now); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("after four days: %v", err)
	}
	for range 10 {
		d.must(d.by("refresh", "canale")...)
		if _, _, err := d.client(d.now.Add(2 * 24 * time.Hour)); err != nil {
			t.Errorf("refreshed: %v", err)
		}
		d.now = d.now.Add(2 * 24 * time.Hour)
	}
	d.must(d.by("refresh", "comune")...)
	if _, _, err := d.client(d.now); err == nil {
		t.Error("an owner's key signs timestamps")
	}
	// What the owners signed ends after a year, which no refresh mends.
	d.now = d.now.Add(targetsHold - ownersTold)
	d.refused("what its owners signed ends on", d.by("refresh", "canale")...)
	if _, _, err := d.client(d.now); err != nil {
		t.Errorf("refreshed, and told: %v", err)
	}
	d.must(d.root("comune", "ateneo", "associazione")...)
	for _, name := range []string{"comune", "ateneo"} {
		d.must(d.by("sign", name)...)
	}
	d.must(d.by("publish", "canale")...)
	d.must(d.by("refresh", "canale")...)
}

// Owners and the channel's key are changed by two of those before and two of those after.
func TestOtherOwners(t *testing.T) {
	d := published(t)
	d.must("key", d.path("nuovo"), "-passphrase", d.path("secret"))
	args := d.root("comune", "ateneo", "estraneo")
	args[3] = d.path("nuovo.pub")
	d.must(args...)
	d.must(d.by("sign", "associazione")...)
	d.must(d.by("sign", "estraneo")...)
	d.refused("2 of before", d.by("publish", "nuovo")...) // one of those who were, one of those who are
	d.must(d.by("sign", "ateneo")...)
	d.must(d.by("publish", "nuovo")...)
	if _, _, err := d.client(d.now); err != nil {
		t.Error(err)
	}
	d.refused("not that of the channel", d.by("publish", "canale")...)
}

func published(t *testing.T) desk {
	t.Helper()
	d := newDesk(t)
	d.must(d.root("comune", "ateneo", "associazione")...)
	d.must(d.add("v1.0.0")...)
	d.must(d.by("sign", "comune")...)
	d.must(d.by("sign", "ateneo")...)
	d.must(d.by("publish", "canale")...)
	return d
}

// A key is no use without its pass phrase, and is never written over.
func TestKeys(t *testing.T) {
	d := newDesk(t)
	raw, err := os.ReadFile(d.path("comune"))
	if err != nil || bytes.Contains(raw, []byte("PRIVATE")) || !bytes.HasPrefix(raw, []byte("age-encryption.org/v1")) {
		t.Errorf("%.80q, %v", raw, err)
	}
	if info, err := os.Stat(d.path("comune")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := d.run("key", d.path("comune"), "-passphrase", d.path("secret")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over another: %v", err)
	}
	d.write("wrong", "one two three four six")
	d.refused("right pass phrase", "sign", d.path("channel"), "-key", d.path("comune"), "-passphrase", d.path("wrong"))
	d.write("short", "word")
	d.refused("16 characters", "key", d.path("new"), "-passphrase", d.path("short"))
}
