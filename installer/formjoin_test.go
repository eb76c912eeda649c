package installer

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol/pages/pagestest"
)

// TestFormJoin: a shop joins on a telephone by the public form, with no program at all;
// later, on its PC, an agent takes the entry over with the code of the receipt, and
// what was typed is measured. The Comune sees each step in its funnel.
func TestFormJoin(t *testing.T) {
	c := newCounter(t)
	c.stands(map[string]int{})

	link := c.joinByPhone()
	c.stands(map[string]int{"invited": 1, "opened": 1, "confirmed": 1, "shared": 1, "sharing": 1})
	typed := c.register()
	if names := slices.Sorted(maps.Keys(typed)); !slices.Equal(names, []string{"Ingresso", "Telecamera 3", "Vetrina"}) {
		t.Fatalf("typed: %v", names)
	}
	for name, is := range typed {
		if len(is.Measured) > 0 || is.Clock {
			t.Errorf("%s was typed, and is measured: %+v", name, is)
		}
	}

	s := &shop{t: t, way: shopWay{name: "formjoin-pc", lang: "it", width: 1280}, dir: filepath.Join(t.TempDir(), "agent"), link: link}
	s.atHome()
	s.hand = mouse(s.Tab)
	s.enrolTyped()
	c.stands(map[string]int{"invited": 1, "opened": 1, "enrolled": 1, "confirmed": 1, "shared": 1, "sharing": 1})
	s.opensRecorder()
	s.takesOver()
	s.shares()
	c.stands(map[string]int{"invited": 1, "opened": 1, "enrolled": 1, "confirmed": 1, "shared": 1, "sharing": 1})
	measured := c.register()
	// The footage is found by the names that the recorder gives.
	told := map[string]string{"Ingresso": "Ingresso", "Telecamera 3": "Giardino", "Vetrina": "Rampa box"}
	if len(measured) != len(told) {
		t.Errorf("in the register: %+v, typed were %+v", measured, typed)
	}
	for name, was := range typed {
		if is := measured[told[name]]; is.ID != was.ID || !is.Clock || len(is.Measured) == 0 {
			t.Errorf("%s, measured: %+v, typed: %+v", name, is, was)
		}
	}
}

// counter is the Comune's side: a collector with a mail server, and somebody who looks
// at the funnel.
type counter struct {
	t       *testing.T
	program *process
	dir     string
	public  string
	sink    *mailSink
	ops     *pagestest.Tab
	officer string // file of a credential
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	dir := t.TempDir()
	c := &counter{t: t, dir: filepath.Join(dir, "collector"), sink: newMailSink(t), officer: filepath.Join(dir, "officer.json")}
	local := func() (addr, url string) {
		addr = freeAddr(t)
		return addr, "http://" + strings.Replace(addr, "127.0.0.1", "localhost", 1)
	}
	public, publicURL := local()
	ops, opsURL := local()
	consult, consultURL := local()
	c.public = publicURL
	config := filepath.Join(dir, "collector.toml")
	if err := os.WriteFile(config, fmt.Appendf(nil, "smtp_server = %q\nsmtp_from = \"registro@comune.example.it\"\n", c.sink.Addr()), 0o600); err != nil {
		t.Fatal(err)
	}
	c.program = launch(t, "anagrafe-collector", "serve", "-data", c.dir, "-config", config, "-public-url", publicURL, "-ops-url", opsURL, "-consult-url", consultURL,
		"-listen-agents", freeAddr(t), "-listen-public", public, "-listen-ops", ops, "-listen-consult", consult, "-listen-metrics", "off")
	c.program.until("the collector", listening(filepath.Join(c.dir, "control.sock")))
	houses := filepath.Join(dir, "civici.csv")
	if err := os.WriteFile(houses, []byte("street,number,lon,lat\n"+officineStreet+",9,9.190300,45.464000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	commands := append([][]string{{"addresses", houses, "-data", c.dir}}, anOfficer(c.dir, c.officer)...)
	for _, args := range commands {
		if _, err := command(t, "anagrafe-collector", args...); err != nil {
			t.Fatal(err)
		}
	}
	var added struct{ Link string }
	mustJSON(t, &added, "anagrafe-collector", "user", "add", "Ufficio", "-role", "ops", "-credential", filepath.Join(dir, "ufficio.json"), "-data", c.dir)
	c.ops = pagestest.Open(t, opsURL, 1280, 900)
	c.ops.Authenticator()
	c.ops.Visit(added.Link)
	c.ops.Press("main form button[type=submit]")
	c.ops.Press("main form[data-passkey] button")
	return c
}

// stands waits until the funnel counts so, in all; what is not named is 0.
func (c *counter) stands(want map[string]int) {
	c.t.Helper()
	var counts map[string]int
	last := ""
	c.program.until("the funnel's counts", func() bool {
		counts = pagestest.Eval[struct {
			All struct{ Sites map[string]int }
		}](c.ops, `fetch("/funnel", {headers: {Accept: "application/json"}}).then(r => r.json())`).All.Sites
		delete(counts, "searched") // when an agent looks again is its own matter
		maps.DeleteFunc(counts, func(_ string, n int) bool { return n == 0 })
		if now := fmt.Sprint(counts); now != last {
			last = now
			c.t.Logf("the funnel: %s", now)
		}
		return maps.Equal(counts, want)
	})
	c.ops.Visit("/funnel?lang=it")
	c.ops.Check(fmt.Sprintf("formjoin-ops-%d-funnel", len(want)))
}

// foundCamera is what an officer's search finds of a camera.
type foundCamera struct {
	ID       string
	Measured []string // facts that a machine has told
	Clock    bool     // was read
}

// register is an officer's search at the shop, by the cameras' names.
func (c *counter) register() map[string]foundCamera {
	c.t.Helper()
	out, err := command(c.t, "anagrafe-collector", "search", "-credential", c.officer, "-at", "9.1903,45.4640", "-radius", "200",
		"-time", time.Now().UTC().Format(time.RFC3339), "-case", "event112:prova", "-offence", "other", "-reason", "prova del modulo", "-json")
	if err != nil {
		c.t.Fatal(err)
	}
	var answer struct {
		Results []struct {
			ID    string `json:"camera_id"`
			Name  string `json:"camera_name"`
			Facts []struct{ Group, Source string }
			Clock *struct{}
		}
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		c.t.Fatalf("%v: %s", err, out)
	}
	all := map[string]foundCamera{}
	for _, r := range answer.Results {
		f := foundCamera{ID: r.ID, Clock: r.Clock != nil}
		for _, fact := range r.Facts {
			if fact.Source == "measured" || fact.Source == "confirmed" {
				f.Measured = append(f.Measured, fact.Group)
			}
		}
		all[r.Name] = f
	}
	c.t.Logf("an officer finds %+v", all)
	return all
}

const shopMail = "ada@bottega.example.it"

// joinByPhone goes through the form's six steps with three cameras, and gives the link
// of the receipt that brings the code to an agent.
func (c *counter) joinByPhone() string {
	c.t.Helper()
	b := pagestest.Open(c.t, c.public, 390, 844)
	n := 0
	look := func(what string) { c.t.Helper(); n++; b.Check(fmt.Sprintf("formjoin-phone-%02d-%s", n, what)) }
	next := func() { c.t.Helper(); b.Press(".form-go button.btn-primary") }
	b.Visit("/?lang=it")
	look("home")
	b.Press("main a[href='/aderisci']")
	look("start")
	b.Press("main a.btn-primary")
	for field, value := range map[string]string{"site": "Bottega Bianchi", "name": "Ada Bianchi", "phone": "+39 02 5550 0100", "email": shopMail} {
		b.Fill("#f-"+field, value)
	}
	b.Fill("#f-category", "shop")
	look("who")
	next()
	b.Fill("#f-address", officineStreet+" 9")
	look("place")
	next()
	for i, camera := range []string{"Ingresso", "Telecamera 3", "Vetrina"} {
		b.Fill("#f-name", camera)
		b.Click("[name=outdoor][value=yes]")
		b.Click(fmt.Sprintf("[name=direction][value='%d']", 45*i))
		if i == 0 {
			b.Click("[name=angle][value='80']")
			b.Click("[name=records][value=always]")
			b.Fill("#f-kept", "7")
		}
		look("camera")
		if i < 2 {
			b.Press(".form-go [name=more]")
		} else {
			next()
		}
	}
	look("cameras")
	b.Press(".form-go a.btn-primary")
	look("call")
	next()
	look("identity")
	b.Press("form[action$='/identita/email'] button")
	look("identity-sent")
	link := ""
	c.program.until("the message", func() bool {
		link = c.sink.link(shopMail, c.public+"/aderisci/conferma/")
		return link != ""
	})
	b.Visit(link)
	look("confirm")
	b.Press("main form button")
	b.Click("#read")
	look("summary")
	b.Press(".form-act button")
	look("receipt")
	b.Click("[aria-labelledby=agent] summary")
	return pagestest.Eval[string](b, `document.querySelector("[aria-labelledby=agent] details .code").textContent`)
}

// enrolTyped types the receipt's link, and waits for the search.
func (s *shop) enrolTyped() {
	s.t.Helper()
	s.look("open")
	s.follow("main form button")
	s.look("home")
	s.follow(".next a")
	s.look("enrol")
	s.write("#code", s.link)
	s.follow("main form button.btn-primary")
	s.searched()
	s.look("searched")
}

// opensRecorder goes on to the recorder's password, which is asked for before which
// cameras are the register's.
func (s *shop) opensRecorder() {
	s.t.Helper()
	s.Visit("/takeover")
	s.look("takeover-locked")
	s.Visit("/scan")
	s.follow("main a.btn-primary")
	s.on("/credentials")
	s.password()
	s.password()
	s.on("/takeover")
}

// on fails unless the page on show has a path.
func (s *shop) on(path string) {
	s.t.Helper()
	if is := pagestest.Eval[string](s.Tab, "location.pathname"); is != path {
		s.t.Fatalf("the way leads to %s, not to %s", is, path)
	}
}

// takesOver says which of the recorder's channels is which typed camera: one has its
// name, one its number, and of the third only a person knows.
func (s *shop) takesOver() {
	s.t.Helper()
	s.look("takeover")
	want := map[string]string{"Ingresso": "Ingresso", "Telecamera 3": "Giardino", "Vetrina": "Scegli"}
	for name, chosen := range want {
		is := pagestest.Eval[string](s.Tab, fmt.Sprintf(`[...document.querySelectorAll("form .cameras li")].filter(li => li.querySelector("select") && li.querySelector("h3").textContent === %q).map(li => li.querySelector("select").selectedOptions[0].textContent).join("|")`, name))
		if !strings.HasPrefix(is, chosen) {
			s.t.Errorf("%s is proposed as %q, want %q", name, is, chosen)
		}
	}
	s.follow("main form button.btn-primary")
	s.on("/takeover")
	s.look("takeover-refused")
	const open = "select[aria-invalid=true]"
	s.Fill(open, pagestest.Eval[string](s.Tab, `[...document.querySelector("`+open+`").options].find(o => o.textContent.startsWith("Rampa box")).value`))
	s.follow("main form button.btn-primary")
}

// shares answers for the fourth camera, and presses "Aderisco".
func (s *shop) shares() {
	s.t.Helper()
	s.on("/mine")
	s.look("mine")
	fourth := pagestest.Eval[string](s.Tab, `[...document.querySelectorAll("[name=camera]")].map(c => c.value).filter(id => !document.querySelector("[name='mine-" + id + "']:checked")).join(" ")`)
	s.press("#mine-" + fourth + "-no")
	s.follow("main form .row-actions:last-child button.btn-primary")
	s.on("/hours")
	s.look("hours")
	s.follow("main form button.btn-primary")
	s.on("/approve")
	s.look("approve")
	s.press("#read")
	s.follow(".act form button.btn-primary")
	s.on("/receipt")
	s.agent.until("the acknowledgement", func() bool {
		var box struct {
			Messages []struct{ Kind, State string }
		}
		s.control("/outbox", &box)
		return slices.ContainsFunc(box.Messages, func(m struct{ Kind, State string }) bool { return m.Kind == "declaration" && m.State == "acknowledged" })
	})
	s.Visit("/receipt")
	s.look("receipt")
}
