package adhere

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

func TestReadPoint(t *testing.T) {
	milan := protocol.Point{Lon: 9_190_000, Lat: 45_464_100}
	for typed, want := range map[string]protocol.Point{
		"45.464100, 9.190000": milan, "45.4641,9.19": milan, "45,4641 9,1900": milan, "45,4641; 9,19": milan, " (45.4641, 9.19) ": milan, "45.4641° 9.19°": milan,
		"-33.9, 18.4": {Lon: 18_400_000, Lat: -33_900_000},
	} {
		if got, ok := readPoint(typed); !ok || got != want {
			t.Errorf("%q is read as %v, %v", typed, got, ok)
		}
	}
	for _, typed := range []string{"", "45.4641", "45,4641", "91, 9", "45, 181", "0, 0", "45.4641, 9.19, 3", "nord, est", "NaN, 9", "1e1, 9", "45.4641,, 9.19 x"} {
		if got, ok := readPoint(typed); ok {
			t.Errorf("%q is read as %v", typed, got)
		}
	}
}

func TestReadClock(t *testing.T) {
	for typed, want := range map[string]int{"20:00": 1200, "8.30": 510, "8": 480, "00:00": 0, "24:00": 1440, "23:59": 1439} {
		if got, ok := readClock(typed); !ok || got != want {
			t.Errorf("%q is read as %d, %v", typed, got, ok)
		}
	}
	for _, typed := range []string{"", ":", "24:01", "12:60", "-1:00", "1:2:3", "123:00", "venti", "１２:00"} {
		if got, ok := readClock(typed); ok {
			t.Errorf("%q is read as %d", typed, got)
		}
	}
}

// What hours say, a schedule says, and back; what they cannot say is not made up.
func TestHours(t *testing.T) {
	for name, h := range map[string]hours{
		"a day":           {From: 480, To: 1200, Days: [7]bool{1: true}, Mode: protocol.Continuous},
		"all nights":      {From: 1200, To: 480, Days: [7]bool{true, true, true, true, true, true, true}, Mode: protocol.Motion},
		"a weekend":       {From: 1320, To: 360, Days: [7]bool{0: true, 6: true}, Mode: protocol.Continuous},
		"until midnight":  {From: 600, To: 1440, Days: [7]bool{3: true}, Mode: protocol.Continuous},
		"from midnight":   {From: 0, To: 360, Days: [7]bool{2: true, 3: true}, Mode: protocol.Continuous},
		"a whole day off": {From: 0, To: 1440, Days: [7]bool{5: true}, Mode: protocol.Continuous},
	} {
		s := h.schedule()
		got, ok := hoursOf(s)
		if !ok || got != h {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
	two := protocol.Schedule{Kind: protocol.ScheduleWeekly, Zone: zone, Days: [8][]protocol.Interval{1: {{From: 0, To: 60, Mode: protocol.Continuous}, {From: 120, To: 180, Mode: protocol.Continuous}}}}
	if h, ok := hoursOf(two); ok {
		t.Errorf("two spans of a day are said as %+v", h)
	}
}

func FuzzReadPoint(f *testing.F) {
	for _, s := range []string{"45.4641, 9.19", "45,4641 9,19", "((", "1,2,3", ";;", "°"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		p, ok := readPoint(typed)
		if !ok {
			return
		}
		if !p.Placed() {
			t.Fatalf("%q is read as %v", typed, p)
		}
		if again, ok := readPoint(pointText(p)); !ok || again != p {
			t.Fatalf("%v is written and read as %v, %v", p, again, ok)
		}
	})
}

// Whatever is posted as a camera, what is taken of it is a camera that can be declared.
func FuzzCamera(f *testing.F) {
	f.Add("name=Ingresso&outdoor=yes&direction=45&records=always&kept=7")
	f.Add("name=Cassa&outdoor=yes&direction=unknown&angle=360&range_m=2000&records=hours&from=20:00&to=08:00&day1=yes&motion=yes&storage=cloud&room=retro")
	f.Add("name=\u202e&outdoor=yes&direction=400&records=kept&turns=yes&from=24:00&to=0")
	f.Fuzz(func(t *testing.T, posted string) {
		fields, err := url.ParseQuery(posted)
		if err != nil {
			return
		}
		r := httptest.NewRequest("POST", "/", strings.NewReader(fields.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		in := cameraForm()
		in.typed(r)
		c := in.read(registry.SubmittedCamera{})
		if len(in.problems(cameraNames...)) > 0 {
			return
		}
		now := time.Now()
		c.Recorder.ID, c.Camera.RecorderID = uuid.NewString(), ""
		c.Camera.RecorderID = c.Recorder.ID
		fact := protocol.Fact{Source: protocol.Declared, At: now}
		c.Camera.NameFact, c.Camera.View.Fact, c.Camera.Schedule.Fact, c.Camera.Retention.Fact = fact, fact, fact, fact
		c.Camera.Position = protocol.Position{Point: protocol.Point{Lon: 9e6, Lat: 45e6}, Fact: fact}
		c.Camera.OutdoorPublic.By, c.Camera.OutdoorPublic.At = "Anna", now
		d := protocol.Declaration{Site: protocol.Site{Name: "Bar", Category: "shop"}, Contacts: []protocol.Contact{{Name: "Anna", Role: protocol.RoleOwner, Phone: "112"}},
			Recorders: []protocol.Recorder{c.Recorder}, Cameras: []protocol.Camera{c.Camera}, Approval: protocol.Approval{By: "Anna", Role: protocol.RoleOwner, At: now}}
		if _, err := protocol.Encode(protocol.Message{ID: uuid.NewString(), SiteID: uuid.NewString(), Epoch: 1, Revision: 1, MadeAt: now, Body: d}); err != nil {
			t.Fatalf("%q is taken, and cannot be declared: %v", posted, err)
		}
		shown := cameraForm()
		shown.fill(c)
		shown["outdoor"].Value, shown["records"].Value = "yes", recordsOf(c.Camera.Schedule)
		again := shown.read(c)
		if problems := shown.problems(cameraNames...); len(problems) > 0 {
			t.Fatalf("%q is taken, and shown with %q as %q", posted, problems[0].Name, problems[0].Value)
		}
		if again.Camera.Schedule.Kind != c.Camera.Schedule.Kind || again.Camera.Retention.Age != c.Camera.Retention.Age || again.Camera.Name != c.Camera.Name {
			t.Fatalf("%q changes by being shown and sent again: %+v, %+v", posted, c.Camera, again.Camera)
		}
	})
}

// Whatever is posted as who adheres is refused in words, or can be declared.
func FuzzWho(f *testing.F) {
	f.Add("Bar", "shop", "Anna", "02 5555 0101", "anna@example.it", "9-20")
	f.Add("\x00", "castle", "", "++", "@", strings.Repeat("x", 200))
	f.Fuzz(func(t *testing.T, site, category, name, phone, email, hours string) {
		fields := url.Values{"site": {site}, "category": {category}, "name": {name}, "phone": {phone}, "email": {email}, "hours": {hours}}
		r := httptest.NewRequest("POST", "/", strings.NewReader(fields.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		in := whoForm()
		in.typed(r)
		_, c := readWho(in)
		if len(in.problems(whoNames...)) == 0 {
			if err := c.Validate(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
