package uplink

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

const (
	viaH3 = "h3"
	viaH2 = "h2"

	// udpRetry is how long UDP that gave no answer is left alone.
	udpRetry = 5 * time.Minute
	// handshakeIdle is how long a server may be silent while QUIC shakes
	// hands; the handshake may take twice that in all.
	handshakeIdle = 2 * time.Second
	maxHeader     = 16 << 10
	// minPacket is what every path of QUIC carries (RFC 9000, section 14), in
	// bytes. None is larger: an agent says little, and to look for the largest, which
	// each visit of a parked one would do anew, costs more than it saves.
	minPacket = 1200
	// keepAlive keeps a home router's mapping, some of which forget after 30
	// seconds (RFC 4787, REQ-5, wants two minutes; many do not). An idle day is
	// 3,086 pings of about 60 bytes and as many answers, headers of UDP and IPv4
	// included: 360 kB, and 480 kB over IPv6. Every 20 seconds it would be over
	// the 500 kB that a held agent may cost.
	keepAlive = 28 * time.Second
)

// transport takes requests to one collector, over QUIC or TCP.
type transport struct {
	host, port string
	trust      trust
	proxy      proxy
	h2         *http.Transport
	transportOptions
	// addresses is lookUp, but where a test has no name of several.
	addresses func(context.Context) ([]netip.AddrPort, error)

	dialled chan struct{} // closed at the first dial over UDP
	dialing chan struct{} // holds one token: one dials, the others wait

	mu     sync.Mutex
	conn   *h3conn      // nil: none
	to     *net.UDPAddr // where UDP was last tried; nil: nowhere yet
	silent time.Time    // until then UDP is not tried
	left   left
	known  int // addresses that the name had when it was last dialled
	tcp    map[*tcpConn]struct{}
	closed bool
}

// transportOptions are those of a transport. All are optional; but for tickets they are for
// tests.
type transportOptions struct {
	tickets   tls.ClientSessionCache // of QUIC; nil: no session is resumed
	now       func() time.Time
	localTo   func(*net.UDPAddr) (netip.Addr, bool)
	retry     time.Duration // 0: udpRetry
	idle      time.Duration // 0: handshakeIdle
	keepAlive time.Duration // 0: keepAlive
}

// h3conn is one QUIC connection with the socket under it.
type h3conn struct {
	*http3.ClientConn
	quic      *quic.Conn
	at        netip.AddrPort // of the collector, as dialled
	transport *quic.Transport
	socket    *net.UDPConn
	answered  atomic.Bool   // any request, ever
	watched   chan struct{} // closed when nobody watches it any more
	local     netip.Addr    // this machine's, when the connection was made or last moved

	mu     sync.Mutex
	closed bool
	moved  []leg
}

func (c *h3conn) alive() bool { return c.quic.Context().Err() == nil }

func (c *h3conn) close() {
	_ = c.quic.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "")
	_ = c.transport.Close()
	_ = c.socket.Close()
	<-c.watched
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, l := range c.moved {
		l.close()
	}
}

func newTransport(collector string, t trust, o transportOptions) (*transport, error) {
	u, err := url.Parse(collector)
	if err != nil {
		return nil, err
	}
	if o.now == nil {
		o.now = time.Now
	}
	if o.localTo == nil {
		o.localTo = localTo
	}
	o.retry, o.idle, o.keepAlive = cmp.Or(o.retry, udpRetry), cmp.Or(o.idle, handshakeIdle), cmp.Or(o.keepAlive, keepAlive)
	r := &transport{host: u.Hostname(), port: u.Port(), trust: t, proxy: proxyFor(u), transportOptions: o,
		dialled: make(chan struct{}), dialing: make(chan struct{}, 1), left: make(left), tcp: make(map[*tcpConn]struct{})}
	r.addresses = r.lookUp
	only := new(http.Protocols)
	only.SetHTTP2(true)
	r.h2 = &http.Transport{
		Proxy:                  r.proxy.choose,
		OnProxyConnectResponse: r.proxy.onConnect,
		TLSClientConfig:        t.config(r.host),
		TLSHandshakeTimeout:    10 * time.Second,
		DialContext:            r.dialTCP,
		ForceAttemptHTTP2:      true,
		Protocols:              only,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: maxHeader,
		// A ping and its answer are 250 bytes with all headers, 360 kB a day; what
		// forgets connections on the way keeps those of TCP for minutes at least
		// (RFC 5382, section 5).
		HTTP2: &http.HTTP2Config{SendPingTimeout: time.Minute, PingTimeout: 15 * time.Second},
	}
	return r, nil
}

// taken is where RoundTrip notes which protocol a request took.
type taken struct{ via atomic.Pointer[string] }

// name is "h3", "h2", or "" before the choice.
func (t *taken) name() string {
	if s := t.via.Load(); s != nil {
		return *s
	}
	return ""
}

type takenKey struct{}

// recordVia returns a context whose request records its transport in t.
func recordVia(ctx context.Context, t *taken) context.Context {
	return context.WithValue(ctx, takenKey{}, t)
}

// RoundTrip chooses the protocol before it touches the request's body; what fails
// after that is for the caller to try again. It keeps the libraries' and Go's versions
// out of what leaves.
func (r *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("User-Agent", userAgent)
	note := func(via string) {
		if t, ok := req.Context().Value(takenKey{}).(*taken); ok {
			t.via.Store(&via)
		}
	}
	c, err := r.h3(req.Context())
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	if c == nil {
		note(viaH2)
		return r.h2.RoundTrip(req)
	}
	note(viaH3)
	resp, err := c.RoundTrip(req)
	if err == nil || endedByPeer(err) {
		c.answered.Store(true)
	}
	switch {
	case err == nil:
	case req.Context().Err() == nil || errors.Is(context.Cause(req.Context()), context.DeadlineExceeded):
		// Whatever it was, a new connection is cheaper than the doubt; a
		// server that says goodbye takes no more requests on this one, and one
		// that was silent all the while may be gone.
		r.drop(c)
		if !c.answered.Load() {
			r.avoidUDP()
		}
	}
	return resp, err
}

// endedByPeer says that the other side itself broke a request off: it was reached, and
// was heard.
func endedByPeer(err error) bool {
	e, ok := errors.AsType[*http3.Error](err)
	return ok && e.Remote
}

// avoidUDP uses no UDP for a while. A connection on which nothing was ever
// answered is one, too, though hands were shaken: where only the first packets
// pass, this side alone believes in it.
func (r *transport) avoidUDP() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silent = r.now().Add(r.retry)
}

// h3 returns the QUIC connection, dialling if need be; nil without error means
// that UDP leads nowhere at present.
func (r *transport) h3(ctx context.Context) (*h3conn, error) {
	select {
	case r.dialing <- struct{}{}:
		defer func() { <-r.dialing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	r.mu.Lock()
	conn, silent, closed := r.conn, r.silent, r.closed
	r.mu.Unlock()
	switch {
	case closed:
		return nil, net.ErrClosed
	case conn != nil && conn.alive():
		return conn, nil
	case conn != nil:
		r.drop(conn)
	}
	if r.now().Before(silent) {
		return nil, nil
	}
	fresh, err := r.dial(ctx)
	if err != nil {
		if ctx.Err() != nil || handshakeReason(err) != "" {
			return nil, err
		}
		r.avoidUDP()
		return nil, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		fresh.close()
		return nil, net.ErrClosed
	}
	r.conn = fresh
	if to, ok := fresh.quic.RemoteAddr().(*net.UDPAddr); ok {
		r.to = to // not who was tried beside it
	}
	return fresh, nil
}

func (r *transport) dialAddr(ctx context.Context, to *net.UDPAddr) (*h3conn, error) {
	socket, err := net.ListenUDP("udp", nil)
	if err != nil {
		return nil, err
	}
	transport := &quic.Transport{Conn: socket}
	config := http3.ConfigureTLSConfig(r.trust.config(r.host))
	config.ClientSessionCache = r.tickets
	r.towards(to)
	conn, err := transport.Dial(ctx, to, config, &quic.Config{
		HandshakeIdleTimeout:    r.idle,
		KeepAlivePeriod:         r.keepAlive,
		MaxIdleTimeout:          60 * time.Second,
		MaxIncomingStreams:      -1, // the server opens none
		InitialPacketSize:       minPacket,
		DisablePathMTUDiscovery: true,
	})
	if err != nil {
		_ = transport.Close()
		_ = socket.Close()
		return nil, err
	}
	client := (&http3.Transport{MaxResponseHeaderBytes: maxHeader, DisableCompression: true}).NewClientConn(conn)
	local, _ := r.localTo(to)
	c := &h3conn{ClientConn: client, quic: conn, at: to.AddrPort(), transport: transport, socket: socket, watched: make(chan struct{}), local: local}
	go func() { CloseWhenSilent(conn); close(c.watched) }()
	return c, nil
}

// drop forgets and closes a connection.
func (r *transport) drop(c *h3conn) {
	r.mu.Lock()
	if r.conn == c {
		r.conn = nil
	}
	r.mu.Unlock()
	c.close()
}

// rest closes the connections that nobody uses; the next request dials again.
func (r *transport) rest() {
	r.mu.Lock()
	c := r.conn
	r.conn = nil
	r.mu.Unlock()
	if c != nil {
		c.close()
	}
	r.h2.CloseIdleConnections()
}

// udpAgainAt is when QUIC will be tried again; zero when it is not shunned.
func (r *transport) udpAgainAt() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.silent
}

// close ends all connections; requests under way fail.
func (r *transport) close() {
	r.mu.Lock()
	c, tcp := r.conn, slices.Collect(maps.Keys(r.tcp))
	r.conn, r.closed = nil, true
	r.mu.Unlock()
	if c != nil {
		c.close()
	}
	r.h2.CloseIdleConnections()
	for _, t := range tcp {
		_ = t.Close()
	}
}

// tcpConn is known to its transport, which closes it: http.Transport would keep one
// whose last call is still being taken down.
type tcpConn struct {
	net.Conn
	owner *transport
}

func (r *transport) dialTCP(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	t := &tcpConn{Conn: c, owner: r}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		_ = c.Close()
		return nil, net.ErrClosed
	}
	r.tcp[t] = struct{}{}
	return t, nil
}

// Close closes the connection and has its transport forget it.
func (t *tcpConn) Close() error {
	t.owner.mu.Lock()
	delete(t.owner.tcp, t)
	t.owner.mu.Unlock()
	return t.Conn.Close()
}
