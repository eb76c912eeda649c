package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/semaphore"
	"google.golang.org/protobuf/proto"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// endless gives so many bytes, without holding them.
func endless(n int64) io.Reader { return io.LimitReader(zeros{}, n) }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// bomb is some KiB on the line, and 64 MiB here.
func bomb(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, endless(1<<26)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Requests that are too much, or none of ours; by a stranger and by an agent.
// It is long because it is one table.
func TestHostileRequests(t *testing.T) {
	gz := bomb(t)
	const deliver, enrol, notices = wire.DeliveryServiceDeliverProcedure, wire.EnrolmentServiceEnrolProcedure, wire.DeliveryServiceNoticesProcedure
	binary := http.Header{"Content-Type": {"application/proto"}}
	with := func(pairs ...string) http.Header {
		h := binary.Clone()
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	many := binary.Clone()
	for i := range 400 {
		many.Set(fmt.Sprintf("X-Many-%d", i), strings.Repeat("x", 40))
	}
	type client struct {
		transport, who string
		rig            *rig
		cert           *tls.Certificate
	}
	var clients []client
	for _, transport := range transports {
		r := start(t, nil)
		_, cert, _ := r.agent(t, time.Now())
		clients = append(clients, client{transport, "stranger", r, nil}, client{transport, "agent", r, cert})
	}
	for _, tt := range []struct {
		name, method, path string
		header             http.Header
		body               io.Reader
		counted            protocol.Reason // "": the transport refuses it, before there is a request
	}{
		{"a header too large", "POST", deliver, with("X-Large", strings.Repeat("x", maxHeader+1)), nil, ""},
		{"headers too many", "POST", deliver, many, nil, ""},
		{"a path too long", "POST", "/" + strings.Repeat("x", maxHeader+1), binary, nil, ""},
		{"a long path", "POST", "/" + strings.Repeat("x", maxHeader/2), binary, nil, reasonBroken},
		{"a path with dots", "POST", "/../../etc/passwd", binary, nil, reasonBroken},
		{"another method", "DELETE", deliver, binary, nil, reasonBroken},
		{"a query for a call", "GET", deliver + "?message=%7B%7D&encoding=json", nil, nil, reasonBroken},
		{"another content", "POST", deliver, with("Content-Type", "text/xml"), strings.NewReader("<a/>"), reasonBroken},
		{"a code without end", "POST", enrol, binary, endless(1 << 30), protocol.ReasonTooLarge},
		{"a question without end", "POST", wire.DeliveryServiceGetSiteProcedure, binary, endless(1 << 30), protocol.ReasonTooLarge},
		{"a compressed message", "POST", deliver, with("Content-Encoding", "gzip"), bytes.NewReader(gz), reasonBroken},
		{"a compressed code", "POST", enrol, with("Content-Encoding", "gzip"), bytes.NewReader(gz), reasonBroken},
		{"another compression", "POST", deliver, with("Content-Encoding", "br"), strings.NewReader("x"), reasonBroken},
		{"a compressed stream", "POST", notices, with("Content-Type", "application/connect+proto", "Connect-Content-Encoding", "gzip"), bytes.NewReader(gz), ""},
	} {
		for _, from := range clients {
			t.Run(tt.name+"/"+from.transport+"/"+from.who, func(t *testing.T) {
				r := from.rig
				c := r.dial(t, from.transport, from.cert)
				var body io.Reader
				if s, ok := tt.body.(io.Seeker); ok {
					_, _ = s.Seek(0, io.SeekStart)
					body = tt.body
				} else if tt.body != nil {
					body = endless(1 << 30)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				req, err := http.NewRequestWithContext(ctx, tt.method, c.url+tt.path, body)
				if err != nil {
					t.Fatal(err)
				}
				if tt.header != nil {
					req.Header = tt.header.Clone()
				}
				counted := func() float64 {
					return r.count(t, "refused_total", string(tt.counted)) + r.count(t, "refused_total", string(protocol.ReasonNoCertificate))
				}
				before := counted()
				r.attacked(t, 24<<20, func() {
					resp, err := c.http.Do(req)
					if err != nil {
						return // the connection was closed
					}
					answer, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
					_ = resp.Body.Close()
					if resp.StatusCode == http.StatusOK && !bytes.Contains(answer, []byte(`"error"`)) {
						t.Errorf("answered %s: %q", resp.Status, answer)
					}
				})
				if tt.counted != "" && counted() != before+1 {
					t.Errorf("counted %v times as %s", counted()-before, tt.counted)
				}
				if n := r.register.recorded(); n != 0 {
					t.Errorf("%d messages recorded", n)
				}
			})
		}
	}
	for _, from := range clients {
		from.rig.serves(t)
	}
}

// One byte more than a message may have is refused by name; much more is, too.
func TestOneByteTooMany(t *testing.T) {
	for _, transport := range transports {
		r := start(t, nil)
		_, cert, _ := r.agent(t, time.Now())
		c := r.dial(t, transport, cert)
		for i, n := range []int{protocol.MaxMessage + 1, readLimit + 1} {
			_, err := deliver(t.Context(), c, make([]byte, n))
			if err == nil {
				t.Errorf("%s: %d bytes were taken", transport, n)
			}
			r.counts(t, protocol.ReasonTooLarge, float64(i+1))
		}
		_, err := deliver(t.Context(), c, make([]byte, protocol.MaxMessage))
		if reason(err) != protocol.ReasonInvalid {
			t.Errorf("%s: a message of the largest size: %v", transport, err)
		}
	}
}

// Messages at once that would not fit into memory: those beyond the room for
// them are refused before they are read.
func TestManyLargeMessages(t *testing.T) {
	const agents, each, room = 4, 5, 4 << 20 // 20 MiB, where 4 have room
	r := start(t, func(s *Server) { s.bodies = semaphore.NewWeighted(room) })
	answers := make(chan protocol.Reason, agents*each)
	body, err := proto.Marshal(&wire.DeliverRequest{Message: bytes.Repeat([]byte{0xff}, protocol.MaxMessage)})
	if err != nil {
		t.Fatal(err)
	}
	r.attacked(t, 96<<20, func() {
		for range agents {
			_, cert, _ := r.agent(t, time.Now())
			c := r.dial(t, "h3", cert)
			for range each {
				go func() {
					resp, err := c.http.Post(c.url+wire.DeliveryServiceDeliverProcedure, "application/proto", bytes.NewReader(body))
					if err != nil {
						answers <- protocol.Reason(err.Error())
						return
					}
					_ = resp.Body.Close()
					answers <- protocol.Reason(resp.Header.Get(protocol.ReasonHeader))
				}()
			}
		}
		for range agents * each {
			if got := <-answers; got != protocol.ReasonInvalid && got != protocol.ReasonTemporary {
				t.Errorf("answered %q", got)
			}
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := r.bodies.Acquire(ctx, room); err != nil { // given back when the answer has left
		t.Error("room for messages was not given back")
	}
}

// answerOf is a ResponseWriter for the handler alone, without transport.
type answerOf struct{ *httptest.ResponseRecorder }

func (answerOf) SetReadDeadline(time.Time) error  { return nil }
func (answerOf) SetWriteDeadline(time.Time) error { return nil }

// FuzzRequests sends whatever bytes to each call, as an agent and as nobody:
// nothing panics, and nothing is recorded that does not decode.
func FuzzRequests(f *testing.F) {
	procedures := []string{wire.DeliveryServiceDeliverProcedure, wire.DeliveryServiceGetSiteProcedure,
		wire.EnrolmentServiceEnrolProcedure, wire.EnrolmentServiceRenewProcedure}
	r := &rig{register: newFakeRegister()}
	var err error
	if r.authority, err = OpenAuthority(f.TempDir()); err != nil {
		f.Fatal(err)
	}
	key, err := OpenReceiptKey(f.TempDir(), "telecamere.example")
	if err != nil {
		f.Fatal(err)
	}
	r.Server, err = New(Options{Authority: r.authority, ReceiptKey: key, Register: r.register, Hosts: []string{"127.0.0.1"}, RootSecret: make([]byte, 32)})
	if err != nil {
		f.Fatal(err)
	}
	r.budgets.most = 1e15 // all runs are one day's
	handler := r.Handler()
	r.register.agents["a"] = false
	r.register.grants["a"+site] = protocol.Grant{AgentID: "a", SiteID: site, Epoch: 1}
	state := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{fuzzCertificate(f, r.authority)}}

	good, err := protocol.Encode(protocol.Message{ID: site, SiteID: site, Epoch: 1, Revision: 1, MadeAt: time.Now(), Body: protocol.Observation{}})
	if err != nil {
		f.Fatal(err)
	}
	for _, m := range []proto.Message{&wire.DeliverRequest{Message: good, After: site}, &wire.DeliverRequest{Message: good[:len(good)/2]},
		&wire.GetSiteRequest{SiteId: site}, &wire.EnrolRequest{Code: protocol.NewCode().String(), Csr: []byte{0x30}}} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		for i := range procedures {
			f.Add(uint8(i), b)
		}
	}
	f.Add(uint8(0x10), []byte(`{"message":"`+base64.StdEncoding.EncodeToString(good)+`"}`))
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		req := httptest.NewRequest("POST", procedures[int(which&0x0f)%len(procedures)], bytes.NewReader(body))
		req.Header.Set("Content-Type", "application/proto")
		if which&0x10 != 0 {
			req.Header.Set("Content-Type", "application/json")
		}
		if which&0x20 == 0 {
			req.TLS = state
		}
		w := answerOf{httptest.NewRecorder()}
		handler.ServeHTTP(w, req)
		if w.Code >= 500 && w.Code != http.StatusNotImplemented {
			t.Errorf("answered %d: %s", w.Code, w.Body)
		}
	})
}

func fuzzCertificate(f *testing.F, a *Authority) *x509.Certificate {
	f.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	cert, err := a.agentCertificate(&key.PublicKey, "a", time.Now())
	if err != nil {
		f.Fatal(err)
	}
	return cert
}
