//go:build long

package installer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// reading is what one client says of one device; "" and nil: it said nothing.
// Texts are as the client gave them.
type reading struct {
	Host                           string
	Maker, Model, Firmware, Serial any
	OffsetS                        *float64 `json:"offset_s"`
	Streams, Resolutions           []string // tokens of its profiles; of any of them, WxH
	Channels                       int      // the client counts cameras, not profiles
	Retentions                     []string // as ISO 8601 durations
	Complaints                     []string
}

// client finds and reads the devices that answer behind the interface.
type client struct {
	name string
	// numbers: it makes numbers of texts that look like one.
	numbers bool
	read    func(t *testing.T, from network, on string, devices []standIn) []reading
}

// Other people's clients: the npm library by its lock file, Debian's
// onvif-tools 1.4.4 as apt has it.
const (
	npmOnvif  = "npm onvif 0.8.3"
	onvifUtil = "onvif-util"
)

var clients = []client{
	{"anagrafe-agent scan", false, readWithScan},
	{npmOnvif, true, readWithNPM},
	{onvifUtil, false, readWithUtil},
}

// run runs a client of other people's, or ours, in a network.
func (n network) run(t *testing.T, stdin, name string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := n.command(ctx, name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	if _, refused := errors.AsType[*exec.ExitError](err); refused && name == onvifUtil {
		return out.Bytes() // it ends so when a device refuses it, and says so
	}
	if err != nil {
		t.Fatalf("%s %v: %v: %s", filepath.Base(name), args, err, complaint.Bytes())
	}
	return out.Bytes()
}

// again reads what the devices have counted until now.
func (d *devices) again() []standIn {
	d.t.Helper()
	if _, err := io.WriteString(d.ask, "\n"); err != nil {
		d.t.Fatalf("the devices have ended: %v", err)
	}
	return d.next()
}

func readWithScan(t *testing.T, from network, on string, devices []standIn) []reading {
	var file strings.Builder
	for _, d := range devices {
		if d.User != "" {
			fmt.Fprintf(&file, "[[device]]\naddress = %q\nuser = %q\npassword = %q\n", d.Address.Addr(), d.User, d.Password)
		}
	}
	credentials := filepath.Join(t.TempDir(), "credentials.toml")
	if err := os.WriteFile(credentials, []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out := from.run(t, "", binary(t, "anagrafe-agent"), "scan", "-json", "-data", t.TempDir(), "-interface", on, "-credentials", credentials)
	var report struct {
		Devices []struct {
			Address, Vendor, Model, Firmware, Serial string
			Clock                                    *struct {
				OffsetMs float64 `json:"offset_ms"`
			}
			Channels []struct {
				Resolution string
				Retention  struct{ Configured string }
			}
			Errors []struct{ What, Why string }
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	var all []reading
	for _, d := range report.Devices {
		r := reading{Host: strings.TrimSuffix(d.Address, ":80"), Maker: d.Vendor, Model: d.Model, Firmware: d.Firmware, Serial: d.Serial, Channels: len(d.Channels)}
		if d.Clock != nil {
			seconds := d.Clock.OffsetMs / 1000
			r.OffsetS = &seconds
		}
		for _, c := range d.Channels {
			if c.Resolution != "" {
				r.Resolutions = append(r.Resolutions, c.Resolution)
			}
			if how := c.Retention.Configured; how == "until full" {
				r.Retentions = append(r.Retentions, "PT0S")
			} else if how != "unknown" {
				r.Retentions = append(r.Retentions, "PT"+strings.ToUpper(how))
			}
		}
		for _, e := range d.Errors {
			r.Complaints = append(r.Complaints, e.What+": "+e.Why)
		}
		all = append(all, r)
	}
	return all
}

// readWithNPM installs the library by its lock file and runs clients/read.cjs.
func readWithNPM(t *testing.T, from network, on string, devices []standIn) []reading {
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			lacking(t, err.Error())
		}
	}
	dir := filepath.Join("..", "build", "clients")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"package.json", "package-lock.json", "read.cjs"} {
		content, err := os.ReadFile(filepath.Join("clients", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	network("").run(t, "", "npm", "--prefix", dir, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	type login struct {
		User     string `json:"user"`
		Password string `json:"password"`
	}
	logins := map[string]login{}
	for _, d := range devices {
		if d.User != "" {
			logins[d.host()] = login{d.User, d.Password}
		}
	}
	in, err := json.Marshal(map[string]any{"interface": on, "logins": logins})
	if err != nil {
		t.Fatal(err)
	}
	out := from.run(t, string(in), "node", filepath.Join(dir, "read.cjs"))
	var all []reading
	d := json.NewDecoder(bytes.NewReader(out))
	d.UseNumber()
	if err := d.Decode(&all); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return all
}

var (
	utilFound      = regexp.MustCompile(`(?m)^(\d+\.\d+\.\d+\.\d+) `)
	utilSerial     = regexp.MustCompile(`(?m)^\s*serial: (\S.*)$`)
	utilOffset     = regexp.MustCompile(`(?m)^\s*Time Offset: (-?\d+) seconds`)
	utilToken      = regexp.MustCompile(`(?m)^\s*Token \d+: (\S.*)$`)
	utilResolution = regexp.MustCompile(`(?m)^\s*Resolution: (\d+) x (\d+)$`)
	utilError      = regexp.MustCompile(`(?m)^\s*ERROR: (.*)$`)
)

// utilTries: onvif-util waits half a second for answers, which a busy machine
// may not keep.
const utilTries = 4

// readWithUtil lists the network and then holds a session with each device
// that it lists. It names no maker and no firmware; the name that it prints is
// of the scopes. It knows WS-UsernameToken only.
func readWithUtil(t *testing.T, from network, _ string, devices []standIn) []reading {
	if _, err := exec.LookPath(onvifUtil); err != nil {
		lacking(t, "run make deps: "+err.Error())
	}
	var all []reading
	for range utilTries {
		for _, m := range utilFound.FindAllStringSubmatch(string(from.run(t, "", onvifUtil, "-a")), -1) {
			if !slices.ContainsFunc(all, func(r reading) bool { return r.Host == m[1] }) {
				all = append(all, readOneWithUtil(t, from, m[1], devices))
			}
		}
	}
	return all
}

func readOneWithUtil(t *testing.T, from network, host string, devices []standIn) reading {
	args := []string{host}
	for _, d := range devices {
		if d.host() == host && d.User != "" {
			args = []string{"-u", d.User, "-p", d.Password, host}
		}
	}
	said := ""
	for range utilTries {
		said = string(from.run(t, "get time\nget profiles\nget video 0\nquit\n", onvifUtil, args...))
		if !strings.Contains(said, "camera "+host+" not found") {
			break
		}
	}
	r := reading{Host: host}
	if m := utilSerial.FindStringSubmatch(said); m != nil {
		r.Serial = m[1]
	}
	if m := utilOffset.FindStringSubmatch(said); m != nil {
		seconds, _ := strconv.ParseFloat(m[1], 64)
		r.OffsetS = &seconds
	}
	for _, m := range utilToken.FindAllStringSubmatch(said, -1) {
		r.Streams = append(r.Streams, m[1])
	}
	for _, m := range utilResolution.FindAllStringSubmatch(said, -1) {
		r.Resolutions = append(r.Resolutions, m[1]+"x"+m[2])
	}
	for _, m := range utilError.FindAllStringSubmatch(said, -1) {
		r.Complaints = append(r.Complaints, m[1])
	}
	return r
}
