package interrogate

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"anagrafe/protocol"
)

func romeZone() *time.Location {
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		panic(err) // a machine without zones
	}
	return zone
}

// scripted answers ISAPI with bodies by path, in which @now is the time in Rome; one
// that begins with digits has the status before it.
type scripted struct {
	bodies   map[string]string
	searches func(body string) string // of search and calendar
	mu       sync.Mutex
	asked    []string
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path+" "+string(body))
	s.mu.Unlock()
	answer, ok := s.bodies[r.URL.Path]
	if s.searches != nil && r.Method == http.MethodPost {
		answer, ok = s.searches(r.URL.Path+" "+string(body)), true
	}
	answer = strings.ReplaceAll(answer, "@now", time.Now().In(romeZone()).Format(isapiStamp))
	code, rest, _ := strings.Cut(answer, " ")
	status, err := strconv.Atoi(code)
	switch {
	case !ok || strings.HasPrefix(r.URL.Path, "/onvif"):
		w.WriteHeader(http.StatusNotFound)
	case err == nil:
		w.WriteHeader(status)
		io.WriteString(w, rest)
	default:
		io.WriteString(w, answer)
	}
}

// count gives how many requests held a text.
func (s *scripted) count(text string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.asked {
		if strings.Contains(a, text) {
			n++
		}
	}
	return n
}

func (s *scripted) ask(t *testing.T) Device {
	t.Helper()
	return asker(t, &memory{given: Credential{User: "u", Password: "p"}}).Ask(t.Context(), namedServer(t, s.ServeHTTP))
}

const isapiSpace = ` xmlns="http://www.isapi.org/ver20/XMLSchema"`

// hikWith are the bodies of a device of a type, with a clock that is right.
func hikWith(kind string, more map[string]string) map[string]string {
	all := map[string]string{
		isapiDevice: `<DeviceInfo` + isapiSpace + `><deviceName>Prova</deviceName><model>PROVA-X</model><deviceType>` + kind + `</deviceType></DeviceInfo>`,
		isapiTime:   `<Time` + isapiSpace + `><localTime>@now</localTime><timeZone>CST-1:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00</timeZone></Time>`,
	}
	for path, body := range more {
		all[path] = body
	}
	return all
}

func hikProxiesOf(ids ...int) string {
	text := "<InputProxyChannelList" + isapiSpace + ">"
	for _, id := range ids {
		text += fmt.Sprintf("<InputProxyChannel><id>%d</id><name>IP %d</name></InputProxyChannel>", id, id)
	}
	return text + "</InputProxyChannelList>"
}

func hikInputsOf(ids ...int) string {
	text := "<VideoInputChannelList" + isapiSpace + ">"
	for _, id := range ids {
		text += fmt.Sprintf("<VideoInputChannel><id>%d</id><name>Presa %d</name><videoInputEnabled>%t</videoInputEnabled></VideoInputChannel>", id, id, id != 9)
	}
	return text + "</VideoInputChannelList>"
}

// oneTrack is a track that records always and keeps days; 0: until the disk is full.
func oneTrack(id, days int) string {
	text := fmt.Sprintf(`<Track%s><id>%d</id><LoopEnable>true</LoopEnable><TrackSchedule><ScheduleBlockList><ScheduleBlock>`, isapiSpace, id)
	for day := time.Sunday; day <= time.Saturday; day++ {
		text += fmt.Sprintf(`<ScheduleAction><ScheduleActionStartTime><DayOfWeek>%s</DayOfWeek><TimeOfDay>00:00:00</TimeOfDay></ScheduleActionStartTime>`+
			`<ScheduleActionEndTime><DayOfWeek>%s</DayOfWeek><TimeOfDay>24:00:00</TimeOfDay></ScheduleActionEndTime><Actions><Record>true</Record><ActionRecordingMode>CMR</ActionRecordingMode></Actions></ScheduleAction>`, day, day)
	}
	return text + fmt.Sprintf(`</ScheduleBlock></ScheduleBlockList></TrackSchedule><CustomExtensionList><CustomExtension><enableSchedule>true</enableSchedule></CustomExtension></CustomExtensionList>`+
		`<Duration>P%dDT0H</Duration><durationEnabled>true</durationEnabled></Track>`, days)
}

// TestHikvisionHybrid: sockets for cables and IP channels; a socket switched off is
// none, and a number that both bear makes a channel of which nothing is claimed.
func TestHikvisionHybrid(t *testing.T) {
	s := &scripted{bodies: hikWith("DVR", map[string]string{
		isapiInputs: hikInputsOf(1, 2, 9), isapiProxies: hikProxiesOf(2, 9),
		isapiTracks: "<TrackList" + isapiSpace + ">" + oneTrack(101, 3) + oneTrack(201, 4) + oneTrack(202, 8) + oneTrack(901, 5) + "</TrackList>",
	})}
	got := s.ask(t)
	var read []string
	for _, c := range got.Channels {
		read = append(read, fmt.Sprintf("%s %s %t %s %s", c.ID, c.Name, c.Analogue, c.Schedule.Kind, c.Retention.Age))
	}
	want := []string{"1 Presa 1 true always 72h0m0s", "2 Presa 2 true always 96h0m0s", "D2 IP 2 false  0s", "9 IP 9 false always 120h0m0s"}
	if !reflect.DeepEqual(read, want) || got.Kind != KindRecorder || len(ownProblems(got)) > 0 {
		t.Errorf("read %q, want %q; %s, problems %v", read, want, got.Kind, got.Errors)
	}
}

// TestHikvisionTracksOneByOne: an answer of more than 1 MiB is left, and the tracks
// are asked for singly.
func TestHikvisionTracksOneByOne(t *testing.T) {
	s := &scripted{bodies: hikWith("NVR", map[string]string{
		isapiProxies: hikProxiesOf(1, 2), isapiTracks: "<TrackList" + isapiSpace + ">" + strings.Repeat(" ", maxAnswer),
		isapiTracks + "/101": oneTrack(101, 3), isapiTracks + "/201": oneTrack(201, 0),
	})}
	got := s.ask(t)
	if len(got.Channels) != 2 || got.Channels[0].Retention.Age != 72*time.Hour || got.Channels[1].Retention.Kind != protocol.RetentionCapacity || got.Channels[1].Schedule.Kind != protocol.ScheduleAlways {
		t.Errorf("channels %+v, problems %v", got.Channels, got.Errors)
	}
	factWords(t, got.Channels[1].Facts, "schedule", "GET /ISAPI/ContentMgmt/record/tracks/201")
}

// found is an answer to a search, of what began then.
func found(track, at string) string {
	return `<CMSearchResult` + isapiSpace + `><matchList><searchMatchItem><trackID>` + track + `</trackID><timeSpan><startTime>` + at + `Z</startTime></timeSpan></searchMatchItem></matchList></CMSearchResult>`
}

// TestHikvisionWideWindow: 500 to the wide window of the search leads to the
// calendar, whose first day is searched; once seen, the window is not tried again.
func TestHikvisionWideWindow(t *testing.T) {
	rome := romeZone()
	now := time.Now().In(rome)
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, rome)
	first := month.AddDate(0, -1, 14) // the 15th of last month
	for name, c := range map[string]struct {
		oneDay   string // answer to the search of that day
		want     time.Time
		problems int
	}{
		"its hour":               {found("101", first.Format("2006-01-02")+"T08:32:14"), first.Add(8*time.Hour + 32*time.Minute + 14*time.Second), 0},
		"begun the day before":   {found("101", first.AddDate(0, 0, -1).Format("2006-01-02")+"T23:50:00"), first, 0},
		"the day is not told":    {"500", first.AddDate(0, 0, 1), 1},
		"the day has no footage": {"<CMSearchResult" + isapiSpace + "/>", first.AddDate(0, 0, 1), 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := &scripted{bodies: hikWith("NVR", map[string]string{isapiProxies: hikProxiesOf(1, 2)})}
			s.searches = func(asked string) string {
				switch {
				case strings.Contains(asked, "2038-01-01T"):
					return "500"
				case strings.Contains(asked, "dailyDistribution") && strings.Contains(asked, fmt.Sprintf("<year>%d</year><monthOfYear>%d</monthOfYear>", month.Year(), month.Month())):
					return `<trackDailyDistribution` + isapiSpace + `><dayList><day><id>1</id><dayOfMonth>1</dayOfMonth><record>true</record></day></dayList></trackDailyDistribution>`
				case strings.Contains(asked, "/tracks/101/dailyDistribution") && strings.Contains(asked, fmt.Sprintf("<year>%d</year><monthOfYear>%d</monthOfYear>", first.Year(), first.Month())):
					return `<trackDailyDistribution` + isapiSpace + `><dayList><day><id>14</id><dayOfMonth>14</dayOfMonth><record>false</record></day><day><id>16</id><dayOfMonth>16</dayOfMonth><record>true</record></day><day><id>15</id><dayOfMonth>15</dayOfMonth><record>true</record></day></dayList></trackDailyDistribution>`
				case strings.Contains(asked, "dailyDistribution"):
					return `<trackDailyDistribution` + isapiSpace + `/>`
				case strings.Contains(asked, "<trackID>201</trackID>"):
					return found("201", month.Format("2006-01-02")+"T00:00:07")
				case strings.Contains(asked, "<startTime>"+first.Format("2006-01-02")+"T00:00:00Z</startTime><endTime>"+first.Format("2006-01-02")+"T23:59:59Z</endTime>"):
					return c.oneDay
				}
				return "404"
			}
			got := s.ask(t)
			if len(got.Channels) != 2 {
				t.Fatalf("channels %+v, problems %v", got.Channels, got.Errors)
			}
			near := func(a, b time.Time) bool { return a.Sub(b).Abs() <= 2*time.Second }
			if at := got.Channels[0].Retention.OldestFootage; !near(at, c.want) {
				t.Errorf("the oldest footage is of %s, want %s", at.In(rome), c.want)
			}
			if at := got.Channels[1].Retention.OldestFootage; !near(at, month.Add(7*time.Second)) {
				t.Errorf("the other channel's is of %s, want %s", at.In(rome), month)
			}
			if n := s.count("2038-01-01T"); n != 1 {
				t.Errorf("the wide window was tried %d times", n)
			}
			if n := len(ownProblems(got)); n != c.problems {
				t.Errorf("problems %v", got.Errors)
			}
		})
	}
}

// TestHikvisionDates: they are of the wall clock, whatever their Z says, unless the
// newest footage of a channel that records always ends when UTC shows now.
func TestHikvisionDates(t *testing.T) {
	rome := romeZone()
	stamped := func(zone *time.Location, at time.Time) string { return at.In(zone).Format(isapiStamp) }
	oldest := time.Now().Add(-100 * time.Hour)
	for name, c := range map[string]struct {
		zone   *time.Location
		newest time.Duration // ago
		track  string
		asked  int
		utc    bool
	}{
		"wall clock":         {rome, 10 * time.Second, oneTrack(101, 7), 1, false},
		"UTC":                {time.UTC, 10 * time.Second, oneTrack(101, 7), 1, true},
		"neither":            {time.UTC, 20 * time.Minute, oneTrack(101, 7), 1, false},
		"it records motions": {time.UTC, 10 * time.Second, strings.ReplaceAll(oneTrack(101, 7), "CMR", "MOTION"), 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := &scripted{bodies: hikWith("NVR", map[string]string{isapiProxies: hikProxiesOf(1), isapiTracks: "<TrackList" + isapiSpace + ">" + c.track + "</TrackList>"})}
			s.searches = func(asked string) string {
				item := found("101", stamped(c.zone, oldest))
				if strings.Contains(asked, "<searchResultPostion>275</searchResultPostion>") {
					end := time.Now().Add(-c.newest)
					item = found("101", stamped(c.zone, end.Add(-time.Hour)))
					item = strings.Replace(item, "</startTime>", "</startTime><endTime>"+stamped(c.zone, end)+"Z</endTime>", 1)
				}
				return strings.Replace(item, "<matchList>", "<numOfMatches>276</numOfMatches><matchList>", 1)
			}
			got := s.ask(t)
			if len(got.Channels) != 1 {
				t.Fatalf("channels %+v, problems %v", got.Channels, got.Errors)
			}
			want := oldest
			if c.zone == time.UTC && !c.utc {
				_, offset := oldest.In(rome).Zone()
				want = oldest.Add(-time.Duration(offset) * time.Second) // taken for wall time
			}
			if at := got.Channels[0].Retention.OldestFootage; at.Sub(want).Abs() > 3*time.Second {
				t.Errorf("the oldest footage is of %s, want %s", at, want)
			}
			if n := s.count("<searchResultPostion>275<"); n != c.asked {
				t.Errorf("the newest was asked for %d times", n)
			}
		})
	}
}

// TestHikvisionSearch: what else a search may answer.
func TestHikvisionSearch(t *testing.T) {
	for name, c := range map[string]struct {
		answer  func(string) string
		oldest  bool
		problem string
	}{
		"nothing":           {func(string) string { return "<CMSearchResult" + isapiSpace + "/>" }, false, ""},
		"another channel's": {func(string) string { return found("501", "2026-01-01T00:00:00") }, false, "501"},
		"no date":           {func(string) string { return found("101", "yesterday") }, false, "date"},
		"refused":           {func(string) string { return "403" }, false, "403"},
		"no search":         {func(string) string { return "404" }, false, ""},
		"no XML":            {func(string) string { return "<html>" }, false, "XML"},
		"the other list": {func(asked string) string {
			if strings.Contains(asked, "<trackIDList><trackID>101</trackID></trackIDList>") {
				return found("101", "2026-01-01T00:00:00")
			}
			return "400"
		}, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := &scripted{bodies: hikWith("NVR", map[string]string{isapiProxies: hikProxiesOf(1)}), searches: c.answer}
			got := s.ask(t)
			if len(got.Channels) != 1 || got.Channels[0].Retention.OldestFootage.IsZero() == c.oldest {
				t.Errorf("channels %+v", got.Channels)
			}
			problems := fmt.Sprint(ownProblems(got))
			if (c.problem == "") != (len(ownProblems(got)) == 0) || !strings.Contains(problems, c.problem) {
				t.Errorf("problems %s, want one with %q", problems, c.problem)
			}
		})
	}
}

// TestHikvisionTellsOnce what every channel answers alike.
func TestHikvisionTellsOnce(t *testing.T) {
	s := &scripted{bodies: hikWith("NVR", map[string]string{isapiProxies: hikProxiesOf(1, 2, 3)}), searches: func(string) string { return "503" }}
	if got := s.ask(t); len(ownProblems(got)) != 1 || s.count(isapiSearch) != 3 {
		t.Errorf("%d searches, problems %v", s.count(isapiSearch), got.Errors)
	}
}

// TestHikvisionTimeIsUp in the midst of the searches: what was read stays.
func TestHikvisionTimeIsUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := &scripted{bodies: hikWith("NVR", map[string]string{isapiProxies: hikProxiesOf(1, 2, 3), isapiTracks: "<TrackList" + isapiSpace + ">" + oneTrack(301, 7) + "</TrackList>"})}
	s.searches = func(asked string) string {
		if strings.Contains(asked, "<trackID>201</trackID>") {
			cancel()
		}
		return found("101", "2026-01-01T00:00:00")
	}
	got, err := hikvision{}.read(ctx, webTo(t, serveWeb(t, s.ServeHTTP), &memory{}))
	if err != nil || len(got.channels) != 3 || !got.channels[0].oldest.known() || got.channels[1].oldest.known() || got.channels[2].schedule.Kind != protocol.ScheduleAlways {
		t.Errorf("channels %+v, error %v", got.channels, err)
	}
	if s.count("<trackID>301</trackID>") != 0 || len(got.problems) != 1 || !strings.Contains(got.problems[0].Why, "2 of 3 channels") {
		t.Errorf("problems %v", got.problems)
	}
}

// TestHikvisionRefusedParts: what this user may not read, or the device does not
// have, is unknown and never off; only what was refused is a problem.
func TestHikvisionRefusedParts(t *testing.T) {
	for name, c := range map[string]struct {
		answer  string
		problem bool
	}{
		"refused": {"403", true}, "not there": {"404", false}, "not done": {"501", false}, "not supported": {"403 <ResponseStatus" + isapiSpace + "><subStatusCode>notSupport</subStatusCode></ResponseStatus>", false}, "broken": {"500", true},
		"no XML": {"{}", true}, "another document": {"<Other/>", true}, "huge": {strings.Repeat("<a>", maxAnswer/3+1), true},
	} {
		t.Run(name, func(t *testing.T) {
			s := &scripted{bodies: hikWith("NVR", map[string]string{isapiProxies: hikProxiesOf(1)})}
			for _, path := range []string{isapiTracks, isapiTracks + "/101", isapiStreams, isapiStorage, isapiSearch} {
				s.bodies[path] = c.answer
			}
			got := s.ask(t)
			if len(got.Channels) != 1 {
				t.Fatalf("channels %+v, problems %v", got.Channels, got.Errors)
			}
			ch := got.Channels[0]
			if ch.Schedule.Kind != protocol.ScheduleUnknown || ch.Retention.Kind != protocol.RetentionUnknown || ch.WidthPx != 0 || !ch.Retention.OldestFootage.IsZero() || got.Kept != KeptUnknown {
				t.Errorf("channel %+v, kept %q", ch, got.Kept)
			}
			what := map[string]bool{}
			for _, p := range ownProblems(got) {
				what[p.What] = true
			}
			for _, part := range []string{"Streaming/channels", "ContentMgmt/Storage", "ContentMgmt/search"} {
				if what[part] != c.problem {
					t.Errorf("%s: a problem is told: %v, want %v", part, what[part], c.problem)
				}
			}
		})
	}
}

// TestHikvisionWithoutChannels: the list of channels refused, the streams are one.
func TestHikvisionWithoutChannels(t *testing.T) {
	s := &scripted{bodies: hikWith("NVR", map[string]string{isapiProxies: "403",
		isapiStreams: "<StreamingChannelList" + isapiSpace + "><StreamingChannel><id>101</id><channelName>Uno</channelName></StreamingChannel><StreamingChannel><id>102</id></StreamingChannel><StreamingChannel><id>1601</id><channelName>Sedici</channelName></StreamingChannel></StreamingChannelList>",
		isapiTracks:  "<TrackList" + isapiSpace + ">" + oneTrack(1601, 5) + "</TrackList>"})}
	got := s.ask(t)
	if len(got.Channels) != 2 || got.Channels[0].Name != "Uno" || got.Channels[1].ID != "16" || got.Channels[1].Retention.Age != 120*time.Hour {
		t.Errorf("channels %+v, problems %v", got.Channels, got.Errors)
	}
}
