package ops

import (
	"net/mail"
	"slices"
	"strings"

	"anagrafe/collector/letter"
	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/csvfile"
)

// maxInviteeFile bounds a file of businesses, in bytes.
const maxInviteeFile = 8 << 20

// inviteeColumns are those that a file of businesses may have, by what they are: the
// names of each, as csvfile.ColumnName writes them. All else is not read: positions,
// districts and telephones are of no use to an invitation.
var inviteeColumns = map[string][]string{
	"kind":     {"kind", "tipo"},
	"name":     {"name", "nome", "insegna", "denominazione", "ragione_sociale"},
	"category": {"category", "categoria", "attivita", "attività"},
	"street":   {"street", "via", "indirizzo", "ubicazione"},
	"number":   {"number", "civico", "numero", "numero_civico"},
	"cap":      {"cap", "postcode"},
	"town":     {"town", "city", "comune", "citta", "città"},
	"state":    {"state", "stato"},
	"email":    {"email", "e_mail", "mail", "posta_elettronica"},
	"pec":      {"pec"},
}

// inviteeProblem is what is wrong with a line, or worth knowing: the key of its words.
type inviteeProblem struct {
	line   int // 0: the file as a whole
	column string
	key    string
	pairs  []any
}

// inviteeLine is a business and where it stands in the file.
type inviteeLine struct {
	registry.Invitee
	line int
}

// invitees is a file of businesses that was read.
type invitees struct {
	csvfile.Table
	ignored   []string
	all       []inviteeLine
	ceased    []int // lines: they are closed, and not invited
	problems  []inviteeProblem
	noStreet  []int          // lines of letters that the post will hardly bring
	unmapped  map[string]int // categories that are taken for their kind's, or for other
	wrong     int            // lines
	columnsOf map[string]int
}

// readInvitees reads a file of businesses and checks all of its lines. town stands in
// addresses whose line names none.
func readInvitees(file []byte, town string) *invitees {
	f := &invitees{unmapped: map[string]int{}, columnsOf: map[string]int{}}
	var bad *csvfile.Problem
	if f.Table, bad = csvfile.Read(file, letter.Most); bad != nil {
		f.problems = append(f.problems, inviteeProblem{line: bad.Line, key: bad.Key, pairs: []any{"n", bad.Most}})
		return f
	}
	for i, name := range f.Header {
		known := ""
		for what, names := range inviteeColumns {
			if slices.Contains(names, csvfile.ColumnName(name)) {
				known = what
			}
		}
		if _, twice := f.columnsOf[known]; known == "" || twice {
			f.ignored = append(f.ignored, strings.TrimSpace(name))
			continue
		}
		f.columnsOf[known] = i
	}
	if _, ok := f.columnsOf["name"]; !ok {
		f.problems = append(f.problems, inviteeProblem{line: 1, column: "name", key: "no-name-column"})
		return f
	}
	for _, row := range f.Rows {
		f.read(row, town)
	}
	return f
}

// read takes one line.
func (f *invitees) read(row csvfile.Row, town string) {
	value := func(what string) string {
		if i, ok := f.columnsOf[what]; ok && i < len(row.Fields) {
			return csvfile.Plain(strings.Join(strings.Fields(row.Fields[i]), " "))
		}
		return ""
	}
	wrong := func(column, key string) {
		f.problems = append(f.problems, inviteeProblem{line: row.Line, column: column, key: key})
		f.wrong++
	}
	switch strings.ToLower(value("state")) {
	case "cessata", "cessato", "chiusa", "chiuso", "ceased", "closed":
		f.ceased = append(f.ceased, row.Line)
		return
	}
	one := inviteeLine{line: row.Line, Invitee: registry.Invitee{Channel: registry.ChannelLetter}}
	var mapped bool
	if one.Site.Category, mapped = categoryOf(value("kind"), value("category")); !mapped {
		f.unmapped[strings.TrimSpace(value("kind")+" "+value("category"))]++
	}
	one.Site.Name = value("name")
	street := strings.TrimSpace(value("street") + " " + value("number"))
	if place := strings.TrimSpace(value("cap") + " " + firstOf(value("town"), town)); street != "" && place != "" {
		street += ", " + place
	} else if street == "" {
		street = place
	}
	one.Site.Address = street
	if bad := check(one.Site); bad.Key != "" {
		wrong(map[string]string{"site": "name", "address": "street"}[bad.Field], strings.TrimPrefix(bad.Key, "invite."))
		return
	}
	for _, c := range []registry.Channel{registry.ChannelPEC, registry.ChannelEmail} {
		typed := value(string(c))
		if typed == "" {
			continue
		}
		if a, err := mail.ParseAddress(typed); err != nil || a.Address != typed || len(typed) > 254 {
			wrong(string(c), "address.unreadable")
			return
		}
		if one.Address == "" { // certified mail first: it is a business' domicile (CAD, art. 6-bis)
			one.Channel, one.Address = c, typed
		}
	}
	if one.Channel == registry.ChannelLetter && value("street") == "" {
		f.noStreet = append(f.noStreet, row.Line)
	}
	f.all = append(f.all, one)
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// categoryWords are what stands in the names of businesses' kinds and categories,
// with what that is to the register. The first that is found counts.
var categoryWords = []struct {
	category protocol.Category
	words    []string
}{
	{"bank", []string{"banca", "credito", "cambiavalute", "bank"}},
	{"public-body", []string{"ufficio_postale", "ufficio postale", "poste", "comune", "municip"}},
	{"hotel", []string{"albergo", "hotel", "pensione", "ostello"}},
	{"pharmacy", []string{"farmaci", "pharmac"}},
	{"bar-restaurant", []string{"bar", "caff", "ristorante", "trattoria", "osteria", "pizzeria", "pub", "birreria", "enoteca con mescita", "tavola",
		"restaurant", "gelateria", "pasticceria", "latteria", "sala da the"}},
	{"school", []string{"scuola", "asilo", "school"}},
	{"health", []string{"clinica", "ambulatorio", "ospedale", "studio medico"}},
	{"transport", []string{"garage", "autorimessa", "parcheggio", "stazione di servizio", "biglietteria"}},
	{"shop", []string{"bottega_storica", "bottega", "negozio", "vendita", "commercio", "shop"}},
}

// categoryOf is what a business is to the register, by the words of its category, else
// of its kind; false where neither says so, and it is taken for another.
func categoryOf(kind, category string) (protocol.Category, bool) {
	for _, said := range []string{category, kind} {
		said = strings.ToLower(said)
		if slices.Contains(protocol.Categories, protocol.Category(said)) {
			return protocol.Category(said), true
		}
		for _, c := range categoryWords {
			for _, w := range c.words {
				if begins(said, w) {
					return c.category, true
				}
			}
		}
	}
	return "other", false
}

// begins reports whether one of the words of a text begins so: "bar" is in "Bar,
// Latteria" and not in "barbiere".
func begins(text, with string) bool {
	for at := strings.Index(text, with); at >= 0; {
		before := at == 0 || strings.ContainsRune(" ,-?(/'", rune(text[at-1]))
		rest := text[at+len(with):]
		whole := len(with) > 3 || rest == "" || strings.ContainsRune(" ,-?)/'", rune(rest[0]))
		if before && whole {
			return true
		}
		next := strings.Index(text[at+1:], with)
		if next < 0 {
			return false
		}
		at += 1 + next
	}
	return false
}
