package cameratest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"time"
)

// reply is what a device sends for one request.
type reply struct {
	status     int // 0: none, the connection is closed
	body       []byte
	kind       string // Content-Type; "" is that of SOAP 1.2
	challenges []string
	location   string
	headers    map[string]string // those of a web interface
	file       string
}

const plainText = "text/plain; charset=utf-8"

// misbehave changes a reply as the quirks of the connection want it.
func (d *Device) misbehave(r *http.Request, out reply) reply {
	q := d.o.Quirks
	switch {
	case q.HTTP.Drop:
		return reply{}
	case q.HTTP.RedirectLoop:
		return reply{status: http.StatusTemporaryRedirect, location: r.URL.Path}
	case q.HTTP.RedirectTo != "":
		return reply{status: http.StatusTemporaryRedirect, location: q.HTTP.RedirectTo}
	case q.HTTP.ZeroLength:
		return reply{status: http.StatusOK}
	case q.GarbageXML:
		out.status, out.body = http.StatusOK, []byte("<html><p>Loading&nbsp;...<br><<?xml \x00\xff")
	case q.Huge > 0:
		out.status = http.StatusOK
	}
	return out
}

// send writes the reply, well or badly as the quirks want it. Errors are those
// of a client that went away, and has lost its answer.
func (d *Device) send(w http.ResponseWriter, r *http.Request, out reply) {
	q := d.o.Quirks
	if !pause(r.Context(), d.o.Latency+q.Slow) {
		return
	}
	if out.status == 0 || q.HTTP.Bare {
		hangUp(w, out.body)
		return
	}
	h := w.Header()
	h.Set("Content-Type", out.kind)
	if out.kind == "" {
		h.Set("Content-Type", "application/soap+xml; charset=utf-8")
	}
	h.Set("Date", d.Now().UTC().Format(http.TimeFormat))
	if d.web != nil && d.web.file.Server != "" {
		h.Set("Server", d.web.file.Server)
	}
	for name, value := range out.headers {
		h.Set(name, value)
	}
	for _, c := range out.challenges {
		h.Add("WWW-Authenticate", c)
	}
	if out.location != "" {
		h.Set("Location", out.location)
	}
	if q.Huge == 0 && q.Drip == 0 && !q.HTTP.ByteByByte {
		h.Set("Content-Length", strconv.Itoa(len(out.body))) // cameras do; onvif-util cannot read chunks
	}
	if q.HTTP.Truncated {
		out.body = out.body[:len(out.body)/2] // the server then closes the connection
	}
	w.WriteHeader(out.status)
	switch {
	case q.Huge > 0:
		sendHuge(w, out.body, q.Huge)
	case q.Drip > 0:
		drip(r.Context(), w, out.body, q.Drip)
	case q.HTTP.ByteByByte:
		byteByByte(w, out.body)
	default:
		_, _ = w.Write(out.body)
	}
}

// hangUp writes b as it is, with no status line and no headers, and closes.
func hangUp(w http.ResponseWriter, b []byte) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // closed already
	}
	_, _ = conn.Write(b)
	_ = conn.Close()
}

// byteByByte writes each byte on its own.
func byteByByte(w http.ResponseWriter, body []byte) {
	rc := http.NewResponseController(w)
	for i := range body {
		if _, err := w.Write(body[i : i+1]); err != nil || rc.Flush() != nil {
			return
		}
	}
}

// sendHuge writes the answer with spaces before its last element's end, size
// bytes together.
func sendHuge(w io.Writer, body []byte, size int64) {
	cut := bytes.LastIndex(body, []byte("</"))
	if cut < 0 {
		cut = len(body)
	}
	_, _ = w.Write(body[:cut])
	block := bytes.Repeat([]byte(" "), 64<<10)
	for left := size - int64(len(body)); left > 0; left -= int64(len(block)) {
		if _, err := w.Write(block[:min(left, int64(len(block)))]); err != nil {
			return
		}
	}
	_, _ = w.Write(body[cut:])
}

// drip writes byte after byte, and spaces when there are no more, until the
// client or the device goes away.
func drip(ctx context.Context, w http.ResponseWriter, body []byte, every time.Duration) {
	rc := http.NewResponseController(w)
	for i := 0; ; i++ {
		b := byte(' ')
		if i < len(body) {
			b = body[i]
		}
		if _, err := w.Write([]byte{b}); err != nil || rc.Flush() != nil || !pause(ctx, every) {
			return
		}
	}
}

// pause waits; false if ctx ended before.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
