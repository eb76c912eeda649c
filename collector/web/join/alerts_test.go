package join

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

// alertToken has the owner switch the alerts of an address on, and gives the token
// of the message that says that the agent is silent.
func (d *door) alertToken(cookie string) (address, token string) {
	d.t.Helper()
	address = d.reader().Address
	if resp := d.ask("POST", "/site/alerts", cookie, url.Values{"address": {address}, "wanted": {"yes"}}, nil); resp.StatusCode != http.StatusSeeOther {
		d.t.Fatal(resp.StatusCode)
	}
	later := d.now.AddDate(0, 0, 30)
	if done, err := d.reg.Alert(d.t.Context(), later, d.now.AddDate(-1, 0, 0)); err != nil || done.Mail != 1 {
		d.t.Fatalf("%+v %v", done, err)
	}
	due, err := d.reg.DueMail(d.t.Context(), later, 10)
	if err != nil || len(due) != 1 || due[0].End == "" {
		d.t.Fatalf("%+v, %v", due, err)
	}
	return address, due[0].End
}

func (d *door) reader() registry.AlertReader {
	d.t.Helper()
	all, err := d.reg.AlertReaders(d.t.Context(), d.site)
	if err != nil || len(all) != 1 {
		d.t.Fatalf("%+v %v", all, err)
	}
	return all[0]
}

// The owner switches alerts on and off, each once it is on the trail; who reads
// them ends them with the button of the link, or one click of a mail program.
func TestAlertsOnAndOff(t *testing.T) {
	d := newDoor(t)
	cookie, _ := d.enter(d.code.String())
	if d.reader().Wanted || !strings.Contains(body(t, d.ask("GET", "/site", cookie, nil, nil)), "Non attivi") {
		t.Error("alerts are on though nobody wished so")
	}
	if resp := d.ask("POST", "/site/alerts", "", url.Values{"address": {d.reader().Address}, "wanted": {"yes"}}, nil); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a session: %d", resp.StatusCode)
	}
	for _, address := range []string{"other@example.it", strings.Repeat("a", maxAddress+1)} {
		if resp := d.ask("POST", "/site/alerts", cookie, url.Values{"address": {address}, "wanted": {"yes"}}, nil); resp.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("an address of nobody's: %d", resp.StatusCode)
		}
	}
	d.acts = nil
	address, token := d.alertToken(cookie)
	path := "/alerts/" + token
	if !d.reader().Wanted || !slices.Equal(d.kinds(), []string{"owner-alerts"}) || strings.Contains(d.log.String(), address) {
		t.Errorf("%+v %v", d.reader(), d.acts)
	}
	if page := body(t, d.ask("GET", path, "", nil, nil)); !strings.Contains(page, `action="`+path+`"`) || !d.reader().Wanted {
		t.Error("the link shows no button, or ends alerts by itself")
	}
	d.err = errors.New("full")
	if resp := d.ask("POST", path, "", nil, nil); resp.StatusCode != http.StatusServiceUnavailable || !d.reader().Wanted {
		t.Errorf("without the trail: %d", resp.StatusCode)
	}
	d.err, d.acts = nil, nil
	for range 2 { // RFC 8058: no cookie, no origin, no redirect
		resp := d.ask("POST", path, "", url.Values{"List-Unsubscribe": {"One-Click"}}, nil)
		if resp.StatusCode != http.StatusOK || !strings.Contains(body(t, resp), "Fatto") || d.reader().Wanted {
			t.Errorf("one click: %d %+v", resp.StatusCode, d.reader())
		}
	}
	if !slices.Equal(d.kinds(), []string{"alerts-end", "alerts-end"}) {
		t.Errorf("on the trail: %v", d.kinds())
	}
	for _, method := range []string{"GET", "POST"} {
		if resp := d.ask(method, "/alerts/x", "", nil, nil); resp.StatusCode != http.StatusNotFound || !strings.Contains(body(t, resp), "non vale più") {
			t.Errorf("%s of no token: %d", method, resp.StatusCode)
		}
	}
	if strings.Contains(d.log.String(), token) {
		t.Error("the token is in the log")
	}
}

func TestAlertsInABrowser(t *testing.T) {
	for name, c := range map[string]struct {
		width int64
		lang  pages.Lang
	}{"wide-it": {1280, pages.It}, "narrow-en": {390, pages.En}} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t)
			cookie, _ := d.enter(d.code.String())
			_, token := d.alertToken(cookie)
			b := pagestest.Open(t, d.serve(), c.width, 900)
			b.Visit("/site?lang=" + string(c.lang))
			b.Fill("#code", d.code.String())
			b.Press("main form button")
			b.Check("join-alerts-on-" + name)
			b.Press("form[action='/site/alerts'] button")
			b.Check("join-alerts-off-" + name)
			b.Visit("/alerts/" + token)
			b.Check("join-alerts-end-" + name)
			b.Press("main form button")
			b.Check("join-alerts-ended-" + name)
			b.Visit("/alerts/x")
			b.Check("join-alerts-used-" + name)
		})
	}
}
