//go:build long

package interrogate

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

// TestLongZoneMinder reads Debian's ZoneMinder (1.36.33 in bookworm) while it
// records two cameras, as a user who may only look.
func TestLongZoneMinder(t *testing.T) {
	if os.Getuid() != 0 {
		t.Fatal("ZoneMinder is given mounts of its own: this needs root")
	}
	installed(t, "unshare", "setpriv", "ffmpeg", "mariadbd", "mariadb-install-db", "apache2", "zmpkg.pl")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	began := time.Now()
	port, feed1, feed2 := freePort(t), freePort(t), freePort(t)
	viewer := Credential{User: "anagrafe", Password: "SENTINEL-sola lettura&+%"}
	zm := run(t, []string{"PORT=" + port, "FEED1=" + feed1, "FEED2=" + feed2, "VIEWER=" + viewer.User, "PASSWORD=" + viewer.Password},
		"unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "zoneminder_long_test.sh")
	for _, to := range []string{feed1, feed2} {
		feed(t, "-f", "mpegts", "udp://127.0.0.1:"+to+"?pkt_size=1316")
	}
	api := zmViewer{"http://127.0.0.1:" + port + "/zm/api/", viewer}
	zm.until(ctx, "both cameras have recorded", api.bothRecorded)
	t.Logf("ZoneMinder records after %s", time.Since(began).Round(time.Second))
	w := watch(t, port)

	t.Run("refused", func(t *testing.T) {
		m := &memory{given: Credential{User: viewer.User, Password: "SENTINEL-wrong"}}
		for look := range 2 {
			d, asked := w.ask(t, m)
			logins := strings.Count(strings.Join(asked, "\n"), "POST /zm/api/host/login.json")
			if logins != 1-look || d.Needs != NeedsWrongPassword || d.Family != ZoneMinder || len(d.Channels) != 0 {
				t.Errorf("look %d: %d logins, needs %s, family %q, %d channels", look+1, logins, d.Needs, d.Family, len(d.Channels))
			}
		}
	})

	d, all := w.ask(t, &memory{given: viewer})
	asked := reads(t, all, "/zm/", "POST /zm/api/host/login.json")
	for _, q := range asked {
		if strings.Contains(q, "configs") || strings.Contains(q, "users") {
			t.Errorf("it was asked %s", q)
		}
	}
	if asked[len(asked)-1] != "GET /zm/api/host/logout.json" {
		t.Errorf("the last it was asked is %s", asked[len(asked)-1])
	}
	if d.Family != ZoneMinder || d.Kind != KindRecorder || !strings.HasPrefix(d.Firmware, "1.36.") || d.Zone != "Europe/Rome" || d.ZoneAssumed || d.Needs != NeedsNothing || len(whats(ownProblems(d))) != 0 {
		t.Errorf("read %+v", d)
	}
	checkClock(t, d, 0)
	checkLive(t, d, began, map[string]liveChannel{
		"1": {"Ingresso Via Roma", always(protocol.Continuous), 3 * 24 * time.Hour, 320},
		"2": {"Cortile retro", always(protocol.Motion), 12 * time.Hour, 320},
	})
}

// zmViewer asks ZoneMinder on its own: what is so does not come of the driver.
type zmViewer struct {
	base string
	as   Credential
}

// bothRecorded tells whether both monitors have an event of now.
func (v zmViewer) bothRecorded(ctx context.Context) bool {
	var login struct {
		Token string `json:"access_token"`
	}
	body, err := fetch(ctx, v.base+"host/login.json", strings.NewReader(url.Values{"user": {v.as.User}, "pass": {v.as.Password}}.Encode()))
	if err != nil || json.Unmarshal(body, &login) != nil || login.Token == "" {
		return false
	}
	var events struct {
		Events []struct {
			Event struct{ MonitorId, Archived int }
		} `json:"events"`
	}
	body, err = fetch(ctx, v.base+"events.json?token="+login.Token, nil)
	if err != nil || json.Unmarshal(body, &events) != nil {
		return false
	}
	var of []int
	for _, e := range events.Events {
		if e.Event.Archived == 0 {
			of = append(of, e.Event.MonitorId)
		}
	}
	return slices.Contains(of, 1) && slices.Contains(of, 2)
}

// fetch posts a form if there is one, else gets.
func fetch(ctx context.Context, from string, form io.Reader) ([]byte, error) {
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(ctx, method, from, form)
	if err != nil {
		return nil, err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}
