package review

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"anagrafe/protocol/pages"
)

// TestOnlyWhatWasShownLeaves: a name that a look brought after the summary was
// shown does not leave; the page is shown again, and then it does.
func TestOnlyWhatWasShownLeaves(t *testing.T) {
	o := start(t)
	o.signIn(t)
	d := recorder()
	o.found = append(o.found[:0], d)
	<-o.start()
	id := o.ready(t)

	_, shown, _ := o.send(t, "GET", "/approve", "")
	d.Channels[0].Name = "Camera da letto"
	o.found = append(o.found[:0], d)
	<-o.start()
	if status, _, _ := o.send(t, "POST", "/approve", strings.Replace(yes(t, shown, id), "ids="+id, "all=yes", 1)); status != http.StatusUnprocessableEntity {
		t.Errorf("the yes to all gives %d", status)
	}
	status, again, _ := o.send(t, "POST", "/approve", yes(t, shown, id))
	if status != http.StatusUnprocessableEntity || !strings.Contains(again, "qualcosa è cambiato") || !strings.Contains(again, "Camera da letto") {
		t.Errorf("the yes to what was not shown gives %d", status)
	}
	if sent, err := o.Inventory.Outbox(t.Context()); err != nil || len(sent) != 0 {
		t.Fatalf("%d messages left, %v", len(sent), err)
	}
	if status, _, _ := o.send(t, "POST", "/approve", yes(t, again, id)); status != http.StatusSeeOther {
		t.Errorf("the yes to what was shown gives %d", status)
	}
	if sent, err := o.Inventory.Outbox(t.Context()); err != nil || len(sent) != 1 {
		t.Errorf("%d messages left, %v", len(sent), err)
	}
}

// yes fills in the form of the summary as it stands on a page.
func yes(t *testing.T, page, id string) string {
	t.Helper()
	seen := regexp.MustCompile(`name="seen" value="([0-9a-f]+)"`).FindStringSubmatch(page)
	if seen == nil {
		t.Fatal("the page has no form to approve with")
	}
	return url.Values{"ids": {id}, "by": {"Anna Neri"}, "read": {"yes"}, "seen": {seen[1]}, "notice": {pages.OwnersNotice}}.Encode()
}
