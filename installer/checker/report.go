package main

import (
	"fmt"
	"slices"
	"strings"
)

// mostFindings is how many are told; all are counted.
const mostFindings = 50

// report is what -json prints.
type report struct {
	OK       bool `json:"ok"` // nothing was found
	Messages struct {
		Sent         int `json:"sent"`
		Acknowledged int `json:"acknowledged"`
		Held         int `json:"held"` // of the ledger's sites
		Lost         int `json:"lost"`
		Doubled      int `json:"doubled"`
		Unsent       int `json:"unsent"` // held, and nobody sent them
	} `json:"messages"`
	Searches struct {
		Asked    int `json:"asked"`
		Answered int `json:"answered"`
		Entries  int `json:"entries"` // of searches on the trail
		Lost     int `json:"lost"`
		Doubled  int `json:"doubled"` // on the trail, beyond those that were asked
	} `json:"searches"`
	Trail struct {
		Entries      int64 `json:"entries"`
		Verified     int64 `json:"verified"`
		Unverifiable int   `json:"unverifiable"`
		Checkpoints  int   `json:"checkpoints"`  // read: the newest, and those witnessed earlier
		Inconsistent int   `json:"inconsistent"` // of them, with what the trail has now
	} `json:"trail"`
	Found    int      `json:"found"`
	Findings []string `json:"findings"` // the first of them, in words
}

func (r *report) find(format string, args ...any) {
	r.Found++
	r.Findings = append(r.Findings, fmt.Sprintf(format, args...))
}

// finish judges.
func (r *report) finish() {
	slices.Sort(r.Findings)
	r.OK = r.Found == 0
	if left := len(r.Findings) - mostFindings; left > 0 {
		r.Findings = append(r.Findings[:mostFindings], fmt.Sprintf("and %d more", left))
	}
}

// String is for people.
func (r *report) String() string {
	var b strings.Builder
	m, s, t := r.Messages, r.Searches, r.Trail
	fmt.Fprintf(&b, "messages: %d sent, %d acknowledged, %d held; %d lost, %d doubled, %d never sent\n", m.Sent, m.Acknowledged, m.Held, m.Lost, m.Doubled, m.Unsent)
	fmt.Fprintf(&b, "searches: %d asked, %d answered, %d on the trail; %d lost, %d doubled\n", s.Asked, s.Answered, s.Entries, s.Lost, s.Doubled)
	fmt.Fprintf(&b, "trail:    %d entries, %d verified, %d unverifiable; %d of %d checkpoints do not agree\n", t.Entries, t.Verified, t.Unverifiable, t.Inconsistent, t.Checkpoints)
	for _, f := range r.Findings {
		fmt.Fprintln(&b, "  -", f)
	}
	return b.String()
}

// messages compares message by message.
func (r *report) messages(told *ledger, s snapshot) {
	r.Messages.Sent, r.Messages.Acknowledged = len(told.sent), len(told.acknowledged)
	there := map[string]held{}
	type spot struct {
		view
		place
	}
	bySpot, bySum := map[spot]string{}, map[string]string{}
	for _, h := range s.messages {
		if !told.sites[h.site] {
			continue
		}
		r.Messages.Held++
		there[h.id] = h
		at := spot{view{h.site, h.agent}, h.place}
		if other, twice := bySpot[at]; twice {
			r.Messages.Doubled++
			r.find("messages %s and %s are both number %v of site %s", h.id, other, h.place, h.site)
		} else if other, twice := bySum[h.sha256]; twice {
			r.Messages.Doubled++
			r.find("messages %s and %s have the same bytes", h.id, other)
		}
		bySpot[at], bySum[h.sha256] = h.id, h.id
		if _, sent := told.sent[h.id]; !sent {
			r.Messages.Unsent++
			r.find("message %s of site %s is held, and nobody sent it", h.id, h.site)
		}
	}
	for id, a := range told.acknowledged {
		h, is := there[id]
		if why := unlike(told.sent[id], a, h, is); why != "" {
			r.Messages.Lost++
			r.find("message %s of site %s was acknowledged at %v and %s", id, told.sent[id].Site, a.At, why)
		}
	}
}

// unlike says how what is held differs from what was sent and acknowledged.
func unlike(sent, acknowledged event, h held, there bool) string {
	switch {
	case !there:
		return "is not held"
	case h.sha256 != sent.SHA256 || h.sha256 != acknowledged.SHA256:
		return "other bytes of it are held"
	case h.site != sent.Site || h.agent != sent.Agent || h.kind != sent.Kind || h.place != (place{sent.Epoch, sent.Revision}):
		return "stands as another message"
	}
	return ""
}

// sites compares how each site stands with its newest declaration that is held.
func (r *report) sites(told *ledger, s snapshot) {
	newest, id := map[view]place{}, map[view]string{}
	for _, h := range s.messages {
		v := view{h.site, h.agent}
		if _, sent := told.sent[h.id]; !sent {
			continue // is told of already
		}
		if _, is := newest[v]; h.kind == "declaration" && (!is || h.place.after(newest[v])) {
			newest[v], id[v] = h.place, h.id
		}
	}
	cameras := map[string]int{}
	for v, p := range newest {
		if s.declared[v] != p {
			r.Messages.Lost++
			r.find("site %s stands as agent %s declared it by number %v, and it declared %v", v.site, v.agent, s.declared[v], p)
		}
		cameras[v.site] += told.sent[id[v]].Cameras
	}
	for site, want := range cameras {
		switch have := s.cameras[site]; {
		case have < want:
			r.Messages.Lost++
			r.find("site %s has %d cameras in force, and declared %d", site, have, want)
		case have > want:
			r.Messages.Doubled++
			r.find("site %s has %d cameras in force, and declared %d", site, have, want)
		}
	}
	for _, what := range s.twice {
		r.Messages.Doubled++
		r.find("two versions are in force of %s", what)
	}
}
