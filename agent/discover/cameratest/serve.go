package cameratest

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// ServeHTTP answers one request to any of the device's services.
func (d *Device) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !d.enter() {
		return
	}
	defer d.running.Done()
	seen := Request{At: time.Now(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery}
	seen.From, _ = netip.ParseAddrPort(r.RemoteAddr)
	envelope, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	var out reply
	switch {
	case err != nil:
		out = reply{status: http.StatusRequestEntityTooLarge}
	case r.Method == http.MethodGet && r.URL.Path == descriptionPath && d.o.SSDP:
		out = reply{status: http.StatusOK, kind: `text/xml; charset="utf-8"`, body: d.description()}
	case d.web != nil && !d.paths[r.URL.Path]:
		out = d.serveWeb(r, envelope, &seen)
	case r.Method == http.MethodGet && d.o.Picture != nil:
		out = d.snapshot(r, &seen)
	case r.Method != http.MethodPost:
		out = reply{status: http.StatusMethodNotAllowed}
	case !d.paths[r.URL.Path]:
		out = reply{status: http.StatusNotFound}
	default:
		out = d.dress(d.answer(r, envelope, &seen), envelope)
	}
	out = d.misbehave(r, out)
	seen.Status, seen.File = out.status, out.file
	d.note(seen)
	d.send(w, r, out)
}

// answer decides what to say, and notes in seen what was asked.
func (d *Device) answer(r *http.Request, envelope []byte, seen *Request) reply {
	c, err := readCall(envelope)
	if err != nil {
		// A web server challenges before it reads: curl --digest sends nothing at first.
		if v := d.gate.check(r, c, d.Now()); len(envelope) == 0 && !v.pass && v.challenges != nil {
			seen.Scheme, seen.User, seen.Refused = v.scheme, v.user, true
			return d.shut(v)
		}
		return d.refuse(400, "Sender", "ter:WellFormed", "The request is not a SOAP envelope: "+err.Error())
	}
	seen.Namespace, seen.Operation = c.namespace, c.operation
	if out, ok := d.notUnderstood(r, c); ok {
		return out
	}
	v := d.gate.check(r, c, d.Now())
	seen.Scheme, seen.User, seen.Refused = v.scheme, v.user, !v.pass
	if !v.pass {
		return d.shut(v)
	}
	filter := c.cutFilter()
	if out, ok := d.notServed(r, c); ok {
		return out
	}
	if c.operation == "GetSnapshotUri" && d.o.Picture != nil {
		return reply{status: http.StatusOK, body: d.snapshotURI(c)}
	}
	a, how := find(d.answers, c)
	switch {
	case c.operation == timeOperation && d.o.Auth != AuthNone && (how != fits || a.Status != 200):
		// The recording of a device that refused everything because a wrong
		// token came with the first call; without one it tells the time.
		a = Answer{Namespace: nsDevice, Operation: timeOperation, Status: 200, Body: envelopeOfTime(d.c.envelope)}
	case how == unknownOperation:
		out := d.refuse(500, "Receiver", "ter:ActionNotSupported", "The operation "+c.operation+" is not supported")
		if d.o.Quirks.HTTP.DropUnknown {
			out = reply{}
		}
		return out
	case how == unknownToken:
		return d.refuse(400, "Sender", "ter:InvalidArgVal", "No such token")
	}
	seen.Refused = isRefusal(a)
	status := a.Status
	if s := d.o.Quirks.SOAP.FaultStatus; s != 0 && status != 200 {
		status = s
	}
	return reply{status: status, body: d.rewrite(a, c, filter), file: a.File}
}

// refuse makes a fault, in the form that the quirks want.
func (d *Device) refuse(status int, code, sub, reason string) reply {
	q := d.o.Quirks.SOAP
	if q.FaultStatus != 0 {
		status = q.FaultStatus
	}
	switch q.FaultForm {
	case FaultEmpty:
		return reply{status: status}
	case FaultText:
		return reply{status: status, kind: plainText, body: []byte(reason)}
	case FaultStack:
		return reply{status: status, kind: plainText, body: []byte("TypeError: " + reason + "\n    at Object.handle (/srv/camera/lib/soap.js:41:11)\n")}
	case FaultDropped:
		return reply{}
	case FaultSOAP11:
		return reply{status: status, body: fault11(d.c.envelope, code, reason)}
	case FaultNoSubcode:
		sub = ""
	}
	return reply{status: status, body: fault(d.c.envelope, code, sub, reason)}
}

// shut refuses for want of right credentials. With a challenge the status is
// 401 whatever the quirks, or it would be none.
func (d *Device) shut(v verdict) reply {
	out := d.refuse(http.StatusBadRequest, "Sender", "ter:NotAuthorized", v.reason)
	switch {
	case out.status == 0:
	case v.challenges != nil:
		out.status, out.challenges = http.StatusUnauthorized, v.challenges
	case d.o.Quirks.AuthStatus != 0:
		out.status = d.o.Quirks.AuthStatus
	}
	return out
}

// isRefusal tells the recorded answers that themselves refused credentials.
func isRefusal(a Answer) bool {
	return a.Status != 200 && strings.Contains(strings.Join(texts(a.Body, "Value"), " "), "NotAuthorized")
}

// rewrite brings an answer up to date: the clock, relative dates, and what the
// options ask for. All else stays as it was recorded.
func (d *Device) rewrite(a Answer, c call, filter []string) []byte {
	body := a.Body
	if a.Operation == timeOperation && a.Status == 200 {
		body = d.tellTime(body)
	}
	if d.c.Source == HandWritten {
		body = setRelative(body, d.Now())
	}
	if d.o.ProfileG != nil {
		body = d.o.ProfileG.apply(a.Namespace, body, d.Now())
	}
	if a.Status == 200 && (c.namespace == nsRecording || c.namespace == nsSearch) {
		body = d.o.Quirks.Recording.apply(c, filter, body, d.Now())
	}
	if a.Status == 200 {
		body = d.serviceQuirks(c.operation, body)
	}
	if d.o.RewriteHost {
		body = setHost(body, d.scheme(), d.told().String())
	}
	return d.misname(body)
}

const timeOperation = "GetSystemDateAndTime"

// envelopeOfTime is the shortest answer to GetSystemDateAndTime.
func envelopeOfTime(prefix string) []byte {
	return envelope(prefix, fmt.Appendf(nil, "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime>"+
		"<tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>"+
		"<tt:UTCDateTime>%s</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>", dateTime(time.Unix(0, 0).UTC())))
}
