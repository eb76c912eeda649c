package main

import (
	"crypto/sha256"
	"testing"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// A site of which the address is known lies in its district once there is one: the job
// finds it again when districts are imported.
func TestSitesFollowTheDistricts(t *testing.T) {
	o := opened(t, t.TempDir(), func(*Config) {})
	invite := func(address string) {
		t.Helper()
		code := sha256.Sum256([]byte(address))
		if _, err := o.reg.Invite(t.Context(), registry.Invitation{Site: protocol.Site{Name: "Bar", Category: "shop", Address: address},
			CodeHash: code, At: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	imports := func(kind, name, content string) {
		t.Helper()
		rep := placesReport{}
		sources, bad := checkPlaces(&rep, kind, []placesFile{{name, []byte(content)}}, time.Now())
		if bad != nil || len(rep.Files[0].Problems) > 0 {
			t.Fatal(bad, rep)
		}
		if err := o.reg.PutGazetteer(t.Context(), sources); err != nil {
			t.Fatal(err)
		}
		if err := o.refreshPlaces(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	imports("addresses", "civici", "street,number,lon,lat\nVia Roma,1,9.6,45.2\n")
	<-o.redrawn
	invite("Via Roma 1")
	imports("districts", "municipi", `{"type":"FeatureCollection","features":[{"properties":{"municipio":3},"geometry":{"type":"Polygon","coordinates":[[[9,45],[10,45],[10,46],[9,45]]]}}]}`)
	<-o.redrawn
	invite("Via Ignota 9")
	if n, err := o.reg.PlaceSites(t.Context()); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	d := o.locator("").Find("Via Roma 1")
	if d != (registry.District{Municipio: "Municipio 3"}) || o.locator("").At(protocol.Point{Lon: 9_600_000, Lat: 45_200_000}) != d {
		t.Errorf("%+v", d)
	}
	if err := o.refreshPlaces(t.Context()); err != nil || len(o.redrawn) != 0 {
		t.Error("nothing was imported, and the sites are placed anew", err)
	}
}
