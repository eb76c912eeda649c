package main

import (
	"context"

	"anagrafe/agent/discover"
	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/agent/review"
)

// try looks at one device at once with the password that a person has typed for it,
// and keeps that: a refusal is the last word on it, as in any look. Without a user it
// only looks. Where another password works, only one that works too takes its place.
func (s *agent) try(ctx context.Context, deviceID string, c interrogate.Credential) (interrogate.Needs, error) {
	done, err := s.lookAlone(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	at, err := s.inv.Reach(ctx, deviceID, "")
	if err != nil {
		return "", err
	}
	_, works, err := s.inv.Credential(ctx, at.Sighting)
	if err != nil {
		return "", err
	}
	works = works && at.Needs == interrogate.NeedsNothing
	memory := interrogate.Memory(s.inv)
	switch {
	case c.User == "":
	case works:
		c.For = at.Sighting.Address.Addr()
		memory = typed{s.inv, c}
	default:
		if err := s.inv.SetCredential(ctx, deviceID, c); err != nil {
			return "", err
		}
	}
	now := s.link.clock()
	asker, err := s.asker(memory, now)
	if err != nil {
		return "", err
	}
	d := askAt(ctx, asker, at.Sighting)
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case !d.Answered:
		return "", review.ErrSilent
	case works && c.User != "" && d.Needs != interrogate.NeedsNothing:
		return d.Needs, nil // what it tells who has the other password counts
	case works && c.User != "":
		if err := s.inv.SetCredential(ctx, deviceID, c); err != nil {
			return "", err
		}
	}
	return d.Needs, s.inv.Record(ctx, []interrogate.Device{d}, now())
}

// typed is the inventory's memory with another password for the one device that is
// asked.
type typed struct {
	*inventory.Inventory
	given interrogate.Credential
}

func (m typed) Credential(context.Context, discover.Sighting) (interrogate.Credential, bool, error) {
	return m.given, true, nil
}

// askAt asks one device by the address that is kept of it, which does not say
// whether it speaks TLS there.
func askAt(ctx context.Context, asker *interrogate.Asker, at discover.Sighting) interrogate.Device {
	d := asker.Ask(ctx, at)
	if !d.Answered && ctx.Err() == nil && d.Needs != interrogate.NeedsCertificate {
		at.XAddrs = []string{"https://" + at.Address.String() + "/onvif/device_service"}
		d = asker.Ask(ctx, at)
	}
	return d
}
