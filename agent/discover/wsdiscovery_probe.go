package discover

import (
	"github.com/beevik/etree"
	"github.com/google/uuid"
	"github.com/use-go/onvif/gosoap"
)

const (
	nsAddressing = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
	nsDiscovery  = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
	nsNetwork    = "http://www.onvif.org/ver10/network/wsdl"
	nsDevice     = "http://www.onvif.org/ver10/device/wsdl"
)

// probeKinds are the three questions that are put: of 8 devices 7 answered the
// first, 7 (other ones) the second, and real devices are known that answer only
// one of these two, so none can be left out.
var probeKinds = [...]struct {
	method     Method
	name       string // of the type asked for; "" asks for any
	prefix, ns string
}{
	{MethodTransmitter, "NetworkVideoTransmitter", "dn", nsNetwork},
	{MethodDevice, "Device", "tds", nsDevice},
	{MethodUntyped, "", "", ""},
}

// probe is one question as it is sent. Each sending has an id of its own: a
// device may take a repeated id for a duplicate, and keep silent although its
// first answer was lost.
type probe struct {
	id     string // bare UUID, lower case
	method Method
	packet []byte
}

// newProbes makes the three questions with new ids. They hold no line break:
// some Hikvision firmware does not answer when there is one.
func newProbes() []probe {
	probes := make([]probe, 0, len(probeKinds))
	for _, k := range probeKinds {
		id := uuid.NewString()

		action := etree.NewElement("a:Action")
		action.SetText(nsDiscovery + "/Probe")
		action.CreateAttr("soap-env:mustUnderstand", "1")
		message := etree.NewElement("a:MessageID")
		message.SetText("urn:uuid:" + id)
		reply := etree.NewElement("a:ReplyTo")
		reply.CreateElement("a:Address").SetText(nsAddressing + "/role/anonymous")
		to := etree.NewElement("a:To")
		to.SetText("urn:schemas-xmlsoap-org:ws:2005:04:discovery")
		to.CreateAttr("soap-env:mustUnderstand", "1")

		body := etree.NewElement("d:Probe")
		if k.name != "" {
			types := body.CreateElement("d:Types")
			types.CreateAttr("xmlns:"+k.prefix, k.ns)
			types.SetText(k.prefix + ":" + k.name)
		}

		envelope := gosoap.NewEmptySOAP()
		envelope.AddRootNamespace("a", nsAddressing)
		envelope.AddRootNamespace("d", nsDiscovery)
		envelope.AddHeaderContents([]*etree.Element{action, message, reply, to})
		envelope.AddBodyContent(body)
		probes = append(probes, probe{id: id, method: k.method, packet: []byte(envelope.String())})
	}
	return probes
}
