package registry

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
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
		waiting, _, err := r.Waiting(t.Context(), s.agent, noon.Add(3*time.Hour), 0)
		if err != nil {
			t.Fatal(err)
		}
		g, revision, raw, err := r.Site(t.Context(), s.agent, s.site)
		all = append(all, h, contacts, waiting, g, revision, raw, fmt.Sprint(err))
	}
	asked, err := r.Asked(t.Context(), "Questura", 100)
	if err != nil {
		t.Fatal(err)
	}
	return append(all, asked)
}

// Nothing that is personal is ever in the files in clear: not as text, and of
// positions not as numbers either.
func TestNothingInClear(t *testing.T) {
	r := openNew(t)
	r.wiping.short = time.Hour
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
