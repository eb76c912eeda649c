package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// tokenOf is one channel in a table: its word, its other words, its name.
type tokenOf struct {
	id   string
	also []string
	name string
}

// nvrTelling is a recorder that tells these channels by one interface.
func nvrTelling(family interrogate.Family, channels ...tokenOf) interrogate.Device {
	nvr := recorder(nil)
	nvr.Family = cmp.Or(family, interrogate.Dahua) // it is known also while it refuses the password
	nvr.Channels = nil
	from := "onvif GetProfiles"
	if family != "" {
		from = "GET /example"
	}
	for _, c := range channels {
		ch := channel(c.id, c.name)
		ch.Also, ch.Facts = c.also, map[string]interrogate.Fact{"name": {Fact: ch.Schedule.Fact, From: from}}
		nvr.Channels = append(nvr.Channels, ch)
	}
	return nvr
}

// byOwnInterface and byONVIF are one recorder of two cameras, told in two ways.
// ONVIF counts from 0, so that its "1" is not the recorder's "1".
var (
	byOwnInterface = []tokenOf{{"1", []string{"0"}, "Ingresso"}, {"2", []string{"1"}, "Cortile"}}
	byONVIF        = []tokenOf{{"0", nil, "Video 1"}, {"1", nil, "Video 2"}}
)

// A recorder is read by ONVIF, by its own interface, and by ONVIF again since
// the password was changed: in each order its channels stay the entries that
// they were, with what the owner decided, and nothing is declared twice.
func TestOneChannelToldByTwoInterfaces(t *testing.T) {
	for name, looks := range map[string][]interrogate.Device{
		"ONVIF, own, ONVIF":   {nvrTelling("", byONVIF...), nvrTelling(interrogate.Dahua, byOwnInterface...), nvrTelling("", byONVIF...)},
		"own, ONVIF, own":     {nvrTelling(interrogate.Dahua, byOwnInterface...), nvrTelling("", byONVIF...), nvrTelling(interrogate.Dahua, byOwnInterface...)},
		"own without aliases": {nvrTelling(interrogate.Dahua, byOwnInterface...), nvrTelling("", byONVIF...), nvrTelling(interrogate.Dahua, tokenOf{"1", nil, "Ingresso"}, tokenOf{"2", nil, "Cortile"})},
	} {
		t.Run(name, func(t *testing.T) {
			v := open(t, t.TempDir())
			enrol(t, v, siteA)
			contact(t, v)
			record(t, v, noon, looks[0])
			first := cameras(t, v)
			outdoors(t, v, first[0].ID, true)
			approve(t, v, first[0].ID)
			allWords[6].say(t, v, first[1].ID) // refused
			deliver(t, v)
			for i, look := range looks[1:] {
				record(t, v, noon.Add(time.Duration(i+1)*2*time.Hour), look)
				all := cameras(t, v)
				if len(all) != 2 || all[0].ID != first[0].ID || all[1].ID != first[1].ID {
					t.Fatalf("look %d: %d entries, %v were %v", i+1, len(all), ids(all), ids(first))
				}
				if all[0].State != StateDeclared || all[1].State != StateRefused || all[0].AskAgain || all[1].AskAgain {
					t.Errorf("look %d: %s and %s, asked again: %t", i+1, all[0].State, all[1].State, all[0].AskAgain)
				}
				for k, ch := range look.Channels {
					if all[k].Values.Channel != ch.ID {
						t.Errorf("look %d: channel %d is %q, want %q", i+1, k, all[k].Values.Channel, ch.ID)
					}
					if own := !strings.HasPrefix(ch.Facts["name"].From, "onvif"); own != (all[k].Channel == ch.ID) {
						t.Errorf("look %d: people are told of channel %q", i+1, all[k].Channel)
					}
				}
			}
			if _, err := v.Approve(t.Context(), Selection{All: true}, protocol.Approval{By: "Anna Neri"}); err != nil {
				t.Fatal(err)
			}
			if got := declaredIDs(t, v); !slices.Equal(got, []string{first[0].ID}) {
				t.Errorf("declared %v, want %s once", got, first[0].ID)
			}
		})
	}
}

func ids(all []Camera) (ids []string) {
	for _, c := range all {
		ids = append(ids, c.ID)
	}
	return ids
}

// Which channel of the second look is which entry of the first? Entries are
// given by their place in the first look, -1 is a new one.
func TestRecognise(t *testing.T) {
	own := interrogate.Hikvision
	for _, tc := range []struct {
		name   string
		first  interrogate.Device
		second interrogate.Device
		want   []int
		asked  []int // whose earlier yes is asked about again
	}{
		{"the same interface goes by the word alone", nvrTelling(own, tokenOf{"1", nil, "A"}, tokenOf{"2", nil, "B"}),
			nvrTelling(own, tokenOf{"2", []string{"1"}, "A"}, tokenOf{"1", []string{"2"}, "B"}), []int{1, 0}, nil},
		{"an alias is worth more than the bare word", nvrTelling("", tokenOf{"0", nil, ""}, tokenOf{"1", nil, ""}, tokenOf{"2", nil, ""}),
			nvrTelling(own, tokenOf{"1", []string{"0"}, ""}, tokenOf{"2", []string{"1"}, ""}), []int{0, 1}, nil},
		{"what is not told any more makes room", nvrTelling("", tokenOf{"0", nil, ""}, tokenOf{"1", nil, ""}),
			nvrTelling(own, tokenOf{"1", []string{"0"}, ""}), []int{0}, nil},
		{"the aliases alone agree", nvrTelling(own, tokenOf{"1", []string{"src"}, ""}),
			nvrTelling(interrogate.Dahua, tokenOf{"0", []string{"src"}, ""}), []int{0}, nil},
		{"two lay claim, the name decides", nvrTelling("", tokenOf{"src", nil, "Cortile"}),
			nvrTelling(own, tokenOf{"1", []string{"src"}, "Ingresso"}, tokenOf{"2", []string{"src"}, "Cortile"}), []int{-1, 0}, nil},
		{"two lay claim, nothing decides", nvrTelling("", tokenOf{"src", nil, "Video"}),
			nvrTelling(own, tokenOf{"1", []string{"src"}, "Ingresso"}, tokenOf{"2", []string{"src"}, "Cortile"}), []int{0, -1}, []int{0}},
		{"no alias, but a name of its own", nvrTelling("", tokenOf{"a", nil, "Ingresso"}, tokenOf{"b", nil, "Cortile"}),
			nvrTelling(own, tokenOf{"1", nil, "Cortile"}, tokenOf{"2", nil, "Ingresso"}), []int{1, 0}, nil},
		{"a name that several bear tells nothing", nvrTelling("", tokenOf{"a", nil, "Camera"}, tokenOf{"b", nil, "Camera"}),
			nvrTelling(own, tokenOf{"1", nil, "Camera"}, tokenOf{"2", nil, "Camera"}), []int{-1, -1}, nil},
		{"the bare word, with another name", nvrTelling("", tokenOf{"1", nil, "Video 1"}),
			nvrTelling(own, tokenOf{"1", nil, "Ingresso"}), []int{0}, []int{0}},
		{"the bare word, with no name", nvrTelling("", tokenOf{"1", nil, ""}),
			nvrTelling(own, tokenOf{"1", nil, "Ingresso"}), []int{0}, nil},
		{"no other is left", nvrTelling("", tokenOf{"a", nil, ""}, tokenOf{"b", nil, "Cortile"}),
			nvrTelling(own, tokenOf{"1", []string{"a"}, "Ingresso"}, tokenOf{"2", nil, ""}), []int{0, 1}, nil},
		{"no other is left, with another name", nvrTelling("", tokenOf{"a", nil, "Video 1"}),
			nvrTelling(own, tokenOf{"1", nil, "Ingresso"}), []int{0}, []int{0}},
		{"two are left", nvrTelling("", tokenOf{"a", nil, ""}, tokenOf{"b", nil, ""}),
			nvrTelling(own, tokenOf{"1", nil, "Ingresso"}, tokenOf{"2", nil, "Cortile"}), []int{-1, -1}, nil},
		{"another of the same interface is another", nvrTelling("", tokenOf{"a", nil, ""}),
			nvrTelling("", tokenOf{"b", nil, ""}), []int{-1}, nil},
		{"one word twice is one channel", nvrTelling("", tokenOf{"1", nil, "A"}),
			nvrTelling("", tokenOf{"1", nil, "A"}, tokenOf{"1", nil, "B"}), []int{0}, nil},
		{"no words at all", nvrTelling("", tokenOf{"", nil, "A"}, tokenOf{"", nil, "B"}),
			nvrTelling("", tokenOf{"", nil, "A"}, tokenOf{"", nil, "B"}), []int{0, 1}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := open(t, t.TempDir())
			record(t, v, noon, tc.first)
			before := cameras(t, v)
			for _, c := range before {
				outdoors(t, v, c.ID, true)
			}
			record(t, v, noon.Add(time.Hour), tc.second)
			after := cameras(t, v)
			var got, asked []int
			for i, ch := range tc.second.Channels {
				word := ch.ID
				if word == "" {
					word = fmt.Sprintf("#%d", i+1)
				}
				k := slices.IndexFunc(after, func(c Camera) bool { return c.Values.Channel == word && c.SeenAt.Equal(noon.Add(time.Hour)) })
				if k < 0 {
					t.Fatalf("channel %q has no entry: %+v", word, after)
				}
				was := slices.IndexFunc(before, func(c Camera) bool { return c.ID == after[k].ID })
				if after[k].AskAgain {
					asked = append(asked, was)
				}
				if got = append(got, was); i > 0 && tc.second.Channels[i-1].ID == ch.ID && ch.ID != "" {
					got = got[:len(got)-1]
				}
			}
			if !slices.Equal(got, tc.want) || !slices.Equal(asked, tc.asked) {
				t.Errorf("entries %v, want %v; asked again %v, want %v", got, tc.want, asked, tc.asked)
			}
		})
	}
}

// An entry that had to give its word away is found again by it, with what the
// owner said, and its stand-in leaves in no message.
func TestAnEntryThatGaveItsWordAway(t *testing.T) {
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	contact(t, v)
	record(t, v, noon, nvrTelling("", tokenOf{"0", nil, "Ingresso"}, tokenOf{"1", nil, "Cortile"}))
	yard, _ := on(t, v, "Cortile")
	record(t, v, noon.Add(time.Hour), nvrTelling(interrogate.Dahua, tokenOf{"1", []string{"0"}, "Ingresso"}))
	outdoors(t, v, yard.ID, true)
	approve(t, v, yard.ID)
	if d := last[protocol.Declaration](t, v); d.Cameras[0].ID != yard.ID || d.Cameras[0].Channel != "" {
		t.Errorf("declared on channel %q", d.Cameras[0].Channel)
	}
	for _, m := range outbox(t, v) {
		if strings.Contains(string(m.Raw), "former") {
			t.Error("the stand-in left")
		}
	}
	record(t, v, noon.Add(2*time.Hour), nvrTelling(interrogate.Dahua, tokenOf{"1", []string{"0"}, "Ingresso"}, tokenOf{"7", nil, ""}))
	record(t, v, noon.Add(3*time.Hour), nvrTelling("", tokenOf{"0", nil, "Ingresso"}, tokenOf{"1", nil, "Cortile"}))
	if all := cameras(t, v); len(all) != 3 {
		t.Fatalf("%d entries, want a new one for the new channel", len(all))
	}
	if c, err := view(t, v).Camera(yard.ID); err != nil || c.Values.Channel != "1" || c.State != StateDeclared {
		t.Errorf("%q %s, %v", c.Values.Channel, c.State, err)
	}
}

// A camera that is shown as a recorder's channel changes its own word.
func TestAPathToldByTwoInterfaces(t *testing.T) {
	own := cameraDevice(0)
	v := open(t, t.TempDir())
	record(t, v, noon, recorder(bySerial, 0), own)
	own.Family = interrogate.Axis
	for i, ch := range []interrogate.Channel{channel("1", "Ingresso"), channel("src_9", "Ingresso"), channel("src_1", "Ingresso")} {
		if own.Channels = []interrogate.Channel{ch}; i == 0 {
			own.Channels[0].Also = []string{"src_1"}
		}
		record(t, v, noon.Add(time.Duration(i+1)*time.Hour), recorder(nil, 0), own)
		if n := len(cameras(t, v)); n != 2 {
			t.Fatalf("%s: %d entries", ch.ID, n)
		}
		checkBothPaths(t, v)
	}
}

// So does one with two pictures, each by its own words.
func TestPathsOfTwoPicturesToldByTwoInterfaces(t *testing.T) {
	multi := cameraDevice(0)
	multi.Channels = []interrogate.Channel{channel("a", "Nord"), channel("b", "Sud")}
	nvr := recorder(bySerial, 0, 0)
	nvr.Channels[1].ID, nvr.Channels[2].ID = "1", "2"
	nvr.Channels[1].Name, nvr.Channels[2].Name = "Sud", "Nord"
	v := open(t, t.TempDir())
	record(t, v, noon, multi, nvr)
	multi.Family = interrogate.Axis // paths do not ask whose words they are
	multi.Channels = []interrogate.Channel{channel("1", ""), channel("2", "")}
	multi.Channels[0].Also, multi.Channels[1].Also = []string{"b"}, []string{"a"}
	record(t, v, noon.Add(time.Hour), multi, nvr)
	if all := cameras(t, v); len(all) != 3 {
		t.Errorf("%d entries, want the recorder's three", len(all))
	}
}

// A recorder that was locked is one entry without a channel. Which of its cameras
// the owner placed there is not known once it tells several: he is asked again. Of
// a camera there is no doubt.
func TestPlacedWhileLocked(t *testing.T) {
	for channels, again := range map[int]bool{1: false, 3: true} {
		v := open(t, t.TempDir())
		locked := cameraDevice(0)
		locked.Channels, locked.Needs = nil, interrogate.NeedsCredentials
		record(t, v, noon, locked)
		id := cameras(t, v)[0].ID
		outdoors(t, v, id, true)
		unlocked := cameraDevice(0)
		unlocked.Channels = nil
		for i := range channels {
			unlocked.Channels = append(unlocked.Channels, channel(fmt.Sprint(i+1), fmt.Sprintf("Telecamera %d", i+1)))
		}
		record(t, v, noon.Add(time.Hour), unlocked)
		c, err := view(t, v).Camera(id)
		if err != nil || len(cameras(t, v)) != channels || c.AskAgain != again || (c.Outdoor == nil) != again {
			t.Errorf("of %d channels: asked again %t, answer %v, %v", channels, c.AskAgain, c.Outdoor, err)
		}
	}
}
