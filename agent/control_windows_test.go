package main

import (
	"bufio"
	"crypto/tls"
	"encoding/pem"
	"net"
	"os"
	"testing"

	"anagrafe/agent/keyfile"
)

// TestControlClosedToOthers: a program of another user finds the port, and is told
// nothing; one that sits at the port is told nothing either.
func TestControlClosedToOthers(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	listener := answering(t, dir)
	defer listener.Close()
	for name, config := range map[string]*tls.Config{
		"no certificate":     {InsecureSkipVerify: true},
		"of another agent's": another(t, other),
	} {
		conn, err := tls.Dial("tcp", listener.Addr().String(), config)
		if err == nil {
			_, err = bufio.NewReader(conn).ReadString('\n')
			_ = conn.Close()
		}
		if err == nil {
			t.Errorf("%s: answered", name)
		}
	}
	if b, err := os.ReadFile(controlFile(dir)); err != nil || pemIn(b) {
		t.Errorf("the key lies in clear: %v", err)
	}

	imposter, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer imposter.Close()
	served := tls.NewListener(imposter, another(t, other))
	go func() {
		for {
			conn, err := served.Accept()
			if err != nil {
				return
			}
			_ = conn.(*tls.Conn).Handshake()
			_ = conn.Close()
		}
	}()
	content, err := keyfile.Read(controlFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	_, rest := pem.Decode(content)
	content = append(pem.EncodeToMemory(&pem.Block{Type: addressBlock, Bytes: []byte(imposter.Addr().String())}), rest...)
	if err := keyfile.Write(controlFile(dir), content); err != nil {
		t.Fatal(err)
	}
	if conn, err := dialControl(t.Context(), dir); err == nil {
		_ = conn.Close()
		t.Error("another program at the port was taken for the agent")
	}
}

func pemIn(b []byte) bool { block, _ := pem.Decode(b); return block != nil }

// another is what the agent of another directory shows.
func another(t *testing.T, dir string) *tls.Config {
	listener := answering(t, dir)
	defer listener.Close()
	content, err := keyfile.Read(controlFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	_, rest := pem.Decode(content)
	own, err := tls.X509KeyPair(rest, rest)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{own}, InsecureSkipVerify: true, ClientAuth: tls.RequestClientCert}
}
