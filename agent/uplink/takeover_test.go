package uplink

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"connectrpc.com/connect"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// What an enrolment says besides its code, and what it says with a second call.
func TestEnrolOptions(t *testing.T) {
	former := func(ids ...string) func(context.Context, string) ([]string, error) {
		return func(_ context.Context, siteID string) ([]string, error) {
			if siteID != "site-1" {
				t.Errorf("asked about %q", siteID)
			}
			return ids, nil
		}
	}
	type said struct {
		visit, replace bool
		former         string
	}
	for _, tc := range []struct {
		name string
		o    EnrolOptions
		want []said
	}{
		{"plain", EnrolOptions{}, []said{{}}},
		{"a visit", EnrolOptions{Visit: true}, []said{{visit: true}}},
		{"in the others' place", EnrolOptions{Replace: true}, []said{{replace: true}}},
		{"a computer that never spoke for the site", EnrolOptions{Former: former()}, []said{{}}},
		{"the same agent", EnrolOptions{Former: former("agent-1")}, []said{{}}},
		{"a computer that lost its identity", EnrolOptions{Former: former("agent-0")}, []said{{}, {former: "agent-0"}}},
		{"a computer that lost two", EnrolOptions{Former: former("agent-8", "agent-9", "agent-1")}, []said{{}, {former: "agent-8"}, {former: "agent-9"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCollector(t)
			var got []said
			var codes []string
			c.enrolled = func(r *wire.EnrolRequest) error {
				got = append(got, said{r.GetVisit(), r.GetReplace(), r.GetFormerAgent()})
				codes = append(codes, r.GetCode())
				return nil
			}
			c.serve(both, nil, nil)
			if _, err := Enrol(t.Context(), filepath.Join(t.TempDir(), "agent"), "", c.link(c.authority.pin()), tc.o); err != nil {
				t.Fatal(err)
			}
			c.set(func() {
				if !slices.Equal(got, tc.want) || len(slices.Compact(codes)) != 1 {
					t.Errorf("said %+v with the codes %q, want %+v with one", got, codes, tc.want)
				}
			})
		})
	}
}

func TestRecorded(t *testing.T) {
	c := newCollector(t)
	c.recorded = []byte("the declaration")
	c.serve(both, nil, nil)
	dir := filepath.Join(t.TempDir(), "agent")
	if _, err := Enrol(t.Context(), dir, "", c.link(c.authority.pin()), EnrolOptions{}); err != nil {
		t.Fatal(err)
	}
	id, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := id.Recorded(t.Context(), "site-1", nil); err != nil || string(got) != "the declaration" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := id.Recorded(t.Context(), "site-2", nil); reasonFrom(t, err) != UnexpectedAnswer {
		t.Errorf("an answer about another site: %v", err)
	}
	c.mu.Lock()
	c.before = func([]byte) error {
		return refusal(connect.CodePermissionDenied, string(protocol.ReasonNotGranted), "no")
	}
	c.mu.Unlock()
	if _, err := id.Recorded(t.Context(), "site-1", nil); reasonFrom(t, err) != protocol.ReasonNotGranted {
		t.Errorf("refused: %v", err)
	}
}
