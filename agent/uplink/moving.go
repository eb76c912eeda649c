package uplink

import (
	"context"
	"errors"
	"net"

	"github.com/quic-go/quic-go"
)

// leg is a socket that a connection uses or has used. Closing one that it has
// left would close the connection, so all live as long as that.
type leg struct {
	transport *quic.Transport
	socket    *net.UDPConn
}

func (l leg) close() {
	_ = l.transport.Close()
	_ = l.socket.Close()
}

// move has the connection go on over a new socket, once the collector has
// answered there.
func (c *h3conn) move(ctx context.Context) error {
	if !c.answered.Load() {
		return errors.New("nothing was ever answered on it")
	}
	c.mu.Lock()
	full := len(c.moved) >= mostMoves
	c.mu.Unlock()
	if full {
		return errors.New("it has moved often enough")
	}
	socket, err := net.ListenUDP("udp", nil)
	if err != nil {
		return err
	}
	l := leg{&quic.Transport{Conn: socket}, socket}
	path, err := c.quic.AddPath(l.transport)
	if err == nil {
		probing, cancel := context.WithTimeout(ctx, probeTimeout)
		defer cancel()
		err = path.Probe(probing)
	}
	if err != nil {
		l.close()
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		l.close()
		return net.ErrClosed
	}
	c.moved = append(c.moved, l)
	return path.Switch()
}
