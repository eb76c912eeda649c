package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"anagrafe/agent/inventory"
	"anagrafe/agent/lan"
	"anagrafe/protocol"
)

// answerFile writes one, closed to others.
func answerFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "answers.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What is wrong with an answer file is said, by its key and never with its code, and
// then nothing is taken and the file stays.
func TestAnswersRefused(t *testing.T) {
	code := protocol.NewCode().String()
	enrol := "[enrol]\ncode = \"" + code + "\"\ncollector = \"https://c.example:8443\"\n"
	for text, want := range map[string]string{
		"[enrol]\ncode = \"" + code + "\"\n":                                          "without an address",
		"[enrol]\ncollector = \"https://c.example:8443\"\n":                           "without enrol.code",
		"[enrol]\ncode = \"AAAA\"\n":                                                  "enrol.code",
		"[enrol]\ncode = " + code + "\n":                                              "line 2 is not TOML",
		enrol + "cde = 1\n":                                                           `no key "enrol.cde"`,
		enrol + "[contact]\nnome = \"Anna\"\n":                                        `no key "contact.nome"`,
		enrol + "[contact]\nname = \"Anna Neri\"\n":                                   "[contact]",
		enrol + "[contact]\nname = \"Anna\"\nphone = \"+39 02 555\"\nrole=\"capo\"\n": "role",
		enrol + "[settings]\nlisten_lna = \"0.0.0.0:8481\"\n":                         `"listen_lna"`,
		enrol + "[settings]\nlisten_lan = \"0.0.0.0:8481\"\n":                         "lan.password",
		enrol + "[settings]\nlisten_pages = \"0.0.0.0:8480\"\n":                       "network",
		enrol + "[lan]\npassword = \"breve\"\n":                                       "lan.password",
		"approve = \"all\"\n":                                                         `no key "approve"`,
		enrol + "#" + strings.Repeat(" ", maxAnswers):                                 "longer",
	} {
		dir, path := filepath.Join(t.TempDir(), "data"), answerFile(t, text)
		err := takeAnswers(path, dir)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), code) {
			t.Errorf("%q: %v, want %q and no code", text, err, want)
		}
		for _, made := range []string{waitingAnswers(dir), configFile(dir)} {
			if _, err := os.Stat(made); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%q: %s: %v", text, made, err)
			}
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A file that others can read is refused: its code may be known to them.
func TestAnswersOpenToOthers(t *testing.T) {
	path := answerFile(t, "")
	for mode, refused := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o604: true, 0o660: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := readAnswers(path); (err != nil) != refused {
			t.Errorf("%v: %v", mode, err)
		}
	}
}

// Settings that somebody wrote stay as they are.
func TestAnswersKeepSettings(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(configFile(dir), []byte("name = \"Carla\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := takeAnswers(answerFile(t, "[settings]\nname = \"Anna\"\n"), dir); err == nil || !strings.Contains(err.Error(), "there already") {
		t.Error(err)
	}
	if err := takeAnswers(answerFile(t, "[settings]\nname = \"\"\n[enrol]\ncode = \"\"\n"), dir); err != nil {
		t.Errorf("nothing answered: %v", err)
	}
	if config, err := readConfig(dir, ""); err != nil || config.Name != "Carla" {
		t.Errorf("%+v, %v", config, err)
	}
}

// Branches are installed by answer files, each with its own code: each is enrolled for
// its own site, knows whom to call, and has forgotten the code; none has declared
// anything, which waits for a person.
func TestBranches(t *testing.T) {
	collector := startRealCollector(t)
	const branches = 6
	for n := range branches {
		name := fmt.Sprintf("Filiale %d", n)
		link := collector.invite(name)
		path := answerFile(t, fmt.Sprintf(`
[enrol]
code = %q
[contact]
name = "Centrale operativa"
role = "control-room"
phone = "+39 02 5550 0100"
[lan]
password = "una frase lunga"
[settings]
name = "Anna Neri"
listen_lan = "127.0.0.1:8481"
interfaces = ["lo"]
`, link))
		dir := filepath.Join(t.TempDir(), "data")
		if err := takeAnswers(path, dir); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the answer file is still there: %v", err)
		}
		config, err := readConfig(dir, "")
		if err != nil || config.Name != "Anna Neri" || config.ListenLAN == "" {
			t.Errorf("%+v, %v", config, err)
		}
		if right, err := lan.Check(dir, "una frase lunga"); !right || err != nil {
			t.Errorf("the password: %t, %v", right, err)
		}
		s, err := openAgent(t.Context(), dir, config, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second start finds nothing to do
			if err := s.answer(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		grants := known(t, s.inv).Sites
		if len(grants) != 1 || grants[0].SiteName != name {
			t.Errorf("%+v", grants)
		}
		contacts := known(t, s.inv).Contacts[""]
		if len(contacts) != 1 || contacts[0].Name != "Centrale operativa" {
			t.Errorf("%+v", contacts)
		}
		if sent, err := s.inv.Counts(t.Context()); err != nil || sent[inventory.Waiting] != 0 {
			t.Errorf("waiting to be sent: %v, %v", sent, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		parsed, err := protocol.ParseLink(link)
		if err != nil {
			t.Fatal(err)
		}
		inFiles(t, dir, parsed.Code.String())
		inFiles(t, dir, "una frase lunga")
	}
	out, err := exec.CommandContext(t.Context(), collector.bin, "agents", "-json", "-data", collector.data).Output()
	var enrolled struct{ Agents []json.RawMessage }
	if err == nil {
		err = json.Unmarshal(out, &enrolled)
	}
	if err != nil || len(enrolled.Agents) != branches {
		t.Errorf("the collector knows %d agents, %v", len(enrolled.Agents), err)
	}
}

// inFiles complains if a secret stands in a file below dir.
func inFiles(t *testing.T, dir, secret string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(secret)) {
			t.Errorf("%s still holds a secret of the answer file", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// A code that is refused for good is forgotten, and whoever looks into the log is told.
func TestAnswersUsedCode(t *testing.T) {
	collector := startRealCollector(t)
	link := collector.invite("Filiale")
	var log bytes.Buffer
	for n := range 2 {
		dir := t.TempDir()
		if err := takeAnswers(answerFile(t, "[enrol]\ncode = \""+link+"\"\n"), dir); err != nil {
			t.Fatal(err)
		}
		s, err := openAgent(t.Context(), dir, defaults(), slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.answer(t.Context()), s.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(waitingAnswers(dir)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the code is not forgotten: %v", err)
		}
		if told := strings.Contains(log.String(), "refused"); told != (n == 1) || strings.Contains(log.String(), "code=") {
			t.Errorf("the log after code %d: %s", n, &log)
		}
	}
}

// A disk that is full, wherever it hits, costs neither the code nor whom to call: with
// room again the same file is carried out.
func TestAnswersFullDisk(t *testing.T) {
	collector := startRealCollector(t)
	for _, table := range []string{"", "site", "contact"} { // "": identity.pem
		t.Run(table, func(t *testing.T) {
			dir := t.TempDir()
			if err := takeAnswers(answerFile(t, "[enrol]\ncode = \""+collector.invite("Filiale")+"\"\n[contact]\nname = \"Anna\"\nphone = \"+39 02 5550 0100\"\n"), dir); err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			s, err := openAgent(ctx, dir, defaults(), slog.New(slog.NewTextHandler(stopper{t.Output(), stop}, nil)))
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			blocked := filepath.Join(dir, "identity.pem", "no room")
			if table == "" {
				s.link.wrap = func(line http.RoundTripper) http.RoundTripper {
					return afterwards{line, func() error { return os.MkdirAll(blocked, 0o700) }}
				}
			} else {
				inInventory(t, dir, "CREATE TRIGGER no_room BEFORE INSERT ON "+table+" BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
			}
			if err := s.answer(ctx); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(waitingAnswers(dir)); err != nil {
				t.Fatalf("the file is thrown away: %v", err)
			}
			if table == "" {
				s.link.wrap = nil
				if err := os.RemoveAll(filepath.Dir(blocked)); err != nil {
					t.Fatal(err)
				}
			} else {
				inInventory(t, dir, "DROP TRIGGER no_room")
			}
			if err := s.answer(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(waitingAnswers(dir)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the code is not forgotten: %v", err)
			}
			if held := known(t, s.inv); len(held.Sites) != 1 || len(held.Contacts[""]) != 1 {
				t.Errorf("%+v %+v", held.Sites, held.Contacts)
			}
		})
	}
}

// stopper is a log that ends the agent once it says that something is tried again.
type stopper struct {
	io.Writer
	stop func()
}

func (s stopper) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("tried again")) {
		s.stop()
	}
	return s.Writer.Write(line)
}

// afterwards does something once the collector has answered.
type afterwards struct {
	http.RoundTripper
	do func() error
}

func (a afterwards) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := a.RoundTripper.RoundTrip(r)
	return resp, errors.Join(err, a.do())
}

func inInventory(t *testing.T, dir, query string) {
	t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(dir, "inventory.db"))
	if err == nil {
		_, err = db.ExecContext(t.Context(), query)
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// FuzzAnswers: whatever stands in the file, the parser answers, and never with a code.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte("[enrol]\ncode = \"\"\n[contact]\nname = \"A\"\n[settings]\nname = \"\"\n"))
	f.Add([]byte("[enrol]\ncode = \"https://c.example:8443/enrol#code=AAAA\"\n"))
	f.Add([]byte("[settings]\na = [[1],{b=2}]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := parseAnswers(text)
		if who, given := a.contact(); err == nil && given && who.Validate() != nil {
			t.Errorf("took the contact %+v", who)
		}
	})
}
