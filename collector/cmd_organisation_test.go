package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// typed runs one command of a collector's directory, which must do what it is
// asked, and gives what it prints.
func typed(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	if got := run(t.Context(), console{nil, &out, &errs}, append(args, "-data", dir)); got != exitDone {
		t.Fatalf("%v: exit %d\n%s%s", args, got, &out, &errs)
	}
	return out.Bytes()
}

// A site goes to another owner: it is suspended, and the new owner's link leads to
// this collector.
func TestOwnerChange(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	file := filepath.Join(t.TempDir(), "sites.csv")
	if err := os.WriteFile(file, []byte("key,name,camera,latitude,longitude,outdoor_public\n1,Bar,Door,45.46,9.18,yes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	typed(t, dir, "organisation", "add", "Bars", "-fiscal-code", "01199250158", "-contact", "Eva", "-phone", "112")
	typed(t, dir, "organisation", "add", "Banks", "-fiscal-code", "00743110157", "-contact", "Eva", "-phone", "112")
	typed(t, dir, "import", file, "-organisation", "Bars")
	shown := func(name string) (o organisationShown) {
		t.Helper()
		if err := json.Unmarshal(typed(t, dir, "organisation", "show", name, "-json"), &o); err != nil {
			t.Fatal(err)
		}
		return o
	}
	bars := shown("Bars")
	if len(bars.Sites) != 1 || bars.Sites[0].Name != "Bar" || bars.Sites[0].State != "sharing" {
		t.Fatalf("%+v", bars)
	}
	site := bars.Sites[0].ID
	var link invitation
	if err := json.Unmarshal(typed(t, dir, "owner", "change", site, "-organisation", "Banks", "-json"), &link); err != nil {
		t.Fatal(err)
	}
	if link.SiteID != site || !strings.HasPrefix(link.Link, "https://localhost:8443/enrol#") ||
		!strings.Contains(link.Link, strings.ReplaceAll(link.Code, "-", "")) && !strings.Contains(link.Link, link.Code) {
		t.Errorf("%+v", link)
	}
	if banks := shown("Banks"); len(banks.Sites) != 1 || banks.Sites[0].ID != site || banks.Sites[0].State != "suspended" {
		t.Errorf("%+v", banks)
	}
	if left := shown("Bars"); len(left.Sites) != 0 {
		t.Errorf("the former owner still has it: %+v", left)
	}
	typed(t, dir, "delegation", "add", "Banks", "-referent", "Luca", "-power", "answer", "-rule", "contract", "-until", "2099-12-31", "-site", site)
	given := shown("Banks").Delegations
	if len(given) != 1 {
		t.Fatalf("%+v", given)
	}
	typed(t, dir, "delegation", "revoke", given[0].ID)
	if given = shown("Banks").Delegations; given[0].RevokedAt.IsZero() {
		t.Error("it is not revoked")
	}
}
