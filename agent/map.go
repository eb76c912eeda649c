package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"anagrafe/agent/atlas"
	"anagrafe/agent/inventory"
	"anagrafe/agent/review"
	"anagrafe/agent/uplink"
	"anagrafe/protocol"
)

// atlasDir is where the map is kept in an agent's directory.
func atlasDir(dir string) string { return filepath.Join(dir, "map") }

// mapInfo describes the map to the pages.
func (s *agent) mapInfo(ctx context.Context) (review.MapInfo, error) {
	d, err := s.atlas.Describe(ctx)
	if err != nil {
		return review.MapInfo{}, err
	}
	return review.MapInfo{Available: d.Tiles, Attribution: d.Credit, MinZoom: d.MinZoom, MaxZoom: d.MaxZoom}, nil
}

// tile gives the pages a vector tile.
func (s *agent) tile(ctx context.Context, z, x, y int) ([]byte, error) {
	return s.atlas.Tile(ctx, protocol.TileAt{Z: z, X: x, Y: y})
}

// findPlaces tells the pages what an address may mean. The site decides nothing but
// whether there is such a one: all of an agent's sites are with one collector, and
// which of them it is for is not told to it.
func (s *agent) findPlaces(ctx context.Context, siteID, text string) ([]review.Place, error) {
	known, err := s.inv.View(ctx)
	switch {
	case err != nil:
		return nil, err
	case len(known.Sites) == 0:
		return nil, inventory.ErrNotEnrolled
	case siteID != "" && !slices.ContainsFunc(known.Sites, func(g inventory.Site) bool { return g.SiteID == siteID }):
		return nil, fmt.Errorf("site %q: %w", siteID, inventory.ErrUnknown)
	}
	found, err := s.atlas.Places(ctx, text)
	if err != nil {
		return nil, err
	}
	places := make([]review.Place, 0, len(found))
	for _, p := range found {
		places = append(places, review.Place{Name: p.Name, Lon: float64(p.At.Lon) / 1e6, Lat: float64(p.At.Lat) / 1e6, Sure: p.Sure})
	}
	return places, nil
}

// withdrawn forgets the map when the last camera has left the register: it tells
// where somebody looked.
func (s *agent) withdrawn(ctx context.Context) {
	ctx = context.WithoutCancel(ctx) // a browser that has gone has withdrawn all the same
	known, err := s.inv.View(ctx)
	is := func(state inventory.State) bool {
		return slices.ContainsFunc(known.Cameras, func(c inventory.Camera) bool { return c.State == state })
	}
	if err == nil && is(inventory.StateWithdrawn) && !is(inventory.StateDeclared) {
		err = s.atlas.Forget()
	}
	if err != nil {
		s.log.WarnContext(ctx, "the map that is kept on this computer could not be removed", "directory", atlasDir(s.dir), "err", err)
	}
}

// Parts that the doctor looks at.
const (
	partMap  uplink.Part = "map"  // the collector gives a map and addresses
	partKept uplink.Part = "kept" // what of them is on this computer
)

// examineMap looks whether the collector gives a map and addresses, where it admits
// this agent.
func examineMap(ctx context.Context, identity *uplink.Identity, admission uplink.State) uplink.Finding {
	f := uplink.Finding{Part: partMap, State: uplink.StateSlow}
	if admission != uplink.StateGood {
		f.State, f.Found = uplink.StateUnknown, "not looked at, since the collector does not admit this agent now"
		return f
	}
	d, err := identity.DescribeMap(ctx, nil)
	if err != nil {
		f.State, f.Found = uplink.StateUnknown, "not known, since the collector does not answer: "+err.Error()
		return f
	}
	const byCoordinates = "nothing: cameras are placed by coordinates; who keeps the collector can add it"
	switch {
	case d.Tiles && d.Places:
		f.State, f.Found = uplink.StateGood, "the collector gives the map and the addresses"
	case d.Tiles:
		f.Found, f.Do = "the collector gives the map and no addresses", "nothing: cameras are placed on the map; who keeps the collector can add them"
	case d.Places:
		f.Found, f.Do = "the collector gives addresses and no map", byCoordinates
	default:
		f.Found, f.Do = "the collector gives neither a map nor addresses", byCoordinates
	}
	return f
}

// examineKept says how much of the map lies on this computer.
func examineKept(dir string) uplink.Finding {
	files, bytes, err := atlas.Kept(atlasDir(dir))
	switch {
	case err != nil:
		return uplink.Finding{Part: partKept, State: uplink.StateSlow, Found: err.Error(), Do: "run this as the agent's user, or as administrator; what is kept is asked for again"}
	case files == 0:
		return uplink.Finding{Part: partKept, State: uplink.StateGood, Found: "nothing of the map is kept on this computer yet"}
	}
	return uplink.Finding{Part: partKept, State: uplink.StateGood,
		Found: fmt.Sprintf("%d parts of the map and addresses are kept on this computer, %.1f MiB, and shown without a connection", files, float64(bytes)/(1<<20))}
}
