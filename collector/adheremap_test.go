package main

import (
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"anagrafe/collector/basemap/maptest"
	"anagrafe/protocol"
	"anagrafe/protocol/pages/pagestest"
)

// formSite serves the public pages of a collector with a map and addresses.
func formSite(t *testing.T, change func(*Config)) (o *collector, origin string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	origin = "http://" + strings.Replace(l.Addr().String(), "127.0.0.1", "localhost", 1)
	dir := t.TempDir()
	file := filepath.Join(dir, "civici.csv")
	if err := os.WriteFile(file, []byte("street,number,lon,lat\nVia Torino,1,9.2105,45.4795\nVia Torino,3,9.2107,45.4797\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	if code := run(t.Context(), console{nil, &out, &errs}, []string{"addresses", file, "-data", filepath.Join(dir, "data")}); code != exitDone {
		t.Fatalf("%s%s", &out, &errs)
	}
	o = opened(t, filepath.Join(dir, "data"), func(c *Config) {
		c.PublicURL = origin
		change(c)
	})
	if err := o.places.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	h, err := o.publicWeb.Handler(o.publicRoutes...)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(h)
	server.Listener.Close()
	server.Listener = l
	server.Start()
	t.Cleanup(server.Close)
	return o, origin
}

// whoIs fills the first step in, and goes on.
func whoIs(b *pagestest.Tab) {
	for id, value := range map[string]string{"site": "Bottega Bianchi", "name": "Anna Bianchi", "phone": "+39 02 5550100", "email": "anna@example.it"} {
		b.Fill("#f-"+id, value)
	}
	b.Do(chromedp.SetValue(chromedp.CSS("#f-category"), "shop"))
	b.Press(".form-go .btn-primary")
}

// An owner who is recognised by the provider is told so, their name is not asked again
// where it is known, and no user is made of them; without a provider there is no button.
func TestRecognisedOwner(t *testing.T) {
	_, origin := formSite(t, func(*Config) {})
	b := pagestest.Open(t, origin, 390, 844)
	b.Visit("/aderisci")
	if pagestest.Eval[bool](b, `!!document.querySelector(".form-recognise")`) {
		t.Error("there is a button, and nobody to vouch")
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(pagestest.ProviderSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	o, origin := formSite(t, func(c *Config) {
		c.OwnerOIDC = ownerOIDC{Issuer: pagestest.Provider(t, c.PublicURL+"/identity"), Name: "SPID o CIE", ClientID: pagestest.ProviderClient, ClientSecretFile: secret}
	})
	b = pagestest.Open(t, origin, 390, 844)
	b.Visit("/aderisci")
	b.Check("recognised-1-button")
	away := pagestest.Stranger(t, nil) // its pages are others'
	away.Visit(origin + "/aderisci")
	away.Press(".form-recognise a")
	for range 2 { // who they are, then what they let us know
		away.Do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("[name=login], [name=password]").forEach(i => i.value = "anna")`))
		away.Press("[type=submit]")
	}
	if here := pagestest.Eval[string](away, "location.href"); here != origin+"/aderisci/chi" {
		t.Fatalf("back at %s", here)
	}
	if b.CopyCookies(away, origin) == 0 {
		t.Fatal("no cookie")
	}
	b.Visit("/aderisci/chi")
	b.Check("recognised-2-who")
	if name := pagestest.Eval[string](b, `document.querySelector("#f-name").value`); name != "Persona anna" {
		t.Errorf("the name is %q", name)
	}
	whoIs(b)
	code, err := protocol.ParseCode(pagestest.Eval[string](b, `document.querySelector(".form-kept .code").textContent`))
	if err != nil {
		t.Fatal(err)
	}
	id, _, err := o.reg.SubmissionOf(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	s, err := o.reg.Submission(t.Context(), id)
	if err != nil || s.Identity == nil || s.Identity.Trust != protocol.TrustSPID || s.Identity.Name != "Persona anna" ||
		s.Identity.FiscalCode != pagestest.ProviderFiscalCode || s.Site.Name != "Bottega Bianchi" {
		t.Errorf("%+v %+v %v", s, s.Identity, err)
	}
	// Who did not use it at first finds it where the identity is asked for.
	late := pagestest.Open(t, origin, 390, 844)
	late.Visit("/aderisci/chi")
	late.Check("recognised-3-who-not")
	whoIs(late)
	late.Visit("/aderisci/identita")
	late.Check("recognised-4-identity")
	if !pagestest.Eval[bool](late, `!!document.querySelector("main a[href='/aderisci/riconoscimento']")`) {
		t.Error("there is no button where the identity is asked for")
	}
	if users, err := o.reg.Users(t.Context()); err != nil || len(users) > 0 {
		t.Errorf("users were made: %+v %v", users, err)
	}
}

// On the phone an owner types the address, sees the map, moves the pin and goes on; the
// point that was kept is the one that was seen.
func TestPlaceOnThePublicMap(t *testing.T) {
	milan := maptest.Milan(t, "basemap/milano-basemap.pmtiles")
	_, origin := formSite(t, func(c *Config) { c.Basemap = milan })
	b := pagestest.Open(t, origin, 390, 844)
	b.Visit("/aderisci/chi")
	whoIs(b)
	b.Until(`document.documentElement.dataset.map === "none"`)
	b.Check("adhere-map-1-begins")
	b.Fill("#f-address", "via torino 1")
	b.Click("button[name=find]")
	b.Until(`document.documentElement.dataset.map === "ready"`)
	b.Check("adhere-map-2-found")
	at := func() string { return pagestest.Eval[string](b, `document.querySelector("[name=position]").value`) }
	if at() != "45.479500, 9.210500" {
		t.Fatalf("the address is at %s", at())
	}
	b.Drag(".place-pin", 60, 30)
	moved := at()
	if moved == "45.479500, 9.210500" || pagestest.Eval[string](b, `document.querySelector("[name=method]").value`) != "map" {
		t.Fatalf("the pin was dragged to %s", moved)
	}
	b.Press(".form-go .btn-primary")
	b.Visit("/aderisci/luogo")
	b.Until(`document.documentElement.dataset.map === "ready"`)
	if at() != moved {
		t.Errorf("kept at %s, seen at %s", at(), moved)
	}
	b.Check("adhere-map-3-kept")
}
