package join

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

var problemKeys = regexp.MustCompile(`(?:wrong\([^"\n]*(?:"", )?|[kK]ey: |unless\(ok, |whole\(|return )"([a-z-]+)"`)

// ask sends a request to the control socket's handlers.
func (d *door) control(method, path string, in any) (int, []byte) {
	d.t.Helper()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			d.t.Fatal(err)
		}
		body = bytes.NewReader(b)
	}
	r := httptest.NewRequestWithContext(context.Background(), method, path, body)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Accept-Language", "en")
	rw := httptest.NewRecorder()
	d.join.Control().ServeHTTP(rw, r)
	return rw.Code, rw.Body.Bytes()
}

const bankName = "Banca Prealpina"

func (d *door) addBank() string {
	d.t.Helper()
	status, body := d.control(http.MethodPost, "/organisations", protocol.Organisation{Kind: protocol.Firm, Name: bankName, FiscalCode: "IT 01199250158", Trust: protocol.TrustPEC,
		Representative: &protocol.Representative{Name: "Dora Neri", Capacity: "legale rappresentante"},
		Contacts:       []protocol.Contact{{Name: "Sala operativa", Role: protocol.RoleControlRoom, Phone: "+39 02 5550000"}}})
	if status != http.StatusCreated {
		d.t.Fatalf("%d %s", status, body)
	}
	var o protocol.Organisation
	if err := json.Unmarshal(body, &o); err != nil {
		d.t.Fatal(err)
	}
	return o.ID
}

func (d *door) importFile(in importRequest) report {
	d.t.Helper()
	if in.Organisation == "" {
		in.Organisation = bankName
	}
	status, body := d.control(http.MethodPost, "/import", in)
	var rep report
	if err := json.Unmarshal(body, &rep); status != http.StatusOK || err != nil {
		d.t.Fatalf("%d %s %v", status, body, err)
	}
	return rep
}

func branches(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile("../../../testdata/import/filiali.csv")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (d *door) last() int64 {
	d.t.Helper()
	n, err := d.reg.LastChange(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return n
}

// A bank imports 200 branches: checked first, then recorded; again, nothing
// changes; exported and imported again, nothing changes either.
func TestImportOfManySites(t *testing.T) {
	d := newDoor(t)
	d.join.Inside = func(p protocol.Point) bool {
		return 9_100_000 < p.Lon && p.Lon < 9_270_000 && 45_400_000 < p.Lat && p.Lat < 45_530_000
	}
	bank, file := d.addBank(), branches(t)
	before := d.last()
	dry := d.importFile(importRequest{File: file, DryRun: true})
	if dry.Lines != 327 || dry.Wrong != 0 || dry.Outside == 0 || dry.Good+dry.Outside != dry.Lines || dry.Sites["new"] != 187 || dry.Imported || !dry.DryRun ||
		dry.Encoding != "windows-1252" || dry.Separator != ";" || !slices.Equal(dry.IgnoredColumns, []string{"Note interne"}) || d.last() != before {
		t.Fatalf("dry run: %+v", dry)
	}
	d.acts = nil
	rep := d.importFile(importRequest{File: file})
	if !rep.Imported || rep.Sites["new"] != 187 || rep.Good != dry.Good || len(rep.Results) != 187 {
		t.Fatalf("%+v", rep)
	}
	if len(d.acts) != 1 || d.acts[0].Kind != "import" || d.acts[0].Count != 187 || d.acts[0].User.ID != "control-socket" {
		t.Errorf("on the trail: %+v", d.acts)
	}
	site := rep.Results[slices.IndexFunc(rep.Results, func(s siteResult) bool { return s.Key == "F007" })]
	own, err := d.reg.Own(t.Context(), site.SiteID)
	if err != nil || own.Name != `Banca Prealpina "Città Nuova" 7` || own.Category != "bank" || own.State != registry.Sharing || !own.Inherited || own.Trust != string(protocol.TrustPEC) {
		t.Errorf("%+v, %v", own, err)
	}
	if code, err := protocol.ParseCode(site.Code); err != nil {
		t.Errorf("the owner's code is %q: %v", site.Code, err)
	} else if owned, ok, err := d.reg.OwnedSite(t.Context(), code); owned != site.SiteID || !ok || err != nil {
		t.Errorf("it opens %q, %v", owned, err)
	}
	if len(own.Declared) == 0 || own.Declared[0].OutdoorPublic.By != "Dora Neri" {
		t.Errorf("%+v", own.Declared)
	}

	before = d.last()
	again := func(name string, file []byte) {
		t.Helper()
		d.now = d.now.Add(time.Hour)
		rep := d.importFile(importRequest{File: file})
		if !rep.Imported || rep.Sites["unchanged"] != 187 || len(rep.Sites) != 1 || d.last() != before {
			t.Errorf("%s: %+v, %+v, %+v", name, rep.Sites, rep.Problems, rep.IgnoredColumns)
		}
	}
	again("the same file", file)
	d.acts = nil
	status, exported := d.control(http.MethodPost, "/export", exportRequest{Organisation: bank, Format: "csv"})
	if status != http.StatusOK || len(d.acts) != 1 || d.acts[0].Kind != "export" || d.acts[0].Count != 187 {
		t.Fatalf("%d %s %+v", status, exported, d.acts)
	}
	again("its export", exported)

	status, all := d.control(http.MethodPost, "/export", exportRequest{Organisation: bankName, Format: "json"})
	var out exportedForTest
	if err := json.Unmarshal(all, &out); status != http.StatusOK || err != nil || out.Organisation.ID != bank || len(out.Sites) != 187 {
		t.Fatalf("%d, %v, %d sites", status, err, len(out.Sites))
	}
	for _, s := range out.Sites {
		if s.Key == "" || s.Site.Name == "" || len(s.Contacts) == 0 || len(s.Cameras) == 0 || s.Cameras[0].Key == "" || s.Cameras[0].Name == "" || len(s.History.Cameras) != len(s.Cameras) {
			t.Fatalf("%+v", s)
		}
	}
	status, one := d.control(http.MethodPost, "/export", exportRequest{Site: site.SiteID, Format: "json"})
	if err := json.Unmarshal(one, &out); status != http.StatusOK || err != nil || len(out.Sites) != 1 || out.Sites[0].ID != site.SiteID {
		t.Errorf("%d %s", status, one)
	}
}

// exportedForTest reads back what an export writes.
type exportedForTest struct {
	Organisation protocol.Organisation `json:"organisation"`
	Sites        []struct {
		ID       string             `json:"id"`
		Key      string             `json:"key"`
		Site     protocol.Site      `json:"site"`
		Contacts []protocol.Contact `json:"contacts"`
		Cameras  []struct {
			Key string `json:"key"`
			protocol.Camera
		} `json:"cameras"`
		History struct {
			Cameras map[string]any `json:"cameras"`
		} `json:"history"`
	} `json:"sites"`
}

// On wish each site that the import holds gets a code for its agent; one that an
// agent has taken over needs none.
func TestImportGivesCodes(t *testing.T) {
	d := newDoor(t)
	d.addBank()
	file := []byte(minimal + "=2;Bar Due;Ingresso;45,4;9,1;sì\n")
	d.acts = nil
	rep := d.importFile(importRequest{File: file, Codes: true})
	if rep.CodesMade != 2 || rep.CodesMissing != 0 || rep.Sites["new"] != 2 || !slices.Equal(d.kinds(), []string{"import", "invite"}) || d.acts[1].Count != 2 {
		t.Fatalf("%+v, on the trail %v", rep, d.kinds())
	}
	given := func(rep report) (lines [][]string) {
		t.Helper()
		r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(rep.Codes, []byte("\ufeff"))))
		r.Comma = ';'
		lines, err := r.ReadAll()
		if err != nil || !slices.Equal(lines[0], codesHeader) {
			t.Fatalf("%s %v", rep.Codes, err)
		}
		return lines[1:]
	}
	lines := given(rep)
	if len(lines) != 2 || lines[1][0] != "'=2" || lines[1][1] != "Bar Due" {
		t.Fatalf("%q", lines)
	}
	enrol := func(line []string) (protocol.Grant, error) {
		code, err := protocol.ParseCode(line[2])
		if err != nil || line[3] != "https://localhost:8443/enrol#"+code.String() {
			t.Fatalf("%q %v", line, err)
		}
		hash := sha256.Sum256([]byte(line[2]))
		return d.reg.Redeem(t.Context(), ingest.Redemption{CodeHash: code.Hash(), KeyHash: hash, AgentID: uuid.NewString(), At: d.now})
	}
	site := rep.Results[slices.IndexFunc(rep.Results, func(s siteResult) bool { return s.Key == "=2" })].SiteID
	if grant, err := enrol(lines[1]); err != nil || grant.SiteID != site {
		t.Errorf("%+v, %v; the site is %s", grant, err, site)
	}
	again := given(d.importFile(importRequest{File: file, Codes: true})) // unchanged, and taken over
	if len(again) != 1 || again[0][0] != lines[0][0] || again[0][2] == lines[0][2] {
		t.Errorf("%q", again)
	}
	d.now = d.now.Add(registry.CodeLife)
	if _, err := enrol(again[0]); !errors.Is(err, ingest.ErrExpiredCode) {
		t.Errorf("after 14 days: %v", err)
	}
	if rep := d.importFile(importRequest{File: file}); rep.Codes != nil {
		t.Error("codes that nobody asked for")
	}
	if rep := d.importFile(importRequest{File: file, Codes: true, DryRun: true}); rep.Codes != nil {
		t.Error("a dry run gives codes")
	}
	d.err = errors.New("full")
	if status, answer := d.control(http.MethodPost, "/import", importRequest{Organisation: bankName, File: file, Codes: true}); status != http.StatusServiceUnavailable {
		t.Errorf("without the trail: %d %s", status, answer)
	}
}

// A file with a wrong line is not imported, unless the good ones are asked for.
func TestImportAllOrPartial(t *testing.T) {
	d := newDoor(t)
	d.addBank()
	file := []byte(minimal + "2;Bar Due;Ingresso;45,4;9,1;no\n3;Bar Tre;Ingresso;45,4;9,1;sì\n")
	before := d.last()
	rep := d.importFile(importRequest{File: file})
	if rep.Imported || rep.Good != 2 || rep.Wrong != 1 || len(rep.Problems) != 1 || d.last() != before {
		t.Fatalf("%+v", rep)
	}
	if p := rep.Problems[0]; p.Line != 3 || p.Column != "area_pubblica" || !strings.Contains(p.Error, "outdoor area") || p.Hint == "" {
		t.Errorf("%+v", p)
	}
	rep = d.importFile(importRequest{File: file, Partial: true})
	if !rep.Imported || rep.Sites["new"] != 2 || rep.Good != 2 {
		t.Errorf("%+v", rep)
	}
	// What was good before and is wrong now is not told as missing: the file names it.
	broken := bytes.ReplaceAll(file, []byte("3;Bar Tre;Ingresso;45,4"), []byte("3;Bar Tre;Ingresso;95,4"))
	rep = d.importFile(importRequest{File: broken, Partial: true})
	if rep.Sites["unchanged"] != 1 || len(rep.Sites) != 1 {
		t.Errorf("%+v", rep)
	}
	short := []byte(minimal)
	if rep = d.importFile(importRequest{File: short}); rep.Sites["missing"] != 1 || !rep.Imported {
		t.Errorf("%+v", rep)
	}
	// A line outside the area is not taken: removing what is missing would erase what it names.
	d.join.Inside = func(protocol.Point) bool { return false }
	status, said := d.control(http.MethodPost, "/import", importRequest{Organisation: bankName, File: short, RemoveMissing: true})
	if status != http.StatusUnprocessableEntity || !strings.Contains(string(said), "outside the register's area: 1, the first is line 2") {
		t.Errorf("%d %s", status, said)
	}
	d.join.Inside = nil
	if rep = d.importFile(importRequest{File: short, RemoveMissing: true}); rep.Sites["removed"] != 1 {
		t.Errorf("%+v", rep)
	}
	// Too many cameras with those that stay: the register's word, on the site's line.
	var more strings.Builder
	more.WriteString(full + "\n")
	for i := range 600 {
		more.WriteString(line(map[string]string{"chiave": string(rune('a'+i/300)) + strings.Repeat("x", i%300/26+1) + string(rune('a'+i%26)),
			"chiave_sede": "S" + string(rune('a'+i/300)), "nome": "N" + string(rune('a'+i/300))}))
	}
	lines := strings.SplitAfter(more.String(), "\n")
	d.importFile(importRequest{File: []byte(strings.Join(lines[:301], ""))})
	second := lines[0] + strings.ReplaceAll(strings.ReplaceAll(strings.Join(lines[301:], ""), ";Sb;", ";Sa;"), ";Nb;", ";Na;")
	if rep = d.importFile(importRequest{File: []byte(second)}); rep.Imported || len(rep.Problems) != 1 || rep.Problems[0].Line != 2 || !strings.Contains(rep.Problems[0].Error, "600") {
		t.Errorf("%+v %+v", rep.Problems, rep.Sites)
	}
}

func TestImportIsRefused(t *testing.T) {
	d := newDoor(t)
	d.addBank()
	for name, c := range map[string]struct {
		in   any
		want string
	}{
		"no organisation":  {importRequest{Organisation: "Banca Ignota", File: []byte(minimal)}, "organisation list"},
		"both at once":     {importRequest{Organisation: bankName, File: []byte(minimal), Partial: true, RemoveMissing: true}, "do not go together"},
		"too big":          {importRequest{Organisation: bankName, File: make([]byte, maxFile+1)}, "16 MiB"},
		"much too big":     {importRequest{Organisation: bankName, File: make([]byte, 2*maxFile)}, "16 MiB"},
		"an unknown field": {map[string]string{"organization": "x"}, "not understood"},
	} {
		if status, body := d.control(http.MethodPost, "/import", c.in); status != http.StatusUnprocessableEntity || !strings.Contains(string(body), c.want) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	for name, in := range map[string]exportRequest{"nothing": {Format: "json"}, "both": {Site: "x", Organisation: "y", Format: "json"}, "XML": {Site: d.site, Format: "xml"},
		"no site": {Site: "x", Format: "csv"}, "no such organisation": {Organisation: "x", Format: "csv"}} {
		if status, body := d.control(http.MethodPost, "/export", in); status != http.StatusUnprocessableEntity {
			t.Errorf("export %s: %d %s", name, status, body)
		}
	}
	if status, body := d.control(http.MethodPost, "/organisations", protocol.Organisation{Name: "x"}); status != http.StatusUnprocessableEntity || !strings.Contains(string(body), "kind") {
		t.Errorf("%d %s", status, body)
	}
	if status, body := d.control(http.MethodGet, "/organisations", nil); status != http.StatusOK || !strings.Contains(string(body), bankName) {
		t.Errorf("%d %s", status, body)
	}
	// What cannot be put on the trail is not done.
	d.err = errors.New("full")
	before := d.last()
	for path, in := range map[string]any{"/import": importRequest{Organisation: bankName, File: []byte(minimal)}, "/export": exportRequest{Site: d.site, Format: "csv"},
		"/organisations": protocol.Organisation{Kind: protocol.Person, Name: "Anna", Trust: protocol.TrustEmail, Contacts: []protocol.Contact{{Name: "Anna", Role: protocol.RoleOwner, Phone: "112"}}}} {
		if status, body := d.control(http.MethodPost, path, in); status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if d.last() != before {
		t.Error("something was done that is not on the trail")
	}
}

// What an agent declares is exported too; a file that names it by its id leaves
// it to its agent.
func TestExportOfAnAgentsSite(t *testing.T) {
	d := newDoor(t)
	bank := d.addBank()
	if err := d.reg.JoinOrganisation(t.Context(), d.site, bank, d.now); err != nil {
		t.Fatal(err)
	}
	status, file := d.control(http.MethodPost, "/export", exportRequest{Organisation: bank, Format: "csv"})
	if status != http.StatusOK || !strings.Contains(string(file), d.site) {
		t.Fatalf("%d %s", status, file)
	}
	if rep := d.importFile(importRequest{File: file}); rep.Sites["taken-over"] != 1 || len(rep.Sites) != 1 {
		t.Errorf("%+v %s", rep, file)
	}
}
