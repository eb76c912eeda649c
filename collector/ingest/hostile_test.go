package ingest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"anagrafe/protocol"
)

// Clients that mean harm, against the real server over loopback. After it:
// what they did was refused, it is counted where operations see it, memory is
// bounded, and an agent in good standing is served. Client and server share
// this process, so that the memory measured is that of both sides.

// heap is how much memory is in use, after a collection.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what has finalizers goes in the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) + int64(m.StackInuse)
}

// attacked measures an attack: the most memory while it goes on, and what is
// left of it when it returns.
func (r *rig) attacked(t *testing.T, most int64, attack func()) {
	t.Helper()
	before := heap()
	stop, peak := make(chan struct{}), make(chan int64)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		var high int64
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			high = max(high, int64(m.HeapAlloc+m.StackInuse)) // with what could be collected
			select {
			case <-tick.C:
			case <-stop:
				peak <- high
				return
			}
		}
	}()
	attack()
	close(stop)
	grown := <-peak - before
	t.Logf("memory grew by %d KiB, of which %d KiB stay", grown>>10, (heap()-before)>>10)
	if grown > most {
		t.Errorf("memory grew by %d KiB, at most %d are bearable", grown>>10, most>>10)
	}
}

// serves shows that an agent in good standing is served, over both transports.
func (r *rig) serves(t *testing.T) {
	t.Helper()
	_, cert, _ := r.agent(t, time.Now())
	for _, transport := range transports {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := deliver(ctx, r.dial(t, transport, cert), message(t, time.Now().UnixMicro(), protocol.Observation{})); err != nil {
			t.Errorf("an agent in good standing, over %s: %v", transport, err)
		}
	}
}

// counts waits until the server has counted as many refusals for a reason:
// it learns of a connection's end after the client.
func (r *rig) counts(t *testing.T, reason protocol.Reason, want float64) {
	t.Helper()
	if got := r.countsAtLeast(t, reason, want); got > want {
		t.Errorf("%v refusals are counted as %q, want %v", got, reason, want)
	}
}

func (r *rig) countsAtLeast(t *testing.T, reason protocol.Reason, want float64) (got float64) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); runtime.Gosched() {
		if got = r.count(t, "refused_total", string(reason)); got >= want {
			break
		}
	}
	if got < want {
		t.Errorf("%v refusals are counted as %q, want %v", got, reason, want)
	}
	return got
}

// hostileTLS is a client's configuration without any scruple.
func hostileTLS(protocols string, cert *tls.Certificate) *tls.Config {
	c := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{protocols}}
	if cert != nil {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	return c
}

func (r *rig) udpAddr(t *testing.T) *net.UDPAddr {
	t.Helper()
	a, err := net.ResolveUDPAddr("udp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// rawQUIC is a connection without HTTP on it.
func (r *rig) rawQUIC(t *testing.T, cert *tls.Certificate) *quic.Conn {
	t.Helper()
	conn, err := quic.DialAddr(t.Context(), r.Addr(), hostileTLS("h3", cert), &quic.Config{KeepAlivePeriod: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseWithError(0, "") })
	return conn
}

// rawTCP is a connection without TLS on it.
func (r *rig) rawTCP(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// selfMade is a certificate that a stranger made, with the name that they like
// in it and above it.
func selfMade(t *testing.T, template, parent *x509.Certificate, key, signer any) *tls.Certificate {
	t.Helper()
	return &tls.Certificate{Certificate: [][]byte{signed(t, template, parent, key, signer)}, PrivateKey: key}
}

func observation() protocol.Body { return protocol.Observation{} }
