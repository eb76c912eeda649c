package main

import (
	"fmt"

	"anagrafe/collector/web"
)

// oidcProvider is a provider of OpenID Connect that vouches for the people of one listener. Its
// redirect address is the listener's, with /login/oidc/callback.
type oidcProvider struct {
	// Issuer is its address, as its tokens name it; empty: nobody vouches.
	Issuer string `toml:"issuer"`
	// Name is what the button on the login page calls it, e.g. "SPID".
	Name string `toml:"name"`
	// ClientID and ClientSecretFile are what this collector is registered as; the file
	// holds the secret alone and nobody else may read it (mode 0600).
	ClientID         string `toml:"client_id"`
	ClientSecretFile string `toml:"client_secret_file"`
	// Grants give roles, each a table [[ops_oidc.grant]] or [[consult_oidc.grant]]; the
	// first that fits holds. Who fits none is refused.
	Grants []oidcGrant `toml:"grant"`
}

// oidcGrant gives a role to whom the provider says Value of, in the claim Claim.
type oidcGrant struct {
	Claim         string `toml:"claim"`
	Value         string `toml:"value"`
	Role          string `toml:"role"`
	Force         string `toml:"force"`
	Qualification string `toml:"qualification"`
}

// ownerOIDC is the provider that vouches for owners on the public form, by SPID or CIE
// alone: the Comune's own. It gives nobody a role. Its redirect address is public_url with
// /identity.
type ownerOIDC struct {
	Issuer           string `toml:"issuer"`
	Name             string `toml:"name"` // on the button: "SPID o CIE"
	ClientID         string `toml:"client_id"`
	ClientSecretFile string `toml:"client_secret_file"`
}

// provider is what package web takes; nil without an issuer.
func (o ownerOIDC) provider() (*web.Provider, error) {
	return oidcProvider{Issuer: o.Issuer, Name: o.Name, ClientID: o.ClientID, ClientSecretFile: o.ClientSecretFile}.provider("owner_oidc")
}

// provider is what package web takes; nil without an issuer.
func (o oidcProvider) provider(table string) (*web.Provider, error) {
	if o.Issuer == "" {
		if o.Name != "" || o.ClientID != "" || o.ClientSecretFile != "" || len(o.Grants) > 0 {
			return nil, fmt.Errorf("[%s] has no issuer: give the provider's address, or remove the table", table)
		}
		return nil, nil
	}
	secret, err := passwordFile(table+".client_secret_file", o.ClientSecretFile, "the secret that the provider gave this collector")
	if err != nil {
		return nil, err
	}
	p := &web.Provider{Name: o.Name, Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: secret}
	for _, g := range o.Grants {
		p.Grants = append(p.Grants, web.Grant(g))
	}
	return p, nil
}
