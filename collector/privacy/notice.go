package privacy

import "strings"

// notice writes the information notice: art. 13(1) and (2) of Regulation (EU)
// 2016/679, letter by letter.
func (b *builder) notice() {
	b.who()
	b.section("why")
	b.say("why.task", nil)
	b.say("why.purpose", nil)
	b.section("data")
	b.say("data.owner", nil)
	b.say("data.dictated", nil)
	b.either("data.identity", "owner_oidc.issuer", b.OwnerIssuer)
	b.say("data.invited", nil)
	b.say("data.readers", nil)
	b.say("data.technical", nil)
	b.say("data.never", nil)
	b.recipients()
	b.section("transfers")
	b.say("transfers.none", nil)
	b.terms()
	b.section("rights")
	b.say("rights.site", settings("public_url", b.PublicURL), "value", b.PublicURL)
	b.say("rights.all", nil)
	b.say("rights.garante", nil)
	b.section("free")
	b.say("free.choice", nil)
	b.say("free.automated", nil)
	b.section("cookies")
	b.say("cookies.technical", nil)
}

// who names the controller and the data protection officer: letters a and b of art.
// 13(1), and letter a of art. 30(1).
func (b *builder) who() {
	b.section("who")
	b.need("who.controller", "controller", b.Controller)
	b.need("who.contact", "controller_contact", b.ControllerContact)
	b.need("who.dpo", "dpo_contact", b.DPOContact)
}

// recipients are letters e of art. 13(1) and d of art. 30(1).
func (b *builder) recipients() {
	b.section("recipients")
	b.say("recipients.forces", nil)
	b.say("recipients.contacts", nil)
	b.either("recipients.mail", "smtp_server", b.MailServer)
	if b.PECServer != "" {
		b.say("recipients.pec", settings("pec.server", b.PECServer, "pec.from", b.PECFrom), "value", b.PECServer, "from", b.PECFrom)
	}
	if b.SMSGateway != "" {
		b.say("recipients.sms", settings("sms.url", b.SMSGateway), "value", b.SMSGateway)
	}
	if b.MailServer != "" {
		b.say("recipients.invited", settings("smtp_server", b.MailServer))
	}
}

// terms are letter a of art. 13(2) and letter f of art. 30(1).
func (b *builder) terms() {
	b.section("terms")
	b.say("terms.adhesion", nil, "years", b.words.N("years", b.AdhesionYears), "withdraw", b.words.N("years", b.WithdrawYears), "silent", b.words.N("months", b.SilentMonths))
	b.say("terms.withdrawn", nil, "days", b.words.N("days", b.KeysDays))
	b.say("terms.trail", settings("trail_years", b.TrailYears), "years", b.words.N("years", b.TrailYears))
	b.say("terms.cases", settings("case_years", b.CaseYears), "years", b.words.N("years", b.CaseYears))
	b.say("terms.invited", settings("invitation_days", b.InvitationDays), "days", b.words.N("days", b.InvitationDays))
	b.say("terms.drafts", nil, "days", b.words.N("days", b.DraftDays))
	b.say("terms.dictated", nil, "draft", b.words.Duration(b.DictatedDraft), "days", b.words.N("days", b.DictatedDays), "kept", b.words.N("days", b.DictatedKept))
	b.say("terms.notices", nil, "days", b.words.N("days", b.NoticeDays))
	b.say("terms.readers", nil, "days", b.words.N("days", b.RemarkDays))
	if b.MailServer != "" {
		b.say("terms.mail", settings("smtp_server", b.MailServer), "days", b.words.N("days", b.MailDays))
	}
}

// list writes several values as one.
func list(values []string) string { return strings.Join(values, ", ") }
