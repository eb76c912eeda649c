package cameratest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// reply is what a device sends for one request.
type reply struct {
	status    int
	body      []byte
	challenge string
	file      string
}

// ServeHTTP answers one request to any of the device's services.
func (d *Device) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !d.enter() {
		return
	}
	defer d.running.Done()
	seen := Request{At: time.Now(), Path: r.URL.Path}
	seen.From, _ = netip.ParseAddrPort(r.RemoteAddr)
	envelope, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	var out reply
	switch {
	case err != nil:
		out = reply{status: http.StatusRequestEntityTooLarge}
	case r.Method != http.MethodPost:
		out = reply{status: http.StatusMethodNotAllowed}
	case !d.paths[r.URL.Path]:
		out = reply{status: http.StatusNotFound}
	default:
		out = d.answer(r, envelope, &seen)
	}
	seen.Status, seen.File = out.status, out.file
	d.note(seen)
	d.send(w, r, out)
}

// answer decides what to say, and notes in seen what was asked.
func (d *Device) answer(r *http.Request, envelope []byte, seen *Request) reply {
	sender := func(status int, code, sub, reason string) reply {
		return reply{status: status, body: fault(d.c.envelope, code, sub, reason)}
	}
	c, err := readCall(envelope)
	if err != nil {
		return sender(400, "Sender", "ter:WellFormed", "The request is not a SOAP envelope: "+err.Error())
	}
	seen.Namespace, seen.Operation = c.namespace, c.operation
	v := d.gate.check(r, c, d.Now())
	seen.Scheme, seen.User, seen.Refused = v.scheme, v.user, !v.pass
	if !v.pass {
		status := http.StatusUnauthorized
		if v.challenge == "" {
			if status = d.o.Quirks.AuthStatus; status == 0 {
				status = http.StatusBadRequest
			}
		}
		refusal := sender(status, "Sender", "ter:NotAuthorized", v.reason)
		refusal.challenge = v.challenge
		return refusal
	}
	a, how := find(d.answers, c)
	switch {
	case c.operation == timeOperation && d.o.Auth != AuthNone && (how != fits || a.Status != 200):
		// The recording of a device that refused everything because a wrong
		// token came with the first call; without one it tells the time.
		return reply{status: 200, body: setClock(envelopeOfTime(d.c.envelope), d.Now(), nil)}
	case how == unknownOperation:
		return sender(500, "Receiver", "ter:ActionNotSupported", "The operation "+c.operation+" is not supported")
	case how == unknownToken:
		return sender(400, "Sender", "ter:InvalidArgVal", "No such token")
	}
	seen.Refused = isRefusal(a)
	return reply{status: a.Status, body: d.rewrite(a), file: a.File}
}

const timeOperation = "GetSystemDateAndTime"

// isRefusal tells the recorded answers that themselves refused credentials.
func isRefusal(a Answer) bool {
	return a.Status != 200 && strings.Contains(strings.Join(texts(a.Body, "Value"), " "), "NotAuthorized")
}

// rewrite brings an answer up to date: the clock, relative dates, and what the
// options ask for. All else stays as it was recorded.
func (d *Device) rewrite(a Answer) []byte {
	body := a.Body
	if a.Operation == timeOperation && a.Status == 200 {
		body = setClock(body, d.Now(), d.c.zone)
	}
	if d.c.Source == HandWritten {
		body = setRelative(body, d.Now())
	}
	if d.o.ProfileG != nil {
		body = d.o.ProfileG.apply(a.Namespace, body, d.Now())
	}
	if d.o.RewriteHost {
		body = setHost(body, d.address.String())
	}
	return body
}

// envelopeOfTime is the shortest answer to GetSystemDateAndTime.
func envelopeOfTime(prefix string) []byte {
	date := "<tt:Time><tt:Hour>0</tt:Hour><tt:Minute>0</tt:Minute><tt:Second>0</tt:Second></tt:Time>" +
		"<tt:Date><tt:Year>2000</tt:Year><tt:Month>1</tt:Month><tt:Day>1</tt:Day></tt:Date>"
	return envelope(prefix, fmt.Appendf(nil, "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime>"+
		"<tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>"+
		"<tt:UTCDateTime>%s</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>", date))
}

// send writes the answer, well or badly as the quirks want it.
func (d *Device) send(w http.ResponseWriter, r *http.Request, out reply) {
	q := d.o.Quirks
	if !pause(r.Context(), q.Slow) {
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/soap+xml; charset=utf-8")
	if out.challenge != "" {
		h.Set("WWW-Authenticate", out.challenge)
	}
	switch {
	case q.GarbageXML:
		w.WriteHeader(200)
		_, _ = io.WriteString(w, "<html><p>Loading&nbsp;...<br><<?xml \x00\xff")
	case q.Huge > 0:
		w.WriteHeader(200)
		sendHuge(w, out.body, q.Huge)
	case q.Drip > 0:
		w.WriteHeader(out.status)
		drip(r.Context(), w, out.body, q.Drip)
	default:
		w.WriteHeader(out.status)
		_, _ = w.Write(out.body) // a client that went away has lost its answer
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
