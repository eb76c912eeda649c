//go:build long

package interrogate

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"anagrafe/protocol"
)

// TestLongMediaMTX reads MediaMTX, as make recorders builds it, while it records
// one of two paths, as a user who has the API and nothing else.
func TestLongMediaMTX(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	began := time.Now()
	dir, port, rtsp := t.TempDir(), freePort(t), freePort(t)
	user := Credential{User: "anagrafe", Password: "SENTINEL-solo-api"}
	settings := filepath.Join(dir, "mediamtx.yml")
	if err := os.WriteFile(settings, []byte(fmt.Sprintf(mediaMTXSettings, user.User, user.Password, port, rtsp, dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	mtx := run(t, []string{"TZ=Europe/Rome"}, "../../build/recorders/mediamtx", settings)
	mtx.until(ctx, "it listens", func(ctx context.Context) bool {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", "127.0.0.1:"+rtsp)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	feed(t, "-f", "rtsp", "-rtsp_transport", "tcp", "rtsp://127.0.0.1:"+rtsp+"/ingresso")
	mtx.until(ctx, "a path is recorded", func(context.Context) bool {
		files, err := filepath.Glob(filepath.Join(dir, "ingresso", "*.mp4"))
		return err == nil && len(files) > 0
	})
	w := watch(t, port)

	t.Run("refused", func(t *testing.T) {
		m := &memory{given: Credential{User: user.User, Password: "SENTINEL-wrong"}}
		for look := range 2 {
			d, asked := w.ask(t, m)
			reads(t, asked, "/v3/", "")
			if d.Needs != NeedsWrongPassword || d.Family != MediaMTX || len(d.Channels) != 0 {
				t.Errorf("look %d: needs %s, family %q, %d channels", look+1, d.Needs, d.Family, len(d.Channels))
			}
		}
		if w.signed != 1 {
			t.Errorf("the wrong password went out %d times", w.signed)
		}
	})

	d, asked := w.ask(t, &memory{given: user})
	reads(t, asked, "/v3/", "")
	if d.Family != MediaMTX || d.Kind != KindRecorder || d.Kept != KeptDisk || d.Firmware != mediaMTXVersion || d.Needs != NeedsNothing || len(whats(ownProblems(d))) != 0 {
		t.Errorf("read %+v", d)
	}
	checkClock(t, d, 0)
	checkLive(t, d, began, map[string]liveChannel{
		"ingresso": {"ingresso", always(protocol.Continuous), 3 * 24 * time.Hour, 0},
		"cortile":  {"cortile", off(), 0, 0},
	})
}

// mediaMTXVersion is what make recorders builds.
const mediaMTXVersion = "v1.15.3"

// mediaMTXSettings wants user, password, ports of the API and of RTSP, and a folder.
const mediaMTXSettings = `
authInternalUsers:
- {user: %s, pass: %q, permissions: [{action: api}]}
- {user: any, ips: [127.0.0.1], permissions: [{action: publish}]}
api: yes
apiAddress: 127.0.0.1:%s
rtspAddress: 127.0.0.1:%s
rtspTransports: [tcp]
rtmp: no
hls: no
webrtc: no
srt: no
pathDefaults:
  recordPath: %s/%%path/%%Y-%%m-%%d_%%H-%%M-%%S-%%f
  recordDeleteAfter: 72h
  recordPartDuration: 1s
paths:
  ingresso: {record: yes}
  cortile: {record: no}
  "~^ospite": {record: yes}
`
