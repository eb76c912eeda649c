package letter

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/pdf"
	"anagrafe/protocol"
	"anagrafe/protocol/pages/pagestest"
)

func newLetters(t testing.TB, change func(*Office)) *Letters {
	t.Helper()
	o := Office{Name: "Comune di Prova", Contact: "telecamere@comune.example.it, 02 1234567", Page: "https://telecamere.comune.example.it/invited/",
		Privacy: "https://telecamere.comune.example.it/privacy", KeptDays: 60}
	if change != nil {
		change(&o)
	}
	l, err := New(o, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var day = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func invitation(name string) Invitation {
	return Invitation{Site: protocol.Site{Name: name, Address: "Via Larga 8, 20122 Milano"}, Code: protocol.CodeOf([protocol.CodeBytes]byte{1, 2, 3}),
		Token: fmt.Sprintf("%027d", len(name)), Source: "albo delle botteghe storiche", At: day, Until: day.AddDate(0, 0, 14)}
}

// Both forms say all that an invitation has to say, in both languages.
func TestInvitationSays(t *testing.T) {
	l := newLetters(t, nil)
	i := invitation("A. Brambilla")
	mail := l.Text(i)
	t.Log(mail)
	var paper strings.Builder
	d, err := l.Document([]Invitation{i})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range d.Content {
		paper.WriteString(said(b))
	}
	for name, got := range map[string]string{"mail": mail, "paper": paper.String()} {
		for want, n := range map[string]int{"Comune di Prova": 1, "A. Brambilla": 1, "Partecipare è una scelta libera": 1, "Taking part is your free choice": 1, i.Code.String(): 2,
			"fino al 07/12/2026": 1, "https://telecamere.comune.example.it/invited/" + i.Token: 2, "02 1234567": 2, "albo delle botteghe storiche": 2, "60 giorni": 1,
			"https://telecamere.comune.example.it/privacy": 2, "un pulsante per dirlo": 1, "password o denaro": 1} {
			if strings.Count(got, want) < n {
				t.Errorf("the %s does not say %q %d times", name, want, n)
			}
		}
		if strings.Contains(got, "[") {
			t.Errorf("the %s lacks words:\n%s", name, got)
		}
	}
	if got := l.Subject(); got != "Invito al registro comunale delle telecamere / Invitation to the city's register of cameras" {
		t.Errorf("subject %q", got)
	}
}

// Each letter is one page, also with the longest name and address that there are, and
// other programs read it.
func TestLetterIsAPage(t *testing.T) {
	pagestest.Need(t, have("pdfinfo") && have("qpdf"), "qpdf and poppler-utils are not installed: run make deps")
	l := newLetters(t, nil)
	long := invitation(strings.Repeat("Gioielleria ", 9))
	long.Site.Address = strings.Repeat("Via lunga ", 15) + ", 20122 Milano"
	d, err := l.Document([]Invitation{invitation("A. Brambilla"), long, invitation("Bar")})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := pdf.Write(d)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "letters.pdf")
	if dir := os.Getenv("ANAGRAFE_PICTURES"); dir != "" {
		file = filepath.Join(dir, "letters.pdf")
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "pdfinfo", file).CombinedOutput()
	if err != nil || !regexp.MustCompile(`Pages:\s+3\n`).Match(out) || !strings.Contains(string(out), "Tagged:          yes") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := exec.CommandContext(t.Context(), "qpdf", "--check", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func have(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}
