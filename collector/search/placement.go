package search

import (
	"math"
	"slices"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// placement is where a camera hung for a while, and for most cameras all that decides
// its rank. A query reads many of these: they lie side by side by cell, and have
// no pointers, so that the garbage collector passes over them.
type placement struct {
	at   protocol.Point
	from int64    // valid from, microseconds; the first version reaches back for ever
	id   [16]byte // of the camera, unless it stands in unpacked

	facts            [4]int64 // when they were so, microseconds, 0: not known; flags has their sources
	oldest, observed int64    // the newest look at the store's depth, microseconds, 0: none
	looked           int64    // the newest look at the recorder's clock, microseconds, 0: none

	site                uint32 // number
	version             uint32 // counts from 1 in its site, 0: it has stayed as it was declared
	schedule, retention uint32 // numbers in values; not of one with a version

	accuracy                        uint16 // metres
	direction, angle, reach, height uint16 // degrees, degrees, metres, centimetres; or notKnown
	width, heightPx                 uint16 // pixels
	flags                           uint16
}

// Places in placement.facts.
const (
	ofPosition = iota
	ofView
	ofSchedule
	ofRetention
)

// Bits of placement.flags.
const (
	flagFirst    = 1 << 0 // the camera's first version
	flagTurns    = 1 << 1
	flagInfrared = 1 << 2
	flagSettled  = 1 << 3 // the store was full at the newest look
	flagAlready  = 1 << 4 // that look was known when the camera was declared
	sourceShift  = 5      // two bits for the source of each fact
)

// notKnown is a number of the view that is not.
const notKnown = math.MaxUint16

var sources = []protocol.Source{protocol.SourceUnknown, protocol.Declared, protocol.Measured, protocol.Confirmed}

// setPlace takes over where a camera hung and what it saw.
func (h *placement) setPlace(f registry.Facts, v registry.CameraVersion) {
	at, view := v.Camera.Position, v.Camera.View
	h.at, h.from = at.Point, micros(v.ValidFrom)
	h.looked = micros(f.Clocks[v.Camera.RecorderID])
	h.accuracy, h.width, h.heightPx = bounded(at.AccuracyM), bounded(view.WidthPx), bounded(view.HeightPx)
	h.direction, h.angle, h.reach, h.height = number(view.DirectionDeg), number(view.AngleDeg), number(view.RangeM), number(view.HeightCm)
	h.setFact(ofPosition, at.Fact)
	h.setFact(ofView, view.Fact)
	if view.Turns {
		h.flags |= flagTurns
	}
	if view.Infrared {
		h.flags |= flagInfrared
	}
}

// bounded keeps what is outside all limits (protocol.Validate) outside them.
func bounded(n int) uint16 { return uint16(min(max(n, 0), math.MaxUint16)) }

func number(n *int) uint16 {
	if n == nil || *n < 0 || *n >= notKnown {
		return notKnown // protocol.See takes a number outside its limits for one that is not known
	}
	return uint16(*n)
}

// numbers are what the views that queries make point to.
var numbers = func() []int {
	all := make([]int, notKnown)
	for i := range all {
		all[i] = i
	}
	return all
}()

func pointed(n uint16) *int {
	if n == notKnown {
		return nil
	}
	return &numbers[n]
}

// position is where the camera hung, for protocol.See: how it was placed and the
// fact are not in it.
func (h *placement) position() protocol.Position {
	return protocol.Position{Point: h.at, AccuracyM: int(h.accuracy)}
}

// view is what the camera saw, without its fact. Nobody may write where it points to.
func (h *placement) view() protocol.View {
	return protocol.View{DirectionDeg: pointed(h.direction), AngleDeg: pointed(h.angle), RangeM: pointed(h.reach), HeightCm: pointed(h.height),
		Turns: h.flags&flagTurns != 0, Infrared: h.flags&flagInfrared != 0, WidthPx: int(h.width), HeightPx: int(h.heightPx)}
}

func (h *placement) setFact(of int, f protocol.Fact) {
	h.facts[of] = micros(f.At)
	h.flags |= uint16(max(slices.Index(sources, f.Source), 0)) << (sourceShift + 2*of)
}

func (h *placement) fact(of int) protocol.Fact {
	return protocol.Fact{Source: sources[h.flags>>(sourceShift+2*of)&3], At: fromMicros(h.facts[of])}
}

// retentions are those of a camera that has stayed as it was declared: what is
// configured, and from the newest look on what was observed.
func (h *placement) retentions(config *protocol.Retention, buf *[2]protocol.Era[protocol.Retention]) []protocol.Era[protocol.Retention] {
	n := 0
	buf[0].From, buf[0].Value = fromMicros(h.from), *config
	if h.flags&flagAlready == 0 {
		n = 1
		buf[1].From, buf[1].Value = fromMicros(h.observed), *config
	}
	last := &buf[n].Value
	last.OldestFootage, last.ObservedAt = fromMicros(h.oldest), fromMicros(h.observed)
	last.Settled, last.Fact = h.flags&flagSettled != 0, h.fact(ofRetention)
	return buf[:n+1]
}

// appendID appends the id as text, 36 bytes.
func (h *placement) appendID(b []byte) []byte {
	const digits = "0123456789abcdef"
	for i, c := range h.id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = append(b, digits[c>>4], digits[c&15])
	}
	return b
}

// micros is a time in microseconds, 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
