package discover

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/ipv6"
	"golang.org/x/time/rate"
)

// Limits of unsolicited announcements: a device sends Hello when it starts, so that
// a whole site after a power cut sends a few hundred in a minute.
const (
	helloEvery   = time.Second / 10 // in the long run, from all hosts together
	helloBurst   = 256
	helloAgain   = 30 * time.Second // the same device on the same host
	helloHosts   = 1024             // remembered for that
	linksChecked = time.Minute

	// Announcements are read at this pace, so that a flood of them does not take
	// the computer's time for as long as it lasts.
	readEvery = time.Second / 200
	readBurst = 1024
)

// Listen receives WS-Discovery announcements: it calls hello for a device that
// appears, and bye with the endpoint of one that leaves, never two calls at a time;
// what arrives during a call may be lost. It listens on o.Interfaces, or on every
// suitable interface, and checks every minute whether these have changed.
//
// Both are claims of the sender. A hello is a reason to ask that host, no more; a bye
// is a reason to ask it again, and never to forget it.
//
// It returns nil when ctx ends, and an error for bad options or if it cannot listen.
func Listen(ctx context.Context, o Options, hello func(Sighting), bye func(endpoint string)) error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h := newHearer(hello, bye, o.Log)
	for ctx.Err() == nil {
		on, err := searched(o)
		if err != nil {
			return fmt.Errorf("hear devices that announce themselves: %w", err)
		}
		if err := h.hear(ctx, on, o.Interfaces); err != nil {
			return fmt.Errorf("hear devices that announce themselves: %w", err)
		}
	}
	return nil
}

// hearer is what stays while the links change.
type hearer struct {
	hello func(Sighting)
	bye   func(string)
	log   *slog.Logger
	limit *rate.Limiter // of calls
	reads *rate.Limiter // of datagrams that look like announcements

	mu    sync.Mutex           // held during the calls, so that they are one at a time
	heard map[string]time.Time // endpoint and host, when last handed over
}

func newHearer(hello func(Sighting), bye func(string), log *slog.Logger) *hearer {
	return &hearer{hello: hello, bye: bye, log: log, heard: map[string]time.Time{},
		limit: rate.NewLimiter(rate.Every(helloEvery), helloBurst), reads: rate.NewLimiter(rate.Every(readEvery), readBurst)}
}

// hear listens on those links until they change or ctx ends.
func (h *hearer) hear(ctx context.Context, on []link, names []string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conns, err := announcements(on)
	if err != nil {
		return err
	}
	var readers sync.WaitGroup
	defer readers.Wait()
	for _, c := range conns {
		defer c.Close()
		readers.Go(func() { h.read(ctx, c, on) })
	}
	tick := time.NewTicker(linksChecked)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if now, err := links(names); err == nil && !slices.EqualFunc(on, now, link.same) {
			return nil
		}
	}
}

// same reports whether nothing has changed that a socket depends on.
func (l link) same(o link) bool {
	return l.Index == o.Index && slices.Equal(l.prefixes, o.prefixes)
}

// announcements opens the sockets, one for each family; none if there is no link.
func announcements(on []link) (conns []*net.UDPConn, err error) {
	four, err := groupSocket(on, multicastGroup)
	if four != nil {
		conns = append(conns, four)
	}
	var six *net.UDPConn
	group := net.UDPAddrFromAddrPort(multicastGroup6)
	for _, l := range on {
		if _, ok := l.six(); !ok {
			continue
		}
		var joining error
		if six == nil {
			if six, joining = net.ListenMulticastUDP("udp6", &l.Interface, group); joining == nil {
				conns = append(conns, six)
			}
		} else {
			joining = ipv6.NewPacketConn(six).JoinGroup(&l.Interface, group)
		}
		err = errors.Join(err, joining)
	}
	if len(conns) > 0 {
		return conns, nil
	}
	return nil, err
}

// announcement is the body of a Hello or a Bye message.
type announcement struct {
	Hello *claim `xml:"Body>Hello"`
	Bye   *claim `xml:"Body>Bye"`
}

// readAnnouncement reads one datagram: a sighting without address and time, or the
// endpoint of a device that goes.
func readAnnouncement(datagram []byte) (hello *Sighting, bye string, err error) {
	var a announcement
	prefixes, err := unmarshal(datagram, &a, known)
	switch {
	case err != nil:
		return nil, "", err
	case a.Hello != nil:
		if s := a.Hello.sighting(prefixes); s.Endpoint != "" && isCamera(s) {
			return &s, "", nil
		}
	case a.Bye != nil:
		if e := endpoint(a.Bye.Endpoint); e != "" {
			return nil, e, nil
		}
	}
	return nil, "", errNoMatch
}

func (h *hearer) read(ctx context.Context, conn *net.UDPConn, on []link) {
	buf := make([]byte, maxDatagram)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			return
		}
		if err != nil {
			h.log.Debug("announcement not read", "err", err)
			if !pause(ctx, 10*time.Millisecond) {
				return
			}
			continue
		}
		h.handle(buf[:n], from.Addr().Unmap(), on, time.Now())
	}
}

// handle hands over one announcement, if it is one and not too many.
func (h *hearer) handle(datagram []byte, from netip.Addr, on []link, now time.Time) {
	l, ok := linkOf(on, from)
	if !ok || !l.believes(from) {
		return
	}
	// Questions and answers of others arrive here, too.
	if !bytes.Contains(datagram, []byte("Hello")) && !bytes.Contains(datagram, []byte("Bye")) || !h.reads.AllowN(now, 1) {
		return
	}
	hello, bye, err := readAnnouncement(datagram)
	if err != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if hello == nil {
		if h.fresh("bye "+bye+" "+from.String(), now) && h.bye != nil {
			h.bye(bye)
		}
		return
	}
	s := hello.addressed(from)
	s.Interface, s.Methods, s.At = l.Name, []Method{MethodHello}, now
	if h.fresh("hello "+s.Endpoint+" "+from.String(), now) && h.hello != nil {
		h.hello(s)
	}
}

// fresh reports whether something is not the repetition of what was handed over a
// moment ago (each announcement is sent at least twice), nor part of a flood.
func (h *hearer) fresh(key string, now time.Time) bool {
	if t, ok := h.heard[key]; ok && now.Sub(t) < helloAgain || !h.limit.AllowN(now, 1) {
		return false
	}
	if len(h.heard) == helloHosts {
		clear(h.heard)
	}
	h.heard[key] = now
	return true
}
