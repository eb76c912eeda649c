package mail

import (
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/letter"
	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// news is a message with one change of every kind.
func news(right bool) registry.Mail {
	since := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	m := registry.Mail{ID: "7d4f", Address: "anna@example.it", End: "token", News: &registry.AlertNews{Site: "Bar Centrale"}}
	for _, a := range protocol.Alerts {
		m.News.Changes = append(m.News.Changes, registry.AlertChange{Alert: a, Right: right, Name: "NVR retro", Since: since, OffsetMs: 3_480_000, WasS: 7 * 86400, IsS: 3 * 86400})
	}
	return m
}

// read opens a message as a reader's program does.
func read(t *testing.T, raw []byte) (mail.Header, string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header, string(text)
}

// An alert says what changed and what to do, in both languages; its subject is
// that of all mail, and names nothing.
func TestNews(t *testing.T) {
	p := newPost(t, "127.0.0.1:25", nil)
	for right, says := range map[bool][]string{
		false: {"«NVR retro» non risponde da venerdì 20 novembre", "Controlla che sia acceso", "non risultano registrazioni nuove", "avanti di 58 minuti", "ora legale",
			"3 giorni, prima 7 giorni", "non si fa sentire da", "58 minutes ahead", "has not answered since", "Si tolgono qui con un clic"},
		true: {"«NVR retro» risponde di nuovo", "registra di nuovo", "è giusto", "restano quanto prima", "si fa sentire di nuovo", "answers again"},
	} {
		raw, err := p.compose(news(right), p.now)
		if err != nil {
			t.Fatal(err)
		}
		header, text := read(t, raw)
		t.Log(text)
		for _, want := range append(says, "«Bar Centrale»", endLink+"token", link) {
			if !strings.Contains(strings.ReplaceAll(text, "\r\n", "\n"), want) {
				t.Errorf("it does not say %q", want)
			}
		}
		if got, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject")); err != nil || got != subject {
			t.Errorf("subject %q, %v", got, err)
		}
		if got := header.Get("List-Unsubscribe"); got != "<"+endLink+"token>" {
			t.Errorf("List-Unsubscribe: %q", got)
		}
		if got := header.Get("List-Unsubscribe-Post"); got != "List-Unsubscribe=One-Click" {
			t.Errorf("List-Unsubscribe-Post: %q", got)
		}
	}
}

// A clock that is minutes off is not one whose summer time is missing.
func TestNewsOfAClock(t *testing.T) {
	p := newPost(t, "127.0.0.1:25", nil)
	w := p.words.Words("it")
	for seconds, want := range map[int64]string{300: "avanti di 5 minuti. Fallo regolare", -300: "indietro di 5 minuti",
		3600: "avanti di 1 ora. Fai controllare l'ora legale", -7260: "indietro di 2 ore"} {
		got := changeWords(w, registry.AlertChange{Alert: protocol.AlertClock, Name: "NVR", OffsetMs: seconds * 1000})
		if !strings.Contains(got, want) {
			t.Errorf("%d s: %q, want %q", seconds, got, want)
		}
	}
}

// All other mail ends in nothing: it is not a list's.
func TestOtherMailHasNoEnd(t *testing.T) {
	p := newPost(t, "127.0.0.1:25", nil)
	raw, err := p.compose(registry.Mail{ID: "1", Address: "anna@example.it"}, p.now)
	if err != nil {
		t.Fatal(err)
	}
	if header, text := read(t, raw); header.Get("List-Unsubscribe") != "" || strings.Contains(text, endLink) {
		t.Errorf("%v\n%s", header, text)
	}
	p.EndLink = "http://localhost:8080/alerts/" // RFC 8058 asks for https
	raw, err = p.compose(news(false), p.now)
	if err != nil {
		t.Fatal(err)
	}
	if header, _ := read(t, raw); header.Get("List-Unsubscribe-Post") != "" {
		t.Error("one click without https")
	}
}

// An invitation is the Comune's own letter: it says what it is, and is no list's.
func TestInvitation(t *testing.T) {
	p := newPost(t, "127.0.0.1:25", func(o *Options) {
		o.Inviter = letter.Office{Name: "Comune di Prova", Contact: "02 1234567", Page: "https://telecamere.example.it/invited/", Privacy: "https://telecamere.example.it/privacy", KeptDays: 60}
	})
	code := protocol.NewCode()
	raw, err := p.compose(registry.Mail{ID: "7d4f", Address: "info@bar.example.it", Invitation: &registry.InvitationMail{
		Site: protocol.Site{Name: "Bar Centrale"}, Code: code, Token: "abc", Source: "albo", ExpiresAt: p.now}}, p.now)
	if err != nil {
		t.Fatal(err)
	}
	header, text := read(t, raw)
	for _, want := range []string{"Comune di Prova", "Bar Centrale", code.String(), "https://telecamere.example.it/invited/abc", "albo", "Partecipare è una scelta libera"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	if got, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject")); err != nil || !strings.HasPrefix(got, "Invito al registro") {
		t.Errorf("subject %q, %v", got, err)
	}
}
