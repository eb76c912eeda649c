package web

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
)

// Network is from where, and under which name, the people of one force are let in.
type Network struct {
	URL   string         // https://HOST[:PORT] of the force alone; "": the address that all share
	Allow []netip.Prefix // none: from wherever the listener can be reached
}

// Why somebody was turned away, as Options.Refused is told.
const (
	RefusedAddress = "address"       // the listener is closed to this address
	RefusedNetwork = "force-network" // the force does not let its people in from this address
	RefusedHost    = "force-host"    // a force's people have another host name
)

// checkRoles refuses a listener for both the Comune's and a force's people. The
// dpo alone, who reads no content, stands beside the forces.
func checkRoles(roles []string) error {
	comune := func(role string) bool { return !registry.OfForce(role) && role != registry.RoleDPO }
	if i := slices.IndexFunc(roles, comune); i >= 0 && slices.ContainsFunc(roles, registry.OfForce) {
		return fmt.Errorf("a listener of the forces cannot accept role %q, which is the Comune's", roles[i])
	}
	return nil
}

// reachable reports whether the listener is open to an address.
func (w *Web) reachable(from string) bool {
	return w.Allow == nil || within(from, w.Allow)
}

// within reports whether an address is in one of the prefixes. Whatever is no
// address is in none.
func within(from string, prefixes []netip.Prefix) bool {
	a, err := netip.ParseAddr(from)
	if err != nil {
		return false
	}
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// closed answers an address to which nothing here is open.
func (w *Web) closed(rw http.ResponseWriter, r *http.Request) {
	w.refused(RefusedAddress)
	w.Log.DebugContext(r.Context(), "address refused", "from", From(r))
	words := w.pages.Words(Language(r))
	w.Fail(rw, r, http.StatusForbidden, Problem{Error: words.T("refused.address", "from", From(r)), Hint: words.T("refused.address.hint"), Shut: true})
}

func (w *Web) refused(why string) {
	if w.Refused != nil {
		w.Refused(why)
	}
}

// URLOf is the address at which the people of a force sign in; of "" the
// listener's.
func (w *Web) URLOf(force string) string {
	if own := w.Forces[force].URL; own != "" && force != "" {
		return own
	}
	return w.PublicURL
}

// misplaced says why a user is not let in here, "" when they are: people of a force
// under their force's host name and from its networks, everybody else under no
// force's host name.
func (w *Web) misplaced(r *http.Request, u registry.User) string {
	home := ""
	if w.Forces[u.Force].URL != "" {
		home = u.Force
	}
	switch allow := w.Forces[u.Force].Allow; {
	case home != w.Force:
		return RefusedHost
	case len(allow) > 0 && !within(From(r), allow):
		return RefusedNetwork
	}
	return ""
}

// admit turns away who has proved who they are, but from the wrong place: a
// secret that left the office is seen by the force's auditor. When it returns
// false the answer is written.
func (w *Web) admit(rw http.ResponseWriter, r *http.Request, u registry.User, how string) bool {
	why := w.misplaced(r, u)
	if why == "" {
		return true
	}
	w.refused(why)
	if !w.turned.Try(From(r)) { // so that nobody fills the trail
		w.tooMany(rw, r)
		return false
	}
	if err := w.Record(r.Context(), Act{Kind: act.LoginRefused, User: u, From: From(r), Details: map[string]string{
		"how": how, "role": u.Role, "face": string(w.Face), "why": why, "host": hostname(r.Host)}}); err != nil {
		w.Unrecorded(rw, r, err)
		return false
	}
	w.Log.WarnContext(r.Context(), "user refused", "why", why, "from", From(r))
	if why == RefusedHost && w.Force != "" { // which other forces there are is not told
		w.fail(rw, r, http.StatusForbidden, "listener", "name", u.Name)
		return false
	}
	w.fail(rw, r, http.StatusForbidden, why, "name", u.Name, "from", From(r), "url", w.URLOf(u.Force))
	return false
}

// ByHost serves each of several listeners on one address, by the host name that is
// asked for: the first one where none is named.
func ByHost(first http.Handler, others map[string]http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if h, ok := others[strings.ToLower(hostname(r.Host))]; ok {
			h.ServeHTTP(rw, r)
			return
		}
		first.ServeHTTP(rw, r)
	})
}
