package interrogate

import (
	"slices"
	"strings"
	"unicode"
)

// maxText of one value that a device gives, in characters: as much as a message may carry.
const maxText = 120

// redactor takes the secrets of one conversation out of what a device says
// about itself in words. Devices repeat what they were sent: a Reolink E1 Zoom
// the whole security header in every answer (which is never read), others the
// user or the password in a fault. Values such as a serial number are left
// alone: a password that happens to be part of one must not change it.
type redactor struct{ secrets []string }

func (r *redactor) add(secrets ...string) {
	for _, s := range secrets {
		if s != "" && !slices.Contains(r.secrets, s) {
			r.secrets = append(r.secrets, s)
		}
	}
	if len(r.secrets) > 256 { // the first are the owner's, the oldest of the others go
		r.secrets = slices.Delete(r.secrets, 8, 64)
	}
}

// words cleans a device's text, such as a fault's reason, and removes secrets.
func (r *redactor) words(s string) string {
	for _, secret := range r.secrets {
		s = strings.ReplaceAll(s, secret, "[removed]")
	}
	return clean(s)
}

// clean makes a device's text fit to keep and show: one line, no control
// characters, bounded.
func clean(s string) string {
	s = strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) {
			return ' '
		}
		if !unicode.IsPrint(c) {
			return -1
		}
		return c
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > maxText {
		s = strings.TrimSpace(string(runes[:maxText-1])) + "…"
	}
	return s
}

// rawWords joins a device's own words for a fact, each once, bounded.
func rawWords(all ...string) string {
	var words []string
	for _, s := range all {
		if s = clean(s); s != "" && !slices.Contains(words, s) && len(words) < 64 {
			words = append(words, s)
		}
	}
	return cut(strings.Join(words, " | "))
}

// cut bounds what is kept beside a fact: a question may hold what the device calls
// its channel, at any length.
func cut(s string) string {
	const most = 480
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most-1]) + "…"
	}
	return s
}
