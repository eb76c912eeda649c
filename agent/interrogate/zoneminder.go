package interrogate

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"anagrafe/protocol"
)

var zoneMinderFamily = family{
	name:   ZoneMinder,
	driver: zoneMinder{},
	maker:  "ZoneMinder",
	words:  []string{"zoneminder"},
	doors:  []door{secure443, plain80},
	lacks:  []string{"holidays"},
	sure:   "run in the tests: 1.36.33",
}

// zoneMinder reads ZoneMinder over its API 2.0 below /zm/api, and its page of
// filters, of which the API tells nothing (filters.json is 404 in 1.36.33 and in
// the sources of 1.39). Read off a running 1.36.33; the words of 1.37 and later
// (Capturing, Analysing, Recording) are by their documentation and were never
// seen on a real one. Installations that are not below /zm are not recognised.
//
// Least privilege: Events=View, Monitors=View, System=None, API enabled. Where
// images are kept is read only with System=View.
//
// Decisions:
//   - configs.json and users.json are never asked for: even the user who may only
//     look gets the password of the database and the secret of all tokens with the
//     first. Of a monitor neither path, user nor password is read.
//   - There is no schedule, but run states that something else switches: what a
//     monitor does now counts as always.
//   - Archived events are left out of the oldest: somebody keeps them, and the
//     filter that ZoneMinder comes with spares them.
//   - The token goes in the query, since the API takes it nowhere else. It is a
//     JWT of two hours: 1.36.33 has a logout, and takes the token after it all the
//     same.
type zoneMinder struct{}

const (
	zmAPI     = "/zm/api/"
	zmVersion = zmAPI + "host/getVersion.json"
)

func (z zoneMinder) recognise(ctx context.Context, w *web) likeness {
	a, err := z.version(ctx, w)
	if err != nil {
		return stranger
	}
	v, err := jsonOf[zmReply](a)
	switch {
	case err != nil:
	case a.status == http.StatusOK && v.Version != "" && v.APIVersion != "":
		return known
	case a.status == http.StatusUnauthorized && v.Data.Exception.Class == "UnauthorizedException" && strings.HasSuffix(string(v.Data.URL), zmVersion):
		return known
	}
	return stranger
}

// version is the question that tells of ZoneMinder, and whether it wants a login:
// 1.36.33 refuses even this one without. It follows to TLS.
func (zoneMinder) version(ctx context.Context, w *web) (answer, error) {
	a, err := w.try(ctx, call{path: zmVersion})
	if err == nil && a.status >= 300 && a.status < 400 {
		if err = w.follow(ctx, a.header); err == nil {
			a, err = w.try(ctx, call{path: zmVersion})
		}
	}
	return a, err
}

// zmReply is what the API tells of itself, of a login and of a refusal. The URL in
// a refusal repeats the token, and is only held against a path.
type zmReply struct {
	Version    zmText `json:"version"`
	APIVersion zmText `json:"apiversion"`
	Token      zmText `json:"access_token"`
	Data       struct {
		URL       zmText `json:"url"`
		Exception struct {
			Class   zmText `json:"class"`
			Message zmText `json:"message"`
		} `json:"exception"`
	} `json:"data"`
}

// enter gives the version's answer, signed in where the server wants it.
func (z zoneMinder) enter(ctx context.Context, w *web) (zmReply, error) {
	a, err := z.version(ctx, w)
	if err != nil {
		return zmReply{}, err
	}
	v, err := jsonOf[zmReply](a)
	if err != nil || a.status != http.StatusUnauthorized {
		return v, err
	}
	return z.login(ctx, w)
}

func (z zoneMinder) read(ctx context.Context, w *web) (deviceReport, error) {
	t := deviceReport{recorder: true}
	v, err := z.enter(ctx, w)
	if err != nil {
		return t, err
	}
	t.firmware = string(v.Version)

	a, err := w.get(ctx, zmAPI+"monitors.json", "")
	if err != nil {
		return t, err
	}
	if t.channels, err = zmMonitors(a); err != nil {
		return t, err
	}
	z.clock(ctx, w, &t, a)
	z.storage(ctx, w, &t)
	z.retention(ctx, w, &t)
	z.oldest(ctx, w, &t)
	return t, nil
}

// login gets a token and puts it into every further request.
func (z zoneMinder) login(ctx context.Context, w *web) (v zmReply, err error) {
	w.closing(func(ctx context.Context) {
		if w.query.Has("token") {
			_, _ = w.try(ctx, call{path: zmAPI + "host/logout.json"})
		}
	})
	err = w.login(ctx, func(c Credential) (bool, error) {
		a, err := w.try(ctx, call{method: http.MethodPost, path: zmAPI + "host/login.json", kind: "application/x-www-form-urlencoded",
			body: url.Values{"user": {c.User}, "pass": {c.Password}}.Encode()})
		if err != nil {
			return false, err
		}
		if v, err = jsonOf[zmReply](a); err != nil {
			return false, err
		}
		switch said := string(v.Data.Exception.Message); {
		case a.status == http.StatusOK && v.Token != "":
			return true, nil
		case a.status == http.StatusUnauthorized && (strings.HasPrefix(said, "Login denied") || strings.HasPrefix(said, "Could not retrieve user")):
			return false, nil
		case a.status == http.StatusUnauthorized && strings.HasPrefix(said, "API"): // "API disabled for: name", "API Disabled"
			return false, understoodError("its settings do not let this user use the API: switch it on among the user's rights")
		}
		return false, errors.New("its answer to the login is not understood")
	})
	if err == nil {
		w.hide(string(v.Token))
		w.query.Set("token", string(v.Token))
	}
	return v, err
}

// zmMonitor is one camera. Older ones write numbers as texts. Path, User, Pass and
// the like hold the camera's password and are not read.
type zmMonitor struct {
	ID           zmText `json:"Id"`
	Name         zmText
	Type         zmText
	Function     zmText // to 1.36
	Enabled      zmText
	Capturing    zmText // from 1.37 on, instead of Function
	Analysing    zmText
	Recording    zmText
	Deleted      zmText
	Width        zmText
	Height       zmText
	Controllable zmText
}

// zmMonitors reads monitors.json, without names for what filters say.
func zmMonitors(a answer) ([]channelReport, error) {
	list, err := jsonOf[struct {
		Monitors []struct{ Monitor zmMonitor } `json:"monitors"`
	}](a)
	if err != nil {
		return nil, err
	}
	var all []channelReport
	for _, item := range head(list.Monitors, maxChannels) {
		m := item.Monitor
		if m.ID == "" || m.Deleted.yes() || m.Type == "WebSite" {
			continue
		}
		c := channelReport{id: string(m.ID), name: string(m.Name), width: m.Width.number(), height: m.Height.number(), turns: m.Controllable.yes(), schedule: m.schedule()}
		c.say("name", a.from, c.name)
		c.say("resolution", a.from, string(m.Width+"x"+m.Height))
		c.say("schedule", a.from, m.words()...)
		all = append(all, c)
	}
	return all, nil
}

// schedule tells what a monitor does. To 1.36: Record writes always and Mocord
// too, marking motion; Modect on motion; Nodect on a signal from outside; Monitor
// and None never. One that is not enabled waits for somebody to enable it, and
// when is not told. A Modect without a zone records nothing: that is not seen here.
func (m zmMonitor) schedule() protocol.Schedule {
	switch {
	case m.Recording != "":
		return m.newSchedule() // Function may be there still, and out of use
	case m.Function == "None" || m.Function == "Monitor":
		return off()
	case !m.Enabled.yes():
		return protocol.Schedule{}
	}
	switch m.Function {
	case "Record", "Mocord":
		return always(protocol.Continuous)
	case "Modect":
		return always(protocol.Motion)
	case "Nodect":
		return always(protocol.Alarm)
	}
	return protocol.Schedule{}
}

// newSchedule is schedule in the words of 1.37 and later.
func (m zmMonitor) newSchedule() protocol.Schedule {
	switch {
	case m.Capturing == "None" || m.Recording == "None":
		return off()
	case m.Capturing != "Always":
		return protocol.Schedule{} // on demand of a viewer
	case m.Recording == "Always":
		return always(protocol.Continuous)
	case m.Recording == "OnMotion" && m.Analysing == "None":
		return always(protocol.Alarm)
	case m.Recording == "OnMotion":
		return always(protocol.Motion)
	}
	return protocol.Schedule{}
}

func (m zmMonitor) words() []string {
	if m.Recording != "" {
		return []string{"Capturing " + string(m.Capturing), "Analysing " + string(m.Analysing), "Recording " + string(m.Recording)}
	}
	return []string{"Function " + string(m.Function), "Enabled " + string(m.Enabled)}
}

// clock takes the Date of the answer that tells the zone in which events are
// stamped; the other answer's where it tells none.
func (zoneMinder) clock(ctx context.Context, w *web, t *deviceReport, other answer) {
	a, err := w.get(ctx, zmAPI+"host/getTimeZone.json", "")
	if err != nil {
		t.problem("getTimeZone", err)
		t.clock = dateHeader(other)
		return
	}
	v, err := jsonOf[struct {
		Zone zmText `json:"tz"`
	}](a)
	t.problem("getTimeZone", err)
	if t.clock = dateHeader(a); t.clock != nil {
		t.clock.zone, t.clock.zoneRaw = string(v.Zone), string(v.Zone)
	}
}

// storage tells where images are kept: "local" is a folder of the machine, of
// which nothing says on which disk; "s3fs" is elsewhere. Most users may not ask.
func (zoneMinder) storage(ctx context.Context, w *web, t *deviceReport) {
	a, err := w.get(ctx, zmAPI+"storage.json", "")
	if err != nil {
		if !errors.Is(err, errForbidden) && statusOf(err) != http.StatusNotFound {
			t.problem("storage", err)
		}
		return
	}
	v, err := jsonOf[struct {
		Storage []struct {
			Storage struct{ Type zmText }
		} `json:"storage"`
	}](a)
	t.problem("storage", err)
	var places []Kept
	var words []string
	for _, s := range v.Storage {
		words = append(words, string(s.Storage.Type))
		switch s.Storage.Type {
		case "local":
			places = append(places, KeptDisk)
		case "s3fs":
			places = append(places, KeptRemote)
		}
	}
	t.kept, t.keptFrom, t.keptRaw = keptIn(places...), a.from, rawWords(words...)
}

// oldest asks for each monitor's first event that is not archived, until ctx ends.
// Events are stamped in the wall time of the zone.
func (zoneMinder) oldest(ctx context.Context, w *web, t *deviceReport) {
	for i := range t.channels {
		c := &t.channels[i]
		a, err := w.get(ctx, zmAPI+"events/index/MonitorId:"+url.PathEscape(c.id)+"/Archived:0.json", "sort=StartDateTime&direction=asc&limit=1")
		if err != nil {
			t.problem("oldest event of "+c.id, err)
			if ctx.Err() != nil {
				return
			}
			continue
		}
		v, err := jsonOf[struct {
			Events []struct {
				Event struct{ MonitorID, Archived, StartDateTime zmText }
			} `json:"events"`
		}](a)
		t.problem("oldest event of "+c.id, err)
		if len(v.Events) == 0 || string(v.Events[0].Event.MonitorID) != c.id || v.Events[0].Event.Archived.yes() {
			continue
		}
		c.oldest = wallStamp(string(v.Events[0].Event.StartDateTime), "2006-01-02 15:04:05")
		c.say("oldest", a.from, c.oldest.text)
	}
}

// zmText is a value of the API: versions differ in whether numbers are texts.
// Anything but a text, a number or a truth value is "".
type zmText string

func (t *zmText) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*t = ""
	switch v := v.(type) {
	case string:
		*t = zmText(v)
	case float64:
		*t = zmText(strconv.FormatFloat(v, 'f', -1, 64))
	case bool:
		*t = zmText(strconv.FormatBool(v))
	}
	return nil
}

func (t zmText) yes() bool { return t == "1" || t == "true" }

// number is 0 where there is none.
func (t zmText) number() int {
	n, _ := strconv.Atoi(string(t))
	return n
}
