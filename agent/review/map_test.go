package review

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"anagrafe/agent/inventory"
)

// withMap gives the pages a map of one tile and one address.
func withMap(v *Review) {
	v.Map = func(context.Context) (MapInfo, error) {
		return MapInfo{Available: true, Attribution: "© Someone", MaxZoom: 14}, nil
	}
	v.Tile = func(_ context.Context, z, x, y int) ([]byte, error) {
		switch [3]int{z, x, y} {
		case [3]int{14, 8610, 5863}:
			return []byte("a tile"), nil
		case [3]int{14, 1, 1}:
			return nil, errors.New("the collector cannot be reached")
		}
		return nil, nil
	}
	v.Places = func(_ context.Context, site, text string) ([]Place, error) {
		switch {
		case site != "" && site != siteID:
			return nil, fmt.Errorf("site %q: %w", site, inventory.ErrUnknown)
		case text == "via Torino 1":
			return []Place{{Name: "Via Torino 1", Lon: 9.1876, Lat: 45.4629, Sure: true}}, nil
		case text == "broken":
			return nil, errors.New("the collector cannot be reached")
		}
		return nil, nil
	}
}

func TestTiles(t *testing.T) {
	o := start(t)
	o.signIn(t)
	if status, _, _ := o.send(t, "GET", "/map/14/8610/5863", ""); status != http.StatusServiceUnavailable {
		t.Errorf("without a map: %d", status)
	}
	if info := o.mapInfo(t.Context()); info != (MapInfo{}) {
		t.Errorf("without a map: %+v", info)
	}
	withMap(o.Review)
	for _, c := range []struct {
		path, kind, body string
		status           int
	}{
		{"/map/14/8610/5863", "application/vnd.mapbox-vector-tile", "a tile", http.StatusOK},
		{"/map/14/8611/5863", "", "", http.StatusNoContent},
		{"/map/0/0/0", "", "", http.StatusNoContent},
		{"/map/14/1/1", "text/html; charset=utf-8", "", http.StatusServiceUnavailable},
		{"/map/17/1/1", "text/html; charset=utf-8", "", http.StatusNotFound},
		{"/map/1/2/0", "text/html; charset=utf-8", "", http.StatusNotFound},
		{"/map/1/0/2", "text/html; charset=utf-8", "", http.StatusNotFound},
		{"/map/-1/0/0", "text/html; charset=utf-8", "", http.StatusNotFound},
		{"/map/14/1e3/5", "text/html; charset=utf-8", "", http.StatusNotFound},
		{"/map/99999999999999999999/0/0", "text/html; charset=utf-8", "", http.StatusNotFound},
	} {
		status, body, head := o.send(t, "GET", c.path, "")
		if status != c.status || head.Get("Content-Type") != c.kind || c.body != "" && body != c.body {
			t.Errorf("%s gives %d, %q, %d bytes", c.path, status, head.Get("Content-Type"), len(body))
		}
		if kept := head.Get("Cache-Control"); strings.Contains(kept, "max-age") != (status < 300) || strings.Contains(kept, "public") {
			t.Errorf("%s may be kept: %q", c.path, kept)
		}
		if head.Get("Content-Security-Policy") == "" || head.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s has not the headers of every answer", c.path)
		}
	}
	o.client.Jar = jar{}
	if status, _, _ := o.send(t, "GET", "/map/14/8610/5863", ""); status != http.StatusUnauthorized {
		t.Errorf("a stranger gets %d", status)
	}
}

func TestPlaces(t *testing.T) {
	o := start(t)
	o.signIn(t)
	ask := func(query string) (int, string) {
		status, body, _ := o.send(t, "GET", "/places?"+query, "", "Accept", "application/json")
		return status, body
	}
	if status, body := ask("q=via+Torino+1"); status != http.StatusServiceUnavailable {
		t.Errorf("without addresses: %d %s", status, body)
	}
	withMap(o.Review)
	for _, c := range []struct {
		query, says string
		status      int
	}{
		{"q=via+Torino+1", `"sure": true`, http.StatusOK},
		{"site=" + siteID + "&q=+via+Torino+1+", `"lon": 9.1876`, http.StatusOK},
		{"q=nowhere", `"places": []`, http.StatusOK},
		{"q=", `"field": "q"`, http.StatusUnprocessableEntity},
		{"q=" + strings.Repeat("x", maxAsked+1), `"field": "q"`, http.StatusUnprocessableEntity},
		{"q=%ff", `"field": "q"`, http.StatusUnprocessableEntity},
		{"q=broken", "cannot be reached", http.StatusServiceUnavailable},
		{"site=other&q=x", `"field": "id"`, http.StatusNotFound},
	} {
		if status, body := ask(c.query); status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s gives %d %s", c.query, status, body)
		}
	}
	if status, _, head := o.send(t, "GET", "/places?q=nowhere", ""); status != http.StatusSeeOther || head.Get("Location") != "/" {
		t.Errorf("a person gets %d %q", status, head.Get("Location"))
	}
}
