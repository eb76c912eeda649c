package review

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

// fourCameras is an owner who is enrolled, whose recorder has four cameras, all
// placed and with somebody to call; none is answered. It gives their ids by name.
func fourCameras(t *testing.T) (*owner, map[string]string) {
	t.Helper()
	o := start(t)
	d := recorder()
	d.Channels = append(d.Channels, d.Channels[0], d.Channels[1])
	for i, name := range []string{"Ingresso strada", "Ingresso cortile", "Cassa", "Magazzino"} {
		d.Channels[i].ID, d.Channels[i].Name = string(rune('1'+i)), name
	}
	o.found = []interrogate.Device{d}
	o.signIn(t)
	<-o.Review.start()
	if err := o.Inventory.AddGrant(t.Context(), grant().Grant, grant().Collector); err != nil {
		t.Fatal(err)
	}
	if err := o.Inventory.SetContact(t.Context(), "", protocol.Contact{Name: "Anna Neri", Role: protocol.RoleOwner, Phone: "+39 02 5550 0100"}); err != nil {
		t.Fatal(err)
	}
	all := o.known(t).Cameras
	if len(all) != 4 {
		t.Fatalf("%d cameras", len(all))
	}
	ids := map[string]string{}
	for _, c := range all {
		ids[c.Values.Name] = c.ID
		if err := o.Inventory.Set(t.Context(), c.ID, inventory.Edit{Lon: new(9.19), Lat: new(45.46)}); err != nil {
			t.Fatal(err)
		}
	}
	return o, ids
}

// answered says of the first that it films an outdoor public area, and of the others
// that they do not, or nothing.
func answered(t *testing.T, o *owner, ids map[string]string, others *bool) {
	t.Helper()
	for name, id := range ids {
		e := inventory.Edit{Outdoor: others}
		if name == "Ingresso strada" {
			e.Outdoor = new(true)
		}
		if err := o.Inventory.Set(t.Context(), id, e); err != nil {
			t.Fatal(err)
		}
	}
}

// upload posts the form with the file, as a browser does.
func (o *owner) upload(t *testing.T, file string, others ...string) (int, string) {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile("file", "telecamere.csv")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write([]byte(file)); err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(others); i += 2 {
		if err := w.WriteField(others[i], others[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	status, text, _ := o.send(t, "POST", "/bulk/sheet", body.String(), "Content-Type", w.FormDataContentType())
	return status, text
}

// agree says yes to all that a summary shows, and nothing else.
func (o *owner) agree(t *testing.T, page string, role ...string) int {
	t.Helper()
	seen := regexp.MustCompile(`name="seen" value="([0-9a-f]+)"`).FindStringSubmatch(page)
	if seen == nil {
		t.Fatal("the page has no form to approve with")
	}
	form := url.Values{"by": {"Ugo Verdi"}, "read": {"yes"}, "seen": {seen[1]}, "role": role, "notice": {pages.OwnersNotice}}
	for _, id := range regexp.MustCompile(`name="ids" value="([0-9a-f-]+)"`).FindAllStringSubmatch(page[strings.Index(page, `action="/approve"`):], -1) {
		form.Add("ids", id[1])
	}
	status, _, _ := o.send(t, "POST", "/approve", form.Encode())
	return status
}

const oneOutdoors = "nome;area_pubblica\nIngresso strada;sì\nIngresso cortile;no\nCassa;no\nMagazzino;\n"

// TestOfFourCamerasOneLeaves: one of four films an outdoor public area, the others
// were answered no or not at all. Whatever way is taken, one leaves.
func TestOfFourCamerasOneLeaves(t *testing.T) {
	for name, way := range map[string]func(t *testing.T, o *owner, ids map[string]string){
		"page": func(t *testing.T, o *owner, ids map[string]string) {
			answered(t, o, ids, new(false))
			_, page, _ := o.send(t, "GET", "/approve", "")
			if status := o.agree(t, page); status != http.StatusSeeOther {
				t.Errorf("the yes gives %d", status)
			}
		},
		"page, every id posted": func(t *testing.T, o *owner, ids map[string]string) {
			answered(t, o, ids, nil)
			_, page, _ := o.send(t, "GET", "/approve", "")
			form, _ := url.ParseQuery(yes(t, page, ids["Ingresso strada"]))
			form["ids"] = []string{ids["Ingresso strada"], ids["Ingresso cortile"], ids["Cassa"], ids["Magazzino"]}
			o.send(t, "POST", "/approve", form.Encode())
		},
		"rule on the page": func(t *testing.T, o *owner, ids map[string]string) {
			answered(t, o, ids, nil)
			_, page, _ := o.send(t, "POST", "/bulk/rule", "rule=*")
			if strings.Count(page, `<article class="panel police" aria-labelledby="c-`) != 1 || !strings.Contains(page, "3 restano qui") {
				t.Error("the page does not show the one that goes, and the three that stay")
			}
			if status := o.agree(t, page, "referent"); status != http.StatusSeeOther {
				t.Errorf("the yes gives %d", status)
			}
		},
		"rule by command": func(t *testing.T, o *owner, ids map[string]string) {
			answered(t, o, ids, nil)
			o.api(t, "POST", "/approve", map[string]any{"rule": "*", "by": "Ugo Verdi", "role": "referent"}, nil)
		},
		"CSV on the page": func(t *testing.T, o *owner, ids map[string]string) {
			status, page := o.upload(t, oneOutdoors)
			if status != http.StatusOK || !strings.Contains(page, "3 telecamere cambiano") {
				t.Errorf("the preview: %d", status)
			}
			held := regexp.MustCompile(`name="held" value="([^"]+)"`).FindStringSubmatch(page)
			if held == nil {
				t.Fatal("the preview does not bring the file along")
			}
			status, page = o.upload(t, "", "held", strings.ReplaceAll(held[1], "&#43;", "+"), "keep", "yes")
			if status != http.StatusOK {
				t.Errorf("the file is kept with %d", status)
			}
			if status := o.agree(t, page, "referent"); status != http.StatusSeeOther {
				t.Errorf("the yes gives %d", status)
			}
		},
		"CSV by command": func(t *testing.T, o *owner, ids map[string]string) {
			var rep sheetReport
			o.api(t, "POST", "/bulk/sheet", sheetIn{File: []byte(oneOutdoors), By: "Ugo Verdi"}, &rep)
			if !rep.Kept || rep.Changed != 3 || rep.Same != 1 || rep.Wrong != 0 {
				t.Errorf("%+v", rep)
			}
			o.api(t, "POST", "/approve", map[string]any{"all": true, "by": "Ugo Verdi"}, nil)
		},
		"all": func(t *testing.T, o *owner, ids map[string]string) {
			answered(t, o, ids, nil)
			o.api(t, "POST", "/approve", map[string]any{"all": true, "by": "Ugo Verdi"}, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			o, ids := fourCameras(t)
			way(t, o, ids)
			sent, err := o.Inventory.Outbox(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(sent) != 1 {
				t.Fatalf("%d messages left, want one", len(sent))
			}
			d, _ := sent[0].Message.Body.(protocol.Declaration)
			if len(d.Cameras) != 1 || d.Cameras[0].ID != ids["Ingresso strada"] || !d.Cameras[0].OutdoorPublic.Yes {
				t.Errorf("declared %+v", d.Cameras)
			}
			if strings.Contains(name, "rule") && d.Approval.Role != protocol.RoleReferent || d.Approval.By != "Ugo Verdi" && !strings.HasPrefix(name, "page, ") {
				t.Errorf("approved by %+v", d.Approval)
			}
		})
	}
}

// A file with a wrong line, a dry run and a preview keep nothing; -partial keeps the rest.
func TestSheetsWithWrongLines(t *testing.T) {
	o, ids := fourCameras(t)
	file := []byte("nome;area_pubblica;direzione\nIngresso strada;sì;90\nCassa;boh;\nMagazzino;no;400\n")
	answers := func() (n int) {
		all := o.known(t).Cameras
		for _, c := range all {
			if c.Outdoor != nil {
				n++
			}
		}
		return n
	}
	var rep sheetReport
	o.api(t, "POST", "/bulk/sheet", sheetIn{File: file}, &rep)
	if rep.Kept || rep.Wrong != 2 || answers() != 0 || len(rep.Lines) != 3 ||
		rep.Lines[1].Problems[0].Line != 3 || rep.Lines[1].Problems[0].Why != "Write yes or no." || rep.Lines[2].Problems[0].Column != "direction" {
		t.Errorf("%+v, %d answers", rep, answers())
	}
	status, page := o.upload(t, string(file))
	if status != http.StatusUnprocessableEntity || !strings.Contains(page, "2 righe sono sbagliate") || !strings.Contains(page, "da 0 a 359") || answers() != 0 {
		t.Errorf("the page gives %d", status)
	}
	if status, page := o.upload(t, "a;b\n1;2\n"); status != http.StatusUnprocessableEntity || !strings.Contains(page, "Servono una colonna") {
		t.Errorf("a file of something else gives %d", status)
	}
	if status, page := o.upload(t, ""); status != http.StatusUnprocessableEntity || !strings.Contains(page, "Scegli un file") {
		t.Errorf("no file gives %d", status)
	}
	if status, _ := o.upload(t, strings.Repeat("x", 2*maxSheetBody)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a huge file gives %d", status)
	}
	o.api(t, "POST", "/bulk/sheet", sheetIn{File: file, Partial: true, DryRun: true}, &rep)
	if rep.Kept || answers() != 0 {
		t.Error("a dry run keeps something")
	}
	o.api(t, "POST", "/bulk/sheet", sheetIn{File: file, Partial: true}, &rep)
	if c, err := o.known(t).Camera(ids["Ingresso strada"]); !rep.Kept || rep.Changed != 1 || answers() != 1 || err != nil || !*c.Outdoor {
		t.Errorf("%+v, %d answers, %v", rep, answers(), err)
	}
	held := base64.StdEncoding.EncodeToString([]byte("nome;area_pubblica\nCassa;no\n"))
	if status, _ := o.upload(t, "", "held", held, "keep", "yes"); status != http.StatusSeeOther || answers() != 2 {
		t.Errorf("a file of which nothing waits: %d", status)
	}
}

// What a rule, or a file, does not mean is not on the summary that it leads to, and
// does not leave by its yes; nor after a form that was refused.
func TestRuleAndFileMeanTheirCamerasAlone(t *testing.T) {
	for name, shown := range map[string]func(t *testing.T, o *owner) string{
		"rule": func(t *testing.T, o *owner) string {
			_, page, _ := o.send(t, "POST", "/bulk/rule", "rule=Ingresso*")
			return page
		},
		"file": func(t *testing.T, o *owner) string {
			held := base64.StdEncoding.EncodeToString([]byte("nome;direzione\nIngresso strada;90\n"))
			_, page := o.upload(t, "", "held", held, "keep", "yes")
			return page
		},
	} {
		t.Run(name, func(t *testing.T) {
			o, ids := fourCameras(t)
			answered(t, o, ids, new(true))
			page := shown(t, o)
			_, refused, _ := o.send(t, "POST", "/approve", strings.Replace(yes(t, page, ids["Ingresso strada"]), "read=yes", "role=referent", 1))
			for _, page := range []string{page, refused} {
				if !strings.Contains(page, "Ingresso strada") || strings.Contains(page, "Cassa") {
					t.Error("the summary shows other cameras")
				}
			}
			if !strings.Contains(refused, `value="referent" selected`) {
				t.Error("the role that was chosen is gone")
			}
			o.agree(t, page)
			sent, err := o.Inventory.Outbox(t.Context())
			if err != nil || len(sent) != 1 {
				t.Fatalf("%d messages, %v", len(sent), err)
			}
			for _, c := range sent[0].Message.Body.(protocol.Declaration).Cameras {
				if !strings.HasPrefix(c.Name, "Ingresso") {
					t.Errorf("%s left", c.Name)
				}
			}
		})
	}
}

// A rule answers by "set" alone, never a name, and an approval is tried first.
func TestRuleByCommand(t *testing.T) {
	o, ids := fourCameras(t)
	var rep sheetReport
	var refused told
	if status := o.api(t, "POST", "/bulk/rule", ruleIn{Rule: "*", Edit: inventory.Edit{Name: new("x")}}, &refused); status != http.StatusUnprocessableEntity || refused.Field != "name" {
		t.Errorf("one name for all: %d %+v", status, refused)
	}
	if status := o.api(t, "POST", "/bulk/rule", ruleIn{Rule: "["}, &refused); status != http.StatusUnprocessableEntity || refused.Field != "rule" {
		t.Errorf("no rule: %d %+v", status, refused)
	}
	o.api(t, "POST", "/bulk/rule", ruleIn{Rule: "Ingresso*", Edit: inventory.Edit{Outdoor: new(true)}, DryRun: true}, &rep)
	if rep.Kept || rep.Changed != 2 {
		t.Errorf("%+v", rep)
	}
	o.api(t, "POST", "/bulk/rule", ruleIn{Rule: "Ingresso*", Edit: inventory.Edit{Outdoor: new(true)}}, &rep)
	for name, id := range ids {
		c, err := o.known(t).Camera(id)
		if err != nil || (c.Outdoor != nil) != strings.HasPrefix(name, "Ingresso") {
			t.Errorf("%s: answered %t, %v", name, c.Outdoor != nil, err)
		}
	}
	var tried struct {
		Results  []inventory.Result
		Messages []json.RawMessage
	}
	o.api(t, "POST", "/approve", map[string]any{"all": true, "dry_run": true}, &tried)
	if sent, err := o.Inventory.Outbox(t.Context()); err != nil || len(sent) != 0 || len(tried.Messages) != 1 || len(tried.Results) != 4 {
		t.Errorf("%+v, %d sent, %v", tried.Results, len(sent), err)
	}
	for _, in := range []map[string]any{{"all": true, "rule": "*"}, {"all": true, "role": "control-room"}, {}} {
		if status := o.api(t, "POST", "/approve", in, &refused); status != http.StatusBadRequest {
			t.Errorf("%v: %d", in, status)
		}
	}
	if status := o.api(t, "POST", "/withdraw", map[string]any{"rule": "*"}, &refused); status != http.StatusBadRequest {
		t.Errorf("a withdrawal by rule: %d", status)
	}
	if status, page, _ := o.send(t, "POST", "/bulk/rule", "rule=Cantina*"); status != http.StatusUnprocessableEntity || !strings.Contains(page, "Nessuna telecamera ha un nome così") {
		t.Errorf("a rule for none: %d", status)
	}
	if status, page, _ := o.send(t, "GET", "/bulk/sheet", ""); status != http.StatusOK || !strings.HasPrefix(page, "\ufeffid;registratore;canale;nome;") {
		t.Errorf("the sheet: %d %.40q", status, page)
	}
}

// TestBulkPages shows the pages of many cameras to a browser.
func TestBulkPages(t *testing.T) {
	for _, tc := range []struct {
		name  string
		width int64
		lang  string
	}{{"wide-it", 1280, "it"}, {"narrow-en", 390, "en"}} {
		t.Run(tc.name, func(t *testing.T) {
			o, ids := fourCameras(t)
			if err := declareOne(t, o, ids["Magazzino"]); err != nil {
				t.Fatal(err)
			}
			b := o.browser(t, tc.width)
			check := func(name string) { t.Helper(); b.Check(tc.name + "-bulk-" + name) }
			b.Visit("/?lang=" + tc.lang)
			b.Press("a[href='/bulk']")
			check("01")
			b.Press("form[action='/bulk/sheet'] button")
			check("02-no-file")
			give := func(file string) {
				pagestest.Eval[int](b, fmt.Sprintf("(() => { const d = new DataTransfer(); d.items.add(new File([%q], 'telecamere.csv')); document.querySelector('#file').files = d.files; return 1 })()", file))
				b.Press("form[action='/bulk/sheet'] button")
			}
			give("nome;area_pubblica;direzione;colore\nIngresso strada;sì;90;blu\nCassa;boh;;\nMagazzino;no;;\nPorta;sì;400;\n")
			check("03-wrong-lines")
			b.Press("a[href='/bulk']")
			give("a;b\n1;2\n")
			check("04-wrong-file")
			b.Press("a[href='/bulk']")
			give("nome;area_pubblica;direzione\nIngresso strada;sì;90\nCassa;no;\nIngresso cortile;;180\n")
			check("05-preview")
			b.Press("main form button")
			check("06-summary")
			b.Press(".act form button")
			check("07-summary-refused")
			b.Visit("/bulk")
			b.Fill("#rule", "[")
			b.Press("form[action='/bulk/rule'] button")
			check("08-rule-refused")
			b.Fill("#rule", "Ingresso*")
			b.Press("form[action='/bulk/rule'] button")
			check("09-rule")
			b.Click("#read")
			b.Press(".act form button")
			c, err := o.known(t).Camera(ids["Ingresso strada"])
			if err != nil || c.State != inventory.StateDeclared {
				t.Errorf("%s, %v", c.State, err)
			}
			if c, err = o.known(t).Camera(ids["Ingresso cortile"]); err != nil || c.State != inventory.StateFound {
				t.Errorf("%s, %v", c.State, err)
			}
		})
	}
}
