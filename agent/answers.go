package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/BurntSushi/toml"

	"anagrafe/agent/keyfile"
	"anagrafe/agent/lan"
	"anagrafe/agent/uplink"
	"anagrafe/protocol"
	"anagrafe/protocol/daemon"
)

// An answer file is for an installation at which nobody sits: 200 branches, each with
// a code of its own ("anagrafe-collector import -codes"). It is TOML;
// an unknown key is an error, and what is left out or "" is not answered:
//
//	[enrol]
//	code = "https://telecamere.comune.example.it:8443/enrol#code=…"   # or the code alone
//	collector = ""             # https://HOST:PORT, where code is no link
//
//	[contact]                  # whom to call; to be seen on the page before anything leaves
//	name = "Centrale operativa"
//	role = "control-room"      # owner (default), referent, control-room
//	phone = "+39 02 5550 0100"
//	email = ""
//	pec = ""
//	hours = "sempre"
//
//	[lan]
//	password = ""              # for opening the pages from the network, with settings.listen_lan
//
//	[settings]                 # of agent.toml, any key; only where that is not there yet
//	name = "Anna Neri"         # who approves: the name that decisions by command line bear
//	listen_lan = "0.0.0.0:8481"
//
// A package's is /etc/anagrafe-agent/answers.toml; the MSI's public properties are table
// and key in capitals: ENROL_CODE, ENROL_COLLECTOR, CONTACT_NAME, CONTACT_ROLE,
// CONTACT_PHONE, CONTACT_EMAIL, CONTACT_PEC, CONTACT_HOURS, LAN_PASSWORD, SETTINGS_NAME,
// SETTINGS_LISTEN_LAN and the like. All keys stand in tables, so that Windows Installer
// can write the file as an .ini.
//
// It answers what an installation asks, and approves nothing: which cameras there are is
// known only afterwards, and each is to be seen by its owner, or by the referent whom the
// owner delegated. Holding a code and maybe a password it must be closed to
// others, and is deleted as it is taken.
type answers struct {
	Enrol    enrolAnswers   `toml:"enrol"`
	Contact  contactAnswers `toml:"contact"`
	LAN      lanAnswers     `toml:"lan,omitempty"`
	Settings map[string]any `toml:"settings,omitempty"`
}

type enrolAnswers struct {
	Code      string `toml:"code"`
	Collector string `toml:"collector"`
}

type contactAnswers struct {
	Name  string        `toml:"name"`
	Role  protocol.Role `toml:"role"`
	Phone string        `toml:"phone"`
	Email string        `toml:"email"`
	PEC   string        `toml:"pec"`
	Hours string        `toml:"hours"`
}

type lanAnswers struct {
	Password string `toml:"password,omitempty"`
}

// maxAnswers bounds an answer file, in bytes.
const maxAnswers = 64 << 10

// packagedAnswers is where a package's installation looks for them.
const packagedAnswers = "/etc/anagrafe-agent/answers.toml"

// waitingAnswers keeps in DIR what the service is still to do; it is closed as a key is.
func waitingAnswers(dir string) string { return filepath.Join(dir, "answers") }

// contact is whom to call; nothing typed: nobody.
func (a answers) contact() (who protocol.Contact, given bool) {
	if a.Contact == (contactAnswers{}) {
		return protocol.Contact{}, false
	}
	return protocol.Contact{Name: a.Contact.Name, Role: cmp.Or(a.Contact.Role, protocol.RoleOwner),
		Phone: a.Contact.Phone, Email: a.Contact.Email, PEC: a.Contact.PEC, Hours: a.Contact.Hours}, true
}

// readAnswers reads an answer file and checks all of it that can be checked here.
func readAnswers(path string) (a answers, err error) {
	f, err := os.Open(path)
	if err != nil {
		return a, fmt.Errorf("opening the answer file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return a, fmt.Errorf("opening the answer file: %w", err)
	}
	if err := closedToOthers(info); err != nil {
		return a, fmt.Errorf("the answer file %s holds a code: %w", path, err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxAnswers+1))
	if err != nil {
		return a, fmt.Errorf("reading the answer file: %w", err)
	}
	if len(text) > maxAnswers {
		return a, fmt.Errorf("the answer file %s is longer than %d bytes", path, maxAnswers)
	}
	if a, err = parseAnswers(text); err != nil {
		return a, fmt.Errorf("the answer file %s: %w", path, err)
	}
	return a, nil
}

// parseAnswers reads the text of an answer file.
func parseAnswers(text []byte) (a answers, err error) {
	md, err := toml.NewDecoder(bytes.NewReader(text)).Decode(&a)
	if err != nil {
		return a, withoutText(err)
	}
	if unknown := md.Undecoded(); len(unknown) > 0 {
		return a, fmt.Errorf("there is no key %q: remove it, or correct its spelling", unknown[0].String())
	}
	maps.DeleteFunc(a.Settings, func(_ string, v any) bool { return v == "" }) // not answered
	if a.Enrol.Code == "" && a.Enrol.Collector != "" {
		return a, errors.New("enrol.collector without enrol.code: give the code or the link from the Comune")
	}
	if a.Enrol.Code != "" {
		if err := uplink.CheckInvitation(a.Enrol.Collector, a.Enrol.Code); err != nil {
			return a, fmt.Errorf("enrol.code: %w", err)
		}
	}
	if who, given := a.contact(); given {
		if err := who.Validate(); err != nil {
			return a, fmt.Errorf("[contact]: %w", err)
		}
	}
	return a, nil
}

// withoutText drops from an error of the parser the line that it quotes: it may be the
// one with the code.
func withoutText(err error) error {
	if e, ok := errors.AsType[toml.ParseError](err); ok {
		return fmt.Errorf("line %d is not TOML: %s", e.Position.Line, e.Message)
	}
	return err
}

// takeAnswers reads an answer file, puts what it says where the service finds it, and
// deletes it. Root leaves nothing of its own in dir.
func takeAnswers(path, dir string) error {
	a, err := readAnswers(path)
	if err != nil {
		return err
	}
	back, err := daemon.AsOwner(dir)
	if err != nil {
		return err
	}
	if err := errors.Join(a.keep(dir), back()); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("the answers are taken, but the file that holds the code is still there; delete it: %w", err)
	}
	return nil
}

// keep writes the settings, the password, and what the running service is to do.
func (a answers) keep(dir string) error {
	if err := makeDir(dir); err != nil {
		return err
	}
	if a.LAN.Password != "" {
		if err := lan.SetPassword(dir, a.LAN.Password); err != nil {
			return fmt.Errorf("lan.password: %w", err)
		}
	}
	if len(a.Settings) > 0 {
		if err := keepSettings(dir, a.Settings); err != nil {
			return fmt.Errorf("[settings]: %w", err)
		}
	}
	a.LAN, a.Settings = lanAnswers{}, nil
	if a.Enrol == (enrolAnswers{}) && a.Contact == (contactAnswers{}) {
		return nil
	}
	var text bytes.Buffer
	if err := toml.NewEncoder(&text).Encode(a); err != nil {
		return err
	}
	return keyfile.Write(waitingAnswers(dir), text.Bytes())
}

// keepSettings writes agent.toml, if it is one with which the agent can run. One that is
// there was written by somebody, and stays.
func keepSettings(dir string, settings map[string]any) error {
	path := configFile(dir)
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already: put them in there, and leave the table out", path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var text bytes.Buffer
	if err := toml.NewEncoder(&text).Encode(settings); err != nil {
		return err
	}
	tried := path + ".new"
	if err := keyfile.Replace(tried, text.Bytes()); err != nil {
		return err
	}
	if err := tryConfig(dir, tried); err != nil {
		return errors.Join(err, os.Remove(tried))
	}
	return os.Rename(tried, path)
}

// tryConfig refuses a configuration with which the agent would not start.
func tryConfig(dir, file string) error {
	config, err := readConfig(dir, file)
	if err != nil {
		return err
	}
	if err := config.check(); err != nil {
		return err
	}
	if set, err := lan.HasPassword(dir); config.ListenLAN != "" && (err != nil || !set) {
		return errors.Join(errors.New("listen_lan needs a password: give lan.password too"), err)
	}
	return nil
}
