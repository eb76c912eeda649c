package cameratest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeDir makes a device's folder of files, by their names in it.
func writeDir(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// loadFiles is the conversation of such a folder.
func loadFiles(t *testing.T, files map[string]string) *Conversation {
	t.Helper()
	c, err := LoadDir(writeDir(t, files))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWebLoadErrors(t *testing.T) {
	const login = `"login":{"path":"/l","user":"json:u","password":"form:p"}`
	for name, tc := range map[string]struct {
		web  string
		want []string
	}{
		"no JSON":              {`{`, []string{"web.json", "unexpected EOF"}},
		"more than one":        {`{} {}`, []string{"web.json", "more text"}},
		"unknown field":        {`{"answer":[]}`, []string{"web.json", `unknown field "answer"`}},
		"unknown in an answer": {`{"answers":[{"path":"/","files":"a"}]}`, []string{`unknown field "files"`}},
		"unknown in a reply":   {`{"wrong":{"path":"/"}}`, []string{`unknown field "path"`}},
		"challenge":            {`{"challenge":"token"}`, []string{`unknown challenge "token"`}},
		"missing file":         {`{"answers":[{"path":"/","file":"a.xml"}]}`, []string{"web/a.xml"}},
		"two missing files":    {`{"answers":[{"path":"/","file":"a.xml"},{"path":"/b","file":"good.xml"}],"locked":{"file":"b.xml"}}`, []string{"web/a.xml", "web/b.xml"}},
		"missing login files": {`{"challenge":"session",` + strings.Replace(login, "{", `{"file":"c","wrong":{"file":"d"},`, 1) +
			`,"session":"cookie:S","logout":{"path":"/o","file":"e"}}`, []string{"web/c", "web/d", "web/e"}},
		"file outside":         {`{"answers":[{"path":"/","file":"../device.json"}]}`, []string{"not in web/"}},
		"bad template":         {`{"otherwise":{"file":"bad.xml"}}`, []string{"web/bad.xml", `"nonsense" not defined`}},
		"bad time":             {`{"otherwise":{"file":"time.xml"}}`, []string{"web/time.xml", "yesterday"}},
		"bad field":            {`{"otherwise":{"file":"field.xml"}}`, []string{"web/field.xml", "Sesion"}},
		"bad header":           {`{"otherwise":{"headers":{"X-A":"{{"}}}`, []string{"header X-A"}},
		"path":                 {`{"answers":[{"path":"/"},{"path":"info"}]}`, []string{"answer 1", `"info"`}},
		"no path":              {`{"logout":{}}`, []string{"logout"}},
		"method":               {`{"answers":[{"method":"post","path":"/"}]}`, []string{`"post"`}},
		"status":               {`{"answers":[{"path":"/","status":99}]}`, []string{"status 99"}},
		"session alone":        {`{"challenge":"session"}`, []string{"login and session"}},
		"session unwanted":     {`{` + login + `,"session":"cookie:S"}`, []string{`"session"`}},
		"place of the user":    {`{"challenge":"session",` + strings.Replace(login, "json:u", "body:u", 1) + `,"session":"cookie:S"}`, []string{`"body:u"`}},
		"place of the session": {`{"challenge":"session",` + login + `,"session":"cookie:"}`, []string{`"cookie:"`}},
		"port":                 {`{"ssdp":{"port":65536}}`, []string{"web.json", "port"}},
	} {
		dir := writeDir(t, map[string]string{"device.json": "{}", "web.json": tc.web,
			"web/good.xml": "<a/>", "web/bad.xml": "{{nonsense}}", "web/time.xml": `{{utc "yesterday" "15:04"}}`, "web/field.xml": "{{.Sesion}}"})
		c, err := LoadDir(dir)
		if err == nil {
			t.Errorf("%s: %+v", name, c)
			continue
		}
		for _, want := range append(tc.want, filepath.Base(dir)) {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: no %q in %q", name, want, err)
			}
		}
	}
	if _, err := LoadDir(writeDir(t, map[string]string{"device.json": "{}", "web/good.xml": "<a/>"})); err == nil {
		t.Error("neither ONVIF nor web.json, and it was read")
	}
}

// TestLoadDirs: folders without device.json are not devices, and those of
// recorders are read by a call of their own.
func TestLoadDirs(t *testing.T) {
	web := map[string]string{"a/device.json": "{}", "a/web.json": "{}", "b/device.json": "{}", "b/web.json": "{}", "notes/README": "x", "README.md": "x"}
	all, err := LoadDirs(writeDir(t, web))
	if err != nil || len(all) != 2 || all[0].Name != "a" || all[1].Name != "b" {
		t.Errorf("%v, %v", all, err)
	}
	if _, err := LoadDirs(writeDir(t, map[string]string{"notes/README": "x"})); err == nil {
		t.Error("a folder without devices was read")
	}
	cameras, err := LoadDirs(writtenCameras)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cameras {
		if c.web != nil || c.Name == "recorders" {
			t.Errorf("%s is among the cameras", c.Name)
		}
	}
	recorders, err := LoadDirs(writtenRecorders)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range recorders {
		start(t, c, Options{})
	}
}

// TestWebReplacing: a copy has other contents, as they are; the original not.
func TestWebReplacing(t *testing.T) {
	c := loadRecorder(t, "provaweb-sessione")
	text := []byte(`{{not a template`)
	other := c.Replacing(map[string][]byte{"name.json": text})
	text[0] = 'x'
	for _, tc := range []struct {
		c    *Conversation
		want string
	}{{other, `{{not a template`}, {c, `Provaweb PW-4`}} {
		_, body := visit(t, start(t, tc.c, Options{}), webCall{method: "GET", target: "/api/name"})
		if !strings.Contains(body, tc.want) {
			t.Errorf("body %q", body)
		}
	}
	for name, c := range map[string]*Conversation{"with a web interface": c, "without": load(t, "videofavola-cubo")} {
		if d, err := Start(c.Replacing(map[string][]byte{"nome.json": nil, "altro.json": nil}), Options{}); err == nil || !strings.Contains(err.Error(), "altro.json, nome.json") {
			t.Errorf("%s: %v, %v", name, d, err)
		}
		start(t, c.Replacing(nil), Options{})
	}
}

// TestWebChange: a running device gives the new content, filled in; another of
// the same conversation gives the old.
func TestWebChange(t *testing.T) {
	c := loadRecorder(t, "provaweb-sessione")
	d, same := start(t, c, Options{}), start(t, c, Options{})
	if err := d.Change("name.json", []byte("changed at {{host}}")); err != nil {
		t.Fatal(err)
	}
	for want, d := range map[string]*Device{"changed at " + d.Address().String(): d, `"name":"Provaweb PW-4"`: same} {
		if _, body := visit(t, d, webCall{method: "GET", target: "/api/name"}); !strings.Contains(body, want) {
			t.Errorf("body %q", body)
		}
	}
	onvif := start(t, load(t, "videofavola-cubo"), Options{})
	for name, err := range map[string]error{
		"unknown file":     d.Change("nome.json", nil),
		"no template":      d.Change("name.json", []byte("{{")),
		"no web interface": onvif.Change("name.json", nil),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if opened, open := onvif.Sessions(); opened != 0 || open != 0 {
		t.Errorf("%d sessions, %d open, without a web interface", opened, open)
	}
}
