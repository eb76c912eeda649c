package gazetteer

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"anagrafe/protocol"
)

// Border is that of the ground which a register is for, and a margin around it.
type Border struct {
	ground District
	margin float64 // metres
}

// metresPerMicrodegree is that of latitude; good to 0.6 % everywhere.
const metresPerMicrodegree = 0.111_195

// ReadBorder reads the polygons of a GeoJSON file. The margin is in metres.
func ReadBorder(file []byte, margin float64) (*Border, error) {
	if len(file) > MaxFile {
		return nil, fmt.Errorf("it is over %d MiB: give a simpler border", MaxFile>>20)
	}
	var in geoJSON
	if err := json.Unmarshal(file, &in); err != nil {
		return nil, fmt.Errorf("it is no GeoJSON: %w", err)
	}
	polygons, err := in.polygons()
	if err == nil && len(polygons) == 0 {
		err = errors.New("it holds no Polygon or MultiPolygon: export the border as one")
	}
	b := &Border{District{Polygons: polygons}, margin}
	b.ground.prepare()
	return b, err
}

// Contains tells whether a point lies on the ground or not farther from it than the
// margin. Where there is no border everything does.
func (b *Border) Contains(p protocol.Point) bool {
	if b == nil || b.ground.contains(p) {
		return true
	}
	east := metresPerMicrodegree * math.Cos(float64(p.Lat)/1e6*math.Pi/180)
	flat := func(q protocol.Point) orb.Point { // a plane around the point
		return orb.Point{float64(q.Lon-p.Lon) * east, float64(q.Lat-p.Lat) * metresPerMicrodegree}
	}
	for _, polygon := range b.ground.Polygons {
		for _, ring := range polygon {
			for i := range ring[1:] {
				if planar.DistanceFromSegmentSquared(flat(ring[i]), flat(ring[i+1]), orb.Point{}) <= b.margin*b.margin {
					return true
				}
			}
		}
	}
	return false
}
