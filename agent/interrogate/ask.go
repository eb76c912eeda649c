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
	o        Options
	letters  letters
	callTime time.Duration
	edges    int // readings of the clock besides the first

	mu    sync.Mutex
	turns map[netip.Addr]chan struct{} // see authenticator.turn
}

// New makes an Asker.
func New(o Options) *Asker {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Timeout = cmp.Or(o.Timeout, deviceTime)
	l, err := newLetters()
	if err != nil { // every question will say so; a test makes them all
		o.Log.Error("the envelopes of questions could not be written", "err", err)
	}
	return &Asker{o: o, letters: l, callTime: callTime, edges: edgeSamples}
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

// Ask asks one device what it is. It only reads. It never fails: what could not
// be read is in the Device, and ctx's end cuts it short.
func (a *Asker) Ask(ctx context.Context, s discover.Sighting) Device {
	ctx, cancel := context.WithTimeout(ctx, a.o.Timeout)
	defer cancel()
	log := a.o.Log.With("device", s.Address.String())
	auth := newAuthenticator(a.o.Memory, s, a.o.Log, a.o.Now)
	auth.turn = a.turnOf(s.Address.Addr())
	t := &trust{memory: a.o.Memory, sighting: s, log: log}
	q := &questioning{
		conversation: newConversation(s.Service(), auth, t, a.letters, log, a.callTime),
		device:       Device{Sighting: s},
		now:          a.o.Now,
		samples:      a.edges,
	}
	defer q.close()
	q.all(ctx, s)
	return q.device
}

// questioning is the making of one Device.
type questioning struct {
	*conversation
	device   Device
	read     readings
	services map[string]string // XAddr by namespace
	system   *system           // nil: not told
	scopes   []string
	now      func() time.Time
	samples  int

	unmet   []Problem      // of the first question
	told    told           // by the maker's own interface
	ownDoor *authenticator // of that one; nil: there is none that we know
}

// lane is a row of questions, one after the other. Two may run at a time, as
// many as connections; each reads into fields of its own, and keeps its problems
// until they can be told in order.
type lane struct {
	*questioning
	problems []Problem
}

// rows runs rows of questions side by side, and returns when all have ended.
func (q *questioning) rows(rows ...func(*lane)) {
	lanes := make([]lane, len(rows))
	var running sync.WaitGroup
	for i, row := range rows {
		lanes[i].questioning = q
		running.Go(func() { row(&lanes[i]) })
	}
	running.Wait()
	for _, l := range lanes {
		q.device.Errors = append(q.device.Errors, l.problems...)
	}
}

// all asks everything. What comes later depends on what came before: the time
// settles the path, the manner and the clock; the device information how to log
// in; the services what else there is to ask.
func (q *questioning) all(ctx context.Context, s discover.Sighting) {
	d := &q.device
	q.scopes = slices.Clone(s.Scopes)
	q.trust.recall(ctx) // also for http: who once spoke TLS is not asked without
	time1, locked := q.meet(ctx)
	spoke := q.spoke() || time1.method != ""
	q.rows(
		func(l *lane) { l.edges(ctx, time1) },
		func(l *lane) {
			q.own(ctx, q.recognise(ctx, spoke))
			if spoke || q.ownDoor == nil { // that a recorder does not speak ONVIF is no problem
				q.device.Errors = append(q.unmet, q.device.Errors...)
			}
			if locked.worth(spoke || s.Endpoint != "", q.ownDoor != nil) && q.goOn(ctx) {
				q.rows(func(l *lane) { _, spoke = l.clock(ctx) })
			}
			if spoke && q.goOn(ctx) {
				q.everything(ctx)
			}
		},
	)
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
func (q *questioning) meet(ctx context.Context) (first reading, locked *lockedError) {
	q.auth.wait(true)
	defer q.auth.wait(false)
	l := lane{questioning: q}
	first, _, err := l.readClock(ctx)
	if locked, ok := errors.AsType[*lockedError](err); ok {
		return first, locked
	}
	q.unmet = l.problems
	return first, nil
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
	q.rows(func(l *lane) { l.information(ctx) })
	q.rows(
		func(l *lane) { l.network(ctx) },
		func(l *lane) { l.offered(ctx) },
	)
	q.rows(
		func(l *lane) { l.media(ctx); l.places(ctx) },
		func(l *lane) { l.recordings(ctx) },
	)
	q.details(ctx)
	q.rows(func(l *lane) { l.onScreen(ctx) })
}

// goOn tells whether further questions make sense.
func (q *questioning) goOn(ctx context.Context) bool {
	return ctx.Err() == nil && !q.gone() && !q.auth.ended()
}

func (l *lane) information(ctx context.Context) {
	d := &l.device
	info, err := ask[deviceInformation](ctx, l.conversation, l.base, "GetDeviceInformation", device.GetDeviceInformation{})
	l.note("GetDeviceInformation", err)
	d.Vendor, d.Model, d.Firmware = clean(info.Manufacturer), clean(info.Model), clean(info.FirmwareVersion)
	d.Serial, d.HardwareID = readSerial(info.SerialNumber), clean(info.HardwareID)
}

func (l *lane) network(ctx context.Context) {
	if nics, ok := optional[networkInterfaces](ctx, l, l.base, "GetNetworkInterfaces", device.GetNetworkInterfaces{}); ok {
		l.device.MACs = readMACs(nics.MACs)
	}
	if answer, ok := optional[scopes](ctx, l, l.base, "GetScopes", device.GetScopes{}); ok {
		l.scopes = append(l.scopes, answer.Items...)
	}
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
