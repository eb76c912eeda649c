package registry

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"anagrafe/protocol"
)

// Change is one value that differs between two moments.
type Change struct {
	Thing string `json:"thing"`           // "site", "recorder", "camera"
	ID    string `json:"id,omitempty"`    // of the recorder or camera
	Field string `json:"field,omitempty"` // protocol's JSON names, "position.lon"; "state" of the site; "": the whole thing came or went
	// Before and After are the field's values as in JSON, or the name of a thing
	// that came or went; nil: there was none, or it is erased.
	Before   any       `json:"before,omitempty"`
	After    any       `json:"after,omitempty"`
	Valid    time.Time `json:"valid"`    // since when After is true
	Recorded time.Time `json:"recorded"` // when the register learnt it
	Origin
}

// diff reports what differs between two snapshots of one site: two moments, or
// one moment as known at two times. The order is site, recorders, cameras, each
// by id and field. When a fact was read again, and said the same, is no
// difference.
func diff(before, after Snapshot) ([]Change, error) {
	d := differ{after: after}
	if before.State != after.State {
		d.add(thing{kindSite, ""}, "state", state(before.State), state(after.State), after.marks[thing{kindState, ""}])
	}
	d.compare(thing{kindSite, ""}, named(before.Site), named(after.Site))
	for _, id := range bothKeys(before.Recorders, after.Recorders) {
		a, b := at(before.Recorders, id), at(after.Recorders, id)
		d.compare(thing{kindRecorder, id}, named(a), named(b))
	}
	for _, id := range bothKeys(before.Cameras, after.Cameras) {
		a, b := at(before.Cameras, id), at(after.Cameras, id)
		d.compare(thing{kindCamera, id}, named(a), named(b))
	}
	for _, id := range slices.Sorted(maps.Keys(after.Gone)) {
		_, shown := before.Cameras[id]
		if _, was := before.Gone[id]; !was && !shown {
			k := thing{kindCamera, id}
			d.add(k, "", nil, nil, after.marks[k])
		}
	}
	return d.changes, d.err
}

// differ gathers changes.
type differ struct {
	after   Snapshot
	changes []Change
	err     error
}

func (d *differ) add(k thing, field string, before, after any, m mark) {
	d.changes = append(d.changes, Change{Thing: k.kind, ID: k.id, Field: field, Before: before, After: after, Valid: m.from, Recorded: m.recorded, Origin: m.by})
}

// value is something with a name, or nothing.
type value struct {
	name string
	of   any
}

func named(v any) *value {
	switch v := v.(type) {
	case *protocol.Site:
		if v != nil {
			return &value{v.Name, *v}
		}
	case *recorderThen:
		if v != nil {
			return &value{v.Name, *v}
		}
	case *protocol.Camera:
		if v != nil {
			return &value{v.Name, *v}
		}
	}
	return nil
}

func (d *differ) compare(k thing, before, after *value) {
	switch {
	case before == nil && after == nil:
	case before == nil:
		d.add(k, "", nil, after.name, d.after.marks[k])
	case after == nil:
		d.add(k, "", before.name, nil, d.after.marks[k])
	case !reflect.DeepEqual(before.of, after.of):
		a, b := d.leaves(before.of), d.leaves(after.of)
		for _, field := range bothKeys(a, b) {
			if !reflect.DeepEqual(a[field], b[field]) && !isDate(field) {
				d.add(k, field, a[field], b[field], d.since(k, field, b))
			}
		}
	}
}

// isDate: when a fact was read.
func isDate(field string) bool {
	return strings.HasSuffix(field, "fact.at") || field == "retention.observed_at" || field == "clock.at"
}

// since is the mark of the value from which on a field is as it is in after: the
// newest version may be another's, who changed something else.
func (d *differ) since(k thing, field string, now map[string]any) mark {
	series, inner := seriesOf(k, field), ""
	if series.kind != k.kind {
		inner, _, _ = strings.Cut(field, ".")
	}
	h, i := d.after.history, -1
	marks := h.seriesMarks(series)
	for n, m := range marks {
		if !m.from.After(d.after.Valid) || i < 0 { // the clock sample may be a later one
			i = n
		}
	}
	if series.kind == kindClock || i < 0 {
		return nearest(marks, d.after.Valid)
	}
	for ; i > 0; i-- {
		var of any = h.valueAt(series, i-1)
		if inner != "" {
			of = map[string]any{inner: of}
		}
		if !reflect.DeepEqual(d.leaves(of)[field], now[field]) {
			break
		}
	}
	return marks[i]
}

// seriesOf is the series that a field of a thing comes from.
func seriesOf(k thing, field string) thing {
	first, _, _ := strings.Cut(field, ".")
	switch first {
	case kindSchedule, kindRetention, kindClock, kindReachable:
		return thing{first, k.id}
	}
	return k
}

// seriesMarks are where the values of a series come from.
func (h *History) seriesMarks(k thing) []mark {
	if k.kind != kindCamera {
		return h.marks[k]
	}
	var marks []mark
	for _, v := range h.Cameras[k.id] {
		marks = append(marks, mark{from: v.ValidFrom, recorded: v.RecordedAt, by: v.Origin})
	}
	return marks
}

func (h *History) valueAt(k thing, i int) any {
	switch k.kind {
	case kindSite:
		return h.Sites[i].Value
	case kindRecorder:
		return h.Recorders[k.id][i].Value
	case kindSchedule:
		return h.Schedules[k.id][i].Value
	case kindRetention:
		return h.Retentions[k.id][i].Value
	case kindReachable:
		return h.Reachable[k.id][i].Value
	}
	return h.Cameras[k.id][i].Camera
}

// nearest is the mark of what protocol.ClockAt takes.
func nearest(marks []mark, t time.Time) (m mark) {
	for i, n := range marks {
		if d, best := n.from.Sub(t).Abs(), m.from.Sub(t).Abs(); i == 0 || d < best || d == best && n.from.After(m.from) {
			m = n
		}
	}
	return m
}

// leaves are the fields of a value that are no objects, by the path of their
// JSON names. Lists count as one field.
func (d *differ) leaves(v any) map[string]any {
	all := make(map[string]any)
	b, err := json.Marshal(v)
	if err == nil {
		var tree any
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.UseNumber()
		if err = dec.Decode(&tree); err == nil {
			walkLeaves(all, "", tree)
		}
	}
	if err != nil {
		d.err = cmp.Or(d.err, fmt.Errorf("compare a %T: %w", v, err))
	}
	return all
}

func walkLeaves(all map[string]any, path string, v any) {
	object, ok := v.(map[string]any)
	if !ok {
		all[path] = v
		return
	}
	for name, inner := range object {
		walkLeaves(all, strings.TrimPrefix(path+"."+name, "."), inner)
	}
}

func at[T any](m map[string]T, id string) *T {
	if v, ok := m[id]; ok {
		return &v
	}
	return nil
}

// bothKeys are the keys of two maps, in order.
func bothKeys[T any](a, b map[string]T) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}

// state is a State as a Change has it.
func state(s State) any {
	if s == "" {
		return nil
	}
	return string(s)
}
