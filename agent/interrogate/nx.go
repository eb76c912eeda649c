package interrogate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

var nxFamily = family{
	name: Nx, driver: nx{},
	words:  []string{"nx witness", "network optix", "dw spectrum", "dwspectrum", "wisenet wave"},
	doors:  []door{{"https", nxPort}},
	sure:   "the vendor's published sources; notes by others of DW Spectrum 6.1.1",
	lacks:  []string{"holidays"},
	unseen: []string{"zone"},
}

// nxPort is where a media server is unless its owner moved it. HTTP, HTTPS and
// RTSP share it.
const nxPort = 7001

// nx reads a media server of Network Optix: Nx Witness, and under other brands DW
// Spectrum and Wisenet WAVE. GET /api/moduleInformation says without a password
// what it is; a session by POST /rest/v3/login/sessions (a token, deleted after
// use: it would live 100 days) opens the rest, which is JSON. Every user may read
// the devices that he sees and the server's time; footage wants the right to view
// the archive. Suggested: a user of the group "Viewers" (or "Advanced Viewers"),
// with the cameras that are to be declared. Storages want more in some versions:
// refused, the place of the images stays unknown.
//
// A site may have several servers, and each lists the cameras of all. Only those
// of the server that was asked are told, or the same camera would be declared by
// each.
//
// Shapes: the vendor's published sources (networkoptix/nx_open: DeviceModelV3,
// ModuleInformation, ServerRuntimeInformation, StorageModel) and notes by others
// of a DW Spectrum 6.1.1 (DVRtool, docs/nx-witness-storage.md). Never seen on a
// real device by us: all of it, above all versions 5.0 and 5.1 (/rest/v1,
// /rest/v2), runtimeInfo, _with, keepSmallChunks and the brand of Wisenet WAVE.
type nx struct{}

// nxModule is what it says of itself to anybody.
type nxModule struct {
	Type          string `json:"type"` // "Media Server"
	Brand         string `json:"brand"`
	Customization string `json:"customization"`
	Version       string `json:"version"` // "6.1.1.42624"
	ID            string `json:"id"`      // of this server, in braces
	Name          string `json:"name"`
	SystemName    string `json:"systemName"` // of the site
	Time          anyInt `json:"synchronizedTimeMs"`
}

// nxBrands are the names under which it is sold, by brand and by customization.
var nxBrands = map[string]string{
	"hdwitness": "Nx Witness", "default": "Nx Witness", "metavms": "Nx Meta",
	"dwspectrum": "DW Spectrum", "digitalwatchdog": "DW Spectrum", "hanwha": "Wisenet WAVE",
}

var nxModulePath = call{path: "/api/moduleInformation"}

// readModule reads the answer; ok: it is a media server's.
func (nx) readModule(a answer) (nxModule, bool) {
	v, err := jsonOf[struct {
		Reply nxModule `json:"reply"`
	}](a)
	return v.Reply, err == nil && a.status == http.StatusOK && v.Reply.Type == "Media Server" && v.Reply.ID != ""
}

// recognise also finds out whether TLS is spoken, which passwords want: on its
// port a server speaks both.
func (d nx) recognise(ctx context.Context, w *web) likeness {
	a, err := w.meet(ctx, nxModulePath)
	if err != nil {
		return stranger
	}
	if _, ok := d.readModule(a); !ok {
		return stranger
	}
	if !w.private() {
		w.base.Scheme = "https"
	}
	return known
}

// read goes from what anybody may know to what the session opens. Of the devices
// nothing is told without their list; all that comes after may be refused.
func (d nx) read(ctx context.Context, w *web) (deviceReport, error) {
	t := deviceReport{recorder: true, model: "Media Server"}
	a, err := w.try(ctx, nxModulePath)
	if err != nil {
		return t, err
	}
	m, ok := d.readModule(a)
	if !ok {
		return t, errors.New("it does not say that it is a media server")
	}
	t.vendor = cmp.Or(nxBrands[m.Brand], nxBrands[m.Customization], m.Brand)
	t.firmware, t.serial, t.name = m.Version, nxGUID(m.ID), cmp.Or(m.Name, m.SystemName)
	t.clock = nxClock(a, m.Time)
	api, err := nxInterface(m.Version)
	if err != nil {
		return t, err
	}
	if err := d.login(ctx, w, api); err != nil {
		return t, err
	}
	d.runtime(ctx, w, api, &t)
	if err := d.devices(ctx, w, api, nxGUID(m.ID), &t); err != nil {
		return t, err
	}
	d.storages(ctx, w, api, nxGUID(m.ID), &t)
	d.footage(ctx, w, api, &t)
	return t, nil
}

// nxInterface is the root of the interface that a version has.
func nxInterface(version string) (string, error) {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	switch n, err := strconv.Atoi(major); {
	case err != nil, n >= 6:
		return "/rest/v3", nil
	case n == 5 && minor != "0":
		return "/rest/v2", nil
	case n == 5:
		return "/rest/v1", nil
	}
	return "", errors.New("its version is older than 5.0 and cannot be read: update it")
}

// nxClock is the time by which the site stamps its footage, in UTC.
func nxClock(a answer, ms anyInt) *ownClock {
	at := time.UnixMilli(ms.value).UTC()
	if !ms.known || at.Before(earliest) {
		return nil
	}
	return &ownClock{at: at, resolution: time.Millisecond, timing: a.when, method: "nx synchronizedTimeMs", from: a.from}
}

// login opens a session and has it closed.
func (nx) login(ctx context.Context, w *web, api string) error {
	return w.login(ctx, func(c Credential) (bool, error) {
		body, err := json.Marshal(map[string]any{"username": c.User, "password": c.Password, "setCookie": false})
		if err != nil {
			return false, errors.New("the login cannot be written")
		}
		a, err := w.try(ctx, call{method: http.MethodPost, path: api + "/login/sessions", body: string(body), kind: "application/json"})
		switch {
		case err != nil:
			return false, err
		case a.status == http.StatusUnauthorized:
			return false, nil
		case a.status < 200 || a.status > 299:
			return false, errors.New("its login answered " + strconv.Itoa(a.status) + " " + http.StatusText(a.status))
		}
		v, err := jsonOf[struct {
			Token string `json:"token"`
		}](a)
		if err != nil || v.Token == "" || len(v.Token) > 1024 || strings.ContainsFunc(v.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return false, errors.New("its login gave no token")
		}
		w.hide(v.Token)
		w.header.Set("Authorization", "Bearer "+v.Token)
		w.closing(func(ctx context.Context) { nxLogout(ctx, w, api, v.Token) })
		return true, nil
	})
}

// nxLogout deletes the session that the requests carry; where that name is not
// known (it is documented for 6.0 and later) the token must stand in the path.
func nxLogout(ctx context.Context, w *web, api, token string) {
	sessions := api + "/login/sessions/"
	a, err := w.try(ctx, call{method: http.MethodDelete, path: sessions + "current"})
	if err == nil && (a.status < 200 || a.status > 299) {
		_, _ = w.try(ctx, call{method: http.MethodDelete, path: sessions + url.PathEscape(token)})
	}
}

// runtime reads the server's zone, by which its weeks go: their hours are those of
// the server's own clock.
func (nx) runtime(ctx context.Context, w *web, api string, t *deviceReport) {
	a, err := w.get(ctx, api+"/servers/this/runtimeInfo", "_with=timeZoneId,timeZoneOffsetMs,synchronizedTimeMs")
	if err != nil {
		if statusOf(err) != http.StatusNotFound {
			t.problem("runtimeInfo", err)
		}
	} else if v, err := jsonOf[struct {
		Zone   string `json:"timeZoneId"` // IANA
		Offset anyInt `json:"timeZoneOffsetMs"`
		Time   anyInt `json:"synchronizedTimeMs"`
	}](a); err != nil {
		t.problem("runtimeInfo", err)
	} else {
		if t.clock == nil {
			t.clock = nxClock(a, v.Time)
		}
		if t.clock != nil {
			t.clock.zone, t.clock.zoneRaw = nxZone(v.Zone, v.Offset)
		}
	}
	if t.clock == nil && err == nil {
		t.clock = dateHeader(a)
	}
}

// nxZone names a server's zone: by its name, or by the offset in force where that
// is no name that is known here.
func nxZone(name string, offset anyInt) (zone, raw string) {
	if _, ok := loadZone(name); ok && (name == "UTC" || strings.Contains(name, "/")) {
		return name, name
	}
	if !offset.known || name == "" && offset.value == 0 { // as if nothing had been told
		return "", name
	}
	return fixedZone(int(min(offset.value/1000, 1<<20))), strings.TrimSpace(name + " " + strconv.FormatInt(offset.value, 10) + " ms")
}
