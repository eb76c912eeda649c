package interrogate

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"anagrafe/agent/discover/cameratest"
)

// scene is a picture of so many pixels.
func scene(width, height int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetRGBA(x, y, color.RGBA{uint8(x), uint8(y), uint8(x + y), 255})
		}
	}
	return m
}

func jpegOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 40}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// withEXIF puts a segment of metadata behind the first marker of a JPEG.
func withEXIF(raw []byte, text string) []byte {
	said := append([]byte("Exif\x00\x00"), text...)
	segment := append([]byte{0xFF, 0xE1}, binary.BigEndian.AppendUint16(nil, uint16(len(said)+2))...)
	return slices.Concat(raw[:2], segment, said, raw[2:])
}

// TestPictures: every family that has a still gives it for a channel of its own, and
// what the device put in beside the picture is gone.
func TestPictures(t *testing.T) {
	const secret = "SENTINEL-place-in-the-picture"
	raw := withEXIF(jpegOf(t, scene(1600, 900)), secret)
	conversations, err := cameratest.LoadDirs(recordersDir)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[Family]bool{}
	for _, c := range conversations {
		d := start(t, c, cameratest.Options{Picture: raw})
		a := asker(t, owner(d))
		look := a.Ask(t.Context(), named(d))
		if look.Family == "" {
			continue // of another test
		}
		for _, channel := range []string{look.Channels[0].ID, ""} {
			before, _ := d.Sessions()
			got, err := a.Picture(t.Context(), named(d), look.Family, channel)
			switch {
			case look.Family == MediaMTX:
				if !errors.Is(err, ErrNoPicture) {
					t.Errorf("%s: %v", c.Name, err)
				}
			case channel == "" && (look.Family == Frigate || look.Family == Nx): // which name no first one
				if err == nil {
					t.Errorf("%s gives a picture of it does not say which camera", c.Name)
				}
			case err != nil:
				t.Errorf("%s, channel %q: %v", c.Name, channel, err)
			default:
				seen[look.Family] = true
				config, kind, err := image.DecodeConfig(bytes.NewReader(got))
				if err != nil || kind != "jpeg" || config.Width != pictureWidth || config.Height != 720 || bytes.Contains(got, []byte(secret)) {
					t.Errorf("%s: %s of %d x %d: %v", c.Name, kind, config.Width, config.Height, err)
				}
			}
			if opened, open := d.Sessions(); opened-before > 1 || open != 0 || d.WrongAttempts() != 0 {
				t.Errorf("%s: %d sessions, %d left open, %d wrong passwords", c.Name, opened-before, open, d.WrongAttempts())
			}
		}
	}
	for _, f := range families {
		if _, ok := f.driver.(viewer); ok != seen[f.name] {
			t.Errorf("%s: gives pictures %v, gave one %v", f.name, ok, seen[f.name])
		}
	}
}

// TestPicturesOverONVIF: recorded cameras, each by the address that they really
// named, of which only the path counts.
func TestPicturesOverONVIF(t *testing.T) {
	raw := jpegOf(t, scene(640, 360))
	for _, c := range []struct {
		name string
		o    cameratest.Options
	}{
		{"hikvision", cameratest.Options{}},
		{"pelco", cameratest.Options{Auth: cameratest.AuthDigest}},
		{"trendnet", cameratest.Options{Auth: cameratest.AuthToken, TokenSkew: 5e9, ClockOffset: 58 * 60e9}},
		{"axis", cameratest.Options{Auth: cameratest.AuthBoth}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.Picture, c.o.User, c.o.Password = raw, "u", "p"
			d := start(t, loadRecorded(t, filepath.Join(sharedOnvif(t), "hawkeye64", c.name)), c.o)
			a := asker(t, &memory{given: Credential{User: "u", Password: "p"}})
			look := a.Ask(t.Context(), sighted(d))
			if len(look.Channels) == 0 {
				t.Fatalf("no channel: %v", look.Errors)
			}
			got, err := a.Picture(t.Context(), sighted(d), "", look.Channels[0].ID)
			if err != nil || !isPicture(got) || d.WrongAttempts() != 0 {
				t.Errorf("%d bytes, %d wrong passwords: %v", len(got), d.WrongAttempts(), err)
			}
			if _, err := a.Picture(t.Context(), sighted(d), "", "no such source"); len(d.Requests()) == 0 || (err == nil) != (len(look.Channels) == 1) {
				t.Errorf("a channel that it has not: %v", err)
			}
		})
	}
}

// TestPicturesKeepTheRules: what a device says instead of a picture gets it no
// second password, no other host and no more than its bounds.
func TestPicturesKeepTheRules(t *testing.T) {
	var elsewhere atomic.Int32
	other := serveWeb(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	small := jpegOf(t, scene(64, 36))
	for name, c := range map[string]struct {
		body     []byte
		status   int
		location string
		want     string // of the error; "": a picture
	}{
		"a picture":            {body: small},
		"a PNG":                {body: pngOf(t, scene(64, 36))},
		"a page in words":      {body: []byte("<html>camera</html>"), want: errNoImage.Error()},
		"a broken picture":     {body: small[:200], want: errNoImage.Error()},
		"nothing":              {want: errNoImage.Error()},
		"longer than 1 MiB":    {body: append(slices.Clone(small), make([]byte, maxAnswer)...), want: errTooLong.Error()},
		"a bomb":               {body: pngSaying(20000, 20000), want: "larger than can be shown"},
		"a long thin one":      {body: pngSaying(pictureSide+1, 1), want: "larger than can be shown"},
		"leads to another":     {status: http.StatusFound, location: other.URL, want: errRedirect.Error()},
		"leads to TLS":         {status: http.StatusFound, location: "https://" + other.Listener.Addr().String() + "/x", want: "(TLS)"},
		"the user may not see": {status: http.StatusForbidden, want: ErrMayNotSee.Error()},
		"it is not there":      {status: http.StatusNotFound, want: "404"},
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t, loadRecorder(t, "merceria-hikvision"), cameratest.Options{})
			var log bytes.Buffer
			s := fronted(t, d, func(r *http.Request) http.HandlerFunc {
				if !strings.HasSuffix(r.URL.Path, "/picture") || r.Header.Get("Authorization") == "" {
					return nil
				}
				return func(w http.ResponseWriter, _ *http.Request) {
					if c.location != "" {
						w.Header().Set("Location", c.location)
					}
					w.WriteHeader(max(c.status, http.StatusOK))
					_, _ = w.Write(c.body)
				}
			})
			got, err := askerWith(t, owner(d), &log).Picture(t.Context(), s, Hikvision, "1")
			if c.want == "" && (err != nil || !isPicture(got)) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%d bytes, %v; want %q", len(got), err, c.want)
			}
			if d.WrongAttempts() != 0 || elsewhere.Load() != 0 {
				t.Errorf("%d wrong passwords, %d requests to another host", d.WrongAttempts(), elsewhere.Load())
			}
			if text := log.String(); strings.Contains(text, "JFIF") || strings.Contains(text, "PNG") {
				t.Errorf("the log has the picture: %s", text)
			}
		})
	}
}

// A wrong password is refused once, and no picture is asked for with it again.
func TestAWrongPasswordGetsNoSecondPicture(t *testing.T) {
	for _, name := range []string{"merceria-hikvision", "galleriaisola-reolink", "officina-frigate"} {
		d := start(t, loadRecorder(t, name), cameratest.Options{Picture: jpegOf(t, scene(64, 36))})
		m := &memory{given: Credential{User: "anagrafe", Password: "SENTINEL-wrong"}}
		a := asker(t, m)
		family := a.Ask(t.Context(), named(d)).Family
		for range 3 {
			if _, err := a.Picture(t.Context(), named(d), family, "1"); err == nil || strings.Contains(err.Error(), "SENTINEL") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if d.WrongAttempts() != 1 {
			t.Errorf("%s: %d wrong passwords", name, d.WrongAttempts())
		}
	}
}

// Readable the password is not sent, whatever the picture's place asks for.
func TestNoPictureForAReadablePassword(t *testing.T) {
	var basics atomic.Int32
	s := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			basics.Add(1)
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="camera"`)
		w.WriteHeader(http.StatusUnauthorized)
	})
	w := webTo(t, s, &memory{given: Credential{User: "u", Password: "p"}})
	w.auth.readable = func() bool { return false } // as in a network, where others read along
	if _, err := (hikvision{}).picture(t.Context(), w, "1"); err == nil || basics.Load() != 0 {
		t.Errorf("%v; sent %d times", err, basics.Load())
	}
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// pngSaying is the head of a PNG that says how large it is.
func pngSaying(width, height uint32) []byte {
	head := append([]byte("IHDR"), binary.BigEndian.AppendUint32(nil, width)...)
	head = append(binary.BigEndian.AppendUint32(head, height), 8, 2, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n"), binary.BigEndian.AppendUint32(nil, 13)...)
	out = append(out, head...)
	return append(out, binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(head))...)
}

// FuzzRedraw: whatever a device sends, what is handed out is a JPEG within the
// bounds, or nothing.
func FuzzRedraw(f *testing.F) {
	small := jpegOf(f, scene(64, 36))
	f.Add(small)
	f.Add(withEXIF(small, "GPS"))
	f.Add(pngOf(f, scene(9, 7)))
	f.Add(pngSaying(20000, 20000))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := redraw(raw)
		if err != nil {
			return
		}
		config, kind, err := image.DecodeConfig(bytes.NewReader(got))
		if err != nil || kind != "jpeg" || config.Width > pictureWidth || config.Width*config.Height > picturePixels {
			t.Errorf("%s of %d x %d: %v", kind, config.Width, config.Height, err)
		}
	})
}
