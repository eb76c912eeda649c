package web

import (
	"net"
	"net/http"
	"strings"

	"anagrafe/protocol/pages"
)

// Secure puts in front of every answer: the headers of every page, the refusal of
// addresses to which the listener is closed, the check of the host name (against
// names that an attacker points at us), and the refusal of requests that another
// site's page makes.
func (w *Web) Secure(h http.Handler) http.Handler {
	guarded := w.origin.Handler(h)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		pages.SecureHeaders(rw.Header())
		if w.secure {
			rw.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		if !w.reachable(From(r)) {
			w.closed(rw, r)
			return
		}
		host := hostname(r.Host)
		if !strings.EqualFold(host, w.host) && !loopback(host) {
			w.fail(rw, r, http.StatusMisdirectedRequest, "host", "url", w.PublicURL)
			return
		}
		guarded.ServeHTTP(rw, r)
	})
}

// hostname is a Host header without its port.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}
