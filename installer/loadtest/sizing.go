package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// The sweep that the sizing is fitted to, and a run of its own against which it is
// checked: what `loadtest -sweep` printed.
var (
	//go:embed measured.json
	measuredJSON []byte
	//go:embed checked.json
	checkedJSON []byte
)

// costs is what a collector takes for each thing: processor time in seconds, memory,
// disk and wire in bytes.
type costs struct {
	CPU struct {
		Base    float64 // of each second
		Agent   float64 // of each second, for each that is connected
		Beat    float64
		Change  float64
		Search  float64
		Page    float64
		Connect float64 // a returning agent: handshake, admission, notice stream
	}
	Memory struct{ Base, Agent, Camera float64 }
	Disk   struct{ Site, Camera, Beat, Change, Search float64 }         // a site: invited and enrolled
	Wire   struct{ Connect, Agent, Beat, Change, Search, Page float64 } // an agent's: of each second; what connecting takes has the first declaration, and the search for the path's MTU
}

// learn fits the costs to a sweep.
func learn(s sweep) (c costs) {
	var cpu, mem, disk, wire [][]float64
	var cpus, mems, disks, wires []float64
	var connects, connected, searched, paged took
	for _, p := range s.Points {
		n := float64(p.Agents)
		mem, mems = append(mem, []float64{1, n, float64(p.Cameras)}), append(mems, float64(p.Most))
		disk, disks = append(disk, []float64{float64(s.Enrolled), float64(p.Cameras), float64(p.Beats), float64(p.Changes), float64(p.Searches)}), append(disks, float64(p.Disk))
		wire, wires = append(wire, []float64{n, p.Held, float64(p.Beats), float64(p.Changes)}), append(wires, float64(p.Wire))
		if p.Connect != nil {
			connects.Done, connected.P50 = connects.Done+p.Connect.Done, connected.P50+p.Connect.CPU
		}
		for _, w := range p.Windows {
			did := func(kind string) float64 { return float64(w.Did[kind].Done) }
			if w.CPU > 0 {
				cpu, cpus = append(cpu, []float64{w.Seconds, w.Seconds * n, did(beat), did(change), did(search), did(page)}), append(cpus, w.CPU)
			}
			searched.Done, searched.Bytes = searched.Done+w.Did[search].Done, searched.Bytes+w.Did[search].Bytes
			paged.Done, paged.Bytes = paged.Done+w.Did[page].Done, paged.Bytes+w.Did[page].Bytes
		}
	}
	f := fit(cpu, cpus)
	c.CPU.Base, c.CPU.Agent, c.CPU.Beat, c.CPU.Change, c.CPU.Search, c.CPU.Page = f[0], f[1], f[2], f[3], f[4], f[5]
	c.CPU.Connect = connected.P50 / float64(connects.Done)
	f = fit(mem, mems)
	c.Memory.Base, c.Memory.Agent, c.Memory.Camera = f[0], f[1], f[2]
	f = fit(disk, disks)
	c.Disk.Site, c.Disk.Camera, c.Disk.Beat, c.Disk.Change, c.Disk.Search = f[0], f[1], f[2], f[3], f[4]
	f = fit(wire, wires)
	c.Wire.Connect, c.Wire.Agent, c.Wire.Beat, c.Wire.Change = f[0], f[1], f[2], f[3]
	c.Wire.Search, c.Wire.Page = float64(searched.Bytes)/float64(searched.Done), float64(paged.Bytes)/float64(paged.Done)
	return c
}

// city is what a collector is to be sized for.
type city struct {
	Agents   int // that stay connected
	Cameras  int
	Searches int // a day
}

// What the busiest hour has of a day: the shops open, and everybody works.
const (
	busiest     = 1.0 / 6 // of the messages, searches and pages
	shopsReturn = 1.0 / shopIsEvery
)

// sizes are what it takes.
type sizes struct {
	Cores    float64 // at work in the busiest hour
	Memory   float64 // bytes, at most
	Disk     float64 // bytes after a year
	Mbits    float64 // a second, in the busiest hour
	Advised  struct{ Cores, GiB int }
	Measured bool // no more of anything than was measured
}

// of says what a city takes.
func (c costs) of(t city, most point) (s sizes) {
	n, m, q := float64(t.Agents), float64(t.Cameras), float64(t.Searches)
	hour := func(aDay float64) float64 { return aDay * busiest / 3600 } // a second
	s.Cores = c.CPU.Base + c.CPU.Agent*n + hour(n*beatsADay)*c.CPU.Beat + hour(n*changesADay)*c.CPU.Change +
		hour(q)*c.CPU.Search + hour(float64(atDesks(t.Agents)))*c.CPU.Page + n*shopsReturn/3600*c.CPU.Connect
	s.Memory = c.Memory.Base + c.Memory.Agent*n + c.Memory.Camera*m
	s.Disk = c.Disk.Site*n + c.Disk.Camera*m + 365*(n*beatsADay*c.Disk.Beat+n*changesADay*c.Disk.Change+q*c.Disk.Search)
	s.Mbits = 8e-6 * (c.Wire.Agent*n + n*shopsReturn/3600*c.Wire.Connect + hour(n*beatsADay)*c.Wire.Beat + hour(n*changesADay)*c.Wire.Change +
		hour(q)*c.Wire.Search + hour(float64(atDesks(t.Agents)))*c.Wire.Page)
	// Half of what there is stays free: for a storm of returning agents, a copy, an update.
	s.Advised.Cores, s.Advised.GiB = max(2, int(math.Ceil(2*s.Cores))), 2
	for float64(s.Advised.GiB)*(1<<30) < 2*s.Memory {
		s.Advised.GiB *= 2
	}
	s.Measured = t.Agents <= most.Agents && t.Cameras <= most.Cameras
	return s
}

// miss is how far a prediction is from what was measured, as a part of it.
type miss struct {
	What                string
	Predicted, Measured float64
	Unit                string
}

func (m miss) part() float64 { return m.Predicted/m.Measured - 1 }

// against predicts a point of another run, at its own rates.
func (c costs) against(s sweep, p point) []miss {
	enrolled, w, n := s.Enrolled, p.Windows[0], float64(p.Agents)
	did := func(kind string) float64 { return float64(w.Did[kind].Done) }
	cpu := w.Seconds*(c.CPU.Base+c.CPU.Agent*n) + did(beat)*c.CPU.Beat + did(change)*c.CPU.Change + did(search)*c.CPU.Search + did(page)*c.CPU.Page
	memory := c.Memory.Base + c.Memory.Agent*n + c.Memory.Camera*float64(p.Cameras)
	disk := c.Disk.Site*float64(enrolled) + c.Disk.Camera*float64(p.Cameras) + c.Disk.Beat*float64(p.Beats) + c.Disk.Change*float64(p.Changes) + c.Disk.Search*float64(p.Searches)
	wire := n*c.Wire.Connect + p.Held*c.Wire.Agent + float64(p.Beats)*c.Wire.Beat + float64(p.Changes)*c.Wire.Change
	return []miss{{"processor", cpu, w.CPU, "s"}, {"memory", memory / (1 << 20), float64(p.Most) / (1 << 20), "MiB"},
		{"disk", disk / (1 << 20), float64(p.Disk) / (1 << 20), "MiB"}, {"network", wire / 1e6, float64(p.Wire) / 1e6, "MB"}}
}

// committed are the two runs.
func committed() (measured, checked sweep, err error) {
	for _, one := range []struct {
		text []byte
		to   *sweep
	}{{measuredJSON, &measured}, {checkedJSON, &checked}} {
		var r result
		if err = json.Unmarshal(one.text, &r); err != nil {
			return measured, checked, err
		}
		if r.Sweep == nil || len(r.Sweep.Points) == 0 {
			return measured, checked, fmt.Errorf("that is no sweep: %.60s", one.text)
		}
		*one.to = *r.Sweep
		one.to.Enrolled = r.Agents
	}
	return measured, checked, nil
}

// sizeUp prints what a city takes, and how far the model was from a run that it had not
// seen.
func (t city) sizeUp(w io.Writer) error {
	measured, checked, err := committed()
	if err != nil {
		return err
	}
	c, most := learn(measured), measured.Points[len(measured.Points)-1]
	s := c.of(t, most)
	fmt.Fprintf(w, "%d agents that stay connected, %d cameras, %d searches a day:\n", t.Agents, t.Cameras, t.Searches)
	fmt.Fprintf(w, "  processor  %.2f cores in the busiest hour\n  memory     %.2f GiB at most\n  disk       %.1f GiB after a year\n  network    %.2f Mbit/s in the busiest hour\n",
		s.Cores, s.Memory/(1<<30), s.Disk/(1<<30), s.Mbits)
	fmt.Fprintf(w, "advised, with as much free again: %d cores, %d GiB\n", s.Advised.Cores, s.Advised.GiB)
	if !s.Measured {
		fmt.Fprintf(w, "this is more than was measured (%d agents, %d cameras): play it before you buy\n", most.Agents, most.Cameras)
	}
	p := checked.Points[len(checked.Points)-1]
	fmt.Fprintf(w, "\nfitted to %s, %d cores, %s; beside a run of its own with %d agents and %d cameras:\n", measured.Began.Format("2006-01-02"),
		measured.Machine.Cores, measured.Machine.Processor, p.Agents, p.Cameras)
	for _, m := range c.against(checked, p) {
		fmt.Fprintf(w, "  %-10s %.1f %s predicted, %.1f measured: %+.0f %%\n", m.What, m.Predicted, m.Unit, m.Measured, 100*m.part())
	}
	return nil
}
