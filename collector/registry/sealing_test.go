package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// town fills a register with sites, and all that there is to be sealed of one, in
// which each text holds the mark.
func town(t testing.TB, r *Registry, mark string, sites int) (senders []*sender) {
	t.Helper()
	for i := range sites {
		s := enrol(t, r, noon)
		senders = append(senders, s)
		d, o := marked(fmt.Sprint(mark, " ", i), 3), observed(mark, noon.Add(time.Hour), 3)
		for j := range d.Cameras {
			d.Cameras[j].ID = id(100 + 10*i + j)
			o.Cameras[j].CameraID = d.Cameras[j].ID
		}
		s.say(noon, d)
		s.say(noon.Add(time.Hour), o)
		d.Cameras[1].Name += " renamed"
		s.say(noon.Add(2*time.Hour), d)
		s.queue(noon, preserve(d.Cameras[0].ID)) // waits
		asked := protocol.Notice{ID: uuid.NewString(), SiteID: s.site, At: noon, Body: preserve(d.Cameras[0].ID)}
		if err := errors.Join(r.AddForce(t.Context(), "Questura", "age1"), r.QueueRequest(t.Context(), requestFor(t, r, id(90+i), asked))); err != nil {
			t.Fatal(err)
		}
		said := reply(asked, protocol.ReplyCannot, noon)
		said.By = mark
		s.say(noon.Add(2*time.Hour), said)
	}
	beside(t, senders[0], noon.Add(time.Hour), nil).say(noon.Add(3*time.Hour), says(mark, on(1002, camera(9, mark))))
	senders[1].say(noon.Add(3*time.Hour), withdrawal())
	return senders
}

// told is all that a register says of sites.
func told(t testing.TB, r *Registry, senders []*sender) []any {
	t.Helper()
	sites, err := r.Sites(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := []any{sites}
	for _, s := range senders {
		h, err := r.History(t.Context(), s.site, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		contacts, err := r.Contacts(t.Context(), []string{s.site})
		if err != nil {
			t.Fatal(err)
		}
		waiting, err := r.Waiting(t.Context(), s.agent, noon.Add(3*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		g, revision, raw, err := r.Site(t.Context(), s.agent, s.site)
		h.Acts, h.marks = nil, nil // an older register does not know who said it
		for _, versions := range h.Cameras {
			for i := range versions {
				versions[i].Origin = Origin{}
			}
		}
		all = append(all, h, contacts, waiting, g, revision, raw, fmt.Sprint(err))
	}
	asked, err := r.Asked(t.Context(), "Questura", 100)
	if err != nil {
		t.Fatal(err)
	}
	return append(all, asked)
}

// A register that was written in clear is sealed when it is opened, says what it
// said, and nothing of it is in the files in clear any more; also where the first
// start is interrupted, at any point.
func TestOldRegisterIsSealed(t *testing.T) {
	dir := t.TempDir()
	r := openAt(t, filepath.Join(dir, "new.db"))
	key := newConsultKey(t)
	r.Unseal(key)
	senders := town(t, r, "Sentinelq", sealedAtOnce+3)
	want := told(t, r, senders)
	for name, interrupted := range map[string]int{"at once": 0, "cut off after some sites": 1, "after all sites": 3, "after some notices": 4} {
		t.Run(name, func(t *testing.T) {
			store := writeOld(t, r, filepath.Join(t.TempDir(), "old.db"), sealingSchema-1)
			if interrupted > 0 {
				cutOff(t, store, interrupted)
			}
			o := openStore(t, store)
			o.Unseal(key)
			if n := inFiles(t, o, []byte("Sentinelq")); n > 0 {
				t.Errorf("the mark stands %d times in the files", n)
			}
			if got := told(t, o, senders); !reflect.DeepEqual(got, want) {
				for i := range got {
					if !reflect.DeepEqual(got[i], want[i]) {
						t.Fatalf("it says\n%+v\nwant\n%+v", got[i], want[i])
					}
				}
			}
			if found, err := o.LookUp(t.Context(), "02 7777"); err != nil || !slices.Contains(found, senders[2].site) || slices.Contains(found, senders[1].site) {
				t.Errorf("looked up: %v, %v", found, err)
			}
			s := *senders[3]
			s.r = o
			s.say(noon.Add(4*time.Hour), marked("after", 2))
			if got := len(names(s.history())); got != 2 {
				t.Errorf("%d cameras after another declaration", got)
			}
		})
	}
}

// cutOff begins the sealing of a register and leaves it after so many of its
// transactions.
func cutOff(t *testing.T, store string, transactions int) {
	t.Helper()
	e, at, _, err := parseStore(store)
	if err != nil {
		t.Fatal(err)
	}
	r := &Registry{log: slog.New(slog.DiscardHandler), now: time.Now, writes: make(chan *pending), closing: make(chan struct{}), closed: make(chan struct{})}
	r.stop = func() { close(r.closing) }
	if e == postgres {
		r.write, err = openPostgres(t.Context(), at)
	} else {
		r.write, err = sqliteWriter(at)
	}
	if err != nil {
		t.Fatal(err)
	}
	go r.runWrites()
	p, err := migrations(r.write)
	if err == nil {
		_, err = p.UpTo(t.Context(), sealingSchema)
	}
	if err == nil {
		err = r.openVault(t.Context(), keysOf(store))
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx := &endsAfter{Context: t.Context(), looks: 2 * transactions} // the step asks before each, and the writer
	if err := r.sealAll(ctx); err == nil {
		t.Fatal("it was not cut off: the test shows nothing")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// endsAfter is a context that has ended when it was asked so often.
type endsAfter struct {
	context.Context
	looks int
}

func (c *endsAfter) Err() error {
	if c.looks--; c.looks < 0 {
		return context.Canceled
	}
	return nil
}

// Nothing that is personal is ever in the files in clear: not as text, and of
// positions not as numbers either.
func TestNothingInClear(t *testing.T) {
	r := openNew(t)
	r.wiping.short = time.Hour
	r.Unseal(newConsultKey(t))
	const mark, phone, lon, lat = "Sentinelclear", "555 0199", 9_123_457, 45_765_431 // no other test's
	s := enrol(t, r, noon)
	secret := func(n int) protocol.Declaration {
		d := marked(mark, 5)
		d.Contacts[0].Phone = phone
		for i := range d.Cameras {
			d.Cameras[i].Position.Lon, d.Cameras[i].Position.Lat = lon, lat
		}
		d.Cameras[0].Name = fmt.Sprint(mark, n)
		return d
	}
	look := func(when string) {
		t.Helper()
		marks := map[string][]byte{"a text": []byte(mark), "a phone number": []byte(phone), "a longitude": []byte("9123457"), "a latitude": []byte("45765431"),
			"a latitude as a number": {0x02, 0xba, 0x53, 0x37}} // as SQLite keeps it
		if tested == postgres {
			marks["a latitude as a number"] = []byte{0x37, 0x53, 0xba, 0x02, 0, 0, 0, 0}
		}
		for what, m := range marks {
			eachFile(t, r, func(name string, b []byte) {
				if at := bytes.Index(b, m); at >= 0 {
					t.Errorf("%s: %s stands in %s: %q", when, what, filepath.Base(name), b[max(0, at-40):min(at+40, len(b))])
				}
			})
		}
		if inFiles(t, r, []byte(s.site)) == 0 {
			t.Fatal("the site's id is not in the files: the test sees nothing")
		}
	}
	for n := range 20 {
		s.say(noon.Add(time.Duration(n)*time.Minute), secret(n))
	}
	s.say(noon.Add(time.Hour), observed(mark, noon.Add(time.Hour), 5))
	b := beside(t, s, noon.Add(time.Hour), nil)
	b.say(noon.Add(2*time.Hour), secret(30))
	n := s.queue(noon.Add(time.Hour), preserve(id(1)))
	said := reply(n, protocol.ReplyCannot, noon)
	said.By, said.Note = mark, mark
	s.say(noon.Add(2*time.Hour), said)
	if got := s.history(); len(got.Cameras) != 5 || got.Cameras[id(1)][0].Camera.Position.Lat != lat {
		t.Fatalf("the register does not have it: %+v", got)
	}
	look("declared")
	s.say(noon.Add(3*time.Hour), withdrawal())
	look("withdrawn")
	if _, err := r.write.ExecContext(t.Context(), "VACUUM"); err != nil {
		t.Fatal(err)
	}
	look("after VACUUM")
}
