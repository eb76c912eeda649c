package inventory

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// TestRecordChecks: only a word about all that is asked for leaves, and each once.
func TestRecordChecks(t *testing.T) {
	const yes, partly, no, unknown = interrogate.PresenceYes, interrogate.PresencePartly, interrogate.PresenceNo, interrogate.PresenceUnknown
	received := protocol.ReplyReceived
	for name, tc := range map[string]struct {
		first, second [2]interrogate.Presence
		want          []protocol.ReplyState
	}{
		"there":              {[2]interrogate.Presence{yes, yes}, [2]interrogate.Presence{yes, yes}, []protocol.ReplyState{received, protocol.ReplyPresent}},
		"some of each":       {[2]interrogate.Presence{yes, partly}, [2]interrogate.Presence{yes, partly}, []protocol.ReplyState{received, protocol.ReplyPresent}},
		"gone":               {[2]interrogate.Presence{no, no}, [2]interrogate.Presence{no, no}, []protocol.ReplyState{received, protocol.ReplyAbsent}},
		"there, then gone":   {[2]interrogate.Presence{yes, yes}, [2]interrogate.Presence{no, no}, []protocol.ReplyState{received, protocol.ReplyPresent, protocol.ReplyAbsent}},
		"one of them":        {[2]interrogate.Presence{yes, no}, [2]interrogate.Presence{no, yes}, []protocol.ReplyState{received}},
		"one does not tell":  {[2]interrogate.Presence{no, unknown}, [2]interrogate.Presence{unknown, no}, []protocol.ReplyState{received}},
		"told by and by":     {[2]interrogate.Presence{no, unknown}, [2]interrogate.Presence{"", no}, []protocol.ReplyState{received, protocol.ReplyAbsent}},
		"nothing to go by":   {[2]interrogate.Presence{unknown, unknown}, [2]interrogate.Presence{unknown, unknown}, []protocol.ReplyState{received}},
		"a second thought":   {[2]interrogate.Presence{no, no}, [2]interrogate.Presence{yes, yes}, []protocol.ReplyState{received, protocol.ReplyAbsent, protocol.ReplyPresent}},
		"nobody asked a one": {[2]interrogate.Presence{"", no}, [2]interrogate.Presence{"", no}, []protocol.ReplyState{received}},
	} {
		t.Run(name, func(t *testing.T) {
			v, cams := declared(t, 2)
			keep(t, v, preserve(cams[0].ID, cams[1].ID))
			v.now = func() time.Time { return noon.Add(time.Hour) } // the last look is of no use
			for _, round := range [][2]interrogate.Presence{tc.first, tc.second} {
				var checks []Check
				for i, p := range round {
					if p != "" {
						checks = append(checks, Check{CameraID: cams[i].ID, At: noon, Presence: p})
					}
				}
				if err := v.RecordChecks(t.Context(), noticeA, checks); err != nil {
					t.Fatal(err)
				}
			}
			wantReplies(t, v, tc.want...)
			n, err := v.Notice(t.Context(), noticeA)
			if err != nil || len(n.Checked) == 0 || len(n.Checked) > 2 {
				t.Errorf("kept %+v, %v", n.Checked, err)
			}
		})
	}
}

// TestChecksOfAWithdrawnCamera: nothing is told of what is no longer declared.
func TestChecksOfAWithdrawnCamera(t *testing.T) {
	v, cams := declared(t, 2)
	keep(t, v, preserve(cams[0].ID, cams[1].ID))
	if _, err := v.Withdraw(t.Context(), []string{cams[1].ID}, protocol.Approval{By: "Anna Neri", At: noon}); err != nil {
		t.Fatal(err)
	}
	checks := []Check{{CameraID: cams[0].ID, At: noon, Presence: interrogate.PresenceNo}, {CameraID: cams[1].ID, At: noon, Presence: interrogate.PresenceNo}}
	if err := v.RecordChecks(t.Context(), noticeA, checks); err != nil {
		t.Fatal(err)
	}
	wantReplies(t, v, protocol.ReplyReceived)
}

// TestSearches: only declared cameras of the site are asked for, at the recorder on
// which they are, in the words of the interface that can be asked.
func TestSearches(t *testing.T) {
	v, cams := declared(t, 2)
	keep(t, v, preserve(cams[0].ID, uuid.NewString(), cams[1].ID))
	all, err := v.Searches(t.Context(), noticeA)
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v: %v", all, err)
	}
	for i, s := range all {
		if !s.ByLook || len(s.CameraIDs) != 1 || s.CameraIDs[0] != cams[i].ID || s.Sighting.Address.String() != cams[i].Device.Address {
			t.Errorf("cameras that speak ONVIF alone are asked so: %+v", s)
		}
	}
	at := noon.Add(time.Minute)
	for i := range byte(2) {
		d := cameraDevice(i)
		d.Family = interrogate.Dahua
		d.Clock = &protocol.Clock{OffsetMs: 60_000, UncertaintyMs: 500, Method: "test", At: at}
		d.Channels[0].ID, d.Channels[0].Also = "7", []string{"src_1"}
		d.Channels[0].Facts = map[string]interrogate.Fact{"name": {From: "GET /cgi-bin/configManager.cgi"}}
		record(t, v, at, d)
	}
	all, err = v.Searches(t.Context(), noticeA)
	if err != nil || len(all) != 2 || all[0].ByLook || all[0].Finder.Family != interrogate.Dahua || all[0].Finder.Clock.OffsetMs != 60_000 ||
		all[0].Wanted[0].Channel != "7" || !all[0].Wanted[0].From.Equal(noon.Add(-time.Hour)) || !all[0].Wanted[0].Until.Equal(noon.Add(-30*time.Minute)) {
		t.Errorf("%+v: %v", all, err)
	}
	if err := v.WithdrawSite(t.Context(), siteA, protocol.Approval{By: "Anna Neri", At: noon}); err != nil {
		t.Fatal(err)
	}
	if all, err := v.Searches(t.Context(), noticeA); err != nil || len(all) > 0 {
		t.Errorf("withdrawn, and asked: %+v, %v", all, err)
	}
}

// TestAbsent: a look tells that all is gone where the recorder's oldest footage is
// younger by more than a day, since some tell it by the day.
func TestAbsent(t *testing.T) {
	for younger, want := range map[time.Duration][]protocol.ReplyState{
		24 * time.Hour: {protocol.ReplyReceived},
		26 * time.Hour: {protocol.ReplyReceived, protocol.ReplyAbsent},
	} {
		v, cams := declared(t, 1)
		n := preserve(cams[0].ID)
		p := n.Body.(protocol.Preserve)
		at := noon.Add(48 * time.Hour)
		n.Body = p
		keep(t, v, n)
		look := func(after time.Duration, oldest time.Time) {
			d := cameraDevice(0)
			d.Channels[0].Retention.OldestFootage, d.Channels[0].Retention.ObservedAt = oldest, at
			record(t, v, at.Add(after), d)
		}
		for after := range time.Duration(2) {
			look(after*time.Minute, p.End.Add(younger))
		}
		wantReplies(t, v, want...)
		// A recorder's wrong clock says the same: once it is right, so is the word, whatever
		// was said before.
		for after := range time.Duration(2) {
			look((2+after)*time.Minute, p.Start.Add(-time.Hour))
		}
		wantReplies(t, v, append(want, protocol.ReplyPresent)...)
		look(4*time.Minute, p.End.Add(younger))
		look(5*time.Minute, p.Start.Add(-time.Hour))
		if len(want) > 1 {
			want = append(want, protocol.ReplyPresent, protocol.ReplyAbsent)
		}
		wantReplies(t, v, append(want, protocol.ReplyPresent)...)
	}
}
