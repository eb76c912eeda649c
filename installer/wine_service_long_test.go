//go:build long

package installer

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"anagrafe/agent/discover/cameratest"
)

// lacking8 is what Wine 8.0 answers otherwise than Windows, put right in the program
// itself before its own code runs: that the service manager is in session 0, by which
// Go knows a service (golang.org/x/sys/windows/svc), and that deleting in the manner of
// POSIX is a class of information it does not know, after which Go deletes in the other.
// Over the first bytes of a function is written: movabs rax, ADDRESS; jmp rax. What was
// there is the whole function, and runs anywhere.
const lacking8 = `#include <winternl.h>
#include <string.h>
static NTSTATUS (WINAPI *wine_query)(int, PVOID, ULONG, PULONG);
static NTSTATUS WINAPI query(int class, PVOID out, ULONG size, PULONG length) {
	NTSTATUS status = wine_query(class, out, size, length);
	if (class != SystemProcessInformation || status != 0) return status;
	for (SYSTEM_PROCESS_INFORMATION *p = out;; p = (void *)((char *)p + p->NextEntryOffset)) {
		if (p->ImageName.Buffer && !_wcsicmp(p->ImageName.Buffer, L"services.exe")) p->SessionId = 0;
		if (!p->NextEntryOffset) return status;
	}
}
static NTSTATUS (WINAPI *wine_set)(HANDLE, PVOID, PVOID, ULONG, int);
static NTSTATUS WINAPI set(HANDLE file, PVOID io, PVOID in, ULONG size, int class) {
	NTSTATUS status = wine_set(file, io, in, size, class);
	return status == (NTSTATUS)0xC0000002 ? (NTSTATUS)0xC0000003 : status; // not implemented: invalid class
}
static BOOL replace(const char *name, void *by, void *was) {
	enum { whole = 32 };
	BYTE jump[12] = {0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0};
	DWORD before;
	void *code = GetProcAddress(GetModuleHandleA("ntdll"), name);
	void *copy = VirtualAlloc(NULL, whole, MEM_COMMIT, PAGE_EXECUTE_READWRITE);
	if (!code || !copy || !VirtualProtect(code, whole, PAGE_EXECUTE_READWRITE, &before)) return FALSE;
	memcpy(copy, code, whole);
	memcpy(was, &copy, sizeof copy);
	memcpy(jump + 2, &by, sizeof by);
	memcpy(code, jump, sizeof jump);
	return VirtualProtect(code, whole, before, &before);
}
BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved) {
	if (reason != DLL_PROCESS_ATTACH) return TRUE;
	return replace("NtQuerySystemInformation", query, &wine_query) && replace("NtSetInformationFile", set, &wine_set);
}
`

// login keeps somebody at the computer: without anybody Wine ends the services too.
func (w windows) login() {
	sits := w.command("cmd")
	door, err := sits.StdinPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := sits.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = door.Close(); _ = sits.Wait() })
}

const serviceKey = `HKLM\System\CurrentControlSet\Services\anagrafe-agent`

// newerMSI is the package of the same sources under a later version.
func newerMSI(t *testing.T, msi string) (path, version string) {
	version = "99.0.0"
	elsewhere := t.TempDir()
	copyTree(t, "..", elsewhere)
	env := []string{"VERSION=" + version, "SOURCE_DATE_EPOCH=" + signedAt(t, msi)}
	for _, step := range []string{"installer/msi/compile build/windows", "installer/msi/pack build/windows build/packages"} {
		tool(t, env, "sh", "-c", `cd "$0" && exec `+step, elsewhere)
	}
	return filepath.Join(elsewhere, "build/packages", "anagrafe-agent-"+version+".msi"), version
}

// TestLongMSIService: installed with a code among its properties the agent is started by
// the package, as a service, and is enrolled; it is stopped and started like any
// service; a newer package takes its place and keeps what it knows; and by WITHDRAW and
// PURGE the entry goes out of the register, and all that the computer held: if it does
// not, nothing is removed.
// It is long because it is one way, step by step.
func TestLongMSIService(t *testing.T) {
	msi, version := builtMSI(t)
	newer, newVersion := newerMSI(t, msi)
	msi, newer = "Z:"+strings.ReplaceAll(msi, "/", `\`), "Z:"+strings.ReplaceAll(newer, "/", `\`)
	tn := newTown(t)
	collector := tn.startCollector()
	w := newWindows(t)
	w.login()
	agent := `C:\` + installedAgent

	// What the MSI has no property for: the settings lie there before.
	camera := camera(t)
	if err := os.MkdirAll(w.path(agentData), 0o755); err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf("listen_pages = %q\ntargets = [%q]\n", tn.pages, camera)
	if err := os.WriteFile(w.path(agentData+`\agent.toml`), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	var invitation struct{ Link string }
	mustJSON(t, &invitation, "anagrafe-collector", "invite", "-data", tn.collectorDir, "-site", "Bar di prova", "-category", "bar-restaurant")
	w.run("msiexec", "/i", msi, "/qn", "ENROL_CODE="+invitation.Link, "CONTACT_NAME=Ada Bianchi", "CONTACT_PHONE=+39 02 5550 0100")

	w.isService(agent, tn.pages)
	w.is(agent, version)
	if w.has(agentData+`\answers.toml`) || w.has(agentData+`\answers`) {
		t.Error("the code is still on the disk")
	}
	var list struct{ Cameras []seenCamera }
	collector.until("the camera", func() bool {
		decode(t, "\n"+w.run(agent, "cameras", "-json"), &list)
		return len(list.Cameras) == 1
	})
	id := list.Cameras[0].ID
	w.run(agent, "set", id, "-outdoor-public", "yes", "-name", "Ingresso", "-lon", "9.19", "-lat", "45.4641")
	w.run(agent, "approve", id, "-by", "Ada Bianchi")
	collector.until("the declaration", func() bool { return len(tn.registered()) == 1 })

	t.Log("stopped and started")
	w.run("net", "stop", "anagrafe-agent")
	if w.running(agent) {
		t.Error("stopped, it still answers")
	}
	if err := w.command("net", "stop", "anagrafe-agent").Run(); err == nil {
		t.Error("it was stopped, and could be stopped again")
	}
	w.run("net", "start", "anagrafe-agent")
	w.isService(agent, tn.pages)

	t.Log("a newer version")
	w.run("msiexec", "/i", newer, "/qn")
	w.isService(agent, tn.pages)
	w.is(agent, newVersion)
	decode(t, "\n"+w.run(agent, "cameras", "-json"), &list)
	if len(list.Cameras) != 1 || list.Cameras[0].ID != id || list.Cameras[0].State != "declared" {
		t.Errorf("of the camera the newer version knows %+v", list.Cameras)
	}
	if got, err := os.ReadFile(w.path(agentData + `\agent.toml`)); err != nil || string(got) != settings {
		t.Errorf("the settings are now %q, %v", got, err)
	}
	if n := len(tn.registered()); n != 1 {
		t.Errorf("%d cameras are in the register", n)
	}
	if w.command("msiexec", "/i", msi, "/qn").Run() == nil {
		t.Error("the older version was installed over the newer one")
	}
	w.is(agent, newVersion)

	t.Log("removed, withdrawn and purged")
	w.run("msiexec", "/x", newer, "/qn", "WITHDRAW=1", "PURGE=1")
	if n := len(tn.registered()); n != 0 {
		t.Errorf("withdrawn, %d cameras are in the register", n)
	}
	for _, left := range []string{agentData, `Program Files\Anagrafe Telecamere`, menuEntry} {
		if w.has(left) {
			t.Errorf("%s is still there", left)
		}
	}
	if w.command("reg", "query", serviceKey).Run() == nil || w.command("net", "start", "anagrafe-agent").Run() == nil {
		t.Error("the service is still there")
	}

	t.Log("not withdrawn, and so not removed") // the last: Wine's way back forgets what it had installed
	w.run("msiexec", "/i", newer, "/qn", "NOSTART=1")
	for name, text := range map[string]string{`\inventory.db`: "", `\agent.toml`: "unknown = 1\n"} {
		if err := os.WriteFile(w.path(agentData+name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if w.command("msiexec", "/x", newer, "/qn", "WITHDRAW=1").Run() == nil || !w.has(installedAgent) || !w.has(agentData+`\inventory.db`) {
		t.Error("the entry was not withdrawn, and yet something was removed")
	}
}

// camera is the address of one on loopback.
func camera(t *testing.T) string {
	recorded, err := cameratest.LoadDir("../testdata/cameras/ottimmago-bullet")
	if err != nil {
		t.Fatal(err)
	}
	camera, err := cameratest.Start(recorded, cameratest.Options{Auth: cameratest.AuthNone})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = camera.Close() })
	return camera.Address().String()
}

// isService demands that the service is registered as it should be and runs: its page
// and its control socket answer.
func (w windows) isService(agent, pages string) {
	t := w.t
	t.Helper()
	registered := w.run("reg", "query", serviceKey, "/s")
	for _, want := range []string{`ImagePath    REG_SZ    ` + agent + " run", `ObjectName    REG_SZ    NT SERVICE\anagrafe-agent`,
		"Start    REG_DWORD    0x2", "Type    REG_DWORD    0x10", "ErrorControl    REG_DWORD    0x1"} {
		if !strings.Contains(registered, want) {
			t.Errorf("the service has no %q:\n%s", want, registered)
		}
	}
	if _, err := w.command(agent, "open", "-menu", "-print").Output(); err != nil { // waits half a minute
		t.Fatal("the service does not start")
	}
	if !w.running(agent) {
		t.Error("the service does not answer")
	}
	resp, err := http.Get("http://" + pages + "/")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if said := w.run("net", "start"); !strings.Contains(said, "Anagrafe Telecamere") {
		t.Errorf("of services that run there are only:\n%s", said)
	}
}

func (w windows) running(agent string) bool {
	var status struct{ Running bool }
	decode(w.t, "\n"+w.run(agent, "status", "-json"), &status)
	return status.Running
}

func (w windows) is(agent, version string) {
	w.t.Helper()
	if said := w.run(agent, "version"); !strings.Contains(said, version) {
		w.t.Errorf("it is version %s", said)
	}
}
