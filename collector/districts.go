package main

import (
	"context"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// refreshPlaces reads the addresses and districts that were imported since, and has the
// register place sites by them.
func (o *office) refreshPlaces(ctx context.Context) error {
	if err := o.places.Refresh(ctx); err != nil {
		return err
	}
	if from := o.places.Sources(); from != o.placedBy {
		o.placedBy = from
		o.reg.UseLocator(o.locator(from))
		select {
		case o.redrawn <- struct{}{}:
		default: // told already
		}
	}
	return nil
}

// locator asks the newest index. A site without cameras is where its address is, if
// nobody needs to be asked.
func (o *office) locator(from string) *registry.Locator {
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
