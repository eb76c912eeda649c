package review

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"anagrafe/agent/interrogate"
)

// sample is a picture as a device sends one.
func sample(t *testing.T) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 320, 180))
	for x := range 320 {
		for y := range 180 {
			m.Set(x, y, color.RGBA{uint8(x), uint8(y), 90, 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A picture is fetched on a click alone, and only for the owner's session that
// typed the password of that very device.
func TestWhoSeesAPicture(t *testing.T) {
	for name, tc := range map[string]struct {
		role    role
		typed   bool
		other   bool // the password of another device was typed
		command bool // on the command line's socket
		query   string
		err     error
		want    string // of the page
		fetched int
	}{
		"not asked for":               {typed: true, want: "Mostrami l'immagine"},
		"on a click":                  {typed: true, query: "?show=ID", want: "data:image/jpeg", fetched: 1},
		"no password typed":           {query: "?show=ID", want: "/credentials?device="},
		"another device's password":   {other: true, query: "?show=ID", want: "/credentials?device="},
		"by a technician who typed":   {role: roleTechnician, typed: true, query: "?show=ID", want: "solo il titolare"},
		"on the command line":         {command: true, query: "?show=ID", want: "solo il titolare"},
		"the device has none":         {typed: true, query: "?show=ID", err: interrogate.ErrNoPicture, want: "non dà immagini singole", fetched: 1},
		"the user may not":            {typed: true, query: "?show=ID", err: interrogate.ErrMayNotSee, want: "non può guardare", fetched: 1},
		"the device does not answer":  {typed: true, query: "?show=ID", err: errors.New("segreto 10.0.0.1"), want: "non è arrivata", fetched: 1},
		"a click on another's button": {typed: true, query: "?show=altra", want: "Mostrami l'immagine"},
	} {
		t.Run(name, func(t *testing.T) {
			o := start(t)
			fetched := 0
			o.Picture = func(context.Context, string, string) ([]byte, error) { fetched++; return sample(t), tc.err }
			if err := o.Scan(t.Context()); err != nil {
				t.Fatal(err)
			}
			cameras := o.known(t).Cameras
			c, s := cameras[0], &session{role: tc.role}
			if tc.typed {
				s.notePassword(c.Device.ID)
			}
			if tc.other {
				s.notePassword("another device")
			}
			if tc.command {
				s = nil
			}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/mine"+strings.ReplaceAll(tc.query, "ID", c.ID), nil)
			if err != nil {
				t.Fatal(err)
			}
			if s != nil {
				r = withSession(r, s)
			}
			out := httptest.NewRecorder()
			o.pages.Fragment(out, r, "camera.html", "picture", o.Review.picture(r, c.Device.ID, c.ID, "Ingresso"))
			if text := strings.ReplaceAll(out.Body.String(), "&#39;", "'"); !strings.Contains(text, tc.want) ||
				strings.Contains(text, "data:image") != (tc.err == nil && tc.fetched == 1) || strings.Contains(text, "segreto") {
				t.Errorf("the page says %s", text)
			}
			if fetched != tc.fetched {
				t.Errorf("%d pictures were fetched, not %d", fetched, tc.fetched)
			}
		})
	}
}
