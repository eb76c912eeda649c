package registry

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// What each delivery answers, one site a case. Messages are made in the order
// of made, delivered in the order of deliver (indexes), each answered by want.
func TestRecordOrder(t *testing.T) {
	one, two := declaration(camera(1, "Ingresso")), declaration(camera(1, "Entrata"), camera(2, "Cortile"))
	three := declaration(camera(2, "Cortile"))
	seen := sees(1, noon, noon.Add(-time.Hour))
	dup := errors.New("duplicate")
	tests := []struct {
		name    string
		made    []protocol.Body
		deliver []int
		want    []error
		names   []string // of the cameras declared at the end
	}{
		{"in order", []protocol.Body{one, two}, []int{0, 1}, []error{nil, nil}, []string{"Cortile", "Entrata"}},
		{"twice", []protocol.Body{one}, []int{0, 0}, []error{nil, dup}, []string{"Ingresso"}},
		{"twice, with a newer between", []protocol.Body{one, two}, []int{0, 1, 0}, []error{nil, nil, dup}, []string{"Cortile", "Entrata"}},
		{"swapped", []protocol.Body{one, two}, []int{1, 0}, []error{nil, ingest.ErrStale}, []string{"Cortile", "Entrata"}},
		{"late observation", []protocol.Body{one, seen, two}, []int{0, 2, 1}, []error{nil, nil, nil}, []string{"Cortile", "Entrata"}},
		{"late observation of what is no longer declared", []protocol.Body{one, seen, three}, []int{0, 2, 1}, []error{nil, nil, nil}, []string{"Cortile"}},
		{"observation of what was never declared", []protocol.Body{three, seen}, []int{0, 1}, []error{nil, protocol.FieldErrors{}}, []string{"Cortile"}},
		{"observation before any declaration", []protocol.Body{seen, one}, []int{0, 1}, []error{protocol.FieldErrors{}, nil}, []string{"Ingresso"}},
		{"withdrawn", []protocol.Body{one, withdrawal()}, []int{0, 1, 1, 0}, []error{nil, nil, dup, dup}, nil},
		{"withdrawn before its declaration arrives", []protocol.Body{one, withdrawal()}, []int{1, 0}, []error{nil, ingest.ErrNotGranted}, nil},
		{"declaration after the withdrawal", []protocol.Body{one, withdrawal(), two}, []int{0, 1, 2}, []error{nil, nil, ingest.ErrNotGranted}, nil},
		{"withdrawal overtaken by a declaration", []protocol.Body{one, withdrawal(), two}, []int{0, 2, 1}, []error{nil, nil, nil}, nil},
		{"observation after the withdrawal", []protocol.Body{one, withdrawal(), seen}, []int{0, 1, 2}, []error{nil, nil, ingest.ErrNotGranted}, nil},
	}
	r := openNew(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := enrol(t, r, noon)
			var messages []protocol.Message
			for i, body := range test.made {
				messages = append(messages, s.next(noon.Add(time.Duration(i)*time.Minute), body))
			}
			first := make(map[int]protocol.Receipt)
			for i, n := range test.deliver {
				receipt, err := s.deliver(messages[n], noon.Add(time.Hour+time.Duration(i)*time.Second))
				switch want := test.want[i].(type) {
				case nil:
					if err != nil || receipt.Duplicate || receipt.MessageID != messages[n].ID {
						t.Fatalf("delivery %d: %+v, %v", i, receipt, err)
					}
					first[n] = receipt
				case protocol.FieldErrors:
					if _, ok := errors.AsType[protocol.FieldErrors](err); !ok {
						t.Fatalf("delivery %d: %v, want the field named", i, err)
					}
				default:
					if want == dup {
						f := first[n]
						f.Duplicate, f.OwnerCode = true, receipt.OwnerCode // told to who still speaks for the site
						if err != nil || receipt != f {
							t.Fatalf("delivery %d: %+v, %v, want %+v", i, receipt, err, f)
						}
					} else if !errors.Is(err, want) {
						t.Fatalf("delivery %d: %v, want %v", i, err, want)
					}
				}
			}
			if got := names(s.history()); !equal(got, test.names) {
				t.Errorf("declared at the end: %q, want %q", got, test.names)
			}
		})
	}
}

// It is long because it is one table.
func TestRecordRefuses(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	other := enrol(t, r, noon)
	s.say(noon, declaration(camera(1, "Ingresso")))
	good := func() protocol.Message { return s.next(noon.Add(time.Hour), declaration(camera(1, "Altro nome"))) }

	tests := []struct {
		name  string
		agent string
		with  func(*protocol.Message)
		want  error
	}{
		{"another agent's site", other.agent, func(m *protocol.Message) {}, ingest.ErrNotGranted},
		{"an agent that is not known", uuid.NewString(), func(m *protocol.Message) {}, ingest.ErrUnknownAgent},
		{"a site that is not known", s.agent, func(m *protocol.Message) { m.SiteID = uuid.NewString() }, ingest.ErrNotGranted},
		{"an epoch to come", s.agent, func(m *protocol.Message) { m.Epoch = 2 }, ingest.ErrNotGranted},
		{"a revision that is taken", s.agent, func(m *protocol.Message) { m.Revision = 1 }, ingest.ErrStale},
		{"from the future", s.agent, func(m *protocol.Message) { m.MadeAt = noon.Add(48 * time.Hour) }, protocol.FieldErrors{}},
		{"from before the enrolment", s.agent, func(m *protocol.Message) { m.MadeAt = noon.Add(-48 * time.Hour) }, protocol.FieldErrors{}},
		{"a clock read in the future", s.agent, func(m *protocol.Message) {
			d := declaration(camera(1, "Altro nome"))
			d.Recorders[0].Clock = &protocol.Clock{Method: "onvif", At: noon.Add(72 * time.Hour)}
			m.Body = d
		}, protocol.FieldErrors{}},
		{"footage observed in the future", s.agent, func(m *protocol.Message) {
			m.Body = sees(1, noon.Add(72*time.Hour), noon)
		}, protocol.FieldErrors{}},
		{"half of it not declared", s.agent, func(m *protocol.Message) {
			o := sees(1, noon, noon.Add(-time.Hour))
			o.Cameras = append(o.Cameras, sees(2, noon, noon.Add(-time.Hour)).Cameras...)
			m.Body = o
		}, protocol.FieldErrors{}},
	}
	before := s.history()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := good()
			test.with(&m)
			raw, err := protocol.Encode(m)
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.Record(t.Context(), test.agent, m, raw, noon.Add(2*time.Hour))
			if _, fields := test.want.(protocol.FieldErrors); fields {
				if _, ok := errors.AsType[protocol.FieldErrors](err); !ok {
					t.Fatalf("%v, want the field named", err)
				}
			} else if !errors.Is(err, test.want) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if h := s.history(); !same(h, before) {
				t.Errorf("something was recorded:\n%+v\nwas\n%+v", h, before)
			}
		})
	}

	t.Run("same id, other bytes", func(t *testing.T) {
		m := s.next(noon, declaration(camera(1, "Uno")))
		if _, err := s.deliver(m, noon.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		same, err := protocol.Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Record(t.Context(), other.agent, m, same, noon); !errors.Is(err, ingest.ErrNotGranted) {
			t.Fatalf("%v, want the same as for a message that is not recorded", err)
		}
		m.Body = declaration(camera(1, "Due"))
		if _, err := s.deliver(m, noon.Add(time.Hour)); !errors.Is(err, ingest.ErrConflict) {
			t.Fatalf("%v, want a conflict", err)
		}
	})
	t.Run("revoked", func(t *testing.T) {
		if err := r.Revoke(t.Context(), s.agent, noon); err != nil {
			t.Fatal(err)
		}
		if _, err := s.deliver(good(), noon); !errors.Is(err, ingest.ErrRevoked) {
			t.Fatalf("%v, want revoked", err)
		}
		if err := r.Admit(t.Context(), s.agent); !errors.Is(err, ingest.ErrRevoked) {
			t.Fatalf("admitted with %v", err)
		}
		if len(names(s.history())) != 1 {
			t.Error("what a revoked agent declared is gone")
		}
	})
}

// What is acknowledged is in the files, whatever becomes of the process: a copy
// of them as they are at that moment has it.
func TestRecordIsDurable(t *testing.T) {
	onlySQLite(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "registry.db")
	r := openAt(t, path)
	s := enrol(t, r, noon)
	m := s.next(noon, declaration(camera(1, "Ingresso")))
	receipt, err := s.deliver(m, noon.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	killed := filepath.Join(t.TempDir(), "registry.db")
	if err := writeSecretCopy(keysOf("sqlite:"+killed).Master, keysOf("sqlite:"+path).Master); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(killed+suffix, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.r = openAt(t, killed)
	if got := names(s.history()); !equal(got, []string{"Ingresso"}) {
		t.Fatalf("after opening again: %q", got)
	}
	again, err := s.deliver(m, noon.Add(time.Hour))
	receipt.Duplicate = true
	if err != nil || again != receipt {
		t.Fatalf("delivered again: %+v, %v, want %+v", again, err, receipt)
	}
	_, revision, raw, err := s.r.Site(t.Context(), s.agent, s.site)
	if err != nil || revision != 1 || sha256.Sum256(raw) != receipt.SHA256 {
		t.Fatalf("declaration: revision %d, %d bytes, %v", revision, len(raw), err)
	}
}

func TestCancelledRecordLeavesNothing(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	m := s.next(noon, declaration(camera(1, "Ingresso")))
	raw, err := protocol.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Record(ctx, s.agent, m, raw, noon); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, want cancelled", err)
	}
	if h := s.history(); len(h.Cameras) != 0 || len(h.Sites) != 0 {
		t.Fatalf("recorded nevertheless: %+v", h)
	}
	if receipt, err := s.deliver(m, noon); err != nil || receipt.Duplicate {
		t.Fatalf("afterwards: %+v, %v", receipt, err)
	}
}

// In whatever order messages arrive, and however often: what is recorded in the
// end is the newest declaration that arrived, or nothing once the site was
// withdrawn. Each byte of the input delivers one message.
func FuzzDelivery(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5})
	f.Add([]byte{5, 4, 3, 2, 1, 0, 0})
	f.Add([]byte{2, 1, 0, 1})
	f.Add([]byte{4, 2, 3, 1, 5})
	r := openNew(f)
	f.Fuzz(func(t *testing.T, deliveries []byte) {
		s := enrol(t, r, noon)
		bodies := []protocol.Body{
			declaration(camera(1, "Zero"), camera(2, "Zero")), declaration(camera(1, "Uno")), sees(1, noon, noon.Add(-time.Hour)),
			declaration(camera(2, "Tre")), sees(2, noon, noon.Add(-time.Hour)), withdrawal(),
		}
		var messages []protocol.Message
		for i, body := range bodies {
			messages = append(messages, s.next(noon.Add(time.Duration(i)*time.Minute), body))
		}
		newest, withdrawn, taken := -1, false, make(map[byte]bool)
		for _, n := range deliveries[:min(len(deliveries), 12)] {
			n %= byte(len(messages))
			receipt, err := s.deliver(messages[n], noon.Add(time.Hour))
			if err == nil && receipt.Duplicate != taken[n] {
				t.Errorf("message %d: %+v, taken before: %v", n, receipt, taken[n])
			}
			_, declares := bodies[n].(protocol.Declaration)
			switch {
			case taken[n]:
				if err != nil {
					t.Errorf("message %d again: %v", n, err)
				}
			case withdrawn:
				if !errors.Is(err, ingest.ErrNotGranted) {
					t.Errorf("message %d after the withdrawal: %v", n, err)
				}
			case declares && int(n) < newest:
				if !errors.Is(err, ingest.ErrStale) {
					t.Errorf("message %d after %d: %v", n, newest, err)
				}
			case declares:
				newest = int(n)
			case n == 5:
				withdrawn = true
			}
			taken[n] = taken[n] || err == nil
		}
		var want []string
		if newest >= 0 && !withdrawn {
			for _, c := range bodies[newest].(protocol.Declaration).Cameras {
				want = append(want, c.Name)
			}
		}
		if got := names(s.history()); !equal(got, want) {
			t.Errorf("%v leaves %q, want %q", deliveries, got, want)
		}
	})
}

// A message whose answer got lost is sent again, also by an agent that was
// enrolled anew meanwhile; to one of another site it is none of its business.
func TestKnownToAnotherAgent(t *testing.T) {
	r := openNew(t)
	s, stranger := enrol(t, r, noon), enrol(t, r, noon)
	m := s.next(noon, declaration(camera(1, "Ingresso")))
	if _, err := s.deliver(m, noon); err != nil {
		t.Fatal(err)
	}
	anew := &sender{t: t, r: r, agent: uuid.NewString(), key: sha256.Sum256([]byte("anew")), site: s.site}
	if _, err := r.Invite(t.Context(), Invitation{SiteID: s.site, CodeHash: anew.code("second"), ExpiresAt: noon.Add(time.Hour), At: noon}); err != nil {
		t.Fatal(err)
	}
	anew.redeem("second", noon)
	if receipt, err := anew.deliver(m, noon.Add(time.Minute)); err != nil || !receipt.Duplicate || !receipt.RecordedAt.Equal(noon) {
		t.Errorf("%+v, %v", receipt, err)
	}
	if _, err := stranger.deliver(m, noon); !errors.Is(err, ingest.ErrNotGranted) {
		t.Errorf("a stranger: %v", err)
	}
	m.MadeAt = m.MadeAt.Add(time.Second)
	if _, err := anew.deliver(m, noon); !errors.Is(err, ingest.ErrConflict) {
		t.Errorf("other bytes: %v", err)
	}
	// A stranger must not learn by asking what comes after it, either.
	for name, c := range map[string]struct {
		agent, site string
		want        bool
	}{
		"its sender":           {s.agent, s.site, true},
		"the agent after it":   {anew.agent, s.site, true},
		"a stranger":           {stranger.agent, s.site, false},
		"a stranger, its site": {stranger.agent, stranger.site, false},
		"the wrong site":       {s.agent, stranger.site, false},
	} {
		if known, err := r.Knows(t.Context(), c.agent, c.site, m.ID); err != nil || known != c.want {
			t.Errorf("%s knows it: %t, %v", name, known, err)
		}
	}
}
