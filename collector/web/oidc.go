package web

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/uuid"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"anagrafe/collector/registry"
)

const (
	oidcPath     = "/login/oidc"
	callbackPath = oidcPath + "/callback"
	// providerWait bounds each request to a provider, providerAnswer what it answers, in
	// bytes.
	providerWait   = 10 * time.Second
	providerAnswer = 1 << 20
	// clockSkew is how far a provider's clock may be behind or ahead of ours.
	clockSkew = time.Minute
)

// Provider is who vouches for the people of one listener, by OpenID Connect (Core 1.0):
// code flow with PKCE (RFC 7636). The Comune's cannot give roles of a force, nor the
// reverse: each listener has its own, and grants only roles that the listener accepts.
type Provider struct {
	Name         string // on the button
	Issuer       string
	ClientID     string
	ClientSecret string
	Grants       []Grant // the first that fits holds
}

// Grant gives a role to whom the provider says something of: Claim is the name of a
// claim of the ID token, a text or a list of texts, and Value one of them.
type Grant struct {
	Claim, Value  string
	Role          string
	Force         string // of a force's role
	Qualification string // of an officer
}

// check refuses what cannot be asked.
func (p *Provider) check() error {
	issuer, err := url.Parse(p.Issuer)
	switch {
	case err != nil || issuer.Host == "" || issuer.Scheme != "https" && (issuer.Scheme != "http" || !loopback(issuer.Hostname())):
		return fmt.Errorf("the provider's issuer %q must begin with https://", p.Issuer)
	case p.ClientID == "" || strings.TrimSpace(p.Name) == "":
		return errors.New("a provider needs a name and a client id")
	}
	return nil
}

// checkGrants refuses what could give somebody the role of another listener.
func (p *Provider) checkGrants(accepts func(role string) bool) error {
	if len(p.Grants) == 0 {
		return fmt.Errorf("the provider %s grants nothing: name the claims that give a role", p.Name)
	}
	for _, g := range p.Grants {
		switch {
		case g.Claim == "" || g.Value == "":
			return fmt.Errorf("a grant of the provider %s has no claim or value", p.Name)
		case !accepts(g.Role):
			return fmt.Errorf("the provider %s grants role %q, which this listener does not accept", p.Name, g.Role)
		case registry.OfForce(g.Role) != (g.Force != ""):
			return fmt.Errorf("the provider %s grants role %q: a force's role names its force, another does not", p.Name, g.Role)
		case g.Role == registry.RoleOfficer && !slices.Contains(registry.Qualifications(), g.Qualification), g.Role != registry.RoleOfficer && g.Qualification != "":
			return fmt.Errorf("the provider %s grants role %q with the qualification %q: an officer has one of %s, nobody else has", p.Name, g.Role,
				g.Qualification, strings.Join(registry.Qualifications(), ", "))
		}
	}
	return nil
}

// grant is the first that fits the claims.
func (p *Provider) grant(claims map[string]any) (Grant, bool) {
	for _, g := range p.Grants {
		switch said := claims[g.Claim].(type) {
		case string:
			if said == g.Value {
				return g, true
			}
		case []any:
			if slices.Contains(said, any(g.Value)) {
				return g, true
			}
		}
	}
	return Grant{}, false
}

// provider is a Provider whose addresses and keys were asked for, once somebody signs
// in by it: one that is down keeps neither the program nor passkeys from working.
type provider struct {
	*Provider
	redirect string // URL of ours to which it sends people back
	kind     string // of the ceremonies of who signs in by it
	client   *http.Client
	asking   singleflight.Group // who comes while one asks waits for the same answer
	known    atomic.Pointer[oidc.Provider]
}

// get asks the provider for its configuration (OpenID Connect Discovery 1.0, 4), unless
// it was answered before.
func (p *provider) get(ctx context.Context) (*oidc.Provider, error) {
	if known := p.known.Load(); known != nil {
		return known, nil
	}
	found, err, _ := p.asking.Do("", func() (any, error) {
		// Not this request's context: go-oidc keeps it to read the keys anew later.
		found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.client), p.Issuer)
		if err != nil {
			return nil, err
		}
		p.known.Store(found)
		return found, nil
	})
	if err != nil {
		return nil, err
	}
	return found.(*oidc.Provider), nil
}

// bounded reads no more of an answer than providerAnswer.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, providerAnswer), resp.Body}
	}
	return resp, err
}

// newProvider readies a Provider that sends people back to redirect; nil where there is
// none.
func newProvider(p *Provider, redirect, kind string) *provider {
	if p == nil {
		return nil
	}
	return &provider{Provider: p, redirect: redirect, kind: kind, client: &http.Client{Timeout: providerWait, Transport: bounded{http.DefaultTransport}}}
}

func (p *provider) oauth(found *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{ClientID: p.ClientID, ClientSecret: p.ClientSecret, Endpoint: found.Endpoint(),
		RedirectURL: p.redirect, Scopes: []string{oidc.ScopeOpenID, "profile"}}
}

// beginOIDC sends the browser to the provider of users.
func (w *Web) beginOIDC(rw http.ResponseWriter, r *http.Request) {
	w.ask(rw, r, w.provider, local(r.FormValue("next"), ""))
}

// ask sends the browser to a provider; next is given back with its answer.
func (w *Web) ask(rw http.ResponseWriter, r *http.Request, from *provider, next string) {
	if w.limit.exceeded(From(r)) || !w.begun.Try(From(r)) {
		w.tooMany(rw, r)
		return
	}
	p, err := from.get(r.Context())
	if err != nil {
		w.providerFails(rw, r, from, err)
		return
	}
	state, nonce, verifier := token(), token(), oauth2.GenerateVerifier()
	if err := w.beginCeremony(rw, r, ceremony{Kind: from.kind, Next: next, State: state, Nonce: nonce, Verifier: verifier}); err != nil {
		w.Broken(rw, r, err)
		return
	}
	http.Redirect(rw, r, from.oauth(p).AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), http.StatusSeeOther)
}

// callback takes a user's browser back from the provider. Nothing that the provider
// gave is kept.
func (w *Web) callback(rw http.ResponseWriter, r *http.Request) {
	if claims, next, ok := w.answered(rw, r, w.provider); ok {
		w.vouched(rw, r, claims, next)
	}
}

// answered takes the browser back from a provider, and asks the provider who it is. When
// it returns false the answer is written.
func (w *Web) answered(rw http.ResponseWriter, r *http.Request, from *provider) (claims map[string]any, next string, ok bool) {
	end, ok := w.limit.Guess(rw, r)
	if !ok {
		w.tooMany(rw, r)
		return nil, "", false
	}
	defer end()
	c, ok, err := w.endCeremony(rw, r, from.kind)
	if err != nil {
		w.Broken(rw, r, err)
		return nil, "", false
	}
	q := r.URL.Query()
	switch {
	case !ok || subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(c.State)) != 1:
		w.refuseOIDC(rw, r, from, "state", "not begun in this browser, or late")
		return nil, "", false
	case q.Get("code") == "":
		w.refuseOIDC(rw, r, from, "declined", "the provider did not let them in") // its own words are anybody's
		return nil, "", false
	}
	claims, why, err := w.redeem(r.Context(), from, c, q.Get("code"))
	switch {
	case err != nil:
		w.providerFails(rw, r, from, err)
	case why != "":
		w.refuseOIDC(rw, r, from, "token", why)
	default:
		return claims, c.Next, true
	}
	return nil, "", false
}

// redeem gets the ID token for a code and checks it (OpenID Connect Core 1.0, 3.1.3.7).
// It gives the claims, or why they do not count, or an error of a provider that does
// not answer.
func (w *Web) redeem(ctx context.Context, from *provider, c ceremony, code string) (claims map[string]any, why string, err error) {
	p, err := from.get(ctx)
	if err != nil {
		return nil, "", err
	}
	ctx = oidc.ClientContext(ctx, from.client)
	tokens, err := from.oauth(p).Exchange(ctx, code, oauth2.VerifierOption(c.Verifier))
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response.StatusCode < http.StatusInternalServerError {
		return nil, "code not taken: " + refused.ErrorCode, nil
	}
	if err != nil {
		return nil, "", err
	}
	raw, _ := tokens.Extra("id_token").(string)
	// go-oidc gives no leeway for the end of a token.
	verifier := p.Verifier(&oidc.Config{ClientID: from.ClientID, Now: func() time.Time { return w.Now().Add(-clockSkew) }})
	id, err := verifier.Verify(ctx, raw)
	switch {
	case err != nil:
		return nil, "ID token not valid", nil //nolint:nilerr // whatever is wrong with it, it does not count
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(c.Nonce)) != 1:
		return nil, "ID token of another login", nil
	case id.IssuedAt.After(w.Now().Add(clockSkew)):
		return nil, "ID token of a later time: check both clocks", nil
	case id.Subject == "":
		return nil, "ID token of nobody", nil
	}
	if err := id.Claims(&claims); err != nil {
		return nil, "ID token without claims", nil //nolint:nilerr // as above
	}
	claims["iss"], claims["sub"] = id.Issuer, id.Subject
	return claims, "", nil
}

// vouched signs in whom the provider vouches for, with what its claims grant today.
func (w *Web) vouched(rw http.ResponseWriter, r *http.Request, claims map[string]any, next string) {
	identity := w.hash("identity", fmt.Sprint(claims["iss"], "\x00", claims["sub"]))
	g, ok := w.OIDC.grant(claims)
	if !ok {
		w.unmapped(rw, r, identity, "no claim grants a role")
		return
	}
	u, err := w.Registry.SignInIdentity(r.Context(), identity, registry.User{ID: uuid.NewString(), Name: nameOf(claims),
		Role: g.Role, Force: g.Force, Qualification: g.Qualification, At: w.Now()})
	switch {
	case errors.Is(err, registry.ErrRevoked):
		w.unmapped(rw, r, identity, "user revoked")
	case errors.Is(err, registry.ErrUnknownForce):
		w.Log.ErrorContext(r.Context(), "the provider's grant names a force that is not in the register: add it with user add", "force", g.Force)
		w.unmapped(rw, r, identity, "force not known")
	case err != nil:
		w.Broken(rw, r, err)
	default:
		w.signIn(rw, r, u, byOIDC, next)
	}
}

// unmapped answers whom the provider knows and we do not let in. They are on the trail
// under a pseudonym, which stays the same: nobody here, they have no name there.
func (w *Web) unmapped(rw http.ResponseWriter, r *http.Request, identity [32]byte, why string) {
	w.limit.Try(From(r))
	w.recordRefusal(r, registry.User{ID: "identity " + hex.EncodeToString(identity[:8])}, byOIDC, why)
	w.fail(rw, r, http.StatusForbidden, "unmapped", "provider", w.OIDC.Name)
}

// nameOf is what the provider calls a person, on one line, or a part of its subject.
func nameOf(claims map[string]any) string {
	for _, claim := range []string{"name", "preferred_username"} {
		if s, _ := claims[claim].(string); oneLine(s) != "" {
			return oneLine(s)
		}
	}
	return "OIDC"
}

// oneLine is a text of a provider as it may be shown.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return !printable(r) }), " ")
	if cut := []rune(s); len(cut) > 200 {
		s = string(cut[:200])
	}
	return strings.TrimSpace(s)
}

// refuseOIDC answers a return from the provider that lets nobody in.
func (w *Web) refuseOIDC(rw http.ResponseWriter, r *http.Request, from *provider, key, why string) {
	w.limit.Try(From(r))
	w.Log.WarnContext(r.Context(), "login by provider refused", "from", From(r), "why", why)
	if from.kind == askIdentity {
		key = "owner." + key
	}
	w.fail(rw, r, http.StatusUnauthorized, "oidc."+key, "provider", from.Name)
}

// providerFails answers for a provider that cannot be asked.
func (w *Web) providerFails(rw http.ResponseWriter, r *http.Request, from *provider, err error) {
	w.Log.ErrorContext(r.Context(), "the provider cannot be asked", "issuer", from.Issuer, "err", err)
	key := "oidc.down"
	if from.kind == askIdentity {
		key = "oidc.owner.down"
	}
	w.fail(rw, r, http.StatusBadGateway, key, "provider", from.Name)
}
