package interrogate

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

var frigateFamily = family{
	name: Frigate, driver: frigate{}, maker: "Frigate",
	words:  []string{"frigate"},
	doors:  []door{{"https", 8971}, {"http", 5000}},
	sure:   "the project's sources, 0.16 to 0.18, and a configuration of its tests",
	lacks:  []string{"holidays", "zone"},
	unseen: []string{"observed", "clock", "place"},
}

// frigate reads a Frigate. Port 8971 wants a login (POST /api/login gives a cookie)
// and speaks TLS unless its owner switched that off; port 5000 wants nothing, and is
// meant for the machine itself: where it answers on the network, everybody there
// can see the pictures, and the owner is told so. The role "viewer" reads all that
// is asked here, but of the cameras that it may see.
//
// GET /api/config says how cameras are recorded and how long that is kept (see
// frigatePolicy), /api/{camera}/recordings/summary in which hours there is footage,
// /api/stats the version and where the images are. There is no week. Stamps count
// in UTC and no zone is told; the clock is the Date of its HTTP answers. The size
// of the picture that is recorded is not told, only that in which it looks for
// objects.
//
// The configuration holds the addresses of the cameras with their passwords, and
// more secrets: only the fields below are read of it.
//
// Sources: the project's own (blakeblackshear/frigate: frigate/api/auth.py and
// record.py, frigate/config/camera/record.py, nginx.conf), for 0.16, 0.17 and 0.18,
// and a configuration from its tests. Never seen on a running Frigate by us: all
// of it.
type frigate struct{}

// recognise asks for the page that a browser gets, which nobody must log in for:
// its title, and the line that its web server writes into it. On 8971 with TLS,
// plain HTTP is answered with 400.
func (frigate) recognise(ctx context.Context, w *web) likeness {
	a, err := w.try(ctx, call{path: "/"})
	if err == nil && a.status == http.StatusBadRequest && w.base.Scheme == "http" && w.base.Port() == "8971" {
		w.base.Scheme = "https"
		a, err = w.try(ctx, call{path: "/"})
	}
	if err != nil || a.status != http.StatusOK || !bytes.Contains(a.body, []byte("<title>Frigate</title>")) || !bytes.Contains(a.body, []byte("window.baseUrl")) {
		return stranger
	}
	return known
}

// frigateConfig is what is read of the configuration.
type frigateConfig struct {
	Cameras map[string]json.RawMessage `json:"cameras"`
}

type frigateCamera struct {
	Name    string         `json:"friendly_name"`
	Enabled *bool          `json:"enabled"`
	Record  *frigateRecord `json:"record"`
	UI      struct {
		Order int `json:"order"`
	} `json:"ui"`
	ONVIF struct {
		Host string `json:"host"`
	} `json:"onvif"`
}

func (d frigate) read(ctx context.Context, w *web) (deviceReport, error) {
	t := deviceReport{recorder: true, model: "Frigate"}
	a, err := w.try(ctx, call{path: "/api/config"})
	if err != nil {
		return t, err
	}
	switch a.status {
	case http.StatusOK:
		t.problem("password", errors.New("everybody on this network can see the pictures of this recorder without a password: do not publish its port 5000, use 8971 and switch its login on"))
	case http.StatusUnauthorized, http.StatusForbidden:
		if err := d.login(ctx, w); err != nil {
			return t, err
		}
		if a, err = w.get(ctx, "/api/config", ""); err != nil {
			return t, err
		}
	default:
		return t, w.failure(ctx, a, false)
	}
	t.clock = dateHeader(a)
	config, err := jsonOf[frigateConfig](a)
	if err != nil {
		return t, err
	}
	config.channels(a.from, &t)
	d.stats(ctx, w, &t)
	d.footage(ctx, w, &t)
	return t, nil
}

// login gets the cookie. A logout only tells a browser to forget it: the server
// keeps no list of sessions, and the cookie ends by itself, after a day.
func (frigate) login(ctx context.Context, w *web) error {
	return w.login(ctx, func(c Credential) (bool, error) {
		body, err := json.Marshal(map[string]string{"user": c.User, "password": c.Password})
		if err != nil {
			return false, errors.New("the login cannot be written")
		}
		a, err := w.try(ctx, call{method: http.MethodPost, path: "/api/login", body: string(body), kind: "application/json"})
		switch {
		case err != nil:
			return false, err
		case a.status == http.StatusUnauthorized:
			return false, nil
		case a.status != http.StatusOK:
			return false, fmt.Errorf("its login answered %d %s", a.status, http.StatusText(a.status))
		}
		cookies := (&http.Response{Header: a.header}).Cookies() // its name is a setting
		if len(cookies) == 0 || cookies[0].Value == "" {
			return false, errors.New("its login gave no cookie")
		}
		w.hide(cookies[0].Value)
		w.header.Set("Cookie", cookies[0].Name+"="+cookies[0].Value)
		w.closing(func(ctx context.Context) { _, _ = w.try(ctx, call{path: "/api/logout"}) })
		return true, nil
	})
}

// channels reads the cameras, in the order in which they are shown.
func (c frigateConfig) channels(from string, t *deviceReport) {
	all, broken := map[string]frigateCamera{}, 0
	for key, text := range c.Cameras {
		var camera frigateCamera
		if json.Unmarshal(text, &camera) != nil {
			broken++
			continue
		}
		all[key] = camera
	}
	if broken > 0 {
		t.problem("config", fmt.Errorf("%d of its cameras cannot be read", broken))
	}
	keys := slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		return cmp.Or(cmp.Compare(all[a].UI.Order, all[b].UI.Order), cmp.Compare(a, b))
	})
	for _, key := range head(keys, min(len(keys), maxChannels)) {
		t.channels = append(t.channels, all[key].channel(key, from))
	}
}

// channel puts a camera into the vocabulary. It is shown by its key where it has
// no other name.
func (c frigateCamera) channel(key, from string) channelReport {
	out := channelReport{id: key, name: cmp.Or(c.Name, key)}
	out.say("name", from, c.Name, key)
	if at := frigateHost(c.ONVIF.Host); at != "" {
		out.behind = &Identity{Address: at}
	}
	var words []string
	if c.Enabled != nil {
		words = append(words, "enabled "+strconv.FormatBool(*c.Enabled))
	}
	if c.Record != nil {
		out.schedule, out.retention = frigatePolicy(*c.Record)
		words = append(words, c.Record.words()...)
		out.say("retention", from, c.Record.words()...)
	}
	if c.Enabled != nil && !*c.Enabled {
		out.schedule = off()
	}
	out.say("schedule", from, words...)
	return out
}

// frigateHost is the IP address of an ONVIF setting, which may be written as a URL.
func frigateHost(text string) string {
	if u, err := url.Parse(text); err == nil && u.Hostname() != "" {
		text = u.Hostname()
	}
	if at, err := netip.ParseAddr(text); err == nil {
		return at.String()
	}
	return ""
}

// frigateMounts says where a file system is, by what starts its type.
var frigateMounts = []struct {
	start string
	kept  Kept
}{
	{"nfs", KeptShare}, {"cifs", KeptShare}, {"smb", KeptShare}, {"fuse.sshfs", KeptShare},
	{"fuse.rclone", KeptRemote}, {"fuse.s3", KeptRemote},
	{"ext", KeptDisk}, {"xfs", KeptDisk}, {"btrfs", KeptDisk}, {"zfs", KeptDisk}, {"f2fs", KeptDisk}, {"ntfs", KeptDisk}, {"exfat", KeptDisk}, {"overlay", KeptDisk},
}

// stats reads the version and where recordings are.
func (frigate) stats(ctx context.Context, w *web, t *deviceReport) {
	a, err := w.get(ctx, "/api/stats", "")
	if err != nil {
		t.problem("stats", err)
		return
	}
	v, err := jsonOf[struct {
		Service struct {
			Version string `json:"version"`
			Storage map[string]struct {
				Mount string `json:"mount_type"`
			} `json:"storage"`
		} `json:"service"`
	}](a)
	if err != nil {
		t.problem("stats", err)
		return
	}
	t.firmware = v.Service.Version
	mount := v.Service.Storage["/media/frigate/recordings"].Mount
	for _, m := range frigateMounts {
		if strings.HasPrefix(mount, m.start) {
			t.kept, t.keptFrom, t.keptRaw = m.kept, a.from, mount
			return
		}
	}
}

// footage reads of each camera in which hours it has footage.
func (frigate) footage(ctx context.Context, w *web, t *deviceReport) {
	t.footageOf(ctx, w, "recordings", func(id string) call {
		return call{path: "/api/" + url.PathEscape(id) + "/recordings/summary", query: "timezone=utc"}
	}, frigateFootage)
}

// frigateFootage reads the days and hours, UTC, that have footage. It began at any
// time of the first hour; what is claimed is that hour's end, or now if that is
// still to come. The last hour is claimed from its beginning.
func frigateFootage(a answer) (oldest, newest stamp, err error) {
	days, err := jsonOf[[]struct {
		Day   string `json:"day"` // "2026-11-15"
		Hours []struct {
			Hour string `json:"hour"` // "09"
		} `json:"hours"`
	}](a)
	if err != nil {
		return stamp{}, stamp{}, err
	}
	for _, day := range days {
		for _, hour := range day.Hours {
			text := day.Day + " " + hour.Hour
			at, err := time.Parse("2006-01-02 15", text)
			if err != nil {
				continue
			}
			if begun := at.Add(time.Hour); !oldest.known() || begun.Before(oldest.at) {
				oldest = utcStamp(begun, text+"h")
			}
			if at.After(newest.at) {
				newest = utcStamp(at, text+"h")
			}
		}
	}
	if clock := dateHeader(a); clock != nil && oldest.at.After(clock.at) && oldest.at.Sub(clock.at) < time.Hour {
		oldest.at = clock.at
	}
	return oldest, newest, nil
}
