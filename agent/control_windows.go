package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/windows"

	"anagrafe/agent/keyfile"
)

const errNotListening = windows.WSAECONNREFUSED

// The blocks of the file: its address stands in the first.
const (
	addressBlock     = "ANAGRAFE CONTROL ADDRESS"
	certificateBlock = "CERTIFICATE"
	keyBlock         = "PRIVATE KEY"
)

func controlFile(dir string) string { return filepath.Join(dir, "control.key") }

// listenControl opens a port of loopback to whoever can read dir/control.key: the agent's
// account and the administrators. Both sides show the one certificate that is in
// it, so that neither another user's program nor one that took the port of a dead
// agent is ever spoken to. The caller holds dir/lock.
func listenControl(dir string) (net.Listener, error) {
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("opening the control port: %w", err)
	}
	listener, err := closedPort(dir, plain)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("writing the key of the control port: %w", err), plain.Close())
	}
	return listener, nil
}

func closedPort(dir string, plain net.Listener) (net.Listener, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // RFC 5280 4.1.2.5; it lives as long as the process
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	var content []byte
	for _, b := range []pem.Block{{Type: addressBlock, Bytes: []byte(plain.Addr().String())}, {Type: certificateBlock, Bytes: certificate}, {Type: keyBlock, Bytes: der}} {
		content = append(content, pem.EncodeToMemory(&b)...)
	}
	if err := keyfile.Write(controlFile(dir), content); err != nil {
		return nil, err
	}
	own := tls.Certificate{Certificate: [][]byte{certificate}, PrivateKey: key}
	return leaving{tls.NewListener(plain, controlTLS(own)), controlFile(dir)}, nil
}

// leaving takes the key away with the listener, as a Unix socket goes with its own.
type leaving struct {
	net.Listener
	path string
}

func (l leaving) Close() error { return errors.Join(l.Listener.Close(), os.Remove(l.path)) }

// dialControl reaches the agent that runs on dir.
func dialControl(ctx context.Context, dir string) (net.Conn, error) {
	content, err := keyfile.Read(controlFile(dir))
	if err != nil {
		return nil, err
	}
	blocks := map[string][]byte{}
	for b, rest := pem.Decode(content); b != nil; b, rest = pem.Decode(rest) {
		blocks[b.Type] = b.Bytes
	}
	key, err := x509.ParsePKCS8PrivateKey(blocks[keyBlock])
	if err != nil {
		return nil, fmt.Errorf("%s: %w (restart the agent, which writes it anew)", controlFile(dir), err)
	}
	own := tls.Certificate{Certificate: [][]byte{blocks[certificateBlock]}, PrivateKey: key}
	return (&tls.Dialer{Config: controlTLS(own)}).DialContext(ctx, "tcp", string(blocks[addressBlock]))
}

// controlTLS is the same on both sides: each takes only the very certificate it
// shows itself, of which TLS has the other prove that it holds the key.
func controlTLS(own tls.Certificate) *tls.Config {
	return &tls.Config{
		Certificates:       []tls.Certificate{own},
		ClientAuth:         tls.RequireAnyClientCert,
		InsecureSkipVerify: true, // VerifyConnection is stricter
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) != 1 || string(state.PeerCertificates[0].Raw) != string(own.Certificate[0]) {
				return errors.New("the other side does not hold the key of this agent's control port")
			}
			return nil
		},
		MinVersion:             tls.VersionTLS13,
		SessionTicketsDisabled: true,
	}
}
