package main

import (
	"context"

	"anagrafe/agent/interrogate"
)

// picture gets one still picture for the owner's page, which alone asks for it (see
// review.Options.Picture). One at a time: who clicks on many waits.
func (s *site) picture(ctx context.Context, deviceID, cameraID string) ([]byte, error) {
	select {
	case s.picturing <- struct{}{}:
		defer func() { <-s.picturing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	at, err := s.inv.Reach(ctx, deviceID, cameraID)
	if err != nil {
		return nil, err
	}
	asker := interrogate.New(interrogate.Options{Memory: s.inv, Now: s.link.clock(), Log: s.log})
	return asker.Picture(ctx, at.Sighting, at.Family, at.Channel)
}
