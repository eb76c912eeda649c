package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// forceConfig is one [[force]] of the configuration: what holds for the people of
// that force alone, besides what holds for the consultation listener.
type forceConfig struct {
	// Name is that of "force add".
	Name string `toml:"name"`
	// URL is the host name under which its people consult, and no other; the
	// certificate must bear it too. Empty: consult_url.
	URL string `toml:"url"`
	// Allow are the networks from which its people are let in. Empty: consult_allow.
	Allow []netip.Prefix `toml:"allow"`
}

// thisMachine is who reaches the consultation listener when nobody is named.
var thisMachine = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// consultAllow are the networks to which the consultation listener is open.
func (c Config) consultAllow() []netip.Prefix {
	if len(c.ConsultAllow) == 0 {
		return thisMachine
	}
	return c.ConsultAllow
}

// checkNetworks refuses what would leave consultation open by mistake, or nobody in.
func (c Config) checkNetworks() error {
	host, _, err := net.SplitHostPort(c.ListenConsult)
	if err != nil {
		return fmt.Errorf("listen_consult %q is not HOST:PORT or :PORT", c.ListenConsult)
	}
	if a, err := netip.ParseAddr(host); len(c.ConsultAllow) == 0 && host != "localhost" && (err != nil || !a.IsLoopback()) {
		return fmt.Errorf("listen_consult %q can be reached from other machines, and consult_allow names no network: "+
			`give those of the forces, e.g. consult_allow = ["10.20.0.0/16"]`, c.ListenConsult)
	}
	if err := checkPrefixes("consult_allow", c.ConsultAllow); err != nil {
		return err
	}
	if err := checkPrefixes("balancers", c.Balancers); err != nil {
		return err
	}
	if slices.ContainsFunc(c.Balancers, func(p netip.Prefix) bool { return p.Bits() == 0 }) {
		return errors.New("balancers names everybody: who is one could give any address for the caller's; name the balancers alone")
	}
	hosts, names := map[string]bool{}, map[string]bool{}
	if u, err := url.Parse(c.ConsultURL); err == nil {
		hosts[u.Hostname()] = true
	}
	for _, f := range c.Forces {
		if err := f.check(c.consultAllow()); err != nil {
			return err
		}
		if names[f.Name] {
			return fmt.Errorf("[[force]] %q is there twice: put both together", f.Name)
		}
		names[f.Name] = true
		if f.URL == "" {
			continue
		}
		if hosts[f.host()] {
			return fmt.Errorf("[[force]] %q has the host of another address: a host name of its own is one that nobody shares", f.Name)
		}
		hosts[f.host()] = true
	}
	return nil
}

func (f forceConfig) check(allow []netip.Prefix) error {
	switch {
	case f.Name == "":
		return errors.New("a [[force]] has no name: give the one of \"force add\"")
	case f.URL == "" && len(f.Allow) == 0:
		return fmt.Errorf("[[force]] %q says nothing: give url, allow or both", f.Name)
	case f.URL != "" && f.host() == "":
		return fmt.Errorf("the url %q of [[force]] %q is not https://HOST[:PORT]", f.URL, f.Name)
	}
	for _, p := range f.Allow {
		if !slices.ContainsFunc(allow, p.Overlaps) {
			return fmt.Errorf("allow of [[force]] %q has %s, which consult_allow lets in nowhere: add it there too", f.Name, p)
		}
	}
	return checkPrefixes(fmt.Sprintf("allow of [[force]] %q", f.Name), f.Allow)
}

// checkPrefixes refuses prefixes that would never match, or other than they read.
func checkPrefixes(what string, all []netip.Prefix) error {
	for _, p := range all {
		if p.Addr().Is4In6() {
			return fmt.Errorf("%s has %s: write IPv4 networks as 10.20.0.0/16", what, p)
		}
		if p != p.Masked() {
			return fmt.Errorf("%s has %s: did you mean %s, or %s/%d?", what, p, p.Masked(), p.Addr(), p.Addr().BitLen())
		}
	}
	return nil
}

// host is the force's own host name, in lower case.
func (f forceConfig) host() string {
	u, err := url.Parse(f.URL)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// networks are the forces' own rules, as package web takes them.
func (c Config) networks() map[string]web.Network {
	all := map[string]web.Network{}
	for _, f := range c.Forces {
		all[f.Name] = web.Network{URL: strings.TrimSuffix(f.URL, "/"), Allow: f.Allow}
	}
	return all
}

// makeConsultServers makes what answers at the listener of the forces, and under each host
// name that a force has to itself.
func (o *collector) makeConsultServers(shared web.Options) (err error) {
	o.turnedAway = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "anagrafe_consult_refused_total",
		Help: "People and programs that consultation turned away for where they came from: an address it is closed to, a force's network or host name."}, []string{"why"})
	for _, why := range []string{web.RefusedAddress, web.RefusedNetwork, web.RefusedHost} {
		o.turnedAway.WithLabelValues(why)
	}
	shared.Face, shared.PublicURL = pages.FaceConsult, o.config.ConsultURL
	shared.Roles = []string{registry.RoleOfficer, registry.RoleForceAuditor, registry.RoleForceAdmin, registry.RoleDPO}
	shared.Home = map[string]string{registry.RoleForceAuditor: "/audit", registry.RoleDPO: "/audit", registry.RoleForceAdmin: "/force"}
	shared.Allow, shared.Forces = o.config.consultAllow(), o.config.networks()
	shared.Refused = func(why string) { o.turnedAway.WithLabelValues(why).Inc() }
	if shared.OIDC, err = o.config.ConsultOIDC.provider("consult_oidc"); err != nil {
		return err
	}
	if o.consultWeb, err = web.New(shared); err != nil {
		return err
	}
	o.ownHosts = map[string]*web.Web{}
	for _, f := range o.config.Forces {
		if f.URL == "" {
			continue
		}
		own := shared
		own.PublicURL, own.Force = f.URL, f.Name
		if o.ownHosts[f.host()], err = web.New(own); err != nil {
			return fmt.Errorf("[[force]] %q: %w", f.Name, err)
		}
	}
	return nil
}

// consultHandler serves consultation under each of its host names.
func (o *collector) consultHandler() (http.Handler, error) {
	all, err := o.consultWeb.Handler(o.consultRoutes...)
	if err != nil {
		return nil, err
	}
	own := map[string]http.Handler{}
	for host, w := range o.ownHosts {
		if own[host], err = w.Handler(o.consultRoutes...); err != nil {
			return nil, err
		}
	}
	return web.ByHost(all, own), nil
}
