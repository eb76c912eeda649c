package review

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"anagrafe/protocol/pages/pagestest"
)

// What stops the line until a person acts stands on the status page in their
// words; what passes by itself does not.
func TestTroubleInWords(t *testing.T) {
	o := start(t)
	o.signIn(t)
	o.api(t, "POST", "/enrol", map[string]string{"code": "GIUSTO"}, nil)
	reason := ""
	o.Review.Status = func(context.Context) (any, error) {
		return map[string]any{"version": "1.2.3", "last_error": "x509", "last_reason": reason}, nil
	}
	for r, shown := range map[string]bool{"": false, "unreachable": false, "temporary": false, "retired-authority": true,
		"server-untrusted": true, "certificate-refused": true, "proxy-refused": true} {
		reason = r
		for _, lang := range []string{"it", "en"} {
			status, page, _ := o.send(t, "GET", "/status?lang="+lang, "")
			if status != http.StatusOK || strings.Contains(page, "note-danger") != shown {
				t.Errorf("%q in %s: %d, shown %v", r, lang, status, !shown)
			}
		}
	}
}

func TestTroubleLooks(t *testing.T) {
	o := start(t)
	o.Review.Status = func(context.Context) (any, error) {
		return map[string]any{"version": "1.2.3", "last_error": "listen for notices: this agent's certificate was signed by an authority that the collector has given up: enrol it with a new code",
			"last_reason": "retired-authority"}, nil
	}
	if err := o.Inventory.AddGrant(t.Context(), grant()); err != nil {
		t.Fatal(err)
	}
	for _, width := range []int64{1280, 390} {
		b := pagestest.Open(t, "http://"+o.Addr, width, 900)
		b.Visit(o.NewLink())
		b.Press("main button")
		b.Visit("/status?lang=it")
		b.Check(map[int64]string{1280: "status-wide", 390: "status-narrow"}[width])
	}
}
