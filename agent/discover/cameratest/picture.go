package cameratest

import (
	"net/http"
	"regexp"
	"strings"
)

// snapshotPath is where a device of ONVIF alone has its picture.
const snapshotPath = "/onvif/snapshot"

// picturePaths are where the makers' own interfaces have theirs.
var picturePaths = regexp.MustCompile(`^(` + strings.Join([]string{
	`/ISAPI/Streaming/channels/\d+/picture`,
	`/cgi-bin/snapshot\.cgi`,
	`/axis-cgi/jpg/image\.cgi`,
	`/LAPI/V1\.0/Channels/\d+/Media/Video/Streams/0/Snapshot`,
	`/stw-cgi/video\.cgi`,
	`/proxy/protect/api/cameras/[^/]+/snapshot`,
	`/rest/v\d/devices/[^/]+/image`,
	`/api/[^/]+/latest\.jpg`,
	`/zm/cgi-bin/nph-zms`,
}, "|") + `)$`)

// picture answers who asks the web interface for a still picture; nil: this is no
// such question, or the device gives none.
func (d *Device) picture(r *http.Request) *reply {
	q := r.URL.Query()
	if d.o.Picture == nil || r.Method != http.MethodGet || !picturePaths.MatchString(r.URL.Path) && q.Get("cmd") != "Snap" && q.Get("method") != "GetSnapshot" {
		return nil
	}
	return &reply{status: http.StatusOK, kind: http.DetectContentType(d.o.Picture), body: d.o.Picture}
}

// snapshot answers a GET to a device of ONVIF alone, where it gives a picture to who
// has logged in by Digest, or without where it asks nobody.
func (d *Device) snapshot(r *http.Request, seen *Request) reply {
	if r.URL.Path != snapshotPath {
		return reply{status: http.StatusNotFound}
	}
	g := *d.gate // no token fits into a GET
	if g.o.Auth == AuthToken || g.o.Auth == AuthBoth {
		g.o.Auth = AuthDigest
	}
	v := g.check(r, call{}, d.Now())
	seen.Scheme, seen.User, seen.Refused = v.scheme, v.user, !v.pass
	if !v.pass {
		return reply{status: http.StatusUnauthorized, challenges: v.challenges}
	}
	return reply{status: http.StatusOK, kind: http.DetectContentType(d.o.Picture), body: d.o.Picture}
}

// snapshotURI is the answer to GetSnapshotUri. As devices do, it names a host that
// nobody can reach.
func (d *Device) snapshotURI(c call) []byte {
	body := "<trt:GetSnapshotUriResponse><trt:MediaUri><tt:Uri>http://192.0.2.1" + snapshotPath + "?channel=1</tt:Uri></trt:MediaUri></trt:GetSnapshotUriResponse>"
	if c.namespace == nsMedia2 {
		body = "<tr2:GetSnapshotUriResponse><tr2:Uri>http://192.0.2.1" + snapshotPath + "</tr2:Uri></tr2:GetSnapshotUriResponse>"
	}
	return envelope(d.c.envelope, []byte(body))
}
