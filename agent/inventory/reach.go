package inventory

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"

	"anagrafe/agent/discover"
	"anagrafe/agent/interrogate"
)

// Reach is how one device, or one channel of it, is asked something by itself.
type Reach struct {
	Sighting discover.Sighting
	Needs    interrogate.Needs  // by the last look
	Family   interrogate.Family // whose interface named Channel; "" ONVIF
	Channel  string             // the device's own token; "" where it has told none
}

// Reach reports how a device is asked about one of its cameras; "" is the first of
// them. The error is ErrUnknown where the camera is not on that device, and also
// where the device has no address: another one has it now, or it was written down by
// hand.
func (v *Inventory) Reach(ctx context.Context, deviceID, cameraID string) (r Reach, err error) {
	err = v.read(ctx, func(tx *sql.Tx) error {
		b, err := v.load(ctx, tx)
		if err != nil {
			return err
		}
		d := b.device(deviceID)
		if d == nil {
			return ErrUnknown
		}
		at, err := netip.ParseAddrPort(d.address)
		if err != nil {
			return fmt.Errorf("it has no address now: %w", ErrUnknown)
		}
		r = Reach{Needs: d.needs, Family: d.family, Sighting: discover.Sighting{Endpoint: d.endpoint, Address: at,
			Vendor: d.vendor, Model: d.model, Methods: []discover.Method{discover.MethodTarget}}}
		c := b.cameraOn(d, cameraID)
		if c != nil {
			r.Family, r.Channel = c.family, c.channel
		} else if cameraID != "" {
			return ErrUnknown
		}
		return nil
	})
	if err != nil {
		return Reach{}, fmt.Errorf("device %q: %w", deviceID, err)
	}
	return r, nil
}

// cameraOn is the camera of that id on d, or d's first where id is "".
func (b *book) cameraOn(d *device, id string) *camera {
	for _, c := range b.cameras {
		if c.device == d && (id == "" || c.is(id)) {
			return c
		}
	}
	return nil
}
