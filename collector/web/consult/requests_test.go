package consult

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

func asking(cameras ...string) url.Values {
	return url.Values{"camera": cameras, "from": {noon.Add(-time.Hour).Format(time.RFC3339)}, "until": {noon.Format(time.RFC3339)}, "kind": {"order"},
		"phone": {"+39 02 5555 0113"}, "case_kind": {"annotation"}, "case_ref": {"2026/118"}, "offence": {"robbery"}, "reason": {"rapina in piazza"}}
}

func cameraID(site, name string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(site+name)).String()
}

// TestRequest: one act asks each site once, is on the trail with all that was
// asked before anybody is told, and its force reads how far it has come.
func TestRequest(t *testing.T) {
	w := newTown(t)
	ids := w.declare(milan()...)
	door, window, cash := cameraID("Farmacia Orefici", "Ingresso"), cameraID("Farmacia Orefici", "Vetrina"), cameraID("Banca di Credito Lariano", "EST 1 bancomat")
	res := w.send("POST", "/requests", officerName, asking(door, cash, window), false)
	var got jsonRequest
	if err := json.Unmarshal([]byte(res.body), &got); err != nil || res.status != http.StatusOK {
		t.Fatalf("%d %s", res.status, res.body)
	}
	if len(got.Notices) != 2 || got.Notices[0].Site != ids["Farmacia Orefici"] || len(got.Notices[0].Cameras) != 2 || got.Notices[1].Site != ids["Banca di Credito Lariano"] {
		t.Errorf("%+v", got)
	}
	entries := w.entries("request")
	if len(entries) != 1 {
		t.Fatalf("%d entries", len(entries))
	}
	e := entries[0]
	for _, want := range []string{got.Request, got.Notices[1].Notice, got.Notices[1].CheckCode, cash, `"kind":"order"`, "rapina in piazza", "ufficiale di PG", "+39 02 5555 0113"} {
		if !strings.Contains(string(e.Content.Details), want) {
			t.Errorf("the entry lacks %q: %s", want, e.Content.Details)
		}
	}
	if e.Content.Case != w.onlyCase().ID || got.Case != e.Content.Case || e.Header.Count != 2 || e.Header.Index != got.Trail.Index {
		t.Errorf("entry %+v, answered %+v", e.Header, got.Trail)
	}
	list := w.requests(officerName)
	if len(list.Notices) != 2 || list.Notices[1].Notice != got.Notices[0].Notice || list.Notices[1].State != registry.NoticeSent || list.Notices[1].SiteName != "Farmacia Orefici" {
		t.Fatalf("list %+v", list)
	}
	p := list.Notices[1].Asked
	if p.From != "Questura, Ispettrice L. Bruni, ufficiale di PG" || p.Reference != "Annotazione 2026/118" || p.Kind != protocol.Order || !p.End.Equal(noon) {
		t.Errorf("asked %+v", p)
	}
	if n := len(w.entries("request-list")); n != 1 {
		t.Errorf("%d entries of lists", n)
	}
}

func (w *town) requests(name string) jsonRequests {
	w.t.Helper()
	res := w.get("/requests", name)
	var list jsonRequests
	if err := json.Unmarshal([]byte(res.body), &list); err != nil || res.status != http.StatusOK {
		w.t.Fatalf("%d %s", res.status, res.body)
	}
	return list
}

// TestRequestsOfAnotherForce are not shown.
func TestRequestsOfAnotherForce(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	if res := w.send("POST", "/requests", officerName, asking(cameraID("Bar Orefici", "Dehors")), false); res.status != http.StatusOK {
		t.Fatal(res.body)
	}
	if err := w.reg.AddForce(t.Context(), "Carabinieri", w.identity.Recipient().String()); err != nil {
		t.Fatal(err)
	}
	w.of("Mar. G. Serra", "Carabinieri", "ufficiale di PG")
	if list := w.requests("Mar. G. Serra"); len(list.Notices) != 0 {
		t.Errorf("another force reads %+v", list)
	}
}

// TestRefusedRequest: nothing is asked, and nothing said to be asked.
func TestRefusedRequest(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	bar := cameraID("Bar Orefici", "Dehors")
	w.of("Agente P. Sala", "Questura", "agente di PG")
	with := func(field string, values ...string) url.Values {
		v := asking(bar)
		if v[field] = values; len(values) == 0 {
			v.Del(field)
		}
		return v
	}
	for name, c := range map[string]struct {
		who    string
		form   url.Values
		status int
		field  string
		want   string
	}{
		"an order by an agente": {"Agente P. Sala", asking(bar), 403, "kind", "Only an ufficiale"},
		"a wish":                {officerName, with("kind", "wish"), 422, "kind", "art. 348"},
		"no camera":             {officerName, with("camera"), 422, "camera", "Name the cameras"},
		"one unknown camera":    {officerName, with("camera", bar, uuid.NewString()), 422, "camera", "No site declares"},
		"no reason":             {officerName, with("reason"), 422, "reason", "Give the reason"},
		"no case":               {officerName, with("case_kind", "x"), 422, "case_kind", "Choose the kind of case"},
		"backwards":             {officerName, with("until", noon.Add(-2*time.Hour).Format(time.RFC3339)), 422, "until", "before the start"},
		"two months":            {officerName, with("from", noon.Add(-60*day).Format(time.RFC3339)), 422, "until", fmt.Sprintf("%d days at most", maxAskedTime/day)},
		"yesterday":             {officerName, with("from", "ieri"), 422, "from", "RFC 3339"},
		"no phone number":       {officerName, with("phone", "chiedere di Verdi"), 422, "phone", "not allowed"},
	} {
		res := w.send("POST", "/requests", c.who, c.form, false)
		var problem struct{ Error, Field string }
		if err := json.Unmarshal([]byte(res.body), &problem); err != nil || res.status != c.status || problem.Field != c.field || !strings.Contains(problem.Error, c.want) {
			t.Errorf("%s: %d %s", name, res.status, res.body)
		}
	}
	invitation := with("kind", "invitation")
	if res := w.send("POST", "/requests", "Agente P. Sala", invitation, false); res.status != http.StatusOK {
		t.Errorf("an invitation by an agente: %d %s", res.status, res.body)
	}
	if n := len(w.entries("request")); n != 1 {
		t.Errorf("%d entries", n)
	}
}

// TestNoTrailNoRequest: what cannot be recorded is not asked.
func TestNoTrailNoRequest(t *testing.T) {
	w := newTown(t)
	w.declare(milan()...)
	if err := w.trail.Close(); err != nil {
		t.Fatal(err)
	}
	if res := w.send("POST", "/requests", officerName, asking(cameraID("Bar Orefici", "Dehors")), false); res.status != http.StatusServiceUnavailable {
		t.Errorf("%d %s", res.status, res.body)
	}
	if res := w.get("/requests", officerName); res.status != http.StatusServiceUnavailable {
		t.Errorf("list: %d %s", res.status, res.body)
	}
	if all, err := w.reg.Asked(t.Context(), "Questura", 10); err != nil || len(all) != 0 {
		t.Errorf("asked without a trail: %+v, %v", all, err)
	}
}

// FuzzRequest: whatever is posted, what is taken is a request that can be asked.
func FuzzRequest(f *testing.F) {
	f.Add(asking(cameraID("Bar Orefici", "Dehors")).Encode())
	f.Add("kind=order&from=2026-11-21T22:00:00Z&until=2026-11-21T22:00:00%2B25:00")
	f.Add("")
	f.Fuzz(func(t *testing.T, form string) {
		v, err := url.ParseQuery(form)
		if err != nil {
			return
		}
		q := readRequest(v)
		p := q.preserve
		if took := p.End.Sub(p.Start); len(q.question.Errors) == 0 && (took <= 0 || took > maxAskedTime || len(p.CameraIDs) == 0 || p.Kind != protocol.Invitation && p.Kind != protocol.Order) {
			t.Errorf("taken: %+v", p)
		}
	})
}
