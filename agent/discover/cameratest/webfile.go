package cameratest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// webFile is web.json of a hand-written device: its own web interface beside or
// in place of ONVIF. Every field may be left out; unknown ones are errors.
type webFile struct {
	// Server is the header of that name.
	Server string `json:"server"`
	// Challenge is how the interface wants credentials: "digest", "basic",
	// "none", "session", or "" for what the device's Auth says.
	Challenge string `json:"challenge"`
	// Realm of the challenges, "camera" if left out.
	Realm string `json:"realm"`
	// SSDP is what the device says of itself there; with it Options.SSDP is on.
	SSDP *ssdpFile `json:"ssdp"`
	// Answers: the first that fits is given.
	Answers []webAnswer `json:"answers"`
	// Otherwise answers what is not listed, to who may ask; 404.
	Otherwise webReply `json:"otherwise"`
	// Wrong answers wrong credentials (401), Locked any credentials after
	// Quirks.LockoutAfter wrong ones (403), Refused a request without credentials
	// or without a live session (401). At 401 the challenges are added.
	Wrong   webReply `json:"wrong"`
	Locked  webReply `json:"locked"`
	Refused webReply `json:"refused"`
	// Login opens a session, Session says where later requests carry it:
	// "cookie:NAME", "query:NAME" or "header:NAME:PREFIX". Logout ends it.
	Login   *webLogin  `json:"login"`
	Session string     `json:"session"`
	Logout  *webAnswer `json:"logout"`
}

// ssdpFile is what the UPnP description of a device says.
type ssdpFile struct {
	Manufacturer string `json:"manufacturer"`
	Model        string `json:"model"`
	// Port of the address that is shown to people (presentationURL); 0: its own.
	Port uint16 `json:"port"`
}

// webReply is what is sent.
type webReply struct {
	Status int `json:"status"`
	// Type is the Content-Type; left out, it follows from the file's name.
	Type string `json:"type"`
	// Headers are templates like the file.
	Headers map[string]string `json:"headers"`
	// File in web/, a template; "": an empty body.
	File string `json:"file"`
}

// webMatch is which requests are meant.
type webMatch struct {
	// Method is GET if left out.
	Method string `json:"method"`
	// Path is the whole path. In that of Logout {{.Session}} may stand.
	Path string `json:"path"`
	// Query must all be equal in the request, which may have more.
	Query map[string]string `json:"query"`
	// Body must all occur in the request's body.
	Body []string `json:"body"`
}

type webAnswer struct {
	webMatch
	webReply
	// Open: answered without credentials, which are not looked at.
	Open bool `json:"open"`
}

type webLogin struct {
	webMatch
	webReply
	// User and Password say where they stand: "json:a.0.b", "form:NAME" or
	// "query:NAME".
	User     string `json:"user"`
	Password string `json:"password"`
	// Wrong is the answer to others; 401.
	Wrong webReply `json:"wrong"`
}

// Values of webFile.Challenge.
const (
	challengeDigest  = "digest"
	challengeBasic   = "basic"
	challengeNone    = "none"
	challengeSession = "session"
)

// website is a web interface as it was read.
type website struct {
	file   webFile
	bodies map[string]webBody // by name in web/
}

// webBody is the content of a file, a template unless it is verbatim.
type webBody struct {
	content  []byte
	verbatim bool
}

// readWeb reads web.json and what it names in web/; nil if there is none.
func readWeb(dir string) (*website, error) {
	text, err := readFile(filepath.Join(dir, "web.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	w := &website{bodies: map[string]webBody{}}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&w.file); err != nil {
		return nil, fmt.Errorf("web.json: %w", err)
	}
	if d.More() {
		return nil, errors.New("web.json: more text after the object")
	}
	if err := w.file.check(); err != nil {
		return nil, fmt.Errorf("web.json: %w", err)
	}
	w.file.complete()
	if err := w.readBodies(filepath.Join(dir, "web")); err != nil {
		return nil, err
	}
	return w, nil
}

// check finds what cannot be played, all of it.
func (f *webFile) check() error {
	var errs []error
	switch f.Challenge {
	case "", challengeDigest, challengeBasic, challengeNone:
		if f.Login != nil || f.Session != "" {
			errs = append(errs, fmt.Errorf("login and session want the challenge %q", challengeSession))
		}
	case challengeSession:
		if f.Login == nil || f.Session == "" {
			errs = append(errs, errors.New("the challenge session wants login and session"))
		}
	default:
		errs = append(errs, fmt.Errorf("unknown challenge %q", f.Challenge))
	}
	for i := range f.Answers {
		errs = append(errs, f.Answers[i].check(fmt.Sprintf("answer %d", i)))
	}
	if f.Login != nil {
		errs = append(errs, f.Login.check("login"), checkPlace(f.Login.User, inJSON, inForm, inQuery), checkPlace(f.Login.Password, inJSON, inForm, inQuery))
	}
	if f.Session != "" {
		errs = append(errs, checkPlace(f.Session, inCookie, inQuery, inHeader))
	}
	if f.Logout != nil {
		errs = append(errs, f.Logout.check("logout"))
	}
	for _, a := range f.replies() {
		if a.Status != 0 && (a.Status < 200 || a.Status > 599) {
			errs = append(errs, fmt.Errorf("the status %d of an answer", a.Status))
		}
	}
	return errors.Join(errs...)
}

func (m *webMatch) check(what string) error {
	if !strings.HasPrefix(m.Path, "/") {
		return fmt.Errorf("%s: the path %q does not begin with /", what, m.Path)
	}
	if m.Method != strings.ToUpper(m.Method) {
		return fmt.Errorf("%s: the method %q is not in capitals", what, m.Method)
	}
	return nil
}

// complete fills in the statuses and types that were left out.
func (f *webFile) complete() {
	f.Otherwise.complete(404)
	f.Wrong.complete(401)
	f.Locked.complete(403)
	f.Refused.complete(401)
	for i := range f.Answers {
		f.Answers[i].webReply.complete(200)
	}
	if f.Login != nil {
		f.Login.webReply.complete(200)
		f.Login.Wrong.complete(401)
	}
	if f.Logout != nil {
		f.Logout.webReply.complete(200)
	}
}

func (a *webReply) complete(status int) {
	if a.Status == 0 {
		a.Status = status
	}
	if a.Type != "" {
		return
	}
	switch filepath.Ext(a.File) {
	case ".xml":
		a.Type = "application/xml"
	case ".json":
		a.Type = "application/json"
	case ".html":
		a.Type = "text/html"
	default:
		a.Type = "text/plain"
	}
}

// replies are all that the interface can send.
func (f *webFile) replies() []*webReply {
	all := []*webReply{&f.Otherwise, &f.Wrong, &f.Locked, &f.Refused}
	for i := range f.Answers {
		all = append(all, &f.Answers[i].webReply)
	}
	if f.Login != nil {
		all = append(all, &f.Login.webReply, &f.Login.Wrong)
	}
	if f.Logout != nil {
		all = append(all, &f.Logout.webReply)
	}
	return all
}

// readBodies reads the files, and tells all that are absent or no templates.
func (w *website) readBodies(dir string) error {
	var errs []error
	for _, a := range w.file.replies() {
		for name, text := range a.Headers {
			errs = append(errs, checkTemplate("header "+name, text))
		}
		if _, have := w.bodies[a.File]; have || a.File == "" {
			continue
		}
		if !filepath.IsLocal(a.File) {
			errs = append(errs, fmt.Errorf("file %q is not in web/", a.File))
			continue
		}
		content, err := readFile(filepath.Join(dir, filepath.FromSlash(a.File)))
		if os.IsNotExist(err) {
			err = fmt.Errorf("web/%s: %w", a.File, fs.ErrNotExist)
		}
		if err == nil {
			err = checkTemplate("web/"+a.File, string(content))
		}
		w.bodies[a.File] = webBody{content: content}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
