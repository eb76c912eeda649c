package main

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// peer is a running peer, and the agents' connections to it.
type peer struct {
	kind   string
	cmd    *exec.Cmd
	in     io.WriteCloser
	lines  *bufio.Reader
	server *net.UDPAddr
	roots  *x509.CertPool

	mu   sync.Mutex
	open map[*agent]*quic.Conn
}

// startPeer starts this program again as a server of one kind.
func startPeer(kind string, authorities [][]byte) (*peer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &peer{kind: kind, cmd: exec.Command(self, peerWord, kind), roots: x509.NewCertPool(), open: map[*agent]*quic.Conn{}} // ends when its standard input does
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.lines = bufio.NewReader(out)
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	has, err := p.ask(peerNeeds{Clients: authorities})
	if err != nil {
		p.stop()
		return nil, err
	}
	ca, err := x509.ParseCertificate(has.Authority)
	if err == nil {
		p.roots.AddCert(ca)
		p.server, err = net.ResolveUDPAddr("udp", has.Address)
	}
	if err != nil {
		p.stop()
	}
	return p, err
}

// ask writes a line and reads the answer.
func (p *peer) ask(needs peerNeeds) (peerHas, error) {
	var has peerHas
	if err := json.NewEncoder(p.in).Encode(needs); err != nil {
		return has, fmt.Errorf("the peer has ended: %w", err)
	}
	line, err := p.lines.ReadBytes('\n')
	if err != nil {
		return has, fmt.Errorf("the peer has ended: %w", err)
	}
	return has, json.Unmarshal(line, &has)
}

// stop leaves the peer, which then ends.
func (p *peer) stop() {
	for _, c := range p.open {
		_ = c.CloseWithError(0, "")
	}
	_ = p.in.Close()
	_ = p.cmd.Wait()
}

// connect gives an agent one more connection, to the peer.
func (p *peer) connect(ctx context.Context, a *agent) error {
	c := a.config("localhost", p.roots)
	c.NextProtos = []string{bareProtocol}
	if p.kind == "http3" {
		c = http3.ConfigureTLSConfig(c)
	}
	conn, err := a.socket().Dial(ctx, p.server, c, clientQUIC())
	if err != nil {
		return err
	}
	if p.kind == "http3" {
		err = call(ctx, conn)
	}
	if err != nil {
		_ = conn.CloseWithError(0, "")
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[a] = conn
	return nil
}

func call(ctx context.Context, conn *quic.Conn) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://localhost/", nil)
	if err != nil {
		return err
	}
	resp, err := (&http3.Transport{DisableCompression: true}).NewClientConn(conn).RoundTrip(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

// complete sees to it that the server has a connection of every agent. One may
// have been refused after its client thought that it was connected, and the
// refusal be lost: so few are missing then that the figures do not feel it.
func (p *peer) complete(ctx context.Context, agents []*agent) error {
	for until := time.Now().Add(10 * time.Second); ; {
		has, err := p.ask(peerNeeds{})
		if err != nil {
			return err
		}
		dead := 0
		for _, a := range agents {
			if p.open[a].Context().Err() != nil {
				dead++
				err = errors.Join(err, p.connect(ctx, a))
			}
		}
		if dead == 0 && has.Accepted >= int64(len(agents)-len(agents)/200) {
			return nil
		}
		if time.Now().After(until) || !pause(ctx, 50*time.Millisecond) {
			return errors.Join(fmt.Errorf("of %d connections the bare %s server accepted %d, and %d are dead: this is no measurement",
				len(agents), p.kind, has.Accepted, dead), err)
		}
	}
}
