package interrogate

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// identity is what the scopes say, from WS-Discovery and from the device.
type identity struct {
	name, hardware, mac string
	recorder            bool
}

// readScopes reads ONVIF's scopes. The location is left out: it is the
// factory's more often than the place's.
func readScopes(all []string) identity {
	var id identity
	for _, s := range all {
		rest, ok := strings.CutPrefix(strings.TrimSpace(s), "onvif://www.onvif.org/")
		if !ok {
			continue
		}
		kind, value, _ := strings.Cut(rest, "/")
		if text, err := url.PathUnescape(value); err == nil {
			value = text
		}
		value = clean(value)
		switch strings.ToLower(kind) {
		case "name":
			if id.name == "" {
				id.name = value
			}
		case "hardware":
			if id.hardware == "" {
				id.hardware = value
			}
		case "mac": // Hikvision
			id.mac = value
		case "type":
			switch strings.ToLower(strings.ReplaceAll(value, "_", "")) {
			case "networkvideostorage", "networkvideorecorder", "nvs", "nvr", "dvr":
				id.recorder = true
			}
		}
	}
	return id
}

// isRecorder tells a recorder from a camera: its scopes or its model say so, or
// it has several channels. (A camera with several lenses counts as a recorder,
// and rightly: it keeps the images of all of them.)
func (d *Device) isRecorder(id identity) bool {
	model := strings.ToUpper(d.Model)
	return id.recorder || len(d.Channels) > 1 || strings.Contains(model, "NVR") || strings.Contains(model, "DVR")
}

// readSerial leaves out what is no serial number: AlexxIT/go2rtc gives host:port.
func readSerial(text string) string {
	text = clean(text)
	if _, err := netip.ParseAddrPort(text); err == nil {
		return ""
	}
	return text
}

// readMACs gives the hardware addresses in one form, without repetition and
// without the ones that are no address of a single device.
func readMACs(all []string) []string {
	var out []string
	for _, s := range all {
		hw, err := net.ParseMAC(strings.TrimSpace(s))
		if err != nil || len(hw) != 6 || hw[0]&1 == 1 || hw.String() == "00:00:00:00:00:00" || len(out) == 8 {
			continue
		}
		if !slices.Contains(out, hw.String()) {
			out = append(out, hw.String())
		}
	}
	return out
}
