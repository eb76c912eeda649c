package cameratest

import "time"

// Options say how a device behaves. The zero value of each field leaves it to
// Conversation.Defaults, and those to the plainest behaviour.
type Options struct {
	// Name of the device in a Town; the conversation's name if empty.
	Name string
	// Host is the IP address it listens on, 127.0.0.1 if empty. On Linux every
	// address of 127.0.0.0/8 may be used without further ado. ::1 works, but such
	// a device answers no probe.
	Host string
	// Port of HTTP; 0: any free one.
	Port int
	// Interface names the network interface on which WS-Discovery probes are
	// answered, "lo" without any privilege. "": no probe is answered.
	Interface string
	// MDNS are the DNS-SD service types under which the device is announced on
	// Interface, e.g. "_axis-video._tcp".
	MDNS []string

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
	// Auth is how requests must be authenticated, with User and Password.
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
)

// Quirks are misbehaviours, each seen on some device.
type Quirks struct {
	// LockoutAfter is the number of refused attempts after which even the right
	// password is refused; the fault tells how many are left (Hikvision,
	// Dahua). 0: never.
	LockoutAfter int
	// WrongTokenRefusesAll: a request that carries a wrong token is refused also
	// where none was needed, the time included (AXIS P5655-E).
	WrongTokenRefusesAll bool
	// AuthStatus is the HTTP status of the fault that refuses a token; 0: 400.
	AuthStatus int

	// Slow is the pause before each HTTP answer.
	Slow time.Duration
	// GarbageXML answers every request with text that is not XML, HTTP 200.
	GarbageXML bool
	// Huge answers every request with an envelope padded to this many bytes.
	Huge int64
	// Drip sends each answer one byte per Drip and then spaces for ever: it ends
	// when the client or Close ends it.
	Drip time.Duration

	// SlowProbe is the pause before each ProbeMatch.
	SlowProbe time.Duration
	// AnswersTwice sends each ProbeMatch twice.
	AnswersTwice bool
	// EphemeralPort sends ProbeMatches from any port instead of 3702.
	EphemeralPort bool
	// GarbageProbeMatch answers probes with datagrams that are no ProbeMatch: an
	// empty one, text, a cut envelope, one without XAddrs, before (and instead
	// of) any good one.
	GarbageProbeMatch bool
}

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
	for to, from := range map[*[]string][]string{&o.MDNS: d.MDNS, &o.Scopes: d.Scopes, &o.Types: d.Types, &o.XAddrs: d.XAddrs, &o.AnswerTo: d.AnswerTo} {
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
	if o.ClockOffset == 0 {
		o.ClockOffset = d.ClockOffset
	}
	if o.TokenSkew == 0 {
		o.TokenSkew = d.TokenSkew
	}
	if o.ProfileG == nil {
		o.ProfileG = d.ProfileG
	}
	if o.Quirks == (Quirks{}) {
		o.Quirks = d.Quirks
	}
	o.RewriteHost = o.RewriteHost || d.RewriteHost
	return o
}
