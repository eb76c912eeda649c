package uplink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// Part is a part of the connection to the collector; each needs those before it.
type Part string

// The parts that Examine looks at.
const (
	partCertificate Part = "certificate" // the agent's own, by this machine's date
	partName        Part = "name"        // the collector's name leads to an address
	partRoute       Part = "route"       // a TCP connection is made
	partTLS         Part = "tls"         // who answers is the collector
	PartUDP         Part = "udp"         // QUIC comes through
	partClock       Part = "clock"       // this machine's, against the collector's
	PartAdmission   Part = "admission"   // the collector knows this agent, and grants it the site
)

// Finding is what Examine found about one part.
type Finding struct {
	Part  Part   `json:"part"`
	State State  `json:"state"`
	Found string `json:"found"`           // in English
	Do    string `json:"do,omitempty"`    // what to do about it
	Raw   string `json:"cause,omitempty"` // the library's words, for who repairs it
}

// State is good, bad, or unknown since something before it is bad.
type State string

// The states of a part. StateSlow works, though not as it should.
const (
	StateGood    State = "good"
	StateSlow    State = "slow"
	StateBad     State = "bad"
	StateUnknown State = "unknown"
)

// examineTime is for each part.
const examineTime = 10 * time.Second

// Examine finds out which part of the connection to the collector is broken. It changes
// nothing, and reveals to the collector no more than any connection: the certificate,
// and one call about the site (none if siteID is ""). It uses the same transports and
// proxy as delivery.
func Examine(ctx context.Context, id *Identity, siteID string, now func() time.Time) []Finding {
	if now == nil {
		now = time.Now
	}
	l, err := newLine(id.Collector, id.trust(), lineOptions{transportOptions: transportOptions{now: now}})
	if err != nil {
		return []Finding{{partName, StateBad, "the collector's address cannot be read: " + id.Collector, "enrol again with the whole link", err.Error()}}
	}
	defer l.transport.close()
	e := &examination{ctx: ctx, id: id, line: l, now: now, found: map[Part]State{}}
	e.look(partCertificate, nil, e.certificate)
	e.look(partName, nil, e.name)
	e.look(partRoute, []Part{partName}, e.route)
	e.look(partTLS, []Part{partRoute}, e.tls)
	e.look(PartUDP, []Part{partName}, e.udp)
	e.look(PartAdmission, nil, func(ctx context.Context) Finding { return e.admission(ctx, siteID) })
	e.look(partClock, nil, e.clock)
	return e.findings
}

type examination struct {
	ctx      context.Context
	id       *Identity
	line     *line
	now      func() time.Time
	findings []Finding
	found    map[Part]State
	compared Clock
	conn     net.Conn
}

// look examines a part, unless one that it needs is bad.
func (e *examination) look(p Part, needs []Part, at func(context.Context) Finding) {
	f := Finding{State: StateUnknown, Found: "not looked at, since what it needs does not work"}
	ready := true
	for _, n := range needs {
		ready = ready && e.found[n] != StateBad && e.found[n] != StateUnknown
	}
	if ready {
		ctx, cancel := context.WithTimeout(e.ctx, examineTime)
		defer cancel()
		f = at(ctx)
	}
	f.Part = p
	e.found[p] = f.State
	e.findings = append(e.findings, f)
}

func good(format string, args ...any) Finding {
	return Finding{State: StateGood, Found: fmt.Sprintf(format, args...)}
}

func bad(cause error, do, format string, args ...any) Finding {
	f := Finding{State: StateBad, Found: fmt.Sprintf(format, args...), Do: do}
	if cause != nil {
		f.Raw = cause.Error()
	}
	return f
}

func (e *examination) certificate(context.Context) Finding {
	leaf, now := e.id.chain[0], e.now()
	switch {
	case now.Before(leaf.NotBefore):
		return bad(nil, "set this machine's date and time", "by this machine's date it begins only on %s", leaf.NotBefore.Format(time.DateOnly))
	case now.After(leaf.NotAfter.Add(protocol.RenewAfterExpiry)):
		return bad(nil, "check this machine's date; if it is right, ask the municipality for a new code and enrol again", "it ended on %s, too long ago to be renewed", leaf.NotAfter.Format(time.DateOnly))
	case now.After(leaf.NotAfter):
		return Finding{State: StateSlow, Found: "it ended on " + leaf.NotAfter.Format(time.DateOnly),
			Do: "nothing, if this machine's date is right: it is renewed by itself as soon as the collector is reached"}
	}
	return good("it is good until %s and renewed by itself", leaf.NotAfter.Format(time.DateOnly))
}

func (e *examination) name(ctx context.Context) Finding {
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", e.line.transport.host)
	if p := e.line.transport.proxy; err != nil && p.url != nil {
		return Finding{State: StateSlow, Found: "the name " + e.line.transport.host + " leads to no address here", Raw: err.Error(),
			Do: "nothing: the proxy " + p.name() + " looks it up"}
	}
	if err != nil {
		return bad(err, "check that this machine reaches the internet and which name server it asks", "the name %s leads to no address", e.line.transport.host)
	}
	return good("%s is %s", e.line.transport.host, ips[0].Unmap())
}

func (e *examination) route(ctx context.Context) Finding {
	to, p := net.JoinHostPort(e.line.transport.host, e.line.transport.port), e.line.transport.proxy
	switch {
	case p.err != nil:
		return bad(p.err, hint(ProxyRefused), "HTTPS_PROXY is not the address of a proxy")
	case p.url != nil:
		return e.throughProxy(ctx, p, to)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", to)
	if err != nil {
		return bad(err, "check the cable or the radio network, then whether a firewall lets TCP go out to that port", "no connection to the collector at %s", to)
	}
	e.conn = conn
	return good("TCP reaches the collector at %s", to)
}

// throughProxy reports which proxy is set, whether it answers, and whether it lets
// this agent through.
func (e *examination) throughProxy(ctx context.Context, p proxy, to string) Finding {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.address())
	if err != nil {
		return bad(err, "check the address in HTTPS_PROXY, then the cable or the radio network", "the proxy %s does not answer", p.name())
	}
	if p.url.Scheme != "http" && p.url.Scheme != "https" { // SOCKS
		_ = conn.Close()
		return good("the proxy %s answers; whether it lets through is looked at with the admission", p.name())
	}
	tunnel, err := p.tunnel(ctx, conn, to)
	if err == nil {
		e.conn = tunnel
		return good("TCP reaches the collector at %s, through the proxy %s", to, p.name())
	}
	_ = conn.Close()
	if refused, ok := errors.AsType[*Error](err); ok {
		return bad(refused.cause, refused.Hint, "the proxy %s does not let this agent through: %s", p.name(), refused.why())
	}
	return bad(err, "check that HTTPS_PROXY names an HTTP proxy; ask who keeps it", "the proxy %s gives no answer that can be understood", p.name())
}

func (e *examination) tls(ctx context.Context) Finding {
	if e.conn == nil {
		return Finding{State: StateUnknown, Found: "through this proxy it is looked at with the admission"}
	}
	defer e.conn.Close()
	config := e.line.transport.trust.config(e.line.transport.host)
	config.NextProtos = []string{"h2"}
	conn := tls.Client(e.conn, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return e.untrusted(err)
	}
	// A server that refuses our certificate says so only afterwards, in TLS 1.3;
	// the admission finds out.
	return good("who answers is the collector, over %s", tls.VersionName(conn.ConnectionState().Version))
}

// untrusted says what a failed handshake means.
func (e *examination) untrusted(err error) Finding {
	cause := plain(err)
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](cause); ok && invalid.Reason == x509.Expired {
		return bad(cause, "check this machine's date; if it is right, tell the municipality", "by this machine's date (%s) the collector's certificate is not valid", e.now().Format(time.DateOnly))
	}
	if handshakeReason(err) == ServerUntrusted {
		return bad(cause, "something between here and the collector opens the connection (a firewall that inspects TLS?): it must let this one pass; or the "+
			"collector has changed: ask the municipality", "who answers is not the collector")
	}
	return bad(cause, "check whether a firewall or a proxy cuts the connection", "the encrypted connection is not made")
}

func (e *examination) udp(ctx context.Context) Finding {
	conn, err := e.line.transport.dial(ctx)
	switch {
	case err == nil:
		conn.close()
		return good("QUIC comes through at UDP port %s", e.line.transport.port)
	case handshakeReason(err) == ServerUntrusted:
		return e.untrusted(err)
	case handshakeReason(err) != "":
		return good("QUIC comes through at UDP port %s, and refuses this agent", e.line.transport.port)
	}
	f := Finding{State: StateSlow, Found: "no answer over UDP: QUIC does not come through", Raw: err.Error(),
		Do: "nothing must be done, messages go over TCP; better: let UDP go out to port " + e.line.transport.port}
	if e.found[partRoute] == StateBad {
		f.State, f.Do = StateBad, "check the connection to the internet"
	}
	return f
}

// admission asks the collector about the site: only its answer shows that
// messages will arrive.
func (e *examination) admission(ctx context.Context, siteID string) Finding {
	if siteID == "" {
		return bad(nil, "enrol with the code or link of the municipality", "no site is granted to this agent")
	}
	l := *e.line
	client := &http.Client{Transport: compared{next: l.transport, now: e.now, tell: func(c Clock) { e.compared = c }}}
	delivery := wire.NewDeliveryServiceClient(client, e.id.Collector, connect.WithReadMaxBytes(answerLimit))
	var via taken
	_, err := delivery.GetSite(recordVia(ctx, &via), connect.NewRequest(&wire.GetSiteRequest{SiteId: siteID}))
	if err != nil {
		f := explain("ask the collector", err)
		return bad(f.cause, f.Hint, "the collector does not admit this agent (%s)", f.Reason)
	}
	return good("the collector answers this agent, over %s", via.name())
}

func (e *examination) clock(context.Context) Finding {
	c := e.compared
	switch {
	case c.At.IsZero():
		return Finding{State: StateUnknown, Found: "not compared, since the collector did not answer"}
	case c.Wrong():
		return Finding{State: StateSlow, Found: fmt.Sprintf("this machine is %s off the collector's time", c.Offset.Round(time.Second)),
			Do: "set this machine's time, or have it kept by a time server (NTP); measurements are corrected meanwhile"}
	}
	return good("it agrees with the collector's within %s", max(c.Within, time.Second).Round(time.Second))
}
