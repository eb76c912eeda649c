package main

import (
	"context"
)

// picture gets one still picture for the owner's page, which alone asks for it (see
// review.Options.Picture). One at a time: who clicks on many waits.
func (s *agent) picture(ctx context.Context, deviceID, cameraID string) ([]byte, error) {
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
	asker, err := s.asker(s.inv, s.link.clock())
	if err != nil {
		return nil, err
	}
	return asker.Picture(ctx, at.Sighting, at.Family, at.Channel)
}
