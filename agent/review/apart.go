package review

import (
	"cmp"
	"fmt"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
)

// apart is what tells devices from others of the same title, by id: their address or,
// without one, a number. Two recorders of one delivery often keep the name that they
// came with, and readers of a page, or of its regions by ear, must know which
// is which.
func apart(devices []inventory.Device, title func(inventory.Device) string) map[string]string {
	same := map[string][]inventory.Device{}
	for _, d := range devices {
		same[title(d)] = append(same[title(d)], d)
	}
	marks := map[string]string{}
	for _, twins := range same {
		for i, d := range twins {
			if len(twins) > 1 {
				marks[d.ID] = cmp.Or(d.Address, fmt.Sprint(i+1))
			}
		}
	}
	return marks
}

// titleOf is what the list of cameras, and the question whose they are, call a device.
func titleOf(d inventory.Device) string {
	if d.Kind == interrogate.KindRecorder {
		return cmp.Or(d.Name, d.Model, d.Address, d.Vendor)
	}
	return d.Vendor + " " + cmp.Or(d.Model, d.Name, d.Address)
}
