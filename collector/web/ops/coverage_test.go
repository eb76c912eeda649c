package ops

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"anagrafe/collector/registry"
	"anagrafe/collector/web/choropleth"
	"anagrafe/protocol"
)

// threeDistricts is a map of NIL of 1 km2 or so: in two of them house numbers are known.
func threeDistricts(of string) *choropleth.Map {
	if of != string(registry.GroupNIL) {
		return nil
	}
	var all []choropleth.District
	for i, name := range []string{"DUOMO", "ISOLA", "CITTA' STUDI & <PARCO>"} {
		west := int32(9_190_000 + i*12_822)
		all = append(all, choropleth.District{Name: name, Addresses: 1500 * (i % 2), Polygons: [][][]protocol.Point{{{{Lon: west, Lat: 45_464_000}, {Lon: west + 12_822, Lat: 45_464_000},
			{Lon: west + 12_822, Lat: 45_472_993}, {Lon: west, Lat: 45_472_993}, {Lon: west, Lat: 45_464_000}}}}})
	}
	return choropleth.New(all)
}

// A district is on the map, in the table, in the file and in the list of sites, also
// where nobody was invited.
func TestCoverage(t *testing.T) {
	d := newDesk(t)
	d.ops.Map = threeDistricts
	d.reg.UseLocator(&registry.Locator{Map: "m", At: func(protocol.Point) registry.District { return registry.District{} }, Find: func(address string) registry.District {
		return registry.District{NIL: address}
	}})
	for range 4 {
		d.redeem(map[string]string{"site": "Sito", "category": "shop", "address": "DUOMO"}, false)
	}
	district := regexp.MustCompile(`<a href="([^"]*)"><title>([^<]*)</title><path fill="url\(#map-(\w+)\)"`)
	for count, want := range map[string][]string{
		"sharing": {"DUOMO, Siti che condividono ora: 0 (0)", "ISOLA, Siti che condividono ora: 0 (0)"},
		"share":   {"DUOMO, Quanti condividono su cento invitati: 0 (0)", "ISOLA, Quanti condividono su cento invitati: nessun invitato (off)"},
		"empty":   {"ISOLA, Numeri civici dove nessuno condivide: 1.500 (1)", "CITTA' STUDI & <PARCO>, Numeri civici dove nessuno condivide: 0 (0)"},
		"density": {"ISOLA, Telecamere condivise per km²: 0 (0)"},
	} {
		page := d.get("", "/funnel?by=nil&count="+count).Body.String()
		said := ""
		for _, m := range district.FindAllStringSubmatch(page, -1) {
			said += fmt.Sprintf("%s (%s)\n", html.UnescapeString(m[2]), m[3])
			if rw := d.get("", html.UnescapeString(m[1])); rw.Code != http.StatusOK {
				t.Errorf("%s answers %d", m[1], rw.Code)
			}
		}
		for _, w := range want {
			if !strings.Contains(said, w) {
				t.Errorf("by %s the map does not say %q:\n%s", count, w, said)
			}
		}
		if !strings.Contains(page, "Un quartiere ha numeri civici e nessuno che condivide") || !strings.Contains(page, "CITTA&#39; STUDI &amp; &lt;PARCO&gt;") {
			t.Error("the empty districts are not told:", page)
		}
	}
	file := strings.Split(d.get("", "/funnel.csv?by=nil").Body.String(), "\r\n")
	if len(file) != 5 || file[3] != "ISOLA;0;0;0;0;0;0;0;0;0;0;0;0,0;1500" || !strings.HasPrefix(file[2], "DUOMO;4;") {
		t.Errorf("%q", file)
	}
	_, got := d.ask(d.control, "", "GET", "/funnel?by=nil", nil)
	if groups := got["groups"].([]any); len(groups) != 3 || groups[2].(map[string]any)["addresses"] != 1500.0 {
		t.Error(got)
	}
	if code, got := d.ask(d.control, "", "GET", "/funnel?count=rain", nil); code != http.StatusBadRequest || got["field"] != "count" {
		t.Error(code, got)
	}
	if page := d.get("", "/funnel?by=municipio").Body.String(); !strings.Contains(page, "Non c&#39;è la mappa") || strings.Contains(page, "<pattern") {
		t.Error("a map without borders", page)
	}
}
