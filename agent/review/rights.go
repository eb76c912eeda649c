package review

import (
	"net/http"
	"strings"
)

// forTechnician are the only routes that a technician's session may use (the owner's
// may use all): what is read from recorders or typed for them, nothing that speaks
// for the owner. A route without a line is for the owner alone, so a new one is
// closed until somebody has thought of it. The command line's socket needs no
// session: who reaches it could read the agent's directory.
var forTechnician = map[string]bool{
	"GET /{$}":                 true,
	"GET /cameras":             true,
	"GET /enrol":               true,
	"POST /enrol":              true,
	"GET /scan":                true,
	"POST /scan":               true,
	"GET /credentials":         true,
	"POST /credentials":        true,
	"GET /byhand":              true,
	"POST /byhand":             true,
	"GET /cameras/{id}/place":  true,
	"POST /cameras/{id}/place": true,
	"GET /map/{z}/{x}/{y}":     true,
	"GET /places":              true,
	"GET /hours":               true,
	"POST /hours":              true,
	"GET /save":                true,
	"GET /status":              true,
	"GET /report":              true,
	"POST /close":              true, // its own alone
}

// may reports whether a request's person may use a route.
func may(r *http.Request, pattern string) bool {
	s := sessionOf(r)
	return s == nil || s.role == roleOwner || forTechnician[pattern]
}

// navRoute is the route of an entry of the navigation.
func navRoute(href string) string {
	if href == "/" {
		return "GET /{$}"
	}
	return "GET " + href
}

func notOwner() problem {
	return problem{status: http.StatusForbidden, key: "error.owner",
		What: "this is for the owner alone: the link that you opened was made for a technician", Hint: "ask the owner"}
}

// guard lets through only who may use the route, and keeps for the owner what a
// technician changed.
func (v *Review) guard(pattern string, next http.Handler) http.Handler {
	refused := v.serve(func(*http.Request) (answer, error) { return answer{}, notOwner() })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := sessionOf(r)
		switch {
		case !may(r, pattern):
			refused.ServeHTTP(w, r)
		case s != nil && s.role == roleTechnician && strings.HasPrefix(pattern, "POST ") && pattern != "POST /close":
			seen := &statusWriter{ResponseWriter: w}
			next.ServeHTTP(seen, r)
			if seen.status < http.StatusBadRequest {
				s.did(act{v.sessions.now(), pattern})
				v.Log.Info("done by a technician", "route", pattern)
			}
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// statusWriter keeps the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController, and with it the bound on bodies, reach it.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// technicianName is under whose name stands what was done in a technician's session.
const technicianName = "tecnico"

// byOf is whose decision a request makes: what its person said, but that a
// technician's session speaks as the technician, whatever it says.
func byOf(r *http.Request, said string) string {
	if s := sessionOf(r); s != nil && s.role == roleTechnician {
		return technicianName
	}
	return said
}
