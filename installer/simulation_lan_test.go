package installer

import (
	"fmt"
	"net/netip"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// lan is the shop's network as it really is: what a look at it finds.
type lan struct{ devices []*lanDevice }

type lanDevice struct {
	number   byte
	present  bool // plugged in: a look finds it
	silent   bool // found, and it answers nothing
	offsetMs int64
	channels []*lanChannel
}

// lanChannel holds what of a camera may change without the owner.
type lanChannel struct {
	id, name string
	schedule protocol.ScheduleKind
	age      time.Duration // footage is kept so long, and reaches back so far
}

// newLAN has two cameras that record by themselves, and a recorder with three.
// One camera of each kind is there from the start.
func newLAN() *lan {
	l := &lan{}
	for i, channels := range []int{1, 1, 3} {
		d := &lanDevice{number: byte(i + 1), present: i != 1, offsetMs: 1500}
		for ch := range channels {
			d.channels = append(d.channels, &lanChannel{id: fmt.Sprintf("canale_%d", ch+1), name: fmt.Sprintf("Telecamera %c%d", 'A'+i, ch+1),
				schedule: protocol.ScheduleAlways, age: 72 * time.Hour})
		}
		l.devices = append(l.devices, d)
	}
	return l
}

// change has something on the network change; n chooses what.
func (l *lan) change(n uint32) {
	d := l.devices[n%uint32(len(l.devices))]
	n /= uint32(len(l.devices))
	c := d.channels[n%uint32(len(d.channels))]
	n /= uint32(len(d.channels))
	switch n % 8 {
	case 0, 1:
		c.schedule = []protocol.ScheduleKind{protocol.ScheduleAlways, protocol.ScheduleOff, protocol.ScheduleWeekly}[n/8%3]
	case 2, 3:
		c.age = []time.Duration{24 * time.Hour, 72 * time.Hour, 168 * time.Hour}[n/8%3]
	case 4:
		d.offsetMs = 1500 + int64(n/8%5)*60_000
	case 5:
		c.name = fmt.Sprintf("Telecamera %c%s-%d", 'A'+d.number-1, c.id[len(c.id)-1:], n/8%10)
	case 6:
		d.silent = !d.silent
	case 7:
		d.present = true
	}
}

// look is what a look at this moment finds.
func (l *lan) look(at time.Time) []interrogate.Device {
	var found []interrogate.Device
	for _, d := range l.devices {
		if d.present {
			found = append(found, d.answer(at))
		}
	}
	return found
}

func (d *lanDevice) answer(at time.Time) interrogate.Device {
	f := interrogate.Device{
		Sighting: discover.Sighting{Endpoint: fmt.Sprintf("urn:uuid:5f5a69c2-e0ae-504f-829b-0000000000%02d", d.number),
			Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 168, 7, 10 + d.number}), 80),
			Methods: []discover.Method{discover.MethodTransmitter}},
		Kind: interrogate.KindCamera, Vendor: "Ditta", Model: "Modello 3",
		Serial: fmt.Sprintf("SERIALE70%02d", d.number), MACs: []string{fmt.Sprintf("02:11:22:33:44:%02d", d.number)},
	}
	if len(d.channels) > 1 {
		f.Kind = interrogate.KindRecorder
	}
	if d.silent {
		return f
	}
	f.Answered, f.Needs = true, interrogate.NeedsNothing
	f.Clock = &protocol.Clock{OffsetMs: d.offsetMs, UncertaintyMs: 500, Method: "onvif GetSystemDateAndTime", At: at}
	measured := protocol.Fact{Source: protocol.Measured, At: at}
	for _, c := range d.channels {
		s := protocol.Schedule{Kind: c.schedule, Zone: "Europe/Rome", Fact: measured}
		switch c.schedule {
		case protocol.ScheduleAlways:
			s.Mode = protocol.Continuous
		case protocol.ScheduleWeekly:
			s.Days[time.Monday] = []protocol.Interval{{From: 480, To: 1200, Mode: protocol.Motion}}
		}
		f.Channels = append(f.Channels, interrogate.Channel{ID: c.id, Name: c.name, WidthPx: 1920, HeightPx: 1080, Schedule: s,
			Retention: protocol.Retention{Kind: protocol.RetentionAge, Age: c.age, OldestFootage: at.Add(-c.age), ObservedAt: at, Fact: measured},
			Facts: map[string]interrogate.Fact{"name": {Fact: measured}, "resolution": {Fact: measured},
				"schedule": {Fact: measured}, "retention": {Fact: measured}}})
	}
	return f
}

// channel finds what a camera of the inventory really is; nil: it is not there
// or does not answer.
func (l *lan) channel(address, channel string) *lanChannel {
	for _, d := range l.devices {
		if d.silent || !d.present || d.answer(time.Time{}).Sighting.Address.String() != address {
			continue
		}
		for _, c := range d.channels {
			if c.id == channel {
				return c
			}
		}
	}
	return nil
}
