package consult

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"anagrafe/collector/act"
	"anagrafe/protocol/pages/pagestest"
)

// A contact that nobody confirms is shown with a word about it.
func TestUnverifiedContact(t *testing.T) {
	w := newTown(t)
	site := w.declare(milan()...)["Farmacia Orefici"]
	if err := w.reg.DoubtContact(t.Context(), site, noon); err != nil {
		t.Fatal(err)
	}
	if _, err := w.reg.Age(t.Context(), noon.AddDate(0, 3, 0), func(context.Context, act.Kind, []string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	a := w.answer(exact())
	res := w.send("POST", "/reveal", officerName, url.Values{"search": {a.Search}, "site": {site}}, false)
	var got jsonReveal
	if err := json.Unmarshal([]byte(res.body), &got); err != nil || len(got.Sites) != 1 {
		t.Fatalf("%d %s", res.status, res.body)
	}
	if c := got.Sites[0].Contacts; len(c) != 1 || !c[0].Unverified || c[0].Name != "Marta Colli" {
		t.Errorf("%+v", c)
	}
	if page := w.send("GET", "/search/"+a.Search, officerName, nil, true).body; !strings.Contains(page, "Recapito non verificato") {
		t.Error("the page does not say it")
	}
	b := pagestest.Open(t, w.server.URL, 390, 844)
	w.signIn(b, officerName)
	b.Visit("/search/" + a.Search)
	b.Check("unverified")
}

// A contact whom somebody else named, and who has not accepted, is shown so.
func TestUnconfirmedContact(t *testing.T) {
	w := newTown(t)
	sites := milan()
	sites[0].approver = "Anna Colli"
	id := w.declare(sites...)[sites[0].site.Name]
	a := w.answer(exact())
	res := w.send("POST", "/reveal", officerName, url.Values{"search": {a.Search}, "site": {id}}, false)
	var got jsonReveal
	if err := json.Unmarshal([]byte(res.body), &got); err != nil || len(got.Sites) != 1 || len(got.Sites[0].Contacts) != 1 || !got.Sites[0].Contacts[0].Unconfirmed {
		t.Fatalf("%d %s", res.status, res.body)
	}
	if page := w.send("GET", "/search/"+a.Search, officerName, nil, true).body; !strings.Contains(page, "Indicato da altri, non ancora confermato") {
		t.Error("the page does not say it")
	}
}
