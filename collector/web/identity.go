package web

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"anagrafe/protocol"
)

// IdentityPath is where the provider of owners sends people back to; the face that asks
// has the route.
const IdentityPath = "/identity"

// Person is whom the provider of owners vouches for.
type Person struct {
	Subject    string // stands for who it is to the provider: the same each time, and nothing else
	Name       string
	FiscalCode string // "" where the provider does not tell it
}

// fiscalClaims are the names under which providers tell a person's fiscal code: that of
// SPID and CIE (AgID and IPZS, "SPID/CIE OIDC", attributes), and what gateways of
// municipalities make of SPID's fiscalNumber.
var fiscalClaims = []string{"https://attributes.eid.gov.it/fiscal_number", "fiscal_number", "fiscalNumber", "codice_fiscale", "fiscal_code"}

// checkProviders refuses providers that cannot be asked, or say too much.
func (w *Web) checkProviders() error {
	if w.OIDC != nil {
		if err := errors.Join(w.OIDC.check(), w.OIDC.checkGrants(w.accepts)); err != nil {
			return err
		}
	}
	switch {
	case w.Owners == nil:
		return nil
	case len(w.Roles) > 0:
		return errors.New("owners are vouched for on the public listener alone, where nobody has a role")
	case len(w.Owners.Grants) > 0:
		return errors.New("the provider of owners grants no roles")
	}
	return w.Owners.check()
}

// Vouches is what to call the provider of owners, "" where there is none.
func (w *Web) Vouches() string {
	if w.Owners == nil {
		return ""
	}
	return w.Owners.Name
}

// AskIdentity sends an owner's browser to the provider, which Vouches names; about says
// for what, and comes back with the answer.
func (w *Web) AskIdentity(rw http.ResponseWriter, r *http.Request, about string) {
	w.ask(rw, r, w.owners, about)
}

// Identity takes an owner's browser back from the provider at IdentityPath, and gives who
// it is and for what they were asked. When it returns false the answer is written. No
// account is made, and nothing is kept here.
func (w *Web) Identity(rw http.ResponseWriter, r *http.Request) (p Person, about string, ok bool) {
	claims, about, ok := w.answered(rw, r, w.owners)
	if !ok {
		return Person{}, "", false
	}
	if p = personOf(claims); p.Name == "" {
		w.refuseOIDC(rw, r, w.owners, "nameless", "the provider told no name")
		return Person{}, "", false
	}
	subject := w.hash("owner's identity", fmt.Sprint(claims["iss"], "\x00", claims["sub"]))
	p.Subject = hex.EncodeToString(subject[:])
	return p, about, true
}

// personOf reads who the claims speak of; what is no name or no fiscal code is left out.
func personOf(claims map[string]any) (p Person) {
	text := func(claim string) string {
		s, _ := claims[claim].(string)
		return oneLine(s)
	}
	p.Name = text("name")
	if p.Name == "" && text("given_name") != "" && text("family_name") != "" {
		p.Name = oneLine(text("given_name") + " " + text("family_name"))
	}
	for _, claim := range fiscalClaims {
		code, err := protocol.FiscalCode(strings.TrimPrefix(strings.ToUpper(text(claim)), "TINIT-")) // so SPID writes it
		if err == nil {
			p.FiscalCode = code
			break
		}
	}
	return p
}
