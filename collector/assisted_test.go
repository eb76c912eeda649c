package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"anagrafe/collector/basemap/maptest"
	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

// assistance is a collector whose office types for who calls, with a mail server and a
// gateway of SMS.
type assistance struct {
	t              *testing.T
	o              *collector
	public, office string // origins
	box            *mailbox
	mu             sync.Mutex
	phones         string // what the gateway took
}

func newAssistance(t *testing.T) *assistance {
	t.Helper()
	s := &assistance{t: t, box: newMailbox(t)}
	gateway := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.phones += string(raw) + "\n"
	}))
	t.Cleanup(gateway.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.office = fmt.Sprintf("http://ops.localhost:%d", l.Addr().(*net.TCPAddr).Port)
	milan := maptest.Milan(t, "basemap/milano-basemap.pmtiles")
	s.o, s.public = formSite(t, func(c *Config) {
		c.OpsURL, c.Basemap = s.office, milan
		c.SMTPServer, c.SMTPFrom = s.box.Addr().String(), "registro@comune.example.it"
		c.SMS.URL = gateway.URL
	})
	h, err := s.o.opsWeb.Handler(s.o.opsRoutes...)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(h)
	server.Listener.Close()
	server.Listener = l
	server.Start()
	t.Cleanup(server.Close)
	return s
}

// operator is a tab in which somebody of the office has signed in.
func (s *assistance) operator(lang pages.Lang, width int64) (b *pagestest.Tab, id string) {
	s.t.Helper()
	u := registry.User{ID: uuid.NewString(), Name: "Olga Neri " + uuid.NewString()[:4], Role: registry.RoleOps, At: time.Now()}
	if err := s.o.reg.AddUser(s.t.Context(), u); err != nil {
		s.t.Fatal(err)
	}
	link, err := s.o.opsWeb.NewLink(s.t.Context(), s.office, u.ID, time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	b = pagestest.Open(s.t, s.office, width, 900)
	b.Visit("/login?lang=" + string(lang))
	b.Authenticator()
	b.Visit(strings.TrimPrefix(link, s.office))
	b.Press("main form button[type=submit]")
	b.Press("main form[data-passkey] button")
	return b, u.ID
}

// dictated types what a shop says, up to the last step.
func dictatedTo(b *pagestest.Tab, look func(string)) {
	b.Visit("/assisted")
	look("list-none")
	b.Press("main a.btn-primary[href='/assisted/entry']")
	look("start")
	b.Press("form[action='/assisted/entry'] button")
	look("start-wrong")
	b.Click("[name=medium][value=telephone]")
	b.Press("form[action='/assisted/entry'] button")
	look("who")
	for id, value := range map[string]string{"site": "Bottega Bianchi", "name": "Anna Bianchi", "phone": "+39 333 5550100", "email": "anna@example.it"} {
		b.Fill("#f-"+id, value)
	}
	b.Do(chromedp.SetValue(chromedp.CSS("#f-category"), "shop"))
	b.Press(".form-go .btn-primary")
	b.Fill("#f-address", "via torino 1")
	b.Click("button[name=find]")
	b.Until(`document.documentElement.dataset.map === "ready"`)
	look("place")
	b.Press(".form-go .btn-primary")
	b.Fill("#f-name", "Ingresso")
	b.Click("[name=outdoor][value=yes]")
	b.Click("[name=direction][value='45']")
	b.Click("[name=records][value=always]")
	b.Fill("#f-kept", "7")
	b.Press(".form-go .btn-primary")
	look("cameras")
	b.Press(".form-go a.btn-primary")
	b.Press(".form-go .btn-primary")
	look("sending")
}

// sentBy sends it one way, and gives the path by which its owner opens it: as the mail
// server, the gateway or the paper has it.
func (s *assistance) sentBy(b *pagestest.Tab, c registry.Channel, look func(string)) (path string) {
	s.t.Helper()
	b.Click("[name=channel][value=" + string(c) + "]")
	b.Press(".form-act button")
	look("sent")
	var text string
	switch c {
	case registry.ChannelEmail:
		if err := s.o.mail.SendDue(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
		text = strings.ReplaceAll(s.box.taken(), "=\n", "") // quoted-printable's soft breaks
	case registry.ChannelSMS:
		if err := s.o.sms.SendDue(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
		s.mu.Lock()
		text = s.phones
		s.mu.Unlock()
	default:
		href := pagestest.Eval[string](b, `document.querySelector("a[download]").href`)
		raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(href, "data:application/pdf;base64,"))
		if err != nil {
			s.t.Fatal(err)
		}
		text = paperText(s.t, raw)
		for _, word := range []string{"Anna Bianchi", "via torino 1", s.public + "/aderisci/dettata"} {
			if !strings.Contains(text, word) {
				s.t.Errorf("the letter does not have %q:\n%s", word, text)
			}
		}
		return "/aderisci/dettata/" + regexp.MustCompile(`Codice: ([A-Z0-9-]+)`).FindStringSubmatch(text)[1]
	}
	if strings.Contains(text, "Bottega") || strings.Contains(text, "Bianchi") {
		s.t.Errorf("the message tells what it is about:\n%s", text)
	}
	found := regexp.MustCompile(regexp.QuoteMeta(s.public)+`(/aderisci/dettata/[A-Z0-9-]+)`).FindAllStringSubmatch(text, -1)
	if len(found) == 0 {
		s.t.Fatalf("there is no link in\n%s", text)
	}
	return found[0][1]
}

// paperText is the text of a PDF.
func paperText(t *testing.T, raw []byte) string {
	t.Helper()
	_, err := exec.LookPath("pdftotext")
	pagestest.Need(t, err == nil, "poppler-utils is not installed: run make deps")
	cmd := exec.CommandContext(t.Context(), "pdftotext", "-", "-")
	cmd.Stdin = strings.NewReader(string(raw))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// found is how many sites a search, or anything else that reads the register, could have.
func (s *assistance) found() int {
	s.t.Helper()
	all, err := s.o.reg.Sites(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return len(all)
}

// kinds are those of the acts of assisted entry on the trail in the name of somebody.
func (s *assistance) kinds(user string) (all []string) {
	s.t.Helper()
	for h, err := range s.o.trail.Headers(s.t.Context(), 0) {
		if err != nil {
			s.t.Fatal(err)
		}
		if h.Actor == s.o.trail.ActorPseudonym(user) && strings.HasPrefix(string(h.Kind), "assisted-") {
			all = append(all, string(h.Kind))
		}
	}
	return all
}

// Somebody of the office types what a shop dictates; its owner opens it by the e-mail,
// the SMS or the code of the letter, corrects it and adheres. Before that it is nowhere,
// and afterwards it is known by no more than that.
// It is long because it is one way, step by step.
func TestWhatIsDictatedIsConfirmedByItsOwner(t *testing.T) {
	for channel, c := range map[registry.Channel]struct {
		lang  pages.Lang
		width int64
		trust protocol.Trust
		check bool
	}{
		registry.ChannelEmail:  {pages.It, 1280, protocol.TrustDictatedEmail, true},
		registry.ChannelSMS:    {pages.En, 390, protocol.TrustDictatedSMS, true},
		registry.ChannelLetter: {pages.It, 390, protocol.TrustDictatedLetter, true},
	} {
		t.Run(string(channel), func(t *testing.T) {
			s := newAssistance(t)
			desk, id := s.operator(c.lang, c.width)
			look := func(tab *pagestest.Tab) func(string) {
				return func(where string) { t.Helper(); tab.Check("assisted-" + string(channel) + "-" + where) }
			}
			dictatedTo(desk, look(desk))
			path := s.sentBy(desk, channel, look(desk))
			for _, back := range []string{"/assisted/entry/invio", "/assisted/entry/chi", "/assisted/entry/luogo", "/assisted/entry"} {
				desk.Visit(back)
				if text := pagestest.Eval[string](desk, "document.documentElement.outerHTML"); strings.Contains(text, "Bianchi") || strings.Contains(text, "5550100") {
					t.Errorf("%s still shows what was sent", back)
				}
			}
			desk.Visit("/assisted")
			look(desk)("list-sent")
			if s.found() != 0 {
				t.Fatal("it is in the register before its owner confirmed it")
			}

			owner := pagestest.Open(t, s.public, c.width, 844)
			owner.Visit("/aderisci/dettata?lang=" + string(c.lang))
			owner.Fill("#code", strings.ToLower(strings.TrimPrefix(path, "/aderisci/dettata/")))
			if channel == registry.ChannelLetter {
				look(owner)("code")
				owner.Press("main form button")
			} else {
				owner.Visit(path)
			}
			look(owner)("dictated")
			owner.Press("main .row-actions form button")
			look(owner)("summary")
			if text := pagestest.Eval[string](owner, "document.body.innerText"); !strings.Contains(text, "Bottega Bianchi") || !strings.Contains(text, "Ingresso") || !strings.Contains(text, "5550100") {
				t.Errorf("the owner does not see what was typed:\n%s", text)
			}
			owner.Press("a[href^='/aderisci/telecamere/'][href$='back=check']")
			owner.Fill("#f-name", "Ingresso da via Torino")
			owner.Press(".form-go .btn-primary")
			owner.Visit("/aderisci/riepilogo")
			if s.found() != 0 {
				t.Fatal("it is in the register before its owner pressed")
			}
			owner.Click("#read")
			owner.Press(".form-act button")
			look(owner)("receipt")
			owner.Visit(path)
			look(owner)("used")

			sites, err := s.o.reg.Sites(t.Context())
			if err != nil || len(sites) != 1 {
				t.Fatal(sites, err)
			}
			h, err := s.o.reg.History(t.Context(), sites[0].ID, time.Time{})
			if err != nil || h.Trust != string(c.trust) || len(h.Cameras) != 1 {
				t.Errorf("%+v %v", h, err)
			}
			for _, versions := range h.Cameras {
				if versions[0].Camera.Name != "Ingresso da via Torino" {
					t.Errorf("%+v", versions[0].Camera)
				}
			}
			desk.Visit("/assisted")
			look(desk)("list-confirmed")
			desk.Visit("/funnel")
			look(desk)("funnel")
			if got := s.kinds(id); !slices.Equal(got, []string{"assisted-begin", "assisted-send", "assisted-confirm"}) {
				t.Errorf("on the trail in the operator's name: %q", got)
			}
		})
	}
}

// An entry is sent again, and its first code is dead; its owner refuses it without having
// looked at it; a second one is taken back by who typed it; a third one runs out. Each is
// on the trail, and nothing of any is left.
func TestWhatIsDictatedIsRefusedTakenBackOrRunsOut(t *testing.T) {
	s := newAssistance(t)
	desk, id := s.operator(pages.It, 390)
	quiet := func(string) {}
	row := func(what string) string { return "main form[action$='/" + what + "'] button" }

	dictatedTo(desk, quiet)
	first := s.sentBy(desk, registry.ChannelEmail, quiet)
	desk.Visit("/assisted")
	desk.Click("main tbody details:has(form[action$='/again']) summary")
	desk.Check("assisted-again-open")
	desk.Press(row("again"))
	if err := s.o.mail.SendDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(regexp.QuoteMeta(s.public)+`(/aderisci/dettata/[A-Z0-9-]+)`).FindAllStringSubmatch(strings.ReplaceAll(s.box.taken(), "=\n", ""), -1)
	if len(found) == 0 || found[len(found)-1][1] == first {
		t.Fatalf("no second link: %q", found)
	}
	second := found[len(found)-1][1]

	owner := pagestest.Open(t, s.public, 390, 844)
	owner.Visit(first)
	owner.Check("assisted-first-code-is-dead")
	owner.Visit(second)
	owner.Press("main form[action$='/rifiuta'] button")
	owner.Check("assisted-refused")
	owner.Visit(second)
	owner.Check("assisted-refused-is-gone")

	dictatedTo(desk, quiet)
	third := s.sentBy(desk, registry.ChannelLetter, quiet)
	desk.Visit("/assisted")
	desk.Click("main tbody details:has(form[action$='/cancel']) summary")
	desk.Press(row("cancel"))
	desk.Check("assisted-list-cancelled")
	owner.Visit(third)
	if pagestest.Eval[int](owner, `document.querySelectorAll("form[action$='/rifiuta']").length`) != 0 {
		t.Error("the code of an entry that was taken back still opens it")
	}

	dictatedTo(desk, quiet)
	s.sentBy(desk, registry.ChannelSMS, quiet)
	if err := s.o.expireAssisted(t.Context(), time.Now().Add(registry.CodeLife+time.Hour)); err != nil {
		t.Fatal(err)
	}
	desk.Visit("/assisted")
	desk.Check("assisted-list-over")

	if s.found() != 0 {
		t.Error("something of it is in the register")
	}
	want := []string{"assisted-begin", "assisted-send", "assisted-again", "assisted-refuse", "assisted-begin", "assisted-send", "assisted-cancel",
		"assisted-begin", "assisted-send", "assisted-expire"}
	if got := s.kinds(id); !slices.Equal(got, want) {
		t.Errorf("on the trail in the operator's name:\n%q, want\n%q", got, want)
	}
}
