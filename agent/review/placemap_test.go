package review

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"anagrafe/agent/inventory"
	"anagrafe/collector/basemap"
	"anagrafe/collector/basemap/maptest"
	"anagrafe/protocol"
	"anagrafe/protocol/pages/pagestest"
)

// streets gives the pages the real map of Milan.
func streets(t *testing.T, o *owner) {
	t.Helper()
	file, err := basemap.Open(maptest.Milan(t, "basemap/milano-basemap.pmtiles"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	o.Map = func(context.Context) (MapInfo, error) {
		return MapInfo{Available: true, Attribution: file.Attribution, MinZoom: file.MinZoom, MaxZoom: file.MaxZoom}, nil
	}
	o.Tile = func(_ context.Context, z, x, y int) ([]byte, error) { return file.Tile(z, x, y) }
	addresses(o)
}

// placing opens the page of a camera in a browser.
func placing(t *testing.T, o *owner, tc window) *pagestest.Tab {
	t.Helper()
	b := o.browser(t, tc.width)
	b.Visit("/?lang=" + tc.lang)
	return b
}

// settled waits until the map has drawn what the form holds. Whoever does something
// must have made the map draw: it tells no sooner than then.
func settled(b *pagestest.Tab) {
	b.Until(`document.documentElement.dataset.map === "ready"`)
	b.Until(`(() => {
		const at = document.querySelector("#position").value.split(", ").map(Number).reverse();
		const ring = JSON.parse(document.documentElement.dataset.mapDrawn ?? "[]");
		const form = n => document.querySelector("#place-form [name=" + n + "]:checked").value;
		return document.documentElement.dataset.mapOf === [...at, form("direction"), form("angle"), form("range")].join() && ring.length > 0;
	})()`)
}

// drawn is the sector that the eye sees on the map: where its point is, and, of its
// arc, the middle's direction, the width and the distance.
func drawn(t *testing.T, b *pagestest.Tab) (at protocol.Point, direction, angle, reach float64) {
	t.Helper()
	settled(b)
	var ring [][2]float64
	if err := json.Unmarshal([]byte(pagestest.Eval[string](b, `document.documentElement.dataset.mapDrawn`)), &ring); err != nil || len(ring) < 4 {
		t.Fatalf("%d corners: %v", len(ring), err)
	}
	point := func(p [2]float64) protocol.Point { return pointOf(Place{Lon: p[0], Lat: p[1]}) }
	at = point(ring[0])
	first, last := point(ring[1]), point(ring[len(ring)-2])
	from, to := protocol.BearingDeg(at, first), protocol.BearingDeg(at, last)
	angle = math.Mod(to-from+360, 360)
	return at, math.Mod(from+angle/2, 360), angle, protocol.DistanceM(at, first)
}

// sameAsDrawn holds what is kept against what was seen.
func sameAsDrawn(t *testing.T, o *owner, id string, at protocol.Point, direction, angle, reach float64) {
	t.Helper()
	p, v := o.kept(t, id)
	if p.Point != at || v.DirectionDeg == nil || v.AngleDeg == nil || v.RangeM == nil {
		t.Fatalf("drawn at %+v, kept %+v, %+v", at, p, v)
	}
	// A microdegree is a tenth of a metre: on so short a way some tenths of a degree. The
	// sphere on which it is drawn is up to a third of a per cent off the ellipsoid.
	off := math.Abs(math.Mod(direction-float64(*v.DirectionDeg)+540, 360) - 180)
	if off > 1 || math.Abs(angle-float64(*v.AngleDeg)) > 1 || math.Abs(reach-float64(*v.RangeM)) > 0.5 {
		t.Errorf("drawn %.1f°, %.1f° wide, %.1f m; kept %d°, %d°, %d m", direction, angle, reach, *v.DirectionDeg, *v.AngleDeg, *v.RangeM)
	}
}

// An owner puts two cameras on the map, by mouse.
func TestPlaceByMouse(t *testing.T) { placeByMouse(t, wide) }

func placeByMouse(t *testing.T, tc window) {
	o, all := onTheStreet(t)
	streets(t, o)
	jpeg := sample(t)
	o.Picture = func(context.Context, string, string) ([]byte, error) { return jpeg, nil }
	b := placing(t, o, tc)
	o.sessions.open[0].notePassword(all[0].Device.ID)
	b.Visit("/cameras/" + all[0].ID + "/place")
	settled(b)
	b.Check(tc.name + "-place-1-begins")

	high := pagestest.Eval[float64](b, `document.querySelector(".place-frame").clientHeight`)
	where := func() []float64 {
		return pagestest.Eval[[]float64](b, `((r, f) => [r.x - f.x, r.y - f.y])(document.querySelector(".place-handle").getBoundingClientRect(), document.querySelector(".place-frame").getBoundingClientRect())`)
	}
	before := where()
	b.Drag(".place-handle", -high*0.18, high*0.6) // from the north, where it is until somebody says
	at, direction, angle, reach := drawn(t, b)
	if at != (protocol.Point{Lon: 9_210_500, Lat: 45_479_500}) || direction < 180 || direction > 240 || math.Abs(angle-80) > 1 {
		t.Errorf("dragged to %+v, %.0f°, %.0f° wide, %.0f m", at, direction, angle, reach)
	}
	// Whole metres and degrees are kept: of the hand's point that is some pixels off.
	if now := where(); math.Abs(now[0]-before[0]+high*0.18) > 6 || math.Abs(now[1]-before[1]-high*0.6) > 6 {
		t.Errorf("the handle went from %v to %v", before, now)
	}
	b.Check(tc.name + "-place-2-aimed")
	if said := pagestest.Eval[string](b, `document.querySelector("#say").textContent`); !strings.Contains(said, "Corso Buenos Aires") {
		t.Errorf("it says %q", said)
	}
	b.Drag(".place-pin", -60, -20)
	moved, direction, angle, reach := drawn(t, b)
	if moved.Lon >= at.Lon || moved.Lat <= at.Lat {
		t.Errorf("the pin was dragged from %+v to %+v", at, moved)
	}
	b.Watch()
	b.Press(".place-save button")
	sameAsDrawn(t, o, all[0].ID, moved, direction, angle, reach)
	if p, _ := o.kept(t, all[0].ID); p.Method != "map" || p.AccuracyM < 5 || p.AccuracyM > 10 {
		t.Errorf("kept as %+v", p)
	}

	// The second comes next and begins beside it: a direction and the button are enough,
	// and one more for the picture.
	if here := pagestest.Eval[string](b, "location.pathname"); here != "/cameras/"+all[1].ID+"/place" {
		t.Fatalf("the next page is %s", here)
	}
	settled(b)
	b.Click(".rose-225")
	b.Click(".still button")
	b.Until(`document.querySelector(".still img")?.complete`)
	second, direction, angle, reach := drawn(t, b)
	b.Check(tc.name + "-place-3-beside")
	if second != moved {
		t.Errorf("it begins at %+v, not beside the first", second)
	}
	b.Press(".place-save button")
	sameAsDrawn(t, o, all[1].ID, second, direction, angle, reach)
	if done := b.Acts(); done.Clicks != 3 || done.Keys != 0 {
		t.Errorf("%+v for a camera", done)
	}
}

// The same by keyboard alone, in the other window and language.
func TestPlaceByKeyboard(t *testing.T) { placeByKeyboard(t, narrow) }

func placeByKeyboard(t *testing.T, tc window) {
	o, all := onTheStreet(t)
	streets(t, o)
	b := placing(t, o, tc)
	b.Visit("/cameras/" + all[0].ID + "/place")
	settled(b)
	b.Check(tc.name + "-place-4-begins")
	b.Reach("#address")
	b.Keys("a", chromedp.KeyModifiers(chromedp.ModifierCtrl))
	b.Keys("via torino" + kb.Enter)
	b.Until(`document.querySelectorAll("#found button").length === 2`)
	b.Check(tc.name + "-place-5-found")
	b.Reach("#found li + li button")
	b.Keys(kb.Enter)
	settled(b)
	b.Reach(".place-pin")
	b.Keys(kb.ArrowUp + kb.ArrowUp)
	b.Keys(kb.ArrowRight, chromedp.KeyModifiers(chromedp.ModifierShift))
	b.Reach(".place-handle")
	b.Keys(kb.ArrowLeft, chromedp.KeyModifiers(chromedp.ModifierShift))
	b.Keys(kb.ArrowUp)
	settled(b)
	at, direction, _, reach := drawn(t, b)
	start := protocol.Point{Lon: 9_211_100, Lat: 45_480_100}
	if d := protocol.DistanceM(start, at); math.Abs(d-math.Hypot(10, 2)) > 0.3 || at.Lon <= start.Lon || at.Lat <= start.Lat {
		t.Errorf("the arrows moved the pin by %.2f m to %+v", d, at)
	}
	if math.Abs(direction-345) > 1 || math.Abs(reach-41) > 0.5 {
		t.Errorf("the arrows turned it to %.0f°, %.0f m", direction, reach)
	}
	b.Reach("[name=direction]:checked")
	b.Keys(kb.ArrowRight) // from the number that is none of the eight
	b.Reach("[data-slider=direction]")
	b.Keys(kb.Home + kb.ArrowRight + kb.ArrowRight)
	if said := pagestest.Eval[string](b, `document.querySelector("[data-slider=direction]").getAttribute("aria-valuetext")`); said != "north (2°)" {
		t.Errorf("the slider says %q", said)
	}
	b.Reach("[name=range]:checked")
	b.Keys(kb.ArrowLeft)
	settled(b)
	at, direction, angle, reach := drawn(t, b)
	b.Check(tc.name + "-place-6-aimed")
	b.Reach(".place-save button")
	b.Follow(kb.Enter)
	sameAsDrawn(t, o, all[0].ID, at, direction, angle, reach)
	b.Visit("/cameras/" + all[0].ID + "/place")
	again, _, _, _ := drawn(t, b)
	if again != at {
		t.Errorf("kept at %+v, shown at %+v", at, again)
	}
}

// withoutScripts is a browser that runs none.
func withoutScripts(off bool) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: off})
		return err
	})
}

// withoutWebGL takes away what a map is drawn with, from the next page on.
var withoutWebGL = chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
	_, err := chromedp.Call(ctx, cdp.AddScriptToEvaluateOnNewDocument, cdp.AddScriptToEvaluateOnNewDocumentParams{
		Source: `HTMLCanvasElement.prototype.getContext = () => null`})
	return err
})

// The page without streets, without a map, without scripts, and enlarged.
func TestPlaceWithoutTheMap(t *testing.T) {
	o, all := onTheStreet(t)
	b := placing(t, o, wide)
	here := "/cameras/" + all[0].ID + "/place"
	b.Visit(here) // no addresses either: there is nothing to draw yet
	b.Until(`document.documentElement.dataset.map === "none"`)
	b.Check("place-7-nothing")
	addresses(o)
	o.Map = func(context.Context) (MapInfo, error) {
		return MapInfo{Available: true, Attribution: "© Nessuno", MaxZoom: 14}, nil
	}
	o.Tile = func(context.Context, int, int, int) ([]byte, error) { return []byte("no tile at all"), nil }
	b.Visit(here)
	b.Until(`!document.querySelector("#map-lost").hidden`)
	settled(b)
	b.Check("place-8-torn")
	o.Map = nil
	b.Visit(here)
	settled(b)
	b.Click(".rose-315")
	at, direction, angle, reach := drawn(t, b)
	b.Check("place-8-no-streets")
	b.Press(".place-save button")
	sameAsDrawn(t, o, all[0].ID, at, direction, angle, reach)

	b.Do(withoutWebGL)
	b.Resize(640, 450) // 1280 x 900, twice as large
	b.Visit(here)
	b.Until(`document.documentElement.dataset.map === "failed"`)
	b.Click(".rose-90")
	b.Check("place-9-no-webgl-200")
	b.Resize(320, 225)
	b.Check("place-9-no-webgl-400")
	b.Press(".place-save button")
	if _, v := o.kept(t, all[0].ID); *v.DirectionDeg != 90 || *v.AngleDeg != 80 || *v.RangeM != 30 {
		t.Errorf("without a map: %+v", v)
	}

	b.Do(withoutScripts(true))
	b.Resize(390, 900)
	b.Visit("/cameras/" + all[1].ID + "/place")
	b.Do(chromedp.SetValue(chromedp.CSS("#address"), "via torino"))
	b.Press("[name=find]")
	b.Press("[name=at]")
	b.Click("[name=direction][value='180']")
	b.Click("[name=angle][value='40']")
	b.Click("[name=range][value='60']")
	b.Do(withoutScripts(false)) // axe is a script
	b.Check("place-10-no-scripts")
	b.Press(".place-save button")
	p, v := o.kept(t, all[1].ID)
	if p.Point != (protocol.Point{Lon: 9_211_100, Lat: 45_480_100}) || p.Method != "address" || p.AccuracyM != 20 || *v.DirectionDeg != 180 || *v.AngleDeg != 40 || *v.RangeM != 60 {
		t.Errorf("without scripts: %+v %+v", p, v)
	}
	b.Visit("/cameras/" + all[1].ID)
	b.Check("place-11-camera")
	if all := o.known(t).Cameras; all[1].State == inventory.StateDeclared {
		t.Error("something was declared")
	}
}
