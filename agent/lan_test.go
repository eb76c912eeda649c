package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"anagrafe/agent/lan"
	"anagrafe/agent/uplink"
)

// agentIn runs the program's commands in a directory.
type agentIn string

// does runs one command; in is what is typed.
func (dir agentIn) does(t *testing.T, in string, words ...string) (code int, out, told string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), console{strings.NewReader(in), &stdout, &stderr}, append(words, "-data", string(dir)))
	return code, stdout.String(), stderr.String()
}

const longPassword = "una lunga password"

func TestPasswordForTheNetwork(t *testing.T) {
	dir := agentIn(filepath.Join(t.TempDir(), "agent"))
	for in, want := range map[string]string{
		"corta\ncorta\n":                        "fewer than 12",
		longPassword + "\n" + "un'altra cosa\n": "differ",
		longPassword + "\n":                     "differ",
		"":                                      "fewer than 12",
	} {
		code, out, told := dir.does(t, in, "password")
		if code != exitFailed || !strings.Contains(told, want) || strings.Contains(told+out, longPassword) {
			t.Errorf("%q: exit %d, %q", in, code, told)
		}
	}
	if set, err := lan.HasPassword(string(dir)); set || err != nil {
		t.Fatalf("set %t %v", set, err)
	}
	if code, _, told := dir.does(t, longPassword+"\r\n"+longPassword+"\r\n", "password"); code != exitDone || !strings.Contains(told, "listen_lan") {
		t.Errorf("exit %d: %s", code, told)
	}
	if right, err := lan.Check(string(dir), longPassword); !right || err != nil {
		t.Errorf("%t %v", right, err)
	}
	for _, words := range [][]string{{"password", "-user", "x"}, {"password", "id"}} {
		if code, _, _ := dir.does(t, "x\n", words...); code != exitMisuse {
			t.Errorf("%v: exit %d", words, code)
		}
	}
}

func TestLANIsCheckedBeforeItIsOpened(t *testing.T) {
	dir := agentIn(filepath.Join(t.TempDir(), "agent"))
	if err := makeDir(string(dir)); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`listen_lan = "8481"`:      "HOST:PORT",
		`listen_lan = "0.0.0.0:0"`: "HOST:PORT",
		"listen_lan = \"0.0.0.0:8481\"\nlan_names = [\"https://nas\"]":    "lan_names",
		"listen_lan = \"0.0.0.0:8481\"\nlan_names = [\"nas:8481/pages\"]": "lan_names",
	} {
		if err := os.WriteFile(filepath.Join(string(dir), "agent.toml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, _, told := dir.does(t, "", "run"); code != exitMisuse || !strings.Contains(told, want) {
			t.Errorf("%s: exit %d: %s", text, code, told)
		}
	}
}

// TestLANAccess: without a password the pages are never opened to the network; with
// one they are, by TLS with a certificate whose fingerprint `open` prints.
// It is long because it is one way, step by step.
func TestLANAccess(t *testing.T) {
	dir := agentIn(filepath.Join(t.TempDir(), "agent"))
	config := defaults()
	config.Interfaces, config.Notify = []string{"lo"}, false
	config.Listen, config.ListenLAN = "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t)
	config.LANNames = []string{"nas.local"}
	var log bytes.Buffer
	c := &call{console: console{err: &log}, dir: string(dir), log: quiet(t)}
	if err := c.runVersions(t.Context(), config, nil); err == nil || !strings.Contains(err.Error(), "anagrafe-agent password") {
		t.Fatalf("without a password: %v", err)
	}
	if code, _, told := dir.does(t, longPassword+"\n"+longPassword+"\n", "password"); code != exitDone {
		t.Fatal(told)
	}

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.runVersions(ctx, config, nil) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	wait(t, "the agent", func() bool {
		code, _, _ := dir.does(t, "", "open", "-print")
		return code == exitDone
	})
	code, out, told := dir.does(t, "", "open")
	if code != exitDone || strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "http://"+config.Listen+"/open?token=") ||
		!strings.Contains(told, "https://nas.local:") || !strings.Contains(told, "█") {
		t.Errorf("open: exit %d\n%s\n%s", code, out, told)
	}
	if _, out, _ := dir.does(t, "", "status"); !strings.Contains(out, "open to the network at https://nas.local:") {
		t.Errorf("status does not tell:\n%s", out)
	}
	if f := (&call{dir: string(dir)}).examineLAN(ctx); f.State != uplink.StateGood || !strings.Contains(f.Found, "https://nas.local:") {
		t.Errorf("doctor: %+v", f)
	}

	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	shown := ""
	browser := &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, // as a person who compares the fingerprint
		VerifyConnection: func(s tls.ConnectionState) error {
			shown = lan.Fingerprint(tls.Certificate{Certificate: [][]byte{s.PeerCertificates[0].Raw}})
			return nil
		}}}}
	base := "https://" + config.ListenLAN
	get := func(path string) (string, int) {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		return read(t, browser, r)
	}
	if body, status := get("/"); status != http.StatusOK || !strings.Contains(body, `action="/login"`) {
		t.Fatalf("%d\n%s", status, body)
	}
	if !strings.Contains(told, shown) {
		t.Errorf("the certificate is %s, which `open` does not print:\n%s", shown, told)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/login", strings.NewReader(url.Values{"password": {longPassword}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if body, status := read(t, browser, r); status != http.StatusOK || strings.Contains(body, `action="/login"`) {
		t.Errorf("with the password: %d\n%s", status, body)
	}
	// Without TLS nobody answers.
	r, err = http.NewRequestWithContext(ctx, http.MethodGet, "http://"+config.ListenLAN+"/login", nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, status := read(t, browser, r); status != http.StatusBadRequest {
		t.Errorf("without TLS: %d\n%s", status, body)
	}
}

func read(t *testing.T, browser *http.Client, r *http.Request) (string, int) {
	t.Helper()
	resp, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), resp.StatusCode
}

func quiet(t *testing.T) *slog.Logger {
	t.Helper()
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}
