package interrogate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

var synologyFamily = family{
	name:   Synology,
	driver: synology{},
	maker:  "Synology",
	words:  []string{"synology"},
	doors:  []door{{"https", 5001}, {"http", 5000}},
	lacks:  []string{"holidays"},
	sure:   "real camera list of DSM 6 published by others; the rest by its clients. A week whose days differ stays unknown",
	unseen: []string{"observed", "clock", "zone", "place"},
}

// synology reads Surveillance Station on a Synology NAS, by its Web API: the
// document of that name (versions 2.0 to 3.11), and the answers of a DSM 6 that the
// client py-synologydsm-api keeps (the list of cameras, and the list of interfaces).
// A NAS without Surveillance Station is none of ours, and is never logged in to.
//
// It logs in with session=SurveillanceStation and always out. The list of cameras is
// asked in version 7, of which the sample is; the document's 9 names fields
// otherwise. Retention is what rotates by date; a limit by space beside it may end
// footage sooner, which its oldest recording shows. The clock is the Date of HTTP.
//
// Never seen on a device: a half hour other than 1, a week that differs by day (see
// synologyWeek), a list of recordings. The recordings of one camera are taken to
// stand in the order of time, forwards or backwards: one end of the list is the
// oldest.
//
// Least privilege: a DSM user without administration, let into the application
// Surveillance Station alone, there in a profile that may play back these cameras;
// without a one-time code. What it may not read stays unknown.
type synology struct{}

// The interfaces that are asked, and their newest versions that we know.
const (
	synoAuth      = "SYNO.API.Auth"
	synoInfo      = "SYNO.SurveillanceStation.Info"
	synoCamera    = "SYNO.SurveillanceStation.Camera"
	synoRecording = "SYNO.SurveillanceStation.Recording"

	synoAuthVersion      = 6
	synoInfoVersion      = 8
	synoCameraVersion    = 7
	synoRecordingVersion = 6
)

// synoPage is how many cameras are listed at a time: one takes some 9 KB.
const synoPage = 48

// synoAPIs are the interfaces by name, as SYNO.API.Info tells them.
type synoAPIs map[string]struct {
	Path anyText `json:"path"`
	Max  anyInt  `json:"maxVersion"`
}

// synoPaths are names of programs below /webapi/; the host chooses among its own.
var synoPaths = regexp.MustCompile(`^[A-Za-z0-9_]+(/[A-Za-z0-9_]+)?\.cgi$`)

// has tells that an interface is there.
func (apis synoAPIs) has(api string) bool { return synoPaths.MatchString(string(apis[api].Path)) }

// call is a question to an interface; params are encoded, each with its "&".
func (apis synoAPIs) call(api, method string, newest int64, params string) call {
	at := apis[api]
	version := max(1, min(at.Max.value, newest))
	return call{path: "/webapi/" + string(at.Path), query: fmt.Sprintf("api=%s&version=%d&method=%s%s", api, version, method, params)}
}

// synoList asks where the interfaces are. It is answered to anybody.
func synoList(names ...string) call {
	return call{path: "/webapi/query.cgi", query: "api=SYNO.API.Info&version=1&method=query&query=" + strings.Join(names, ",")}
}

// synoAnswer is the frame of every answer.
type synoAnswer[T any] struct {
	Success anyInt
	Data    T
	Error   struct{ Code anyInt }
}

func (synology) recognise(ctx context.Context, w *web) likeness {
	a, err := w.meet(ctx, synoList(synoAuth, synoCamera))
	if err != nil || a.status != http.StatusOK {
		return stranger
	}
	said, err := jsonOf[synoAnswer[synoAPIs]](a)
	if err != nil || !said.Success.is(1) || !said.Data.has(synoAuth) || !said.Data.has(synoCamera) {
		return stranger
	}
	return known
}

func (synology) read(ctx context.Context, w *web) (deviceReport, error) {
	t := deviceReport{recorder: true}
	apis, a, err := synoAsk[synoAPIs](ctx, w, synoList(synoAuth, synoInfo, synoCamera, synoRecording))
	if err != nil {
		return t, err
	}
	if !apis.has(synoAuth) || !apis.has(synoCamera) {
		return t, errors.New("it no longer names the interfaces of Surveillance Station")
	}
	t.clock = dateHeader(a)
	if err := synoLogin(ctx, w, apis); err != nil {
		return t, err
	}
	synoStation(ctx, w, apis, &t)
	return t, synoCameras(ctx, w, apis, &t)
}

// synoAsk asks one question and reads the data of its answer. An error that the
// answer names is in words; errForbidden where this user may not read it, an
// *unsupportedError where it does not offer it.
func synoAsk[T any](ctx context.Context, w *web, c call) (data T, a answer, err error) {
	if a, err = w.do(ctx, c); err != nil {
		return data, a, err
	}
	said, err := jsonOf[synoAnswer[T]](a)
	if err != nil {
		return data, a, err
	}
	if said.Success.is(1) {
		return said.Data, a, nil
	}
	switch code := said.Error.Code; code.value {
	case 105, 160:
		return data, a, errForbidden
	case 102, 103, 104:
		return data, a, &unsupportedError{"error " + code.String()}
	case 106, 107, 119:
		return data, a, errors.New("its session ended before all was read")
	default:
		return data, a, fmt.Errorf("it answered with the error %s", cmp.Or(code.String(), "that it does not name"))
	}
}

// synoLogin opens a session, by a form in the body: what stands in an address is
// logged by many. The session itself can only stand there.
func synoLogin(ctx context.Context, w *web, apis synoAPIs) error {
	return w.login(ctx, func(c Credential) (bool, error) {
		at := apis.call(synoAuth, "login", synoAuthVersion, "")
		form := at.query + "&" + url.Values{"account": {c.User}, "passwd": {c.Password}, "session": {"SurveillanceStation"}, "format": {"sid"}}.Encode()
		a, err := w.try(ctx, call{method: http.MethodPost, path: at.path, body: form, kind: "application/x-www-form-urlencoded"})
		if err != nil {
			return false, err
		}
		said, err := jsonOf[synoAnswer[struct{ Sid anyText }]](a)
		switch {
		case a.status == http.StatusUnauthorized:
			return false, nil
		case err != nil || a.status != http.StatusOK:
			return false, fmt.Errorf("its login answered %d, in no way that is known", a.status)
		case said.Success.is(1) && said.Data.Sid != "":
			w.hide(string(said.Data.Sid))
			w.query.Set("_sid", string(said.Data.Sid))
			w.closing(func(ctx context.Context) {
				_, _ = w.try(ctx, apis.call(synoAuth, "logout", synoAuthVersion, "&session=SurveillanceStation"))
			})
			return true, nil
		}
		return false, synoRefusal(said.Error.Code)
	})
}

// synoRefusal says why a login was refused; nil for a wrong user or password.
func synoRefusal(code anyInt) error {
	switch code.value {
	case 400:
		return nil
	case 401:
		return understoodError("this user is disabled in its settings")
	case 402, 105, 160:
		return understoodError("this user may not use Surveillance Station: allow it in its settings")
	case 403, 404, 406:
		return understoodError("this user has to log in with a one-time code, which the agent has not: make a user without it for the agent")
	case 407:
		return understoodError(blockedUs + ": unblock it in its settings")
	case 408, 409, 410:
		return understoodError("this user's password has expired: set a new one")
	case 411:
		return understoodError("this user is locked after wrong passwords: unlock it in its settings")
	}
	return fmt.Errorf("its login answered with the error %s", cmp.Or(code.String(), "that it does not name"))
}

// synoStation reads the NAS itself.
func synoStation(ctx context.Context, w *web, apis synoAPIs, t *deviceReport) {
	if !apis.has(synoInfo) {
		return
	}
	type info struct {
		Model   anyText `json:"DSModelName"`
		Serial  anyText `json:"serial"`
		Name    anyText `json:"hostname"`
		Zone    anyText `json:"timezoneTZDB"`
		ZoneRaw anyText `json:"timezone"`
		Version struct{ Major, Minor, Build anyText }
	}
	i, a, err := synoAsk[info](ctx, w, apis.call(synoInfo, "GetInfo", synoInfoVersion, ""))
	if err != nil {
		t.problem("Surveillance Station information", err)
		return
	}
	t.model, t.serial, t.name = string(i.Model), string(i.Serial), string(i.Name)
	if v := i.Version; v.Major != "" {
		t.firmware = fmt.Sprintf("Surveillance Station %s.%s-%s", v.Major, v.Minor, v.Build)
	}
	if c := dateHeader(a); c != nil {
		t.clock = c
	}
	if t.clock != nil {
		t.clock.zone, t.clock.zoneRaw = string(i.Zone), cmp.Or(string(i.Zone), string(i.ZoneRaw))
	}
}
