package review

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

// versionsOf is what main would tell.
func versionsOf(held bool) map[string]any {
	return map[string]any{"able": true, "mode": "auto", "held": held, "version": "v1.1.0", "looked_at": time.Date(2026, 5, 3, 8, 0, 0, 0, time.UTC),
		"came": time.Date(2026, 5, 2, 8, 0, 0, 0, time.UTC), "notes": map[string]string{"it": "Legge anche i registratori Dahua.", "en": "Reads Dahua recorders, too."},
		"next": "v1.3.0", "next_notes": map[string]string{"it": "Corregge l'orologio.", "en": "Mends the clock."},
		"failed": []map[string]any{{"version": "v1.2.0", "why": "crash", "at": time.Date(2026, 5, 3, 7, 0, 0, 0, time.UTC)}}}
}

// The owner sees which version runs, what it changed and what is to come, and holds it.
func TestUpdates(t *testing.T) {
	o, _, _ := joined(t)
	held, looked := false, 0
	o.Updates = func() (any, error) { return versionsOf(held), nil }
	o.SetUpdate = func(do string) error {
		switch do {
		case "look":
			looked++
		default:
			held = do == "hold"
		}
		return nil
	}
	o.signIn(t)
	for lang, words := range map[string][]string{
		"it": {"Versione v1.1.0", "Arrivano da soli", "Legge anche i registratori Dahua.", "C&#39;è la versione v1.3.0", "La versione v1.2.0 si è fermata da sola"},
		"en": {"Version v1.1.0", "They come by themselves", "Reads Dahua recorders, too.", "There is version v1.3.0", "Version v1.2.0 ended by itself"},
	} {
		_, page, _ := o.send(t, "GET", "/updates?lang="+lang, "")
		for _, w := range words {
			if !strings.Contains(page, w) {
				t.Errorf("%s: %q is not on the page", lang, w)
			}
		}
	}
	for _, do := range []string{"hold", "auto", "hold", "look"} {
		if status, _, h := o.send(t, "POST", "/updates", "do="+do); status != http.StatusSeeOther || h.Get("Location") != "/updates?done=updates-"+do {
			t.Errorf("%s: %d %q", do, status, h.Get("Location"))
		}
	}
	if _, page, _ := o.send(t, "GET", "/updates?lang=it&done=updates-hold", ""); !held || looked != 1 || !strings.Contains(page, "Fermi") || !strings.Contains(page, "Gli aggiornamenti sono fermi.") {
		t.Errorf("held %v, looked %d", held, looked)
	}
	for _, wrong := range []string{"", "do=run", "do=hold%00"} {
		if status, _, _ := o.send(t, "POST", "/updates", wrong); status < 400 {
			t.Errorf("%q: %d", wrong, status)
		}
	}
	o.SetUpdate = func(string) error { return errors.New("the disk is full") }
	if status, _, _ := o.send(t, "POST", "/updates", "do=auto"); status < 400 || !held {
		t.Errorf("a word that was not kept: %d", status)
	}
}

func TestUpdatesLook(t *testing.T) {
	for _, tc := range []window{wide, narrow} {
		t.Run(tc.name, func(t *testing.T) {
			o, _, _ := joined(t)
			held := false
			o.Updates = func() (any, error) { return versionsOf(held), nil }
			o.SetUpdate = func(do string) error { held = do == "hold"; return nil }
			b := o.browser(t, tc.width)
			b.Visit("/status?lang=" + tc.lang)
			b.Press("a[href='/updates']")
			b.Check(tc.name + "-70-updates")
			b.Press("form[action='/updates'] button")
			b.Check(tc.name + "-71-updates-held")
		})
	}
}
