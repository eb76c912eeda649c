package interrogate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

var unifiFamily = family{
	name:   UniFi,
	driver: unifi{},
	maker:  "Ubiquiti",
	words:  []string{"ubiquiti", "unifi"},
	doors:  []door{secure443},
	lacks:  []string{"holidays"},
	sure:   "real bootstrap of a UNVR-Pro published by others; the login by its clients. Hours of the mode schedule stay unknown",
}

// unifi reads UniFi Protect on a console of Ubiquiti, by the private interface that
// its own pages use: the bootstrap of a UNVR-Pro (Protect 1.21, with cameras of 2.x
// and later beside) that the client uiprotect keeps. Where the bootstrap is longer
// than an answer may be, the recorder and its cameras are asked one by one, on paths
// that only clients name.
//
// The bootstrap also carries users, keys and where the owner is. Nothing of it is
// read but the fields of the types below.
//
// It logs in with a local user and always out: one of the cloud, or with a second
// factor, cannot be used. A camera whose mode is "schedule" has unknown hours, since
// no sample shows the form of recordingSchedulesV2, unless it does the same inside
// and outside of them; so has one that records only while its owner is away.
// "adaptive" keeps less until something happens, and counts as motion.
//
// Never seen on a device: wrong passwords and second factors (the codes are those of
// two clients), mode "schedule", retentionDurationLQMs.
//
// Least privilege: a local user of the console, "view only", for Protect alone.
type unifi struct{}

const (
	unifiSystem    = "/api/system"
	unifiLogin     = "/api/auth/login"
	unifiLogout    = "/api/auth/logout"
	unifiBootstrap = "/proxy/protect/api/bootstrap"
	unifiNVR       = "/proxy/protect/api/nvr"
	unifiCameras   = "/proxy/protect/api/cameras"
)

// recognise: a console tells anybody its hardware's short name and state.
func (unifi) recognise(ctx context.Context, w *web) likeness {
	a, err := w.meet(ctx, call{path: unifiSystem})
	if err != nil || a.status != http.StatusOK {
		return stranger
	}
	type system struct {
		Hardware struct{ Shortname anyText }
		State    anyText `json:"deviceState"`
		Cloud    anyInt  `json:"cloudConnected"`
	}
	s, err := jsonOf[system](a)
	name := string(s.Hardware.Shortname)
	if err != nil || name == "" || len(name) > 16 || strings.ToUpper(name) != name || s.State == "" && !s.Cloud.known {
		return stranger
	}
	return known
}

func (unifi) read(ctx context.Context, w *web) (deviceReport, error) {
	t := deviceReport{recorder: true}
	if err := unifiEnter(ctx, w); err != nil {
		return t, err
	}
	u, err := unifiAsk(ctx, w)
	if err != nil {
		return t, err
	}
	if u.NVR == nil {
		t.problem("recorder", errors.New("its answer holds no nvr"))
		u.NVR = &unifiRecorder{}
	}
	u.NVR.tell(&t, u)
	for _, cam := range head(u.Cameras, min(len(u.Cameras), maxChannels)) {
		c, err := cam.channel(*u.NVR, u.from)
		t.problem("schedule of "+cmp.Or(clean(c.name), c.id), err)
		t.channels = append(t.channels, c)
	}
	return t, nil
}

// unifiEnter opens a session, which cookies carry.
func unifiEnter(ctx context.Context, w *web) error {
	return w.login(ctx, func(c Credential) (bool, error) {
		body, err := json.Marshal(map[string]any{"username": c.User, "password": c.Password, "rememberMe": false})
		if err != nil {
			return false, errors.New("its login cannot be written")
		}
		a, err := w.try(ctx, call{method: http.MethodPost, path: unifiLogin, body: string(body), kind: "application/json"})
		if err != nil {
			return false, err
		}
		if a.status != http.StatusOK {
			return false, unifiRefusal(a)
		}
		return true, unifiSession(w, a)
	})
}

// unifiRefusal says why a login was refused; nil for a wrong user or password: 401,
// and 403 with newer consoles.
func unifiRefusal(a answer) error {
	said, _ := jsonOf[struct{ Code anyText }](a)
	switch code := string(said.Code); {
	case a.status == 499 || strings.HasPrefix(code, "MFA"):
		return understoodError("this user has to log in with a second factor, which the agent has not: make a local user for the agent")
	case a.status == http.StatusTooManyRequests || code == "AUTHENTICATION_FAILED_LIMIT_REACHED":
		return understoodError("it takes no more logins for now, after too many: try later")
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden:
		return nil
	}
	return fmt.Errorf("its login answered %d, in no way that is known", a.status)
}

// unifiSession takes the session out of a login's answer: its cookies and the token
// that a logout must repeat.
func unifiSession(w *web, a answer) error {
	var cookies []string
	response := http.Response{Header: a.header}
	for _, c := range head(response.Cookies(), min(len(response.Cookies()), 8)) {
		if c.Value != "" {
			w.hide(c.Value)
			cookies = append(cookies, c.Name+"="+c.Value)
		}
	}
	if len(cookies) == 0 {
		return errors.New("its login gave no session")
	}
	w.header.Set("Cookie", strings.Join(cookies, "; "))
	if csrf := a.header.Get("X-Csrf-Token"); csrf != "" {
		w.header.Set("X-Csrf-Token", csrf)
	}
	w.closing(func(ctx context.Context) { _, _ = w.try(ctx, call{method: http.MethodPost, path: unifiLogout}) })
	return nil
}

// unifiAnswer is what is read of the bootstrap.
type unifiAnswer struct {
	NVR     *unifiRecorder `json:"nvr"`
	Cameras []unifiCamera  `json:"cameras"`

	nvrFrom, from string
	clock         *ownClock
}

// unifiAsk reads the bootstrap, or where it is too long the recorder and the
// cameras by themselves.
func unifiAsk(ctx context.Context, w *web) (u unifiAnswer, err error) {
	a, err := w.get(ctx, unifiBootstrap, "")
	switch {
	case err == nil:
		if u, err = jsonOf[unifiAnswer](a); err == nil && u.Cameras == nil {
			err = errors.New("its bootstrap holds no cameras")
		}
		u.nvrFrom, u.from, u.clock = a.from, a.from, dateHeader(a)
		return u, err
	case statusOf(err) == http.StatusNotFound:
		return u, errors.New("this console answers nothing on Protect: it does not run there")
	case !errors.Is(err, errTooLong):
		return u, err
	}
	a, err = w.get(ctx, unifiNVR, "")
	if err == nil {
		var nvr unifiRecorder
		if nvr, err = jsonOf[unifiRecorder](a); err == nil {
			u.NVR, u.nvrFrom, u.clock = &nvr, a.from, dateHeader(a)
		}
	}
	if err != nil {
		return u, fmt.Errorf("its bootstrap is longer than 1 MiB, and of the recorder alone: %w", err)
	}
	if a, err = w.get(ctx, unifiCameras, ""); err == nil {
		u.Cameras, err = jsonOf[[]unifiCamera](a)
		u.from = a.from
	}
	if err != nil {
		err = fmt.Errorf("its bootstrap is longer than 1 MiB, and of the cameras alone: %w", err)
	}
	return u, err
}

// unifiRecorder is the recorder as a whole.
type unifiRecorder struct {
	Name       anyText `json:"name"`
	MAC        anyText `json:"mac"`
	Type       anyText `json:"type"`
	Version    anyText `json:"version"`
	Zone       anyText `json:"timezone"`
	Retention  anyInt  `json:"recordingRetentionDurationMs"`
	Disabled   anyInt  `json:"isRecordingDisabled"`
	MotionOnly anyInt  `json:"isRecordingMotionOnly"`
	System     struct {
		Storage struct {
			Size      anyInt `json:"size"`
			Used      anyInt `json:"used"`
			Recycling anyInt `json:"isRecycling"`
		} `json:"storage"`
	} `json:"systemInfo"`
}

func (n unifiRecorder) tell(t *deviceReport, u unifiAnswer) {
	t.name, t.model, t.macs = string(n.Name), string(n.Type), []string{colons(n.MAC)}
	if n.Version != "" {
		t.firmware = "Protect " + string(n.Version)
	}
	if t.clock = u.clock; t.clock != nil {
		t.clock.zone, t.clock.zoneRaw = string(n.Zone), string(n.Zone)
	}
	if s := n.System.Storage; s.Size.value > 0 {
		t.kept, t.keptFrom = KeptDisk, u.nvrFrom
		t.keptRaw = rawWords(wordOf("size", s.Size), wordOf("used", s.Used), word("isRecycling", truth(s.Recycling)))
	}
}

// colons writes a hardware address as others do: these come as "7CD8B3000000".
func colons(mac anyText) string {
	if len(mac) != 12 {
		return string(mac)
	}
	var parts []string
	for i := 0; i < 12; i += 2 {
		parts = append(parts, string(mac[i:i+2]))
	}
	return strings.Join(parts, ":")
}
