package web

import (
	"cmp"
	"context"
	"crypto/tls"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
)

//go:embed *.html it.json en.json
var files embed.FS

// Act is something that a person did to the system, on its way to the trail.
type Act struct {
	Kind    act.Kind
	User    registry.User
	From    string // address of the client
	Count   int    // records touched
	Force   string // whose auditor is to read it, where that is not User's own force; else ""
	Details any    // marshals to JSON
}

// Record writes an act on the trail; main gives it. The act goes ahead only
// when it returns without an error.
type Record func(ctx context.Context, a Act) error

// Options of one listener. Registry, Face, PublicURL, Secret, Record and Log are
// required.
type Options struct {
	Registry  *registry.Registry
	Face      pages.Face
	Roles     []string          // accepted here; none: nobody signs in, as on the public pages
	Home      map[string]string // where a role begins after signing in; "/" if not named
	PublicURL string            // https://host[:port] of this listener; http for loopback only
	TLS       *tls.Config       // nil: the listener must be on loopback
	Secret    []byte            // at least 32 bytes, derived from the root secret; the same for every listener
	Record    Record
	Idle      time.Duration // a session that lay unused for as long ends; 0: 30 minutes
	Life      time.Duration // a session ends then, used or not; 0: 8 hours
	OIDC      *Provider     // who vouches for the people of this listener beside passkeys; nil: nobody
	Owners    *Provider     // who vouches for owners, who get no role and no account: on the public listener; nil: nobody
	Log       *slog.Logger
	Now       func() time.Time // nil: time.Now
	Body      pages.Body       // who answers for the public pages; of no use on the other listeners

	Allow []netip.Prefix // addresses to which the listener is open; nil: all
	// Balancers are addresses of those who pass TCP on and say who calls (package
	// proxied); nil: none.
	Balancers []netip.Prefix
	Force     string             // whose people alone sign in here; "": those who have no address of their own
	Forces    map[string]Network // of each force that has more than the listener's rules
	Refused   func(why string)   // called for each refusal, for metrics; may be nil
}

// Web is what the pages of one listener share.
type Web struct {
	Options         // without its Secret: the faces see these
	secret   []byte // Options.Secret
	pages    *pages.Set
	host     string // of PublicURL, without port
	secure   bool   // PublicURL is https
	limit    *Limit // of refused logins
	begun    *Limit // of logins under way
	turned   *Limit // of programs and people turned away outside of a login: no login waits for them
	origin   *http.CrossOriginProtection
	party    *webauthn.WebAuthn // nil: no passkeys here
	provider *provider          // of OIDC; nil: none
	owners   *provider          // of Owners; nil: none
}

// New checks the options of a listener.
func New(o Options) (*Web, error) {
	public, err := url.Parse(o.PublicURL)
	switch {
	case err != nil || public.Host == "" || strings.Trim(public.Path, "/") != "" || public.RawQuery != "":
		return nil, fmt.Errorf("the public address %q must be https://HOST[:PORT]", o.PublicURL)
	case public.Scheme != "https" && (public.Scheme != "http" || !loopback(public.Hostname())):
		return nil, fmt.Errorf("the public address %q must begin with https://: without TLS only localhost may be used", o.PublicURL)
	case len(o.Secret) < 32:
		return nil, errors.New("the key for sessions needs at least 32 bytes")
	case o.Idle < 0 || o.Life < 0:
		return nil, errors.New("sessions cannot last less than no time")
	case o.Record == nil || o.Registry == nil || o.Log == nil:
		return nil, errors.New("a listener needs the registry, a trail and a log")
	}
	if err := checkRoles(o.Roles); err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Idle, o.Life = cmp.Or(o.Idle, sessionIdle), cmp.Or(o.Life, sessionLife)
	o.PublicURL = public.Scheme + "://" + public.Host
	set, err := pages.Load(files, o.Log)
	if err != nil {
		return nil, fmt.Errorf("load the login pages: %w", err)
	}
	w := &Web{Options: o, secret: o.Secret, pages: set, host: public.Hostname(), secure: public.Scheme == "https",
		limit: NewLimit(o.Now, maxFailures, 0, failureWindow), begun: NewLimit(o.Now, maxBegun, 0, failureWindow),
		turned: NewLimit(o.Now, maxFailures, 0, failureWindow), origin: http.NewCrossOriginProtection()}
	w.Options.Secret = nil
	if w.party, err = w.relyingParty(); err != nil {
		return nil, err
	}
	if err := w.checkProviders(); err != nil {
		return nil, err
	}
	w.provider = newProvider(o.OIDC, o.PublicURL+callbackPath, askProvider)
	w.owners = newProvider(o.Owners, o.PublicURL+IdentityPath, askIdentity)
	w.origin.SetDenyHandler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.fail(rw, r, http.StatusForbidden, "cross")
	}))
	return w, nil
}

// accepts reports whether a role may use this listener at all.
func (w *Web) accepts(role string) bool { return slices.Contains(w.Roles, role) }

// home is where a role begins.
func (w *Web) home(role string) string {
	if path, ok := w.Home[role]; ok {
		return path
	}
	return "/"
}

// From is where a request comes from, for the trail: the address of the
// connection, "" on the control socket. Headers of proxies are not believed.
func From(r *http.Request) string {
	if r.RemoteAddr == "@" || r.RemoteAddr == "" { // a Unix socket has no address
		return ""
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// loopback reports whether a host name or address is this machine.
func loopback(host string) bool {
	if name := strings.ToLower(host); name == "localhost" || strings.HasSuffix(name, ".localhost") { // RFC 6761, 6.3
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.Unmap().IsLoopback()
}
