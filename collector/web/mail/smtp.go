package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"anagrafe/collector/registry"
)

// conversation is a connection to the mail server, ready for messages.
type conversation struct {
	*smtp.Client
	s    *Sender
	conn net.Conn
	stop func() bool
}

// outcome is what became of one message; the zero value: the server took it.
type outcome struct {
	err     error
	bounced bool // the address is refused for good
	broken  bool // the connection is of no use any more
}

// connect opens a connection that ends with ctx.
func (s *Sender) connect(ctx context.Context) (_ *conversation, err error) {
	dialer := net.Dialer{Timeout: s.patience}
	conn, err := dialer.DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return nil, err
	}
	c := &conversation{s: s, conn: conn, stop: context.AfterFunc(ctx, func() { _ = conn.Close() })}
	defer func() {
		if err != nil {
			c.stop()
			_ = conn.Close()
		}
	}()
	c.hurry()
	if s.implicit {
		conn = tls.Client(conn, s.tlsConfig())
	}
	if c.Client, err = smtp.NewClient(conn, s.host); err != nil {
		return nil, shown(err)
	}
	return c, c.begin()
}

func (s *Sender) tlsConfig() *tls.Config {
	config := s.TLS.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	config.ServerName, config.MinVersion = s.host, tls.VersionTLS12
	return config
}

// hurry gives the next step its time.
func (c *conversation) hurry() { _ = c.conn.SetDeadline(time.Now().Add(c.s.patience)) }

// begin says hello, and does not go on without TLS, but for a server on this
// machine to which no password is sent.
func (c *conversation) begin() error {
	_, domain, _ := strings.Cut(c.s.from.Address, "@")
	if err := c.Hello(domain); err != nil {
		return shown(err)
	}
	if !c.s.implicit && !(loopback(c.s.host) && c.s.User == "") {
		if offered, _ := c.Extension("STARTTLS"); !offered {
			return errors.New("it offers no STARTTLS, and nothing is sent in clear: give the port of submission (587), or smtps://HOST:465")
		}
		if err := c.StartTLS(c.s.tlsConfig()); err != nil {
			return shown(err)
		}
	}
	if c.s.User == "" {
		return nil
	}
	if err := c.Auth(smtp.PlainAuth("", c.s.User, c.s.password, c.s.host)); err != nil {
		return fmt.Errorf("sign in: %w (check smtp_user and smtp_password_file)", shown(err))
	}
	return nil
}

func (c *conversation) close() {
	c.hurry()
	if c.Quit() != nil {
		_ = c.Client.Close()
	}
	c.stop()
}

// send hands one message over.
func (c *conversation) send(m registry.Mail) outcome {
	c.hurry()
	message, err := c.s.compose(m, c.s.Now())
	if err != nil {
		return outcome{err: err}
	}
	if err := c.Mail(c.s.from.Address); err != nil {
		return c.refused("the sender", err, false)
	}
	if err := c.Rcpt(m.Address); err != nil {
		return c.refused("the address", err, true)
	}
	w, err := c.Data()
	if err != nil {
		return c.refused("the message", err, false)
	}
	if _, err := w.Write(message); err != nil {
		return c.refused("the message", err, false)
	}
	if err := w.Close(); err != nil {
		return c.refused("the message", err, false)
	}
	return outcome{}
}

// refused reports what an error means. Only what a server says to the address
// itself is held against it: the rest may be our own fault, or the server's.
func (c *conversation) refused(what string, err error, address bool) outcome {
	o := outcome{err: fmt.Errorf("the server refused %s: %w", what, shown(err))}
	said, ok := errors.AsType[*textproto.Error](err)
	if !ok || said.Code == 421 { // 421: it is closing
		o.err, o.broken = shown(err), true
		return o
	}
	o.bounced = address && badAddress(said)
	if err := c.Reset(); err != nil {
		o.broken = true
	}
	return o
}

// badAddress reports whether an answer to RCPT is for good and about the address.
// 530 and 535 ask us to sign in (RFC 4954), 555 is about our command's form, and
// 5.7.x is a matter of policy (RFC 3463): who may send, not who receives.
func badAddress(e *textproto.Error) bool {
	switch e.Code {
	case 530, 535, 555:
		return false
	}
	return e.Code/100 == 5 && !strings.HasPrefix(e.Msg, "5.7.")
}

// shown is an error without the server's words.
func shown(err error) error {
	if said, ok := errors.AsType[*textproto.Error](err); ok {
		return fmt.Errorf("it answered %d", said.Code)
	}
	return err
}

// loopback reports whether a host is this machine. A name below localhost is not, as in
// web: it may be looked up elsewhere, and who answers would be sent secrets in clear.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}
