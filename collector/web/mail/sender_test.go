package mail

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/collector/registry/registrytest"
	"anagrafe/protocol"
)

const link = "https://telecamere.example.it/site"

const contactLink = "https://telecamere.example.it/contact/"

const endLink = "https://telecamere.example.it/alerts/"

// post is a register with sites, and a sender of its mail.
type post struct {
	*Sender
	t   *testing.T
	log bytes.Buffer
	now time.Time
}

func newPost(t *testing.T, server string, change func(*Options)) *post {
	t.Helper()
	p := &post{t: t, now: time.Now().UTC()}
	log := slog.New(slog.NewTextHandler(&p.log, nil))
	register := registrytest.Options(t.TempDir(), log)
	register.SMS = true
	o := Options{Registry: registrytest.Open(t, register), Server: server, From: "Telecamere <telecamere@comune.example.it>",
		Channels: []registry.Channel{registry.ChannelEmail, registry.ChannelPEC}, PublicURL: "https://telecamere.example.it", Link: link,
		ContactLink: contactLink, EndLink: endLink, Log: log, Now: func() time.Time { return p.now }}
	if change != nil {
		change(&o)
	}
	var err error
	if p.Sender, err = New(o); err != nil {
		t.Fatal(err)
	}
	return p
}

// site adds a site whose contacts have these addresses, and queues mail to them.
func (p *post) site(addresses ...string) (id string) {
	p.t.Helper()
	var contacts []protocol.Contact
	for _, a := range addresses {
		contacts = append(contacts, protocol.Contact{Name: "Anna Bianchi", Role: protocol.RoleOwner, Email: a})
	}
	return p.declare(contacts...)
}

// declare is site with any contacts.
func (p *post) declare(contacts ...protocol.Contact) (id string) {
	p.t.Helper()
	at, agent := p.now.Add(-time.Hour), uuid.NewString()
	hash := sha256.Sum256([]byte(agent))
	id, err := p.Registry.Invite(p.t.Context(), registry.Invitation{Site: protocol.Site{Name: "Bar"}, CodeHash: hash, ExpiresAt: p.now, At: at})
	if err != nil {
		p.t.Fatal(err)
	}
	grant, err := p.Registry.Redeem(p.t.Context(), ingest.Redemption{CodeHash: hash, KeyHash: hash, AgentID: agent, At: at})
	if err != nil {
		p.t.Fatal(err)
	}
	d := protocol.Declaration{Site: protocol.Site{Name: "Bar Centrale", Category: "shop", Address: "Via Torino 1"},
		Approval: protocol.Approval{By: "Anna Bianchi", Role: protocol.RoleOwner, At: at}}
	d.Contacts = contacts
	m := protocol.Message{ID: uuid.NewString(), SiteID: id, Epoch: grant.Epoch, Revision: 1, MadeAt: at, Body: d}
	raw, err := protocol.Encode(m)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.Registry.Record(p.t.Context(), agent, m, raw, at); err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.Registry.WriteTo(p.t.Context(), []string{id}, "Chiamateci.", p.now); err != nil {
		p.t.Fatal(err)
	}
	return id
}

// doubted tells of each contact of a site whether it is marked.
func (p *post) doubted(site string) (marks []bool) {
	p.t.Helper()
	all, err := p.Registry.Contacts(p.t.Context(), []string{site})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, c := range all[site] {
		marks = append(marks, c.Unverified)
	}
	return marks
}

// waits tells whether something is due later.
func (p *post) waits(later time.Duration) bool {
	p.t.Helper()
	due, err := p.Registry.DueMail(p.t.Context(), p.now.Add(later), 1)
	if err != nil {
		p.t.Fatal(err)
	}
	return len(due) > 0
}

// The link of who has to accept to be a contact is their own; all else is the same.
func TestLinkOfAContact(t *testing.T) {
	p := newPost(t, "127.0.0.1:25", nil)
	plain, own, path := p.link(registry.Mail{ID: "1"}), p.link(registry.Mail{ID: "1", Token: "abc"}), p.link(registry.Mail{ID: "1", Path: "/site/x"})
	if plain != link || own != contactLink+"abc" || path != link+"/x" {
		t.Errorf("%q, %q, %q", plain, own, path)
	}
	a, err := text(plain)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := text(own); err != nil || strings.ReplaceAll(b, own, plain) != a {
		t.Errorf("%v: another wording:\n%s", err, b)
	}
}

// A message reaches a real server in each way in which one may be spoken to, and
// says what every message says.
func TestSend(t *testing.T) {
	trust := func(e *exim) func(*Options) { return func(o *Options) { o.TLS = e.trusted } }
	login := func(e *exim) func(*Options) {
		return func(o *Options) { o.TLS, o.User, o.Password = e.trusted, eximUser, eximPassword }
	}
	for name, c := range map[string]struct {
		words  []string
		scheme string
		change func(*exim) func(*Options)
	}{
		"in clear to this machine": {[]string{"no-tls"}, "", trust},
		"STARTTLS with a login":    {[]string{"login"}, "", login},
		"TLS from the first byte":  {[]string{"implicit", "login"}, "smtps://", login},
	} {
		t.Run(name, func(t *testing.T) {
			e := newExim(t, c.words...)
			p := newPost(t, c.scheme+e.addr, c.change(e))
			p.site("anna@example.it")
			if err := p.SendDue(t.Context()); err != nil {
				t.Fatal(err, p.log.String())
			}
			all := e.taken()
			if len(all) != 1 {
				t.Fatalf("the server took %d messages\n%s", len(all), p.log.String())
			}
			checkMessage(t, all[0])
			if p.waits(time.Hour) {
				t.Error("it would be sent again")
			}
			if strings.Contains(p.log.String(), "anna@") {
				t.Error("the address is in the log")
			}
		})
	}
}

func checkMessage(t *testing.T, m *mail.Message) {
	t.Helper()
	h := m.Header
	from, err := h.AddressList("From")
	if err != nil || from[0].Name != "Telecamere" || from[0].Address != "telecamere@comune.example.it" {
		t.Errorf("From: %v, %v", from, err)
	}
	if to, err := h.AddressList("To"); err != nil || len(to) != 1 || to[0].Address != "anna@example.it" {
		t.Errorf("To: %v, %v", to, err)
	}
	if _, err := h.Date(); err != nil {
		t.Error(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
	if err != nil || subject != "C'è un messaggio / There is a message" {
		t.Errorf("Subject: %q, %v", subject, err)
	}
	for name, want := range map[string]string{"Auto-Submitted": "auto-generated", "Mime-Version": "1.0", "Content-Language": "it, en",
		"Content-Type": "text/plain; charset=utf-8", "Content-Transfer-Encoding": "quoted-printable"} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if id := h.Get("Message-Id"); !strings.HasSuffix(id, "@comune.example.it>") || len(id) != len("<@comune.example.it>")+36 {
		t.Errorf("Message-ID: %q", id)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil || !strings.Contains(string(text), "C'è un messaggio del registro") || strings.Count(string(text), "\n"+link) != 2 {
		t.Errorf("%v\n%s", err, text)
	}
	for _, secret := range []string{"Anna", "Bar", "Torino", "preserv", "conserva le", "polizia", "rinnov"} {
		if strings.Contains(strings.ToLower(string(text)), strings.ToLower(secret)) {
			t.Errorf("the text says %q", secret)
		}
	}
}

// What is sent in clear, to a server that nobody vouches for, or without the
// password, is not sent; and it waits.
func TestNotSent(t *testing.T) {
	for name, c := range map[string]struct {
		words  []string
		change func(*exim) func(*Options)
		says   string
	}{
		"a password in clear": {[]string{"no-tls", "login"}, func(e *exim) func(*Options) {
			return func(o *Options) { o.TLS, o.User, o.Password = e.trusted, eximUser, eximPassword }
		}, "STARTTLS"},
		"an unknown certificate": {nil, func(*exim) func(*Options) {
			return func(o *Options) { o.User, o.Password = eximUser, eximPassword }
		}, "certificate"},
		"a wrong password": {[]string{"login"}, func(e *exim) func(*Options) {
			return func(o *Options) { o.TLS, o.User, o.Password = e.trusted, eximUser, "sbagliata" }
		}, "smtp_password_file"},
		"another machine without TLS": {[]string{"no-tls"}, func(*exim) func(*Options) { return func(o *Options) {} }, "STARTTLS"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newExim(t, c.words...)
			p := newPost(t, e.addr, c.change(e))
			if name == "another machine without TLS" {
				p.host = "mail.example" // as it is called, while it answers here
			}
			site := p.site("anna@example.it")
			if err := p.SendDue(t.Context()); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("sent: %v", err)
			}
			if len(e.taken()) > 0 {
				t.Error("the server has it")
			}
			if strings.Contains(p.log.String(), "sbagliata") || strings.Contains(p.log.String(), eximPassword) {
				t.Error("the password is in the log")
			}
			if p.doubted(site)[0] || p.waits(0) || !p.waits(time.Hour) {
				t.Error("the address was held to blame, or the message does not wait")
			}
		})
	}
}

// Refused for good the contact is marked, and that one alone; refused for now,
// or for who we are, it is tried again.
func TestRefused(t *testing.T) {
	e := newExim(t)
	p := newPost(t, e.addr, func(o *Options) { o.TLS = e.trusted })
	site := p.site("gone@example.it", "anna@example.it", "later@example.it")
	if err := p.SendDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(e.taken()); n != 1 {
		t.Errorf("the server took %d messages", n)
	}
	if marks := p.doubted(site); !marks[0] || marks[1] || marks[2] {
		t.Errorf("marked: %v", marks)
	}
	// The bounce asked for a check: the one who was told just now waits a little,
	// the refused address is left alone.
	if p.waits(time.Minute) {
		t.Error("something is due at once")
	}
	p.now = p.now.Add(20 * time.Minute)
	due, err := p.Registry.DueMail(t.Context(), p.now, 10)
	// Who was told before the refusal came is asked for the check, too.
	if err != nil || len(due) < 1 || len(due) > 2 || slices.ContainsFunc(due, func(m registry.Mail) bool { return strings.HasPrefix(m.Address, "gone") }) {
		t.Errorf("due: %v, %v", due, err)
	}
	if strings.Contains(p.log.String(), "example.it is") {
		t.Error("the server's words are in the log")
	}

	policy := newExim(t, "policy")
	p = newPost(t, policy.addr, func(o *Options) { o.TLS = policy.trusted })
	site = p.site("anna@example.it")
	if err := p.SendDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p.doubted(site)[0] || !p.waits(time.Hour) {
		t.Error("the address is held to blame for a matter of policy")
	}
}

// A server that is down: the message waits, longer each time, for two days.
func TestServerDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	p := newPost(t, l.Addr().String(), nil)
	site := p.site("anna@example.it")
	start, tries := p.now, 0
	for p.now.Sub(start) < 60*time.Hour {
		if err := p.SendDue(t.Context()); err != nil {
			tries++
			if strings.Contains(err.Error(), "anna@") {
				t.Error("the error names the address")
			}
		}
		p.now = p.now.Add(5 * time.Minute)
		if err := p.Registry.DropMail(t.Context(), p.now); err != nil {
			t.Fatal(err)
		}
	}
	if tries != 10 { // at 0, 5, 20, 65 and 200 minutes, 10 hours, then every 8
		t.Errorf("tried %d times", tries)
	}
	if p.doubted(site)[0] || p.waits(24*time.Hour) {
		t.Error("the address was held to blame, or is tried for ever")
	}
}

// A server that says nothing costs its patience, and an end its waiting.
func TestServerHangs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn)
	go func() {
		defer close(accepted)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	p := newPost(t, l.Addr().String(), nil)
	p.patience = 50 * time.Millisecond
	p.site("anna@example.it")
	sent := make(chan error, 1)
	go func() { sent <- p.SendDue(t.Context()) }()
	first := <-accepted
	defer first.Close()
	if err := <-sent; err == nil || !strings.Contains(err.Error(), "timeout") {
		t.Errorf("sent: %v", err)
	}

	p.patience, p.now = time.Hour, p.now.Add(time.Hour)
	ctx, stop := context.WithCancel(t.Context())
	go func() { sent <- p.Run(ctx) }()
	second := <-accepted
	defer second.Close()
	stop()
	if err := <-sent; err != nil {
		t.Errorf("Run ended with %v", err)
	}
	if p.waits(time.Minute) || !p.waits(time.Hour) {
		t.Error("the message that was under way does not come back")
	}
}

// relay is a server that takes mail in clear and knows one address that it hangs up on.
type relay struct {
	addr  string
	calls atomic.Int32
	took  chan string // recipients
	data  func()      // called with each message
}

func newRelay(t *testing.T, bad string) *relay {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{addr: l.Addr().String(), took: make(chan string, 10), data: func() {}}
	var ended sync.WaitGroup
	ended.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			r.calls.Add(1)
			ended.Go(func() { r.talk(textproto.NewConn(conn), bad) })
		}
	})
	t.Cleanup(func() { l.Close(); ended.Wait() })
	return r
}

func (r *relay) talk(c *textproto.Conn, bad string) {
	defer c.Close()
	_ = c.PrintfLine("220 relay")
	var to string
	for {
		line, err := c.ReadLine()
		verb, _, _ := strings.Cut(line, " ")
		answer := "250 ok"
		switch {
		case err != nil || strings.Contains(line, bad):
			return
		case verb == "RCPT":
			to = line
		case verb == "DATA":
			_ = c.PrintfLine("354 go on")
			_, _ = c.ReadDotBytes()
			r.data()
			r.took <- to
		case verb == "QUIT":
			answer = "221 bye"
		}
		if c.PrintfLine("%s", answer) != nil {
			return
		}
	}
}

// One address that breaks the line keeps no other from getting its mail: what was not
// tried goes out at the next look, while the one that broke it waits.
func TestOneBreaksTheLine(t *testing.T) {
	r := newRelay(t, "tarpit@")
	p := newPost(t, r.addr, nil)
	p.now = p.now.Add(-time.Minute) // due before the other
	p.site("tarpit@example.it")
	p.now = p.now.Add(time.Minute)
	p.site("anna@example.it")
	if err := p.SendDue(t.Context()); err == nil || len(r.took) > 0 {
		t.Fatalf("sent: %v, %d taken", err, len(r.took))
	}
	p.now = p.now.Add(pollEvery)
	if err := p.SendDue(t.Context()); err != nil || len(r.took) != 1 {
		t.Errorf("at the next look: %v, %d taken", err, len(r.took))
	}
	if p.waits(0) || !p.waits(time.Hour) {
		t.Error("the one that broke the line is tried at once, or never")
	}
}

// A batch whose time is over ends between two messages: the one in hand is handed over
// once, and the rest goes by the next.
func TestBatchTimeIsOver(t *testing.T) {
	r := newRelay(t, "nobody@")
	p := newPost(t, r.addr, nil)
	p.site("anna@example.it", "bruno@example.it")
	r.data = func() { p.now = p.now.Add(batchTime + time.Second) } // the sender waits for the answer
	if err := p.SendDue(t.Context()); err != nil || len(r.took) != 2 || r.calls.Load() != 2 {
		t.Errorf("sent: %v, %d taken over %d connections", err, len(r.took), r.calls.Load())
	}
	if p.waits(0) {
		t.Error("one is sent again")
	}
}

func TestOptions(t *testing.T) {
	p := newPost(t, "localhost:25", nil)
	for name, change := range map[string]func(*Options){
		"no port":    func(o *Options) { o.Server = "mail.example" },
		"no sender":  func(o *Options) { o.From = "Telecamere" },
		"half login": func(o *Options) { o.User = "x" },
		"no link":    func(o *Options) { o.Link = "" },
	} {
		o := p.Options
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
