package review

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// joined is an owner whose first camera is in the register, with a receipt.
func joined(t *testing.T) (o *owner, camera string, code protocol.Code) {
	t.Helper()
	o = start(t)
	o.signIn(t)
	<-o.start()
	all := o.known(t).Cameras
	if err := declareOne(t, o, all[0].ID); err != nil {
		t.Fatal(err)
	}
	return o, all[0].ID, acknowledge(t, o)
}

// bodies are the bodies of all messages, oldest first.
func bodies(t *testing.T, o *owner) (all []protocol.Body) {
	t.Helper()
	sent, err := o.Inventory.Outbox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sent {
		all = append(all, s.Message.Body)
	}
	return all
}

// The yes carries the version of the notice that the page showed; of another one the
// page is shown again.
func TestTheYesNamesTheNotice(t *testing.T) {
	o := start(t)
	o.signIn(t)
	<-o.start()
	id := o.ready(t)
	_, page, _ := o.send(t, "GET", "/approve", "")
	for _, want := range []string{"Così ti vedono le Forze dell&#39;Ordine", "versione " + pages.OwnersNotice, `"notice_version": `,
		"Sul registratore", "non rende lecita", "fascicolo", "compito di interesse pubblico", `value="Anna Neri"`} {
		if !strings.Contains(page, want) && !strings.Contains(strings.ReplaceAll(page, "&#34;", `"`), want) {
			t.Errorf("the summary does not say %q", want)
		}
	}
	form, err := url.ParseQuery(yes(t, page, id))
	if err != nil {
		t.Fatal(err)
	}
	form.Set("notice", "1")
	if status, _, _ := o.send(t, "POST", "/approve", form.Encode()); status != http.StatusUnprocessableEntity || len(bodies(t, o)) > 0 {
		t.Errorf("the yes to another notice gives %d, %d messages", status, len(bodies(t, o)))
	}
	status, _, header := o.send(t, "POST", "/approve", yes(t, page, id))
	if status != http.StatusSeeOther || header.Get("Location") != "/receipt?done=approved" {
		t.Fatalf("%d, %s", status, header.Get("Location"))
	}
	if d := bodies(t, o)[0].(protocol.Declaration); d.Approval.NoticeVersion != pages.OwnersNotice {
		t.Errorf("%+v", d.Approval)
	}
	_, page, header = o.send(t, "GET", "/receipt", "")
	if !strings.Contains(page, "Non ancora registrata") || header.Get("Refresh") == "" {
		t.Error("the receipt that is awaited does not say so, or is never new")
	}
	code := acknowledge(t, o)
	_, page, header = o.send(t, "GET", "/receipt", "")
	for _, want := range []string{code.String(), ownerLink, "mailto:", "controllata", "versione " + pages.OwnersNotice} {
		if !strings.Contains(page, want) {
			t.Errorf("the receipt does not say %q", want)
		}
	}
	if header.Get("Refresh") != "" {
		t.Error("the receipt reloads itself for ever")
	}
	if mail := between(t, page, "mailto:", `"`); strings.Contains(mail, code.String()) || strings.Contains(mail, "+") {
		t.Errorf("the mail is %s", mail)
	}
}

func TestSuspendByPage(t *testing.T) {
	o, _, _ := joined(t)
	post := func(path string, form url.Values) (int, string) {
		t.Helper()
		status, page, _ := o.send(t, "POST", path, form.Encode())
		return status, page
	}
	for _, wrong := range []string{"domani", "2020-01-01"} {
		if status, page := post("/suspend", url.Values{"site_id": {siteID}, "until": {wrong}}); status != http.StatusUnprocessableEntity || !strings.Contains(page, "Scrivi un giorno") {
			t.Errorf("until %q gives %d", wrong, status)
		}
	}
	last := time.Now().In(pages.Rome()).AddDate(0, 0, 10)
	if status, _ := post("/suspend", url.Values{"site_id": {siteID}, "until": {last.Format(time.DateOnly)}}); status != http.StatusSeeOther {
		t.Fatalf("suspending gives %d", status)
	}
	all := bodies(t, o)
	s, is := all[len(all)-1].(protocol.SiteSuspension)
	if !is || s.Resumed || s.Until.In(pages.Rome()).Format("2006-01-02 15:04") != last.AddDate(0, 0, 1).Format(time.DateOnly)+" 00:00" || s.Approval.By != "Anna Neri" {
		t.Errorf("%+v", all[len(all)-1])
	}
	_, page, _ := o.send(t, "GET", "/suspend", "")
	if !strings.Contains(page, "Fino al "+last.Format("02/01/2006")) || !strings.Contains(page, "Non ancora registrato") {
		t.Error("the page does not say until when, or that it waits")
	}
	acknowledge(t, o)
	if _, page, _ = o.send(t, "GET", "/suspend", ""); !strings.Contains(page, "Registrato dal Comune") {
		t.Error("the page does not say that it is recorded")
	}
	if _, page, _ = o.send(t, "GET", "/", ""); !strings.Contains(page, "sospesa") {
		t.Error("the first page does not say that the site is suspended")
	}
	if status, _ := post("/resume", url.Values{"site_id": {siteID}}); status != http.StatusSeeOther {
		t.Fatalf("resuming gives %d", status)
	}
	all = bodies(t, o)
	if s, is := all[len(all)-1].(protocol.SiteSuspension); !is || !s.Resumed {
		t.Errorf("%+v", all[len(all)-1])
	}
	// A program names no site: all that are shared.
	var sites struct{ Sites []siteJSON }
	o.api(t, "POST", "/suspend", suspension{By: "Anna Neri"}, &sites)
	if len(sites.Sites) != 1 || sites.Sites[0].State != protocol.SiteSuspended || !sites.Sites[0].Until.IsZero() || sites.Sites[0].Sent != inventory.Waiting {
		t.Errorf("%+v", sites)
	}
}

// What was withdrawn is said to be gone only once the register has said so.
func TestReceiptOfAWithdrawal(t *testing.T) {
	o, _, _ := joined(t)
	_, _, header := o.send(t, "POST", "/withdraw", "all=yes")
	if header.Get("Location") != "/receipt?done=withdrawn" {
		t.Errorf("leads to %s", header.Get("Location"))
	}
	const gone = "non ha più niente"
	if _, page, _ := o.send(t, "GET", "/receipt", ""); strings.Contains(page, gone) || !strings.Contains(page, "Non ancora registrata") {
		t.Error("said to be gone before it is")
	}
	acknowledge(t, o)
	if _, page, _ := o.send(t, "GET", "/receipt", ""); !strings.Contains(page, gone) {
		t.Error("not said to be gone")
	}
	if status, _, _ := o.send(t, "POST", "/suspend", "site_id="+siteID); status != http.StatusConflict {
		t.Errorf("suspending what is gone gives %d", status)
	}
}

// The history is read by pages, and each message by itself.
func TestOutboxByPages(t *testing.T) {
	o, _, _ := joined(t)
	for range onePage + 5 {
		if err := o.Inventory.Suspend(t.Context(), siteID, time.Time{}, protocol.Approval{By: "Anna Neri"}); err != nil {
			t.Fatal(err)
		}
	}
	sent, err := o.Inventory.Outbox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, path := range []string{"/outbox", "/outbox?page=2"} {
		_, page, _ := o.send(t, "GET", path, "")
		for _, s := range sent {
			seen[s.ID] += strings.Count(page, `id="m-`+s.ID+`"`)
		}
	}
	for _, s := range sent {
		if seen[s.ID] != 1 {
			t.Errorf("a message stands on %d pages", seen[s.ID])
		}
	}
	for _, path := range []string{"/outbox?page=-3", "/outbox?page=99999999999999999999", "/outbox?page=3", "/outbox?page=x"} {
		if status, _, _ := o.send(t, "GET", path, ""); status != http.StatusOK {
			t.Errorf("%s gives %d", path, status)
		}
	}
	if status, page, _ := o.send(t, "GET", "/outbox/"+sent[0].ID, ""); status != http.StatusOK || !strings.Contains(page, sent[0].SHA256) {
		t.Errorf("one message gives %d", status)
	}
	if status, _, _ := o.send(t, "GET", "/outbox/nothing", ""); status != http.StatusNotFound {
		t.Errorf("no message gives %d", status)
	}
}

// The file has all that is kept, and no secret.
func TestExport(t *testing.T) {
	o, camera, code := joined(t)
	all := o.known(t).Cameras
	const secret = "Segretissima-7!"
	if err := o.Inventory.SetCredential(t.Context(), all[0].Device.ID, interrogate.Credential{User: "admin", Password: secret}); err != nil {
		t.Fatal(err)
	}
	status, text, header := o.send(t, "GET", "/export/all", "")
	if status != http.StatusOK || header.Get("Content-Type") != "application/json" || !strings.Contains(header.Get("Content-Disposition"), ".json") {
		t.Errorf("%d %v", status, header)
	}
	if err := json.Unmarshal([]byte(text), &struct {
		Sites, Contacts, Devices, Cameras, Notices *json.RawMessage
		Messages                                   *[]json.RawMessage
	}{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{camera, siteID, "Anna Neri", `"kind": "declaration"`, "Ingresso"} {
		if !strings.Contains(text, want) {
			t.Errorf("the file does not hold %q", want)
		}
	}
	for _, never := range []string{secret, code.String(), strings.ReplaceAll(code.String(), "-", "")} {
		if strings.Contains(text, never) {
			t.Errorf("the file holds a secret")
		}
	}
	o.api(t, "GET", "/export", nil, &map[string]any{})
}

// The other language is asked for where a page can be opened, also after a form that
// was refused.
func TestTheOtherLanguage(t *testing.T) {
	o, _, _ := joined(t)
	for path, want := range map[string]string{"/suspend": "/suspend", "/contact": "/contact", "/bulk/rule": "/bulk", "/resume": "/suspend"} {
		_, page, _ := o.send(t, "POST", path, "site_id="+siteID+"&until=never&rule=*")
		if path == "/resume" { // it leads on; refused it is shown
			_, page, _ = o.send(t, "POST", path, "site_id=none")
		}
		if !strings.Contains(page, `href="`+want+`?lang=en"`) {
			t.Errorf("after a POST to %s the other language is not at %s", path, want)
			continue
		}
		if status, page, _ := o.send(t, "GET", want+"?lang=en", ""); status != http.StatusOK || !strings.Contains(page, `<html lang="en"`) {
			t.Errorf("%s in English gives %d", want, status)
		}
		o.send(t, "GET", want+"?lang=it", "")
	}
}
