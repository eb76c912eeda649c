package interrogate

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/use-go/onvif/device"

	"anagrafe/agent/discover"
	"anagrafe/protocol"
)

// Options of an Asker.
type Options struct {
	Memory  Memory           // nil: no credentials are known
	Log     *slog.Logger     // nil: silent
	Now     func() time.Time // nil: time.Now
	Timeout time.Duration    // for one device; 0: 30 s
}

// Asker interrogates devices. It may be used by several goroutines at a time,
// for different devices.
type Asker struct {
	o         Options
	envelopes envelopes
	callTime  time.Duration
	edges     int // readings of the clock besides the first

	mu    sync.Mutex
	turns map[netip.Addr]chan struct{} // see authenticator.turn
}

// New makes an Asker. The error is of the library that writes envelopes.
func New(o Options) (*Asker, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Timeout = cmp.Or(o.Timeout, deviceTime)
	l, err := newEnvelopes()
	return &Asker{o: o, envelopes: l, callTime: callTime, edges: edgeSamples}, err
}

// turnOf gives the turn of a host: it may show several ports, of which each would
// try a wrong password.
func (a *Asker) turnOf(host netip.Addr) chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.turns == nil {
		a.turns = map[netip.Addr]chan struct{}{}
	}
	if a.turns[host] == nil {
		a.turns[host] = make(chan struct{}, 1)
	}
	return a.turns[host]
}

// subject is what all questions to a device have in common.
func (a *Asker) subject(s discover.Sighting) subject {
	log := a.o.Log.With("device", s.Address.String())
	return subject{sighting: s, memory: a.o.Memory, trust: &trust{memory: a.o.Memory, sighting: s, log: log},
		turn: a.turnOf(s.Address.Addr()), log: log, now: a.o.Now, callTime: a.callTime}
}

// Ask asks one device what it is. It only reads. It never fails: what could not
// be read is in the Device, and ctx's end cuts it short.
func (a *Asker) Ask(ctx context.Context, s discover.Sighting) Device {
	ctx, cancel := context.WithTimeout(ctx, a.o.Timeout)
	defer cancel()
	q := &questioning{conversation: newConversation(a.subject(s), a.envelopes), device: Device{Sighting: s}, samples: a.edges}
	defer q.close()
	q.all(ctx, s)
	return q.device
}

// questioning is the making of one Device, by one goroutine: what runs beside it
// holds the conversation alone, and returns what it was told.
type questioning struct {
	*conversation
	device  Device
	read    readings
	scopes  []string
	samples int

	told    deviceReport   // by the maker's own interface
	ownDoor *authenticator // of that one; nil: there is none that we know
}

// lane is a row of questions, one after the other. Two may run at a time, as
// many as connections; each keeps its problems until they can be told in order.
type lane struct {
	*conversation
	problems []Problem
}

// alone asks one row of questions, and gives what it was told.
func alone[A any](ctx context.Context, q *questioning, row func(*lane, context.Context) A) A {
	l := lane{conversation: q.conversation}
	told := row(&l, ctx)
	q.device.Errors = append(q.device.Errors, l.problems...)
	return told
}

// both asks two rows side by side, and gives what they were told when both have ended.
func both[A, B any](ctx context.Context, q *questioning, one func(*lane, context.Context) A, other func(*lane, context.Context) B) (a A, b B) {
	first, second := lane{conversation: q.conversation}, lane{conversation: q.conversation}
	var running sync.WaitGroup
	running.Go(func() { a = one(&first, ctx) })
	running.Go(func() { b = other(&second, ctx) })
	running.Wait()
	q.device.Errors = slices.Concat(q.device.Errors, first.problems, second.problems)
	return a, b
}

// all asks everything. What comes later depends on what came before: the time
// settles the path, the manner and the clock; the device information how to log
// in; the services what else there is to ask.
func (q *questioning) all(ctx context.Context, s discover.Sighting) {
	d := &q.device
	q.scopes = slices.Clone(s.Scopes)
	q.trust.recall(ctx) // also for http: who once spoke TLS is not asked without
	l := lane{conversation: q.conversation}
	first, locked := l.meet(ctx)
	d.Clock, d.Zone = first.clock, first.zone
	spoke := q.spoke() || first.method != ""
	var edged *protocol.Clock
	var beside sync.WaitGroup
	beside.Go(func() { edged = q.edges(ctx, first.reading, q.samples) })
	q.own(ctx, q.recognise(ctx, spoke))
	if spoke || q.ownDoor == nil { // that a recorder does not speak ONVIF is no problem
		d.Errors = append(l.problems, d.Errors...)
	}
	if locked.worth(spoke || s.Endpoint != "", q.ownDoor != nil) && q.goOn(ctx) {
		again := alone(ctx, q, (*lane).clock)
		d.Clock, d.Zone, spoke = again.clock, again.zone, again.spoke
	}
	if spoke && q.goOn(ctx) {
		q.everything(ctx)
	}
	if beside.Wait(); edged != nil {
		d.Clock = edged
	}
	for _, auth := range []*authenticator{q.auth, q.ownDoor} {
		if auth != nil {
			auth.forget(ctx)
		}
	}
	id := readScopes(q.scopes)
	d.Name = id.name
	now := q.now().UTC().Truncate(time.Second)
	q.settle(now)
	d.Vendor, d.Serial = cmp.Or(d.Vendor, clean(s.Vendor)), cmp.Or(d.Serial, clean(s.Serial))
	d.Model = cmp.Or(d.Model, id.hardware, clean(s.Model))
	d.MACs = readMACs(append(d.MACs, s.MAC, id.mac))
	d.Answered, d.Needs = q.spoke() || q.ownDoor != nil, q.lacks()
	if q.trust.broken() {
		d.Needs = NeedsCertificate
	} else if d.Answered && d.Needs != NeedsCertificate {
		_ = q.trust.keep(ctx) // it has logged why not, and no password was sent
	}
	channels, doubt := q.read.channels(d, now)
	if doubt != nil {
		d.Errors = append(d.Errors, Problem{"oldest footage", doubt.Error()})
	}
	q.join(channels, now)
	d.Kind = KindCamera
	if d.isRecorder(id) || q.told.recorder {
		d.Kind = KindRecorder
	}
	d.hideBehind()
}

// worth tells whether the time is to be asked again with credentials. A web page
// that lets nobody see any of its paths need not speak ONVIF, and gets no token
// unless something else said that it does.
func (e *lockedError) worth(onvif, recognised bool) bool {
	return e != nil && (onvif || e.soap || e.challenged && !recognised)
}

// meet asks for the time without credentials. locked is not nil where the device
// wants them even for that: it is asked again when its own interface, the other
// door, had its turn.
func (l *lane) meet(ctx context.Context) (first clockAnswer, locked *lockedError) {
	l.auth.note(postponed)
	defer l.auth.note(due)
	first = l.clock(ctx)
	if locked, _ = errors.AsType[*lockedError](first.err); locked != nil {
		l.problems = nil
	}
	return first, locked
}

// lacks is what the owner must give before the device says more: what its own
// interface wants, where there is one, unless one of its doors let us in.
func (q *questioning) lacks() Needs {
	own := q.ownDoor
	switch {
	case own == nil:
		return q.auth.lacks()
	case own.works() || q.auth.works():
		return NeedsNothing
	case own.lacks() != NeedsNothing:
		return own.lacks()
	}
	return q.auth.lacks()
}

// everything is all questions of ONVIF but the time.
func (q *questioning) everything(ctx context.Context) {
	d := &q.device
	info := alone(ctx, q, (*lane).information)
	d.Vendor, d.Model, d.Firmware = clean(info.Manufacturer), clean(info.Model), clean(info.FirmwareVersion)
	d.Serial, d.HardwareID = readSerial(info.SerialNumber), clean(info.HardwareID)
	net, o := both(ctx, q, (*lane).network, (*lane).offered)
	d.MACs, q.scopes = readMACs(net.MACs), append(q.scopes, net.scopes...)
	type scene struct {
		pictures
		placed
	}
	seen, held := both(ctx, q, func(l *lane, ctx context.Context) scene {
		s := scene{l.media(ctx, o), l.places(ctx, o)}
		s.inputs = l.inputs(ctx, o, s.sources)
		return s
	}, func(l *lane, ctx context.Context) archive { return l.recordings(ctx, o) })
	q.read.pictures, q.read.archive, d.Suggested = seen.pictures, held, seen.at
	d.kept(seen.kept, "onvif GetStorageConfigurations", seen.words, q.now())
	q.details(ctx, o)
	q.read.texts = alone(ctx, q, func(l *lane, ctx context.Context) osds { return l.onScreen(ctx, o, q.read) })
}

func (l *lane) information(ctx context.Context) deviceInformation {
	info, err := ask[deviceInformation](ctx, l.conversation, l.base, "GetDeviceInformation", device.GetDeviceInformation{})
	l.note("GetDeviceInformation", err)
	return info
}

// networkNames are how a device is known in its network.
type networkNames struct {
	networkInterfaces
	scopes []string
}

func (l *lane) network(ctx context.Context) (told networkNames) {
	told.networkInterfaces, _ = optional[networkInterfaces](ctx, l, l.base, "GetNetworkInterfaces", device.GetNetworkInterfaces{})
	answer, _ := optional[scopes](ctx, l, l.base, "GetScopes", device.GetScopes{})
	told.scopes = answer.Items
	return told
}

// optional asks what a device may well do without: that it does not offer it is
// no problem.
func optional[T any](ctx context.Context, l *lane, to *url.URL, operation string, request any) (T, bool) {
	var none T
	if !l.goOn(ctx) {
		return none, false
	}
	answer, err := ask[T](ctx, l.conversation, to, operation, request)
	if _, unsupported := errors.AsType[*unsupportedError](err); !unsupported {
		l.note(operation, err)
	}
	return answer, err == nil
}

// extra asks what is only nice to know: nothing about it is a problem.
func extra[T any](ctx context.Context, l *lane, to *url.URL, operation string, request any) (T, bool) {
	var none T
	if !l.goOn(ctx) {
		return none, false
	}
	answer, err := ask[T](ctx, l.conversation, to, operation, request)
	return answer, err == nil
}

func (l *lane) note(what string, err error) {
	if err != nil {
		l.problems = append(l.problems, Problem{what, err.Error()})
	}
}
