package cameratest

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// raw is all that a device sends for one operation of the device service, HTTP
// and all.
func raw(t *testing.T, d *Device, operation string) string {
	t.Helper()
	return rawOf(t, d, nsDevice, operation)
}

func rawOf(t *testing.T, d *Device, namespace, operation string) string {
	t.Helper()
	conn, err := net.Dial("tcp", d.Address().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	body := `<e:Envelope xmlns:e="` + nsEnvelope + `"><e:Body>` + op(namespace, operation, "") + `</e:Body></e:Envelope>`
	if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: camera\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", devicePath, len(body), body); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(conn)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		t.Fatal(err)
	}
	return string(b)
}

func TestConnectionQuirks(t *testing.T) {
	c := load(t, "videofavola-cubo")
	whole := raw(t, start(t, c, Options{}), "GetScopes")
	_, body, _ := strings.Cut(whole, "\r\n\r\n")
	for name, tc := range map[string]struct {
		q         HTTPQuirks
		operation string
		is        func(got string) bool
	}{
		"redirect loop": {HTTPQuirks{RedirectLoop: true}, "GetScopes", func(got string) bool {
			return strings.HasPrefix(got, "HTTP/1.1 307") && strings.Contains(got, "\r\nLocation: "+devicePath+"\r\n")
		}},
		"redirect elsewhere": {HTTPQuirks{RedirectTo: "http://192.0.2.9/x"}, "GetScopes", func(got string) bool {
			return strings.HasPrefix(got, "HTTP/1.1 307") && strings.Contains(got, "\r\nLocation: http://192.0.2.9/x\r\n")
		}},
		"HTTP/0.9": {HTTPQuirks{Bare: true}, "GetScopes", func(got string) bool { return got == body }},
		"zero length": {HTTPQuirks{ZeroLength: true}, "GetScopes", func(got string) bool {
			return strings.HasPrefix(got, "HTTP/1.1 200") && strings.Contains(got, "Content-Length: 0\r\n") && strings.HasSuffix(got, "\r\n\r\n")
		}},
		"dropped":           {HTTPQuirks{Drop: true}, "GetScopes", func(got string) bool { return got == "" }},
		"unknown dropped":   {HTTPQuirks{DropUnknown: true}, "GetNothing", func(got string) bool { return got == "" }},
		"known not dropped": {HTTPQuirks{DropUnknown: true}, "GetScopes", func(got string) bool { return strings.HasSuffix(got, body) }},
		"truncated": {HTTPQuirks{Truncated: true}, "GetScopes", func(got string) bool {
			head, half, _ := strings.Cut(got, "\r\n\r\n")
			return strings.Contains(head, fmt.Sprintf("Content-Length: %d", len(body))) && len(half) == len(body)/2
		}},
		"byte by byte": {HTTPQuirks{ByteByByte: true}, "GetScopes", func(got string) bool {
			return strings.Count(got, "\r\n1\r\n") >= len(body)-1 && strings.HasSuffix(got, "\r\n0\r\n\r\n")
		}},
	} {
		d := start(t, c, Options{Quirks: Quirks{HTTP: tc.q}})
		if got := raw(t, d, tc.operation); !tc.is(got) {
			t.Errorf("%s: %.1000q", name, got)
		}
		if n := len(d.Requests()); n != 1 {
			t.Errorf("%s: %d requests noted", name, n)
		}
	}
	// Some clients read no chunks, and cameras send none (onvif-util of Debian).
	if long := rawOf(t, start(t, Recorder(64, RecorderOptions{}), Options{}), nsMedia, "GetProfiles"); len(long) < 50_000 || !strings.Contains(long, "\r\nContent-Length: ") {
		t.Errorf("no Content-Length: %.300s", long)
	}
	if !strings.HasPrefix(whole, "HTTP/1.1 200") || raw(t, start(t, c, Options{}), "GetNothing") == "" {
		t.Errorf("without quirks: %s", whole)
	}
}

// TestHTTPS: the certificate is the device's own, stays until it is changed, and
// the old protocol is refused by a client of today.
func TestHTTPS(t *testing.T) {
	c := load(t, "videofavola-cubo")
	d := start(t, c, Options{HTTPS: true, RewriteHost: true})
	shown := func(d *Device, minimum uint16) ([]byte, uint16, error) {
		conn, err := tls.Dial("tcp", d.Address().String(), &tls.Config{InsecureSkipVerify: true, MinVersion: minimum}) // the camera's own
		if err != nil {
			return nil, 0, err
		}
		defer func() { _ = conn.Close() }()
		return conn.ConnectionState().PeerCertificates[0].Raw, conn.ConnectionState().Version, nil
	}
	one, _, err := shown(d, tls.VersionTLS12)
	two, _, err2 := shown(d, tls.VersionTLS12)
	if err := errors.Join(err, err2); err != nil || !bytes.Equal(one, two) || !bytes.Equal(one, d.Certificate()) {
		t.Fatalf("certificates %x, %x, %v", one, two, err)
	}
	if err := d.ChangeCertificate(); err != nil {
		t.Fatal(err)
	}
	three, _, err := shown(d, tls.VersionTLS12)
	if err != nil || bytes.Equal(one, three) || !bytes.Equal(three, d.Certificate()) {
		t.Errorf("the certificate did not change: %v", err)
	}
	if _, err := http.Get(d.URL()); err == nil || !strings.HasPrefix(d.URL(), "https://") {
		t.Errorf("%s is trusted", d.URL())
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	resp, err := client.Post(d.URL(), "application/soap+xml", strings.NewReader(`<e:Envelope xmlns:e="`+nsEnvelope+`"><e:Body>`+op(nsDevice, "GetCapabilities", "")+`</e:Body></e:Envelope>`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if x := first(texts(b, "XAddr")); err != nil || !strings.HasPrefix(x, "https://"+d.Address().String()+"/") {
		t.Errorf("XAddr %s, %v", x, err)
	}
	if start(t, c, Options{}).Certificate() != nil {
		t.Error("a certificate without TLS")
	}

	old := start(t, c, Options{HTTPS: true, Quirks: Quirks{HTTP: HTTPQuirks{OldTLS: true}}})
	if _, _, err := shown(old, tls.VersionTLS12); err == nil {
		t.Error("the device of 1999 speaks TLS 1.2")
	}
	if _, v, err := shown(old, tls.VersionTLS10); err != nil || v != tls.VersionTLS10 {
		t.Errorf("TLS %x, %v", v, err)
	}
}
