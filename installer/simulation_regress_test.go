package installer

import (
	"testing"
	"time"
)

// TestSimulationRegressions: mistakes that the simulation found, by the few
// steps that show each. A seed would not do: its plan changes with the acts.
func TestSimulationRegressions(t *testing.T) {
	const (
		s = time.Second
		m = time.Minute
	)
	for _, test := range []struct {
		name  string
		seed  uint64
		steps []step
	}{
		{"a restored collector gives its grants anew", 1, []step{{"enrol", 0, s}, {"look", 0, s}, {"confirm", 0, m},
			{"revoke", 0, s}, {"come to rest", 0, s}, {"revoke", 0, s}, {"come to rest", 0, s}, {"revoke", 0, s}, {"come to rest", 0, s},
			{"restore the first", 0, s}}},
		{"a new identity has no code for the second site yet", 14, []step{{"enrol", 0, s}, {"enrol", 1, s}, {"look", 0, s}, {"confirm", 0, m},
			{"bad weather", 18, 0}, {"confirm", 9, 300 * time.Millisecond}, {"revoke", 0, s}}},
		{"a computer's clock was ahead and is put back", 1, []step{{"enrol", 0, s}, {"look", 0, s}, {"confirm", 0, m},
			{"clock wrong", 1080, 0}, {"change on the network", 24, m}, {"clock right", 0, 0}, {"change on the network", 0, m}}},
		{"the same, and the owner answers once it is right", 501570, []step{{"enrol", 0, s}, {"look", 0, s}, {"confirm", 3427436922, 0},
			{"clock wrong", 1077, 307934200}, {"change on the network", 2044229990, 1047122}, {"clock right", 0, 2215446716},
			{"confirm", 1748795910, 2544848861}, {"change on the network", 4083607886, 55481213}}},
		{"a withdrawal is older than the grant whose answer was lost", 6003244, []step{{"enrol", 1, s}, {"look", 0, 0}, {"invite", 1, 3 * s},
			{"enrol and be killed", 1, 400 * time.Millisecond}, {"withdraw site", 1, time.Millisecond}, {"confirm", 0, 35 * s}, {"enrol", 1, 3 * s}}},
		{"the same after a long absence, and by a camera", 6001441, []step{{"enrol", 1, s}, {"look", 0, s}, {"long absence", 1, 0},
			{"confirm", 0, 66 * time.Millisecond}, {"withdraw", 0, time.Millisecond}, {"confirm", 0, 6 * m}, {"invite", 1, 4 * time.Hour},
			{"enrol and be killed", 1, time.Hour}, {"enrol", 1, 37 * s}}},
		{"the collector is set back to a former identity's time", 7000181, []step{{"enrol", 0, s}, {"look", 0, s}, {"confirm", 0, s},
			{"back up", 0, 34 * s}, {"confirm", 1096391563, 0}, {"withdraw", 58874856, 2 * s}, {"revoke", 0, 6 * m}, {"come to rest", 0, 0},
			{"restore", 3570058599, s}}},
		{"the same, and its revocation is not forgotten", 7000221, []step{{"enrol", 0, s}, {"look", 0, s}, {"confirm", 0, s},
			{"revoke", 0, 2 * s}, {"back up", 0, s}, {"back up", 0, 40 * s}, {"come to rest", 0, time.Hour}, {"restore", 1647955944, 5 * m},
			{"confirm", 3858519997, 0}, {"refuse", 706715540, 0}}},
		{"a request was read, and the word of it is of a revoked identity", 1, []step{{"enrol", 0, s}, {"look", 0, s}, {"confirm", 0, m},
			{"preserve", 0, 2722457538}, {"revoke", 0, 55 * time.Millisecond}}},
		{"withdrawn with the link before a new enrolment heard of it", 2, []step{{"enrol", 0, s}, {"look", 0, s}, {"confirm", 0, s},
			{"revoke", 0, 59 * time.Millisecond}, {"confirm", 3151836706, 2 * s}, {"withdraw with the link", 0, 383 * time.Millisecond},
			{"confirm", 918301102, 3 * s}}},
		{"a request was read under the same epoch of a collector that was set back", 609189441, []step{{"enrol", 1, s}, {"look", 0, s},
			{"confirm", 1388475460, 333 * time.Millisecond}, {"revoke", 0, 39 * s}, {"preserve", 432223004, 43 * s},
			{"withdraw site", 1545689489, time.Millisecond}, {"back up", 0, time.Hour}, {"come to rest", 0, s},
			{"confirm", 1662440101, 24 * time.Hour}, {"come to rest", 0, s}, {"restore", 1423237905, 5 * m}}},
		{"withdrawn with the link, and the next grant had the epoch of one that was forgotten", 720012016, []step{{"enrol", 0, s}, {"look", 0, 0},
			{"confirm", 501759105, 3 * s}, {"back up", 0, 0}, {"long absence", 3222183749, 0}, {"back up", 0, 41 * s}, {"come to rest", 0, 3 * s},
			{"answer no", 854094850, 7 * m}, {"restore", 2055331258, 6 * m}, {"confirm", 2020849434, time.Millisecond}, {"revoke", 0, time.Millisecond},
			{"withdraw with the link", 4038345996, 0}}},
		{"a request was read after two long absences", 9751, []step{{"enrol", 0, s}, {"look", 0, s}, {"confirm", 0, m}, {"preserve", 0, s},
			{"holidays", 35, s}, {"look", 0, s}, {"holidays", 35, s}, {"look", 0, s}}},
		{"a request was read under a grant that was forgotten, and came under one that was not", 7416, []step{{"enrol", 0, s}, {"look", 0, s},
			{"confirm", 0, m}, {"preserve", 0, m}, {"back up", 0, s}, {"invite", 0, s}, {"enrol", 0, s}, {"restore", 1, s}}},
		{"the schedule was changed under a grant that was forgotten", 1, []step{{"enrol", 0, s}, {"look", 0, s}, {"confirm", 0, m},
			{"back up", 0, s}, {"invite", 0, s}, {"enrol", 0, s}, {"restore", 1, s}, {"change on the network", 24, m}}},
		{"a reply left between a withdrawal with the link and the word of it", 840014001, []step{{"enrol", 0, s}, {"look", 0, s}, {"confirm", 0, s},
			{"suspend or resume", 2429153460, 2999502292}, {"revoke", 0, 72 * m}, {"withdraw with the link", 2806159562, time.Millisecond},
			{"restore the first", 0, 0}}},
		{"what a former identity declared is replaced by a message from before a second new code", 860007011, []step{{"enrol", 0, s},
			{"enrol", 1, s}, {"look", 0, s}, {"confirm", 0, s}, {"confirm", 1418461445, time.Millisecond}, {"confirm", 3269476214, 3 * s},
			{"change on the network", 3286985603, 6 * m}, {"revoke", 0, 0}, {"withdraw with the link", 3058092581, time.Millisecond},
			{"long absence", 3627478337, 7 * m}, {"withdraw", 1346523102, 0}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := simulate(t, test.seed, test.steps, fault{}, quiet); err != nil {
				t.Error(err)
			}
		})
	}
}
