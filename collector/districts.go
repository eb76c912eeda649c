package main

import (
	"context"

	"anagrafe/collector/registry"
	"anagrafe/collector/search/gazetteer"
	"anagrafe/collector/web/choropleth"
	"anagrafe/protocol"
)

// refreshPlaces reads the addresses and districts that were imported since, has the
// register place sites by them, and draws the districts anew.
func (o *collector) refreshPlaces(ctx context.Context) error {
	if err := o.places.Refresh(ctx); err != nil {
		return err
	}
	if from := o.places.Sources(); from != o.placedBy {
		o.placedBy = from
		o.reg.UseLocator(o.locator(from))
		o.drawDistricts()
		select {
		case o.redrawn <- struct{}{}:
		default: // told already
		}
	}
	return nil
}

// locator asks the newest index. A site without cameras is where its address is, if
// nobody needs to be asked.
func (o *collector) locator(from string) *registry.Locator {
	index := o.places.Index()
	return &registry.Locator{Map: from, At: func(p protocol.Point) registry.District {
		return registry.District(index.PlaceOf(p))
	}, Find: func(address string) (d registry.District) {
		if found := index.Find(address); found.Sure && len(found.Answers) > 0 {
			d = registry.District(found.Answers[0].Place)
		}
		return d
	}}
}

// drawDistricts makes the maps of districts that stand until the next import.
func (o *collector) drawDistricts() {
	municipi, nils := o.places.Index().Extents()
	o.drawn.Store(&map[string]*choropleth.Map{string(registry.GroupMunicipio): choropleth.New(districts(municipi)), string(registry.GroupNIL): choropleth.New(districts(nils))})
}

func districts(extents []gazetteer.Extent) (all []choropleth.District) {
	for _, e := range extents {
		all = append(all, choropleth.District{Name: e.Name, Polygons: e.Polygons, Addresses: e.Numbers})
	}
	return all
}

// districtMap is the map of the municipi, or of the neighbourhoods; nil where none were
// imported.
func (o *collector) districtMap(of string) *choropleth.Map {
	if drawn := o.drawn.Load(); drawn != nil {
		return (*drawn)[of]
	}
	return nil
}
