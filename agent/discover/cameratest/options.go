package cameratest

import "time"

// Options say how a device behaves. The zero value of each field leaves it to
// Conversation.Defaults, and those to the plainest behaviour.
type Options struct {
	// Name of the device in a Town; the conversation's name if empty.
	Name string
	// Host is the IP address it listens on, 127.0.0.1 if empty. On Linux every
	// address of 127.0.0.0/8 may be used without further ado, and ::1. A
	// link-local address of IPv6 carries its zone, fe80::1%eth0.
	Host string
	// Port of HTTP; 0: any free one.
	Port int
	// HTTPS answers in TLS alone, with a self-signed certificate made at Start.
	HTTPS bool
	// Latency is the pause before each HTTP answer, as a network would make it.
	Latency time.Duration
	// Interface names the network interface on which WS-Discovery probes are
	// answered, "lo" without any privilege. "": no probe is answered.
	Interface string
	// MDNS are the DNS-SD service types under which the device is announced on
	// Interface, e.g. "_axis-video._tcp".
	MDNS []string
	// MDNSText are the texts of these announcements, "macaddress=025E47000001".
	MDNSText []string
	// SSDP answers searches of UPnP on Interface, and serves the description of
	// the device that the answer names. On where web.json has ssdp.
	SSDP bool

	// Endpoint is the endpoint reference, urn:uuid:...
	Endpoint string
	// Scopes and Types of its ProbeMatch. Types are written with the prefixes dn
	// (network/wsdl) and tds (device/wsdl).
	Scopes, Types []string
	// XAddrs of its ProbeMatch; the device's own address if empty. "{port}"
	// stands for the port, "{host}" for the address.
	XAddrs []string
	// AnswerTo are the probe types it answers: ProbeNVT, ProbeDevice,
	// ProbeUntyped. Nil: all three. Empty and not nil: none.
	AnswerTo []string

	// ClockOffset is device minus real time.
	ClockOffset time.Duration
	// Auth is how requests must be authenticated, with User and Password. Where
	// the caller of Start gives it (and not AuthToken, which is ONVIF's own) it
	// holds for the web interface too, but that AuthNone alone does away with
	// sessions; else that is challenged as its web.json says.
	Auth           Auth
	User, Password string
	// TokenSkew is by how much Created of a token may differ from the device's
	// own clock; 0: by any.
	TokenSkew time.Duration

	// RewriteHost puts the device's own address into the XAddr elements of its
	// answers. Without, they name the hosts of the recorded network.
	RewriteHost bool
	// ProfileG adds answers about recordings; nil: only what the conversation has.
	ProfileG *ProfileG

	// Footage answers searches of the web interface, in place of the answers that
	// web.json lists for them; nil: those alone.
	Footage *Footage

	// Picture is what every channel shows, an image as a device would encode it; nil:
	// the device gives no still pictures.
	Picture []byte

	Quirks Quirks
}

// Probe types for Options.AnswerTo.
const (
	ProbeNVT     = "NetworkVideoTransmitter"
	ProbeDevice  = "Device"
	ProbeUntyped = ""
)

// Auth is a device's demand for authentication. It is made on every operation
// but those that the ONVIF core specification leaves open before login
// (GetSystemDateAndTime, GetServices, GetServiceCapabilities, GetCapabilities,
// GetHostname, GetWsdlUrl, GetEndpointReference).
type Auth string

const (
	// AuthDefault leaves it to the conversation, and that to AuthNone.
	AuthDefault Auth = ""
	// AuthNone answers whoever asks, with whatever credentials.
	AuthNone Auth = "none"
	// AuthToken wants a WS-UsernameToken with digest; without, it answers with a
	// fault and no challenge.
	AuthToken Auth = "token"
	// AuthDigest wants HTTP Digest and challenges for it; a token is not looked at.
	AuthDigest Auth = "digest"
	// AuthBoth takes either, and challenges for Digest.
	AuthBoth Auth = "both"
	// AuthBasic wants the password in clear and challenges for that alone.
	AuthBasic Auth = "basic"
	// AuthNTLM challenges for NTLM alone; nothing is ever right.
	AuthNTLM Auth = "ntlm"
)

// or fills the fields that are zero from defaults.
func (o Options) or(d Options) Options {
	set := func(to *string, values ...string) {
		for _, v := range values {
			if *to == "" {
				*to = v
			}
		}
	}
	set(&o.Name, d.Name)
	set(&o.Host, d.Host, "127.0.0.1")
	set(&o.Interface, d.Interface)
	set(&o.Endpoint, d.Endpoint)
	set(&o.User, d.User)
	set(&o.Password, d.Password)
	set((*string)(&o.Auth), string(d.Auth), string(AuthNone))
	for to, from := range map[*[]string][]string{&o.MDNS: d.MDNS, &o.MDNSText: d.MDNSText, &o.Scopes: d.Scopes, &o.Types: d.Types, &o.XAddrs: d.XAddrs, &o.AnswerTo: d.AnswerTo} {
		if *to == nil {
			*to = from
		}
	}
	if o.AnswerTo == nil {
		o.AnswerTo = []string{ProbeNVT, ProbeDevice, ProbeUntyped}
	}
	if o.Port == 0 {
		o.Port = d.Port
	}
	if o.Latency == 0 {
		o.Latency = d.Latency
	}
	if o.ClockOffset == 0 {
		o.ClockOffset = d.ClockOffset
	}
	if o.TokenSkew == 0 {
		o.TokenSkew = d.TokenSkew
	}
	if o.ProfileG == nil {
		o.ProfileG = d.ProfileG
	}
	if o.Footage == nil {
		o.Footage = d.Footage
	}
	if o.Picture == nil {
		o.Picture = d.Picture
	}
	if o.Quirks == (Quirks{}) {
		o.Quirks = d.Quirks
	}
	o.RewriteHost = o.RewriteHost || d.RewriteHost
	o.HTTPS = o.HTTPS || d.HTTPS
	o.SSDP = o.SSDP || d.SSDP
	return o
}
