package uplink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/testutils/simnet"
)

// TestSilence has a look each second at the counters of a connection.
func TestSilence(t *testing.T) {
	type counters struct{ sent, received uint64 }
	always := func(c counters, n int) (all []counters) {
		for range n {
			all = append(all, c)
		}
		return all
	}
	for name, c := range map[string]struct {
		looks []counters
		gone  int // the look that says so; -1: none
	}{
		"idle":                             {always(counters{9, 9}, 30), -1},
		"keep-alives answered":             {[]counters{{9, 9}, {10, 10}, {11, 11}, {12, 12}, {13, 13}, {14, 14}, {15, 15}, {16, 16}}, -1},
		"an acknowledgement, unanswered":   {append([]counters{{9, 9}}, always(counters{10, 9}, 30)...), -1},
		"probes without an answer":         {[]counters{{9, 9}, {11, 9}, {12, 9}, {13, 9}, {13, 9}, {14, 9}, {14, 9}, {14, 9}}, 6},
		"probes at once, then nothing":     {append([]counters{{9, 9}}, always(counters{14, 9}, 8)...), 6},
		"an answer just in time":           {[]counters{{9, 9}, {11, 9}, {12, 9}, {13, 9}, {13, 9}, {14, 10}, {14, 10}, {14, 10}}, -1},
		"nothing was ever heard of it":     {append([]counters{{1, 0}}, always(counters{5, 0}, 8)...), 6},
		"an answer, then silence for long": {append([]counters{{9, 9}, {11, 9}, {12, 9}, {13, 10}}, always(counters{20, 10}, 8)...), 9},
	} {
		t.Run(name, func(t *testing.T) {
			var s silence
			now, gone := time.Unix(1_000_000, 0), -1
			for i, at := range c.looks {
				if s.look(at.sent, at.received, now.Add(time.Duration(i)*time.Second)) {
					gone = i
					break
				}
			}
			if gone != c.gone {
				t.Errorf("gone at look %d, want %d", gone, c.gone)
			}
		})
	}
}

// cable is a network of two ends that can be cut.
type cable struct {
	simnet.PerfectRouter
	cut atomic.Bool
}

func (c *cable) SendPacket(p simnet.Packet) error {
	if c.cut.Load() {
		return nil // lost
	}
	return c.PerfectRouter.SendPacket(p)
}

// TestCloseWhenSilent holds an idle connection for an hour, then takes its
// other end away without a word.
func TestCloseWhenSilent(t *testing.T) {
	a := newAuthority(t)
	key := newKey(t)
	cert := a.sign(t, "collector", &key.PublicKey, time.Now(), "collector.test")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		between := &cable{}
		at := func(last byte) *quic.Transport {
			conn := simnet.NewSimConn(&net.UDPAddr{IP: net.IPv4(192, 0, 2, last), Port: 8443}, between)
			return &quic.Transport{Conn: conn}
		}
		far, near := at(1), at(2)
		defer func() { _ = errors.Join(near.Close(), far.Close(), near.Conn.Close(), far.Conn.Close()) }()
		l, err := far.Listen(&tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}, NextProtos: []string{"test"}},
			&quic.Config{MaxIdleTimeout: 75 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = l.Accept(ctx) }()
		pool := x509.NewCertPool()
		pool.AddCert(a.cert)
		conn, err := near.Dial(ctx, far.Conn.LocalAddr(), &tls.Config{RootCAs: pool, ServerName: "collector.test", NextProtos: []string{"test"},
			Time: func() time.Time { return cert.NotBefore.Add(time.Hour) }},
			&quic.Config{KeepAlivePeriod: 20 * time.Second, MaxIdleTimeout: 60 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { CloseWhenSilent(conn); close(ended) }()
		time.Sleep(time.Hour)
		if err := conn.Context().Err(); err != nil {
			t.Fatalf("an idle connection was closed: %v", context.Cause(conn.Context()))
		}
		between.cut.Store(true)
		cut := time.Now()
		<-ended
		// A keep-alive is due within 20 s.
		if took := time.Since(cut); conn.Context().Err() == nil || took > 20*time.Second+silenceLimit+3*silenceLook {
			t.Errorf("noticed after %v", took)
		}
	})
}
