package installer

import (
	"bufio"
	"bytes"
	"io"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"
)

// mailSink is a mail server on loopback that takes every message, as the one takes it
// that relays for a collector on its own machine: without TLS and without a login.
type mailSink struct {
	net.Listener
	t    *testing.T
	mu   sync.Mutex
	took map[string][]string // texts, by address
}

func newMailSink(t *testing.T) *mailSink {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mailSink{Listener: l, t: t, took: map[string][]string{}}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() { m.talk(conn) })
		}
	})
	t.Cleanup(func() { l.Close(); open.Wait() })
	return m
}

// talk is one conversation (RFC 5321), as far as a sender needs it.
func (m *mailSink) talk(conn net.Conn) {
	defer conn.Close()
	in := textproto.NewReader(bufio.NewReader(conn))
	answer := func(line string) bool { _, err := io.WriteString(conn, line+"\r\n"); return err == nil }
	to := ""
	for answer("220 sink"); ; {
		line, err := in.ReadLine()
		if err != nil {
			return
		}
		switch verb, rest, _ := strings.Cut(line, ":"); strings.ToUpper(verb) {
		case "RCPT TO":
			to = strings.Trim(rest, "<> ")
			answer("250 ok")
		case "DATA":
			answer("354 go on")
			message, err := in.ReadDotBytes()
			if err != nil {
				return
			}
			m.take(to, message)
			answer("250 taken")
		case "QUIT":
			answer("221 bye")
			return
		default:
			answer("250 ok")
		}
	}
}

func (m *mailSink) take(to string, message []byte) {
	parsed, err := mail.ReadMessage(bytes.NewReader(message))
	if err != nil {
		m.t.Errorf("no message: %v\n%s", err, message)
		return
	}
	body := parsed.Body
	if strings.EqualFold(parsed.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		m.t.Errorf("a message that cannot be read: %v\n%s", err, message)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.took[to] = append(m.took[to], string(text))
}

// link is the first address below origin in the newest message to an address, "" while
// there is none.
func (m *mailSink) link(to, origin string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.took[to]
	if len(all) == 0 {
		return ""
	}
	_, rest, found := strings.Cut(all[len(all)-1], origin)
	if !found {
		return ""
	}
	return origin + strings.Fields(rest + " .")[0]
}
