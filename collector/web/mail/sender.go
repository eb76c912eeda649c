package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"strings"
	"time"

	"anagrafe/collector/letter"
	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
)

const (
	// pollEvery is how often the queue is looked at: a message is no alarm, and
	// the agents are told at once.
	pollEvery = 30 * time.Second
	// batch is how many waiting messages go over one connection.
	batch = 50
	// patience is how long one step (connecting, one message) may take.
	patience = 30 * time.Second
	// batchTime is after what a batch begins no message any more: with connecting and the
	// one under way it stays below the ten minutes for which the queue gives it out.
	batchTime = 8 * time.Minute
)

// Options: all but User, Password, TLS and Now are required.
type Options struct {
	Registry *registry.Registry
	// Server is HOST:PORT of a server that relays for us, by STARTTLS, or
	// smtps://HOST:PORT of one that speaks TLS from the first byte (RFC 8314).
	// Without TLS, and without a user, one on loopback will do.
	Server         string
	From           string             // an address, with or without a name before it
	User, Password string             // "": no login
	Channels       []registry.Channel // of which messages go over that server
	PublicURL      string             // below which a message's own path leads, without a / at its end
	Link           string             // where a message leads
	ContactLink    string             // the same for contacts who have to accept: their token follows
	EndLink        string             // where a reader of alerts ends them: their token follows
	Inviter        letter.Office      // who invites
	TLS            *tls.Config        // nil: the system's authorities
	Log            *slog.Logger
	Now            func() time.Time // nil: time.Now
}

// Sender sends the register's mail.
type Sender struct {
	Options         // without its Password
	password string // Options.Password
	addr     string // HOST:PORT
	host     string
	implicit bool // TLS from the first byte
	from     mail.Address
	patience time.Duration
	words    *pages.Set
	letters  *letter.Letters
}

// New checks the options.
func New(o Options) (*Sender, error) {
	s := &Sender{Options: o, password: o.Password, patience: patience}
	s.Password = ""
	s.addr, s.implicit = strings.CutPrefix(o.Server, "smtps://")
	var err error
	if s.host, _, err = net.SplitHostPort(s.addr); err != nil || s.host == "" {
		return nil, fmt.Errorf("the mail server %q is not HOST:PORT, e.g. smtp.comune.example.it:587, nor smtps://HOST:PORT", o.Server)
	}
	from, err := mail.ParseAddress(o.From)
	if err != nil {
		return nil, fmt.Errorf("the sender %q is not an address, e.g. telecamere@comune.example.it", o.From)
	}
	s.from = *from
	if (o.User == "") != (o.Password == "") {
		return nil, errors.New("the mail server's user and password go together: give both, or neither")
	}
	if o.Registry == nil || len(o.Channels) == 0 || o.PublicURL == "" || o.Link == "" || o.ContactLink == "" || o.EndLink == "" || o.Log == nil {
		return nil, errors.New("mail needs the registry, channels, links and a log")
	}
	if s.words, err = pages.Load(files, o.Log); err != nil {
		return nil, fmt.Errorf("load the words of mail: %w", err)
	}
	if s.letters, err = letter.New(o.Inviter, o.Log); err != nil {
		return nil, err
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	return s, nil
}

func (s *Sender) queue() queue {
	return queue{s.Registry, s.Now, s.Log, "mail", "the mail server " + s.addr}
}

// Run sends what is due until ctx ends.
func (s *Sender) Run(ctx context.Context) error { return s.queue().run(ctx, s.SendDue) }

// SendDue sends all that is due now.
func (s *Sender) SendDue(ctx context.Context) error {
	return s.queue().due(ctx, batch, s.Channels, s.sendBatch)
}

// sendBatch sends over one connection.
func (s *Sender) sendBatch(ctx context.Context, due []registry.Mail) error {
	c, err := s.connect(ctx)
	if err != nil {
		return s.queue().putOff(ctx, due, fmt.Errorf("reach the mail server %s: %w", s.addr, err))
	}
	defer c.close()
	return s.queue().sendEach(ctx, due, c.send)
}
