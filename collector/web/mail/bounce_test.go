package mail

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const sentID = "7d4f6c1e-2222-4333-8444-555566667777"

// dsn is a notification about one recipient.
func dsn(recipient, original string) string {
	return `From MAILER-DAEMON Mon Nov 23 10:00:00 2026
From: Mail Delivery System <Mailer-Daemon@mail.example>
To: telecamere@comune.example.it
Subject: Mail delivery failed
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

A message that you sent could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example

` + recipient + `

--b
` + original + `
--b--
`
}

// receipt is one of PEC, within the envelope that its provider signs.
func receipt(header, daticert string) string {
	return `From: posta-certificata@pec.example.it
To: registro@pec.example.it
Subject: ricevuta
` + header + `MIME-Version: 1.0
Content-Type: multipart/signed; protocol="application/x-pkcs7-signature"; micalg=sha-256; boundary=s

--s
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: text/plain

Ricevuta

--m
Content-Type: application/xml; name="daticert.xml"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="daticert.xml"

` + daticert + `
--m--

--s
Content-Type: application/x-pkcs7-signature; name="smime.p7s"

AAAA
--s--
`
}

// certified is daticert.xml, in base64.
func certified(kind, why string) string {
	return base64.StdEncoding.EncodeToString([]byte(`<?xml version="1.0" encoding="ISO-8859-1"?><postacert tipo="` + kind + `" errore="` + why +
		`"><intestazione><mittente>registro@pec.example.it</mittente><destinatari tipo="certificato">bar@pec.example.it</destinatari><oggetto>C'` +
		"\xe8" + ` un messaggio</oggetto></intestazione><dati><gestore-emittente>Gestore</gestore-emittente><identificativo>opec1.2026@pec.example.it</identificativo><msgid>&lt;` +
		sentID + `@pec.example.it&gt;</msgid></dati></postacert>`))
}

const (
	headers = "Content-Type: text/rfc822-headers\n\nFrom: telecamere@comune.example.it\nMessage-ID: <" + sentID + "@comune.example.it>\nSubject: x\n"
	whole   = "Content-Type: message/rfc822\n\nFrom: telecamere@comune.example.it\nMessage-ID: <" + sentID + "@comune.example.it>\n\ntext\n"
)

func TestReadReport(t *testing.T) {
	about := "X-Riferimento-Message-ID: <" + sentID + "@pec.example.it>\n"
	for name, c := range map[string]struct {
		mail string
		fate Fate
		none bool
	}{
		"no such mailbox":           {mail: dsn("Final-Recipient: rfc822; gone@example.it\nAction: failed\nStatus: 5.1.1", headers), fate: FateBounced},
		"with the whole message":    {mail: dsn("Final-Recipient: rfc822; gone@example.it\nAction: Failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 5.1.1 unknown user", whole), fate: FateBounced},
		"several lines":             {mail: dsn("Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550-5.2.1 The account\n 550 5.2.1 is disabled", headers), fate: FateBounced},
		"given up":                  {mail: dsn("Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 451 4.3.0 later", headers)},
		"temporary":                 {mail: dsn("Action: failed\nStatus: 4.4.7", headers)},
		"delayed":                   {mail: dsn("Action: delayed\nStatus: 4.4.1", headers)},
		"a matter of policy":        {mail: dsn("Action: failed\nStatus: 5.7.1", headers)},
		"policy, by the other side": {mail: dsn("Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 5.7.26 unauthenticated", headers)},
		"delivered":                 {mail: dsn("Action: delivered\nStatus: 2.0.0", headers), fate: FateDelivered},
		"about no message":          {mail: dsn("Action: failed\nStatus: 5.1.1", "Content-Type: text/plain\n\nx\n"), none: true},
		"about another's message":   {mail: dsn("Action: failed\nStatus: 5.1.1", strings.Replace(headers, sentID, "CAF123", 1)), none: true},
		"a reply with our message":  {mail: "From: anna@example.it\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nCiao\n--b\n" + whole + "\n--b--\n", none: true},
		"plain mail":                {mail: "From: anna@example.it\nSubject: Ferie\n\nTorno lunedì\n", none: true},
		"nothing":                   {mail: "", none: true},
		"no end":                    {mail: "From x", none: true},
		"certified delivery":        {mail: receipt("X-Ricevuta: avvenuta-consegna\n"+about, certified("avvenuta-consegna", "nessuno")), fate: FateDelivered},
		"certified, no headers":     {mail: receipt("", certified("avvenuta-consegna", "nessuno")), fate: FateDelivered},
		"certified, header alone":   {mail: receipt("X-Ricevuta: avvenuta-consegna\n"+about, "AAAA"), fate: FateDelivered},
		"certified, accepted":       {mail: receipt("X-Ricevuta: accettazione\n"+about, certified("accettazione", "nessuno"))},
		"certified, no mailbox":     {mail: receipt("X-Ricevuta: errore-consegna\n"+about, certified("errore-consegna", "no-dest")), fate: FateBounced},
		"certified, not accepted":   {mail: receipt("X-Ricevuta: non-accettazione\n"+about, certified("non-accettazione", "no-dominio")), fate: FateBounced},
		"certified, mailbox full":   {mail: receipt("X-Ricevuta: errore-consegna\n"+about, certified("errore-consegna", "altro"))},
		"certified, a late warning": {mail: receipt("X-Ricevuta: preavviso-errore-consegna\n"+about, certified("preavviso-errore-consegna", "no-dest"))},
	} {
		for _, ends := range []string{"\n", "\r\n"} {
			r, err := ReadReport(strings.NewReader(strings.ReplaceAll(c.mail, "\n", ends)))
			if c.none {
				if !errors.Is(err, ErrNoReport) {
					t.Errorf("%s: %+v, %v", name, r, err)
				}
				continue
			}
			if err != nil || r.MailID != sentID || r.Fate != c.fate {
				t.Errorf("%s: %+v, %v, want %q", name, r, err, c.fate)
			}
		}
	}
}

// What has no end, and parts within parts, take bounded time and memory.
func TestReadReportBounded(t *testing.T) {
	deep := "Content-Type: text/plain\n\nx\n"
	for i := range 200 {
		deep = fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n%s\n--b%d--\n", i, i, deep, i)
	}
	for name, in := range map[string]string{
		"deep": deep,
		"many": "Content-Type: multipart/report; boundary=b\n\n" + strings.Repeat("--b\nContent-Type: text/plain\n\nx\n", 20_000),
		"long": dsn("Action: failed\nStatus: 5.1.1", strings.Repeat("x", 3<<20)+headers),
	} {
		if r, err := ReadReport(strings.NewReader(in)); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func FuzzReadReport(f *testing.F) {
	f.Add(dsn("Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 x", headers))
	f.Add(receipt("X-Ricevuta: avvenuta-consegna\n", certified("avvenuta-consegna", "nessuno")))
	f.Fuzz(func(t *testing.T, in string) {
		r, err := ReadReport(strings.NewReader(in))
		if (err == nil) != (len(r.MailID) == 36) || err != nil && !errors.Is(err, ErrNoReport) {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

// A message that a real server takes, and cannot deliver, comes back through its pipe,
// and marks the contact: once.
func TestEximBounces(t *testing.T) {
	e := newExim(t)
	p := newPost(t, e.addr, func(o *Options) { o.TLS = e.trusted })
	site := p.site("vanished@example.it")
	if err := p.SendDue(t.Context()); err != nil {
		t.Fatal(err, p.log.String())
	}
	if p.doubted(site)[0] {
		t.Fatal("marked before it came back")
	}
	e.deliver() // the message fails, and its notification is made
	e.deliver() // the notification goes through the pipe
	file, err := os.Open(filepath.Join(e.dir, "back", "mail"))
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(e.dir, "log", "mainlog"))
		t.Fatalf("nothing came back: %v\n%s", err, log)
	}
	defer file.Close()
	r, err := ReadReport(file)
	if err != nil || r.Fate != FateBounced {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, known := range []bool{true, false} {
		if got, err := p.Registry.MailTold(t.Context(), r.MailID, true, p.now); err != nil || got != known {
			t.Errorf("known %v, %v", got, err)
		}
	}
	if marks := p.doubted(site); !slices.Equal(marks, []bool{true}) {
		t.Errorf("marked %v", marks)
	}
}
