package search

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// Every point within the radius lies in a cell that is looked into, at the
// date line and near the poles too.
func FuzzCells(f *testing.F) {
	f.Add(int32(9_190_000), int32(45_464_000), uint16(300), int32(2000), int32(-2000))
	f.Add(int32(-180_000_000), int32(10), uint16(2000), int32(359_990_000), int32(10))
	f.Add(int32(179_999_999), int32(-45_000_000), uint16(2000), int32(-359_980_000), int32(0))
	f.Add(int32(5), int32(89_990_000), uint16(2000), int32(170_000_000), int32(1000))
	f.Add(int32(5), int32(-89_999_999), uint16(50), int32(-170_000_000), int32(0))
	f.Fuzz(func(t *testing.T, lon, lat int32, radius uint16, dLon, dLat int32) {
		a := protocol.Point{Lon: lon, Lat: lat}
		b := protocol.Point{Lon: lon + dLon, Lat: lat + dLat}
		if !a.Placed() || !b.Placed() || radius < MinRadiusM || radius > MaxRadiusM || protocol.DistanceM(a, b) > float64(radius) {
			return
		}
		seen := make(map[cell]int)
		Circle{a, int(radius)}.box().cells(func(c cell) { seen[c]++ })
		if !(Circle{a, int(radius)}).box().holds(b) {
			t.Errorf("%v is %.1f m from %v, and not in the box", b, protocol.DistanceM(a, b), a)
		}
		if seen[cellOf(b)] != 1 {
			t.Errorf("%v is %.1f m from %v, its cell %v was visited %d times", b, protocol.DistanceM(a, b), a, cellOf(b), seen[cellOf(b)])
		}
	})
}

// BenchmarkSearch: 35,000 cameras, a city with its declared fields of view;
// and the floor beside it, the same grid asked for the radius alone.
func BenchmarkSearch(b *testing.B) {
	_, x := openNew(b)
	dice := rand.New(rand.NewPCG(1, 1))
	for n := range 3500 {
		f := registry.Facts{SiteID: fmt.Sprint(n)}
		for i := range 10 {
			c := cam(i, 0, dice.IntN(360))
			c.Position.Point = metres(float64(dice.IntN(14_000)-7000), float64(dice.IntN(14_000)-7000))
			f.Cameras = append(f.Cameras, registry.CameraFacts{ID: c.ID, Versions: []registry.CameraVersion{{ValidFrom: noon, Camera: c}},
				Schedules:  []protocol.Era[protocol.Schedule]{{From: noon, Value: c.Schedule}},
				Retentions: []protocol.Era[protocol.Retention]{{From: noon, Value: c.Retention}}})
		}
		x.put(pack(&x.values, f, time.Time{}))
	}
	query := func() Query {
		return Query{In: Circle{metres(float64(dice.IntN(12_000)-6000), float64(dice.IntN(12_000)-6000)), 300}, From: noon.Add(hours(1)), Until: noon.Add(hours(1)), Now: noon.Add(hours(20))}
	}
	b.Run("whole", func(b *testing.B) {
		hits := 0
		for b.Loop() {
			a, err := x.Search(context.Background(), query())
			if err != nil {
				b.Fatal(err)
			}
			hits += len(a.Hits)
		}
		b.ReportMetric(float64(hits)/float64(b.N), "hits/op")
	})
	b.Run("radius", func(b *testing.B) {
		var all []found
		for b.Loop() {
			all = x.near(query(), all[:0])
		}
	})
}
