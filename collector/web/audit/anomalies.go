package audit

import (
	"cmp"
	"slices"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
	"anagrafe/protocol/pages"
)

// The limits of the rules. A rule finds what an auditor should ask about; none is
// a reproach by itself.
const (
	manyReveals  = 10             // sites revealed in a case by one officer, nothing requested in it
	nightFrom    = 23             // hour of clocks in Rome
	nightUntil   = 6              //
	manyNights   = 5              // searches at night, and more than half of an officer's
	farAbove     = 3              // times the median of the force's officers
	farAboveLow  = 20             // searches below which nobody is far above
	referWithin  = 72 * time.Hour // for a case's reference
	ownShare     = 0.5            // of the cases that an officer opened, on own initiative
	ownLow       = 5              // cases below which the share says nothing
	acrossCases  = 3              // cases in which one officer revealed the same site
	ownInitiated = "own-initiative"
)

// anomaly is what one rule found, once.
type anomaly struct {
	Rule        string // word "rule.RULE" tells the rule
	Actor, Case string // pseudonyms; "": the rule names none
	Site        string
	Count       int
}

// reveal is one site that an officer revealed, known once the bodies are open.
type reveal struct{ Actor, Case, Site string }

// anomalies applies the rules that need headers and cases alone.
func anomalies(headers []trail.Header, cases []openCase, now time.Time) []anomaly {
	var all []anomaly
	all = append(all, revealedAndNotAsked(headers)...)
	all = append(all, atNight(headers)...)
	all = append(all, farAboveOthers(headers)...)
	all = append(all, ofCases(cases, now)...)
	slices.SortStableFunc(all, func(x, y anomaly) int {
		return cmp.Or(cmp.Compare(x.Rule, y.Rule), cmp.Compare(y.Count, x.Count), cmp.Compare(x.Actor, y.Actor), cmp.Compare(x.Case, y.Case))
	})
	return all
}

func revealedAndNotAsked(headers []trail.Header) (all []anomaly) {
	type by struct{ actor, of string }
	reveals, asked := map[by]int{}, map[string]bool{}
	for _, h := range headers {
		switch h.Kind {
		case act.Reveal:
			reveals[by{h.Actor, h.Case}]++
		case act.Request:
			asked[h.Case] = true
		}
	}
	for b, n := range reveals {
		if n >= manyReveals && !asked[b.of] {
			all = append(all, anomaly{Rule: "reveals", Actor: b.actor, Case: b.of, Count: n})
		}
	}
	return all
}

func atNight(headers []trail.Header) (all []anomaly) {
	night, total := map[string]int{}, map[string]int{}
	for _, h := range headers {
		if h.Kind != act.Search {
			continue
		}
		total[h.Actor]++
		if hour := h.At.In(pages.Rome()).Hour(); hour >= nightFrom || hour < nightUntil {
			night[h.Actor]++
		}
	}
	for actor, n := range night {
		if n >= manyNights && 2*n > total[actor] {
			all = append(all, anomaly{Rule: "night", Actor: actor, Count: n})
		}
	}
	return all
}

// farAboveOthers compares each officer with the median of those who searched.
func farAboveOthers(headers []trail.Header) (all []anomaly) {
	searches := map[string]int{}
	for _, h := range headers {
		if h.Kind == act.Search {
			searches[h.Actor]++
		}
	}
	var counts []int
	for _, n := range searches {
		counts = append(counts, n)
	}
	if len(counts) < 3 { // of two, one is always above
		return nil
	}
	slices.Sort(counts)
	median := counts[(len(counts)-1)/2]
	for actor, n := range searches {
		if n >= farAboveLow && n > farAbove*median {
			all = append(all, anomaly{Rule: "above", Actor: actor, Count: n})
		}
	}
	return all
}

// openCase is a case with the pseudonyms that the trail has for it.
type openCase struct {
	registry.Case
	Pseudonym, Opener string
}

func ofCases(cases []openCase, now time.Time) (all []anomaly) {
	own, opened := map[string]int{}, map[string]int{}
	for _, c := range cases {
		if c.ReferredAt.IsZero() && now.Sub(c.OpenedAt) > referWithin {
			all = append(all, anomaly{Rule: "overdue", Actor: c.Opener, Case: c.Pseudonym, Count: int(now.Sub(c.OpenedAt).Hours())})
		}
		opened[c.Opener]++
		if c.Kind == ownInitiated {
			own[c.Opener]++
		}
	}
	for actor, n := range own {
		if opened[actor] >= ownLow && float64(n) > ownShare*float64(opened[actor]) {
			all = append(all, anomaly{Rule: "own", Actor: actor, Count: n})
		}
	}
	return all
}

// sameSite finds the sites that one officer revealed across cases.
func sameSite(reveals []reveal) (all []anomaly) {
	type by struct{ actor, site string }
	cases := map[by]map[string]bool{}
	for _, r := range reveals {
		b := by{r.Actor, r.Site}
		if cases[b] == nil {
			cases[b] = map[string]bool{}
		}
		cases[b][r.Case] = true
	}
	for b, in := range cases {
		if len(in) >= acrossCases {
			all = append(all, anomaly{Rule: "site", Actor: b.actor, Site: b.site, Count: len(in)})
		}
	}
	slices.SortFunc(all, func(x, y anomaly) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Actor, y.Actor), cmp.Compare(x.Site, y.Site))
	})
	return all
}
