package interrogate

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

var update = flag.Bool("update", false, "write FAMILIES.md anew")

// columns of FAMILIES.md: what the issue of recorders asks of each family.
var columns = []struct {
	name string
	told func(d Device) bool
}{
	{"names", func(d Device) bool { return anyChannel(d, func(c Channel) bool { return c.Name != "" }) }},
	{"schedule", func(d Device) bool {
		return anyChannel(d, func(c Channel) bool { return c.Schedule.Kind != protocol.ScheduleUnknown })
	}},
	{"holidays", func(d Device) bool {
		return anyChannel(d, func(c Channel) bool { return c.Schedule.Days[protocol.Holiday] != nil })
	}},
	{"configured", func(d Device) bool {
		return anyChannel(d, func(c Channel) bool { return c.Retention.Kind != protocol.RetentionUnknown })
	}},
	{"observed", func(d Device) bool {
		return anyChannel(d, func(c Channel) bool { return !c.Retention.OldestFootage.IsZero() })
	}},
	{"clock", func(d Device) bool { return d.Clock != nil }},
	{"zone", func(d Device) bool { return d.Zone != "" && !d.ZoneAssumed }},
	{"place", func(d Device) bool { return d.Kept != KeptUnknown }},
}

func anyChannel(d Device, is func(Channel) bool) bool { return slices.ContainsFunc(d.Channels, is) }

// TestFamilies writes the table of what is read from each family off what the
// drivers return for the recorders of testdata, and compares it with FAMILIES.md.
func TestFamilies(t *testing.T) {
	told := map[Family]map[string]bool{}
	conversations, err := cameratest.LoadDirs(recordersDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range conversations {
		d, _ := lookAt(t, c)
		if d.Family == "" {
			continue // of another test
		}
		if told[d.Family] == nil {
			told[d.Family] = map[string]bool{}
		}
		for _, col := range columns {
			told[d.Family][col.name] = told[d.Family][col.name] || col.told(d)
		}
	}
	var b strings.Builder
	b.WriteString(familiesHead)
	for _, col := range columns {
		b.WriteString(" " + col.name + " |")
	}
	b.WriteString(" how sure |\n|---|" + strings.Repeat("---|", len(columns)+1) + "\n")
	for _, f := range families {
		if told[f.name] == nil {
			t.Errorf("%s: no recorder of it in %s", f.name, recordersDir)
		}
		fmt.Fprintf(&b, "| %s |", f.name)
		for _, col := range columns {
			word := "unknown"
			switch offers := !slices.Contains(f.lacks, col.name); {
			case told[f.name][col.name] && !offers:
				t.Errorf("%s: %s was told, though the family is said not to offer it", f.name, col.name)
			case told[f.name][col.name] && slices.Contains(f.unseen, col.name):
				word = "yes*"
			case told[f.name][col.name]:
				word = "yes"
			case !offers:
				word = "not offered"
			}
			b.WriteString(" " + word + " |")
		}
		fmt.Fprintf(&b, " %s |\n", f.sure)
	}
	var asked, looked, shown []string
	for _, f := range families {
		if _, ok := f.driver.(viewer); ok {
			shown = append(shown, string(f.name))
		}
		if CanFind(f.name) {
			asked = append(asked, string(f.name))
		} else {
			looked = append(looked, string(f.name))
		}
	}
	fmt.Fprintf(&b, familiesFoot, strings.Join(asked, ", "), strings.Join(looked, ", "), strings.Join(shown, ", "))
	const name = "FAMILIES.md"
	if *update {
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(name)
	if err != nil || string(have) != b.String() {
		t.Errorf("%s is not what the drivers read now (%v): go test ./agent/interrogate -run TestFamilies -update\n%s", name, err, b.String())
	}
}

const familiesHead = `# What is read from each family of recorders

Written by TestFamilies from what the drivers return for the recorders of testdata/cameras/recorders, which are
hand-written from the shapes that the column "how sure" names; do not edit. "unknown" is what could be there and is
not read, "not offered" what the family does not have; "yes*" is read as documents and clients have it, and nobody
we know of has seen it on a real device. All of it needs a user that the owner makes for the agent; the
page on which its password is typed says which rights it needs. ONVIF, asked of every device, adds to each of these.

| family |`

const familiesFoot = `
Whether footage of an interval is still there is asked, on an owner's act, of %s: by the
search that their own pages use, in shapes that documents and clients give and that we have not seen on a device with
an interval in them. That there is none is believed only where the same search shows other footage of the camera. Of
%s, and over ONVIF, only how far back footage reaches is known.

A still picture, on a click of who typed the password, is asked of %s, in paths that makers' documents and clients
give and that we have not seen on a device; of all others by ONVIF's GetSnapshotUri. The user needs the right to watch live.

TVT (NVMS-9000) and Milestone XProtect have no driver: the login of the one and the answers of the other are not
certain. Their devices are read over ONVIF where they speak it; the rest is unknown, and the owner is asked.
`

var recordersDir = filepath.Join("..", "..", "testdata", "cameras", "recorders")
