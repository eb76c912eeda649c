package review

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages/pagestest"
)

// asking is a request to preserve a quarter of an hour of these cameras.
func asking(kind protocol.RequestKind, cameras ...string) protocol.Notice {
	start := time.Now().UTC().Add(-5 * time.Hour).Truncate(time.Second)
	return protocol.Notice{ID: uuid.NewString(), SiteID: siteID, At: start, Body: protocol.Preserve{Kind: kind,
		From: "Questura di Milano, Squadra Mobile, ass. Bruni", Phone: "+39 02 62261", Reference: "CNR 12/2026",
		Start: start, End: start.Add(15 * time.Minute), CameraIDs: cameras, CheckCode: "K7QM-2RPD"}}
}

func handed(body protocol.NoticeBody) protocol.Notice {
	return protocol.Notice{ID: uuid.NewString(), SiteID: siteID, At: time.Now().UTC(), Body: body}
}

func (o *owner) keep(t *testing.T, all ...protocol.Notice) {
	t.Helper()
	for _, n := range all {
		if err := o.Inventory.KeepNotice(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
}

// sharing is an owner with a declared camera.
func sharing(t *testing.T) (*owner, inventory.Camera) {
	t.Helper()
	o := start(t)
	weekly(t, o)
	o.signIn(t)
	all, err := o.Inventory.Cameras(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := declareOne(t, o, all[0].ID); err != nil {
		t.Fatal(err)
	}
	return o, all[0]
}

func (o *owner) replies(t *testing.T) (all []protocol.ReplyState) {
	t.Helper()
	sent, err := o.Inventory.Outbox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sent {
		if r, ok := s.Message.Body.(protocol.Reply); ok {
			all = append(all, r.State)
		}
	}
	return all
}

// The first page leads to a message until it was opened; opening it, and nothing
// else, says that it was seen.
func TestBannerUntilSeen(t *testing.T) {
	o, c := sharing(t)
	const words = "C&#39;è un messaggio"
	home := func() string {
		t.Helper()
		_, body, _ := o.send(t, "GET", "/", "")
		return body
	}
	if strings.Contains(home(), words) {
		t.Error("a message without one")
	}
	n := asking(protocol.Invitation, c.ID)
	o.keep(t, n)
	body := home()
	if !strings.Contains(body, words) || !strings.Contains(body, "/notices/"+n.ID) || strings.Contains(body, "Questura") {
		t.Error("the first page does not lead to the message, or tells what it is")
	}
	o.send(t, "GET", "/notices", "")
	o.send(t, "GET", "/notices/"+n.ID, "", "Sec-Purpose", "prefetch")
	if !strings.Contains(home(), words) || len(o.replies(t)) != 1 {
		t.Errorf("seen though nobody opened it: %v", o.replies(t))
	}
	for range 2 {
		if status, body, _ := o.send(t, "GET", "/notices/"+n.ID, ""); status != http.StatusOK || !strings.Contains(body, "K7QM-2RPD") {
			t.Errorf("%d", status)
		}
	}
	if strings.Contains(home(), words) {
		t.Error("the message is still called new")
	}
	if got := o.replies(t); !slices.Equal(got, []protocol.ReplyState{protocol.ReplyReceived, protocol.ReplySeen}) {
		t.Errorf("%v", got)
	}
	o.keep(t, handed(protocol.Reminder{Reason: "x"}), asking(protocol.Order, c.ID))
	if body := home(); !strings.Contains(body, "Ci sono 2 messaggi") || !strings.Contains(body, `href="/notices"`) {
		t.Error("two messages are not counted")
	}
}

// What a request says in words: what the law makes of it, and on the recorder's
// own clock which footage it is.
func TestNoticeInWords(t *testing.T) {
	o, c := sharing(t)
	for kind, tc := range map[protocol.RequestKind]struct {
		says   []string
		silent []string
	}{
		protocol.Invitation: {[]string{"È un invito", "art. 348", "No, non voglio"}, []string{"art. 354"}},
		protocol.Order:      {[]string{"È un ordine", "art. 354"}, []string{"art. 348", "No, non voglio"}},
	} {
		n := asking(kind, c.ID, uuid.NewString())
		o.keep(t, n)
		_, body, _ := o.send(t, "GET", "/notices/"+n.ID+"?lang=it", "")
		for _, want := range append(tc.says, "Questura di Milano", "K7QM-2RPD", "non fidarti solo", "/save?camera="+c.ID, "orologio del registratore",
			"non è tra quelle") {
			if !strings.Contains(body, want) {
				t.Errorf("%s: %q is missing", kind, want)
			}
		}
		for _, no := range tc.silent {
			if strings.Contains(body, no) {
				t.Errorf("%s: %q is there", kind, no)
			}
		}
		if strings.Contains(body, " checked") {
			t.Errorf("%s: an answer is chosen beforehand", kind)
		}
	}
	for _, state := range []protocol.SiteState{protocol.SiteSuspended, protocol.SiteResumed, protocol.SiteWithdrawn} {
		n := handed(protocol.SiteChange{State: state, At: time.Now().UTC()})
		o.keep(t, n)
		if status, body, _ := o.send(t, "GET", "/notices/"+n.ID+"?lang=en", ""); status != http.StatusOK || !strings.Contains(body, "owner&#39;s link") {
			t.Errorf("%s: %d", state, status)
		}
		_, status, _ := o.send(t, "GET", "/status?lang=en", "")
		if shows := strings.Contains(status, ">suspended<") || strings.Contains(status, ">out of the register<"); shows != (state != protocol.SiteResumed) {
			t.Errorf("%s is shown: %v", state, shows)
		}
	}
}

func TestAnswerANotice(t *testing.T) {
	o, c := sharing(t)
	n := asking(protocol.Invitation, c.ID)
	o.keep(t, n)
	path := "/notices/" + n.ID
	for body, want := range map[string]string{
		"by=Anna&note=casa":                                        "Scegli una risposta",
		"state=copied&by=&note=casa":                               "Scrivi il tuo nome",
		"state=copied&by=A&note=" + strings.Repeat("casa+", 70):    "al massimo 300",
		"state=seen&by=Anna&note=casa":                             "Scegli una risposta",
		"state=present&by=Anna&note=" + strings.Repeat("casa", 10): "Scegli una risposta",
	} {
		if status, text, _ := o.send(t, "POST", path+"?lang=it", body); status != http.StatusUnprocessableEntity || !strings.Contains(text, want) || !strings.Contains(text, "casa") {
			t.Errorf("%s: %d", body, status)
		}
	}
	if got := o.replies(t); len(got) != 1 {
		t.Errorf("%v", got)
	}
	status, _, h := o.send(t, "POST", path, "state=copied&by=Luca+Verdi&note=chiavetta")
	if status != http.StatusSeeOther || h.Get("Location") != path+"?done=answered" {
		t.Errorf("%d %s", status, h.Get("Location"))
	}
	if _, body, _ := o.send(t, "GET", path+"?lang=it", ""); !strings.Contains(body, "Immagini copiate") || !strings.Contains(body, "chiavetta") {
		t.Error("the answer is not shown")
	}
	if _, body, _ := o.send(t, "GET", "/outbox?lang=it", ""); !strings.Contains(body, "Immagini copiate") || !strings.Contains(body, "Nota: chiavetta") {
		t.Error("the outbox does not tell the answer in words")
	}
	if status, _, _ := o.send(t, "POST", "/notices/"+uuid.NewString(), "state=copied&by=Anna"); status != http.StatusNotFound {
		t.Errorf("an answer to nothing: %d", status)
	}
	o.keep(t, handed(protocol.SiteChange{State: protocol.SiteWithdrawn, At: time.Now().UTC()}))
	if status, _, _ := o.send(t, "POST", path, "state=copied&by=Anna"); status != http.StatusConflict {
		t.Errorf("an answer from a site that has left: %d", status)
	}
	if _, body, _ := o.send(t, "GET", path, ""); strings.Contains(body, "<form method=\"post\"") {
		t.Error("a site that has left is offered an answer")
	}
}

// The same for the command line.
func TestNoticesAPI(t *testing.T) {
	o, c := sharing(t)
	n := asking(protocol.Order, c.ID)
	o.keep(t, n)
	var all struct {
		Notices []struct{ ID, Kind string }
	}
	if o.api(t, "GET", "/notices", nil, &all); len(all.Notices) != 1 || all.Notices[0].Kind != inventory.NoticePreserve {
		t.Errorf("%+v", all)
	}
	var one struct {
		Body protocol.Preserve `json:"body"`
	}
	if o.api(t, "GET", "/notices/"+n.ID, nil, &one); one.Body.CheckCode != "K7QM-2RPD" {
		t.Errorf("%+v", one)
	}
	for in, want := range map[string]int{
		`{"state":"cannot","by":"Anna"}`: http.StatusOK, `{"state":"cannot"}`: http.StatusUnprocessableEntity, `{"state":"x","by":"Anna","more":1}`: http.StatusBadRequest,
	} {
		if status := o.api(t, "POST", "/notices/"+n.ID, json.RawMessage(in), nil); status != want {
			t.Errorf("%s: %d", in, status)
		}
	}
}

// An owner finds the message, reads it, learns how to save the footage and
// answers, by keyboard or mouse, in a wide and a narrow window.
func TestTheWayFromTheMessage(t *testing.T) {
	for _, tc := range []struct {
		name  string
		width int64
		lang  string
	}{{"wide-it", 1280, "it"}, {"narrow-en", 390, "en"}} {
		t.Run(tc.name, func(t *testing.T) {
			o := start(t)
			d := weekly(t, o)
			all, err := o.Inventory.Cameras(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := declareOne(t, o, all[0].ID); err != nil {
				t.Fatal(err)
			}
			d.Channels[0].Schedule.Mode, d.Channels[0].Retention.Age = "continuous", 24*time.Hour
			if err := o.Inventory.Record(t.Context(), []interrogate.Device{d, locked()}, time.Now()); err != nil {
				t.Fatal(err)
			}
			b := pagestest.Open(t, "http://"+o.Addr, tc.width, 900)
			check := func(name string) { t.Helper(); b.Check(tc.name + "-" + name) }
			b.Visit(o.NewLink())
			b.Press("main button")
			b.Visit("/notices?lang=" + tc.lang)
			check("30-no-notices")
			n := asking(protocol.Invitation, all[0].ID)
			o.keep(t, n)
			b.Visit("/")
			check("31-banner")
			b.Press(".note-danger a")
			check("32-notice")
			b.Click("#state-copied")
			b.Do(chromedp.Evaluate[chromedp.Void]("document.querySelector('#by').value = ''"))
			b.Press("main form button")
			check("33-answer-refused")
			if pagestest.Eval[bool](b, "document.querySelector('#state-copied').checked") != true {
				t.Error("what was chosen is gone")
			}
			b.Fill("#by", "Anna Neri")
			b.Fill("#note", "Luca, chiavetta in cassaforte")
			b.Press("main form button")
			check("34-answered")
			b.Press("a[href^='/save']")
			check("35-save")
			o.keep(t, asking(protocol.Order, all[0].ID, uuid.NewString()), handed(protocol.Reminder{Reason: "Il recapito non risponde più: controllalo"}),
				handed(protocol.SiteChange{State: protocol.SiteSuspended, At: time.Now().UTC()}))
			b.Visit("/")
			check("36-banner-many")
			b.Press(".note-danger a")
			check("37-notices")
			list, err := o.Inventory.Notices(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for i, n := range list {
				b.Visit("/notices/" + n.ID)
				check(fmt.Sprintf("38-notice-%d-%s", i, n.Kind))
			}
			b.Visit("/status")
			check("39-status")
			b.Visit("/outbox")
			check("40-outbox")
		})
	}
}
