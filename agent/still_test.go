package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"anagrafe/agent/discover"
	"anagrafe/agent/discover/cameratest"
	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/agent/review"
)

// startRecorder starts one of the hand-written recorders.
func startRecorder(t *testing.T, folder string, o cameratest.Options) *cameratest.Device {
	t.Helper()
	c, err := cameratest.LoadDir(filepath.Join("..", "testdata", "cameras", "recorders", folder))
	if err != nil {
		t.Fatal(err)
	}
	d, err := cameratest.Start(c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// foundAt has a site find a device, and gives it as the inventory knows it.
func foundAt(t *testing.T, s *agent, d *cameratest.Device) inventory.Device {
	t.Helper()
	if err := s.lookAt(t.Context(), []discover.Sighting{{Address: d.Address(), Methods: []discover.Method{discover.MethodTarget}}}); err != nil {
		t.Fatal(err)
	}
	all := known(t, s.inv).Devices
	if len(all) != 1 {
		t.Fatalf("%d devices", len(all))
	}
	return all[0]
}

// A typed password costs the recorder one request if it is wrong, and takes the place
// of one that works only if it works too.
func TestTry(t *testing.T) {
	for _, folder := range []string{"merceria-hikvision", "galleriaisola-reolink", "panetteria-uniview"} {
		t.Run(folder, func(t *testing.T) {
			d := startRecorder(t, folder, cameratest.Options{})
			s := siteFor(t, defaults())
			found := foundAt(t, s, d)
			user, password, _ := d.Credential()
			try := func(password string, want interrogate.Needs, attempts int) {
				t.Helper()
				needs, err := s.try(t.Context(), found.ID, interrogate.Credential{User: user, Password: password})
				if err != nil || needs != want || d.WrongAttempts() != attempts {
					t.Errorf("with %q it needs %q after %d wrong passwords, want %q after %d: %v", password, needs, d.WrongAttempts(), want, attempts, err)
				}
			}
			try("SENTINEL-wrong", interrogate.NeedsWrongPassword, 1)
			try(password, interrogate.NeedsNothing, 1)
			cameras := known(t, s.inv).Cameras
			if len(cameras) == 0 {
				t.Errorf("%d cameras after the right password", len(cameras))
			}
			try("SENTINEL-other", interrogate.NeedsWrongPassword, 2)
			try("SENTINEL-other", interrogate.NeedsWrongPassword, 2) // it is known to be wrong
			if got := foundAt(t, s, d); got.Needs != interrogate.NeedsNothing || d.WrongAttempts() != 2 {
				t.Errorf("the password that worked is gone: it needs %q", got.Needs)
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := s.try(t.Context(), found.ID, interrogate.Credential{User: user, Password: password}); !errors.Is(err, review.ErrSilent) {
				t.Errorf("switched off: %v", err)
			}
		})
	}
}

// logged is a log that goroutines write.
type logged struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

// A picture is on the page that asked for it and nowhere else: in no file, in no
// message, not in the log.
// It is long because it is one way, step by step.
func TestNoPictureStays(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 640, 360))
	for i := range m.Pix {
		m.Pix[i] = uint8(i * i >> 7)
	}
	m.Set(0, 0, color.White)
	var raw bytes.Buffer
	if err := jpeg.Encode(&raw, m, nil); err != nil {
		t.Fatal(err)
	}
	d := startRecorder(t, "merceria-hikvision", cameratest.Options{Picture: raw.Bytes()})
	server := httptest.NewUnstartedServer(nil)
	config := defaults()
	config.Listen = server.Listener.Addr().String()
	var log logged
	dir := filepath.Join(t.TempDir(), "agent")
	s, err := openAgent(t.Context(), dir, config, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	server.Config.Handler = s.review.Pages()
	server.Start()
	t.Cleanup(server.Close)
	found := foundAt(t, s, d)

	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	ask := func(address string, form url.Values) string {
		t.Helper()
		var resp *http.Response
		var err error
		if form == nil {
			resp, err = browser.Get(address)
		} else {
			resp, err = browser.PostForm(address, form)
		}
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var text bytes.Buffer
		if _, err := text.ReadFrom(resp.Body); err != nil {
			t.Fatal(err)
		}
		if cache := resp.Header.Get("Cache-Control"); strings.Contains(text.String(), "data:image/jpeg") && cache != "no-store" {
			t.Errorf("a page with a picture may be kept: Cache-Control %q", cache)
		}
		return text.String()
	}
	link := s.review.NewLink()
	_, token, _ := strings.Cut(link, "token=")
	ask("http://"+config.Listen+"/open", url.Values{"token": {token}})
	user, password, _ := d.Credential()
	page := "http://" + config.Listen + "/credentials"
	shown := ask(page, url.Values{"device": {found.ID}, "user": {user}, "password": {password}})
	wait(t, "the picture", func() bool {
		shown = ask(page+"?device="+found.ID+"&show="+found.ID, nil)
		return strings.Contains(shown, "data:image/jpeg;base64,")
	})
	_, rest, _ := strings.Cut(shown, "data:image/jpeg;base64,")
	text, _, _ := strings.Cut(rest, `"`)
	text = strings.NewReplacer("&#43;", "+").Replace(text)
	picture, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(picture) < 1000 {
		t.Fatalf("the picture on the page: %d bytes, %v", len(picture), err)
	}
	declareAny(t, s.inv, "")
	sent, err := s.inv.Outbox(t.Context())
	if err != nil || len(sent) == 0 {
		t.Fatalf("%d messages: %v", len(sent), err)
	}
	// From the middle, where the pixels are.
	var marks [][]byte
	for _, b := range [][]byte{raw.Bytes(), picture} {
		middle := b[len(b)/2 : len(b)/2+48]
		marks = append(marks, middle, []byte(base64.StdEncoding.EncodeToString(middle)[:56]))
	}
	marks = append(marks, []byte(text[len(text)/2:len(text)/2+64]))
	holds := func(where string, b []byte) {
		t.Helper()
		for _, mark := range marks {
			if bytes.Contains(b, mark) {
				t.Errorf("%s holds a picture", where)
			}
		}
	}
	for _, m := range sent {
		holds("a message", m.Raw)
	}
	files := 0
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		holds(path, b)
		files++
		return err
	})
	if err != nil || files < 3 {
		t.Errorf("%d files: %v", files, err)
	}
	log.mu.Lock()
	defer log.mu.Unlock()
	holds("the log", log.all.Bytes())
	for line := range bytes.Lines(log.all.Bytes()) {
		if len(line) > 1000 { // as a log writes bytes, none of them might be found
			t.Errorf("a line of the log is as long as a picture: %.200q", line)
		}
	}
	if log.all.Len() == 0 || bytes.Contains(log.all.Bytes(), []byte(password)) || bytes.Contains(log.all.Bytes(), []byte(token)) {
		t.Error("the log is empty, or holds the password or the link")
	}
}
