package privacy

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

func notices(t *testing.T, s Settings) *Documents {
	t.Helper()
	n, err := New(s, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// whole is what a Comune has set, with all that is optional.
func whole() Settings {
	return Settings{Controller: "Comune di Prova", ControllerContact: "protocollo@comune.example.it", DPOContact: "dpo@comune.example.it",
		PublicURL: "https://telecamere.comune.example.it", MailServer: "smtp.comune.example.it:587", MailFrom: "registro@comune.example.it",
		Area: "area.geojson", AreaMarginM: 500, Forces: []string{"Questura"}, Witnesses: []string{"prefettura"}, ListenMetrics: "127.0.0.1:9180",
		OpsIssuer: "https://login.example.it", ConsultIssuer: "https://login.example.it", OwnerIssuer: "https://accedi.example.it", Basemap: "milano.pmtiles", Certificate: "cert.pem",
		AgentsCertificate: "agents.pem", ConsultAllow: []string{"10.20.0.0/16"}, Engine: "PostgreSQL",
		TrailYears: 5, CaseYears: 5, SessionIdle: 30 * time.Minute, SessionLife: 8 * time.Hour,
		AdhesionYears: 1, WithdrawYears: 2, SilentMonths: 2, KeysDays: 30, NoticeDays: 30, MailDays: 7, RemarkDays: 365, DraftDays: 365,
		DictatedDays: 14, DictatedKept: 365, DictatedDraft: 2 * time.Hour}
}

// Every statement of every document has its words, with all their values, whether
// what is optional is set or not.
func TestEveryStatementHasItsWords(t *testing.T) {
	for name, s := range map[string]Settings{"whole": whole(), "empty": {}, "metrics off": {ListenMetrics: "off"}} {
		n := notices(t, s)
		for _, kind := range []string{Notice, Record} {
			for _, l := range pages.Langs {
				d, ok := n.Document(kind, l.Lang)
				var text strings.Builder
				if err := d.Write(&text); err != nil || !ok {
					t.Fatal(err, ok)
				}
				for line := range strings.Lines(text.String()) {
					if !strings.HasPrefix(line, "    [") && strings.ContainsAny(line, "[]{}") {
						t.Errorf("%s %s %s: a word or a value is missing: %q", name, kind, l.Lang, line)
					}
				}
				if (name == "whole") != (d.Missing == 0) {
					t.Errorf("%s %s: %d missing", name, kind, d.Missing)
				}
			}
		}
	}
	if _, ok := notices(t, whole()).Document("other", pages.It); ok {
		t.Error("there is a document of no kind")
	}
}

// Without a controller or a data protection officer the documents say so in capitals,
// and blanks are no name.
func TestMissing(t *testing.T) {
	s := whole()
	s.Controller, s.DPOContact = "", "  "
	d, _ := notices(t, s).Document(Record, pages.It)
	var text strings.Builder
	if err := d.Write(&text); err != nil {
		t.Fatal(err)
	}
	if d.Missing != 2 || strings.Count(text.String(), "DA COMPLETARE") != 2 {
		t.Errorf("%d missing:\n%s", d.Missing, text.String())
	}
}

// The notice is looked at complete and with what is missing.
func TestPrivacyInABrowser(t *testing.T) {
	for name, c := range map[string]struct {
		width    int64
		settings Settings
	}{"wide": {1280, whole()}, "narrow": {390, Settings{PublicURL: "https://telecamere.comune.example.it", TrailYears: 5, CaseYears: 5}}} {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.Handle("GET "+pages.Prefix, pages.Assets())
			mux.Handle("GET /privacy", notices(t, c.settings).Page())
			server := httptest.NewServer(mux)
			defer server.Close()
			b := pagestest.Open(t, server.URL, c.width, 900)
			for _, l := range pages.Langs {
				b.Visit("/privacy?lang=" + string(l.Lang))
				b.Check("notice-privacy-" + name + "-" + string(l.Lang))
			}
		})
	}
}
