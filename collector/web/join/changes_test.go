package join

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// An owner reads who changed what, and when, the newest first: their referent's word,
// what the program read, and what they did on this page. The export has the same.
func TestWhoChangedThisCamera(t *testing.T) {
	d := newDoor(t)
	at := d.now.Add(-24 * time.Hour)
	sent := d.sent.Body.(protocol.Declaration)
	sent.Cameras = slices.Clone(sent.Cameras)
	moved := &sent.Cameras[0]
	moved.Name, moved.NameFact.At = "Ingresso", at
	moved.Position.Lat += 300
	moved.Position.Fact = protocol.Fact{Source: protocol.Declared, At: at}
	sent.Cameras = sent.Cameras[:1]
	sent.Approval = protocol.Approval{By: "Luca Verdi", Role: protocol.RoleReferent, At: at}
	d.sends(at, sent)
	cookie, _ := d.enter(d.code.String())
	if resp := d.ask(http.MethodPost, "/site/suspend", cookie, nil, nil); resp.StatusCode != http.StatusSeeOther {
		t.Fatal(resp.Status)
	}
	d.now = d.now.Add(time.Second)

	resp := d.ask(http.MethodGet, "/site/changes?lang=it", cookie, nil, nil)
	page := body(t, resp)
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, page)
	}
	text := regexp.MustCompile(`\s+`).ReplaceAllString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " "), " ")
	rest := text
	for _, want := range []string{"sospesa: nessuna ricerca la trova", "Referente tecnico: Luca Verdi", "il nome, da «Ingresso via Torino» a «Ingresso»", "la posizione", "non più nel registro",
		"Proprietario: Anna Bianchi", "ora nel registro"} {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Errorf("%q is not there, or not in its order:\n%s", want, text)
			continue
		}
		rest = after
	}
	for _, hidden := range []string{"name_fact", "changes."} {
		if strings.Contains(page, hidden) {
			t.Errorf("the page says %q", hidden)
		}
	}

	status, file := d.control(http.MethodPost, "/export", exportRequest{Site: d.site, Format: "json"})
	var out struct {
		Sites []struct {
			History struct {
				Changes []registry.Change `json:"changes"`
			} `json:"history"`
		} `json:"sites"`
	}
	if err := json.Unmarshal(file, &out); err != nil || status != http.StatusOK || len(out.Sites) != 1 {
		t.Fatal(status, err, string(file))
	}
	if !slices.ContainsFunc(out.Sites[0].History.Changes, func(c registry.Change) bool {
		return c.ID == moved.ID && c.Field == "name" && c.After == "Ingresso" && c.Name == "Luca Verdi" && c.Author == "referent"
	}) {
		t.Errorf("the export does not tell who changed the name: %s", file)
	}
}

// Nobody reads it without the owner's session.
func TestChangesNeedTheCode(t *testing.T) {
	d := newDoor(t)
	if page := body(t, d.ask(http.MethodGet, "/site/changes", "", nil, nil)); strings.Contains(page, "Anna Bianchi") || !strings.Contains(page, `name="code"`) {
		t.Error(page)
	}
}
