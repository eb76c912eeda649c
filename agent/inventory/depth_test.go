package inventory

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

const day = 24 * time.Hour

// readings are points of consecutive days from the given one on, in hours.
func readings(from int, hours ...int) (points []DepthPoint) {
	for i, h := range hours {
		points = append(points, DepthPoint{noon.Truncate(day).AddDate(0, 0, from+i), time.Duration(h) * time.Hour})
	}
	return points
}

func TestDepth(t *testing.T) {
	join := func(parts ...[]DepthPoint) (all []DepthPoint) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	for _, tc := range []struct {
		name   string
		points []DepthPoint
		about  int // hours
		trend  Trend
	}{
		{"nothing was read", nil, 0, TrendUnknown},
		{"one day", readings(0, 144), 144, TrendUnknown},
		{"two days: the shorter", readings(0, 144, 150), 144, TrendUnknown},
		{"three days are too few", readings(0, 240, 144, 96), 144, TrendUnknown},
		{"a full store", readings(0, 144, 145, 144, 143, 144, 144), 144, TrendSteady},
		{"one odd reading", readings(0, 144, 145, 144, 20, 144), 144, TrendSteady},
		{"a new store fills", readings(0, 0, 24, 48, 72), 48, TrendGrowing},
		{"it fills, and is full", readings(0, 24, 48, 72, 72, 72, 72), 72, TrendGrowing},
		{"a camera more on the disk", readings(0, 240, 220, 190, 160, 150, 150), 150, TrendShrinking},
		{"a tenth is nothing", readings(0, 1000, 990, 960, 930, 910, 905), 910, TrendSteady},
		{"just over a tenth", readings(0, 1000, 1000, 890, 890, 890, 890), 890, TrendShrinking},
		{"a day is nothing", readings(0, 24, 36, 48, 48), 48, TrendSteady},
		{"just over a day", readings(0, 24, 36, 49, 50), 49, TrendGrowing},
		{"the disk was changed today", readings(0, 144, 144, 144, 144, 144, 0), 0, TrendUnknown},
		{"the disk was changed", readings(0, 144, 144, 144, 144, 0, 24, 48), 24, TrendUnknown},
		{"the disk was changed, and fills", readings(0, 144, 144, 144, 144, 0, 24, 48, 72), 48, TrendGrowing},
		{"it is to keep two days from now on", readings(0, 720, 720, 720, 48, 48, 48, 48), 48, TrendSteady},
		{"after weeks of silence", join(readings(0, 144, 144, 144, 144), readings(25, 700)), 700, TrendUnknown},
		{"a week and a day of silence", join(readings(0, 144, 144, 144, 144), readings(11, 300)), 300, TrendUnknown},
		{"a week of silence", join(readings(0, 144, 144, 144, 144), readings(10, 240, 240)), 240, TrendGrowing},
		{"looked at every third day", join(readings(0, 144), readings(3, 144), readings(6, 145), readings(9, 144)), 144, TrendSteady},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := depthOf(tc.points)
			if got.About != time.Duration(tc.about)*time.Hour || got.Trend != tc.trend {
				t.Errorf("about %v, %q; want %d h, %q", got.About, got.Trend, tc.about, tc.trend)
			}
		})
	}
}

// look records what one camera's store reaches back to, at a time.
func lookDeep(t *testing.T, v *Inventory, at time.Time, oldest time.Time) {
	t.Helper()
	d := cameraDevice(0)
	d.Clock = nil
	d.Channels[0].Retention.OldestFootage, d.Channels[0].Retention.ObservedAt = oldest, at
	if oldest.IsZero() {
		d.Channels[0].Retention.ObservedAt = oldest
	}
	record(t, v, at, d)
}

func depthNow(t *testing.T, v *Inventory) Depth {
	t.Helper()
	all := cameras(t, v)
	one, err := view(t, v).Camera(all[0].ID)
	if err != nil || len(all) != 1 || !reflect.DeepEqual(one.Depth, all[0].Depth) {
		t.Fatalf("%d entries, %+v and %+v, %v", len(all), one.Depth, all[0].Depth, err)
	}
	return one.Depth
}

func TestDepthIsKeptByTheDay(t *testing.T) {
	v := open(t, t.TempDir())
	midnight := noon.Truncate(day)
	lookDeep(t, v, midnight.Add(time.Hour), midnight.Add(-70*time.Hour))
	lookDeep(t, v, midnight.Add(20*time.Hour), midnight.Add(-52*time.Hour))
	want := []DepthPoint{{midnight, 72 * time.Hour}}
	if got := depthNow(t, v).Points; !reflect.DeepEqual(got, want) {
		t.Fatalf("%v, want the last of the day, %v", got, want)
	}
	lookDeep(t, v, midnight.Add(21*time.Hour), midnight.Add(-51*time.Hour-depthNews+time.Second))
	if got := depthNow(t, v).Points; !reflect.DeepEqual(got, want) {
		t.Errorf("%v: what is no news was written down", got)
	}
	// Silent, or without a word about its footage: nothing is known of that day.
	silent := cameraDevice(0)
	silent.Answered = false
	record(t, v, midnight.AddDate(0, 0, 1), silent)
	lookDeep(t, v, midnight.AddDate(0, 0, 2), time.Time{})
	if got := depthNow(t, v).Points; !reflect.DeepEqual(got, want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for i := range 40 {
		at := midnight.AddDate(0, 0, 3+i)
		lookDeep(t, v, at, at.Add(-72*time.Hour))
	}
	last := midnight.AddDate(0, 0, 42)
	got := depthNow(t, v)
	if n := len(got.Points); n != depthDays || !got.Points[0].Day.Equal(last.AddDate(0, 0, 1-depthDays)) || got.Trend != TrendSteady || got.About != 72*time.Hour {
		t.Errorf("%d points from %v on, %v %s", n, got.Points[0].Day, got.About, got.Trend)
	}
	// This machine's clock ran ahead and was put right: those days have not been.
	lookDeep(t, v, last.AddDate(0, 0, -10), last.AddDate(0, 0, -13))
	got = depthNow(t, v)
	if end := got.Points[len(got.Points)-1].Day; !end.Equal(last.AddDate(0, 0, -10)) || len(got.Points) != depthDays-10 {
		t.Errorf("after the clock was put back: %d points to %v", len(got.Points), end)
	}
	// A dead battery: the year is 2020, before the oldest footage. Nothing is lost.
	lookDeep(t, v, noon.AddDate(-6, 0, 0), noon)
	if again := depthNow(t, v); !reflect.DeepEqual(got, again) {
		t.Errorf("%v became %v", got.Points, again.Points)
	}
}

// A card in the camera says nothing of how far back the recorder reaches,
// whichever of the two entries goes on.
func TestDepthIsTheRecorders(t *testing.T) {
	for _, declaredByItself := range []bool{false, true} {
		v := open(t, t.TempDir())
		enrol(t, v, siteA)
		contact(t, v)
		nvr, own := recorder(nil, 0), cameraDevice(0)
		own.Channels[0].Retention.OldestFootage = noon.Add(-10 * time.Hour)
		record(t, v, noon, nvr, own)
		if declaredByItself {
			c, _ := on(t, v, "Ingresso via Torino")
			outdoors(t, v, c.ID, true)
			approve(t, v, c.ID)
		}
		nvr.Channels[1].Camera = bySerial(own)
		record(t, v, noon.Add(time.Hour), nvr, own)
		c, others := on(t, v, "Canale 1")
		if len(others) != 1 || c.Depth.About != 70*time.Hour || len(c.Depth.Points) != 1 {
			t.Errorf("declared by itself %t: %d others, %v", declaredByItself, len(others), c.Depth)
		}
	}
}

// The command line reads what the pages' handlers write.
func TestDepthAsJSON(t *testing.T) {
	want := depthOf(readings(0, 144, 120, 96, 96))
	text, err := json.Marshal(Camera{Depth: want})
	if err != nil {
		t.Fatal(err)
	}
	var got Camera
	if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got.Depth, want) {
		t.Errorf("%s became %+v, %v", text, got.Depth, err)
	}
	if text, err := json.Marshal(Camera{}); err != nil || containsKey(text, "depth") {
		t.Errorf("%s, %v", text, err)
	}
}

func containsKey(text []byte, key string) bool {
	var all map[string]json.RawMessage
	_ = json.Unmarshal(text, &all)
	_, ok := all[key]
	return ok
}
