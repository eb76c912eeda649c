package cameratest

import "time"

// Quirks are misbehaviours, each seen on some device or told in the thread that
// its comment names. Several may be on at once where that makes sense; where it
// does not (a dropped connection and a byte at a time) the ruder one wins.
type Quirks struct {
	// LockoutAfter is the number of refused attempts after which even the right
	// password is refused; the fault tells how many are left (Hikvision,
	// Dahua: home-assistant/core#175333, rroller/dahua#729). 0: never.
	LockoutAfter int
	// WrongTokenRefusesAll: a request that carries a wrong token is refused also
	// where none was needed, the time included (AXIS P5655-E).
	WrongTokenRefusesAll bool
	// AuthStatus is the HTTP status of the fault that refuses a token; 0: 400. Not
	// of the web interface, whose web.json says.
	AuthStatus int

	// Slow is the pause before each HTTP answer.
	Slow time.Duration
	// GarbageXML answers every request with text that is not XML, HTTP 200.
	GarbageXML bool
	// Huge answers every request with an envelope padded to this many bytes
	// (8 MB in mrtian2016/onvifsim, transport.huge_response).
	Huge int64
	// Drip sends each answer one byte per Drip and then spaces for ever: it ends
	// when the client or Close ends it.
	Drip time.Duration

	// SlowProbe is the pause before each ProbeMatch.
	SlowProbe time.Duration
	// AnswersTwice sends each ProbeMatch twice.
	AnswersTwice bool
	// EphemeralPort sends ProbeMatches from any port instead of 3702
	// (GyeongHoKim/onvif-simulator, daniela-hase/onvif-server).
	EphemeralPort bool
	// GarbageProbeMatch answers probes with datagrams that are no ProbeMatch: an
	// empty one, text, a cut envelope, one without XAddrs, before (and instead
	// of) any good one.
	GarbageProbeMatch bool

	Discovery DiscoveryQuirks
	HTTP      HTTPQuirks
	SOAP      SOAPQuirks
	Services  ServiceQuirks
	Recording RecordingQuirks
	Clock     ClockQuirks
	Login     LoginQuirks
}

// XAddrs is a way to name the wrong addresses; "" names the right one.
type XAddrs string

const (
	// XAddrsNone names none (mrtian2016/onvifsim discovery.no_xaddrs).
	XAddrsNone XAddrs = "none"
	// XAddrsOtherHost names another host of the LAN, 192.0.2.99, and that alone
	// (blakeblackshear/frigate#18352, python-onvif-zeep-async PR 250).
	XAddrsOtherHost XAddrs = "other host"
	// XAddrsPublic names an address of the public network, 203.0.113.99, and
	// that alone (a camera behind NAT, FalkTannhaeuser/python-onvif-zeep#61).
	XAddrsPublic XAddrs = "public"
	// XAddrsNoPath names http://host:port (KoynovStas/onvif_srvd), which then is
	// answered.
	XAddrsNoPath XAddrs = "no path"
	// XAddrsHTTPSFirst names https of a port where nobody listens, then the right
	// one (Bosch, agsh/onvif#63).
	XAddrsHTTPSFirst XAddrs = "https first"
	// XAddrsLinkLocalFirst names 169.254.0.99, then the right one (Axis,
	// agsh/onvif#63).
	XAddrsLinkLocalFirst XAddrs = "169.254 first"
	// XAddrsFE80First names fe80::99, then the right one (agsh/onvif#93).
	XAddrsFE80First XAddrs = "fe80 first"
)

// DiscoveryQuirks are those of WS-Discovery. See also Options.AnswerTo (answers
// only one type of probe) and Options.XAddrs.
type DiscoveryQuirks struct {
	// XAddrs of the ProbeMatch, Hello included; "" leaves it to Options.XAddrs.
	XAddrs XAddrs
	// ThenXAddrs are XAddrs, as in Options, of a second ProbeMatch to the same
	// probe (mrtian2016/onvifsim discovery.reply_twice, vicmaeg/onvif-discovery#17).
	ThenXAddrs string
	// From is the address of another interface, from which the answer comes: the
	// device listens there too (GuilhermeC18/node-onvif#28, #41).
	From string
	// NoMetadataVersion leaves that out (mrtian2016/onvifsim).
	NoMetadataVersion bool
	// NoUnicast ignores probes sent to the device alone (GyeongHoKim).
	NoUnicast bool
	// OneLine answers only a probe without newlines (Hikvision, edgex#134).
	OneLine bool
	// HeaderAddress puts a ReplyTo with another Address before the endpoint
	// reference (roleoroleo/onvif_simple_server).
	HeaderAddress bool
	// TypesPrefix writes Types with this prefix for network/wsdl in place of dn,
	// "tdn" (roleoroleo/onvif_simple_server, openhab-addons#9022).
	TypesPrefix string
	// UndeclaredPrefix leaves the prefix of wsa undeclared
	// (home-assistant.io#40942).
	UndeclaredPrefix bool
	// NewlinesInScopes breaks lines inside the scopes (daniela-hase/onvif-server).
	NewlinesInScopes bool
	// Unescaped adds a scope with a bare & (python-zeep#1205 and others: XML that
	// is none).
	Unescaped bool
	// Latin1 adds a scope with an è and sends all as ISO-8859-1, declared so.
	Latin1 bool
	// EmptyFirst sends an empty datagram before each ProbeMatch.
	EmptyFirst bool
	// Padded makes the ProbeMatch at least this many bytes long with more scopes,
	// over 8192 as in bluecherry-apps#182; at most 60000, one datagram.
	Padded int
	// Flood sends this many forged ProbeMatches, each of another endpoint and
	// naming another host (198.51.100.x), before the right one.
	Flood int
}

// HTTPQuirks are those of the connection. See also Slow, Huge, Drip.
type HTTPQuirks struct {
	// RedirectLoop answers every request with a redirect to itself.
	RedirectLoop bool
	// RedirectTo answers every request with a redirect (307) there.
	RedirectTo string
	// Bare sends the answer without status line and headers, as HTTP/0.9 did
	// (mrtian2016/onvifsim transport.malformed_http bad_status_line).
	Bare bool
	// ZeroLength answers every request with 200 and no body.
	ZeroLength bool
	// Drop closes the connection without an answer.
	Drop bool
	// DropUnknown does so for operations that it does not know
	// (KoynovStas/onvif_srvd).
	DropUnknown bool
	// Truncated closes the connection after half of the body that was announced
	// (mrtian2016/onvifsim transport.malformed_http truncated).
	Truncated bool
	// ByteByByte sends each byte of the body on its own, and then ends well.
	ByteByByte bool
	// OldTLS speaks TLS 1.0 alone (needs Options.HTTPS).
	OldTLS bool
}

// FaultForm is a way to say no; "" is a SOAP 1.2 fault with a ter: subcode.
type FaultForm string

const (
	// FaultEmpty has no body (roleoroleo/onvif_simple_server, Media2 GetProfiles).
	FaultEmpty FaultForm = "empty"
	// FaultText is text/plain (AlexxIT/go2rtc).
	FaultText FaultForm = "text/plain"
	// FaultStack is a stack trace (daniela-hase/onvif-server).
	FaultStack FaultForm = "stack trace"
	// FaultDropped closes the connection (KoynovStas/onvif_srvd).
	FaultDropped FaultForm = "dropped"
	// FaultSOAP11 is a SOAP 1.1 fault inside a 1.2 envelope (daniela-hase).
	FaultSOAP11 FaultForm = "SOAP 1.1"
	// FaultNoSubcode has no ter: subcode (0x524a/onvif-go).
	FaultNoSubcode FaultForm = "no subcode"
)

// ActionRule is what a device makes of action= in the Content-Type.
type ActionRule string

const (
	// ActionRefused answers 400 to requests that have it (Illustra, agsh/onvif#302).
	ActionRefused ActionRule = "refused"
	// ActionNeeded answers 400 to requests that do not (Pelco, agsh/onvif PR 498).
	ActionNeeded ActionRule = "needed"
)

// SOAPQuirks are those of envelopes and faults.
type SOAPQuirks struct {
	// FaultForm and FaultStatus are of every fault that the device makes up
	// itself, and FaultStatus of the recorded ones too: 200
	// (mrtian2016/onvifsim), 400 (roleoroleo), 401 (GyeongHoKim), 500 (0x524a).
	FaultForm   FaultForm
	FaultStatus int
	// SOAP11Only answers a SOAP 1.2 request with 200 and an empty body, and a 1.1
	// request in 1.1 (OpenIPC/viewer PR 65).
	SOAP11Only bool
	// Action is the rule for action= in the Content-Type.
	Action ActionRule
	// EchoToken repeats the WS-Security header of the request in the answer
	// (Reolink E1 Zoom, Bosch).
	EchoToken bool
	// UndeclaredPrefixes declares no prefix but that of the envelope
	// (python-zeep#1205).
	UndeclaredPrefixes bool
	// OddPrefixes writes every element with a prefix that nobody uses
	// (FalkTannhaeuser/python-onvif-zeep PR 46).
	OddPrefixes bool
	// WrongNamespace puts the children of each answer into the namespace of its
	// operation (home-assistant/core#47130).
	WrongNamespace bool
	// Cut ends the envelope in the middle, with the Content-Length of the half.
	Cut bool
	// EntityBomb declares nine levels of entities, each ten times the one before,
	// and uses the last in a text: 10^9 bytes for who expands it.
	EntityBomb bool
	// Latin1 sends ISO-8859-1, declared so; other characters become "?".
	Latin1 bool
}

// ServiceQuirks are those of the services that a device names.
type ServiceQuirks struct {
	// NoGetServices refuses it (old Axis, quatanium/python-onvif PR 30).
	NoGetServices bool
	// IncludeCapability is the only value with which GetServices is answered,
	// "true" or "false" (Hikvision V5.1.6, TRENDnet: ter:InvalidArgVal).
	IncludeCapability string
	// RecordingOnlyInServices leaves recording, search and replay out of
	// GetCapabilities (python-onvif-zeep-async PR 177).
	RecordingOnlyInServices bool
	// Media2First names Media2, at a path of its own where Media's operations are
	// not known, before Media (mrtian2016/onvifsim connect.media2_first).
	Media2First bool
	// XAddrs of all services: XAddrsOtherHost, XAddrsPublic, XAddrsNoPath; the
	// others are as "".
	XAddrs XAddrs
	// Missing leaves these elements out of GetDeviceInformation, by name with
	// commas between, "HardwareId,SerialNumber" (mrtian2016/onvifsim
	// connect.device_info_missing).
	Missing string
	// SerialIsAddress gives host:port as SerialNumber (AlexxIT/go2rtc).
	SerialIsAddress bool
}

// RecordingQuirks are those of Profile G. See also Options.ProfileG.
type RecordingQuirks struct {
	// Retention replaces every MaximumRetentionTime: "PT0S" (no limit), "P0D",
	// "PT1209600S" (P14D read back so), "PT1H" (Axis).
	Retention string
	// Empty answers lists of recordings, jobs and results without any (Axis,
	// hammeraj/onvif PR 112).
	Empty bool
	// Epoch puts 1970-01-01 into the summary's DataFrom and 1970-01-01T00:03:15Z
	// into EarliestRecording and DataFrom of the tracks (an Axis of hammeraj).
	Epoch bool
	// EmptySchedule puts ScheduleToken="" on every JobConfiguration (a commercial
	// device server: accepted and dropped).
	EmptySchedule bool
	// ForgetsSearch knows no search token that it gave (a server that forks for
	// each request: "Unknown search token").
	ForgetsSearch bool
	// FalseZ moves the dates of recordings by this much and still writes Z: local
	// time dressed as UTC.
	FalseZ time.Duration
	// WholeStore ignores IncludedRecordings of FindRecordings (a Dahua NVR,
	// agsh/onvif#298, quatanium/python-onvif#118).
	WholeStore bool
	// HiddenGap ends each recording this long ago, which its own information
	// tells and the summary does not (onvif/specs#781).
	HiddenGap time.Duration
}

// ClockQuirks are those of GetSystemDateAndTime. See also Options.ClockOffset.
type ClockQuirks struct {
	// LocalAsUTC puts the wall clock into UTCDateTime (OpenIPC/majestic-webui#292).
	LocalAsUTC bool
	// NoUTC leaves UTCDateTime out (agsh/onvif PR 65).
	NoUTC bool
	// NoDST shows a wall clock one hour behind that of the zone it names, and
	// DaylightSavings false, whatever the season.
	NoDST bool
}

// DigestKind is the algorithm of HTTP Digest challenges; "" is MD5.
type DigestKind string

const (
	// DigestSHA256 offers SHA-256 alone.
	DigestSHA256 DigestKind = "SHA-256"
	// DigestBoth offers SHA-256 and then MD5 (RFC 7616).
	DigestBoth DigestKind = "both"
)

// LoginQuirks are those of authentication. See also Options.Auth, TokenSkew, and
// LockoutAfter, WrongTokenRefusesAll, AuthStatus.
type LoginQuirks struct {
	// Digest is the algorithm.
	Digest DigestKind
	// Always demands credentials for every operation, the time included
	// (0x524a/onvif-go, YoshieraHuang/node-onvif-ts PR 12).
	Always bool
	// NonceOnce accepts each nonce of a token, and each count of a Digest nonce,
	// once (Axis, milg0/onvif-java-lib#2).
	NonceOnce bool
	// NonceUses is for how many requests a Digest nonce of the web interface is
	// good; the next is challenged anew, with stale=true (RFC 7616 section 3.3).
	// 0: for all, each with a count of its own.
	NonceUses int
}
