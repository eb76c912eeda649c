package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// result is what -json prints. Phases that were not played are missing.
type result struct {
	Agents  int                    `json:"agents"`
	Data    string                 `json:"data,omitempty"` // the collector's directory, if it was kept
	Enrol   *phase                 `json:"enrol,omitempty"`
	Peers   map[string]*peerResult `json:"peers,omitempty"` // "quic", "http3"
	Connect *phase                 `json:"connect,omitempty"`
	Held    *held                  `json:"held,omitempty"` // the collector
	Deliver *phase                 `json:"deliver,omitempty"`
	Live    *phase                 `json:"live,omitempty"` // done: declarations
	Notice  *noticed               `json:"notice,omitempty"`
	Return  *phase                 `json:"return,omitempty"` // agents that had been connected before
	Day     *lived                 `json:"day,omitempty"`
	Storm   *storm                 `json:"storm,omitempty"`
	Sweep   *sweep                 `json:"sweep,omitempty"`
}

// phase is something that each agent did once.
type phase struct {
	Done    int            `json:"done"`
	Failed  map[string]int `json:"failed,omitempty"`       // attempts that were made again, by what they failed with
	Seconds float64        `json:"seconds"`                // from the first agent's beginning to the last one's end
	CPU     float64        `json:"server_cpu_s,omitempty"` // of the server's process, in seconds; 0: not known
	Resumed int            `json:"resumed,omitempty"`      // TLS sessions
	Bytes   int            `json:"bytes,omitempty"`        // of each message, on average
}

// perCore is what the server does in a second of its own processor time.
func (p phase) perCore() float64 { return float64(p.Done) / p.CPU }

// held is a server's memory without agents, and with all of them idle.
type held struct {
	Before int64          `json:"rss_before_bytes"`
	Held   int64          `json:"rss_held_bytes"`
	Each   float64        `json:"rss_each_bytes"`
	Lost   map[string]int `json:"lost,omitempty"` // connections that ended meanwhile, by how
	CPU    float64        `json:"server_cpu_s"`   // while it held them,
	Hold   float64        `json:"seconds"`        // for so long
}

// peerResult is what a server that does no more than its protocol took.
type peerResult struct {
	Connect phase `json:"connect"`
	Held    held  `json:"held"`
}

// storm is how the agents came back after the collector was killed, in seconds
// from the kill.
type storm struct {
	Done    int            `json:"done"`
	Serving float64        `json:"serving_s"` // the new process listens
	Half    float64        `json:"half_s"`
	P99     float64        `json:"p99_s"`
	All     float64        `json:"all_s"`
	CPU     float64        `json:"server_cpu_s"`
	Failed  map[string]int `json:"failed,omitempty"` // as in phase
	Resumed int            `json:"resumed_sessions"`
}

// quantile of times that are in order.
func quantile(sorted []time.Duration, q float64) float64 {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)].Seconds()
}

// returned fills in when the agents were back.
func (s *storm) returned(after []time.Duration) {
	slices.Sort(after)
	s.Done = len(after)
	s.Half, s.P99, s.All = quantile(after, 0.5), quantile(after, 0.99), after[len(after)-1].Seconds()
}

// summary is for people.
func (r result) summary(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	line := func(what string, p *phase) {
		if p == nil {
			return
		}
		fmt.Fprintf(w, "%s\t%d\tin %.1f s\t%.0f/s", what, p.Done, p.Seconds, float64(p.Done)/p.Seconds)
		if p.CPU > 0 {
			fmt.Fprintf(w, "\t%.0f a second and core", p.perCore())
		}
		if len(p.Failed) > 0 {
			fmt.Fprintf(w, "\tattempts failed: %v", p.Failed)
		}
		fmt.Fprintln(w)
	}
	memory := func(what string, h *held) {
		if h != nil && h.Held > 0 {
			fmt.Fprintf(w, "%s\t%.1f KiB each\t%.0f MiB in all\t%.1f %% of a core\n", what, h.Each/1024, float64(h.Held)/(1<<20), 100*h.CPU/h.Hold)
		}
	}
	line("enrolled", r.Enrol)
	for _, kind := range peerKinds {
		if p := r.Peers[kind]; p != nil {
			line("bare "+kind+", connected", &p.Connect)
			memory("bare "+kind+", held", &p.Held)
		}
	}
	line("connected", r.Connect)
	memory("held", r.Held)
	line("delivered", r.Deliver)
	line("declared now and then", r.Live)
	if n := r.Notice; n != nil {
		fmt.Fprintf(w, "echo on a bare stream\t\t99 %% in %.1f ms\n", 1000*n.Echo)
		if n.Sent > 0 {
			fmt.Fprintf(w, "notices\t%d\t99 %% in %.1f ms\n", n.Sent, 1000*n.P99)
		}
	}
	line("returned", r.Return)
	r.Day.summary(w)
	if s := r.Storm; s != nil {
		fmt.Fprintf(w, "back after kill -9\t%d\tin %.1f s\thalf in %.1f s, 99 %% in %.1f s; %d sessions resumed; attempts failed: %v\n", s.Done, s.All, s.Half, s.P99, s.Resumed, s.Failed)
	}
	return w.Flush()
}

func (d *lived) summary(w io.Writer) {
	if d == nil {
		return
	}
	fmt.Fprintf(w, "a day in %.0f s\t%.1f s of processor\t%.0f MiB at most\t%d connections rebound, lost: %v\n", d.Seconds, d.CPU, float64(d.Most)/(1<<20), d.Rebound, d.Lost)
	for _, kind := range []string{beat, change, visit, comeBack, search, page} {
		if k := d.Did[kind]; k.Done > 0 || len(k.Failed) > 0 {
			fmt.Fprintf(w, "%s\t%d\thalf in %.1f ms, 99 %% in %.1f ms\tfailed: %v\n", kind, k.Done, 1000*k.P50, 1000*k.P99, k.Failed)
		}
	}
}
