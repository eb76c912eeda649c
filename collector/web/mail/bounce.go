package mail

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/text/encoding/charmap"
)

// What becomes of a message after a server has taken it comes back as mail: a delivery
// status notification (RFC 3464, and RFC 6533 where addresses may be UTF-8), or a receipt of PEC (Regole tecniche allegate al DM 2
// novembre 2005, 6: daticert.xml). Both name the message by its Message-ID. That is a
// random UUID, seen only by the servers on the way and the reader of the
// address: a stranger cannot have an address marked, and who received a message no
// more than their own. So signatures of receipts are not verified here.
//
// For the trust "pec" this is not enough: that an owner's PEC address is the one that
// INI-PEC has of them must be asked there, a link sent to it (registry.QueueLink)
// opened, and the delivery receipt kept with its provider's signature, verified
// against AgID's list of providers.

// Limits of what is read of one notification.
const (
	maxReport = 1 << 20
	maxPart   = 256 << 10
	maxParts  = 30 // of all depths
	maxDepth  = 6
)

// ErrNoReport is returned for mail that tells nothing of a message of ours: an answer,
// a holiday notice, an advertisement.
var ErrNoReport = errors.New("it is no notification about a message that was sent from here")

// Fate is what became of a message.
type Fate string

const (
	FateBounced   Fate = "bounced"   // its address is refused for good
	FateDelivered Fate = "delivered" // it lies in the mailbox
	FateOpen      Fate = ""          // nothing is decided: it was put off, or taken on
)

// Report is one notification.
type Report struct {
	MailID string // of registry.Mail
	Fate   Fate
}

// ReadReport reads a notification as a mail server hands it to a program, at most a
// MiB of it. The error wraps ErrNoReport for all that is none.
func ReadReport(r io.Reader) (Report, error) {
	from := bufio.NewReader(io.LimitReader(r, maxReport))
	if begin, err := from.Peek(5); err == nil && string(begin) == "From " { // as in an mbox
		if _, err := from.ReadString('\n'); err != nil {
			return Report{}, ErrNoReport
		}
	}
	m, err := mail.ReadMessage(from)
	if err != nil {
		return Report{}, fmt.Errorf("%w: %w", ErrNoReport, err)
	}
	p := reportParts{receipt: m.Header.Get("X-Ricevuta"), original: m.Header.Get("X-Riferimento-Message-ID")}
	p.read(textproto.MIMEHeader(m.Header), m.Body, 0)
	return p.report()
}

// reportParts is what a notification has in it.
type reportParts struct {
	parts     int
	receipt   string // X-Ricevuta, of PEC
	original  string // Message-ID of the message that it is about
	certified *daticert
	status    []map[string]string // of each recipient: action, status, diagnostic-code
}

// daticert is what a receipt of PEC says about itself.
type daticert struct {
	Type  string `xml:"tipo,attr"`
	Error string `xml:"errore,attr"`
	Data  struct {
		MessageID string `xml:"msgid"`
	} `xml:"dati"`
}

func (p *reportParts) read(header textproto.MIMEHeader, body io.Reader, depth int) {
	p.parts++
	if depth > maxDepth || p.parts > maxParts {
		return
	}
	kind, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return
	}
	if strings.EqualFold(header.Get("Content-Transfer-Encoding"), "base64") {
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	switch {
	case strings.HasPrefix(kind, "multipart/"):
		all := multipart.NewReader(body, params["boundary"])
		for p.parts <= maxParts {
			part, err := all.NextPart()
			if err != nil {
				return
			}
			p.read(part.Header, part, depth+1)
		}
	case kind == "message/delivery-status" || kind == "message/global-delivery-status":
		p.readStatus(io.LimitReader(body, maxPart))
	case kind == "message/rfc822" || kind == "text/rfc822-headers" || kind == "message/global" || kind == "message/global-headers":
		// A receipt of PEC may carry the whole message, and an envelope within it.
		h, _ := textproto.NewReader(bufio.NewReader(io.LimitReader(body, maxPart))).ReadMIMEHeader()
		if id := h.Get("Message-Id"); p.original == "" && id != "" && depth > 0 {
			p.original = id
		}
	case (kind == "application/xml" || kind == "text/xml") && p.certified == nil && daticertName(header, params):
		p.readCertified(io.LimitReader(body, maxPart))
	}
}

func daticertName(header textproto.MIMEHeader, params map[string]string) bool {
	_, disposition, _ := mime.ParseMediaType(header.Get("Content-Disposition"))
	return strings.EqualFold(params["name"], "daticert.xml") || strings.EqualFold(disposition["filename"], "daticert.xml")
}

// readStatus reads the fields about the message, which are left out, and then those
// of each recipient (RFC 3464, 2.1), with an empty line between them.
func (p *reportParts) readStatus(body io.Reader) {
	r := textproto.NewReader(bufio.NewReader(body))
	for n := 0; n < maxParts; n++ {
		h, err := r.ReadMIMEHeader()
		if h.Get("Action") != "" {
			p.status = append(p.status, map[string]string{"action": strings.ToLower(strings.TrimSpace(h.Get("Action"))), "status": strings.TrimSpace(h.Get("Status")), "diagnostic": h.Get("Diagnostic-Code")})
		}
		if err != nil {
			return
		}
	}
}

func (p *reportParts) readCertified(body io.Reader) {
	raw, err := io.ReadAll(body)
	if err != nil {
		return
	}
	d := xml.NewDecoder(bytes.NewReader(raw))
	d.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		switch strings.ToLower(charset) {
		case "iso-8859-1", "us-ascii", "iso-8859-15", "windows-1252":
			return charmap.Windows1252.NewDecoder().Reader(in), nil
		}
		return nil, fmt.Errorf("the encoding %q is not known", charset)
	}
	var c daticert
	if d.Decode(&c) == nil && c.Type != "" {
		p.certified = &c
	}
}

// report puts it together.
func (p *reportParts) report() (Report, error) {
	r := Report{}
	switch {
	case p.certified != nil:
		if p.certified.Data.MessageID != "" {
			p.original = p.certified.Data.MessageID
		}
		r.Fate = certifiedFate(p.certified.Type, p.certified.Error)
	case p.receipt != "":
		r.Fate = certifiedFate(strings.ToLower(p.receipt), "")
	case len(p.status) > 0:
		for _, s := range p.status { // a message of ours has one recipient
			if f := statusFate(s); f != FateOpen {
				r.Fate = f
			}
		}
	default:
		return Report{}, ErrNoReport
	}
	local, _, _ := strings.Cut(strings.Trim(strings.TrimSpace(p.original), "<>"), "@")
	id, err := uuid.Parse(local)
	if err != nil || len(local) != 36 {
		return Report{}, ErrNoReport
	}
	r.MailID = id.String()
	return r, nil
}

// certifiedFate is what a receipt of PEC means. A delivery that failed counts against
// the address where that is what was wrong.
func certifiedFate(kind, why string) Fate {
	switch kind {
	case "avvenuta-consegna":
		return FateDelivered
	case "errore-consegna", "non-accettazione":
		if why == "no-dest" || why == "no-dominio" {
			return FateBounced
		}
	}
	return FateOpen
}

// statusFate is what a notification says of a recipient (RFC 3463). The answer of the
// other server is surer than what this side's made of it: some say 5.0.0 of whatever
// they gave up. 5.7.x is policy, as when a server refuses at once (badAddress).
func statusFate(s map[string]string) Fate {
	switch s["action"] {
	case "delivered":
		return FateDelivered
	case "failed":
		status := s["status"]
		if _, said, ok := strings.Cut(s["diagnostic"], ";"); ok {
			if words := strings.FieldsFunc(said, func(r rune) bool { return r == ' ' || r == '-' || r == '\t' || r == '\n' }); len(words) > 0 && len(words[0]) == 3 {
				if words[0][0] != '5' {
					return FateOpen
				}
				if len(words) > 1 && strings.Count(words[1], ".") == 2 {
					status = words[1]
				}
			}
		}
		if strings.HasPrefix(status, "5.") && !strings.HasPrefix(status, "5.7.") {
			return FateBounced
		}
	}
	return FateOpen
}
