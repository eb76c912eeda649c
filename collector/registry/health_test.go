package registry

import (
	"reflect"
	"testing"
	"time"

	"anagrafe/protocol"
)

// healthRows reads what is kept of a table for a site, as text.
func healthRows(t *testing.T, r *Registry, query string, args ...any) (rows []string) {
	t.Helper()
	err := r.view(t.Context(), func(tx *tx) (err error) {
		rows, err = textsOf(t.Context(), tx, query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func faultsOf(t *testing.T, r *Registry, site string) []string {
	t.Helper()
	return healthRows(t, r, "SELECT fault || ' ' || size || ' ' || ((since_at - ?2) / 3600000000) FROM faults WHERE site_id = ?1 ORDER BY fault", site, micros(noon))
}

func sick(at time.Time, faults ...protocol.Fault) protocol.Health {
	return protocol.Health{At: at, AgentVersion: "v2.0.0", Platform: "linux/amd64", SearchedAt: at, Found: 3, Answered: 2, Confirmed: 1,
		Recorders: []protocol.RecorderHealth{{RecorderID: id(recorderNumber), Maker: "hikvision", Model: "DS-7608", Firmware: "4.30", Faults: faults},
			{RecorderID: id(recorderNumber + 1), Maker: "axis"}},
		Others: []protocol.OtherFaults{{Maker: "dahua", Fault: protocol.FaultPassword, Devices: 2}}}
}

// TestHealth: what is wrong with declared recorders is kept from when it was first
// told until it is right, of others there are counts, and nothing outlives the site.
func TestHealth(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	hour := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }
	look := func(n int, reached bool, seconds int64) {
		o := protocol.RecorderObservation{RecorderID: id(recorderNumber), At: hour(n), Reachable: reached}
		if reached {
			o.Clock = &protocol.Clock{OffsetMs: seconds * 1000, UncertaintyMs: 100, Method: "onvif", At: hour(n)}
		}
		s.say(hour(n), protocol.Observation{Recorders: []protocol.RecorderObservation{o}})
	}
	check := func(what string, want ...string) {
		t.Helper()
		if got := faultsOf(t, r, s.site); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	s.say(noon, sick(noon, protocol.FaultRefused))
	check("nothing is declared")
	s.say(hour(1), declaration(camera(1, "A")))
	s.say(hour(2), sick(hour(2), protocol.FaultRefused, protocol.FaultClock))
	check("observations tell clocks", "wrong-password 0 2")
	look(3, true, 3480)
	s.say(hour(4), sick(hour(4), protocol.FaultRefused, protocol.FaultUnread))
	look(5, true, 40) // neither wrong nor right
	check("each since it was first told", "clock 3480000 3", "unread 0 4", "wrong-password 0 2")
	look(6, false, 0)
	look(7, true, 0)
	s.say(hour(3), sick(hour(3))) // it arrives late
	check("what is right again goes", "unread 0 4", "wrong-password 0 2")
	look(9, false, 0)
	look(8, true, 3480) // late, too
	check("it is silent", "unreachable 0 9", "unread 0 4", "wrong-password 0 2")
	if got := healthRows(t, r, "SELECT maker || model || firmware FROM equipment WHERE site_id = ?", s.site); !reflect.DeepEqual(got, []string{"hikvisionDS-76084.30"}) {
		t.Errorf("equipment %q", got)
	}
	if got := healthRows(t, r, "SELECT maker || fault || devices FROM unread WHERE site_id = ?", s.site); !reflect.DeepEqual(got, []string{"dahuano-password2"}) {
		t.Errorf("others %q", got)
	}
	if got := healthRows(t, r, "SELECT version FROM agents WHERE id = ?", s.agent); !reflect.DeepEqual(got, []string{"v2.0.0"}) {
		t.Errorf("version %q", got)
	}
	for range keptDiagnoses + 2 {
		s.say(hour(10), protocol.Diagnosis{Text: "segreto di Anna", Approval: protocol.Approval{By: "Anna", Role: protocol.RoleOwner, At: hour(10)}})
	}
	if got := healthRows(t, r, "SELECT id FROM diagnoses WHERE site_id = ?", s.site); len(got) != keptDiagnoses {
		t.Errorf("%d diagnoses are kept", len(got))
	}
	s.say(hour(11), protocol.Withdrawal{Approval: protocol.Approval{By: "Anna", Role: protocol.RoleOwner, At: hour(11)}})
	for _, table := range healthTables {
		if got := healthRows(t, r, "SELECT site_id FROM "+table); got != nil {
			t.Errorf("%s outlives its site", table)
		}
	}
}
