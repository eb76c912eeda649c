package cameratest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// deviceFile is device.json of a hand-written device. Every field may be left
// out; unknown ones are errors.
type deviceFile struct {
	// About says what the device is there to show.
	About string `json:"about"`
	// Endpoint, Scopes, Types, AnswerTo, Auth, User, Password: as in Options.
	Endpoint string   `json:"endpoint"`
	Scopes   []string `json:"scopes"`
	Types    []string `json:"types"`
	AnswerTo []string `json:"answer_to"`
	MDNS     []string `json:"mdns"`
	Auth     Auth     `json:"auth"`
	User     string   `json:"user"`
	Password string   `json:"password"`
	// TokenSkew and ClockOffset are Go durations, "58m".
	TokenSkew   string `json:"token_skew"`
	ClockOffset string `json:"clock_offset"`
	// Zone is the IANA zone of the wall clock in GetSystemDateAndTime.
	Zone string `json:"zone"`
	// Envelope is the prefix of the SOAP namespace, "s" if left out.
	Envelope string `json:"envelope"`
	// LockoutAfter, AuthStatus, EphemeralPort: as in Quirks.
	LockoutAfter  int  `json:"lockout_after"`
	AuthStatus    int  `json:"auth_status"`
	EphemeralPort bool `json:"ephemeral_port"`
	// AnswersTwice: as in Quirks.
	AnswersTwice bool `json:"answers_twice"`
}

// LoadDir reads a hand-written device: device.json and one file for each
// operation, Operation.xml, or Operation.TOKEN.xml for the answer to a request
// that names that token. A file holds the first element of the SOAP body; the
// envelope around it, with the prefixes of testdata/cameras/README.md, is made
// here. A fault is answered with HTTP 400 or 500 according to its code. An
// element whose whole text is now, now-72h or now+15m is answered with that time
// by the device's clock.
//
// Its own web interface, beside ONVIF or in place of it, is in web.json and the
// files of web/, whose fields are those of webFile.
func LoadDir(dir string) (*Conversation, error) {
	c := &Conversation{Name: filepath.Base(dir), Source: HandWritten}
	if err := c.readDevice(filepath.Join(dir, "device.json")); err != nil {
		return nil, fmt.Errorf("load hand-written device %s: %w", c.Name, err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.xml"))
	if err != nil {
		return nil, fmt.Errorf("load hand-written device %s: %w", c.Name, err)
	}
	for _, name := range files {
		a, err := c.writtenAnswer(name)
		if err != nil {
			return nil, fmt.Errorf("load hand-written device %s: %s: %w", c.Name, filepath.Base(name), err)
		}
		c.Answers = append(c.Answers, a)
	}
	if c.web, err = readWeb(dir); err != nil {
		return nil, fmt.Errorf("load hand-written device %s: %w", c.Name, err)
	}
	if c.web != nil && c.web.file.SSDP != nil {
		c.Defaults.SSDP = true
		c.Maker, c.Model = c.web.file.SSDP.Manufacturer, c.web.file.SSDP.Model
	}
	if err := c.complete(); err != nil {
		return nil, fmt.Errorf("load hand-written device: %w", err)
	}
	return c, nil
}

func (c *Conversation) readDevice(name string) error {
	text, err := readFile(name)
	if err != nil {
		return err
	}
	var f deviceFile
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return fmt.Errorf("device.json: %w", err)
	}
	o := Options{
		Endpoint: f.Endpoint, Scopes: f.Scopes, Types: f.Types, AnswerTo: f.AnswerTo, MDNS: f.MDNS,
		Auth: f.Auth, User: f.User, Password: f.Password,
		Quirks: Quirks{LockoutAfter: f.LockoutAfter, AuthStatus: f.AuthStatus, EphemeralPort: f.EphemeralPort, AnswersTwice: f.AnswersTwice},
	}
	if o.ClockOffset, err = duration(f.ClockOffset); err != nil {
		return fmt.Errorf("device.json: clock_offset: %w", err)
	}
	if o.TokenSkew, err = duration(f.TokenSkew); err != nil {
		return fmt.Errorf("device.json: token_skew: %w", err)
	}
	if f.Zone != "" {
		if c.zone, err = time.LoadLocation(f.Zone); err != nil {
			return fmt.Errorf("device.json: zone: %w", err)
		}
	}
	c.Defaults, c.envelope = o, f.Envelope
	return nil
}

func duration(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	return time.ParseDuration(text)
}

// writtenAnswer reads one Operation.xml or Operation.TOKEN.xml.
func (c *Conversation) writtenAnswer(name string) (Answer, error) {
	inner, err := readFile(name)
	if err != nil {
		return Answer{}, err
	}
	operation, token, _ := strings.Cut(strings.TrimSuffix(filepath.Base(name), ".xml"), ".")
	a := Answer{File: filepath.Base(name), Operation: operation, Status: 200, Body: envelope(c.envelope, bytes.TrimSpace(inner))}
	if token != "" {
		a.Asked = map[string][]string{anyToken: {token}}
	}
	root, err := bodyElement(a.Body)
	if err != nil {
		return Answer{}, err
	}
	switch {
	case root.Local == "Fault" && root.Space == nsEnvelope:
		a.Status = faultStatus(a.Body)
	case root.Local != operation+"Response":
		return Answer{}, fmt.Errorf("holds a %s, not a %sResponse", root.Local, operation)
	default:
		a.Namespace = root.Space
	}
	return a, nil
}

// bodyElement names the first element of the SOAP body, and checks that the
// whole is well formed.
func bodyElement(body []byte) (xml.Name, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	var root xml.Name
	for depth := 0; ; {
		t, err := d.Token()
		if err != nil {
			if root.Local != "" && depth == 0 {
				return root, nil
			}
			return xml.Name{}, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if depth++; depth == 3 && root.Local == "" {
				root = t.Name
			}
		case xml.EndElement:
			depth--
		}
	}
}

// LoadDirs reads every hand-written device below dir, by name: the folders that
// hold a device.json.
func LoadDirs(dir string) ([]*Conversation, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("load hand-written devices: %w", err)
	}
	var all []*Conversation
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join(dir, e.Name(), "device.json")); err != nil {
			continue // a file, or a folder of devices
		}
		c, err := LoadDir(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("load hand-written devices: none in %s", dir)
	}
	return all, nil
}
