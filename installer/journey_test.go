package installer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"anagrafe/protocol/pages/pagestest"
)

// What an officer may need at most from the login to the downloaded request, beyond
// the address itself.
const (
	mostKeys   = 40
	mostClicks = 12
)

// TestJourney: from "it happened here, then" to a preserved recording, with both real
// programs, a recorder that answers, and two browsers.
func TestJourney(t *testing.T) {
	s := newScene(t)
	s.journey(t, variant{name: "journey-1440", width: 1440})
}

// variant is one way to go.
type variant struct {
	name    string // of the pictures
	width   int64
	keys    bool // no mouse: the keyboard alone
	english bool
}

// hand is how a person works a page.
type hand struct {
	press  func(selector string) // and stay on the page
	follow func(selector string) // to the page that it leads to
	send   func(button string)   // the form in which one is typing
}

func mouse(tab *pagestest.Tab) hand { return hand{tab.Click, tab.Press, tab.Press} }

// keyboard has no mouse: Tab, Enter, and Ctrl with Enter to send a form.
func keyboard(tab *pagestest.Tab) hand {
	reach := func(selector string, act func(string, ...chromedp.KeyOption)) {
		tab.Reach(selector)
		act(kb.Enter)
	}
	return hand{
		press:  func(selector string) { reach(selector, tab.Keys) },
		follow: func(selector string) { reach(selector, tab.Follow) },
		send:   func(string) { tab.Follow(kb.Enter, chromedp.KeyModifiers(chromedp.ModifierCtrl)) },
	}
}

// officer is one at work in a tab.
type officer struct {
	*pagestest.Tab
	hand
	t    *testing.T
	v    variant
	step int
}

// look checks the page on show, and keeps its picture under the next number.
func (o *officer) look(what string) {
	o.t.Helper()
	o.step++
	o.Check(fmt.Sprintf("%s-%d-%s", o.v.name, o.step, what))
}

func (s *scene) journey(t *testing.T, v variant) {
	here := *s
	here.t = t
	s = &here
	tab := pagestest.Open(t, s.consult, v.width, 900)
	tab.Watch()
	trailKey := s.newOfficer(tab, "Questura "+v.name)
	o := &officer{Tab: tab, hand: mouse(tab), t: t, v: v}
	if v.keys {
		o.hand = keyboard(tab)
	}
	files := tab.Downloads()
	tab.Visit("/login" + o.language())
	o.look("login")

	before := tab.Acts()
	o.signIn()
	o.ask()
	o.preserve()
	s.ownerAnswers(t, o)
	name, file := o.paper(files)
	used := tab.Acts()
	keys, clicks := used.Keys-before.Keys-len(searched), used.Clicks-before.Clicks
	t.Logf("%s: %d keystrokes beyond the address, %d clicks", v.name, keys, clicks)
	switch {
	case v.keys && clicks > 0:
		t.Errorf("%d clicks without a mouse", clicks)
	case !v.keys && (keys > mostKeys || clicks > mostClicks):
		t.Errorf("%d keystrokes and %d clicks, at most %d and %d", keys, clicks, mostKeys, mostClicks)
	case keys < len("0:00rapina") || !v.keys && clicks == 0:
		t.Errorf("only %d keystrokes and %d clicks were counted", keys, clicks)
	}
	if sum := sha256.Sum256(file); !bytes.HasPrefix(file, []byte("%PDF")) ||
		!strings.Contains(pagestest.Eval[string](tab, `document.querySelector(".paper-proof").innerText`), hex.EncodeToString(sum[:])) {
		t.Errorf("%s, %d bytes, is not the file that the page tells", name, len(file))
	}
	tagged(t, file)
	o.dossier(files, trailKey)
}

// signIn has the passkey open the page where one searches.
func (o *officer) signIn() {
	o.follow("main form[data-passkey] button")
	o.Until(`document.activeElement.id === "at"`)
}

// ask types the place, midnight, and a new case, and sends them. Midnight of today is
// past at any time of day, and no clock change makes it doubtful.
func (o *officer) ask() {
	o.look("form")
	o.Keys(searched)
	if o.v.keys {
		o.Reach("#time")
	} else {
		o.press("#time")
	}
	o.Keys("0:00")
	o.Reach("#case_kind")
	if o.v.english {
		o.Keys("1") // 112 event
	} else {
		o.Keys("e") // Evento 112
	}
	o.Reach("#offence")
	o.Keys("r") // Rapina, Robbery
	o.Reach("#reason")
	o.Keys("rapina")
	o.look("form-filled")
	o.send("#ask button[type=submit]")
	o.Until(`document.querySelector("#n1") !== null`)
	o.Until(`["ready", "none"].includes(document.documentElement.dataset.map)`)
	o.look("list")
}

// preserve asks the first site of the list, and goes on to the page of the request.
func (o *officer) preserve() {
	o.follow("#preserve1")
	o.look("ask")
	o.follow("#send")
	o.Until(`location.pathname.startsWith("/requests/")`)
	o.look("request")
}

// paper prepares the acquisition request, and keeps its file.
func (o *officer) paper(files string) (name string, content []byte) {
	o.follow("#papers")
	o.look("paper-form")
	o.follow("main form[action='/papers'] button[type=submit]")
	o.look("paper")
	o.press("main a[href$='.pdf']")
	return o.Downloaded(files, ".pdf")
}

// ownerAnswers: the owner finds the notice on the agent's own page and answers in two
// clicks; the officer's page, which nobody touches, follows each.
func (s *scene) ownerAnswers(t *testing.T, o *officer) {
	t.Helper()
	o.Do(chromedp.Evaluate[chromedp.Void](`document.body.dataset.untouched = "yes"`))
	shows := func(state string) {
		t.Helper()
		o.Until(fmt.Sprintf(`document.body.dataset.untouched && document.querySelector("#state1").innerText.includes(%q)`, o.say(state)))
	}
	shows("received")
	owner := s.ownersPages(o.v.width)
	owner.Watch()
	owner.Visit("/" + o.language())
	owner.Check(o.v.name + "-owner-1-home")
	owner.Press("main .note-danger a")
	owner.Check(o.v.name + "-owner-2-notice")
	shows("seen")
	owner.Press("#state-copied")
	if acts := owner.Acts(); acts != (pagestest.Acts{Clicks: 2}) {
		t.Errorf("the owner needed %+v", acts)
	}
	shows("copied")
	// The recorder itself has said so, too.
	o.Until(fmt.Sprintf(`document.body.dataset.untouched && document.querySelector("#steps1").textContent.includes(%q)`, o.say("there")))
	owner.Visit(pagestest.Eval[string](owner, "location.pathname"))
	owner.Check(o.v.name + "-owner-3-answered")
	o.look("request-answered")
}

// say gives the words of a state in the officer's language.
func (o *officer) say(state string) string {
	words := map[string][2]string{"received": {"Arrivata al computer", "Arrived at the computer"}, "seen": {"Vista da una persona", "Seen by a person"},
		"copied": {"Copiata", "Copied"}, "there": {"Il registratore dice che c'è", "The recorder says that it is there"}}[state]
	if o.v.english {
		return words[1]
	}
	return words[0]
}

func (o *officer) language() string {
	if o.v.english {
		return "?lang=en"
	}
	return "?lang=it"
}

// tagged fails unless a PDF tells its structure to who cannot see it.
func tagged(t *testing.T, file []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "richiesta.pdf")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := exec.LookPath("pdfinfo")
	pagestest.Need(t, err == nil, "no pdfinfo on this machine: apt install poppler-utils")
	out, err := exec.CommandContext(t.Context(), info, path).CombinedOutput()
	if err != nil || !regexp.MustCompile(`(?m)^Tagged: +yes$`).Match(out) {
		t.Errorf("pdfinfo: %s, %v", out, err)
	}
}

// dossier makes the case's dossier and proves it where nothing of the register is:
// an empty folder, the program, the file and the trail's key.
func (o *officer) dossier(files, key string) {
	o.follow("main .no-print a[href$='/papers']")
	o.look("papers")
	o.press("form[action$='/dossier'] button")
	name, content := o.Downloaded(files, "dossier")
	dir := o.t.TempDir()
	whole, altered := filepath.Join(dir, name), filepath.Join(dir, "altered")
	program := binary(o.t, "anagrafe-collector")
	content2 := bytes.Replace(content, []byte(channel), []byte("Cortile officine"), 1)
	for path, c := range map[string][]byte{whole: content, altered: content2} {
		if err := os.WriteFile(path, c, 0o600); err != nil {
			o.t.Fatal(err)
		}
	}
	verify := func(path string) ([]byte, error) {
		cmd := exec.CommandContext(o.t.Context(), program, "dossier", "verify", filepath.Base(path), "-key", key)
		cmd.Dir, cmd.Env = dir, []string{"HOME=" + dir}
		return cmd.CombinedOutput()
	}
	if out, err := verify(whole); err != nil || !bytes.Contains(out, []byte("not a byte was changed")) {
		o.t.Errorf("the dossier as it was made: %s, %v", out, err)
	}
	if out, err := verify(altered); err == nil || bytes.Equal(content, content2) {
		o.t.Errorf("the altered dossier: %s", out)
	}
}
