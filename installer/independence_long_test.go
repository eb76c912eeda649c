//go:build long

package installer

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"anagrafe/agent/discover/cameratest"
)

// TestLongIndependentClients has clients that others wrote read the stand-in
// devices over a real cable, with real multicast, and compares what they got
// with the XML on disk, which this test reads by itself: so that our reader and
// our devices cannot share one misunderstanding. Our own scan must find what
// each of them finds.
func TestLongIndependentClients(t *testing.T) {
	for _, c := range []struct{ devices, shared string }{
		{cameratest.HandWritten, t.TempDir()},
		{cameratest.Recorded, sharedFolder()},
	} {
		t.Run(c.devices, func(t *testing.T) {
			if c.devices == cameratest.Recorded && !cameratest.HasRecorded(c.shared) {
				lacking(t, "no recorded devices in "+c.shared)
			}
			compareClients(t, c.shared)
		})
	}
}

func sharedFolder() string {
	if s := os.Getenv("ANAGRAFE_SHARED"); s != "" {
		return s
	}
	return filepath.Join("..", "..", "shared")
}

// compareClients lays a cable between an office and the town's devices.
func compareClients(t *testing.T, shared string) {
	office, err := addNetwork(t, "office")
	if err != nil {
		lacking(t, err.Error())
	}
	street, err := addNetwork(t, "street")
	if err != nil {
		t.Fatal(err)
	}
	ip(t, "-n", string(office), "link", "add", "office0", "type", "veth", "peer", "name", "street0", "netns", string(street))
	ip(t, "-n", string(office), "addr", "add", "10.77.0.1/24", "dev", "office0")
	ip(t, "-n", string(office), "link", "set", "office0", "up")
	for i := range 32 {
		ip(t, "-n", string(street), "addr", "add", fmt.Sprintf("10.77.0.%d/24", 11+i), "dev", "street0")
	}
	ip(t, "-n", string(street), "link", "set", "street0", "up")
	for n, on := range map[network]string{office: "office0", street: "street0"} {
		ip(t, "-n", string(n), "route", "add", "default", "dev", on) // multicast of who names no interface
	}

	town := street.start(t, "town", absolute(t, shared), "street0", "10.77.0.11")
	devices := town.next()
	truths := map[string]truth{}
	for _, d := range devices {
		truths[d.host()] = readTruth(t, shared, d)
	}
	table := &results{clients: map[string]map[string]verdict{}}
	for _, c := range clients {
		before := town.again()
		verdicts := map[string]verdict{}
		for _, r := range c.read(t, office, "office0", devices) {
			truth, known := truths[r.Host]
			if !known {
				t.Errorf("%s found %s, where there is no device", c.name, r.Host)
				continue
			}
			verdicts[r.Host] = truth.judge(r, c.numbers)
			t.Logf("%s, %s: %v; it complained of %q", c.name, truth.name, verdicts[r.Host], r.Complaints)
		}
		wrong := 0
		for i, d := range town.again() {
			wrong += d.Wrong - before[i].Wrong
		}
		table.add(c.name, verdicts, wrong)
	}
	t.Logf("\n%s", table.text(devices, truths))
	table.check(t, devices, truths)
}

func (d standIn) host() string { return d.Address.Addr().String() }

// facts in the order of the table.
var facts = []string{"maker", "model", "firmware", "serial", "clock", "streams", "resolution", "retention"}

// clockWithin leaves room for a machine that is busy; the clocks of the town
// that are wrong are so by 4 seconds or by minutes.
const clockWithin = 30

// verdict is, for each fact, "right", "not read", "not told" by the XML, or
// what was read in place of the right value.
type verdict map[string]string

func (v verdict) count(state string) int {
	n := 0
	for _, s := range v {
		if s == state {
			n++
		}
	}
	return n
}

func (v verdict) wrong() []string {
	var all []string
	for _, f := range facts {
		if s := v[f]; s != "right" && s != "not read" && s != "not told" {
			all = append(all, f+" "+s)
		}
	}
	return all
}

// judge compares what a client read with what the XML says.
func (tr truth) judge(r reading, numbers bool) verdict {
	v := verdict{}
	for fact, pair := range map[string][2]any{"maker": {r.Maker, tr.maker}, "model": {r.Model, tr.model}, "firmware": {r.Firmware, tr.firmware}, "serial": {r.Serial, tr.serial}} {
		got, want := asText(pair[0]), pair[1].(string)
		v.set(fact, want != "", got != "", got == want || numbers && got == asNumber(want), fmt.Sprintf("%q, not %q", got, want))
	}
	v.set("clock", true, r.OffsetS != nil, r.OffsetS != nil && max(*r.OffsetS-tr.offsetS, tr.offsetS-*r.OffsetS) < clockWithin, fmt.Sprintf("%v, not %v s", deref(r.OffsetS), tr.offsetS))
	same := slices.ContainsFunc(tr.streams, func(tokens []string) bool { return slices.Equal(sorted(tokens), sorted(r.Streams)) })
	if r.Streams == nil && r.Channels > 0 {
		same = r.Channels == tr.sources
	}
	v.set("streams", tr.sources > 0, len(r.Streams) > 0 || r.Channels > 0, same, fmt.Sprintf("%q or %d, not one of %q or %d", r.Streams, r.Channels, tr.streams, tr.sources))
	v.set("resolution", len(tr.resolutions) > 0, len(r.Resolutions) > 0, subset(r.Resolutions, tr.resolutions), fmt.Sprintf("%q, not among %q", r.Resolutions, tr.resolutions))
	v.set("retention", len(tr.retentions) > 0, len(r.Retentions) > 0, subset(seconds(r.Retentions), seconds(tr.retentions)), fmt.Sprintf("%q, not among %q", r.Retentions, tr.retentions))
	return v
}

func (v verdict) set(fact string, told, read, right bool, otherwise string) {
	switch {
	case read && told && right:
		v[fact] = "right"
	case read:
		v[fact] = otherwise
	case told:
		v[fact] = "not read"
	default:
		v[fact] = "not told"
	}
}

func asText(x any) string {
	switch x := x.(type) {
	case nil:
		return ""
	case string:
		return x
	case json.Number:
		return asNumber(x.String())
	}
	return fmt.Sprint(x)
}

// asNumber is what is left of a text that was once taken for a number.
func asNumber(s string) string {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func deref(f *float64) float64 {
	if f == nil {
		return 0
	}
	return *f
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

func subset(part, whole []string) bool {
	return !slices.ContainsFunc(part, func(s string) bool { return !slices.Contains(whole, s) })
}

// seconds makes the durations comparable: P3D and PT72H0M0S are one.
func seconds(durations []string) []string {
	var all []string
	for _, text := range durations {
		day, clock, _ := strings.Cut(strings.TrimPrefix(text, "P"), "T")
		days, _ := strconv.Atoi(strings.TrimSuffix(day, "D"))
		d, err := time.ParseDuration(strings.ToLower(clock) + "0s")
		if clock == "" {
			d, err = 0, nil
		}
		if err != nil {
			all = append(all, text)
			continue
		}
		all = append(all, fmt.Sprint(d.Seconds()+float64(days)*86400))
	}
	return all
}

// results is the table client x device.
type results struct {
	order   []string
	clients map[string]map[string]verdict // by client, by host
	refused map[string]int
}

func (r *results) add(client string, v map[string]verdict, refused int) {
	if r.refused == nil {
		r.refused = map[string]int{}
	}
	r.order = append(r.order, client)
	r.clients[client], r.refused[client] = v, refused
}

func (r *results) rights(client string) (n int) {
	for _, v := range r.clients[client] {
		n += v.count("right")
	}
	return n
}

// text has a row for each device: for each client the facts read of those that
// the XML tells, or "-" if the client did not find the device.
func (r *results) text(devices []standIn, truths map[string]truth) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "device\t%s\n", strings.Join(r.order, "\t"))
	for _, d := range devices {
		fmt.Fprint(w, truths[d.host()].name)
		for _, c := range r.order {
			if v, found := r.clients[c][d.host()]; found {
				fmt.Fprintf(w, "\t%d of %d", v.count("right"), len(facts)-v.count("not told"))
			} else {
				fmt.Fprint(w, "\t-")
			}
		}
		fmt.Fprintln(w)
	}
	for _, total := range []struct {
		name string
		of   func(string) int
	}{
		{fmt.Sprintf("found of %d", len(devices)), func(c string) int { return len(r.clients[c]) }},
		{"facts read", r.rights},
		{"signed requests refused", func(c string) int { return r.refused[c] }},
	} {
		fmt.Fprint(w, total.name)
		for _, c := range r.order {
			fmt.Fprintf(w, "\t%d", total.of(c))
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush() // to a Builder
	return b.String()
}

// check holds everybody to what they can do: nobody reads anything but what
// the XML says, the others find what answers the one probe they send and read
// what they have calls for, and scan finds all that they find and reads more.
func (r *results) check(t *testing.T, devices []standIn, truths map[string]truth) {
	t.Helper()
	ours := r.order[0]
	for _, c := range r.order {
		for host, v := range r.clients[c] {
			if wrong := v.wrong(); len(wrong) > 0 {
				t.Errorf("%s read of %s: %s", c, truths[host].name, strings.Join(wrong, "; "))
			}
			if _, found := r.clients[ours][host]; !found {
				t.Errorf("%s found %s, and scan did not", c, truths[host].name)
			}
		}
	}
	if r.refused[ours] != 0 {
		t.Errorf("scan sent %d passwords that were refused, with the right ones given to it", r.refused[ours])
	}
	for _, c := range r.order[1:] {
		if r.rights(c) > r.rights(ours) {
			t.Errorf("%s read %d facts, scan %d", c, r.rights(c), r.rights(ours))
		}
	}
	for _, d := range devices {
		tr := truths[d.host()]
		if v, found := r.clients[ours][d.host()]; !found || v.count("right") == 0 {
			t.Errorf("scan did not find and read %s", tr.name)
		}
		if !slices.Contains(d.AnswersTo, cameratest.ProbeNVT) {
			continue // they probe for nothing else
		}
		must := map[string][]string{npmOnvif: {"maker", "model", "firmware", "serial", "clock", "retention"}, onvifUtil: {"serial", "clock", "streams"}}
		for c, wanted := range must {
			v, found := r.clients[c][d.host()]
			if !found {
				t.Errorf("%s did not find %s", c, tr.name)
				continue
			}
			if tr.refuses || c == onvifUtil && d.Asks == cameratest.AuthDigest {
				continue
			}
			for _, f := range wanted {
				if v[f] == "not read" {
					t.Errorf("%s did not read the %s of %s", c, f, tr.name)
				}
			}
		}
	}
}
