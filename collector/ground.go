package main

import (
	"anagrafe/collector/basemap"
	"anagrafe/collector/search/gazetteer"
	"anagrafe/protocol"
)

// ground is what owners place their cameras on, by an agent or on the public form: the
// basemap and the addresses. It is the Map of ingest and of web/atlas.
type ground struct {
	base   *basemap.File // nil: none
	credit string
	places *gazetteer.Gazetteer
}

// openGround opens the basemap at path ("": there is none), which close closes.
// credit replaces that of its file, unless it is "".
func openGround(path, credit string, places *gazetteer.Gazetteer) (*ground, error) {
	g := &ground{credit: credit, places: places}
	if path == "" {
		return g, nil
	}
	var err error
	if g.base, err = basemap.Open(path); err != nil {
		return nil, err
	}
	if credit == "" {
		g.credit = g.base.Attribution
	}
	return g, nil
}

func (g *ground) close() {
	if g.base != nil {
		_ = g.base.Close() // it was only read
	}
}

// Describe says what there is now: addresses may be imported at any time.
func (g *ground) Describe() protocol.MapDescription {
	x := g.places.Index()
	d := protocol.MapDescription{Places: x.Streets() > 0 || x.HasDistricts()}
	if g.base != nil {
		d.Tiles, d.Credit, d.Tag = true, g.credit, g.base.Sum
		d.MinZoom, d.MaxZoom = min(g.base.MinZoom, protocol.MaxTileZoom), min(g.base.MaxZoom, protocol.MaxTileZoom)
	}
	return d
}

// Packed returns a tile of the basemap.
func (g *ground) Packed(z, x, y int) ([]byte, error) { return g.base.Packed(z, x, y) }

// Find asks the gazetteer. Of places of one name, that of which the
// neighbourhood is known is told with it. Sure is a house number alone: the
// middle of a district is no place for a camera.
func (g *ground) Find(text string) []protocol.FoundPlace {
	found := g.places.Index().Find(text)
	named := map[string]int{}
	for _, a := range found.Answers {
		named[a.Name()]++
	}
	all := make([]protocol.FoundPlace, 0, len(found.Answers))
	for i, a := range found.Answers {
		p := protocol.FoundPlace{Name: a.Name(), At: a.At, Sure: i == 0 && found.Sure && a.Kind == gazetteer.Exact}
		if named[p.Name] > 1 && a.NIL != "" {
			p.Name += " (" + a.NIL + ")"
		}
		all = append(all, p)
	}
	return all
}
