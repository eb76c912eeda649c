package uplink

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

var both = servers{tcp: true, udp: true}

func TestDeliverInOrderOverQUIC(t *testing.T) {
	c := newCollector(t)
	c.serve(both, nil, nil)
	o := newOutbox("a1", "b1", "c1")
	r := run(t, c.authority.identity(t, c.addr, time.Now()), o, nil)
	r.expect(t, outcome{"a", "h3", ""}, outcome{"b", "h3", ""}, outcome{"c", "h3", ""})
	o.add("d1") // while it waits for more
	r.expect(t, outcome{"d", "h3", ""})
	<-c.listens
	s := r.Status()
	if s.Transport != "h3" || s.AgentID != "agent-1" || s.Collector != c.addr || s.LastError != "" ||
		s.LastAcknowledged.IsZero() || s.ConnectedAt.IsZero() || s.CertificateUntil.IsZero() {
		t.Errorf("%+v", s)
	}
	r.stop()
	if s := r.Status(); s.Transport != "" {
		t.Errorf("stopped, and still connected over %s", s.Transport)
	}
	if !slices.Equal(c.heard().got, []string{"a1", "b1", "c1", "d1"}) {
		t.Errorf("came: %q", c.heard().got)
	}
}

func TestUDPDead(t *testing.T) {
	c := newCollector(t)
	stop := c.serve(servers{tcp: true}, nil, nil)
	o := newOutbox("a1")
	r := run(t, c.authority.identity(t, c.addr, time.Now()), o, func(u *Uplink) {
		u.transport.retry, u.transport.idle = time.Millisecond, 200*time.Millisecond
	})
	r.expect(t, outcome{"a", "h2", ""})
	if s := r.Status(); s.Transport != "h2" {
		t.Errorf("status says %q", s.Transport)
	}
	// UDP is back, and found by and by.
	stop()
	c.serve(both, nil, nil)
	for i := byte('b'); r.Status().Transport != "h3" && i <= 'z'; i++ {
		o.add(string([]byte{i, '1'}))
		<-o.ended
	}
	if s := r.Status(); s.Transport != "h3" {
		t.Errorf("status says %q", s.Transport)
	}
}

// A TLS error over UDP is not worked around over TCP.
func TestNoFallbackAfterTLSError(t *testing.T) {
	c := newCollector(t)
	c.serve(both, nil, c.tlsConfig(newAuthority(t), c.host))
	r := run(t, c.authority.identity(t, c.addr, time.Now()), newOutbox("a1"), nil)
	r.trouble(ServerUntrusted)
	s := r.Status()
	r.stop()
	if s.LastReason != ServerUntrusted || s.Transport != "" || s.LastError == "" {
		t.Errorf("%+v", s)
	}
	if len(c.heard().via) != 0 {
		t.Errorf("calls were made over %v", c.heard().via)
	}
}

func TestForeignCertificate(t *testing.T) {
	for name, on := range map[string]servers{"h3": both, "h2": {tcp: true}} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(t)
			c.serve(on, nil, nil)
			id := newAuthority(t).identity(t, c.addr, time.Now())
			id.authorities = append(id.authorities, c.authority.cert)
			o := newOutbox("a1")
			r := run(t, id, o, changeFor(on))
			r.trouble(CertificateRefused)
			r.stop()
			if len(o.queue) != 1 || len(c.heard().got) != 0 {
				t.Errorf("%d messages wait, %d came", len(o.queue), len(c.heard().got))
			}
		})
	}
}

func TestCollectorDownThenUp(t *testing.T) {
	c := newCollector(t)
	o := newOutbox("a1")
	r := run(t, c.authority.identity(t, c.addr, time.Now()), o, func(u *Uplink) {
		u.transport.retry, u.transport.idle = 1, time.Second
	})
	r.trouble(Unreachable)
	o.add("b1") // confirmed while nobody listens
	if s := r.Status(); s.LastReason != Unreachable || s.Transport != "" {
		t.Errorf("%+v", s)
	}
	stop := c.serve(both, nil, nil)
	r.expect(t, outcome{"a", "h3", ""}, outcome{"b", "h3", ""})
	// Down in the middle, and up again.
	<-c.listens
	stop()
	r.trouble(Unreachable)
	o.add("c1")
	c.serve(both, nil, nil)
	r.expect(t, outcome{"c", "h3", ""})
	r.stop()
	if !slices.Equal(c.heard().got, []string{"a1", "b1", "c1"}) {
		t.Errorf("came: %q", c.heard().got)
	}
}

func TestLostAcknowledgement(t *testing.T) {
	for name, on := range map[string]servers{"h3": both, "h2": {tcp: true}} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(t)
			cuts := 0
			c.after = func([]byte) error {
				if cuts++; cuts <= 2 {
					return errors.New("cut")
				}
				return nil
			}
			c.serve(on, nil, nil)
			r := run(t, c.authority.identity(t, c.addr, time.Now()), newOutbox("a1", "b1"), changeFor(on))
			r.expect(t, outcome{"a", name, ""}, outcome{"b", name, ""})
			r.stop()
			if !slices.Equal(c.heard().got, []string{"a1", "a1", "a1", "b1"}) || len(c.heard().records) != 2 {
				t.Errorf("came: %q, recorded: %d", c.heard().got, len(c.heard().records))
			}
		})
	}
}

// A request that the collector breaks off is an answer of UDP, also where it is
// the first on its connection: what comes next is not pushed to TCP.
func TestBrokenOffIsNotSilence(t *testing.T) {
	c := newCollector(t)
	cuts := 0
	c.after = func([]byte) error {
		if cuts++; cuts == 1 {
			return errors.New("cut")
		}
		return nil
	}
	c.serve(both, nil, nil)
	l, err := newLine(c.addr, c.authority.identity(t, c.addr, time.Now()).trust(), lineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.transport.close()
	for i := range 2 {
		_, err := l.delivery.Deliver(t.Context(), connect.NewRequest(&wire.DeliverRequest{Message: []byte("a1")}))
		if (err == nil) != (i == 1) {
			t.Errorf("call %d: %v", i+1, err)
		}
	}
	if via := c.heard().via; !slices.Equal(via, []string{viaH3, viaH3}) || !l.transport.udpAgainAt().IsZero() {
		t.Errorf("over %q, UDP left alone until %v", via, l.transport.udpAgainAt())
	}
}

func TestForgedReceiptIsNotBelieved(t *testing.T) {
	c := newCollector(t)
	forged := false
	c.after = func([]byte) error {
		if !forged {
			forged = true
			return errForged
		}
		return nil
	}
	c.serve(both, nil, nil)
	r := run(t, c.authority.identity(t, c.addr, time.Now()), newOutbox("a1"), nil)
	r.trouble(UnexpectedAnswer)
	r.expect(t, outcome{"a", "h3", ""})
	r.stop()
	if len(c.heard().got) != 2 {
		t.Errorf("came %d times", len(c.heard().got))
	}
}

func TestAcknowledgementThatCannotBeWritten(t *testing.T) {
	c := newCollector(t)
	c.serve(both, nil, nil)
	o := newOutbox("a1")
	o.ackFail = 2
	r := run(t, c.authority.identity(t, c.addr, time.Now()), o, nil)
	r.expect(t, outcome{"a", "h3", ""})
	r.stop()
	if len(c.heard().got) != 3 || len(c.heard().records) != 1 {
		t.Errorf("came %d times, recorded %d", len(c.heard().got), len(c.heard().records))
	}
}

// TestRefusals: what concerns the message is given up, with its reason; what
// concerns the agent or the moment waits.
func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		err    error
		reason Reason
		gone   bool
	}{
		{refusal(connect.CodeInvalidArgument, "invalid", "cameras[0].position.lat: outside the world"), protocol.ReasonInvalid, true},
		{refusal(connect.CodePermissionDenied, "not-granted", "no grant"), protocol.ReasonNotGranted, true},
		{refusal(connect.CodeFailedPrecondition, "stale", "old"), protocol.ReasonStale, true},
		{refusal(connect.CodeAlreadyExists, "conflict", "other bytes"), protocol.ReasonConflict, true},
		{refusal(connect.CodeResourceExhausted, "too-large", "too long"), protocol.ReasonTooLarge, true},
		{refusal(connect.CodePermissionDenied, "revoked", "revoked"), protocol.ReasonRevoked, false},
		{refusal(connect.CodePermissionDenied, "unknown-agent", "unknown"), protocol.ReasonUnknownAgent, false},
		{refusal(connect.CodeUnauthenticated, "expired-certificate", "expired"), protocol.ReasonExpiredCertificate, false},
		{refusal(connect.CodeUnavailable, "temporary", "disk full"), protocol.ReasonTemporary, false},
		{refusal(connect.CodeInvalidArgument, "word-of-2031", "?"), UnexpectedAnswer, false},
		{connect.NewError(connect.CodeInvalidArgument, errors.New("a proxy's")), UnexpectedAnswer, false},
		{connect.NewError(connect.CodeResourceExhausted, errors.New("a proxy's")), UnexpectedAnswer, false},
	} {
		t.Run(string(tt.reason), func(t *testing.T) {
			c := newCollector(t)
			refused := 0
			c.before = func(raw []byte) error {
				if raw[0] == 'a' && refused < 2 {
					refused++
					return tt.err
				}
				return nil
			}
			c.serve(both, nil, nil)
			r := run(t, c.authority.identity(t, c.addr, time.Now()), newOutbox("a1", "b1"), nil)
			if tt.gone {
				got := <-r.outbox.ended
				if !strings.HasPrefix(got.why, string(tt.reason)+": ") || !strings.Contains(got.why, tt.err.(*connect.Error).Message()) {
					t.Errorf("given up with %q", got.why)
				}
			} else {
				r.trouble(tt.reason)
				r.expect(t, outcome{"a", "h3", ""})
			}
			r.expect(t, outcome{"b", "h3", ""})
		})
	}
}

func TestTooLargeIsNotEvenSent(t *testing.T) {
	c := newCollector(t)
	c.serve(both, nil, nil)
	r := run(t, c.authority.identity(t, c.addr, time.Now()), newOutbox("a"+strings.Repeat("x", protocol.MaxMessage), "b1"), nil)
	if got := <-r.outbox.ended; !strings.HasPrefix(got.why, "too-large: ") {
		t.Errorf("%+v", got)
	}
	r.expect(t, outcome{"b", "h3", ""})
	r.stop()
	if len(c.heard().got) != 1 {
		t.Errorf("came: %d", len(c.heard().got))
	}
}

func TestRetryAfter(t *testing.T) {
	told := refusal(connect.CodeUnavailable, "temporary", "later").(*connect.Error)
	for text, want := range map[string]time.Duration{"7": 7 * time.Second, "999999": maxRetryAfter, "-3": 0, "soon": 0} {
		told.Meta().Set(protocol.RetryAfterHeader, text)
		b := backoff{first: time.Second, most: time.Minute, jitter: rand.N[time.Duration]}
		// IsWireError is false for an error that was made here, so the part
		// that reads it is called by itself.
		e := fromWire("deliver", told)
		if e.after != want {
			t.Errorf("retry-after %q is %v, want %v", text, e.after, want)
		}
		if d := b.next(e.after); d < want || d > want+time.Second+1 {
			t.Errorf("retry-after %q waits %v", text, d)
		}
	}
}

func TestBackoffWindows(t *testing.T) {
	b := backoff{first: time.Second, most: 5 * time.Second, jitter: rand.N[time.Duration]}
	for i, window := range []time.Duration{1, 2, 4, 5, 5} {
		if d := b.next(0); d <= 0 || d > window*time.Second+1 || b.window != window*time.Second {
			t.Errorf("attempt %d waits %v in a window of %v", i, d, b.window)
		}
	}
	if b.reset(); b.next(0) > time.Second+1 {
		t.Error("not reset")
	}
}

// tap keeps all that passes before it is encrypted.
type tap struct {
	http.RoundTripper
	bytes *bytes.Buffer
}

func (x tap) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_ = r.Header.Write(x.bytes)
	x.bytes.Write(body)
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return x.RoundTripper.RoundTrip(r)
}

// TestHeaders lists all that leaves beside the message.
func TestHeaders(t *testing.T) {
	for name, on := range map[string]servers{"h3": both, "h2": {tcp: true}} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(t)
			c.serve(on, nil, nil)
			r := run(t, c.authority.identity(t, c.addr, time.Now()), newOutbox("a1"), changeFor(on))
			<-c.listens
			r.expect(t, outcome{"a", name, ""})
			r.stop()
			allowed := map[string]string{"User-Agent": "anagrafe-agent", "Accept-Encoding": "", "Content-Type": "", "Content-Length": "",
				"Connect-Protocol-Version": "1", "Connect-Timeout-Ms": "", "Connect-Accept-Encoding": ""}
			if len(c.heard().headers) < 2 {
				t.Fatalf("%d calls", len(c.heard().headers))
			}
			for _, h := range c.heard().headers {
				for k := range h {
					if want, ok := allowed[k]; !ok || want != "" && h.Get(k) != want {
						t.Errorf("%s: %q leaves", k, h.Get(k))
					}
				}
			}
		})
	}
}

func TestWrapTransport(t *testing.T) {
	c := newCollector(t)
	c.serve(both, nil, nil)
	var seen bytes.Buffer
	o := newOutbox("a1 SENTINEL")
	r := run(t, c.authority.identity(t, c.addr, time.Now()), o, func(u *Uplink) {
		u.o.WrapTransport = func(rt http.RoundTripper) http.RoundTripper { return onlyDeliver{rt, tap{rt, &seen}} }
	})
	r.expect(t, outcome{"a", "h3", ""})
	r.stop()
	if !strings.Contains(seen.String(), "SENTINEL") {
		t.Errorf("the tap saw %q", seen.String())
	}
}

// A handshake is not yet a line: connected is only who has heard from the
// collector itself, be it a refusal.
func TestConnectedOnceTheCollectorAnswers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(*http.Response)
		reason Reason
		want   string
	}{
		{"a proxy's error", func(resp *http.Response) {
			resp.Header = http.Header{"Content-Type": {"text/html"}}
		}, Unreachable, ""},
		{"the collector's refusal", func(resp *http.Response) {
			resp.Header = http.Header{"Content-Type": {"application/json"}, protocol.ReasonHeader: {string(protocol.ReasonTemporary)}}
		}, protocol.ReasonTemporary, "h3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCollector(t)
			c.serve(both, nil, nil)
			r := run(t, c.authority.identity(t, c.addr, time.Now()), newOutbox("a1"), func(u *Uplink) {
				u.o.WrapTransport = func(rt http.RoundTripper) http.RoundTripper { return onlyDeliver{mute{}, changed{rt, tt.answer}} }
			})
			r.trouble(tt.reason)
			if s := r.Status(); s.Transport != tt.want || s.ConnectedAt.IsZero() != (tt.want == "") {
				t.Errorf("connected over %q since %v, want %q", s.Transport, s.ConnectedAt, tt.want)
			}
		})
	}
}

// changed makes every answer a 503 of somebody's.
type changed struct {
	http.RoundTripper
	answer func(*http.Response)
}

func (x changed) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := x.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	resp.StatusCode, resp.Status = http.StatusServiceUnavailable, "503 Service Unavailable"
	resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(`{"code":"unavailable","message":"no"}`)), -1
	x.answer(resp)
	return resp, nil
}

// mute never answers.
type mute struct{}

func (mute) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// onlyDeliver taps the deliveries, which do not run side by side.
type onlyDeliver struct{ plain, tapped http.RoundTripper }

func (x onlyDeliver) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/Deliver") {
		return x.tapped.RoundTrip(r)
	}
	return x.plain.RoundTrip(r)
}

func TestRevocationNotice(t *testing.T) {
	c := newCollector(t)
	c.serve(both, nil, nil)
	r := run(t, c.authority.identity(t, c.addr, time.Now()), newOutbox(), nil)
	<-c.listens
	c.notify <- &wire.Notice{Id: "1", Body: &wire.Notice_Reminder{Reminder: &wire.Reminder{}}}
	c.notify <- &wire.Notice{Id: "2"} // of a kind that comes later
	c.notify <- &wire.Notice{Id: "3", Body: &wire.Notice_Revocation{Revocation: &wire.Revocation{}}}
	r.trouble(protocol.ReasonRevoked)
	if s := r.Status(); s.LastReason != protocol.ReasonRevoked {
		t.Errorf("%+v", s)
	}
	c.notify <- nil // the stream ends: it is opened again
	<-c.listens
}
