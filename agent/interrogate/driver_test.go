package interrogate

import (
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/protocol"
)

// TestCandidates: who is asked what it is, and where.
func TestCandidates(t *testing.T) {
	every := len(families)
	often := 0
	for _, f := range families {
		if f.often {
			often++
		}
	}
	for _, c := range []struct {
		name  string
		s     discover.Sighting
		spoke bool
		count int    // of families
		first string // the places of the first, in order
	}{
		{"a camera of no known maker", discover.Sighting{Methods: []discover.Method{discover.MethodDevice}}, true, often, "http://192.0.2.7:8000"},
		{"the same, silent", discover.Sighting{Methods: []discover.Method{discover.MethodDevice}}, false, 0, ""},
		{"a host of a range", discover.Sighting{Methods: []discover.Method{discover.MethodRange}}, false, 0, ""},
		{"a television", discover.Sighting{Methods: []discover.Method{discover.MethodSSDP}, Vendor: "Schermi"}, false, 0, ""},
		{"a NAS that announces itself", discover.Sighting{Methods: []discover.Method{discover.MethodSSDP}, Vendor: "Synology Inc."}, false, 1, "https://192.0.2.7:5001 http://192.0.2.7:8000 http://192.0.2.7:5000"},
		{"one named with its port", discover.Sighting{Methods: []discover.Method{discover.MethodTarget}}, false, every, "http://192.0.2.7:8000"},
	} {
		c.s.Address = netip.MustParseAddrPort("192.0.2.7:8000")
		got := candidates(c.s, url.URL{Scheme: "http", Host: "192.0.2.7:8000", Path: "/onvif/device_service"}, c.spoke)
		first := ""
		if len(got) > 0 {
			var at []string
			for _, u := range got[0].places {
				at = append(at, u.String())
			}
			first = strings.Join(at, " ")
		}
		if len(got) != c.count || first != c.first {
			t.Errorf("%s: %d families, the first at %q; want %d, %q", c.name, len(got), first, c.count, c.first)
		}
	}
	// A host that was named without a port is asked at each family's own.
	s := discover.Sighting{Address: netip.MustParseAddrPort("[fe80::1%eth0]:80"), Methods: []discover.Method{discover.MethodTarget}}
	for _, c := range candidates(s, url.URL{Scheme: "http", Host: "[fe80::1%25eth0]"}, false) {
		if c.name == Synology && (len(c.places) != 2 || c.places[0].Host != "[fe80::1%eth0]:5001") {
			t.Errorf("%s is looked for at %v", c.name, c.places)
		}
		if len(c.places) == 0 {
			t.Errorf("%s is looked for nowhere", c.name)
		}
	}
}

// TestJoin: what ONVIF told completes the channel that it surely is.
func TestJoin(t *testing.T) {
	now := at("2026-11-22T12:00:00Z")
	onvif := func(id, name string) Channel {
		return Channel{ID: id, Name: name, WidthPx: 1920, HeightPx: 1080, Turns: true, Facts: map[string]Fact{"resolution": {From: "onvif"}},
			Retention: protocol.Retention{Kind: protocol.RetentionCapacity, OldestFootage: now.Add(-time.Hour), ObservedAt: now}}
	}
	own := func(id, name string, also ...string) channelReport {
		return channelReport{id: id, name: name, also: also, retention: protocol.Retention{Kind: protocol.RetentionAge, Age: 72 * time.Hour}}
	}
	for _, c := range []struct {
		name  string
		own   []channelReport
		onvif []Channel
		want  string // channels, those completed with the token of ONVIF
	}{
		{"only ONVIF", nil, []Channel{onvif("src0", "A"), onvif("src1", "B")}, "src0 src1"},
		{"only the own interface", []channelReport{own("1", "A"), own("2", "B")}, nil, "1 2"},
		{"one of each", []channelReport{own("1", "Ingresso")}, []Channel{onvif("src0", "Camera 1")}, "1=src0"},
		{"by name, whatever the order", []channelReport{own("1", "A"), own("2", "B")}, []Channel{onvif("src0", "b"), onvif("src1", "a")}, "1=src1 2=src0"},
		{"by a known token", []channelReport{own("1", "A", "src1"), own("2", "B")}, []Channel{onvif("src0", "X"), onvif("src1", "Y")}, "1=src1 2"},
		{"never by order", []channelReport{own("1", "A"), own("2", "B")}, []Channel{onvif("src0", ""), onvif("src1", "")}, "1 2"},
		{"never by a name that two bear", []channelReport{own("1", "A"), own("2", "A"), own("3", "C")}, []Channel{onvif("src0", "A"), onvif("src1", "C"), onvif("src2", "C")}, "1 2 3"},
	} {
		q := &questioning{told: deviceReport{channels: c.own}}
		q.join(c.onvif, now)
		var got []string
		for _, ch := range q.device.Channels {
			text := ch.ID
			if ch.WidthPx > 0 && len(c.own) > 0 {
				text += "=" + strings.Join(ch.Also, ",")
				if ch.Retention.Kind != protocol.RetentionAge || ch.Retention.OldestFootage.IsZero() || !ch.Turns || ch.Facts["resolution"].From != "onvif" {
					t.Errorf("%s: channel %s was not completed: %+v", c.name, ch.ID, ch)
				}
			}
			got = append(got, text)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}

// TestFamiliesInOrder: each family stands once, as the constants do.
func TestFamiliesInOrder(t *testing.T) {
	order := []Family{Hikvision, Dahua, Axis, Uniview, Synology, Reolink, UniFi, Hanwha, Nx, Frigate, ZoneMinder, MediaMTX}
	var got []Family
	for _, f := range families {
		got = append(got, f.name)
		if f.driver == nil || len(f.words) == 0 || len(f.doors) == 0 || f.sure == "" || slices.ContainsFunc(f.words, func(w string) bool { return w != strings.ToLower(w) || w == "" }) {
			t.Errorf("%s lacks something: %+v", f.name, f)
		}
	}
	if !reflect.DeepEqual(got, order) {
		t.Errorf("families %v, want %v", got, order)
	}
}
