package consult

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/dossier"
	"anagrafe/collector/paper"
	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// clockMargin is how far from what was asked for clock samples are told, besides
// the nearest of each recorder.
const clockMargin = 48 * time.Hour

// dossierCase is the part "case".
type dossierCase struct {
	ID       string    `json:"id"`
	Force    string    `json:"force"`
	Kind     string    `json:"case_kind"`
	Ref      string    `json:"case_ref"`
	Offence  string    `json:"offence"`
	Reason   string    `json:"reason"`
	OpenedBy string    `json:"opened_by"`
	Opened   time.Time `json:"opened_at"`
	Referred time.Time `json:"referred_at,omitzero"`
	Closed   time.Time `json:"closed_at,omitzero"`
	Shared   []string  `json:"shared_with"`
}

// dossierClock is a part "clock": what the agents measured of one recorder's clock
// around the time that was asked for, source and method included.
type dossierClock struct {
	Site     string           `json:"site_id"`
	Recorder string           `json:"recorder_id"`
	Source   protocol.Source  `json:"source"`
	Samples  []protocol.Clock `json:"samples"`
}

// makeDossier hands out all that was done in a case as one signed file. The entry
// that says so has the file's hash; it comes after those that are in the file.
func (c *Consult) makeDossier(w http.ResponseWriter, r *http.Request) {
	u, k, ok := c.actsIn(w, r)
	if !ok {
		return
	}
	file, parts, err := c.dossier(r.Context(), u, k)
	if err != nil {
		c.Log.ErrorContext(r.Context(), "dossier not made", "err", err)
		c.showPapers(w, r, k, http.StatusInternalServerError, pages.Note{Kind: "danger", Key: "error.dossier"})
		return
	}
	sum := sha256.Sum256(file)
	e := u.entry(c.Now(), act.Dossier, k.ID, parts, struct {
		whyBody
		File string `json:"file_sha256"`
	}{whyOf(k, u), hex.EncodeToString(sum[:])})
	proof, err := c.Trail.Append(r.Context(), e)
	if err == nil {
		err = c.remember(r.Context(), e, proof, brief{Words: c.inWords(func(w *pages.Words) string { return w.N("dossier.done", parts) })}, nil)
	}
	if err != nil {
		c.Log.ErrorContext(r.Context(), "dossier refused", "err", err)
		c.showPapers(w, r, k, http.StatusServiceUnavailable, pages.Note{Kind: "danger", Key: "error.unanswered"})
		return
	}
	sendFile(w, "application/octet-stream", "fascicolo-"+k.ID+".anagrafe-dossier", file)
}

// dossier makes the file, and tells how many parts it has.
func (c *Consult) dossier(ctx context.Context, u officer, k registry.Case) (file []byte, count int, err error) {
	records, err := c.Registry.CaseRecords(ctx, k.ID)
	if err != nil {
		return nil, 0, err
	}
	names, err := c.names(ctx)
	if err != nil {
		return nil, 0, err
	}
	parts := []dossier.Part{part("case", k.OpenedAt, names[k.OpenedBy], dossierCase{k.ID, k.Force, k.Kind, k.Ref, k.Offence, k.Reason, names[k.OpenedBy],
		k.OpenedAt.UTC(), k.ReferredAt.UTC(), k.ClosedAt.UTC(), append([]string{}, k.Shared...)})}
	var entries []trail.Inclusion
	for _, rec := range records {
		body := rec.Body
		if body == nil {
			body = rec.Brief
		}
		parts = append(parts, dossier.Part{Kind: string(rec.Kind), At: rec.At.UTC(), By: names[rec.Actor], Index: rec.TrailIndex, Body: body})
		e, err := c.Trail.Prove(ctx, rec.TrailIndex)
		if err != nil {
			return nil, 0, err
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b trail.Inclusion) int { return cmp.Compare(a.Index, b.Index) })
	entries = slices.CompactFunc(entries, func(a, b trail.Inclusion) bool { return a.Index == b.Index })
	states, err := c.statesIn(ctx, k)
	if err != nil {
		return nil, 0, err
	}
	clocks, err := c.clocksIn(ctx, records)
	if err != nil {
		return nil, 0, err
	}
	parts = append(append(parts, states...), clocks...)
	head := dossier.Head{Case: k.ID, Force: u.Force, Made: c.Now().UTC(), MadeBy: join(u.Name, u.Qualification), VerifierKey: c.Trail.VerifierKey()}
	file, err = dossier.Write(head, parts, entries, c.Trail.Sign)
	return file, len(parts), err
}

func join(a, b string) string {
	if b == "" {
		return a
	}
	return a + ", " + b
}

// part is one that has no entry on the trail by itself.
func part(kind string, at time.Time, by string, body any) dossier.Part {
	raw, err := json.Marshal(body)
	if err != nil { // types of ours, without anything that JSON has not
		panic(fmt.Sprintf("a part of a dossier: %v", err))
	}
	return dossier.Part{Kind: kind, At: at.UTC(), By: by, Index: dossier.NoEntry, Body: raw}
}

// statesIn are how far the requests of a case have come, one part a notice.
func (c *Consult) statesIn(ctx context.Context, k registry.Case) (parts []dossier.Part, err error) {
	all, err := c.Registry.AskedIn(ctx, k.ID, maxListed)
	if err != nil {
		return nil, err
	}
	for _, a := range slices.Backward(all) { // the newest first
		parts = append(parts, part("state", a.Notice.At, "", noticeJSON(a)))
	}
	return parts, nil
}

// clocksIn are the samples of the clocks of the recorders whose owners were spoken
// to: those within clockMargin of what was asked for, and the nearest on each side.
func (c *Consult) clocksIn(ctx context.Context, records []registry.CaseRecord) (parts []dossier.Part, err error) {
	var sites []string
	var from, until time.Time
	for _, rec := range records {
		switch rec.Kind {
		case act.Search:
			var s searchRecord
			if json.Unmarshal(rec.Body, &s) == nil && !s.Asked.From.IsZero() {
				if from.IsZero() || s.Asked.From.Before(from) {
					from = s.Asked.From
				}
				if s.Asked.Until.After(until) {
					until = s.Asked.Until
				}
			}
		case act.Reveal:
			sites = append(sites, readBrief(rec).Site)
		case act.Paper:
			var p paperRecord
			if json.Unmarshal(rec.Body, &p) == nil {
				a, _ := paper.Decode(p.Paper) // of another version: the reveals name its sites
				for _, s := range a.Sites {
					sites = append(sites, s.ID)
				}
			}
		}
	}
	slices.Sort(sites)
	for _, site := range slices.Compact(sites) {
		h, err := c.Registry.History(ctx, site, from.Add(-clockMargin))
		if err != nil {
			return nil, err
		}
		for _, recorder := range slices.Sorted(maps.Keys(h.Clocks)) {
			if samples := around(h.Clocks[recorder], from, until); len(samples) > 0 {
				parts = append(parts, part("clock", samples[0].At, "", dossierClock{site, recorder, protocol.Measured, samples}))
			}
		}
	}
	return parts, nil
}

// around returns the samples within the margin of an interval, in their order, and
// the last before and the first after it where there is none nearer.
func around(samples []protocol.Clock, from, until time.Time) (near []protocol.Clock) {
	all := slices.SortedFunc(slices.Values(samples), func(a, b protocol.Clock) int { return a.At.Compare(b.At) })
	first, _ := slices.BinarySearchFunc(all, from.Add(-clockMargin), func(c protocol.Clock, t time.Time) int { return c.At.Compare(t) })
	end, _ := slices.BinarySearchFunc(all, until.Add(clockMargin), func(c protocol.Clock, t time.Time) int { return c.At.Compare(t) })
	if first > 0 && (first == end || all[first].At.After(from)) {
		first--
	}
	if end < len(all) && (first == end || all[end-1].At.Before(until)) {
		end++
	}
	return all[first:end]
}
