package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"anagrafe/collector/privacy"
	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
)

// privacy is what of the configuration, and of the terms that the register goes by, the
// privacy notice and the record of processing come from. A test goes through all of
// Config: each setting changes a document, or is listed there with the reason why not.
func (c Config) privacy() privacy.Settings {
	terms := registry.KeepingTerms()
	s := privacy.Settings{
		Controller: c.Controller, ControllerContact: c.ControllerContact, DPOContact: c.DPOContact,
		PublicURL: c.PublicURL, OpsURL: c.OpsURL, ConsultURL: c.ConsultURL,
		ListenAgents: c.ListenAgents, ListenPublic: c.ListenPublic, ListenOps: c.ListenOps, ListenConsult: c.ListenConsult, ListenMetrics: c.ListenMetrics,
		Certificate: c.Certificate, AgentsCertificate: c.AgentsCertificate,
		Engine: "SQLite", Basemap: c.Basemap, Area: c.Area, AreaMarginM: c.AreaMarginM,
		MailServer: mailHost(c.SMTPServer), MailFrom: c.SMTPFrom,
		OpsIssuer: c.OpsOIDC.Issuer, ConsultIssuer: c.ConsultOIDC.Issuer, OwnerIssuer: c.OwnerOIDC.Issuer,
		TrailYears: c.TrailYears, CaseYears: c.CaseYears, SessionIdle: c.SessionIdle, SessionLife: c.SessionLife,
		InvitationDays: c.InvitationDays, PECServer: mailHost(c.PEC.Server), PECFrom: c.PEC.From, SMSGateway: mailHost(c.SMS.URL),
		AdhesionYears: terms.AdhesionYears, WithdrawYears: terms.WithdrawYears, SilentMonths: terms.SilentMonths,
		KeysDays: terms.KeysDays, NoticeDays: terms.NoticeDays, MailDays: terms.MailDays, RemarkDays: terms.RemarkDays, DraftDays: terms.DraftDays,
		DictatedDays: terms.DictatedDays, DictatedKept: terms.DictatedKept, DictatedDraft: terms.DictatedDraft,
	}
	if c.Store != "" && !strings.HasPrefix(c.Store, "sqlite:") { // its address may hold a password
		s.Engine = "PostgreSQL"
	}
	for _, p := range c.ConsultAllow {
		s.ConsultAllow = append(s.ConsultAllow, p.String())
	}
	for _, f := range c.Forces {
		s.Forces = append(s.Forces, forceInWords(f))
	}
	for _, w := range c.Witnesses {
		name, _, _ := strings.Cut(w, "+")
		s.Witnesses = append(s.Witnesses, name)
	}
	return s
}

// forceInWords is a force with what holds for it alone: "Questura (https://…; 10.20.1.0/24)".
func forceInWords(f forceConfig) string {
	var own []string
	if f.URL != "" {
		own = append(own, f.URL)
	}
	for _, p := range f.Allow {
		own = append(own, p.String())
	}
	if len(own) == 0 {
		return f.Name
	}
	return f.Name + " (" + strings.Join(own, "; ") + ")"
}

// mailHost is the server's address without what a URL could hold besides.
func mailHost(server string) string {
	if u, err := url.Parse(server); err == nil && u.Host != "" {
		return u.Host
	}
	return server
}

// privacyDocument answers the command line: /notice?kind=&lang= gives a privacy.Document.
func (o *collector) privacyDocument(rw http.ResponseWriter, r *http.Request) {
	d, ok := o.documents.Document(r.URL.Query().Get("kind"), pages.Lang(r.URL.Query().Get("lang")))
	rw.Header().Set("Content-Type", "application/json")
	if !ok {
		rw.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(rw).Encode(map[string]string{"error": "there is no such document", "field": "kind"})
		return
	}
	_ = json.NewEncoder(rw).Encode(d)
}

// cmdNotice writes a document from the configuration that the collector runs with.
func cmdNotice(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	kind := f.String("kind", "", "privacy: information notice, art. 13; record: record of processing, art. 30")
	lang := f.String("lang", string(pages.It), "language, it or en")
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	switch *kind {
	case privacy.Notice, privacy.Record:
	case "":
		return misuse("-kind is missing")
	default:
		return misuse("-kind is privacy or record")
	}
	if *lang != string(pages.It) && *lang != string(pages.En) {
		return misuse("-lang is it or en")
	}
	var d privacy.Document
	query := url.Values{"kind": {*kind}, "lang": {*lang}}
	if err := c.withCollector(ctx, func(cl client) error { return cl.do(ctx, http.MethodGet, "/notice?"+query.Encode(), nil, &d) }); err != nil {
		return err
	}
	write := func() error { return d.Write(c.out) }
	if c.json {
		write = func() error { return c.print(d) }
	}
	if err := write(); err != nil {
		return err
	}
	if d.Missing > 0 {
		return partly(fmt.Sprintf("the document is not complete: %s to be added to collector.toml, each marked in it", counted(d.Missing, "setting is", "settings are")))
	}
	return nil
}
