//go:build long

package installer

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const testCertificate = "../build/test-signing/PROVA-NON-VALIDA.pem"

// builtMSI is the package that `make msi` made, and its version.
func builtMSI(t *testing.T) (path, version string) {
	found, err := filepath.Glob("../build/packages/anagrafe-agent-*.msi")
	if err != nil || len(found) != 1 {
		t.Fatalf("%d packages in build/packages, %v: make msi", len(found), err)
	}
	name := strings.TrimPrefix(filepath.Base(found[0]), "anagrafe-agent-")
	return absolute(t, found[0]), strings.TrimSuffix(name, ".msi")
}

// tool runs a program and gives what it printed.
func tool(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	said, err := os.CreateTemp(t.TempDir(), "said") // a pipe would be held open by what stays in the background
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = said, said
	err = cmd.Run()
	out, readErr := os.ReadFile(said.Name())
	if err != nil || readErr != nil {
		t.Fatalf("%s %s: %v %v\n%s", name, strings.Join(args, " "), err, readErr, out)
	}
	return strings.ReplaceAll(string(out), "\r", "")
}

// tables are all tables of a package, each as msiinfo prints it.
func tables(t *testing.T, msi string) map[string]string {
	all := map[string]string{}
	for name := range strings.Lines(tool(t, nil, "msiinfo", "tables", msi)) {
		name = strings.TrimSpace(name)
		// Streams are put into the folder in which it runs.
		all[name] = tool(t, nil, "sh", "-c", `cd "$0" && exec msiinfo export "$1" "$2"`, t.TempDir(), msi, name)
	}
	return all
}

// TestLongMSITables: the service runs under an account of its own, is restarted, and
// its folder is closed; what a package asks of Windows stands in its tables.
func TestLongMSITables(t *testing.T) {
	msi, version := builtMSI(t)
	in := tables(t, msi)
	const sid = "S-1-5-80-2316987306-315152314-120664392-3167844595-608863572"
	for _, want := range []struct{ table, row string }{
		{"ServiceInstall", "anagrafe-agent\tAnagrafe Telecamere\t16\t2\t1\t\t\tNT SERVICE\\anagrafe-agent\t\trun\tProgram"},
		{"ServiceControl", "anagrafe-agent\t163\t\t1\tProgram"}, // started at install, stopped both times, removed at the end
		{"MsiServiceConfigFailureActions", "anagrafe-agent\t5\t86400\t\t\t1[~]1[~]1\t15000[~]60000[~]300000\tProgram"},
		{"MsiServiceConfig", "anagrafe-agent\t5\t6\tSeChangeNotifyPrivilege\tProgram"},
		{"MsiLockPermissionsEx", "DATADIR\tCreateFolder\tO:BAG:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;" + sid + ")(A;OICI;RC;;;OW)"},
		{"Upgrade", "{8E0F4C0B-6B0A-4B52-9C4E-5C7D0A3B6F21}\t\t" + strings.Split(version, "-")[0]},
		{"Property", "ALLUSERS\t1\n"},
		{"Property", "MsiHiddenProperties\tENROL_CODE;LAN_PASSWORD\n"},
		{"Shortcut", "[INSTALLDIR]anagrafe-agent.exe\topen -menu"},
		{"IniFile", "answers.toml\tDATADIR\tenrol\tcode\t\"[ENROL_CODE]\"\t0\tAnswers"},
		{"CustomAction", "FirewallAdd\t3154\tAgent\tfirewall add"}, // deferred, as the system, failure is none
		{"File", "anagrafe-agent.exe\t"},
	} {
		if !strings.Contains(in[want.table], want.row) {
			t.Errorf("table %s has no %q:\n%s", want.table, want.row, in[want.table])
		}
	}
	for property := range strings.SplitSeq(within(in["Property"], "MsiHiddenProperties\t", "\n"), ";") {
		if !strings.Contains(in["Property"], ";"+property) { // in SecureCustomProperties
			t.Errorf("%s is not handed on to the part that installs", property)
		}
	}
	// What is deferred stands between InstallInitialize (1500) and InstallFinalize (6600).
	sequence := regexp.MustCompile(`(?m)^(\w+)\t.*\t(\d+)$`)
	for _, row := range sequence.FindAllStringSubmatch(in["InstallExecuteSequence"], -1) {
		if at := row[2]; strings.Contains(in["CustomAction"], "\n"+row[1]+"\t3") && (len(at) != 4 || at < "1500" || at > "6600") {
			t.Errorf("%s is deferred, and stands at %s", row[1], at)
		}
	}
}

func within(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

// TestLongMSISigned: package and program are signed, and a byte that was changed
// afterwards is seen; a key in a token signs by its URI, as a real one will.
func TestLongMSISigned(t *testing.T) {
	msi, _ := builtMSI(t)
	verify := func(file, certificate string) error {
		out, err := exec.CommandContext(t.Context(), "osslsigncode", "verify", "-in", file, "-CAfile", certificate).CombinedOutput()
		if err == nil && !bytes.Contains(out, []byte("Signature verification: ok")) {
			err = fmt.Errorf("osslsigncode says nothing of it: %s", out)
		}
		return err
	}
	dir := t.TempDir()
	tool(t, nil, "msiextract", "-C", dir, msi)
	program := filepath.Join(dir, "Anagrafe Telecamere", "anagrafe-agent.exe")
	for _, file := range []string{msi, program} {
		if err := verify(file, testCertificate); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
	}
	b, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(program, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if verify(program, testCertificate) == nil {
		t.Error("a program that was changed counts as signed")
	}

	certificate, env := tokenKey(t)
	file := filepath.Join(t.TempDir(), "signed.msi")
	b, err = os.ReadFile(msi)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	tool(t, env, "msi/sign", file)
	if err := verify(file, certificate); err != nil {
		t.Errorf("by the token's key: %v", err)
	}
	if verify(file, testCertificate) == nil {
		t.Error("the signature is still that of the test key")
	}
}

// tokenKey makes a key in a software token, and says how `sign` reaches it.
func tokenKey(t *testing.T) (certificate string, env []string) {
	const module = "/usr/lib/softhsm/libsofthsm2.so"
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) {
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("softhsm2.conf", "directories.tokendir = "+dir+"\nobjectstore.backend = file\n")
	write("pin", "271828")
	env = []string{"SOFTHSM2_CONF=" + path("softhsm2.conf")}
	certificate = path("certificate.pem")
	tool(t, nil, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "2", "-keyout", path("key.pem"), "-out", certificate,
		"-subj", "/CN=PROVA, NON VALIDA", "-addext", "extendedKeyUsage=critical,codeSigning")
	tool(t, nil, "openssl", "pkcs8", "-topk8", "-nocrypt", "-in", path("key.pem"), "-out", path("key.p8"))
	tool(t, env, "softhsm2-util", "--init-token", "--free", "--label", "anagrafe", "--pin", "271828", "--so-pin", "314159")
	tool(t, env, "softhsm2-util", "--import", path("key.p8"), "--token", "anagrafe", "--label", "codice", "--id", "01", "--pin", "271828")
	if err := os.Remove(path("key.p8")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path("key.pem")); err != nil {
		t.Fatal(err)
	}
	return certificate, append(env, "SIGN_MODULE="+module, "SIGN_CERT="+certificate, "SOURCE_DATE_EPOCH=1795410000",
		"SIGN_KEY=pkcs11:token=anagrafe;object=codice;type=private?pin-source=file:"+path("pin"))
}

// TestLongMSIMaterials: what it is made of lies in the package, and beside it.
func TestLongMSIMaterials(t *testing.T) {
	msi, _ := builtMSI(t)
	dir := t.TempDir()
	tool(t, nil, "msiextract", "-C", dir, msi)
	installed := func(name string) []byte { return read(t, filepath.Join(dir, "Anagrafe Telecamere", name)) }
	listed(t, "anagrafe-agent-*-windows-amd64.cdx.json", installed("sbom.cdx.json"), installed("third-party-licences.txt"))
}

// listed demands of a package's bill of materials that it names parts of each origin,
// lies beside the package and is summed, and that the licences name the same modules.
func listed(t *testing.T, beside string, bill, licences []byte) {
	t.Helper()
	found, err := filepath.Glob("../build/packages/" + beside)
	if err != nil || len(found) != 1 || !bytes.Equal(read(t, found[0]), bill) {
		t.Errorf("beside the package lies %q, %v, not the bill that is in it: make packages", found, err)
		return
	}
	sum := fmt.Sprintf("%x  %s\n", sha256.Sum256(bill), filepath.Base(found[0]))
	if !strings.Contains(string(read(t, "../build/packages/SHA256SUMS")), sum) {
		t.Errorf("SHA256SUMS has no %q", sum)
	}
	var bom struct {
		Components []struct{ Name, PURL string }
	}
	if err := json.Unmarshal(bill, &bom); err != nil {
		t.Fatal(err)
	}
	origins := map[string]int{}
	for _, c := range bom.Components {
		origin := within(c.PURL, "pkg:", "/")
		if origins[origin]++; origin == "golang" && c.Name != "std" && !bytes.Contains(licences, []byte("==== "+c.Name)) {
			t.Errorf("%s has no licence", c.Name)
		}
	}
	for _, origin := range []string{"golang", "npm", "deb", "generic"} {
		if origins[origin] == 0 {
			t.Errorf("no part is of pkg:%s", origin)
		}
	}
}

// TestLongMSIAgain: who builds the same sources elsewhere gets the same content and
// the same tables, but for the times at which wixl wrote them.
func TestLongMSIAgain(t *testing.T) {
	msi, version := builtMSI(t)
	elsewhere := filepath.Join(t.TempDir(), "another folder")
	copyTree(t, "..", elsewhere)
	env := []string{"VERSION=" + version, "TZ=Pacific/Auckland", "LC_ALL=C.UTF-8",
		"SOURCE_DATE_EPOCH=" + signedAt(t, msi)}
	for _, step := range []string{"installer/msi/compile build/windows", "installer/msi/pack build/windows build/packages"} {
		tool(t, env, "sh", "-c", `umask 077; cd "$0" && exec `+step, elsewhere)
	}
	again := filepath.Join(elsewhere, "build/packages", filepath.Base(msi))
	if one, two := content(t, msi), content(t, again); !maps.Equal(one, two) {
		t.Errorf("the files differ:\n%v\n%v", one, two)
	}
	// When it was made and last changed (properties 12 and 13 of the summary).
	times := regexp.MustCompile(`(?m)^1[23]\t.*$`)
	one, two := tables(t, msi), tables(t, again)
	for _, name := range slices.Sorted(maps.Keys(one)) {
		if a, b := times.ReplaceAllString(one[name], ""), times.ReplaceAllString(two[name], ""); a != b {
			t.Errorf("table %s differs:\n%s\n%s", name, a, b)
		}
	}
	if len(one) != len(two) {
		t.Errorf("%d tables and %d", len(one), len(two))
	}
}

// signedAt is SOURCE_DATE_EPOCH of the build that made a package: the time at which it
// says it was signed.
func signedAt(t *testing.T, msi string) string {
	said := tool(t, nil, "osslsigncode", "verify", "-in", msi, "-CAfile", testCertificate)
	at, err := time.Parse("Jan _2 15:04:05 2006 MST", strings.TrimSpace(within(said, "Signing time: ", "\n")))
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return strconv.FormatInt(at.Unix(), 10)
}

// copyTree copies what a build reads: the sources, what was bundled, and the test key.
func copyTree(t *testing.T, from, to string) {
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	tool(t, nil, "sh", "-c", `cd "$0" && { git ls-files -z --cached --others --exclude-standard; find protocol/pages/dist build/test-signing -type f -print0; } |
		tar --null --files-from=- --ignore-failed-read -cf - | tar -xf - -C "$1"`, from, to)
}

// content is what a package holds: each file's hash and time.
func content(t *testing.T, msi string) map[string]string {
	dir, files := t.TempDir(), map[string]string{}
	tool(t, nil, "msiextract", "-C", dir, msi)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, dir)] = fmt.Sprintf("%x", sha256.Sum256(b))
		return err
	})
	if err != nil || len(files) < 2 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files
}

// decode reads the JSON in what a program printed beside its log.
func decode(t *testing.T, out string, into any) {
	t.Helper()
	at := strings.Index(out, "\n{")
	if err := json.Unmarshal([]byte(out[at+1:]), into); err != nil {
		t.Fatalf("%v in:\n%s", err, out)
	}
}
