//go:build long || bench

package installer

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// shuffle relays datagrams from listen to target (host:port) and back, each
// up to 40 ms late, so that one in several overtakes another. It writes to out,
// for each sender, how many datagrams came before the first answer, and ends
// when in does. The port that listen names must be where the sender's packets
// are turned to.
func shuffle(listen, target string, in io.Reader, out io.Writer) error {
	at, err := net.ResolveUDPAddr("udp", listen)
	if err != nil {
		return err
	}
	to, err := net.ResolveUDPAddr("udp", target)
	if err != nil {
		return err
	}
	socket, err := net.ListenUDP("udp", at)
	if err != nil {
		return err
	}
	s := &shuffler{socket: socket, to: to, out: out, flows: map[string]*flow{}}
	s.tasks.Go(s.read)
	_, err = io.Copy(io.Discard, in)
	return errors.Join(err, s.close())
}

type shuffler struct {
	socket *net.UDPConn
	to     *net.UDPAddr
	out    io.Writer

	mu    sync.Mutex
	flows map[string]*flow
	tasks sync.WaitGroup
}

// flow is one sender.
type flow struct {
	onward   *net.UDPConn
	before   int // datagrams before the first answer
	answered bool
}

func (s *shuffler) read() {
	buffer := make([]byte, 64<<10)
	for {
		n, from, err := s.socket.ReadFromUDP(buffer)
		if err != nil {
			return
		}
		f, err := s.flow(from)
		if err != nil {
			return
		}
		s.mu.Lock()
		if !f.answered {
			f.before++
		}
		s.mu.Unlock()
		packet := append([]byte(nil), buffer[:n]...)
		s.late(func() { _, _ = f.onward.Write(packet) })
	}
}

// late does something after up to 40 ms.
func (s *shuffler) late(what func()) {
	time.AfterFunc(rand.N(40*time.Millisecond), what)
}

func (s *shuffler) flow(from *net.UDPAddr) (*flow, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.flows[from.String()]; ok {
		return f, nil
	}
	onward, err := net.DialUDP("udp", nil, s.to)
	if err != nil {
		return nil, err
	}
	f := &flow{onward: onward}
	s.flows[from.String()] = f
	s.tasks.Go(func() { s.back(f, from) })
	return f, nil
}

func (s *shuffler) back(f *flow, from *net.UDPAddr) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := f.onward.Read(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // "connection refused" while the collector is down
		}
		s.mu.Lock()
		if !f.answered {
			f.answered = true
			fmt.Fprintln(s.out, f.before)
		}
		s.mu.Unlock()
		packet := append([]byte(nil), buffer[:n]...)
		s.late(func() { _, _ = s.socket.WriteToUDP(packet, from) })
	}
}

func (s *shuffler) close() error {
	err := s.socket.Close()
	s.mu.Lock()
	for _, f := range s.flows {
		err = errors.Join(err, f.onward.Close())
	}
	s.mu.Unlock()
	s.tasks.Wait()
	return err
}
