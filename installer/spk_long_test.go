//go:build long

package installer

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// spkMachines are the programs' by Synology's names of architectures (Package Developer
// Guide, appendix A).
var spkMachines = map[string]elf.Machine{"x86_64": elf.EM_X86_64, "armv8": elf.EM_AARCH64, "armv7": elf.EM_ARM}

// builtSPK is the package that `make spk` made for an architecture.
func builtSPK(t *testing.T, arch string) string {
	found, err := filepath.Glob("../build/packages/anagrafe-agent-*-" + arch + ".spk")
	if err != nil || len(found) != 1 {
		t.Fatalf("%d packages for %s in build/packages, %v: make spk", len(found), arch, err)
	}
	return absolute(t, found[0])
}

// untar reads all of a tar.
func untar(t *testing.T, r io.Reader) (files map[string][]byte, modes map[string]int64) {
	files, modes = map[string][]byte{}, map[string]int64{}
	for in := tar.NewReader(r); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files, modes
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 || h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeDir {
			t.Errorf("%s is of user %d, group %d, type %c", h.Name, h.Uid, h.Gid, h.Typeflag)
		}
		if files[h.Name], err = io.ReadAll(in); err != nil {
			t.Fatal(err)
		}
		modes[h.Name] = h.Mode
	}
}

// TestLongSPKStructure holds the packages to what the Package Developer Guide of DSM 7
// demands (chapters "Synology Package" and "Privilege"). None was run on a NAS.
func TestLongSPKStructure(t *testing.T) {
	for arch, machine := range spkMachines {
		b, err := os.ReadFile(builtSPK(t, arch))
		if err != nil {
			t.Fatal(err)
		}
		files, modes := untar(t, bytes.NewReader(b))
		info := spkInfo(t, files["INFO"])
		for key, want := range map[string]string{
			"package": `^[^:/><|=]+$`, "version": `^\d+\.\d+\.\d+-\d+$`, "os_min_ver": `^7\.0-[4-9]\d{4}$`, "arch": "^" + arch + "$",
			"maintainer": `.`, "description": `.`, "description_ita": `.`, "adminport": `^8481$`, "adminprotocol": `^https$`,
		} {
			if !regexp.MustCompile(want).MatchString(info[key]) {
				t.Errorf("%s: INFO has %s=%q", arch, key, info[key])
			}
		}
		for _, script := range []string{"preinst", "postinst", "preuninst", "postuninst", "preupgrade", "postupgrade", "start-stop-status"} {
			if modes["scripts/"+script]&0o111 == 0 || !bytes.HasPrefix(files["scripts/"+script], []byte("#!/bin/sh\n")) {
				t.Errorf("%s: the script %s has mode %o", arch, script, modes["scripts/"+script])
			}
		}
		for _, name := range []string{"conf/privilege", "conf/resource", "WIZARD_UIFILES/install_uifile", "WIZARD_UIFILES/install_uifile_ita",
			"WIZARD_UIFILES/uninstall_uifile", "WIZARD_UIFILES/uninstall_uifile_ita"} {
			if !json.Valid(files[name]) {
				t.Errorf("%s: %s is no JSON: %q", arch, name, files[name])
			}
		}
		var privilege struct {
			Defaults struct {
				RunAs string `json:"run-as"`
			}
		}
		if err := json.Unmarshal(files["conf/privilege"], &privilege); err != nil || privilege.Defaults.RunAs != "package" {
			t.Errorf("%s: it runs as %q, %v", arch, privilege.Defaults.RunAs, err)
		}
		for name, size := range map[string]int{"PACKAGE_ICON.PNG": 64, "PACKAGE_ICON_256.PNG": 256} {
			if icon, err := png.DecodeConfig(bytes.NewReader(files[name])); err != nil || icon.Width != size || icon.Height != size {
				t.Errorf("%s: %s is %d x %d, %v", arch, name, icon.Width, icon.Height, err)
			}
		}
		if len(files["LICENSE"]) == 0 || len(files["LICENSE"]) > 1<<20 {
			t.Errorf("%s: the licence has %d bytes", arch, len(files["LICENSE"]))
		}
		target, targetModes := untar(t, gunzip(t, files["package.tgz"]))
		if len(target["anagrafe.sc"]) == 0 || targetModes["bin/anagrafe-agent"]&0o111 == 0 {
			t.Errorf("%s: the package holds %v", arch, targetModes)
		}
		listed(t, "anagrafe-agent-*-dsm-"+arch+".cdx.json", target["sbom.cdx.json"], target["third-party-licences.txt"])
		program, err := elf.NewFile(bytes.NewReader(target["bin/anagrafe-agent"]))
		if err != nil || program.Machine != machine || slices.ContainsFunc(program.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
			t.Errorf("%s: the program is for %v, or wants a C library: %v", arch, program, err)
		}
	}
}

func gunzip(t *testing.T, b []byte) io.Reader {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// spkInfo reads INFO: lines of key="value".
func spkInfo(t *testing.T, b []byte) map[string]string {
	info := map[string]string{}
	for line := range strings.Lines(string(b)) {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok || !strings.HasPrefix(value, `"`) || !strings.HasSuffix(value, `"`) || len(value) < 2 {
			t.Errorf("INFO has the line %q", line)
			continue
		}
		info[key] = value[1 : len(value)-1]
	}
	return info
}

// TestLongSPKAgain: the same program gives the same package, to the byte.
func TestLongSPKAgain(t *testing.T) {
	first, out := builtSPK(t, "x86_64"), t.TempDir()
	b, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	version := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(first), "anagrafe-agent-"), "-x86_64.spk")
	files, _ := untar(t, bytes.NewReader(b))
	_, epoch, _ := strings.Cut(spkInfo(t, files["INFO"])["version"], "-")
	tool(t, []string{"VERSION=" + version, "SOURCE_DATE_EPOCH=" + epoch, "TZ=Pacific/Auckland"}, "sh", "-c",
		`umask 077; exec spk/pack x86_64 "$0" "$1"`, absolute(t, "../build/linux-amd64/anagrafe-agent"), out)
	again, err := os.ReadFile(filepath.Join(out, filepath.Base(first)))
	if err != nil || !bytes.Equal(b, again) {
		t.Errorf("%d bytes and %d differ, %v", len(b), len(again), err)
	}
}

// TestLongSPKRuns plays Package Center in a scratch root: it installs, starts, asks,
// stops and removes by the package's scripts.
func TestLongSPKRuns(t *testing.T) {
	root := t.TempDir()
	target, kept, said := filepath.Join(root, "target"), filepath.Join(root, "var"), filepath.Join(root, "said")
	for _, dir := range []string{target, kept} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	tool(t, nil, "tar", "-C", root, "-xf", builtSPK(t, "x86_64"))
	tool(t, nil, "tar", "-C", target, "-xzf", filepath.Join(root, "package.tgz"))
	script := func(want int, env string, words ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "sh", append([]string{filepath.Join(root, "scripts", words[0])}, words[1:]...)...)
		cmd.Env = append(os.Environ(), "SYNOPKG_PKGDEST="+target, "SYNOPKG_PKGVAR="+kept, "SYNOPKG_TEMP_LOGFILE="+said, env)
		if err := cmd.Run(); cmd.ProcessState.ExitCode() != want {
			told, _ := os.ReadFile(said)
			log, _ := os.ReadFile(filepath.Join(kept, "agent.log"))
			t.Fatalf("%v: %v, not %d: %s\n%s", words, err, want, told, log)
		}
	}
	script(1, "wizard_password=corta", "postinst") // too short
	script(0, "wizard_password=una frase lunga", "postinst")

	settings := filepath.Join(kept, "agent.toml")
	b, err := os.ReadFile(settings)
	if err != nil || !bytes.Contains(b, []byte(`"0.0.0.0:8481"`)) {
		t.Fatalf("%s, %v", b, err)
	}
	pages := freeAddr(t)
	b = fmt.Appendf(bytes.Replace(b, []byte("0.0.0.0:8481"), []byte(pages), 1), "listen_pages = %q\n", freeAddr(t))
	if err := os.WriteFile(settings, b, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if pid, err := os.ReadFile(filepath.Join(kept, "agent.pid")); err == nil {
			_ = exec.Command("kill", "-9", strings.TrimSpace(string(pid))).Run()
		}
	})
	script(3, "", "start-stop-status", "status")
	script(0, "", "start-stop-status", "start")
	script(0, "", "start-stop-status", "status")
	script(0, "", "start-stop-status", "start")                                                               // once more changes nothing
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, // its own certificate
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get("https://" + pages + "/")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther { // to the page that asks for the password
		t.Errorf("the pages say %s", resp.Status)
	}
	log := filepath.Join(kept, "agent.log")
	if err := os.Truncate(log, 1<<20); err != nil {
		t.Fatal(err)
	}
	script(0, "", "start-stop-status", "status") // while it runs
	old, err := os.Stat(log + ".old")
	if now, nowErr := os.Stat(log); err != nil || nowErr != nil || old.Size() != 1<<20 || now.Size() >= 1<<20 || old.Mode().Perm() != 0o600 {
		t.Errorf("the log grows: %v and %v, %v, %v", now, old, err, nowErr)
	}
	script(0, "", "start-stop-status", "stop")
	script(3, "", "start-stop-status", "status")
	if err := os.WriteFile(filepath.Join(kept, "agent.pid"), []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	script(1, "", "start-stop-status", "status") // the number is another program's

	script(0, "wizard_purge=false", "postuninst")
	if _, err := os.Stat(filepath.Join(kept, "inventory.db")); err != nil {
		t.Error("what is to be kept is gone: ", err)
	}
	script(0, "wizard_purge=true", "postuninst")
	if left, err := os.ReadDir(kept); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
