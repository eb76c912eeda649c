package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/privacy"
	"anagrafe/protocol/pages"
)

// notInNotice are the settings that say nothing about whose data go where, for how
// long or how they are kept.
var notInNotice = map[string]string{
	"key":                             "goes with certificate",
	"agents_key":                      "goes with agents_certificate",
	"basemap_attribution":             "the credit under the map",
	"smtp_user":                       "a login, and a secret",
	"smtp_password_file":              "a secret",
	"pec.user":                        "a login, and a secret",
	"pec.password_file":               "a secret",
	"sms.user":                        "a login, and a secret",
	"sms.token_file":                  "a secret",
	"sms.sender":                      "the name that a phone shows",
	"sms.body":                        "how the gateway wants to be asked",
	"sms.refused":                     "how the gateway says that a number does not exist",
	"listen_agents_tcp":               "an address of this machine: who calls by TCP comes by a balancer of the Comune",
	"balancers":                       "machines of the Comune, which pass connections on unread",
	"max_held":                        "how many connections stay open",
	"controller_url":                  "a link on the public pages",
	"accessibility_url":               "a link on the public pages",
	"app_url":                         "a link on the public pages",
	"log_format":                      "how a line of the log is written",
	"otlp_endpoint":                   "traces have no personal data: TestTracesTellNothing",
	"ops_oidc.name":                   "the word on a button",
	"ops_oidc.client_id":              "a login, and a secret",
	"ops_oidc.client_secret_file":     "a secret",
	"ops_oidc.grant":                  "roles, which the register of users tells",
	"consult_oidc.name":               "the word on a button",
	"consult_oidc.client_id":          "a login, and a secret",
	"consult_oidc.client_secret_file": "a secret",
	"consult_oidc.grant":              "roles, which the register of users tells",
	"owner_oidc.name":                 "the word on a button",
	"owner_oidc.client_id":            "a login, and a secret",
	"owner_oidc.client_secret_file":   "a secret",
}

// wholeConfig has a value for all that may be left out and changes what is said.
func wholeConfig() Config {
	c := defaults()
	c.Controller, c.ControllerContact, c.DPOContact = "Comune di Prova", "protocollo@comune.example.it", "dpo@comune.example.it"
	c.Area, c.SMTPServer, c.SMTPFrom = "area.geojson", "smtp.comune.example.it:587", "registro@comune.example.it"
	c.PEC = pecMailbox{Server: "smtps://pec.example.it:465", From: "registro@pec.example.it"}
	return c
}

// documents are both documents in both languages.
func documents(t *testing.T, c Config) string {
	t.Helper()
	n, err := privacy.New(c.privacy(), slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, kind := range []string{privacy.Notice, privacy.Record} {
		for _, l := range pages.Langs {
			d, ok := n.Document(kind, l.Lang)
			if !ok {
				t.Fatalf("there is no document %q", kind)
			}
			if err := json.NewEncoder(&all).Encode(d); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all.String()
}

// Each setting there is changes a document, beside which it is named, or is listed
// with the reason why not: a new one cannot be forgotten.
func TestNoticesFollowEachSetting(t *testing.T) {
	before := documents(t, wholeConfig())
	seen := map[string]bool{}
	for _, name := range settingNames(reflect.TypeFor[Config](), "") {
		seen[name] = true
		c := wholeConfig()
		changeSetting(t, reflect.ValueOf(&c).Elem(), name)
		after := documents(t, c)
		top, _, _ := strings.Cut(name, ".")
		_, silent := notInNotice[name]
		switch {
		case silent && after != before:
			t.Errorf("%s changes a document, and is listed as one that does not", name)
		case !silent && after == before:
			t.Errorf("%s changes no document: say in collector/privacy what it means, or list it here with the reason", name)
		case !silent && !strings.Contains(after, `"name":"`+name+`"`) && !strings.Contains(after, `"name":"`+top+`"`):
			t.Errorf("no statement names %s as the setting that it comes from", name)
		}
	}
	for name := range notInNotice {
		if !seen[name] {
			t.Errorf("%s is listed and is no setting", name)
		}
	}
}

// settingNames are the keys of collector.toml; those of a table behind its name.
func settingNames(of reflect.Type, before string) (all []string) {
	for f := range of.Fields() {
		name := before + f.Tag.Get("toml")
		if f.Type.Kind() == reflect.Struct {
			all = append(all, settingNames(f.Type, name+".")...)
			continue
		}
		all = append(all, name)
	}
	return all
}

// changeSetting gives one another value.
func changeSetting(t *testing.T, in reflect.Value, name string) {
	t.Helper()
	top, rest, nested := strings.Cut(name, ".")
	for f := range in.Type().Fields() {
		if f.Tag.Get("toml") != top {
			continue
		}
		field := in.FieldByIndex(f.Index)
		if nested {
			changeSetting(t, field, rest)
			return
		}
		switch v := field.Addr().Interface().(type) {
		case *string:
			*v = "postgres://cambiato.example.it/prova"
		case *int:
			*v++
		case *time.Duration:
			*v += time.Minute
		case *[]string:
			*v = append(*v, "prefettura+00000000+AAAA")
		case *[]netip.Prefix:
			*v = append(*v, netip.MustParsePrefix("10.20.0.0/16"))
		case *[]int:
			*v = append(*v, 404)
		case *[]forceConfig:
			*v = append(*v, forceConfig{Name: "Questura", URL: "https://questura.example.it"})
		case *[]oidcGrant:
			*v = append(*v, oidcGrant{Claim: "groups"})
		default:
			t.Fatalf("%s is of a kind that this test cannot change: %T", name, v)
		}
		return
	}
	t.Fatalf("there is no setting %s", name)
}

// What is secret in the configuration is in no document.
func TestNoticesTellNoSecret(t *testing.T) {
	c := wholeConfig()
	c.Store = "postgres://utente:SENTINELLA@db.example.it/registro"
	c.SMTPServer = "smtps://utente:SENTINELLA@smtp.example.it:465"
	c.SMTPUser, c.SMTPPasswordFile = "SENTINELLA", "SENTINELLA"
	c.PEC = pecMailbox{Server: "smtps://pec.example.it:465", From: "registro@pec.example.it", User: "SENTINELLA", PasswordFile: "SENTINELLA"}
	c.SMS = smsGateway{URL: "https://utente:SENTINELLA@sms.example.it/send?key=SENTINELLA", User: "SENTINELLA", TokenFile: "SENTINELLA", Body: "SENTINELLA"}
	c.OpsOIDC = oidcProvider{Issuer: "https://login.example.it", ClientID: "SENTINELLA", ClientSecretFile: "SENTINELLA"}
	if all := documents(t, c); strings.Contains(all, "SENTINELLA") || !strings.Contains(all, "smtp.example.it:465") {
		t.Error("a secret of the configuration is in the notices, or its server is not")
	}
}

// The public page is the document that the command prints, and says loudly what is
// missing.
func TestPublicPrivacyNotice(t *testing.T) {
	o := opened(t, t.TempDir(), func(c *Config) { c.Controller, c.TrailYears = "Comune di Prova", 7 })
	h, err := o.publicWeb.Handler(o.publicRoutes...)
	if err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string][]string{
		"it": {"Comune di Prova", "per 7 anni", "<code>trail_years</code>", "DA COMPLETARE", "2 voci"},
		"en": {"Comune di Prova", "for 7 years", "<code>trail_years</code>", "TO BE COMPLETED", "2 items"},
	} {
		rw := httptest.NewRecorder()
		h.ServeHTTP(rw, httptest.NewRequest(http.MethodGet, "http://localhost:8080/privacy?lang="+lang, nil))
		for _, w := range want {
			if !strings.Contains(rw.Body.String(), w) {
				t.Errorf("%s: %q is not on the page, status %d", lang, w, rw.Code)
			}
		}
		if strings.Contains(rw.Body.String(), "listen_ops") {
			t.Errorf("%s: the public notice tells where the Comune's pages listen", lang)
		}
	}
}
