//go:build long

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

const dirMade = "../../build/packages"

// made is one of the files that "make packages" has made, of which there must be one.
func made(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dirMade, pattern))
	if err != nil || len(files) != 1 {
		t.Fatalf("one %s is wanted in %s, not %q: make packages", pattern, dirMade, files)
	}
	return files[0]
}

// bears gives the version and the time that the packages bear.
func bears(t *testing.T) (version, epoch string) {
	t.Helper()
	raw, err := os.ReadFile(made(t, "anagrafe-agent-*-linux-amd64.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var bom cdx.BOM
	if err := json.Unmarshal(raw, &bom); err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339, bom.Metadata.Timestamp)
	if err != nil {
		t.Fatal(err)
	}
	return bom.Metadata.Component.Version, fmt.Sprint(at.Unix())
}

// script runs one of the scripts of this folder in a copy of the project.
func script(t *testing.T, project, version, epoch, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(project, "installer/packages", name), args...)
	cmd.Env = append(os.Environ(), "VERSION="+version, "SOURCE_DATE_EPOCH="+epoch)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v: %s", name, args, err, out)
	}
}

// From another folder the same source makes the same bytes, for one architecture a run.
func TestLongSameBytes(t *testing.T) {
	arches := []string{"amd64", "arm64", "armhf"}
	seed := rand.IntN(len(arches))
	arch := arches[seed]
	t.Logf("seed %d: %s", seed, arch)
	version, epoch := bears(t)
	project := filepath.Join(t.TempDir(), "elsewhere")
	copied := exec.CommandContext(t.Context(), "bash", "-c",
		`mkdir "$0" && { git ls-files -z --cached --others --exclude-standard; find protocol/pages/dist -type f -print0; } | xargs -0 cp --parents -t "$0"`, project)
	copied.Dir = "../.."
	if out, err := copied.CombinedOutput(); err != nil {
		t.Fatalf("copying the source: %v: %s", err, out)
	}
	out := filepath.Join(t.TempDir(), "packages")
	script(t, project, version, epoch, "compile", "linux", arch, filepath.Join(project, "programs"))
	script(t, project, version, epoch, "pack", arch, filepath.Join(project, "programs"), out)
	files, err := os.ReadDir(out)
	if want := map[string]int{"amd64": 12, "arm64": 12, "armhf": 4}[arch]; err != nil || len(files) != want {
		t.Fatalf("%d files were made, not %d: %v, %v", len(files), want, files, err)
	}
	for _, f := range files {
		again, err := os.ReadFile(filepath.Join(out, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		first, err := os.ReadFile(filepath.Join(dirMade, f.Name()))
		if err != nil || !bytes.Equal(first, again) {
			t.Errorf("%s: other bytes when made again (%d, %d), %v", f.Name(), len(first), len(again), err)
		}
	}
}

// Debian's own checks find nothing in any deb, its manual page included, but what
// lintian-overrides says why.
func TestLongLint(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(dirMade, "*.deb"))
	if err != nil || len(files) != 7 {
		t.Fatalf("seven debs are wanted in %s, not %q: make packages", dirMade, files)
	}
	out, err := exec.CommandContext(t.Context(), "lintian", append([]string{"--allow-root", "--fail-on", "error,warning"}, files...)...).CombinedOutput()
	if err != nil {
		t.Errorf("lintian: %v", err)
	}
	t.Logf("%s", out)
}

// What the programs with pages and a database are made of is in their bills, and not in
// that of the publishers' program, which has neither.
func TestLongBills(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(dirMade, "*.cdx.json"))
	if err != nil || len(files) < 7 {
		t.Fatalf("seven bills at least are wanted in %s, not %q: make packages", dirMade, files)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, purl := range []string{"pkg:npm/htmx.org@", "pkg:generic/sqlite@"} {
			if bytes.Contains(raw, []byte(purl)) == strings.Contains(file, "publish") {
				t.Errorf("%s: is %s in it?", file, purl)
			}
		}
	}
}

// The sums are of all that was made, and the signature holds for them alone.
func TestLongSigned(t *testing.T) {
	out := t.TempDir()
	for name, text := range map[string]string{"a.deb": "a", "b.msi": "b"} {
		if err := os.WriteFile(filepath.Join(out, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	key := filepath.Join(t.TempDir(), "release")
	sh := func(dir, script string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "KEY="+key)
		said, err := cmd.CombinedOutput()
		return string(said), err
	}
	if said, err := sh(out, `ssh-keygen -q -t ed25519 -N "" -f $KEY && echo "release $(cat $KEY.pub)" >$KEY.signers`); err != nil {
		t.Fatal(said)
	}
	t.Setenv("RELEASE_KEY", key)
	script(t, "../..", "", "", "sign", out)
	const verify = `ssh-keygen -Y verify -f $KEY.signers -I release -n anagrafe-release -s SHA256SUMS.sig <SHA256SUMS && sha256sum --strict --check SHA256SUMS`
	said, err := sh(out, verify)
	if err != nil || strings.Count(said, ": OK") != 2 {
		t.Errorf("%v: %s", err, said)
	}
	if said, err := sh(out, "echo x >>a.deb; "+verify); err == nil || !strings.Contains(said, "a.deb: FAILED") {
		t.Errorf("a changed package passes: %s", said)
	}
	if said, err := sh(out, "sha256sum a.deb b.msi >SHA256SUMS; "+verify); err == nil || strings.Contains(said, ": OK") {
		t.Errorf("changed sums pass: %s", said)
	}
	t.Setenv("RELEASE_KEY", "")
	script(t, "../..", "", "", "sign", out)
	if left, _ := filepath.Glob(filepath.Join(out, "*.sig")); len(left) != 1 || !strings.Contains(left[0], "test-key-not-for-release") {
		t.Errorf("without a key of a release these are signatures: %q", left)
	}
}

// Programs for other processors work: the agent by its own examination, the collector
// by making a register.
func TestLongForeignProcessors(t *testing.T) {
	for _, test := range []struct{ arch, emulator string }{{"arm64", "qemu-aarch64-static"}, {"armhf", "qemu-arm-static"}} {
		t.Run(test.arch, func(t *testing.T) {
			program := filepath.Join("../../build", "linux-"+test.arch, "anagrafe-")
			out, err := exec.CommandContext(t.Context(), test.emulator, program+"agent", "doctor", "-self").CombinedOutput()
			t.Logf("%s", out)
			if err != nil || strings.Count(string(out), "ok ") != 4 {
				t.Errorf("doctor -self: %v", err)
			}
			if test.arch == "armhf" {
				return // no collector is made for it
			}
			dir := t.TempDir()
			if out, err := exec.CommandContext(t.Context(), test.emulator, program+"collector", "migrate", "-data", dir).CombinedOutput(); err != nil {
				t.Errorf("migrate: %v: %s", err, out)
			}
			if _, err := os.Stat(filepath.Join(dir, "registry.db")); err != nil {
				t.Error(err)
			}
		})
	}
}
