package cameratest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// media2Path is where the Media2 service of ServiceQuirks.Media2First is: the
// operations of Media are not known there.
const media2Path = "/onvif/media2_first"

// Addresses that wrong XAddrs name, of the blocks for documentation (RFC 5737):
// one as if on the LAN, one as if on the public network.
const (
	otherHost  = "192.0.2.99"
	publicHost = "203.0.113.99"
)

// notServed returns the fault to a request that the quirks make the device
// refuse.
func (d *Device) notServed(r *http.Request, c call) (reply, bool) {
	q := d.o.Quirks
	switch {
	case c.operation == "GetServices" && q.Services.NoGetServices,
		r.URL.Path == media2Path && c.namespace != nsMedia2:
		return d.refuse(500, "Receiver", "ter:ActionNotSupported", "Optional Action Not Implemented"), true
	case c.operation == "GetServices" && q.Services.IncludeCapability != "" && first(c.asked["IncludeCapability"]) != q.Services.IncludeCapability:
		return d.refuse(400, "Sender", "ter:InvalidArgVal", "IncludeCapability"), true
	case c.operation == "GetRecordingSearchResults" && q.Recording.ForgetsSearch:
		return d.refuse(400, "Sender", "ter:InvalidToken", "Unknown search token"), true
	}
	return reply{}, false
}

// serviceQuirks changes an answer about the device and its services.
func (d *Device) serviceQuirks(operation string, body []byte) []byte {
	q := d.o.Quirks.Services
	switch operation {
	case "GetDeviceInformation":
		if q.SerialIsAddress {
			body = edit(body, func(path []string, _ string) (string, bool) {
				return d.address.String(), len(path) > 0 && path[len(path)-1] == "SerialNumber"
			})
		}
		if q.Missing != "" {
			missing := strings.Split(q.Missing, ",")
			body = without(body, func(t tag) bool { return t.depth > 3 && slices.Contains(missing, t.local) })
		}
	case "GetCapabilities":
		if q.RecordingOnlyInServices {
			body = without(body, func(t tag) bool {
				return t.depth > 4 && (t.local == "Recording" || t.local == "Search" || t.local == "Replay")
			})
		}
	case "GetServices":
		if q.Media2First {
			body = media2First(body)
		}
	}
	return body
}

// media2First leaves the Media2 service out where it is named, and names one
// before all others.
func media2First(body []byte) []byte {
	body = without(body, func(t tag) bool {
		return t.depth == 4 && t.local == "Service" && first(texts(body[t.from:t.until], "Namespace")) == nsMedia2
	})
	host := "192.0.2.1"
	if u, err := url.Parse(first(texts(body, "XAddr"))); err == nil && u.Host != "" {
		host = u.Host
	}
	for _, t := range tags(body) {
		if t.depth == 4 && t.local == "Service" {
			return apply(body, change{t.from, t.from, fmt.Sprintf(`<m:Service xmlns:m="%s" xmlns:v="http://www.onvif.org/ver10/schema">`+
				`<m:Namespace>%s</m:Namespace><m:XAddr>http://%s%s</m:XAddr><m:Version><v:Major>21</v:Major><v:Minor>6</v:Minor></m:Version></m:Service>`,
				nsDevice, nsMedia2, host, media2Path)})
		}
	}
	return body
}

// misname puts the wrong addresses into every XAddr, as the quirks want them.
func (d *Device) misname(body []byte) []byte {
	q := d.o.Quirks.Services.XAddrs
	if q != XAddrsOtherHost && q != XAddrsPublic && q != XAddrsNoPath {
		return body
	}
	return edit(body, func(path []string, text string) (string, bool) {
		u, err := url.Parse(strings.TrimSpace(text))
		if len(path) == 0 || path[len(path)-1] != "XAddr" || err != nil || u.Host == "" {
			return "", false
		}
		switch q {
		case XAddrsOtherHost:
			u.Host = otherHost
		case XAddrsPublic:
			u.Host = publicHost
		case XAddrsNoPath:
			u.Path = ""
		}
		return u.String(), true
	})
}
