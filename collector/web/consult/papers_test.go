package consult

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"html"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"anagrafe/collector/dossier"
	"anagrafe/collector/paper"
	"anagrafe/protocol"
)

// searched is an officer's answer, and the form that names its sites.
func (w *town) searched(ids map[string]string, names ...string) url.Values {
	w.t.Helper()
	v := url.Values{"search": {w.answer(exact()).Search}}
	for _, name := range names {
		v.Add("site", ids[name])
	}
	return v
}

// plus is a form with some fields changed.
func plus(v url.Values, pairs ...string) url.Values {
	out := maps.Clone(v)
	for i := 0; i+1 < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	return out
}

// read loads a page or a file, as a browser does.
func (w *town) read(path, officer string) reply {
	w.t.Helper()
	res := w.send("GET", path, officer, nil, true)
	if strings.HasPrefix(res.header.Get("Content-Type"), "text/html") {
		res.body = html.UnescapeString(res.body)
	}
	return res
}

// paper makes papers and gives the path at which the answer leads on.
func (w *town) paper(v url.Values) string {
	w.t.Helper()
	res := w.send("POST", "/papers", officerName, plus(v, "basis", "348", "place", "Via Orefici", "office", "Squadra mobile", "phone", "+39 02 62261"), true)
	if res.status != http.StatusSeeOther {
		w.t.Fatal(res.status, res.body)
	}
	return res.header.Get("Location")
}

// TestPaper: one act for one owner; the page and the file say the same, and the
// trail has the hash of both what it is made from and the file.
func TestPaper(t *testing.T) {
	w := newTown(t)
	ids := w.declare(milan()...)
	v := w.searched(ids, "Farmacia Orefici")
	if res := w.send("POST", "/papers/new", officerName, v, true); res.status != http.StatusOK || !strings.Contains(res.body, "Farmacia Orefici") || !strings.Contains(res.body, "art. 354") {
		t.Fatalf("the form: %d %s", res.status, res.body)
	}
	if n := len(w.entries("paper")); n != 0 {
		t.Fatalf("the form alone made %d entries", n)
	}
	at := w.paper(v)
	page := w.read(at, officerName)
	for _, want := range []string{"n. 1/2026", "Questura, Squadra mobile", "Ispettrice L. Bruni, ufficiale di PG", "Farmacia Orefici, Via Orefici 5", "Ingresso", "Vetrina",
		"avanti di 3 min 10 s", "con onvif GetSystemDateAndTime", "Annotazione 2026/118", "art. 348 c.p.p.", `lang="it"`, "Verbale di consegna", `<th scope="col">`} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	file := w.read(at+".pdf", officerName)
	if file.status != http.StatusOK || file.header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(file.body, "%PDF-1.") ||
		file.header.Get("Content-Disposition") != `attachment; filename="richiesta-1-2026.pdf"` {
		t.Fatalf("%d %v", file.status, file.header)
	}
	entries := w.entries("paper")
	if len(entries) != 1 {
		t.Fatalf("%d entries", len(entries))
	}
	var said paperBody
	if err := json.Unmarshal(entries[0].Content.Details, &said); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(file.body))
	if said.File != hex.EncodeToString(sum[:]) || said.Number != "1/2026" || said.Owner != "Farmacia Orefici" || said.Opened != nil || said.Basis != paper.Assurance {
		t.Errorf("the trail says %+v, the file has %x", said, sum)
	}
	if !strings.Contains(page.body, said.File) || !strings.Contains(page.body, "SHA-256") {
		t.Error("the page does not name the file's hash")
	}
	if n := len(w.entries("paper-open")); n != 2 {
		t.Errorf("%d entries for two readings", n)
	}
	if again := w.read(at+".pdf", officerName); again.body != file.body {
		t.Error("the file made anew is another")
	}
}

// TestPaperNamesOpenedContacts: the entry says whose contacts stand in the paper, as a
// colleague who did not open them may read or make it.
func TestPaperNamesOpenedContacts(t *testing.T) {
	w := newTown(t)
	ids := w.declare(milan()...)
	w.of(neri, "Questura", "agente di PG")
	v := w.searched(ids, "Farmacia Orefici", "Bar Orefici")
	if res := w.send("POST", "/reveal", officerName, url.Values{"search": v["search"], "site": {ids["Farmacia Orefici"]}}, true); res.status != http.StatusSeeOther {
		t.Fatal(res.status)
	}
	res := w.send("POST", "/requests", officerName, url.Values{"search": v["search"], "listed": v["site"], "site": v["site"], "kind": {"invitation"}, "before": {"5"}, "after": {"5"}}, true)
	request := strings.TrimPrefix(res.header.Get("Location"), "/requests/")
	form := url.Values{"case": {w.onlyCase().ID}, "request": {request}, "basis": {"348"}, "place": {"Via Orefici"}}
	if res := w.send("POST", "/papers", neri, form, true); res.status != http.StatusSeeOther {
		t.Fatal(res.status, res.body)
	}
	said := map[string]paperBody{}
	for _, e := range w.entries("paper") {
		var b paperBody
		if err := json.Unmarshal(e.Content.Details, &b); err != nil {
			t.Fatal(err)
		}
		said[b.Owner] = b
	}
	if got := said["Farmacia Orefici"].Opened; len(got) != 1 || got[0] != ids["Farmacia Orefici"] || len(said) != 2 || said["Bar Orefici"].Opened != nil {
		t.Errorf("%+v", said)
	}
}

// TestPapersByOwner: the sites of one organisation are asked in one paper, to who
// represents it; numbers follow one another.
func TestPapersByOwner(t *testing.T) {
	w := newTown(t)
	ids := w.declare(milan()...)
	o := protocol.Organisation{ID: "00000000-0000-4000-8000-000000000077", Kind: protocol.Firm, Name: "Gruppo Orefici", FiscalCode: "01199250158", Trust: protocol.TrustPEC,
		Representative: &protocol.Representative{Name: "Dora Neri", Capacity: "legale rappresentante"},
		Contacts:       []protocol.Contact{{Name: "Sala", Role: protocol.RoleControlRoom, Phone: "+39 02 1"}}}
	if err := w.reg.AddOrganisation(t.Context(), o, made); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Farmacia Orefici", "Bar Orefici"} {
		if err := w.reg.JoinOrganisation(t.Context(), ids[name], o.ID, made); err != nil {
			t.Fatal(err)
		}
	}
	at := w.paper(w.searched(ids, "Farmacia Orefici", "Banca di Credito Lariano", "Bar Orefici"))
	k := w.onlyCase()
	if at != "/cases/"+k.ID+"/papers" {
		t.Fatalf("it leads to %s", at)
	}
	papers, err := w.reg.Papers(t.Context(), k.ID)
	if err != nil || len(papers) != 2 {
		t.Fatalf("%d papers, %v", len(papers), err)
	}
	for i, want := range []struct {
		to, person string
		sites      int
	}{{"Gruppo Orefici", "Dora Neri", 2}, {"Banca di Credito Lariano", "", 1}} {
		a, err := paper.Decode(papers[i].Body)
		if err != nil || a.Number != i+1 || a.To.Name != want.to || a.To.Representative != want.person || len(a.Sites) != want.sites {
			t.Errorf("paper %d: %+v, %v", i+1, a, err)
		}
	}
	list := w.read(at, officerName)
	for _, want := range []string{"1/2026", "2/2026", "Gruppo Orefici", papers[1].ID + ".pdf"} {
		if !strings.Contains(list.body, want) {
			t.Errorf("the list lacks %q", want)
		}
	}
}

// TestPaperRefused: what is missing is asked for again, what may not be is not
// done, and nothing of it takes a number.
func TestPaperRefused(t *testing.T) {
	w := newTown(t)
	ids := w.declare(milan()...)
	w.of("Agente M. Neri", "Questura", "agente di PG")
	v := w.searched(ids, "Farmacia Orefici")
	ok := plus(v, "basis", "348", "place", "Via Orefici")
	for name, c := range map[string]struct {
		form   url.Values
		status int
		says   string
	}{
		"no basis":       {plus(ok, "basis", "253"), 422, "Scegli la base giuridica"},
		"no place":       {plus(ok, "place", " "), 422, "Scrivi il luogo"},
		"long":           {plus(ok, "office", strings.Repeat("x", 301)), 422, "troppo lungo"},
		"nothing":        {url.Values{"search": v["search"], "basis": {"348"}, "place": {"x"}}, 422, "Scegli almeno un luogo"},
		"another site":   {plus(ok, "site", "00000000-0000-4000-8000-000000000009"), 422, ""},
		"no such answer": {plus(ok, "search", "x"), 404, ""},
	} {
		if res := w.send("POST", "/papers", officerName, c.form, true); res.status != c.status || !strings.Contains(res.body, c.says) {
			t.Errorf("%s: %d, want %d: %s", name, res.status, c.status, c.says)
		}
	}
	mine := w.send("POST", "/search", "Agente M. Neri", exact(), false)
	var answer jsonAnswer
	if err := json.Unmarshal([]byte(mine.body), &answer); err != nil {
		t.Fatal(err)
	}
	order := plus(ok, "search", answer.Search, "basis", "354")
	if res := w.send("POST", "/papers", "Agente M. Neri", order, true); res.status != 422 || strings.Contains(res.body, `value="354"`) {
		t.Errorf("an agente may order: %d", res.status)
	}
	if n := len(w.entries("paper")); n != 0 {
		t.Errorf("%d papers were made", n)
	}
	if at := w.paper(v); !strings.Contains(w.read(at, officerName).body, "n. 1/2026") {
		t.Error("what was refused took a number")
	}
}

// TestPaperOfOthers: a force sees the papers of its own cases, and of those shared
// with it.
func TestPaperOfOthers(t *testing.T) {
	w := newTown(t)
	ids := w.declare(milan()...)
	other, _ := w.carabinieri()
	at := w.paper(w.searched(ids, "Farmacia Orefici"))
	k := w.onlyCase()
	for _, path := range []string{at, at + ".pdf", "/cases/" + k.ID + "/papers"} {
		if res := w.read(path, other); res.status != http.StatusNotFound || strings.Contains(res.body, "Via Orefici 5") {
			t.Errorf("another force gets %s: %d", path, res.status)
		}
	}
	if res := w.inside(other, k.ID, "dossier", url.Values{}); res.status != http.StatusNotFound {
		t.Errorf("another force gets the dossier: %d", res.status)
	}
	if res := w.inside(officerName, k.ID, "share", url.Values{"force": {"Carabinieri"}}); res.status != http.StatusSeeOther {
		t.Fatal(res.status, res.body)
	}
	if res := w.read(at, other); res.status != http.StatusOK || !strings.Contains(res.body, "Via Orefici 5") {
		t.Errorf("a force that it was shared with: %d", res.status)
	}
}

// TestNoTrailNoPaper: without its entry a paper is annulled, and never seen.
func TestNoTrailNoPaper(t *testing.T) {
	w := newTown(t)
	ids := w.declare(milan()...)
	v := w.searched(ids, "Farmacia Orefici")
	if err := w.trail.Close(); err != nil {
		t.Fatal(err)
	}
	if res := w.send("POST", "/papers", officerName, plus(v, "basis", "348", "place", "x"), true); res.status != http.StatusServiceUnavailable {
		t.Fatalf("%d %s", res.status, res.body)
	}
	k := w.onlyCase()
	papers, err := w.reg.Papers(t.Context(), k.ID)
	if err != nil || len(papers) != 1 || !papers[0].Annulled {
		t.Fatalf("%+v, %v", papers, err)
	}
	if res := w.read("/papers/"+papers[0].ID, officerName); res.status != http.StatusNotFound {
		t.Errorf("an annulled paper is shown: %d", res.status)
	}
	if res := w.read("/cases/"+k.ID+"/papers", officerName); !strings.Contains(res.body, "annullata") {
		t.Error("the list does not say that it was annulled")
	}
}

// TestPatrolSheet: doors in walking order, whom to ask for only where it was opened.
func TestPatrolSheet(t *testing.T) {
	w := newTown(t)
	ids := w.declare(milan()...)
	v := w.searched(ids, "Ottica Duomo", "Farmacia Orefici", "Libreria del Passaggio")
	if res := w.send("POST", "/reveal", officerName, url.Values{"search": v["search"], "site": {ids["Farmacia Orefici"]}}, true); res.status != http.StatusSeeOther {
		t.Fatal(res.status, res.body)
	}
	res := w.send("POST", "/patrol", officerName, v, true)
	res.body = html.UnescapeString(res.body)
	if res.status != http.StatusOK {
		t.Fatal(res.status, res.body)
	}
	last := 0
	for _, want := range []string{"1. Farmacia Orefici, Via Orefici 5", "Marta Colli, proprietario, +39 02 5550 116, risponde dalle 8 alle 20", "recapito non aperto"} {
		at := strings.Index(res.body[last:], want)
		if at < 0 {
			t.Fatalf("the sheet does not say %q after the others: %s", want, res.body)
		}
		last += at
	}
	if strings.Contains(res.body, "Ugo Sala") {
		t.Error("a contact that was not opened is on the sheet")
	}
	file := w.send("POST", "/patrol", officerName, plus(v, "as", "pdf"), true)
	if file.status != http.StatusOK || !strings.HasPrefix(file.body, "%PDF-1.") {
		t.Errorf("%d %.40s", file.status, file.body)
	}
	if n := len(w.entries("patrol")); n != 2 {
		t.Errorf("%d entries for two sheets", n)
	}
	// Without a choice it is of those that were opened.
	if res := w.send("POST", "/patrol", officerName, url.Values{"search": v["search"]}, true); !strings.Contains(res.body, "Farmacia") || strings.Contains(res.body, "Ottica") {
		t.Errorf("%d %s", res.status, res.body)
	}
}

// TestDossier: all that was done in the case is in it, verifies with the key alone,
// and an altered byte is found.
func TestDossier(t *testing.T) {
	w := newTown(t)
	ids := w.declare(milan()...)
	v := w.searched(ids, "Farmacia Orefici")
	w.send("POST", "/reveal", officerName, v, true)
	w.paper(v)
	k := w.onlyCase()
	res := w.inside(officerName, k.ID, "dossier", url.Values{})
	if res.status != http.StatusOK || !strings.Contains(res.header.Get("Content-Disposition"), ".anagrafe-dossier") {
		t.Fatal(res.status, res.body)
	}
	d, err := dossier.Verify([]byte(res.body), w.trail.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, p := range d.Parts {
		kinds = append(kinds, p.Kind)
	}
	if got := strings.Join(kinds, " "); got != "case case-open search reveal paper clock" {
		t.Errorf("parts: %s", got)
	}
	if len(d.Entries) != 4 || d.Head.Case != k.ID {
		t.Errorf("%d entries, %+v", len(d.Entries), d.Head)
	}
	var clock dossierClock
	if err := json.Unmarshal(d.Parts[5].Body, &clock); err != nil || len(clock.Samples) != 1 || clock.Samples[0].OffsetMs != 190_000 ||
		clock.Samples[0].Method != "onvif GetSystemDateAndTime" || clock.Source != protocol.Measured || clock.Site != ids["Farmacia Orefici"] {
		t.Errorf("%+v, %v", clock, err)
	}
	for _, want := range []string{"Marta Colli", "Rapina in strada", "Ingresso"} {
		if !strings.Contains(res.body, want) {
			t.Errorf("the dossier lacks %q", want)
		}
	}
	entries := w.entries("dossier")
	sum := sha256.Sum256([]byte(res.body))
	if len(entries) != 1 || !bytes.Contains(entries[0].Content.Details, []byte(hex.EncodeToString(sum[:]))) {
		t.Errorf("the trail does not have the file's hash: %+v", entries)
	}
	for i := 0; i < len(res.body); i += 97 { // each one of a small dossier: package dossier
		altered := []byte(res.body)
		altered[i] ^= 1
		if _, err := dossier.Verify(altered, w.trail.VerifierKey()); err == nil {
			t.Fatalf("byte %d altered: it verified", i)
		}
	}
}

// TestPaperFromRequest: what the case keeps of the searches fills in the papers of a
// request, with its code and when it was sent.
func TestPaperFromRequest(t *testing.T) {
	w := newTown(t)
	ids := w.declare(milan()...)
	answer := w.answer(exact())
	k, site := w.onlyCase(), ids["Farmacia Orefici"]
	var cameras []string
	for _, r := range answer.Results {
		if r.SiteID == site {
			cameras = append(cameras, r.CameraID)
		}
	}
	if res := w.send("POST", "/requests", officerName, asking(cameras...), false); res.status != http.StatusOK {
		t.Fatal(res.status, res.body)
	}
	q, _ := w.newest()
	v := url.Values{"request": {q.ID}, "case": {k.ID}}
	if res := w.send("POST", "/papers/new", officerName, v, true); res.status != http.StatusOK || !strings.Contains(res.body, "Vetrina") || strings.Contains(res.body, "Banca") {
		t.Fatalf("the form: %d %s", res.status, res.body)
	}
	page := w.read(w.paper(v), officerName)
	for _, want := range []string{"Farmacia Orefici", "Ingresso", "Retro, Aster NVR-16, canale 1", "21/11/2026, dalle 13:33:08 alle 14:33:11", "avanti di 3 min 10 s", "con onvif GetSystemDateAndTime",
		q.Sites[0].Asked.CheckCode, "inviata sabato 21 novembre 2026, ore 14:30", "21/11/2026 20:45"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, bad := range []url.Values{plus(v, "request", "x"), plus(v, "case", "x")} {
		if res := w.send("POST", "/papers", officerName, bad, true); res.status != http.StatusNotFound {
			t.Errorf("%v: %d", bad, res.status)
		}
	}
}
