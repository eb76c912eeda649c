package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// peerWord as the first argument makes this program a server that does no more
// than its protocol.
const peerWord = "peer"

// peerKinds: nothing but mutual TLS over QUIC; or with HTTP/3 on it, and one
// empty call made.
var peerKinds = []string{"quic", "http3"}

// echoKind is a peer as "quic" is, but for what it gets: that it sends back.
const echoKind = "echo"

// bareProtocol is the ALPN name of connections that carry nothing.
const bareProtocol = "anagrafe-bare"

// peerNeeds is the line that a peer reads first, peerHas the one that it
// answers it, and every other, with.
type (
	peerNeeds struct {
		Clients [][]byte `json:"clients"` // DER: authorities of the agents
	}
	peerHas struct {
		Address   string `json:"address"`
		Authority []byte `json:"authority"` // DER, of its own certificate
		Accepted  int64  `json:"accepted"`  // connections until now
	}
)

// serverQUIC is the collector's own (package ingest, listen.go).
func serverQUIC() *quic.Config {
	return &quic.Config{
		HandshakeIdleTimeout: 5 * time.Second, MaxIdleTimeout: 75 * time.Second,
		MaxIncomingStreams: 16, MaxIncomingUniStreams: 8,
		InitialStreamReceiveWindow: 64 << 10, MaxStreamReceiveWindow: 256 << 10,
		InitialConnectionReceiveWindow: 128 << 10, MaxConnectionReceiveWindow: 512 << 10,
	}
}

// servePeer is the peer's process: it serves until in ends.
func servePeer(kind string, in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	if !lines.Scan() {
		return errors.New("a peer is started by loadtest itself")
	}
	var needs peerNeeds
	if err := json.Unmarshal(lines.Bytes(), &needs); err != nil {
		return err
	}
	config, has, err := peerConfig(needs)
	if err != nil {
		return err
	}
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	defer socket.Close()
	transport := &quic.Transport{Conn: socket, ConnectionIDLength: 8}
	defer transport.Close()
	var accepted atomic.Int64
	switch kind {
	case "quic":
		err = serveBare(transport, config, &accepted, func(*quic.Conn) {})
	case echoKind:
		err = serveBare(transport, config, &accepted, func(c *quic.Conn) { go echoAll(c) })
	case "http3":
		err = serveEmpty(transport, config, &accepted)
	default:
		err = fmt.Errorf("there is no peer %q", kind)
	}
	if err != nil {
		return err
	}
	has.Address = socket.LocalAddr().String()
	for {
		has.Accepted = accepted.Load()
		if err := json.NewEncoder(out).Encode(has); err != nil {
			return err
		}
		if !lines.Scan() {
			return lines.Err()
		}
	}
}

// peerConfig makes a certificate of the kind and chain that the collector's is.
func peerConfig(needs peerNeeds) (*tls.Config, peerHas, error) {
	now := time.Now()
	template := func(name string, ca bool) *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour),
			NotAfter: now.Add(24 * time.Hour), IsCA: ca, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, DNSNames: []string{"localhost"}}
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, peerHas{}, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, peerHas{}, err
	}
	ca, err := x509.CreateCertificate(rand.Reader, template("peer authority", true), template("peer authority", true), caKey.Public(), caKey)
	if err != nil {
		return nil, peerHas{}, err
	}
	own, err := x509.CreateCertificate(rand.Reader, template("peer", false), template("peer authority", true), key.Public(), caKey)
	if err != nil {
		return nil, peerHas{}, err
	}
	clients := x509.NewCertPool()
	for _, der := range needs.Clients {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, peerHas{}, err
		}
		clients.AddCert(c)
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{{Certificate: [][]byte{own, ca}, PrivateKey: key}},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients, SessionTicketsDisabled: true, NextProtos: []string{bareProtocol}}, peerHas{Authority: ca}, nil
}

// serveBare accepts connections and gives them to take, which returns at once.
func serveBare(t *quic.Transport, config *tls.Config, accepted *atomic.Int64, take func(*quic.Conn)) error {
	l, err := t.Listen(config, serverQUIC())
	if err != nil {
		return err
	}
	go func() { // until the transport is closed
		for {
			c, err := l.Accept(context.Background())
			if err != nil {
				return
			}
			accepted.Add(1)
			take(c)
		}
	}()
	return nil
}

// serveEmpty answers every request with nothing.
func serveEmpty(t *quic.Transport, config *tls.Config, accepted *atomic.Int64) error {
	l, err := t.ListenEarly(http3.ConfigureTLSConfig(config), serverQUIC())
	if err != nil {
		return err
	}
	s := &http3.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		accepted.Add(1)
		w.WriteHeader(http.StatusNoContent)
	})}
	go func() { _ = s.ServeListener(l) }() // until the transport is closed
	return nil
}
