package mail

import (
	"bytes"
	"embed"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"text/template"
	"time"

	"anagrafe/collector/letter"
	"anagrafe/collector/registry"
)

//go:embed it.txt en.txt it.json en.json
var files embed.FS

var texts = template.Must(template.ParseFS(files, "it.txt", "en.txt"))

// subject is in both languages, as the text is: whose the address is nobody asked.
const subject = "C'è un messaggio / There is a message"

// text is what every message says, Italian first, with lines that end in CRLF.
func text(link string) (string, error) {
	var b strings.Builder
	for i, name := range []string{"it.txt", "en.txt"} {
		if i > 0 {
			b.WriteString("\n-----\n\n")
		}
		if err := texts.ExecuteTemplate(&b, name, link); err != nil {
			return "", err
		}
	}
	return strings.ReplaceAll(b.String(), "\n", "\r\n"), nil
}

// link is where a message leads.
func (s *Sender) link(m registry.Mail) string {
	switch {
	case m.Path != "":
		return s.PublicURL + m.Path
	case m.Token != "":
		return s.ContactLink + m.Token
	}
	return s.Link
}

// invitationText is the Comune's own letter: see package letter.
func (s *Sender) invitationText(i registry.InvitationMail, now time.Time) string {
	return s.letters.Text(letter.Invitation{Site: i.Site, Code: i.Code, Token: i.Token, Source: i.Source, At: now, Until: i.ExpiresAt})
}

// compose writes a message as RFC 5322 and RFC 2045 have it. Auto-Submitted
// (RFC 3834) keeps holiday replies away; the Message-ID stays the same at each
// try, so that a message that comes twice is known as one.
func (s *Sender) compose(m registry.Mail, now time.Time) ([]byte, error) {
	body, err := text(s.link(m))
	about := subject
	switch {
	case m.News != nil:
		body = s.newsText(m)
	case m.Invitation != nil:
		about, body = s.letters.Subject(), s.invitationText(*m.Invitation, now)
	}
	if err != nil {
		return nil, err
	}
	_, domain, _ := strings.Cut(s.from.Address, "@")
	var b bytes.Buffer
	for _, header := range append(s.unsubscribe(m), [][2]string{
		{"From", s.from.String()},
		{"To", (&mail.Address{Address: m.Address}).String()},
		{"Subject", mime.QEncoding.Encode("utf-8", about)},
		{"Date", now.UTC().Format(time.RFC1123Z)},
		{"Message-ID", "<" + m.ID + "@" + domain + ">"},
		{"Auto-Submitted", "auto-generated"},
		{"Content-Language", "it, en"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	}...) {
		fmt.Fprintf(&b, "%s: %s\r\n", header[0], header[1])
	}
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	if _, err := io.WriteString(w, body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
