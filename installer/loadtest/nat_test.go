package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// TestRebind: the other end sees another port, and the connection goes on.
func TestRebind(t *testing.T) {
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	listener, err := quic.ListenAddr("127.0.0.1:0", &tls.Config{Certificates: certified.TLS.Certificates, NextProtos: []string{bareProtocol}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	accepted := make(chan *quic.Conn, 1)
	go func() {
		conn, err := listener.Accept(t.Context())
		if err != nil {
			return
		}
		accepted <- conn
		echoAll(conn)
	}()
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 1, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	transport := &quic.Transport{Conn: socket}
	defer transport.Close()
	roots := x509.NewCertPool()
	roots.AddCert(certified.Certificate())
	conn, err := transport.Dial(t.Context(), listener.Addr(), &tls.Config{RootCAs: roots, ServerName: "example.com", NextProtos: []string{bareProtocol}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := conn.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	echo := func() {
		t.Helper()
		if _, err := stream.Write([]byte("still there?")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(stream, make([]byte, len("still there?"))); err != nil {
			t.Fatal(err)
		}
	}
	echo()
	other := <-accepted
	before := other.RemoteAddr().String()
	if err := rebind(socket); err != nil {
		t.Fatal(err)
	}
	for other.RemoteAddr().String() == before { // the path is validated first; the stream's deadline ends this
		echo()
	}
	echo()
	if err := socket.Close(); err != nil {
		t.Fatal(err)
	}
	if err := rebind(socket); err == nil {
		t.Error("a socket that is closed has another port")
	}
}
