package review

import (
	"context"
	"crypto/sha256"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
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
		"server-untrusted": true, "certificate-refused": true, "proxy-refused": true, "not-granted": true} {
		reason = r
		for _, lang := range []string{"it", "en"} {
			status, page, _ := o.send(t, "GET", "/status?lang="+lang, "")
			if status != http.StatusOK || strings.Contains(page, "note-danger") != shown {
				t.Errorf("%q in %s: %d, shown %v", r, lang, status, !shown)
			}
		}
	}
}

// A site that another identity of this computer held is named: nothing of it
// leaves until its new code is entered.
func TestSiteNeedsANewCode(t *testing.T) {
	o := start(t)
	o.signIn(t)
	g := grant()
	g.AgentID = "agent-before"
	if err := o.Inventory.AddGrant(t.Context(), g.Grant, g.Collector); err != nil {
		t.Fatal(err)
	}
	for agent, shown := range map[string]bool{"agent-before": false, "agent-now": true} {
		o.Review.Status = func(context.Context) (any, error) { return map[string]any{"agent_id": agent}, nil }
		for lang, want := range map[string]string{"it": "serve un codice nuovo", "en": "needs a new code"} {
			status, page, _ := o.send(t, "GET", "/status?lang="+lang, "")
			if status != http.StatusOK || strings.Contains(page, want) != shown || strings.Contains(page, "note-danger") != shown {
				t.Errorf("%s in %s: %d, shown %v", agent, lang, status, !shown)
			}
		}
	}
}

// So is one whose grant the register does not know any more, whatever kind of
// message was refused for that.
func TestSiteWhoseGrantIsUnknownNeedsANewCode(t *testing.T) {
	o := start(t)
	o.signIn(t)
	weekly(t, o)
	if err := declareOne(t, o, o.known(t).Cameras[0].ID); err != nil {
		t.Fatal(err)
	}
	answerFirst(t, o, func(id string, raw []byte) error {
		return o.Inventory.Acknowledge(t.Context(), protocol.Receipt{MessageID: id, SiteID: siteID, SHA256: sha256.Sum256(raw), RecordedAt: time.Now()}, "h3")
	})
	shows := func(want bool) {
		t.Helper()
		if _, page, _ := o.send(t, "GET", "/status?lang=it", ""); strings.Contains(page, "serve un codice nuovo") != want || strings.Contains(page, "note-danger") != want {
			t.Errorf("the page on the state asks for a code: %v", !want)
		}
		if _, page, _ := o.send(t, "GET", "/?lang=it", ""); strings.Contains(page, "ha rifiutato l&#39;ultimo messaggio") != want {
			t.Errorf("the first page tells of it: %v", !want)
		}
	}
	shows(false)
	if err := o.Inventory.KeepNotice(t.Context(), protocol.Notice{ID: uuid.NewString(), SiteID: siteID, At: time.Now(),
		Body: protocol.Reminder{Reason: "recapiti da confermare"}}); err != nil {
		t.Fatal(err)
	}
	answerFirst(t, o, func(id string, _ []byte) error {
		return o.Inventory.Reject(t.Context(), id, "not-granted: no valid grant")
	})
	shows(true)
	next := grant()
	next.Epoch = 2
	if err := o.Inventory.AddGrant(t.Context(), next.Grant, next.Collector); err != nil {
		t.Fatal(err)
	}
	shows(false)
}

// answerFirst is the register's answer to the message that is first in the outbox.
func answerFirst(t *testing.T, o *owner, answer func(id string, raw []byte) error) {
	t.Helper()
	id, _, raw, ok, err := o.Inventory.Next(t.Context(), "")
	if err == nil && ok {
		err = answer(id, raw)
	}
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
}

// Why the register refused a message stands beside it in the reader's words; the
// register's own, in English, are a detail. What no words are known for stays.
func TestRefusalInWords(t *testing.T) {
	o := start(t)
	o.signIn(t)
	weekly(t, o)
	if err := declareOne(t, o, o.known(t).Cameras[0].ID); err != nil {
		t.Fatal(err)
	}
	id, _, _, _, err := o.Inventory.Next(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for why, want := range map[string]string{"not-granted: no valid grant": "non accetta messaggi di questa sede",
		"stale: old": "decisione più recente", "word-of-2031: ?": "Motivo: <span lang=\"en\">word-of-2031"} {
		if err := o.Inventory.Reject(t.Context(), id, why); err != nil {
			t.Fatal(err)
		}
		if _, page, _ := o.send(t, "GET", "/outbox?lang=it", ""); !strings.Contains(page, want) || !strings.Contains(page, why) {
			t.Errorf("%q: %s", why, between(t, page, "<article", "</article>"))
		}
	}
}

func TestTroubleLooks(t *testing.T) {
	o := start(t)
	o.Review.Status = func(context.Context) (any, error) {
		return map[string]any{"version": "1.2.3", "last_error": "listen for notices: this agent's certificate was signed by an authority that the collector has given up: enrol it with a new code",
			"last_reason": "retired-authority"}, nil
	}
	if err := o.Inventory.AddGrant(t.Context(), grant().Grant, grant().Collector); err != nil {
		t.Fatal(err)
	}
	for _, width := range []int64{1280, 390} {
		b := o.browser(t, width)
		b.Visit("/status?lang=it")
		b.Check(map[int64]string{1280: "status-wide", 390: "status-narrow"}[width])
	}
}
