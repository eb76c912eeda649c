package protocol

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol/wire"

	"google.golang.org/protobuf/proto"
)

func samplePreserve() Preserve {
	return Preserve{Kind: Order, From: "Questura di Milano, Squadra Mobile, isp. Verdi", Phone: "+39 02 5555 0113", Reference: "annotazione 12/2026",
		Start: sampleTime.Add(-time.Hour), End: sampleTime, CameraIDs: []string{sampleDoor, sampleCorner}, CheckCode: "K7QF-2MZX"}
}

func sampleNotice(b NoticeBody) Notice {
	return Notice{ID: sampleID, SiteID: sampleSite, At: sampleTime, Body: b}
}

// TestNoticeOverTheWire: what is sent down is what is read.
func TestNoticeOverTheWire(t *testing.T) {
	for _, body := range []NoticeBody{samplePreserve(), SiteChange{State: SiteWithdrawn, At: sampleTime}, Reminder{Reason: "recapiti da confermare"},
		Letter{Text: "Buongiorno,\nil registratore non risponde."}} {
		n := sampleNotice(body)
		w, err := NoticeToWire(n)
		if err != nil {
			t.Fatal(err)
		}
		b, err := proto.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		var back wire.Notice
		if err := proto.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		if got, err := NoticeFromWire(&back); err != nil || !reflect.DeepEqual(got, n) {
			t.Errorf("%T reads %+v (%v), not %+v", body, got, err, n)
		}
	}
}

// TestBadNotice: what an agent must not show to anybody.
func TestBadNotice(t *testing.T) {
	broken := func(change func(p *Preserve)) *wire.Notice {
		w, err := NoticeToWire(sampleNotice(samplePreserve()))
		if err != nil {
			t.Fatal(err)
		}
		p := samplePreserve()
		change(&p)
		w.Body = &wire.Notice_Preserve{Preserve: &wire.Preserve{Kind: string(p.Kind), From: p.From, Phone: p.Phone, Reference: p.Reference,
			Start: timeToWire(p.Start), End: timeToWire(p.End), CameraIds: p.CameraIDs, CheckCode: p.CheckCode}}
		return w
	}
	for name, c := range map[string]struct {
		notice *wire.Notice
		want   []string
	}{
		"nothing":         {&wire.Notice{}, []string{"id", "site_id", "at", "body"}},
		"of a newer kind": {&wire.Notice{Id: sampleID, SiteId: sampleSite, At: timeToWire(sampleTime)}, []string{"body"}},
		"empty letter":    {&wire.Notice{Id: sampleID, SiteId: sampleSite, At: timeToWire(sampleTime), Body: &wire.Notice_Letter{Letter: &wire.Letter{Text: "\n"}}}, []string{"text"}},
		"turned letter":   {&wire.Notice{Id: sampleID, SiteId: sampleSite, At: timeToWire(sampleTime), Body: &wire.Notice_Letter{Letter: &wire.Letter{Text: "a\n\u202eb"}}}, []string{"text"}},
		"long letter": {&wire.Notice{Id: sampleID, SiteId: sampleSite, At: timeToWire(sampleTime),
			Body: &wire.Notice_Letter{Letter: &wire.Letter{Text: strings.Repeat("a", MaxLetter+1)}}}, []string{"text"}},
		"no rule":     {broken(func(p *Preserve) { p.Kind = "wish" }), []string{"kind"}},
		"from nobody": {broken(func(p *Preserve) { p.From = "" }), []string{"from"}},
		"turned text": {broken(func(p *Preserve) { p.From = "Questura\u202e" }), []string{"from"}},
		"backwards":   {broken(func(p *Preserve) { p.End = p.Start }), []string{"end"}},
		"no camera":   {broken(func(p *Preserve) { p.CameraIDs = nil }), []string{"camera_ids"}},
		"an address":  {broken(func(p *Preserve) { p.CameraIDs[1] = "192.0.2.7" }), []string{"camera_ids[1]"}},
		"no check":    {broken(func(p *Preserve) { p.CheckCode = "" }), []string{"check_code"}},
	} {
		_, err := NoticeFromWire(c.notice)
		if got := fieldsOf(err); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q (%v), want %q", name, got, err, c.want)
		}
	}
	long := &wire.Notice{Body: &wire.Notice_Reminder{Reminder: &wire.Reminder{Reason: strings.Repeat("a", MaxNotice)}}}
	if _, err := NoticeFromWire(long); !errors.Is(err, ErrTooBig) {
		t.Errorf("a notice of %d bytes: %v", proto.Size(long), err)
	}
}

func FuzzNotice(f *testing.F) {
	for _, body := range []NoticeBody{samplePreserve(), SiteChange{State: SiteSuspended, At: sampleTime}, Reminder{Reason: "x"}} {
		w, err := NoticeToWire(sampleNotice(body))
		if err != nil {
			f.Fatal(err)
		}
		b, err := proto.Marshal(w)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var w wire.Notice
		if proto.Unmarshal(b, &w) != nil {
			return
		}
		n, err := NoticeFromWire(&w)
		if err != nil {
			return
		}
		again, err := NoticeToWire(n)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if back, err := NoticeFromWire(again); err != nil || !reflect.DeepEqual(back, n) {
			t.Fatalf("reads %+v, then %+v (%v)", n, back, err)
		}
	})
}

// What a notice says comes back from where it was kept, by its kind; another kind, or
// what is no JSON, is an error.
func TestDecodeNotice(t *testing.T) {
	at := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	for _, body := range []NoticeBody{
		Preserve{Kind: Order, From: "Polizia", Start: at, End: at.Add(time.Hour), CameraIDs: []string{"c"}, CheckCode: "x"},
		SiteChange{State: SiteSuspended, At: at}, Reminder{Reason: "r"}, Letter{Text: "l"},
	} {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DecodeNotice(body.NoticeKind(), text); err != nil || !reflect.DeepEqual(got, body) {
			t.Errorf("%s: %+v, %v, want %+v", body.NoticeKind(), got, err, body)
		}
		if _, err := DecodeNotice(body.NoticeKind(), []byte("{")); err == nil {
			t.Errorf("%s: what is no JSON was taken", body.NoticeKind())
		}
	}
	if _, err := DecodeNotice("telegram", []byte("{}")); err == nil {
		t.Error("a kind that nobody knows was taken")
	}
}

// A grant comes over the wire as it was, but for who holds it, which stands beside it.
func TestGrantOverTheWire(t *testing.T) {
	at := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	for _, g := range []Grant{
		{AgentID: "a", SiteID: "s", SiteName: "Bar", Category: "shop", Address: "via Torino 1", Epoch: 3, From: at, Until: at.Add(time.Hour), Others: 2},
		{AgentID: "a", SiteID: "s", Epoch: 1, From: at},
	} {
		if got := GrantFromWire("a", GrantToWire(g)); got != g {
			t.Errorf("%+v came as %+v", g, got)
		}
	}
}
