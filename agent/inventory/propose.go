package inventory

import (
	"slices"

	"anagrafe/protocol"
)

// propose finds for recorded cameras the found ones that they may be. Nothing
// that identifies a device is in the register, so what there is to compare are
// maker, model and name of a recorder, and the channels and names of its
// cameras. What fits only in part, or fits another as well, is proposed as
// doubtful; the owner decides in any case.
func (b *book) propose(recorded []Recorded) {
	free := b.free()
	used := map[string]bool{} // ids of devices
	for _, group := range byRecorder(recorded) {
		if group[0].Typed {
			continue
		}
		best, second := pairing{}, pairing{}
		for _, d := range b.devices {
			if used[d.id] {
				continue
			}
			mine := slices.DeleteFunc(slices.Clone(free), func(c *camera) bool { return c.device != d })
			p := compare(group, d, mine)
			if p.score > best.score {
				best, second = p, best
			} else if p.score > second.score {
				second = p
			}
		}
		if best.score == 0 {
			continue
		}
		used[best.device] = true
		for i, r := range group {
			if c := best.cameras[i]; c != nil {
				r.Here, r.Sure = c.id, best.same && best.sure[i] && best.score > second.score
			}
		}
	}
	b.proposeTyped(recorded, free)
}

// byRecorder puts together the cameras of each recorder, in their order.
func byRecorder(recorded []Recorded) (groups [][]*Recorded) {
	at := map[string]int{}
	for i := range recorded {
		r := &recorded[i]
		k, known := at[r.Recorder.ID]
		if !known {
			k = len(groups)
			at[r.Recorder.ID] = k
			groups = append(groups, nil)
		}
		groups[k] = append(groups[k], r)
	}
	return groups
}

// pairing is how well a recorder's cameras fit a device's.
type pairing struct {
	device  string
	same    bool // maker and model are the recorder's
	score   int  // 0: does not fit
	cameras []*camera
	sure    []bool
}

func compare(group []*Recorded, d *device, mine []*camera) pairing {
	r := group[0].Recorder
	p := pairing{device: d.id, cameras: make([]*camera, len(group)), sure: make([]bool, len(group))}
	p.same = r.Model != "" && fold(r.Vendor) == fold(line(safe(d.vendor, d))) && fold(r.Model) == fold(line(safe(d.model, d)))
	taken := map[*camera]bool{}
	take := func(sure bool, points int, is func(protocol.Camera, *camera) bool) {
		for i, g := range group {
			fits := slices.DeleteFunc(slices.Clone(mine), func(c *camera) bool { return taken[c] || !is(g.Camera, c) })
			if p.cameras[i] == nil && len(fits) == 1 {
				p.cameras[i], p.sure[i] = fits[0], sure
				taken[fits[0]] = true
				p.score += points
			}
		}
	}
	name := func(r protocol.Camera, c *camera) bool {
		return r.Name != "" && (fold(r.Name) == fold(c.foundName) || fold(r.Name) == fold(c.name))
	}
	channel := func(r protocol.Camera, c *camera) bool {
		return r.Channel != "" && r.Channel == line(c.safe(c.channel))
	}
	take(true, 4, func(r protocol.Camera, c *camera) bool { return name(r, c) && channel(r, c) })
	take(true, 3, name)
	named := p.same && r.Name != "" && fold(r.Name) == fold(line(safe(d.name, d)))
	if named {
		// Its name is a person's, so the recorder's own says nothing against it.
		take(true, 2, func(r protocol.Camera, c *camera) bool {
			return r.NameFact.Source == protocol.Declared && channel(r, c)
		})
	}
	if p.same {
		// The channel is the same and its name another: the recorder may have
		// been wired anew.
		take(false, 1, channel)
		p.score++
	}
	if named {
		p.score++
	}
	return p
}
