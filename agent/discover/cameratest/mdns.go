package cameratest

import (
	"fmt"
	"net"

	"github.com/grandcat/zeroconf"
)

// announce registers the device's DNS-SD services on its interface, as Axis
// cameras do with _axis-video._tcp.
func (d *Device) announce() error {
	if d.o.Interface == "" {
		return nil
	}
	for _, service := range d.o.MDNS {
		ifi, err := net.InterfaceByName(d.o.Interface)
		if err != nil {
			return fmt.Errorf("announce %s on %s: %w", service, d.o.Interface, err)
		}
		host := "cameratest-" + squeeze(d.o.Name)
		server, err := zeroconf.RegisterProxy(d.o.Name, service, "local.", int(d.address.Port()), host,
			[]string{d.address.Addr().String()}, d.o.MDNSText, []net.Interface{*ifi})
		if err != nil {
			return fmt.Errorf("announce %s on %s: %w", service, d.o.Interface, err)
		}
		d.closers = append(d.closers, server.Shutdown)
	}
	return nil
}
