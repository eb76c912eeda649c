package cameratest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// ask sends the content of a SOAP body to a path of the device.
func ask(t *testing.T, d *Device, path, header, body string, edits ...func(*http.Request)) (int, []byte) {
	t.Helper()
	envelope := `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Header>` + header + `</e:Header><e:Body>` + body + `</e:Body></e:Envelope>`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+d.Address().String()+path, strings.NewReader(envelope))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range edits {
		f(r)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}

const devicePath = "/onvif/device_service"

func op(namespace, name, children string) string {
	return fmt.Sprintf("<%s xmlns=%q>%s</%s>", name, namespace, children, name)
}

// TestEveryRecordedAnswer plays each recorded camera and asks it what the
// recorder asked, in the recorder's own words where the index has them whole.
func TestEveryRecordedAnswer(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(sharedOnvif(t), "*", "INDEX.tsv"))
	if err != nil || len(folders) != 5 {
		t.Fatalf("%d recorded cameras (%v), want 5", len(folders), err)
	}
	for _, index := range folders {
		dir := filepath.Dir(index)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c, err := LoadRecorded(dir)
			if err != nil {
				t.Fatal(err)
			}
			d := start(t, c, Options{})
			text, err := os.ReadFile(index)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(string(text)), "\n")[1:]
			if len(lines) == 0 || len(lines) != len(c.Answers) {
				t.Fatalf("%d lines, %d answers", len(lines), len(c.Answers))
			}
			// Two lines with one request were two answers: either will do.
			bodies := map[string][][]byte{}
			request := func(i int) string {
				col := strings.Split(lines[i], "\t")
				if strings.HasSuffix(strings.TrimSpace(col[2]), ":"+c.Answers[i].Operation+">") || c.Answers[i].Operation != "GetStreamUri" {
					return col[2]
				}
				return op(nsMedia, "GetStreamUri", "<ProfileToken>"+first(c.Answers[i].Asked["ProfileToken"])+"</ProfileToken>")
			}
			for i := range lines {
				file, err := os.ReadFile(filepath.Join(dir, strings.Split(lines[i], "\t")[0]))
				if err != nil {
					t.Fatal(err)
				}
				bodies[request(i)] = append(bodies[request(i)], file)
			}
			for i, line := range lines {
				col := strings.Split(line, "\t")
				_, status, _ := strings.Cut(strings.TrimSuffix(col[0], ".xml"), ".http")
				got, body := ask(t, d, "/"+col[1], "", request(i))
				if fmt.Sprint(got) != status {
					t.Errorf("%s: HTTP %d, recorded %s", col[0], got, status)
				}
				if c.Answers[i].Operation == timeOperation && got == 200 {
					continue // rewritten; see TestClock
				}
				if !slices.ContainsFunc(bodies[request(i)], func(b []byte) bool { return bytes.Equal(b, body) }) {
					t.Errorf("%s: answered %.300s", col[0], body)
				}
			}
			if n := len(d.Requests()); n != len(lines) {
				t.Errorf("%d requests counted, %d sent", n, len(lines))
			}
		})
	}
}

// TestStreamsKeepTheirProfile: the index cuts the token off GetStreamUri's
// request; each profile of the panoramic Bosch still has its own address, and
// the three that were refused are refused.
func TestStreamsKeepTheirProfile(t *testing.T) {
	c, err := LoadRecorded(filepath.Join(sharedOnvif(t), "Bosch_FLEXIDOME_panoramic_5100i_9.00.0210"))
	if err != nil {
		t.Fatal(err)
	}
	d := start(t, c, Options{})
	refused, uris := 0, map[string]bool{}
	for token := range 16 {
		status, body := ask(t, d, devicePath, "", op(nsMedia, "GetStreamUri", fmt.Sprintf("<ProfileToken>%d</ProfileToken>", token)))
		if status != 200 {
			refused++
			continue
		}
		uris[first(texts(body, "Uri"))] = true
	}
	if refused != 3 || len(uris) < 12 {
		t.Errorf("%d refused and %d different addresses, want 3 and nearly 13", refused, len(uris))
	}
}

// TestEveryHawkeyeAnswer: one answer for each operation, the answer before the
// fault where there are both, but GetServices as its special case.
func TestEveryHawkeyeAnswer(t *testing.T) {
	root := filepath.Join(sharedOnvif(t), "hawkeye64")
	vendors := []string{"axis", "hikvision", "pelco", "trendnet"}
	for _, vendor := range vendors {
		t.Run(vendor, func(t *testing.T) {
			dir := filepath.Join(root, vendor)
			c, err := LoadHawkeye(dir)
			if err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(dir, "*", "*.xml"))
			if err != nil || len(files) == 0 || len(files) != len(c.Answers) {
				t.Fatalf("%d files (%v), %d answers", len(files), err, len(c.Answers))
			}
			d := start(t, c, Options{})
			for _, name := range files {
				operation, isError := strings.CutSuffix(filepath.Base(name), ".Error.xml")
				children := ""
				if isError {
					if _, err := os.Stat(strings.Replace(name, ".Error.", ".Response.", 1)); err == nil && operation != "GetServices" {
						continue // the answer is given
					}
				} else if operation = strings.TrimSuffix(operation, ".Response.xml"); operation == "GetServices" {
					children = "<IncludeCapability>true</IncludeCapability>"
				}
				want, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				status, body := ask(t, d, devicePath, "", op(services[filepath.Base(filepath.Dir(name))], operation, children))
				code := 200
				if isError {
					if code = 500; bytes.Contains(want, []byte(":Sender")) {
						code = 400
					}
				}
				if status != code {
					t.Errorf("%s: HTTP %d, want %d", name, status, code)
				}
				if operation != timeOperation && !bytes.Equal(body, want) {
					t.Errorf("%s: answered %.300s", name, body)
				}
			}
		})
	}
}

func TestUnknownRequests(t *testing.T) {
	d := start(t, load(t, "videofavola-nvr"), Options{Auth: AuthNone})
	for name, tc := range map[string]struct {
		path, body string
		status     int
		says       string
	}{
		"unknown operation": {devicePath, op(nsDevice, "SystemReboot", ""), 500, "ter:ActionNotSupported"},
		"wrong namespace":   {devicePath, op(nsMedia, "GetScopes", ""), 500, "ter:ActionNotSupported"},
		"unknown token":     {devicePath, op(nsSearch, "GetRecordingInformation", "<RecordingToken>rec-99</RecordingToken>"), 400, "ter:InvalidArgVal"},
		"no token":          {devicePath, op(nsSearch, "GetRecordingInformation", ""), 400, "ter:InvalidArgVal"},
		"known token":       {devicePath, op(nsSearch, "GetRecordingInformation", "<RecordingToken>rec-6</RecordingToken>"), 200, "Parcheggio"},
		"unknown path":      {"/", op(nsDevice, "GetScopes", ""), 404, ""},
		"no XML":            {devicePath, "<", 400, "ter:WellFormed"},
		"empty body":        {devicePath, "", 400, "ter:WellFormed"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := ask(t, d, tc.path, "", tc.body)
			if status != tc.status || !strings.Contains(string(body), tc.says) {
				t.Errorf("HTTP %d %s, want %d with %q", status, body, tc.status, tc.says)
			}
		})
	}
	status, _ := ask(t, d, devicePath, "", "", func(r *http.Request) { r.Method = http.MethodGet })
	if status != http.StatusMethodNotAllowed {
		t.Errorf("GET: HTTP %d", status)
	}
}

// TestRewriteHost: the hosts of the recorded network stay, unless told otherwise.
func TestRewriteHost(t *testing.T) {
	c := load(t, "videofavola-nvr")
	for rewrite, want := range map[bool]string{false: "192.0.2.21", true: ""} {
		d := start(t, c, Options{RewriteHost: rewrite})
		if want == "" {
			want = d.Address().String()
		}
		_, body := ask(t, d, devicePath, "", op(nsDevice, "GetServices", ""))
		xaddrs := texts(body, "XAddr")
		if len(xaddrs) != 4 {
			t.Fatalf("%d XAddrs, want 4", len(xaddrs))
		}
		for _, x := range xaddrs {
			if !strings.HasPrefix(x, "http://"+want+"/onvif/") {
				t.Errorf("rewrite %v: XAddr %s, want host %s", rewrite, x, want)
			}
		}
	}
}
