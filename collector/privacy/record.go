package privacy

// record writes the record of processing activities: art. 30(1) of Regulation (EU)
// 2016/679, letter by letter, the security measures of letter g as they are set.
func (b *builder) record() {
	b.who()
	b.section("why")
	b.say("why.task", nil)
	b.say("why.purpose", nil)
	b.either("record.area", "area", b.Area)
	if b.Area != "" {
		b.say("record.margin", settings("area_margin_m", b.AreaMarginM), "value", b.words.Number(b.AreaMarginM))
	}
	b.section("subjects")
	b.say("subjects.owners", nil)
	b.say("subjects.users", nil)
	b.section("data")
	b.say("data.owner", nil)
	b.say("data.dictated", nil)
	b.say("data.invited", nil)
	b.say("data.readers", nil)
	b.say("data.technical", nil)
	b.say("data.users", nil)
	b.say("data.filters", nil)
	b.either("data.identity", "owner_oidc.issuer", b.OwnerIssuer)
	b.say("data.never", nil)
	b.recipients()
	b.either("record.from", "smtp_from", b.MailFrom)
	b.section("transfers")
	b.say("transfers.none", nil)
	b.either("record.basemap", "basemap", b.Basemap)
	b.terms()
	b.kept()
	b.doors()
	b.signin()
}

// kept is how data at rest, and the trail, are kept.
func (b *builder) kept() {
	b.section("kept")
	b.say("kept.sealed", settings("store", b.Engine), "value", b.Engine)
	b.say("kept.trail", nil)
	b.either("kept.witnesses", "witnesses", list(b.Witnesses))
}

// doors are the addresses at which the collector listens, and to whom.
func (b *builder) doors() {
	b.section("doors")
	b.say("doors.agents", settings("listen_agents", b.ListenAgents), "value", b.ListenAgents)
	b.either("doors.agents.certificate", "agents_certificate", b.AgentsCertificate)
	b.say("doors.public", settings("listen_public", b.ListenPublic, "public_url", b.PublicURL), "value", b.ListenPublic, "url", b.PublicURL)
	b.say("doors.ops", settings("listen_ops", b.ListenOps, "ops_url", b.OpsURL), "value", b.ListenOps, "url", b.OpsURL)
	b.say("doors.consult", settings("listen_consult", b.ListenConsult, "consult_url", b.ConsultURL), "value", b.ListenConsult, "url", b.ConsultURL)
	b.either("doors.allow", "consult_allow", list(b.ConsultAllow))
	if len(b.Forces) > 0 {
		b.say("doors.forces", settings("force", b.Forces), "value", list(b.Forces))
	}
	b.either("doors.certificate", "certificate", b.Certificate)
	metrics := b.ListenMetrics
	if metrics == "off" {
		b.say("doors.metrics.none", settings("listen_metrics", metrics))
	} else {
		b.say("doors.metrics", settings("listen_metrics", metrics), "value", metrics)
	}
}

// signin is how people prove who they are, and for how long.
func (b *builder) signin() {
	b.section("signin")
	b.say("signin.passkeys", nil)
	b.either("signin.ops", "ops_oidc.issuer", b.OpsIssuer)
	b.either("signin.consult", "consult_oidc.issuer", b.ConsultIssuer)
	b.say("signin.sessions", settings("session_idle", b.SessionIdle, "session_life", b.SessionLife),
		"idle", b.words.Duration(b.SessionIdle), "life", b.words.Duration(b.SessionLife))
}
