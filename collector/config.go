package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"anagrafe/collector/letter"
	"anagrafe/collector/trail"
	"anagrafe/collector/web"
	"anagrafe/collector/web/adhere"
	"anagrafe/collector/web/join"
	"anagrafe/protocol/daemon"
)

const defaultDir = "/var/lib/anagrafe-collector"

// Config is all that can be set, in DIR/collector.toml or the file given with
// -config; flags of serve win over it. An unknown key is an error. The tables [[force]],
// [ops_oidc] and its like, [pec] and [sms] are in networks.go, oidc.go and sms.go.
type Config struct {
	// Store is where the register is kept: sqlite:FILE, or postgres://HOST/DATABASE
	// (the password in a passfile, or here in a file that the collector alone can
	// read). Empty: sqlite:DIR/registry.db.
	Store string `toml:"store"`
	// PublicURL is what owners and agents call this collector, e.g.
	// https://telecamere.comune.example.it: its host is in the certificate and
	// in every enrolment link, and the owners' page is below it. http is accepted
	// for localhost alone. The key of receipts keeps the host that was set when it
	// was made, at the first start.
	PublicURL string `toml:"public_url"`
	// OpsURL and ConsultURL are what operators and officers call their pages;
	// their sign-in links begin with it.
	OpsURL     string `toml:"ops_url"`
	ConsultURL string `toml:"consult_url"`
	// ListenAgents takes QUIC on UDP and HTTP/2 on TCP, on the same port.
	ListenAgents string `toml:"listen_agents"`
	// ListenAgentsTCP is the address for TCP alone, where a balancer takes listen_agents'
	// port of TCP on this machine. Empty: as listen_agents.
	ListenAgentsTCP string `toml:"listen_agents_tcp"`
	// Balancers are the addresses of those who pass TCP on to this collector, and begin
	// each connection with the caller's address (HAProxy's send-proxy-v2), e.g. ["10.9.1.2/32"]: of
	// them it must begin so, and of nobody else is it believed.
	Balancers []netip.Prefix `toml:"balancers"`
	// ListenPublic serves everybody: the page of an owner's site.
	ListenPublic string `toml:"listen_public"`
	// ListenOps serves the Comune's operators.
	ListenOps string `toml:"listen_ops"`
	// ListenConsult serves the forces.
	ListenConsult string `toml:"listen_consult"`
	// ConsultAllow are the networks to which the forces' listener is open, e.g.
	// ["10.20.0.0/16"]; to all others it is closed before any login. Empty: this
	// machine alone. Behind a proxy the addresses are the proxy's, unless it is one of
	// Balancers: name it here, and have it keep strangers out. Forces says more of
	// single forces.
	ConsultAllow []netip.Prefix `toml:"consult_allow"`
	Forces       []forceConfig  `toml:"force"`
	// ListenMetrics serves Prometheus; keep it inside.
	ListenMetrics string `toml:"listen_metrics"`
	// LogFormat is how the log on stderr is written: "text" (key=value), or "json", an
	// object a line.
	LogFormat string `toml:"log_format"`
	// OTLPEndpoint is where traces are sent, by OTLP over HTTP: https://HOST[:PORT][/PATH],
	// http for this machine alone; without a path it is /v1/traces. They tell how long
	// the parts of a request took, by the pattern of its route, and nothing of who asked
	// for what. Empty: none are made.
	OTLPEndpoint string `toml:"otlp_endpoint"`
	// Certificate and Key are PEM files for the public, operators' and forces' pages;
	// they are read again when they change. Without them those pages are served on loopback addresses only.
	Certificate string `toml:"certificate"`
	Key         string `toml:"key"`
	// AgentsCertificate and AgentsKey are PEM files of a certificate of the
	// public Web PKI, with its chain, for the agents' listener; they are read
	// again when they change. Without them the collector's own authority signs it.
	AgentsCertificate string `toml:"agents_certificate"`
	AgentsKey         string `toml:"agents_key"`
	// Basemap is a PMTiles file in the OpenMapTiles schema; without one the
	// search page says so and draws on a plain ground.
	Basemap string `toml:"basemap"`
	// BasemapAttribution is the credit under the map; empty: the one in the
	// basemap's own metadata.
	BasemapAttribution string `toml:"basemap_attribution"`
	// Area is a GeoJSON file with the polygons that the register is for, e.g. the
	// metropolitan city: what an owner imports farther than AreaMarginM metres
	// outside is counted and not taken. Without one everything is taken.
	Area        string `toml:"area"`
	AreaMarginM int    `toml:"area_margin_m"`
	// SMTPServer is HOST:PORT of a mail server that relays for this collector, by
	// STARTTLS (smtp.comune.example.it:587), or smtps://HOST:PORT of one that
	// speaks TLS from the first byte. One on this machine may do without TLS. Empty:
	// no mail is sent, and owners are reminded through their agents alone.
	SMTPServer string `toml:"smtp_server"`
	// SMTPFrom is the sender of every message, e.g.
	// "Registro telecamere <telecamere@comune.example.it>".
	SMTPFrom string `toml:"smtp_from"`
	// SMTPUser and SMTPPasswordFile are for a server that wants a login; the file
	// holds the password alone and nobody else may read it (mode 0600).
	SMTPUser         string `toml:"smtp_user"`
	SMTPPasswordFile string `toml:"smtp_password_file"`
	// PEC and SMS are further ways to people: tables [pec] and [sms].
	PEC pecMailbox `toml:"pec"`
	SMS smsGateway `toml:"sms"`
	// InvitationDays is how long an invitation that nobody used is kept after its code
	// has ended, from 0 to 365 days: then all of it is deleted.
	InvitationDays int `toml:"invitation_days"`
	// MaxHeld is how many agents may stay connected to hear of a notice within
	// a second, at about 100 KiB of memory each. The others come every six
	// hours. 0: none stays.
	MaxHeld int `toml:"max_held"`
	// Witnesses are the public keys (NAME+HASH+KEY) of those who co-sign the audit
	// trail's checkpoints, each on a machine of its own: the Prefettura, the Procura.
	Witnesses []string `toml:"witnesses"`
	// TrailYears is how long the trail keeps what was asked, from 5 to 20 years.
	// Then the content of an entry is deleted; that there was one stays provable.
	TrailYears int `toml:"trail_years"`
	// SessionIdle ends a browser's session that lay unused for as long, SessionLife any;
	// such as "30m", "8h".
	SessionIdle time.Duration `toml:"session_idle"`
	SessionLife time.Duration `toml:"session_life"`
	// OpsOIDC and ConsultOIDC are who vouches, beside passkeys, for the Comune's people
	// and for the forces': tables [ops_oidc] and [consult_oidc].
	OpsOIDC     oidcProvider `toml:"ops_oidc"`
	ConsultOIDC oidcProvider `toml:"consult_oidc"`
	// OwnerOIDC is who vouches, by SPID or CIE, for owners on the public form: table
	// [owner_oidc]. Without it they confirm an e-mail address, and officers see that.
	OwnerOIDC ownerOIDC `toml:"owner_oidc"`
	// CaseYears is how long a closed case is kept with what was seen and done in it,
	// from 1 to 20 years. Then it is destroyed; that there was one stays.
	CaseYears int `toml:"case_years"`
	// Controller is who answers for the processing (the Comune), ControllerContact how to
	// reach it, DPOContact how to reach its data protection officer: the information
	// notice and the record of processing name them, and say loudly where one is missing.
	Controller        string `toml:"controller"`
	ControllerContact string `toml:"controller_contact"`
	DPOContact        string `toml:"dpo_contact"`
	// ControllerURL is the controller's own site, to which the header of the public pages
	// leads. AccessibilityURL is the accessibility statement that the Comune has published
	// at form.agid.gov.it, once it has. AppURL is where owners get the agent. Each may be
	// empty: the pages then do without the link.
	ControllerURL    string `toml:"controller_url"`
	AccessibilityURL string `toml:"accessibility_url"`
	AppURL           string `toml:"app_url"`
}

const minTrailYears, maxTrailYears = 5, 20

const minCaseYears, usualCaseYears, maxCaseYears = 1, 5, 20

// unset is a number that no flag gave.
const unset = -1

func defaults() Config {
	return Config{
		PublicURL:     "http://localhost:8080",
		OpsURL:        "http://ops.localhost:8081",
		ConsultURL:    "http://localhost:8082",
		ListenAgents:  ":8443",
		ListenPublic:  "127.0.0.1:8080",
		ListenOps:     "127.0.0.1:8081",
		ListenConsult: "127.0.0.1:8082",
		ListenMetrics: "127.0.0.1:9180",
		LogFormat:     "text",
		MaxHeld:       20_000, // some 2 GB
		AreaMarginM:   500,
		TrailYears:    minTrailYears,
		SessionIdle:   30 * time.Minute,
		SessionLife:   8 * time.Hour,
		CaseYears:     usualCaseYears,

		InvitationDays: 60,
	}
}

// readConfig reads file, or DIR/collector.toml when file is "" and that exists.
func readConfig(dir, file string) (Config, error) {
	c := defaults()
	optional := file == ""
	if optional {
		file = filepath.Join(dir, "collector.toml")
	}
	md, err := toml.DecodeFile(file, &c)
	switch {
	case optional && errors.Is(err, fs.ErrNotExist):
		return c, nil
	case err != nil:
		return c, fmt.Errorf("reading the configuration %s: %w", file, err)
	case len(md.Undecoded()) > 0:
		return c, fmt.Errorf("the configuration %s has the unknown key %q: remove it, or correct its spelling", file, md.Undecoded()[0].String())
	}
	return c, nil
}

// readConfig reads the configuration of a command; -store wins over it.
func (c *call) readConfig() (Config, error) {
	config, err := readConfig(c.dir, c.config)
	if c.store != "" {
		config.Store = c.store
	}
	return config, err
}

// store is where the register is kept.
func (c Config) store(dir string) string {
	return cmp.Or(c.Store, "sqlite:"+registerFile(dir))
}

// check refuses what contradicts itself before anything starts. The addresses
// of the pages are checked by package web, which knows what it can serve.
func (c Config) check() error {
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Host == "" || u.Path != "" && u.Path != "/" {
		return fmt.Errorf("public_url %q is not a URL of scheme and host, e.g. https://telecamere.comune.example.it", c.PublicURL)
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && u.Hostname() == "localhost") {
		return fmt.Errorf("public_url %q must begin with https:// (http is for localhost alone)", c.PublicURL)
	}
	if _, _, err := net.SplitHostPort(c.ListenAgents); err != nil {
		return fmt.Errorf("listen_agents %q is not HOST:PORT or :PORT", c.ListenAgents)
	}
	if _, _, err := net.SplitHostPort(c.ListenAgentsTCP); err != nil && c.ListenAgentsTCP != "" {
		return fmt.Errorf("listen_agents_tcp %q is not HOST:PORT or :PORT", c.ListenAgentsTCP)
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		return fmt.Errorf("log_format is %q: give \"text\" or \"json\"", c.LogFormat)
	}
	if err := checkTraces(c.OTLPEndpoint); err != nil {
		return err
	}
	if c.MaxHeld < 0 {
		return fmt.Errorf("max_held is %d: give how many agents may stay connected, 0 for none", c.MaxHeld)
	}
	if c.AreaMarginM < 0 || c.AreaMarginM > 100_000 {
		return fmt.Errorf("area_margin_m is %d: give metres from 0 to 100000", c.AreaMarginM)
	}
	if c.TrailYears < minTrailYears || c.TrailYears > maxTrailYears {
		return fmt.Errorf("trail_years is %d: give how many years the audit trail keeps what was asked, from %d to %d", c.TrailYears, minTrailYears, maxTrailYears)
	}
	if c.CaseYears < minCaseYears || c.CaseYears > maxCaseYears {
		return fmt.Errorf("case_years is %d: give how many years a closed case is kept, from %d to %d", c.CaseYears, minCaseYears, maxCaseYears)
	}
	if c.InvitationDays < 0 || c.InvitationDays > 365 {
		return fmt.Errorf("invitation_days is %d: give how many days an unused invitation is kept after its code has ended, from 0 to 365", c.InvitationDays)
	}
	for _, w := range c.Witnesses {
		if err := trail.CheckWitnessKey(w); err != nil {
			return fmt.Errorf("witnesses: %q: %w: \"audit witness -new\" prints one", w, err)
		}
	}
	if c.SessionIdle < time.Minute || c.SessionLife < c.SessionIdle || c.SessionLife > 24*time.Hour {
		return fmt.Errorf("session_idle is %v and session_life %v: give at least a minute, the second no shorter than the first, and a day at most", c.SessionIdle, c.SessionLife)
	}
	if (c.Certificate == "") != (c.Key == "") {
		return errors.New("certificate and key go together: give both, or neither")
	}
	if (c.AgentsCertificate == "") != (c.AgentsKey == "") {
		return errors.New("agents_certificate and agents_key go together: give both, or neither")
	}
	if (c.SMTPServer == "") != (c.SMTPFrom == "") {
		return errors.New("smtp_server and smtp_from go together: give both, or neither")
	}
	if (c.SMTPUser == "") != (c.SMTPPasswordFile == "") || c.SMTPUser != "" && c.SMTPServer == "" {
		return errors.New("smtp_user and smtp_password_file go together, and with smtp_server: give all, or leave both out")
	}
	if err := c.checkLinks(); err != nil {
		return err
	}
	if (c.PEC.Server == "") != (c.PEC.From == "") || (c.PEC.User == "") != (c.PEC.PasswordFile == "") || c.PEC.User != "" && c.PEC.Server == "" {
		return errors.New("[pec] wants server and from, and user and password_file together: give them, or remove the table")
	}
	if c.SMS.URL == "" && (c.SMS.User != "" || c.SMS.TokenFile != "" || c.SMS.Sender != "" || c.SMS.Body != "" || len(c.SMS.Refused) > 0) {
		return errors.New("[sms] has no url: give the gateway's address, or remove the table")
	}
	return c.checkNetworks()
}

// checkLinks refuses a link of the public pages that a browser could not follow.
func (c Config) checkLinks() error {
	for _, l := range []struct{ key, value string }{
		{"controller_url", c.ControllerURL}, {"accessibility_url", c.AccessibilityURL}, {"app_url", c.AppURL},
	} {
		u, err := url.Parse(l.value)
		if l.value != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
			return fmt.Errorf("%s %q is not an address that begins with https://", l.key, l.value)
		}
	}
	return nil
}

// logger writes the log of a collector that serves.
func (c Config) logger(w io.Writer) *slog.Logger {
	format := textLog
	if c.LogFormat == "json" {
		format = func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) }
	}
	return slog.New(web.LogRequests(daemon.Log(w, format)))
}

func textLog(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) }

// agentsURL is what agents call: the public host with the agents' port.
func (c Config) agentsURL() string {
	_, port, err := net.SplitHostPort(c.ListenAgents)
	if err != nil {
		return ""
	}
	return "https://" + net.JoinHostPort(c.host(), port)
}

// ownerLink is the page on which an owner's code is typed.
func (c Config) ownerLink() string { return strings.TrimSuffix(c.PublicURL, "/") + join.SitePath }

// contactLink is the page on which a contact accepts to be one, up to their token.
func (c Config) contactLink() string {
	return strings.TrimSuffix(c.PublicURL, "/") + join.ContactPath + "/"
}

// alertsLink is the page on which a reader of alerts ends them, up to their token.
func (c Config) alertsLink() string {
	return strings.TrimSuffix(c.PublicURL, "/") + join.AlertsPath + "/"
}

// public is the public address without a / at its end.
func (c Config) public() string { return strings.TrimSuffix(c.PublicURL, "/") }

// inviter is who invites businesses, as each invitation says.
func (c Config) inviter() letter.Office {
	public := c.public()
	return letter.Office{Name: c.Controller, Contact: c.ControllerContact, Page: public + join.InvitedPath + "/", Dictated: public +
		adhere.DictatedPath, Privacy: public + "/privacy", KeptDays: c.InvitationDays}
}

// host is the name that agents call and that the server's certificate bears.
func (c Config) host() string {
	u, err := url.Parse(c.PublicURL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
