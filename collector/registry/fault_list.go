package registry

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// The technical queue: what is wrong at sites that share, so that operations see
// what to mend first. It is told from what agents said and when, at the time of
// asking; no table is kept for it but that of the faults themselves (health.go). At a
// hundred thousand sites there are tens of thousands of lines, of several tables, so
// that no index has them in one order: all are read at once, for who keeps them a
// while and shows them page by page.

// Cause is why a line stands in the queue: a protocol.Fault of a recorder, or one of
// these, of an agent.
type Cause string

// The causes that are not a recorder's.
const (
	causeOffline     Cause = "offline"     // no message was recorded for a while
	causeCertificate Cause = "certificate" // it ends soon, or has ended
	causeVersion     Cause = "version"     // an old one
)

// Causes are all of them, as they are listed. What recorders call "certificate" is
// another thing: see FaultCause.
var Causes = func() []Cause {
	all := []Cause{causeOffline, causeCertificate, causeVersion}
	for _, f := range protocol.Faults {
		all = append(all, FaultCause(f))
	}
	return all
}()

// FaultCause is the cause of a recorder's fault.
func FaultCause(f protocol.Fault) Cause { return Cause("recorder-" + string(f)) }

// FaultLimits say what is late at a moment.
type FaultLimits struct {
	At                time.Time
	SilentSince       time.Time // offline: not heard since then
	CertificateBefore time.Time // certificate: it ends before then
	Old               []string  // version: those that are old; none: nothing is
}

// FaultList is the list of faults at a moment, without names; a line takes some 150 bytes
// of memory.
type FaultList struct {
	At      time.Time
	Lines   []FaultLine   // those that began last first
	Causes  map[Cause]int // lines of each
	Makers  []faultGroup  // those with the most faulty recorders first
	Unnamed []unnamedDevice

	revoked int // agents
}

// FaultLine is one thing that is wrong.
type FaultLine struct {
	Cause      Cause
	SiteID     uuid.UUID
	AgentID    uuid.UUID     // of a certificate or version
	Version    string        // of a version
	RecorderID uuid.UUID     // of a fault
	Kind       *recorderKind // of its recorder; empty, not nil, without one
	Since      time.Time     // of a certificate: when it ends; of a version: when the agent was enrolled
	Size       int64         // of a wrong clock: ms
}

// recorderKind is a maker, model and firmware, shared by its lines.
type recorderKind struct {
	Maker    protocol.Maker
	Model    string
	Firmware string // its family, e.g. 4.30
}

// faultGroup counts recorders of one maker and family of firmware.
type faultGroup struct {
	Maker     protocol.Maker
	Firmware  string
	Recorders int           // declared ones
	Faulty    int           // of these, with a line at least
	Faults    map[Cause]int // lines of each
}

// unnamedDevice counts devices that are not declared.
type unnamedDevice struct {
	Maker   protocol.Maker
	Fault   protocol.Fault
	Devices int
}

// ReadFaults reads all that is wrong.
func (r *Registry) ReadFaults(ctx context.Context, l FaultLimits) (*FaultList, error) {
	q := &FaultList{At: l.At}
	err := r.view(ctx, func(tx *tx) error {
		if err := tx.QueryRowContext(ctx, revocations).Scan(&q.revoked); err != nil {
			return err
		}
		if err := q.readLines(ctx, tx, l); err != nil {
			return err
		}
		if err := q.readMakers(ctx, tx); err != nil {
			return err
		}
		return each(ctx, tx, func(scan func(...any) error) error {
			var u unnamedDevice
			err := scan(&u.Maker, &u.Fault, &u.Devices)
			q.Unnamed = append(q.Unnamed, u)
			return err
		}, "SELECT maker, fault, CAST(sum(devices) AS BIGINT) FROM unread WHERE fault <> '' GROUP BY maker, fault ORDER BY 3 DESC, 1, 2")
	})
	if err != nil {
		return nil, fmt.Errorf("read the technical queue: %w", err)
	}
	q.count()
	return q, nil
}

// revocations counts the agents that were shut out.
const revocations = "SELECT count(*) FROM agents WHERE revoked_at IS NOT NULL"

// FaultsStand reports whether no agent was shut out since a queue was read, by any
// collector: its lines are no more.
func (r *Registry) FaultsStand(ctx context.Context, q *FaultList) (bool, error) {
	revoked := 0
	err := r.view(ctx, func(tx *tx) error { return tx.QueryRowContext(ctx, revocations).Scan(&revoked) })
	if err != nil {
		return false, fmt.Errorf("count the agents that were shut out: %w", err)
	}
	return revoked == q.revoked, nil
}

// The statements of the lines, each with the same columns; the moment is ?1.
var (
	offlineLines = "SELECT 'offline', s.id, '', '', s.heard_at" + noRecorder + " FROM sites s WHERE s.heard_at < ?2 AND " + inState[Sharing] + " AND " + granted
	// certificateLines and versionLines: each agent that may speak for a site, once.
	certificateLines = "SELECT 'certificate', g.site_id, a.id, '', a.certificate_until" + noRecorder + ofAgents + "a.certificate_until < ?2"
	versionLines     = "SELECT 'version', g.site_id, a.id, a.version, a.enrolled_at" + noRecorder + ofAgents + "a.version = ?2"
	faultLines       = `SELECT 'recorder-' || f.fault, f.site_id, '', '', f.since_at, f.recorder_id, e.maker, e.model, e.firmware, f.size
		FROM faults f JOIN equipment e ON e.site_id = f.site_id AND e.recorder_id = f.recorder_id JOIN sites s ON s.id = f.site_id WHERE ` + inState[Sharing]

	ofAgents = " FROM agents a JOIN grants g ON g.agent_id = a.id WHERE a.revoked_at IS NULL AND a.organisation_id IS NULL AND " + notEnded("?1") +
		" AND NOT EXISTS (SELECT 1 FROM grants WHERE agent_id = g.agent_id AND site_id = g.site_id AND epoch > g.epoch AND " + notEnded("?1") + ") AND "
)

const noRecorder = ", '', '', '', '', 0"

func (q *FaultList) readLines(ctx context.Context, tx *tx, l FaultLimits) error {
	texts, kinds := map[string]string{}, map[recorderKind]*recorderKind{} // kept once each
	line := func(scan func(...any) error) error {
		var one FaultLine
		var cause, version string
		var kind recorderKind
		var since int64
		if err := scan(&cause, &one.SiteID, &one.AgentID, &version, &since, &one.RecorderID, &kind.Maker, &kind.Model, &kind.Firmware, &one.Size); err != nil {
			return err
		}
		one.Cause, one.Version, one.Kind, one.Since = Cause(once(texts, cause)), once(texts, version), kinds[kind], fromMicros(since)
		if one.Kind == nil {
			one.Kind = &kind
			kinds[kind] = one.Kind
		}
		q.Lines = append(q.Lines, one)
		return nil
	}
	at := micros(l.At)
	if err := each(ctx, tx, line, offlineLines, at, micros(l.SilentSince)); err != nil {
		return err
	}
	if err := each(ctx, tx, line, certificateLines, at, micros(l.CertificateBefore)); err != nil {
		return err
	}
	for _, version := range l.Old {
		if err := each(ctx, tx, line, versionLines, at, version); err != nil {
			return err
		}
	}
	return each(ctx, tx, line, faultLines)
}

// once returns the text of a set that s is.
func once(all map[string]string, s string) string {
	if kept, ok := all[s]; ok {
		return kept
	}
	all[s] = s
	return s
}

// readMakers counts the declared recorders.
func (q *FaultList) readMakers(ctx context.Context, tx *tx) error {
	return each(ctx, tx, func(scan func(...any) error) error {
		m := faultGroup{Faults: map[Cause]int{}}
		err := scan(&m.Maker, &m.Firmware, &m.Recorders)
		q.Makers = append(q.Makers, m)
		return err
	}, "SELECT maker, firmware, count(*) FROM equipment GROUP BY maker, firmware")
}

// count puts lines and makers in their order, and counts the lines of each.
func (q *FaultList) count() {
	q.Lines = slices.Clip(q.Lines)
	slices.SortFunc(q.Lines, func(a, b FaultLine) int {
		return cmp.Or(b.Since.Compare(a.Since), bytes.Compare(b.SiteID[:], a.SiteID[:]), strings.Compare(string(b.Cause), string(a.Cause)),
			bytes.Compare(b.RecorderID[:], a.RecorderID[:]), bytes.Compare(b.AgentID[:], a.AgentID[:]))
	})
	groups := map[recorderKind]*faultGroup{} // of any model
	for i, m := range q.Makers {
		groups[recorderKind{Maker: m.Maker, Firmware: m.Firmware}] = &q.Makers[i]
	}
	q.Causes = map[Cause]int{}
	faulty := map[[2]uuid.UUID]bool{}
	for _, l := range q.Lines {
		q.Causes[l.Cause]++
		recorder := [2]uuid.UUID{l.SiteID, l.RecorderID}
		if l.RecorderID == uuid.Nil {
			continue
		}
		g := groups[recorderKind{Maker: l.Kind.Maker, Firmware: l.Kind.Firmware}]
		g.Faults[l.Cause]++
		if !faulty[recorder] {
			faulty[recorder] = true
			g.Faulty++
		}
	}
	slices.SortFunc(q.Makers, func(a, b faultGroup) int {
		return cmp.Or(b.Faulty-a.Faulty, strings.Compare(string(a.Maker)+" "+a.Firmware, string(b.Maker)+" "+b.Firmware))
	})
}
