package ingest

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"
)

const floodTime = time.Second // or until the server has had enough

// Streams that are opened and left, reset, or filled with what means nothing;
// by strangers, and by an agent that went wrong.
func TestStreamFloods(t *testing.T) {
	floods := map[string]func(ctx context.Context, c *quic.Conn){
		"left open": func(ctx context.Context, c *quic.Conn) {
			for ctx.Err() == nil {
				s, err := c.OpenStreamSync(ctx)
				if err != nil {
					return
				}
				_, _ = s.Write([]byte{0x01}) // the first byte of a HEADERS frame
			}
		},
		"reset": func(ctx context.Context, c *quic.Conn) {
			for ctx.Err() == nil {
				s, err := c.OpenStreamSync(ctx)
				if err != nil {
					return
				}
				_, _ = s.Write([]byte{0x01})
				s.CancelWrite(0x10c)
				s.CancelRead(0x10c)
			}
		},
		"one way, of unknown kinds": func(ctx context.Context, c *quic.Conn) {
			for n := uint64(0); ctx.Err() == nil; n++ {
				s, err := c.OpenUniStreamSync(ctx)
				if err != nil {
					return
				}
				_, _ = s.Write(quicvarint.Append(nil, 0x1f*(n%1000)+0x21))
				s.CancelWrite(0x10c)
			}
		},
		"nonsense": func(ctx context.Context, c *quic.Conn) {
			junk := make([]byte, 64<<10)
			for ctx.Err() == nil {
				s, err := c.OpenStreamSync(ctx)
				if err != nil {
					return
				}
				_ = s.SetWriteDeadline(time.Now().Add(floodTime))
				_, _ = s.Write(append([]byte{0x21, 0x80, 0xff, 0xff, 0xff}, junk...)) // a frame of an unknown kind without end
			}
		},
	}
	for name, flood := range floods {
		for _, who := range []string{"stranger", "agent"} {
			t.Run(name+"/"+who, func(t *testing.T) {
				r := start(t, func(s *Server) { s.arrivals.trial = floodTime / 2 })
				var cert *tls.Certificate
				if who == "agent" {
					_, cert, _ = r.agent(t, time.Now())
				}
				conns := []*quic.Conn{r.rawQUIC(t, cert), r.rawQUIC(t, cert)}
				r.attacked(t, 24<<20, func() {
					ctx, cancel := context.WithTimeout(t.Context(), floodTime)
					defer cancel()
					done := make(chan struct{})
					for _, c := range conns {
						go func() {
							flood(ctx, c)
							done <- struct{}{}
						}()
					}
					r.serves(t) // meanwhile
					for range conns {
						<-done
					}
				})
				for _, c := range conns { // none of them made a call that was admitted
					<-c.Context().Done()
				}
				r.countsAtLeast(t, reasonUnproven, 2)
			})
		}
	}
}

// frame is a frame of HTTP/2 (RFC 9113, 4.1).
func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	b := make([]byte, 9, 9+len(payload))
	b[0], b[1], b[2] = byte(len(payload)>>16), byte(len(payload)>>8), byte(len(payload))
	b[3], b[4] = kind, flags
	binary.BigEndian.PutUint32(b[5:], stream)
	return append(b, payload...)
}

const (
	h2Headers, h2Reset, h2Settings, h2Ping, h2Continuation = 1, 3, 4, 6, 9
	h2EndStream, h2EndHeaders                              = 1, 4
)

// h2Request is ":method POST, :scheme https, :path /, :authority a" by the
// static table of HPACK (RFC 7541, A).
func h2Request() []byte { return []byte{0x83, 0x87, 0x84, 0x41, 0x01, 'a'} }

// Floods of frames on one connection over TCP: the server closes it.
func TestFrameFloods(t *testing.T) {
	floods := map[string]func(n uint32) []byte{
		"continuation without end": func(n uint32) []byte {
			if n == 0 {
				return frame(h2Headers, 0, 1, h2Request())
			}
			// A literal header that is in no table, 8 KiB of it.
			field := append([]byte{0x00, 0x01, 'x', 0x7f, 0x81, 0x3e}, make([]byte, 8000)...)
			return frame(h2Continuation, 0, 1, field)
		},
		"continuation of nothing": func(n uint32) []byte {
			if n == 0 {
				return frame(h2Headers, 0, 1, h2Request())
			}
			return frame(h2Continuation, 0, 1, nil)
		},
		"rapid reset": func(n uint32) []byte {
			return append(frame(h2Headers, h2EndStream|h2EndHeaders, 2*n+1, h2Request()), frame(h2Reset, 0, 2*n+1, []byte{0, 0, 0, 8})...)
		},
		"ping":     func(uint32) []byte { return frame(h2Ping, 0, 0, make([]byte, 8)) },
		"settings": func(uint32) []byte { return frame(h2Settings, 0, 0, nil) },
		"streams left open": func(n uint32) []byte {
			return frame(h2Headers, h2EndHeaders, 2*n+1, h2Request())
		},
	}
	for name, next := range floods {
		t.Run(name, func(t *testing.T) {
			r := start(t, func(s *Server) { s.arrivals.trial = floodTime })
			conn, err := tls.Dial("tcp", r.Addr(), hostileTLS("h2", nil))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			r.attacked(t, 24<<20, func() {
				go io.Copy(io.Discard, conn)
				w := bufio.NewWriter(conn)
				_, _ = w.WriteString("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
				_, _ = w.Write(frame(h2Settings, 0, 0, nil))
				sent := uint32(0)
				for ; err == nil; sent++ {
					if _, err = w.Write(next(sent)); err == nil && sent%16 == 0 {
						err = w.Flush()
					}
				}
				t.Logf("closed after %d frames", sent)
			})
			r.serves(t)
			r.counts(t, reasonUnproven, 1)
			if n := r.register.recorded(); n != len(transports) {
				t.Errorf("%d messages recorded", n)
			}
		})
	}
}

// A stranger has few calls to prove itself with, and is then shut out.
func TestCallFlood(t *testing.T) {
	for _, transport := range transports {
		r := start(t, nil)
		c := r.dial(t, transport, nil)
		r.attacked(t, 16<<20, func() {
			for n := range trialCalls {
				resp, err := c.http.Get(c.url + "/")
				if err != nil {
					t.Fatalf("%s: call %d: %v", transport, n, err)
				}
				_ = resp.Body.Close()
			}
			if resp, err := c.http.Get(c.url + "/"); err == nil {
				_ = resp.Body.Close()
				t.Errorf("%s: call %d was answered", transport, trialCalls+1)
			}
		})
		r.serves(t)
		r.countsAtLeast(t, reasonTooManyCalls, 1)
		r.counts(t, reasonBroken, trialCalls)
	}
}
