package mail

import (
	"slices"
	"strings"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// newsText is an alert, Italian first, with lines that end in CRLF: what changed,
// what to do about it, where to look, and how to end these messages.
func (s *Sender) newsText(m registry.Mail) string {
	var b strings.Builder
	for i, l := range pages.Langs {
		if i > 0 {
			b.WriteString("\n-----\n\n")
		}
		w := s.words.Words(l.Lang)
		b.WriteString(w.T("news.site", "site", m.News.Site) + "\n")
		for _, c := range m.News.Changes {
			b.WriteString("\n- " + changeWords(w, c) + "\n")
		}
		if slices.ContainsFunc(m.News.Changes, func(c registry.AlertChange) bool { return !c.Right }) {
			b.WriteString("\n" + w.T("news.quiet") + "\n")
		}
		for _, line := range []string{w.T("news.page", "link", s.Link), w.T("news.end", "link", s.EndLink+m.End), w.T("news.doubt")} {
			b.WriteString("\n" + line + "\n")
		}
	}
	return strings.ReplaceAll(b.String(), "\n", "\r\n")
}

// changeWords says one change, and what to do about it.
func changeWords(w *pages.Words, c registry.AlertChange) string {
	key := "news." + string(c.Alert)
	if c.Right {
		return w.T(key+".right", "name", c.Name)
	}
	var what string
	switch c.Alert {
	case protocol.AlertClock:
		off := time.Duration(c.OffsetMs) * time.Millisecond
		if shown, ok := protocol.HoursOff(off); ok {
			key, off = key+".hours", shown
		}
		side := "news.ahead"
		if off < 0 {
			side = "news.behind"
		}
		what = w.T(key, "name", c.Name, "off", w.T(side, "span", w.Duration(off)))
	case protocol.AlertShorter:
		what = w.T(key, "name", c.Name, "was", w.Duration(time.Duration(c.WasS)*time.Second), "is", w.Duration(time.Duration(c.IsS)*time.Second))
	default:
		what = w.T(key, "name", c.Name, "when", w.DateTime(c.Since))
	}
	return what + " " + w.T(key+".do")
}

// unsubscribe are the headers by which a reader's own program ends the messages
// with one click (RFC 2369, RFC 8058), which asks for https; none elsewhere. They
// count where the mail server signs them (DKIM).
func (s *Sender) unsubscribe(m registry.Mail) [][2]string {
	if m.End == "" || !strings.HasPrefix(s.EndLink, "https://") {
		return nil
	}
	return [][2]string{{"List-Unsubscribe", "<" + s.EndLink + m.End + ">"}, {"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"}}
}
