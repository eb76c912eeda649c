package review

import (
	"context"
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
	all := o.known(t).Cameras
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
		Notices []struct{ ID, Kind protocol.NoticeKind }
	}
	if o.api(t, "GET", "/notices", nil, &all); len(all.Notices) != 1 || all.Notices[0].Kind != protocol.NoticePreserve {
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
	for _, tc := range []window{wide, narrow} {
		t.Run(tc.name, func(t *testing.T) {
			o := start(t)
			d := weekly(t, o)
			all := o.known(t).Cameras
			if err := declareOne(t, o, all[0].ID); err != nil {
				t.Fatal(err)
			}
			d.Channels[0].Schedule.Mode, d.Channels[0].Retention.Age = "continuous", 24*time.Hour
			if err := o.Inventory.Record(t.Context(), []interrogate.Device{d, locked()}, time.Now()); err != nil {
				t.Fatal(err)
			}
			b := o.browser(t, tc.width)
			check := func(name string) { t.Helper(); b.Check(tc.name + "-" + name) }
			b.Visit("/notices?lang=" + tc.lang)
			check("30-no-notices")
			n := asking(protocol.Invitation, all[0].ID)
			o.keep(t, n)
			b.Visit("/")
			check("31-banner")
			b.Press(".note-danger a")
			check("32-notice")
			b.Do(chromedp.Evaluate[chromedp.Void]("document.querySelector('#by').value = ''"))
			b.Press("#state-copied")
			check("33-answer-refused")
			o.answer = func(ctx context.Context, id string) error {
				return o.Inventory.RecordChecks(ctx, id, []inventory.Check{{CameraID: all[0].ID, At: time.Now(), Presence: interrogate.PresencePartly,
					Periods: []interrogate.Period{{From: n.Body.(protocol.Preserve).Start, Until: n.Body.(protocol.Preserve).End.Add(-5 * time.Minute)}}}})
			}
			b.Press("form[action$='/check'] button")
			<-o.Review.find(n.ID) // joins it, or asks again
			b.Visit("/notices/" + n.ID)
			check("33-found-a-part")
			b.Fill("#by", "Anna Neri")
			b.Fill("#note", "Luca, chiavetta in cassaforte")
			b.Press("#state-copied")
			<-o.Review.find(n.ID)
			b.Visit("/notices/" + n.ID)
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

// TestTwoClicks: from the first page a person opens the message and answers it, with
// their name filled in; "call me" is one press from the list. Enter in a field
// answers nothing.
func TestTwoClicks(t *testing.T) {
	o, c := sharing(t)
	b := pagestest.Open(t, "http://"+o.Addr, 390, 800)
	b.Visit(o.NewLink())
	b.Press("main button")
	first, second := asking(protocol.Invitation, c.ID), asking(protocol.Order, c.ID)
	o.keep(t, first)
	b.Visit("/")
	b.Press(".note-danger a") // one
	b.Do(chromedp.Evaluate[chromedp.Void]("document.querySelector('main details').open = true"))
	b.Do(chromedp.Evaluate[chromedp.Void]("document.querySelector('#by').form.addEventListener('submit', e => { e.preventDefault(); document.title = 'SENT' })"),
		chromedp.SendKeys("#by", "\r"))
	if pagestest.Eval[string](b, "document.title") == "SENT" {
		t.Error("Enter in a field answers")
	}
	b.Visit("/notices/" + first.ID)
	b.Press("#state-copied") // two
	if n, err := o.Inventory.Notice(t.Context(), first.ID); err != nil || n.Answer != protocol.ReplyCopied || n.AnsweredBy != "Anna Neri" {
		t.Errorf("answered %+v, %v", n, err)
	}
	o.keep(t, second)
	b.Visit("/notices")
	b.Press("button[value='cannot']")
	n, err := o.Inventory.Notice(t.Context(), second.ID)
	if err != nil || n.Answer != protocol.ReplyCannot || n.AnsweredBy != "Anna Neri" || n.SeenAt.IsZero() {
		t.Errorf("from the list: %+v, %v", n, err)
	}
}

// TestOnlyTheOwnerAsksARecorder: a message that arrives, its page and a "no" ask no
// recorder; the button and every other answer do, once at a time.
func TestOnlyTheOwnerAsksARecorder(t *testing.T) {
	o, c := sharing(t)
	release := make(chan struct{})
	o.answer = func(ctx context.Context, _ string) error {
		select {
		case <-release:
		case <-ctx.Done():
		}
		return nil
	}
	asked := func() int { return len(o.finds) }
	n := asking(protocol.Invitation, c.ID)
	o.keep(t, n)
	path := "/notices/" + n.ID
	o.send(t, "GET", "/notices", "")
	o.send(t, "GET", path, "")
	o.send(t, "GET", path+"/check", "")
	o.send(t, "POST", path, "state=refused&by=Anna")
	if asked() != 0 {
		t.Fatal("a recorder was asked though its owner did nothing")
	}
	for range 2 {
		if status, _, h := o.send(t, "POST", path+"/check", ""); status != http.StatusSeeOther || !strings.HasPrefix(h.Get("Location"), path) {
			t.Errorf("%d %s", status, h.Get("Location"))
		}
	}
	if _, body, h := o.send(t, "GET", path+"?lang=it", ""); !strings.Contains(body, "Sto chiedendo al registratore") || h.Get("Refresh") == "" {
		t.Error("the page does not say that it is under way")
	}
	done := o.Review.find(n.ID)
	close(release)
	<-done
	if id := <-o.finds; id != n.ID || asked() != 0 {
		t.Errorf("asked for %s, and %d times more", id, asked())
	}
	if _, body, h := o.send(t, "GET", path+"?lang=it", ""); strings.Contains(body, "Sto chiedendo") || h.Get("Refresh") != "" {
		t.Error("the page goes on renewing itself")
	}
	o.send(t, "POST", path, "state=cannot&by=Anna")
	if id := <-o.finds; id != n.ID {
		t.Errorf("asked for %s", id)
	}
	if status := o.api(t, "POST", path+"/check", nil, nil); status != http.StatusOK {
		t.Errorf("for programs: %d", status)
	}
	r := handed(protocol.Reminder{Reason: "x"})
	o.keep(t, r)
	if status, _, _ := o.send(t, "POST", "/notices/"+r.ID+"/check", ""); status != http.StatusConflict {
		t.Errorf("a reminder has no footage: %d", status)
	}
}

// TestFoundInWords: what the recorder said, in words.
func TestFoundInWords(t *testing.T) {
	o, c := sharing(t)
	for presence, want := range map[interrogate.Presence]string{
		interrogate.PresenceYes: "ancora tutte", interrogate.PresencePartly: "ne ha una parte", interrogate.PresenceNo: "non ha niente", interrogate.PresenceUnknown: "non è riuscito a saperlo",
	} {
		n := asking(protocol.Order, c.ID)
		o.keep(t, n)
		check := inventory.Check{CameraID: c.ID, At: time.Now(), Presence: presence, Why: "SENTINEL"}
		if presence == interrogate.PresencePartly {
			check.Periods = []interrogate.Period{{From: n.Body.(protocol.Preserve).Start, Until: n.Body.(protocol.Preserve).End}}
		}
		if err := o.Inventory.RecordChecks(t.Context(), n.ID, []inventory.Check{check}); err != nil {
			t.Fatal(err)
		}
		_, body, _ := o.send(t, "GET", "/notices/"+n.ID+"?lang=it", "")
		if !strings.Contains(body, want) || strings.Contains(body, "SENTINEL") {
			t.Errorf("%s: %q is missing", presence, want)
		}
		if proposed := strings.Contains(body, "Sul registratore c&#39;è una parte"); proposed != (presence == interrogate.PresencePartly) {
			t.Errorf("%s: a note is proposed: %v", presence, proposed)
		}
	}
}
