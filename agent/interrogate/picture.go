package interrogate

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	_ "image/png" // some answer in it
	"net/http"
	"slices"

	"golang.org/x/image/draw"

	"anagrafe/agent/discover"
)

// Of a picture. A device is trusted with none of it: what it sends is decoded
// and drawn anew, so that nothing but the picture itself is handed out.
const (
	pictureWidth  = 1280     // px: what is handed out is no wider
	pictureSide   = 8192     // px: nothing with a longer side is decoded
	picturePixels = 13 << 20 // nor with more than this: 4,000 x 3,000 is what cameras have at most
	pictureGrade  = 80       // of JPEG, 1 to 100
)

var (
	// ErrNoPicture: nobody knows how to ask this device for a still picture.
	ErrNoPicture = errors.New("devices of this kind cannot be asked for a still picture")

	// ErrMayNotSee: the user was let in, and may not watch live pictures.
	ErrMayNotSee = errors.New("this user may not see live pictures")

	errNoImage = errors.New("what it sent is no picture that can be shown")
)

// viewer is a driver whose interface gives a still picture.
type viewer interface {
	// picture logs in where it must and gets what a channel (Channel.ID; "": any)
	// shows now, as the device encodes it.
	picture(ctx context.Context, w *web, channel string) ([]byte, error)
}

// Picture gets one still picture of a channel, so that a person may recognise the
// camera: JPEG, at most 1,280 px wide, without the metadata that the device put in.
// It is for the eyes of who typed the device's password: the caller sees
// to that, and keeps it nowhere. name is whose interface named the channel, ""
// ONVIF; channel "" is any of the device.
//
// It is asked within the limits of a look, and with its rules for passwords: the
// host that answered is the only one talked to, and one refusal is the last.
func (a *Asker) Picture(ctx context.Context, s discover.Sighting, name Family, channel string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, a.o.Timeout)
	defer cancel()
	raw, err := a.rawPicture(ctx, s, name, channel)
	switch {
	case errors.Is(err, errForbidden):
		return nil, ErrMayNotSee
	case err != nil:
		return nil, err
	}
	return redraw(raw)
}

func (a *Asker) rawPicture(ctx context.Context, s discover.Sighting, name Family, channel string) ([]byte, error) {
	if name == "" {
		return a.onvifPicture(ctx, s, channel)
	}
	i := slices.IndexFunc(families, func(f family) bool { return f.name == name })
	if i < 0 {
		return nil, ErrNoPicture
	}
	v, ok := families[i].driver.(viewer)
	if !ok {
		return nil, ErrNoPicture
	}
	w, err := a.enter(ctx, s, name)
	if err != nil {
		return nil, err
	}
	defer w.close(ctx)
	defer w.auth.forget(ctx)
	raw, err := v.picture(ctx, w, channel)
	return raw, w.auth.hidden(err)
}

// redraw decodes a picture within the bounds and encodes it anew, no wider than
// pictureWidth: a comment, a place or a thumbnail that the device put in is gone.
func redraw(raw []byte) ([]byte, error) {
	config, kind, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil || kind != "jpeg" && kind != "png" {
		return nil, errNoImage
	}
	if config.Width < 1 || config.Height < 1 || config.Width > pictureSide || config.Height > pictureSide || config.Width*config.Height > picturePixels {
		return nil, errors.New("its picture is larger than can be shown")
	}
	from, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, errNoImage
	}
	width, height := config.Width, config.Height
	if width > pictureWidth {
		width, height = pictureWidth, max(1, height*pictureWidth/width)
	}
	to := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.ApproxBiLinear.Scale(to, to.Bounds(), from, from.Bounds(), draw.Src, nil)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, to, &jpeg.Options{Quality: pictureGrade}); err != nil {
		return nil, errNoImage
	}
	return out.Bytes(), nil
}

// first gets the first of several calls that gives a picture: a device may not have
// the first, or its picture may be longer than an answer may be. Where the password
// does not open it, or the device no longer answers, the others are not asked.
func (w *web) first(ctx context.Context, calls ...call) (raw []byte, err error) {
	for _, c := range calls {
		var a answer
		a, err = w.do(ctx, c)
		if err == nil && isPicture(a.body) {
			return a.body, nil
		}
		if err == nil {
			err = errNoImage
		}
		if status := statusOf(err); errors.Is(err, errNoImage) || errors.Is(err, errTooLong) || status >= 400 && status != http.StatusUnauthorized {
			continue
		}
		return nil, err
	}
	return nil, err
}

// hidden is err without secrets; what a caller branches on stays as it is.
func (a *authenticator) hidden(err error) error {
	if err == nil || errors.Is(err, errForbidden) || errors.Is(err, ErrNoPicture) {
		return err
	}
	return errors.New(a.words(err.Error()))
}

// isPicture tells by its first bytes that an answer is a picture; many devices
// name no kind, or a wrong one.
func isPicture(body []byte) bool {
	kind := http.DetectContentType(body)
	return kind == "image/jpeg" || kind == "image/png"
}
