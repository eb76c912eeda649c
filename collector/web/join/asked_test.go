package join

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages/pagestest"
)

const force = "Questura di Prova"

// asks has a force ask the site for what its first camera filmed.
func (d *door) asks(kind protocol.RequestKind, byPhone bool) registry.Draft {
	d.t.Helper()
	ctx := d.t.Context()
	if err := d.reg.AddForce(ctx, force, "age1"); err != nil {
		d.t.Fatal(err)
	}
	own, err := d.reg.Own(ctx, d.site)
	if err != nil {
		d.t.Fatal(err)
	}
	k := registry.Case{ID: uuid.NewString(), Force: force, OpenedBy: uuid.NewString(), OpenedAt: d.now, Kind: "annotation", Ref: "sentinella/77", Offence: "robbery", Reason: "sentinella della rapina"}
	if err := d.reg.OpenCase(ctx, k); err != nil {
		d.t.Fatal(err)
	}
	drafts, err := d.reg.DraftRequest(ctx, protocol.Preserve{Kind: kind, From: force + ", Isp. Rossi", Phone: "+39 02 5555 0199", Reference: "Annotazione sentinella/77",
		Start: d.now.Add(-2 * time.Hour), End: d.now.Add(-time.Hour), CameraIDs: []string{own.Declared[0].ID}}, d.now)
	if err != nil {
		d.t.Fatal(err)
	}
	drafts[0].ByPhone = byPhone
	if err := d.reg.QueueRequest(ctx, registry.Request{ID: uuid.NewString(), CaseID: k.ID, Force: force, By: k.OpenedBy, At: d.now, Sites: drafts}); err != nil {
		d.t.Fatal(err)
	}
	return drafts[0]
}

// asked is the force's one notice.
func (d *door) asked() registry.Asked {
	d.t.Helper()
	all, err := d.reg.Asked(d.t.Context(), force, 9)
	if err != nil || len(all) != 1 {
		d.t.Fatal(len(all), err)
	}
	return all[0]
}

// TestOwnerAnswersOnThePage: who has the site's code reads the request word for
// word, which the force is told, and answers with one button.
func TestOwnerAnswersOnThePage(t *testing.T) {
	d := newDoor(t)
	draft := d.asks(protocol.Invitation, false)
	if d.asked().State != registry.NoticeSent {
		t.Fatal(d.asked())
	}
	cookie, _ := d.enter(d.code.String())
	page := body(t, d.ask("GET", "/site", cookie, nil, nil))
	for _, want := range []string{"Ti chiedono di conservare immagini", force + ", Isp. Rossi", "5555 0199", "Annotazione sentinella/77",
		draft.Asked.CheckCode, "Non sei obbligato", `value="refused"`, `value="Anna Bianchi"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if a := d.asked(); a.State != registry.NoticeState(protocol.ReplySeen) || a.Replies[0].AgentID != "" {
		t.Errorf("read, and %+v", a)
	}
	answer := func(cookie string, form url.Values) *http.Response {
		return d.ask("POST", "/site/requests/"+draft.NoticeID, cookie, form, nil)
	}
	for what, c := range map[string]struct {
		cookie string
		form   url.Values
		status int
	}{
		"without a session": {"", url.Values{"state": {"copied"}, "by": {"Anna"}}, http.StatusUnauthorized},
		"without a name":    {cookie, url.Values{"state": {"copied"}, "by": {" "}}, http.StatusUnprocessableEntity},
		"a long note":       {cookie, url.Values{"state": {"copied"}, "by": {"Anna"}, "note": {strings.Repeat("x", 301)}}, http.StatusUnprocessableEntity},
		"what none says":    {cookie, url.Values{"state": {"present"}, "by": {"Anna"}}, http.StatusUnprocessableEntity},
	} {
		if resp := answer(c.cookie, c.form); resp.StatusCode != c.status {
			t.Errorf("%s: %d", what, resp.StatusCode)
		}
	}
	if a := d.asked(); a.State != registry.NoticeState(protocol.ReplySeen) {
		t.Errorf("answered by what is refused: %+v", a)
	}
	d.now = d.now.Add(time.Minute)
	if resp := answer(cookie, url.Values{"state": {"cannot"}, "by": {"Anna Bianchi"}, "note": {"il tecnico è in ferie"}}); resp.StatusCode != http.StatusSeeOther {
		t.Fatal(resp.StatusCode)
	}
	if a := d.asked(); a.State != registry.NoticeState(protocol.ReplyCannot) || a.Replies[1].By != "Anna Bianchi" || a.Replies[1].Note != "il tecnico è in ferie" {
		t.Errorf("answered, and %+v", a)
	}
	if last := d.acts[len(d.acts)-1]; last.Kind != "owner-reply" || strings.Contains(d.log.String(), "ferie") {
		t.Errorf("act %+v", last)
	}
	acts := len(d.acts)
	d.err = http.ErrAbortHandler
	if resp := answer(cookie, url.Values{"state": {"copied"}, "by": {"Anna Bianchi"}}); resp.StatusCode != http.StatusServiceUnavailable || d.asked().State == "copied" || len(d.acts) != acts {
		t.Errorf("answered off the trail: %d", resp.StatusCode)
	}
}

// TestOrderIsNotRefused: who is ordered is not offered to say no.
func TestOrderIsNotRefused(t *testing.T) {
	d := newDoor(t)
	draft := d.asks(protocol.Order, false)
	cookie, _ := d.enter(d.code.String())
	if page := body(t, d.ask("GET", "/site", cookie, nil, nil)); strings.Contains(page, `value="refused"`) || !strings.Contains(page, "Ordine di conservare") {
		t.Error("an order may be refused, or is none")
	}
	if resp := d.ask("POST", "/site/requests/"+draft.NoticeID, cookie, url.Values{"state": {"refused"}, "by": {"Anna"}}, nil); resp.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("refused: %d", resp.StatusCode)
	}
}

// TestAskedByPhone: the page shows nothing of it, and nobody answers it there.
func TestAskedByPhone(t *testing.T) {
	d := newDoor(t)
	draft := d.asks(protocol.Invitation, true)
	cookie, _ := d.enter(d.code.String())
	page := body(t, d.ask("GET", "/site", cookie, nil, nil))
	for _, secret := range []string{force, draft.Asked.CheckCode, draft.NoticeID, "sentinella"} {
		if strings.Contains(page, secret) {
			t.Errorf("the page says %q", secret)
		}
	}
	if resp := d.ask("POST", "/site/requests/"+draft.NoticeID, cookie, url.Values{"state": {"copied"}, "by": {"Anna"}},
		nil); resp.StatusCode != http.StatusNotFound || d.asked().State != registry.NoticeSent {
		t.Errorf("%d, %+v", resp.StatusCode, d.asked())
	}
}

// TestCheck: a genuine code says the least that is of use, any other what to do;
// who guesses has to wait.
func TestCheck(t *testing.T) {
	d := newDoor(t)
	draft := d.asks(protocol.Order, false)
	check := func(code string) (*http.Response, string) {
		resp := d.ask("POST", "/check", "", url.Values{"code": {code}}, nil)
		return resp, body(t, resp)
	}
	resp, page := check(" " + strings.ToLower(strings.ReplaceAll(draft.Asked.CheckCode, "-", " ")))
	for _, want := range []string{"La richiesta è vera", force, "art. 354", "Bar o ristorante"} {
		if resp.StatusCode != http.StatusOK || !strings.Contains(page, want) {
			t.Errorf("%d: the page does not say %q", resp.StatusCode, want)
		}
	}
	for _, secret := range []string{"Bar Centrale", "Via Torino", "Ingresso", "sentinella", "Rossi", "5555", draft.Asked.CheckCode, draft.NoticeID, d.site, "robbery"} {
		if strings.Contains(page, secret) || strings.Contains(d.log.String(), draft.Asked.CheckCode) {
			t.Errorf("the page says %q, or the log the code", secret)
		}
	}
	if a := d.asked(); a.State != registry.NoticeSent || len(d.acts) != 0 {
		t.Errorf("checking is an answer: %+v, %d acts", a, len(d.acts))
	}
	if resp, page := check("abc"); resp.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, "Rileggilo") {
		t.Errorf("a slip: %d", resp.StatusCode)
	}
	if resp, page := check(d.code.String()); resp.StatusCode != http.StatusNotFound || !strings.Contains(page, "112") {
		t.Errorf("the site's own code: %d", resp.StatusCode)
	}
	status := 0
	for range 30 {
		resp, _ := check(protocol.NewCode().String())
		if status = resp.StatusCode; status == http.StatusTooManyRequests {
			break
		}
	}
	if status != http.StatusTooManyRequests {
		t.Error("who guesses is never slowed down")
	}
}

// TestAskedPagesInABrowser looks at the page of a site that is asked, and at that
// which checks codes.
func TestAskedPagesInABrowser(t *testing.T) {
	d := newDoor(t)
	draft := d.asks(protocol.Invitation, false)
	b := pagestest.Open(t, d.serve(), 1280, 900)
	b.Visit("/check")
	b.Check("check-it-1280")
	b.Fill("#code", protocol.NewCode().String())
	b.Press("main form button")
	b.Check("check-unknown-it-1280")
	b.Resize(390, 900)
	b.Visit("/check?lang=en")
	b.Fill("#code", draft.Asked.CheckCode)
	b.Press("main form button")
	b.Check("check-genuine-en-390")
	b.Visit("/site")
	b.Fill("#code", d.code.String())
	b.Press("main form button")
	b.Check("asked-en-390")
	b.Resize(1280, 900)
	b.Visit("/site?lang=it")
	d.now = d.now.Add(time.Minute)
	b.Press("button[value=copied]")
	b.Check("asked-it-1280")
	if a := d.asked(); a.State != registry.NoticeState(protocol.ReplyCopied) || a.Replies[len(a.Replies)-1].By != "Anna Bianchi" {
		t.Errorf("%+v", a)
	}
}
