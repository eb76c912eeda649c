package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestUserLink(t *testing.T) {
	dir := t.TempDir()
	command := func(args ...string) (int, string, string) {
		var out, problem bytes.Buffer
		code := run(t.Context(), console{out: &out, err: &problem}, append(args, "-data", dir))
		return code, out.String(), problem.String()
	}
	if code, _, problem := command("user", "add", "M. Rossi", "-role", "admin", "-credential", filepath.Join(dir, "rossi.json")); code != exitDone {
		t.Fatal(problem)
	}
	for _, c := range []struct {
		args   []string
		code   int
		out    string
		stderr string
	}{
		{[]string{"user", "link", "M. Rossi"}, exitDone, "http://ops.localhost:8081/login/link?token=", ""},
		{[]string{"user", "link", "M. Rossi", "-json"}, exitDone, `"link": "http://ops.localhost:8081/login/link?token=`, ""},
		{[]string{"user", "link", "N. Bianchi"}, exitFailed, "", "user list tells"},
		{[]string{"user", "link"}, exitMisuse, "", ""},
		{[]string{"user", "signout", "M. Rossi"}, exitDone, "0 sessions ended", ""},
		{[]string{"user", "signout", "M. Rossi", "-json"}, exitDone, `"sessions": 0`, ""},
	} {
		if code, out, problem := command(c.args...); code != c.code || !strings.Contains(out, c.out) || !strings.Contains(problem, c.stderr) {
			t.Errorf("%v: %d %q %q", c.args, code, out, problem)
		}
	}
}

func TestLoginSettings(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("parola segreta\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	toml := `
session_idle = "20m"
session_life = "4h"
[consult_oidc]
issuer = "https://id.questura.example"
name = "Questura ID"
client_id = "anagrafe"
client_secret_file = "` + secret + `"
[[consult_oidc.grant]]
claim = "gruppi"
value = "ufficiali"
role = "officer"
force = "Questura"
qualification = "ufficiale di PG"
`
	for name, c := range map[string]struct{ old, new, says string }{
		"as it should be":      {"", "", ""},
		"too short":            {`"20m"`, `"1s"`, "session_idle"},
		"shorter than idle":    {`"4h"`, `"10m"`, "session_life"},
		"longer than a day":    {`"4h"`, `"48h"`, "session_life"},
		"an unknown key":       {"claim =", "clam =", "clam"},
		"no issuer":            {`issuer = "https://id.questura.example"`, "", "[consult_oidc] has no issuer"},
		"no secret":            {secret, secret + "x", "consult_oidc.client_secret_file"},
		"a role of the Comune": {`"officer"`, `"admin"`, `role "admin"`},
		"no force":             {`force = "Questura"`, "", "names its force"},
		"the other's listener": {"consult_oidc", "ops_oidc", `role "officer"`},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "collector.toml")
			text := toml
			if c.old != "" {
				text = strings.ReplaceAll(toml, c.old, c.new)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			config, err := readConfig(dir, file)
			var o *collector
			if err == nil {
				if o, err = openCollector(t.Context(), t.TempDir(), config, slog.New(slog.DiscardHandler)); err == nil {
					defer o.Close()
				}
			}
			switch {
			case (err == nil) != (c.says == ""), err != nil && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "parola")):
				t.Fatalf("%v", err)
			case err == nil && (o.consultWeb.OIDC.ClientSecret != "parola segreta" || o.opsWeb.OIDC != nil ||
				o.consultWeb.Idle != 20*time.Minute || o.opsWeb.Life != 4*time.Hour):
				t.Errorf("%+v", o.consultWeb.OIDC)
			}
		})
	}
}
