package installer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol/pages/pagestest"
)

// What a shop with four cameras on one recorder may need at most, from the opened
// link to the receipt.
const (
	mostShopClicks = 25
	mostShopFields = 6
)

// TestFirstRun: the owner of a shop opens the link and has nothing but the invitation
// and the recorder's password. The other ways to go are in firstrun_long_test.go.
func TestFirstRun(t *testing.T) {
	for _, way := range []shopWay{
		{name: "first-it-1280-mouse", lang: "it", width: 1280, outdoors: 1},
		{name: "first-en-390-keys", lang: "en", width: 390, outdoors: 1, keys: true},
	} {
		t.Run(way.name, func(t *testing.T) { firstRun(t, way) })
	}
}

// shopWay is one way to go.
type shopWay struct {
	name     string // of the pictures
	lang     string
	width    int64
	outdoors int  // of the four cameras
	keys     bool // no mouse: the keyboard alone
	plain    bool // no scripts until the map
}

// shop is a new data directory of each program, a recorder, and the browser.
type shop struct {
	*pagestest.Tab
	hand
	t      *testing.T
	way    shopWay
	dir    string // the agent's
	agent  *process
	link   string // the invitation
	step   int
	placed bool // the map was reached
}

const shopUser, shopPassword = "titolare", "Melanzana-42"

func firstRun(t *testing.T, way shopWay) {
	s := newShop(t, way)
	before := s.Acts()
	seen := s.walk()
	used := s.Acts()
	clicks, fields := used.Clicks-before.Clicks, used.Fields-before.Fields
	t.Logf("%s, %d of 4 cameras outdoors: %d clicks, %d typed fields, %d keystrokes; pages %v", way.name, way.outdoors, clicks, fields, used.Keys-before.Keys, seen)
	switch {
	case way.plain: // nothing counts without scripts
	case way.keys && clicks > 0:
		t.Errorf("%d clicks without a mouse", clicks)
	case !way.keys && (clicks > mostShopClicks || clicks < 10):
		t.Errorf("%d clicks, at most %d", clicks, mostShopClicks)
	}
	if !way.plain && (fields > mostShopFields || fields < 5) {
		t.Errorf("%d typed fields, at most %d", fields, mostShopFields)
	}
	type sent struct{ Kind, State string }
	s.agent.until("the acknowledgement", func() bool {
		var box struct{ Messages []sent }
		s.control("/outbox", &box)
		declarations := slices.DeleteFunc(box.Messages, func(m sent) bool { return m.Kind != "declaration" }) // a search tells how the agent stands
		return len(declarations) == 1 && declarations[0].State == "acknowledged"
	})
	var list struct{ Cameras []struct{ State string } }
	s.control("/cameras", &list)
	declared := 0
	for _, c := range list.Cameras {
		if c.State == "declared" {
			declared++
		}
	}
	if declared != way.outdoors || len(list.Cameras) != 4 {
		t.Errorf("%d of %d cameras are declared, answered outdoors %d", declared, len(list.Cameras), way.outdoors)
	}
	s.Visit("/receipt")
	s.look("receipt-recorded")
	s.Visit("/")
	s.look("calm")
}

// newShop starts the programs and a recorder that asks for a password, invites the
// site, and opens the agent's pages up to the link.
func newShop(t *testing.T, way shopWay) *shop {
	t.Helper()
	dir := t.TempDir()
	s := &shop{t: t, way: way, dir: filepath.Join(dir, "agent")}
	collectorDir, agents, public := filepath.Join(dir, "collector"), freeAddr(t), freeAddr(t)
	collector := launch(t, "anagrafe-collector", "serve", "-data", collectorDir, "-public-url", "http://"+strings.Replace(public, "127.0.0.1", "localhost", 1),
		"-listen-agents", agents, "-listen-public", public, "-listen-ops", freeAddr(t), "-listen-consult", freeAddr(t), "-listen-metrics", "off")
	collector.until("the collector", listening(filepath.Join(collectorDir, "control.sock")))
	houses := filepath.Join(dir, "civici.csv")
	if err := os.WriteFile(houses, []byte("street,number,lon,lat\n"+officineStreet+",9,9.190300,45.464000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := command(t, "anagrafe-collector", "addresses", houses, "-data", collectorDir); err != nil {
		t.Fatal(err)
	}
	var invitation struct{ Link string }
	mustJSON(t, &invitation, "anagrafe-collector", "invite", "-site", "Bottega Bianchi", "-category", "shop", "-address", officineStreet+" 9", "-data", collectorDir)
	s.link = invitation.Link
	s.atHome()
	return s
}

// atHome starts the agent beside the recorder, and opens its pages in a browser.
func (s *shop) atHome() {
	t, way := s.t, s.way
	t.Helper()
	s.agent = launch(t, "anagrafe-agent", "run", "-data", s.dir, "-interface", "lo", "-target", shopRecorder(t).Address().String(), "-listen-pages", freeAddr(t))
	s.agent.until("the agent", listening(filepath.Join(s.dir, "control.sock")))
	var opened struct{ URL string }
	mustJSON(t, &opened, "anagrafe-agent", "open", "-data", s.dir)
	origin := opened.URL[:strings.Index(opened.URL[len("http://"):], "/")+len("http://")]
	s.Tab = pagestest.Open(t, origin, way.width, 900)
	s.hand = mouse(s.Tab)
	if way.keys {
		s.hand = keyboard(s.Tab)
	}
	s.Watch()
	s.scripts(!way.plain)
	s.Visit(opened.URL + "&lang=" + way.lang)
}

// shopRecorder answers with four channels of a recorded conversation.
func shopRecorder(t *testing.T) *cameratest.Device {
	t.Helper()
	conversation, err := cameratest.LoadDir(filepath.Join("..", "testdata", "cameras", "cameramai-registratore"))
	if err != nil {
		t.Fatal(err)
	}
	grey := image.NewRGBA(image.Rect(0, 0, 640, 360))
	for i := range grey.Pix {
		grey.Pix[i] = 0xff - byte(i%97)
	}
	var picture bytes.Buffer
	if err := jpeg.Encode(&picture, grey, nil); err != nil {
		t.Fatal(err)
	}
	d, err := cameratest.Start(conversation, cameratest.Options{Auth: cameratest.AuthDigest, User: shopUser, Password: shopPassword, RewriteHost: true, Picture: picture.Bytes()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// control asks the agent as the command line does.
func (s *shop) control(path string, into any) {
	s.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(s.dir, "control.sock"))
	}}}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://localhost"+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		s.t.Fatalf("%s: %v", path, err)
	}
}

// look checks the page on show and keeps its picture. The check is a script itself.
func (s *shop) look(what string) {
	s.t.Helper()
	s.step++
	s.scripts(true)
	s.Check(fmt.Sprintf("%s-%02d-%s", s.way.name, s.step, what))
	s.scripts(!s.way.plain || s.placed)
}

// write types into a field, as a person who does not click where the cursor is.
func (s *shop) write(selector, text string) {
	s.t.Helper()
	switch {
	case pagestest.Eval[bool](s.Tab, fmt.Sprintf("document.activeElement?.matches(%q) ?? false", selector)):
	case s.way.keys:
		s.Reach(selector)
	default:
		s.press(selector)
	}
	s.Keys(text)
}

// choose ticks the first or the second of two radio buttons.
func (s *shop) choose(first, second string, takeFirst bool) {
	s.t.Helper()
	switch {
	case !s.way.keys && takeFirst:
		s.press(first)
	case !s.way.keys:
		s.press(second)
	default:
		s.Reach(first)
		s.Keys(" ")
		if !takeFirst {
			s.Keys(kb.ArrowDown)
		}
	}
}

// walk goes from the opened link to the receipt: on each page it does the one thing
// that the page asks for. It gives the pages, in their order.
func (s *shop) walk() (seen []string) {
	const most = 25 // pages
	for range most {
		path := pagestest.Eval[string](s.Tab, "location.pathname")
		seen = append(seen, path)
		name := strings.Trim(strings.ReplaceAll(path, "/", "-"), "-")
		switch {
		case path == "/open":
			s.look("open")
			s.follow("main form button")
		case path == "/":
			s.look("home")
			s.follow(".next a")
		case path == "/enrol":
			s.look(name)
			s.write("#code", s.link)
			s.follow("main form button.btn-primary")
			s.searched()
		case path == "/scan":
			s.look(name)
			s.follow("main a.btn-primary")
		case path == "/credentials":
			s.password()
		case path == "/mine":
			s.mine()
		case strings.HasSuffix(path, "/place"):
			if !s.placed && s.way.plain { // from here on the map may be used
				s.placed = true
				s.scripts(true)
				s.Visit(path)
			}
			s.look("place")
			if !s.way.keys && s.way.outdoors == 1 {
				s.press(".rose label:nth-child(2)")
			}
			s.follow(".place-save button")
		case path == "/hours":
			s.look(name)
			s.follow("main form button.btn-primary")
		case path == "/contact":
			s.look(name)
			s.write("#name", "Ada Bianchi")
			s.write("#phone", "+39 02 5550 0100")
			s.follow("main form button.btn-primary")
		case path == "/approve":
			s.look(name)
			if s.way.keys {
				s.Reach("#read")
				s.Keys(" ")
			} else {
				s.press("#read")
			}
			s.follow(".act form button.btn-primary")
		case path == "/receipt":
			return seen
		default:
			s.t.Fatalf("the way leads to %s: %v", path, seen)
		}
	}
	s.t.Fatalf("no receipt after %d pages: %v", most, seen)
	return nil
}

// searched waits for the end of a search. The page is new every few seconds by itself;
// here it is made new when there is something to see.
func (s *shop) searched() {
	s.t.Helper()
	s.agent.until("the end of the search", func() bool {
		var search struct{ Running bool }
		s.control("/scan", &search)
		return !search.Running
	})
	s.Visit("/scan")
}

// password types the recorder's password, and goes on from the picture that proves it.
func (s *shop) password() {
	s.t.Helper()
	if !pagestest.Eval[bool](s.Tab, `document.querySelector("#password") !== null`) {
		s.look("proof")
		s.follow("main a.btn-primary")
		return
	}
	s.look("password")
	s.write("#user", shopUser)
	s.write("#password", shopPassword)
	id := pagestest.Eval[string](s.Tab, `document.querySelector("[name=device]").value`)
	s.follow("main form button.btn-primary")
	s.agent.until("the trial of the password", func() bool {
		var device struct{ Needs string }
		s.control("/credentials?device="+id, &device)
		return device.Needs == "nothing"
	})
	s.Visit("/credentials?device=" + id + "&show=" + id)
}

// mine says that all cameras are the owner's, and which of them film the street.
func (s *shop) mine() {
	s.t.Helper()
	s.look("mine")
	ids := strings.Fields(pagestest.Eval[string](s.Tab, `[...document.querySelectorAll("[name=camera]")].map(c => c.value).join(" ")`))
	if len(ids) != 4 {
		s.t.Fatalf("%d cameras", len(ids))
	}
	if s.way.keys {
		s.Reach("[name=all]")
		s.Keys(" ")
	} else {
		s.press("[name=all]")
	}
	for i, id := range ids {
		s.choose("#outdoor-"+id+"-yes", "#outdoor-"+id+"-no", i < s.way.outdoors)
	}
	s.follow("main form .row-actions:last-child button.btn-primary")
}

// scripts lets pages run their scripts, or not.
func (s *shop) scripts(on bool) {
	s.t.Helper()
	s.Do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	}))
}
