package consult

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

const (
	// unseenAfter is how long a request may be without anybody having seen it before
	// the officer is told to call.
	unseenAfter = 10 * time.Minute
	// pollEvery is how often the page of a request asks for what is new, in seconds.
	pollEvery = 5
)

// siteState is how far a request has come at a site, in words.
type siteState struct {
	N     int
	Name  string // of the site
	Key   registry.NoticeState
	Tone  string
	Icon  string
	When  time.Time // of the state; zero: it has none
	Who   string    // whose word it is; "": nobody's
	Note  string    // in their words
	Steps []step    // as they came, the sending first
	Call  string    // key of why to call now; "": no need
	Open  bool      // an answer may still come
}

// step is one thing that happened.
type step struct {
	Key string
	At  time.Time
	Who string
}

var (
	stateTones = map[registry.NoticeState]string{registry.NoticeSent: "muted", "received": "info", "seen": "info", "present": "ok", "copied": "ok",
		"cannot": "bad", "too-late": "bad", "refused": "bad", "absent": "bad", registry.NoticeNoAnswer: "warn"}
	stateIcons = map[registry.NoticeState]string{registry.NoticeSent: "it-mail", "received": "it-inbox", "seen": "it-password-visible", "present": "it-check", "copied": "it-check-circle",
		"cannot": "it-telephone", "too-late": "it-ban", "refused": "it-ban", "absent": "it-ban", registry.NoticeNoAnswer: "it-help-circle"}
	// settled are the states after which nobody has to be called.
	settled = []registry.NoticeState{"copied", "too-late", "refused", "absent"}
)

// stateOf words how far a request has come at a site, as of now.
func stateOf(n int, a registry.Asked, d registry.Draft, now time.Time) siteState {
	s := siteState{N: n, Name: d.Name, Key: a.State, Tone: stateTones[a.State], Icon: stateIcons[a.State], When: a.Notice.At, Open: a.ClosedAt.IsZero(), Call: callNow(a, d, now)}
	if a.State == registry.NoticeNoAnswer {
		s.When = a.ClosedAt
	}
	s.Steps = append(s.Steps, step{Key: "sent", At: a.Notice.At})
	if !a.MailedAt.IsZero() {
		s.Steps = append(s.Steps, step{Key: "mailed", At: a.MailedAt})
	}
	for _, r := range a.Replies {
		s.Steps = append(s.Steps, step{Key: string(r.State), At: r.At, Who: r.By})
		if registry.NoticeState(r.State) == a.State && !r.At.Before(s.When) {
			s.When, s.Who, s.Note = r.At, r.By, r.Note
		}
	}
	slices.SortStableFunc(s.Steps, func(a, b step) int { return a.At.Compare(b.At) })
	return s
}

// callNow is the key of why the owner is to be called now.
func callNow(a registry.Asked, d registry.Draft, now time.Time) string {
	until := d.Until()
	switch {
	case slices.Contains(settled, a.State):
		return ""
	case a.State == registry.NoticeState(protocol.ReplyCannot):
		return "call.cannot"
	case a.ByPhone:
		return "call.byphone"
	case d.Reach.None() && len(a.Replies) == 0:
		return "call.none"
	case !until.IsZero() && until.Sub(now) < leftNow:
		return "call.short"
	case (a.State == registry.NoticeSent || a.State == registry.NoticeState(protocol.ReplyReceived)) && now.Sub(a.Notice.At) >= unseenAfter:
		return "call.unseen"
	case a.State == registry.NoticeNoAnswer:
		return "call.noanswer"
	}
	return ""
}

// token is what a page knows of a state, to be told when it has changed: also by
// a step that leaves the state as it is, as what a recorder says after a person did.
func (s siteState) token() string {
	t := string(s.Key) + "+" + strconv.Itoa(len(s.Steps))
	if s.Call != "" {
		t += "!" + strings.TrimPrefix(s.Call, "call.")
	}
	return t
}

// stateTokens is what a page shows of all states.
func stateTokens(states []siteState) string {
	tokens := make([]string, len(states))
	for i, s := range states {
		tokens[i] = s.token()
	}
	return strings.Join(tokens, ",")
}

// changed are the states that differ from what a page knows.
func changed(states []siteState, seen string) (all []siteState) {
	before := strings.Split(seen, ",")
	for i, s := range states {
		if len(before) != len(states) || before[i] != s.token() {
			all = append(all, s)
		}
	}
	return all
}

// news says what has changed, for readers who cannot see it.
func news(w *pages.Words, states []siteState) string {
	var all []string
	for _, s := range states {
		text := w.T("news.site", "site", s.Name, "state", w.T("state."+string(s.Key)))
		if s.Call != "" {
			text += ": " + w.T("call.now")
		}
		all = append(all, text)
	}
	return strings.Join(all, ". ")
}
