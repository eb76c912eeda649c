package interrogate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// How each family's own interface gives a still picture. Where the number of a
// channel is not one of the family's, the device's first is asked for only if the
// caller named none.
//
// Where each request carries the password, one that every user may ask goes first:
// that the picture is refused then says that this user may not see it, and nothing
// of the password.

var errWhich = errors.New("its number does not say which picture is its")

// numbered reads a channel's number, first where none was named.
func numbered(channel string, first int) (int, error) {
	if channel == "" {
		return first, nil
	}
	n, err := strconv.Atoi(channel)
	if err != nil || n < 0 || n > 9999 {
		return 0, errWhich
	}
	return n, nil
}

// picture: of the main stream; of the second where that is longer than 1 MiB, and
// of the way through to the camera on recorders that have no picture themselves.
func (hikvision) picture(ctx context.Context, w *web, channel string) ([]byte, error) {
	n, err := numbered(channel, 1)
	if err != nil {
		return nil, err
	}
	if err := w.proves(ctx, call{path: isapiDevice}); err != nil {
		return nil, err
	}
	return w.first(ctx,
		call{path: fmt.Sprintf("%s/%d01/picture", isapiStreams, n)},
		call{path: fmt.Sprintf("%s/%d02/picture", isapiStreams, n)},
		call{path: fmt.Sprintf("/ISAPI/ContentMgmt/StreamingProxy/channels/%d01/picture", n)})
}

func (dahua) picture(ctx context.Context, w *web, channel string) ([]byte, error) {
	w.locks = func(a answer) bool { _, out := lockedOut(a); return out }
	n, err := numbered(channel, 1)
	if err != nil {
		return nil, err
	}
	if err := w.proves(ctx, call{path: dahuaBox, query: "action=getSystemInfo"}); err != nil {
		return nil, err
	}
	return w.first(ctx, call{path: "/cgi-bin/snapshot.cgi", query: fmt.Sprintf("channel=%d", n)})
}

// picture: small where the camera has that size. Every user may see it, and fewer may
// read anything else.
func (axis) picture(ctx context.Context, w *web, channel string) ([]byte, error) {
	n, err := numbered(channel, 1)
	if err != nil {
		return nil, err
	}
	const path = "/axis-cgi/jpg/image.cgi"
	return w.first(ctx,
		call{path: path, query: fmt.Sprintf("camera=%d&resolution=1280x720", n)},
		call{path: path, query: fmt.Sprintf("camera=%d", n)})
}

// picture: a camera is its own channel 0, a recorder's first is 1. Some firmware
// answers all with a status of its own, see lapiStatus.
func (uniview) picture(ctx context.Context, w *web, channel string) ([]byte, error) {
	w.denies = lapiDenies
	var streams []int
	if channel == "" {
		streams = []int{0, 1}
	} else if n, err := numbered(channel, 0); err != nil {
		return nil, err
	} else {
		streams = []int{n}
	}
	if _, _, err := lapi[json.RawMessage](ctx, w, lapiDevice, ""); err != nil && !w.auth.works() {
		return nil, err
	}
	err := errNoImage
	for _, n := range streams {
		var a answer
		a, err = w.get(ctx, fmt.Sprintf("%s/Channels/%d/Media/Video/Streams/0/Snapshot", lapiRoot, n), "")
		if isPicture(a.body) && (err == nil || statusOf(err) == lapiStatus) {
			return a.body, nil
		}
		if err == nil {
			err = errNoImage
		}
		if w.auth.ended() {
			break
		}
	}
	return nil, err
}

// picture: the device counts from 0, its owner from 1.
func (hanwha) picture(ctx context.Context, w *web, channel string) ([]byte, error) {
	n, err := numbered(channel, 1)
	if err != nil || n < 1 {
		return nil, errWhich
	}
	if err := w.proves(ctx, sunapiCall("system", "deviceinfo", "")); err != nil {
		return nil, err
	}
	return w.first(ctx, sunapiCall("video", "snapshot", "&Channel="+strconv.Itoa(n-1)))
}

// picture: of the main stream, else of the second.
func (reolink) picture(ctx context.Context, w *web, channel string) ([]byte, error) {
	n, err := numbered(channel, 0)
	if err != nil {
		return nil, err
	}
	if err := reolinkLogin(ctx, w); err != nil {
		return nil, err
	}
	snap := func(more string) call {
		return call{path: reolinkPath, query: fmt.Sprintf("cmd=Snap&channel=%d&rs=anagrafe%s", n, more)}
	}
	return w.first(ctx, snap(""), snap("&snapType=sub"))
}

// picture: in the balanced quality. Version 9 names the camera "id", those before it
// "cameraId".
func (synology) picture(ctx context.Context, w *web, channel string) ([]byte, error) {
	apis, _, err := synoAsk[synoAPIs](ctx, w, synoList(synoAuth, synoCamera))
	if err != nil {
		return nil, err
	}
	if !apis.has(synoAuth) || !apis.has(synoCamera) {
		return nil, ErrNoPicture
	}
	n, err := numbered(channel, 1)
	if err != nil {
		return nil, err
	}
	if err := synoLogin(ctx, w, apis); err != nil {
		return nil, err
	}
	const newest = 9
	return w.first(ctx, apis.call(synoCamera, "GetSnapshot", newest, fmt.Sprintf("&id=%d&cameraId=%d&profileType=1", n, n)))
}

func (unifi) picture(ctx context.Context, w *web, channel string) ([]byte, error) {
	if err := unifiEnter(ctx, w); err != nil {
		return nil, err
	}
	if channel == "" {
		u, err := unifiAsk(ctx, w)
		if err != nil {
			return nil, err
		}
		if len(u.Cameras) == 0 {
			return nil, ErrNoPicture
		}
		channel = string(u.Cameras[0].ID)
	}
	return w.first(ctx, call{path: unifiCameras + "/" + url.PathEscape(channel) + "/snapshot", query: "force=true&w=1280"})
}

func (d nx) picture(ctx context.Context, w *web, channel string) ([]byte, error) {
	if channel == "" {
		return nil, errWhich // which of the site's cameras are this server's takes a whole look
	}
	api, err := d.enter(ctx, w)
	if err != nil {
		return nil, err
	}
	path := api + "/devices/" + url.PathEscape(channel) + "/image"
	return w.first(ctx, call{path: path, query: "size=1280x-1&format=jpg"}, call{path: path, query: "format=jpg"})
}

func (d frigate) picture(ctx context.Context, w *web, channel string) ([]byte, error) {
	if channel == "" {
		return nil, errWhich
	}
	small := call{path: "/api/" + url.PathEscape(channel) + "/latest.jpg", query: "h=720&height=720"}
	a, err := w.try(ctx, small)
	switch {
	case err != nil:
		return nil, err
	case a.status == http.StatusOK && isPicture(a.body):
		return a.body, nil
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden:
		if err := d.login(ctx, w); err != nil {
			return nil, err
		}
	}
	return w.first(ctx, small)
}

// picture: one frame of the program that shows monitors, where packages put it.
func (z zoneMinder) picture(ctx context.Context, w *web, channel string) ([]byte, error) {
	n, err := numbered(channel, 1)
	if err != nil {
		return nil, err
	}
	if _, err := z.enter(ctx, w); err != nil {
		return nil, err
	}
	query := fmt.Sprintf("mode=single&monitor=%d&maxfps=1", n)
	return w.first(ctx, call{path: "/zm/cgi-bin/nph-zms", query: query}, call{path: "/zm/cgi-bin/zms", query: query})
}

// proves asks what every user may, so that the password is known to be right. The
// error is of a device that did not let it in; any other answer will do.
func (w *web) proves(ctx context.Context, c call) error {
	_, err := w.do(ctx, c)
	if signed, _ := w.auth.begins(); err != nil && (w.auth.ended() || signed && !w.auth.works() || statusOf(err) == 0) {
		return err
	}
	return nil
}
