package interrogate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

var reolinkFamily = family{
	name:   Reolink,
	driver: reolink{},
	maker:  "Reolink",
	words:  []string{"reolink", "ipc-bo"},
	doors:  []door{secure443, plain80},
	lacks:  []string{"holidays"},
	sure:   "the maker's guide and its clients; never seen on a device. A week whose days differ stays unknown",
	unseen: []string{"names", "schedule", "holidays", "configured", "observed", "clock", "zone", "place"},
}

// reolink reads Reolink cameras, recorders and hubs by their HTTP API: the maker's
// "Camera HTTP API User Guide" (version 7), and what clients of it show. Each
// question is an array of one command, posted.
//
// It logs in for a token, which can only stand in the address, and always out: a
// device has few sessions. Where no disk is in use the schedule is unknown, since
// nothing then records by it on this device.
//
// Nothing of it was ever seen on a device by us: not the refusals, not the day with
// which a week begins (see reolinkWeek), not days with footage.
//
// Least privilege: a user who is no administrator. What such a user may read was
// not seen either; what is refused stays unknown.
type reolink struct{}

const reolinkPath = "/cgi-bin/api.cgi"

// reolinkReply is an answer to one command.
type reolinkReply struct {
	Cmd   anyText
	Code  anyInt
	Value json.RawMessage
	Error *struct {
		Code   anyInt `json:"rspCode"`
		Detail anyText
	}
}

// Codes of errors, by the guide.
const (
	reolinkNoLogin     = -6
	reolinkLoginFailed = -7
	reolinkMaxSession  = -5
	reolinkNotOffered  = -9
)

// reolinkReplyOf reads an answer, of exactly one command.
func reolinkReplyOf(a answer) (reolinkReply, error) {
	all, err := jsonOf[[]reolinkReply](a)
	switch {
	case err != nil:
		return reolinkReply{}, err
	case len(all) != 1 || !all[0].Code.known:
		return reolinkReply{}, errors.New("its answer is not that to one command")
	}
	return all[0], nil
}

// refusal is the error that an answer names; nil for success.
func (r reolinkReply) refusal() error {
	if r.Code.is(0) {
		return nil
	}
	if r.Error == nil {
		return fmt.Errorf("it answered with the code %s", r.Code)
	}
	switch r.Error.Code.value {
	case reolinkNotOffered:
		return &unsupportedError{"error -9"}
	case reolinkNoLogin:
		return errors.New("its session ended before all was read")
	case reolinkMaxSession:
		return understoodError("as many users are logged in as it admits: try later")
	}
	return fmt.Errorf("it refused, error %s %s", r.Error.Code, clean(string(r.Error.Detail)))
}

// reolinkCall writes one command.
func reolinkCall(cmd string, param any) call {
	body, err := json.Marshal([]map[string]any{{"cmd": cmd, "action": 0, "param": param}})
	if err != nil {
		body = nil // it cannot be: the parameters are numbers and texts
	}
	return call{method: http.MethodPost, path: reolinkPath, query: "cmd=" + cmd, body: string(body), kind: "application/json"}
}

// reolinkAsk sends one command that reads, and reads the value of its answer.
func reolinkAsk[T any](ctx context.Context, w *web, cmd string, param any) (value T, a answer, err error) {
	c := reolinkCall(cmd, param)
	c.header = http.Header{"Idempotency-Key": nil} // it only reads: it may be sent again on another connection
	if a, err = w.do(ctx, c); err != nil {
		return value, a, err
	}
	r, err := reolinkReplyOf(a)
	if err != nil {
		return value, a, err
	}
	if err := r.refusal(); err != nil {
		return value, a, err
	}
	if json.Unmarshal(r.Value, &value) != nil {
		return value, a, errors.New("its answer cannot be read as JSON")
	}
	return value, a, nil
}

// recognise: nobody else answers this path with the command and a code below zero.
func (reolink) recognise(ctx context.Context, w *web) likeness {
	a, err := w.meet(ctx, call{path: reolinkPath, query: "cmd=GetDevInfo"})
	if err != nil || a.status != http.StatusOK {
		return stranger
	}
	r, err := reolinkReplyOf(a)
	if err != nil || r.Cmd != "GetDevInfo" || r.Error == nil || !r.Error.Code.known || r.Error.Code.value >= 0 {
		return stranger
	}
	return known
}

func (reolink) read(ctx context.Context, w *web) (deviceReport, error) {
	var t deviceReport
	if err := reolinkLogin(ctx, w); err != nil {
		return t, err
	}
	channels, err := reolinkDevice(ctx, w, &t)
	if err != nil {
		return t, err
	}
	wall := time.Time{}
	now, a, err := reolinkAsk[reolinkTime](ctx, w, "GetTime", map[string]any{})
	if t.problem("time", err); err == nil {
		if t.clock = reolinkClock(now, a); t.clock != nil {
			wall = t.clock.at
		}
	}
	full := reolinkDisks(ctx, w, &t)
	for _, s := range head(channels, maxChannels) {
		if ctx.Err() != nil {
			return t, errors.New("its time was over before all was read")
		}
		t.channels = append(t.channels, reolinkChannel(ctx, w, &t, s, full, wall))
	}
	return t, nil
}

// reolinkLogin opens a session.
func reolinkLogin(ctx context.Context, w *web) error {
	return w.login(ctx, func(c Credential) (bool, error) {
		a, err := w.try(ctx, reolinkCall("Login", map[string]any{"User": map[string]string{"userName": c.User, "password": c.Password}}))
		if err != nil {
			return false, err
		}
		if a.status == http.StatusUnauthorized {
			return false, nil
		}
		r, err := reolinkReplyOf(a)
		if err != nil {
			return false, fmt.Errorf("its login answered %d, in no way that is known", a.status)
		}
		if r.Error != nil && r.Error.Code.is(reolinkLoginFailed) {
			return false, nil
		}
		if err := r.refusal(); err != nil {
			return false, err
		}
		var v struct{ Token struct{ Name anyText } }
		if json.Unmarshal(r.Value, &v) != nil || v.Token.Name == "" {
			return false, errors.New("its login gave no token")
		}
		token := string(v.Token.Name)
		w.hide(token)
		w.query.Set("token", token)
		w.closing(func(ctx context.Context) { _, _ = w.try(ctx, reolinkCall("Logout", map[string]any{})) })
		return true, nil
	})
}

// reolinkSource is one channel in GetChannelstatus. typeInfo is the camera's model.
type reolinkSource struct {
	Channel anyInt
	Name    anyText
	Online  anyInt
	Type    anyText `json:"typeInfo"`

	from string
}

// reolinkDevice reads the device itself, and which channels it has. A free place of
// a recorder has neither name nor camera.
func reolinkDevice(ctx context.Context, w *web, t *deviceReport) ([]reolinkSource, error) {
	type info struct {
		DevInfo struct {
			Model, Serial, Name anyText
			Firmware            anyText `json:"firmVer"`
			Kind                anyText `json:"exactType"`
			Channels            anyInt  `json:"channelNum"`
		}
	}
	i, a, err := reolinkAsk[info](ctx, w, "GetDevInfo", map[string]any{})
	t.problem("device information", err)
	d := i.DevInfo
	t.model, t.serial, t.name, t.firmware = string(d.Model), string(d.Serial), string(d.Name), string(d.Firmware)
	kind := strings.ToUpper(string(d.Kind))
	t.recorder = d.Channels.value > 1 || strings.Contains(kind, "NVR") || strings.Contains(kind, "HUB")
	alone := []reolinkSource{{Channel: anyInt{known: true}, Name: d.Name, from: a.from}}
	if d.Channels.is(1) && !t.recorder {
		return alone, nil
	}
	type list struct{ Status []reolinkSource }
	l, a, err := reolinkAsk[list](ctx, w, "GetChannelstatus", map[string]any{})
	if _, absent := errors.AsType[*unsupportedError](err); absent && !t.recorder {
		return alone, nil
	}
	if err != nil {
		return nil, err
	}
	var out []reolinkSource
	for _, s := range l.Status {
		if s.Channel.known && s.Channel.value >= 0 && (s.Name != "" || s.Type != "" || s.Online.is(1)) {
			s.from = a.from
			out = append(out, s)
		}
	}
	t.recorder = t.recorder || len(l.Status) > 1
	return out, nil
}

// reolinkDisks reads where images are, and tells whether some disk or card is in
// use, or that is not known. Sizes are in MB; "size" is what is left.
func reolinkDisks(ctx context.Context, w *web, t *deviceReport) bool {
	type disks struct {
		HddInfo []struct{ Number, Capacity, Size, Mount anyInt }
	}
	d, a, err := reolinkAsk[disks](ctx, w, "GetHddInfo", map[string]any{})
	if err != nil {
		t.problem("disks", err)
		return true
	}
	var said []string
	used := false
	for _, h := range head(d.HddInfo, min(len(d.HddInfo), maxChannels)) {
		said = append(said, strings.Join([]string{wordOf("number", h.Number), wordOf("capacity", h.Capacity), wordOf("size", h.Size), wordOf("mount", h.Mount)}, " "))
		used = used || h.Mount.is(1) && h.Capacity.value > 0
	}
	if used {
		t.kept, t.keptFrom, t.keptRaw = KeptDisk, a.from, rawWords(said...)
	} else {
		t.problem("disks", errNoDisk)
	}
	return used
}

var errNoDisk = errors.New("it has no disk or card in use: whether it records anything is not known")
