package pages

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
)

// ReportPath is where browsers report what Policy stopped.
const ReportPath = "/csp-report"

// Policy is the Content-Security-Policy of every page: nothing inline, nothing
// evaluated, nothing from elsewhere. img-src needs data: for the icons that
// bootstrap-italia and maplibre-gl carry inside their css.
const Policy = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; " +
	"img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; " +
	"frame-ancestors 'none'; report-uri " + ReportPath

// SecureHeaders sets the headers that every page carries. Answers are not to be
// kept by anybody; Assets overrides that for its own.
func SecureHeaders(h http.Header) {
	h.Set("Content-Security-Policy", Policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
}

// maxReports bounds what one run of the program writes about stopped content:
// the path is open to anybody, the log is not to be filled by it.
const maxReports = 200

// Reports writes to the log what Policy stopped in a browser: the directive
// and the address, without its query.
func Reports(log *slog.Logger) http.Handler {
	var seen atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		if seen.Add(1) > maxReports {
			return
		}
		var report struct {
			Body struct {
				Directive string `json:"effective-directive"`
				Blocked   string `json:"blocked-uri"`
				Document  string `json:"document-uri"`
			} `json:"csp-report"`
		}
		if err := json.NewDecoder(io.LimitReader(r.Body, 8<<10)).Decode(&report); err != nil {
			return
		}
		log.Warn("browser stopped content", "directive", plain(report.Body.Directive),
			"blocked", plain(report.Body.Blocked), "page", plain(report.Body.Document))
	})
}

// plain cuts a reported address before its query and to a bearable length.
func plain(s string) string {
	s, _, _ = strings.Cut(s, "?")
	if len(s) > 200 {
		s = s[:200]
	}
	return s
}
