package cameratest

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// What a device says of itself: the last parts of wsa:Action.
const (
	sayMatches = "ProbeMatches"
	sayHello   = "Hello"
	sayBye     = "Bye"
)

// xaddrs are those that the device names.
func (d *Device) xaddrs() string {
	host, own := d.told().Addr().String(), d.service(d.told())
	switch d.o.Quirks.Discovery.XAddrs {
	case XAddrsNone:
		return ""
	case XAddrsOtherHost:
		return "http://" + otherHost + "/onvif/device_service"
	case XAddrsPublic:
		return "http://" + publicHost + "/onvif/device_service"
	case XAddrsHTTPSFirst:
		if d.address.Addr().Is6() {
			host = "[" + host + "]"
		}
		return "https://" + host + ":1/onvif/device_service " + own
	case XAddrsLinkLocalFirst:
		return "http://169.254.0.99/onvif/device_service " + own
	case XAddrsFE80First:
		return "http://[fe80::99]/onvif/device_service " + own
	}
	if d.o.XAddrs == nil {
		return own
	}
	return d.fill(strings.Join(d.o.XAddrs, " "))
}

// fill puts the device's address into XAddrs as they are in Options.
func (d *Device) fill(xaddrs string) string {
	return strings.NewReplacer("{host}", d.told().Addr().String(), "{port}", strconv.Itoa(int(d.address.Port()))).Replace(xaddrs)
}

// announcement is a message of WS-Discovery: the answer to the probe with that
// message id, or where that is "" a Hello or a Bye, to everybody.
func (d *Device) announcement(kind, relatesTo, xaddrs string) []byte {
	q := d.o.Quirks.Discovery
	to := nsAddressing + "/role/anonymous"
	if relatesTo != "" {
		relatesTo = "<a:RelatesTo>" + escape(relatesTo) + "</a:RelatesTo>"
	} else {
		to = "urn:schemas-xmlsoap-org:ws:2005:04:discovery"
	}
	replyTo := ""
	if q.HeaderAddress {
		replyTo = "<a:ReplyTo><a:Address>" + nsAddressing + "/role/anonymous</a:Address></a:ReplyTo>"
	}
	about := "<a:EndpointReference><a:Address>" + escape(d.o.Endpoint) + "</a:Address></a:EndpointReference>"
	if kind != sayBye {
		about += "<d:Types>" + escape(strings.Join(d.types(), " ")) + "</d:Types><d:Scopes>" + d.scopes() + "</d:Scopes>"
		if q.XAddrs != XAddrsNone {
			about += "<d:XAddrs>" + escape(xaddrs) + "</d:XAddrs>"
		}
		if !q.NoMetadataVersion {
			about += "<d:MetadataVersion>1</d:MetadataVersion>"
		}
	}
	open, shut := "<d:"+kind+">", "</d:"+kind+">"
	if kind == sayMatches {
		open, shut = open+"<d:ProbeMatch>", "</d:ProbeMatch>"+shut
	}
	addressing := fmt.Sprintf(` xmlns:a="%s"`, nsAddressing)
	if q.UndeclaredPrefix {
		addressing = ""
	}
	message := fmt.Appendf(nil, xml.Header+`<s:Envelope xmlns:s="%s"%s xmlns:d="%s" xmlns:%s="%s" xmlns:tds="%s"><s:Header>`+
		`<a:MessageID>urn:uuid:%s</a:MessageID>%s%s<a:To>%s</a:To><a:Action>%s/%s</a:Action>`+
		`<d:AppSequence InstanceId="1" MessageNumber="1"/></s:Header><s:Body>%s%s%s</s:Body></s:Envelope>`,
		nsEnvelope, addressing, nsDiscovery, d.typesPrefix(), nsNetwork, nsDevice,
		uuid.NewString(), relatesTo, replyTo, to, nsDiscovery, kind, open, about, shut)
	if q.Latin1 {
		message = latin1(message)
	}
	return message
}

func (d *Device) typesPrefix() string {
	if p := d.o.Quirks.Discovery.TypesPrefix; p != "" {
		return p
	}
	return "dn"
}

func (d *Device) types() []string {
	types := make([]string, len(d.o.Types))
	for i, t := range d.o.Types {
		if name, ok := strings.CutPrefix(t, "dn:"); ok {
			t = d.typesPrefix() + ":" + name
		}
		types[i] = t
	}
	return types
}

// maxPadding keeps a padded ProbeMatch within one datagram.
const maxPadding = 60000

// scopes is the content of d:Scopes.
func (d *Device) scopes() string {
	q := d.o.Quirks.Discovery
	scopes := d.o.Scopes
	if q.Latin1 {
		scopes = append(scopes[:len(scopes):len(scopes)], "onvif://www.onvif.org/location/perchè")
	}
	for i, n := 0, 0; n < min(q.Padded, maxPadding); i++ {
		s := fmt.Sprintf("onvif://www.onvif.org/padding/%d/%s", i, strings.Repeat("x", 200))
		scopes = append(scopes[:len(scopes):len(scopes)], s)
		n += len(s)
	}
	escaped, between := make([]string, len(scopes)), " "
	for i, s := range scopes {
		escaped[i] = escape(s)
	}
	if q.NewlinesInScopes {
		between = "\n      " // as from a template that was written over several lines
	}
	text := strings.Join(escaped, between)
	if q.Unescaped {
		text += " onvif://www.onvif.org/name/Bar&Grill"
	}
	return text
}
