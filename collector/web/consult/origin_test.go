package consult

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"anagrafe/protocol"
	"anagrafe/protocol/pages/pagestest"
)

// typedByHand is a site of which nothing was measured nor confirmed.
func typedByHand(s siteOf) siteOf {
	said := protocol.Fact{Source: protocol.Declared, At: made}
	s.clock = nil
	for i := range s.cameras {
		c := &s.cameras[i]
		c.NameFact, c.Position.Fact, c.View.Fact, c.Schedule.Fact, c.Retention.Fact = said, said, said, said, said
	}
	return s
}

// What was typed by hand, and who is known by an e-mail address alone, is said wherever
// an officer meets the site: the answer, the contacts, the request, the papers, the files.
// It is long because it is one way, step by step.
func TestWhoDeclared(t *testing.T) {
	w := newTown(t)
	sites := milan()[:4]
	const byMail, mailAlone, handAlone, known = "Farmacia Orefici", "Banca di Credito Lariano", "Bar Orefici", "Condominio Via Hugo 4"
	sites[0], sites[2] = typedByHand(sites[0]), typedByHand(sites[2])
	ids := w.declare(sites...)
	for _, name := range []string{byMail, mailAlone} {
		o := protocol.Organisation{ID: uuid.NewString(), Kind: protocol.Person, Name: "Titolare di " + name, FiscalCode: "RSSNNA80A41F205O", Trust: protocol.TrustEmail,
			Contacts: []protocol.Contact{{Name: "Anna", Role: protocol.RoleOwner, Phone: "+39 02 1"}}}
		if err := w.reg.AddOrganisation(t.Context(), o, made); err != nil {
			t.Fatal(err)
		}
		if err := w.reg.JoinOrganisation(t.Context(), ids[name], o.ID, made); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{
		byMail:    "Dichiarata a mano, identità confermata solo per e-mail: potrebbe essere chiunque.",
		mailAlone: "Identità confermata solo per e-mail: potrebbe essere chiunque.",
		handAlone: "Dichiarata a mano: niente è misurato sul registratore. Chi ha dichiarato: con un codice dato dal Comune.",
	}

	v := w.searched(ids, byMail, mailAlone, handAlone, known)
	answer := w.get("/search/"+v.Get("search"), officerName)
	var a jsonAnswer
	if err := json.Unmarshal([]byte(answer.body), &a); err != nil {
		t.Fatalf("%v: %s", err, answer.body)
	}
	said := map[string]bool{}
	for _, r := range a.Results {
		text := want[r.SiteName]
		if r.SiteName == byMail || r.SiteName == mailAlone {
			if r.Trust != "e-mail" {
				t.Errorf("%s: the trust is %q", r.SiteName, r.Trust)
			}
		}
		said[r.SiteName] = true
		if last := r.Why[len(r.Why)-1]; (text != "" && last != inEnglish[text]) || text == "" && strings.Contains(strings.Join(r.Why, " "), "by hand") {
			t.Errorf("%s: the reasons end with %q", r.SiteName, last)
		}
	}
	if len(said) != 4 {
		t.Fatalf("shown: %v", said)
	}

	// once tells how often each text stands on a page.
	once := func(what string, page reply, texts ...string) {
		t.Helper()
		if page.status != http.StatusOK {
			t.Fatalf("%s: %d %s", what, page.status, page.body)
		}
		for _, text := range want {
			if got := strings.Contains(page.body, text); got != slices.Contains(texts, text) {
				t.Errorf("%s says %q: %v", what, text, got)
			}
		}
	}
	once("the answer", w.send("GET", "/search/"+v.Get("search"), officerName, nil, true), want[byMail], want[mailAlone], want[handAlone])
	once("asking to preserve", w.send("POST", "/preserve", officerName, v, true), want[byMail], want[mailAlone], want[handAlone])
	once("the form of a paper", w.send("POST", "/papers/new", officerName, v, true), want[byMail], want[mailAlone], want[handAlone])
	once("the patrol's sheet", w.send("POST", "/patrol", officerName, v, true), want[byMail], want[mailAlone], want[handAlone])
	once("the file", w.exportAs(v.Get("search"), "csv", officerName), want[byMail], want[mailAlone], want[handAlone])

	var revealed jsonReveal
	res := w.send("POST", "/reveal", officerName, v, false)
	if err := json.Unmarshal([]byte(res.body), &revealed); err != nil || len(revealed.Sites) != 4 {
		t.Fatalf("%d %s", res.status, res.body)
	}
	for _, s := range revealed.Sites {
		if mail := want[s.SiteName] == want[byMail] || want[s.SiteName] == want[mailAlone]; (s.Trust == "e-mail") != mail {
			t.Errorf("%s: revealed with the trust %q", s.SiteName, s.Trust)
		}
	}
	sent := w.send("POST", "/requests", officerName, url.Values{"search": v["search"], "listed": v["site"], "site": v["site"], "kind": {"invitation"},
		"before": {"5"}, "after": {"5"}, "phone": {"02 1"}}, true)
	once("the request", w.send("GET", sent.header.Get("Location"), officerName, nil, true), want[mailAlone])

	for _, width := range []int64{1280, 390} {
		b := pagestest.Open(t, w.server.URL, width, 900)
		w.signIn(b, officerName)
		b.Visit("/search/" + v.Get("search"))
		b.Check(map[int64]string{1280: "origin-wide", 390: "origin-narrow"}[width])
	}
}

// inEnglish are the same words as programs get them.
var inEnglish = map[string]string{
	"Dichiarata a mano, identità confermata solo per e-mail: potrebbe essere chiunque.":                        "Declared by hand, identity confirmed by e-mail only: it might be anybody.",
	"Identità confermata solo per e-mail: potrebbe essere chiunque.":                                           "Identity confirmed by e-mail only: it might be anybody.",
	"Dichiarata a mano: niente è misurato sul registratore. Chi ha dichiarato: con un codice dato dal Comune.": "Declared by hand: nothing was measured on the recorder. Declared by someone with a code given by the municipality.",
}
