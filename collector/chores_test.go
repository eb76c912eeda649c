package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
	"anagrafe/protocol"
)

// What time does to a site stands on the trail with its author.
func TestAgeing(t *testing.T) {
	o := opened(t, t.TempDir(), func(*Config) {})
	at := time.Now().UTC().AddDate(0, 0, -340)
	site := ageingSite(t, o.reg, at)
	for range 2 { // the second time nothing is due
		if err := o.age(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		h, body := onlyEntry(t, o)
		if h.Kind != "ageing-reminded" || !bytes.Contains(body, []byte(site)) || !bytes.Contains(body, []byte(`"actor":"ageing"`)) {
			t.Errorf("%+v %s", h, body)
		}
	}
}

// Every hour takes to its end what of a cancelled wave is left, whatever broke it off.
func TestCancelledWaveEnds(t *testing.T) {
	dir := t.TempDir()
	o := opened(t, dir, func(*Config) {})
	now := time.Now().UTC()
	shop := registry.Invitee{Site: protocol.Site{Name: "Bar", Category: "shop"}, Channel: registry.ChannelLetter}
	wave, _, err := o.reg.PlanWave(t.Context(), []registry.Invitee{shop, {Site: protocol.Site{Name: "Due", Category: "shop"}, Channel: registry.ChannelLetter}},
		registry.WavePlan{PerDay: 1, At: now, Source: "albo", Record: func(context.Context, int, int) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	register, err := sql.Open("sqlite3", registerFile(dir))
	if err == nil {
		_, err = register.ExecContext(t.Context(), "UPDATE waves SET cancelled_at = 1 WHERE number = ?", wave)
		err = errors.Join(err, register.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := o.invite(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	all, err := o.reg.Waves(t.Context(), 0, 1)
	if err != nil || len(all) != 1 || all[0].Gone != 1 || all[0].Queued != 0 {
		t.Errorf("%+v, %v", all, err)
	}
}

// A suspension ends on its day, with an entry on the trail.
func TestSuspensionsEnd(t *testing.T) {
	o := opened(t, t.TempDir(), func(*Config) {})
	at := time.Now().UTC().Add(-time.Hour)
	site, say := ageingAgent(t, o.reg, at)
	say(at, protocol.SiteSuspension{Until: at.Add(time.Minute), Approval: protocol.Approval{By: "Anna", Role: protocol.RoleOwner, At: at}})
	for range 2 { // the second time nothing is due
		if err := o.age(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		own, err := o.reg.Own(t.Context(), site)
		if err != nil || own.State != registry.Sharing {
			t.Errorf("%s, %v", own.State, err)
		}
		if h, body := onlyEntry(t, o); h.Kind != "ageing-resumed" || !bytes.Contains(body, []byte(site)) {
			t.Errorf("%+v %s", h, body)
		}
	}
}

// onlyEntry is the one that the trail has.
func onlyEntry(t *testing.T, o *collector) (trail.Header, []byte) {
	t.Helper()
	var all []trail.Header
	for h, err := range o.trail.Headers(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, h)
	}
	if len(all) != 1 {
		t.Fatalf("%d entries", len(all))
	}
	body, err := o.trail.Body(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return all[0], body
}

func ageingSite(t *testing.T, reg *registry.Registry, at time.Time) string {
	t.Helper()
	site, _ := ageingAgent(t, reg, at)
	return site
}

// ageingAgent is a site that was declared at a moment, and how its agent says more.
func ageingAgent(t *testing.T, reg *registry.Registry, at time.Time) (site string, say func(at time.Time, b protocol.Body)) {
	t.Helper()
	agent := uuid.NewString()
	code := sha256.Sum256([]byte(agent))
	site, err := reg.Invite(t.Context(), registry.Invitation{Site: protocol.Site{Name: "Bar"}, CodeHash: code, ExpiresAt: at.Add(time.Hour), At: at})
	if err != nil {
		t.Fatal(err)
	}
	grant, err := reg.Redeem(t.Context(), ingest.Redemption{CodeHash: code, KeyHash: code, AgentID: agent, At: at})
	if err != nil {
		t.Fatal(err)
	}
	revision := int64(0)
	say = func(at time.Time, b protocol.Body) {
		t.Helper()
		revision++
		m := protocol.Message{ID: uuid.NewString(), SiteID: site, Epoch: grant.Epoch, Revision: revision, MadeAt: at, Body: b}
		raw, err := protocol.Encode(m)
		if err == nil {
			_, err = reg.Record(t.Context(), agent, m, raw, at)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	say(at, protocol.Declaration{
		Site:     protocol.Site{Name: "Bar Centrale", Category: "shop", Address: "Via Torino 1"},
		Contacts: []protocol.Contact{{Name: "Anna", Role: protocol.RoleOwner, Phone: "+39 02 1234567"}},
		Approval: protocol.Approval{By: "Anna", Role: protocol.RoleOwner, At: at}})
	return site, say
}

// The mail server's settings go together, and its password is read from a file
// that nobody else can read.
func TestMailSettings(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := func(c *Config) {
		c.SMTPServer, c.SMTPFrom = "smtp.example.it:587", "telecamere@example.it"
		c.SMTPUser, c.SMTPPasswordFile = "telecamere", file("good", "parola\n", 0o600)
	}
	for name, c := range map[string]struct {
		change func(*Config)
		says   string
	}{
		"no sender":              {func(c *Config) { c.SMTPFrom = "" }, "smtp_from"},
		"no password":            {func(c *Config) { c.SMTPPasswordFile = "" }, "smtp_password_file"},
		"a login without server": {func(c *Config) { c.SMTPServer, c.SMTPFrom = "", "" }, "smtp_server"},
		"no port":                {func(c *Config) { c.SMTPServer = "smtp.example.it" }, "HOST:PORT"},
		"others can read it":     {func(c *Config) { c.SMTPPasswordFile = file("open", "parola\n", 0o644) }, "chmod 600"},
		"an empty file":          {func(c *Config) { c.SMTPPasswordFile = file("empty", "\n", 0o600) }, "empty"},
		"a huge file":            {func(c *Config) { c.SMTPPasswordFile = file("huge", strings.Repeat("x", 2000), 0o600) }, "2000 bytes"},
		"a PEC without sender":   {func(c *Config) { c.PEC.Server = "smtps://pec.example.it:465" }, "[pec]"},
		"a PEC without port":     {func(c *Config) { c.PEC = pecMailbox{Server: "pec.example.it", From: "a@pec.example.it"} }, "HOST:PORT"},
		"SMS without a gateway":  {func(c *Config) { c.SMS.Sender = "Comune" }, "[sms]"},
		"SMS in clear":           {func(c *Config) { c.SMS.URL = "http://sms.example.it" }, "https://"},
		"a token for all to see": {func(c *Config) {
			c.SMS = smsGateway{URL: "https://sms.example.it", TokenFile: file("token", "parola", 0o644)}
		}, "chmod 600"},
		"no file": {func(c *Config) { c.SMTPPasswordFile = filepath.Join(dir, "none") }, "smtp_password_file"},
	} {
		t.Run(name, func(t *testing.T) {
			config := defaults()
			good(&config)
			c.change(&config)
			o, err := openCollector(t.Context(), t.TempDir(), config, slog.New(slog.DiscardHandler))
			if err == nil {
				o.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "parola") {
				t.Errorf("%v", err)
			}
		})
	}
	if o := opened(t, t.TempDir(), good); o.mail == nil || o.mail.Password != "" || o.mail.Link != "http://localhost:8080/site" {
		t.Error("no sender, or one with another link, or who gives the password away")
	}
	if password, err := passwordFile("smtp_password_file", file("good", "parola\n", 0o600), "the mail server's password"); err != nil || password != "parola" {
		t.Errorf("%q, %v", password, err)
	}
	o := opened(t, t.TempDir(), func(c *Config) {
		good(c)
		c.PEC, c.SMS = pecMailbox{Server: "smtps://pec.example.it:465", From: "a@pec.example.it"}, smsGateway{URL: "https://sms.example.it", TokenFile: file("sms", "parola", 0o600)}
	})
	if !slices.Equal(o.mail.Channels, []registry.Channel{registry.ChannelEmail}) ||
		!slices.Equal(o.pec.Channels, []registry.Channel{registry.ChannelPEC}) || o.sms == nil {
		t.Errorf("mail %v, PEC %v", o.mail.Channels, o.pec.Channels)
	}
	if o := opened(t, t.TempDir(), func(*Config) {}); o.pec != nil || o.sms != nil || o.mail != nil {
		t.Error("mail is sent without a server")
	}
}

// TestCasesEnd: a case that was closed as long ago as the configuration says is
// destroyed, once, and its force reads so on the trail.
func TestCasesEnd(t *testing.T) {
	o := opened(t, t.TempDir(), func(c *Config) { c.CaseYears = 2 })
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if err := o.reg.AddForce(t.Context(), "Questura", key.Recipient().String()); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for i, closed := range []time.Time{now.AddDate(-2, 0, -1), now.AddDate(-2, 0, 1)} {
		k := registry.Case{ID: fmt.Sprint("case ", i), Force: "Questura", OpenedBy: "a", OpenedAt: closed, Kind: "cnr"}
		if err := errors.Join(o.reg.OpenCase(t.Context(), k), o.reg.CloseCase(t.Context(), k.ID, k.Force, closed)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := o.destroyCases(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	left, err := o.reg.Cases(t.Context(), "Questura", 9)
	if err != nil || len(left) != 1 || left[0].ID != "case 1" {
		t.Errorf("%+v, %v", left, err)
	}
	if h, _ := onlyEntry(t, o); h.Force != "Questura" || h.Kind != "case-destroy" {
		t.Errorf("%+v", h)
	}
}
