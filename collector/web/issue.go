package web

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"time"

	"anagrafe/collector/registry"
)

// linkLife is how long a login link waits to be opened.
const linkLife = 24 * time.Hour

// Account is a new user as whoever added them sees it, once: the register keeps
// hashes of both secrets.
type Account struct {
	ID            string      `json:"id"`
	Name          string      `json:"name"`
	Role          string      `json:"role"`
	Force         string      `json:"force,omitempty"`
	Qualification string      `json:"qualification,omitempty"`
	Link          string      `json:"link"` // one-time login link, 24 hours
	Credential    *Credential `json:"credential,omitempty"`
}

// Issue makes what a user signs in with at an address: a one-time link, and if a
// secret is given, which NewSecret made, a credential file.
func (w *Web) Issue(ctx context.Context, u registry.User, server, secret, trailKey string) (Account, error) {
	link, err := w.NewLink(ctx, server, u.ID, linkLife)
	a := Account{ID: u.ID, Name: u.Name, Role: u.Role, Force: u.Force, Qualification: u.Qualification, Link: link}
	if secret != "" {
		a.Credential = &Credential{Server: server, User: u.ID, Secret: secret, TrailKey: trailKey}
	}
	return a, err
}

// File is the credential file as it is handed over.
func (a Account) File() (string, error) {
	b, err := json.MarshalIndent(a.Credential, "", "  ")
	return string(b) + "\n", err
}

// FileName is what a browser saves it as.
func (a Account) FileName() string { return "anagrafe-" + a.ID[:8] + ".json" }

// FileURL holds the file itself, so that nothing but this page ever has it.
func (a Account) FileURL() (template.URL, error) {
	file, err := a.File()
	return template.URL("data:application/json;base64," + base64.StdEncoding.EncodeToString([]byte(file))), err
}
