package privacy

import (
	"fmt"
	"strings"
	"time"

	"anagrafe/protocol/pages"
)

// Settings are what the documents come from: the collector's configuration, without
// anything secret, and the terms that the program goes by.
type Settings struct {
	Controller, ControllerContact, DPOContact string // "": missing

	PublicURL, OpsURL, ConsultURL                                              string
	ListenAgents, ListenPublic, ListenOps, ListenConsult, ListenMetrics        string // HOST:PORT; metrics "off" for none
	ConsultAllow                                                               []string
	Forces                                                                     []string // with networks or a name of their own
	Certificate, AgentsCertificate                                             string   // file; "": none
	Engine                                                                     string   // "SQLite" or "PostgreSQL"
	Basemap                                                                    string   // file; "": none
	Area                                                                       string   // file; "": everywhere
	AreaMarginM                                                                int
	MailServer, MailFrom                                                       string   // "": no mail
	Witnesses                                                                  []string // names
	OpsIssuer, ConsultIssuer                                                   string   // OpenID Connect; "": passkeys alone
	OwnerIssuer                                                                string   // of owners; "": they confirm an e-mail address
	TrailYears, CaseYears                                                      int
	PECServer, PECFrom, SMSGateway                                             string // "": none
	InvitationDays                                                             int
	SessionIdle, SessionLife                                                   time.Duration
	AdhesionYears, WithdrawYears, SilentMonths, KeysDays, NoticeDays, MailDays int // fixed in the register

	DraftDays int // the same, of forms that nobody finished
	// The same, of what was dictated to the office: until it is confirmed, that there was
	// something, and how long who types it may read it.
	DictatedDays, DictatedKept int
	DictatedDraft              time.Duration

	RemarkDays int // the same, of what readers of the public pages write
}

// builder writes one document, statement by statement.
type builder struct {
	Settings
	words *pages.Words
	doc   Document
}

// section begins one.
func (b *builder) section(key string) {
	b.doc.Sections = append(b.doc.Sections, section{Title: b.words.T("section." + key)})
}

func (b *builder) add(s statement) {
	last := &b.doc.Sections[len(b.doc.Sections)-1]
	last.Statements = append(last.Statements, s)
}

// say adds a statement that comes from settings; pairs fill its text.
func (b *builder) say(key string, from []setting, pairs ...any) {
	b.add(statement{Text: b.words.T(key, pairs...), From: from})
}

// need adds a statement about the value of a setting, as {value}; without a value
// it says that this is missing.
func (b *builder) need(key, name, value string) {
	value = strings.TrimSpace(value)
	s := statement{Text: b.words.T(key, "value", value), From: settings(name, value)}
	if value == "" {
		s.Text, s.Missing = b.words.T("missing", "what", b.words.T(key+".what"), "setting", name), true
		b.doc.Missing++
	}
	b.add(s)
}

// either adds the statement of a setting that is set, as {value}, or that of one
// that is not: key.none.
func (b *builder) either(key, name, value string) {
	if value == "" {
		key += ".none"
	}
	b.say(key, settings(name, value), "value", value)
}

// settings are those that a statement comes from: names and values in turn.
func settings(pairs ...any) []setting {
	var all []setting
	for i := 0; i+1 < len(pairs); i += 2 {
		value := fmt.Sprint(pairs[i+1])
		if list, ok := pairs[i+1].([]string); ok {
			value = strings.Join(list, ", ")
		}
		all = append(all, setting{fmt.Sprint(pairs[i]), value})
	}
	return all
}
