package ops

import (
	"fmt"
	"strings"
	"testing"

	"anagrafe/protocol"
)

func TestCategoryOf(t *testing.T) {
	for said, want := range map[string]protocol.Category{
		"farmacia|Farmacia": "pharmacy", "ufficio_postale|Ufficio postale": "public-body", "bottega_storica|Ristorante": "bar-restaurant",
		"bottega_storica|Barbiere": "shop", "bottega_storica|Bar, Latteria": "bar-restaurant", "bottega_storica|Ristorante, bar": "bar-restaurant",
		"bottega_storica|Caff?": "bar-restaurant", "bottega_storica|Albergo": "hotel", "bottega_storica|Negozio Cambiavalute": "bank",
		"bottega_storica|Gioielleria": "shop", "|Banca popolare": "bank", "|hotel": "hotel", "|Bigliardi": "other", "|": "other", "|barbiere bar": "bar-restaurant",
		"|pharmacy": "pharmacy", "|Sbarco": "other",
	} {
		kind, category, _ := strings.Cut(said, "|")
		got, ok := categoryOf(kind, category)
		if got != want || ok != (want != "other") {
			t.Errorf("%s: %s %v, want %s", said, got, ok, want)
		}
	}
}

func TestReadInvitees(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"the file of Milan": {"kind,name,category,street,number,cap,lon,lat,state\nfarmacia,Centrale,Farmacia,Via Larga,8,20122,9.1,45.4,\n",
			"[{{{Centrale pharmacy Via Larga 8, 20122 Milano} letter } 2}] [] [lon lat]"},
		"Italian, semicolons": {"Insegna;Indirizzo;Civico;CAP;Comune;E-mail;PEC\nBar;Via Roma;1;20100;Rho;a@b.it;p@pec.it\nDue;;;;;a@b.it;\n",
			"[{{{Bar other Via Roma 1, 20100 Rho} pec p@pec.it} 2} {{{Due other Milano} email a@b.it} 3}] [] []"},
		"ceased":      {"name,state\nBar,Cessata\nDue,attiva\n", "[{{{Due other Milano} letter } 3}] [] []"},
		"wrong lines": {"name,email\n,a@b.it\nBar,a@b@c\nDue,Anna <a@b.it>\n", "[] [{2 name site.wrong []} {3 email address.unreadable []} {4 email address.unreadable []}] []"},
		"a formula":   {"name\n'=1+1\n", "[{{{=1+1 other Milano} letter } 2}] [] []"},
		"no names":    {"street\nVia Roma\n", "[] [{1 name no-name-column []}] []"},
		"empty":       {"", "[] [{0  empty [n 0]}] []"},
	} {
		f := readInvitees([]byte(c.file), "Milano")
		if got := fmt.Sprint(f.all, f.problems, f.ignored); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", name, got, c.want)
		}
	}
}

func FuzzReadInvitees(f *testing.F) {
	f.Add([]byte("name,street,email\nBar,Via Roma,a@b.it\n"))
	f.Add([]byte("sep=;\nnome;stato\n\"Bar\n2\";cessata\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, one := range readInvitees(file, "Milano").all {
			if one.Site.Name == "" || one.line < 2 || (one.Address == "") != (one.Channel == "letter") {
				t.Errorf("%+v", one)
			}
		}
	})
}
