//go:build long

package installer

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// processPrng is what programs in Go need since Windows 10 and Wine 8.0 lacks: a
// function of bcryptprimitives.dll that gives random bytes.
const processPrng = `#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE out, SIZE_T n) { return RtlGenRandom(out, (ULONG)n); }
`

// windows is a Wine prefix. What Wine 8.0 has of Windows bounds what it shows: access
// lists, the firewall, and of a service its own account, its rights, a delayed start and
// its being started again are not there (what the package asks of them stands in
// TestLongMSITables); nor is UDP (SIO_UDP_NETRESET), and so QUIC and searches by
// multicast.
type windows struct {
	t   *testing.T
	dir string
}

func newWindows(t *testing.T) windows {
	w := windows{t, filepath.Join(t.TempDir(), "prefix")}
	t.Cleanup(w.shutDown)
	w.run("wineboot", "-i")
	w.shutDown() // else its service manager is about to end while the next program asks it
	source := filepath.Join(t.TempDir(), "prng.c")
	if err := os.WriteFile(source, []byte(processPrng+lacking8), 0o600); err != nil {
		t.Fatal(err)
	}
	tool(t, nil, "x86_64-w64-mingw32-gcc", "-shared", "-o", w.path(`windows\system32\bcryptprimitives.dll`), source, "-ladvapi32")
	return w
}

// shutDown ends all programs of this prefix.
func (w windows) shutDown() {
	end := exec.Command("sh", "-c", "wineserver -k; wineserver -w")
	end.Env = append(os.Environ(), w.env()...)
	_ = end.Run() // nothing may be running
}

func (w windows) env() []string {
	return []string{"WINEPREFIX=" + w.dir, "WINEDEBUG=-all", "WINEARCH=win64", "WINEDLLOVERRIDES=winemenubuilder.exe=d", "DISPLAY="}
}

func (w windows) run(args ...string) string {
	w.t.Helper()
	return tool(w.t, w.env(), "wine", args...)
}

// path is that of a file of drive C on this machine.
func (w windows) path(name string) string {
	return filepath.Join(w.dir, "drive_c", strings.ReplaceAll(name, `\`, "/"))
}

func (w windows) has(name string) bool {
	_, err := os.Stat(w.path(name))
	return err == nil
}

const (
	installedAgent = `Program Files\Anagrafe Telecamere\anagrafe-agent.exe`
	agentData      = `ProgramData\Anagrafe Telecamere`
	menuEntry      = `ProgramData\Microsoft\Windows\Start Menu\Programs\Anagrafe Telecamere.lnk`
)

// TestLongMSIUnderWine installs the package, starts the agent, asks it as the command
// line and as a browser, searches a camera, and removes it.
func TestLongMSIUnderWine(t *testing.T) {
	msi, version := builtMSI(t)
	w := newWindows(t)
	w.login()
	msi = "Z:" + strings.ReplaceAll(msi, "/", `\`)
	w.run("msiexec", "/i", msi, "/qn", "NOSTART=1")

	service := w.run("reg", "query", serviceKey, "/s")
	for _, want := range []string{`anagrafe-agent.exe run`, `NT SERVICE\anagrafe-agent`, "Start    REG_DWORD    0x2"} {
		if !strings.Contains(service, want) {
			t.Errorf("the service has no %q:\n%s", want, service)
		}
	}
	if !w.has(installedAgent) || !w.has(agentData) {
		t.Fatal("the program or its folder is not there")
	}
	agent := `C:\` + installedAgent
	if said := w.run(agent, "version"); !strings.Contains(said, version) {
		t.Errorf("it is version %s", said)
	}
	w.runs(agent)
	w.scans(agent)

	w.run("msiexec", "/x", msi, "/qn")
	if w.has(installedAgent) || w.has(menuEntry) || w.has(`Program Files\Anagrafe Telecamere`) {
		t.Error("the program is still there")
	}
	if w.command("reg", "query", serviceKey).Run() == nil {
		t.Error("the service is still there")
	}
	if !w.has(agentData + `\inventory.db`) {
		t.Error("what the owner had on this computer went with the program")
	}
}

func (w windows) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(w.t.Context(), "wine", args...)
	cmd.Env = append(os.Environ(), w.env()...)
	return cmd
}

// runs starts the agent as the service does, and reaches it by the door that is open
// to administrators alone.
func (w windows) runs(agent string) {
	t := w.t
	pages := freeAddr(t)
	running := w.command(agent, "run", "-listen-pages", pages)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	running.Stdout, running.Stderr = log, log
	if err := running.Start(); err != nil {
		t.Fatal(err)
	}
	for w.command(agent, "open", "-menu", "-print").Run() != nil { // each waits half a minute
		if t.Context().Err() != nil {
			t.Fatal("it does not start")
		}
	}
	link := w.run(agent, "open", "-print")
	if !strings.Contains(link, "http://"+pages+"/open?token=") {
		t.Errorf("it opened %q", link)
	}
	resp, err := http.Get("http://" + pages + "/")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("to whoever comes without a link its pages say %s", resp.Status)
	}
	var status struct {
		Running bool `json:"running"`
	}
	decode(t, "\n"+w.run(agent, "status", "-json"), &status)
	if !status.Running {
		t.Error("status finds no running agent")
	}
	if err := w.command("taskkill", "/f", "/im", "anagrafe-agent.exe").Run(); err != nil {
		t.Fatal(err)
	}
	_ = running.Wait() // it was killed

	// DPAPI: what the running agent sealed lies closed, and another process opens it.
	for _, name := range []string{"secrets.key", "control.key"} {
		b, err := os.ReadFile(w.path(agentData + `\` + name))
		if err != nil || bytes.Contains(b, []byte("PRIVATE KEY")) || bytes.Contains(b, []byte(`"primaryKeyId"`)) {
			t.Errorf("%s lies in clear: %q, %v", name, b, err)
		}
	}
	decode(t, "\n"+w.run(agent, "status", "-json"), &status)
	if status.Running {
		t.Error("it is still there after it was killed")
	}
}

// scans finds a camera on loopback.
func (w windows) scans(agent string) {
	t := w.t
	address := camera(t)
	var found struct {
		Devices []struct{ Address, Vendor, Model string }
	}
	decode(t, "\n"+w.run(agent, "scan", "-json", "-target", address), &found)
	if len(found.Devices) != 1 || found.Devices[0].Address != address || found.Devices[0].Model == "" {
		t.Errorf("it found %+v", found.Devices)
	}
}
