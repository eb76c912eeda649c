package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"anagrafe/protocol"
)

// The technical queue: what is wrong at sites that share, so that operations see
// what to mend first. It is told from what agents said and when, at the time of
// asking; nothing is kept for it but the faults themselves (health.go).

// Cause is why a line stands in the queue: a protocol.Fault of a recorder, or one of
// these, of an agent.
type Cause string

// The causes that are not a recorder's.
const (
	CauseOffline     Cause = "offline"     // no message was recorded for a while
	CauseCertificate Cause = "certificate" // it ends soon, or has ended
	CauseVersion     Cause = "version"     // an old one
)

// Causes are all of them, as they are listed. What recorders call "certificate" is
// another thing: see FaultCause.
var Causes = func() []Cause {
	all := []Cause{CauseOffline, CauseCertificate, CauseVersion}
	for _, f := range protocol.Faults {
		all = append(all, FaultCause(f))
	}
	return all
}()

// FaultCause is the cause of a recorder's fault.
func FaultCause(f protocol.Fault) Cause { return Cause("recorder-" + string(f)) }

// QueueFilter says which lines. What is zero does not narrow.
type QueueFilter struct {
	SiteID   string
	Cause    Cause
	Maker    protocol.Maker
	Firmware string // with Maker

	SilentSince       time.Time // offline: not heard since then
	CertificateBefore time.Time // certificate: it ends before then
	Old               []string  // version: those that are old; none: nothing is
}

// QueueRow is one line.
type QueueRow struct {
	Cause      Cause
	SiteID     string
	Name       string // as invited
	AgentID    string // of a certificate or version
	Version    string // of a version
	RecorderID string // of a fault
	Maker      protocol.Maker
	Model      string
	Firmware   string
	Since      time.Time // of a certificate: when it ends; of a version: when the agent was enrolled
	Size       int64     // of a wrong clock: ms
}

// noText stands for what lines of a cause do not have.
const noText = "CAST('' AS TEXT)"

// parts are the statements of the lines of the filter's cause, each with the same columns.
func (f QueueFilter) parts(w *where) (parts []string) {
	want := func(c Cause) bool { return f.Maker == "" && (f.Cause == "" || f.Cause == c) }
	if want(CauseOffline) {
		parts = append(parts, "SELECT 'offline' AS cause, s.id AS site_id, "+noText+" AS agent_id, "+noText+" AS version, s.heard_at AS since_at"+noRecorder+
			" FROM sites s WHERE s.heard_at < "+w.arg(micros(f.SilentSince))+" AND "+inState[Sharing]+" AND "+granted)
	}
	if want(CauseCertificate) {
		parts = append(parts, "SELECT 'certificate' AS cause, g.site_id AS site_id, a.id AS agent_id, "+noText+" AS version, a.certificate_until AS since_at"+noRecorder+
			agentLines+"a.certificate_until < "+w.arg(micros(f.CertificateBefore)))
	}
	if want(CauseVersion) && len(f.Old) > 0 {
		var old []string
		for _, v := range f.Old {
			old = append(old, w.arg(v))
		}
		parts = append(parts, "SELECT 'version' AS cause, g.site_id AS site_id, a.id AS agent_id, a.version AS version, a.enrolled_at AS since_at"+noRecorder+
			agentLines+"a.version IN ("+strings.Join(old, ", ")+")")
	}
	if fault, is := strings.CutPrefix(string(f.Cause), "recorder-"); is || f.Cause == "" {
		faults := "SELECT 'recorder-' || f.fault AS cause, f.site_id AS site_id, " + noText + " AS agent_id, " + noText + ` AS version, f.since_at AS since_at,
			f.recorder_id AS recorder_id, e.maker AS maker, e.model AS model, e.firmware AS firmware, f.size AS size
			FROM faults f JOIN equipment e ON e.site_id = f.site_id AND e.recorder_id = f.recorder_id JOIN sites s ON s.id = f.site_id WHERE ` + inState[Sharing]
		if is {
			faults += " AND f.fault = " + w.arg(fault)
		}
		parts = append(parts, faults)
	}
	return parts
}

var (
	noRecorder = ", " + noText + " AS recorder_id, " + noText + " AS maker, " + noText + " AS model, " + noText + " AS firmware, CAST(0 AS BIGINT) AS size"
	// agentLines: each agent that may speak for a site, once.
	agentLines = " FROM agents a JOIN grants g ON g.agent_id = a.id WHERE a.revoked_at IS NULL AND a.organisation_id IS NULL AND " + notEnded("?1") +
		" AND NOT EXISTS (SELECT 1 FROM grants WHERE agent_id = g.agent_id AND site_id = g.site_id AND epoch > g.epoch AND " + notEnded("?1") + ") AND "
)

// narrow adds what holds for lines of each cause.
func (f QueueFilter) narrow(w *where) {
	if f.SiteID != "" {
		w.and("q.site_id = ?", f.SiteID)
	}
	if f.Maker != "" {
		w.and("q.maker = ?", string(f.Maker))
	}
	if f.Firmware != "" {
		w.and("q.firmware = ?", f.Firmware)
	}
}

// CountQueue counts the lines of a filter.
func (r *Registry) CountQueue(ctx context.Context, f QueueFilter) (n int, err error) {
	err = r.view(ctx, func(tx *tx) error {
		causes, err := r.countCauses(ctx, tx, f)
		for _, lines := range causes {
			n += lines
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count the technical queue: %w", err)
	}
	return n, nil
}

// countCauses counts the lines of a filter by cause.
func (r *Registry) countCauses(ctx context.Context, tx *tx, f QueueFilter) (map[Cause]int, error) {
	causes := map[Cause]int{}
	w := newWhere(r.now())
	parts := f.parts(w)
	f.narrow(w)
	for i, part := range parts {
		parts[i] = "SELECT q.cause, count(*) FROM (" + part + ") q" + w.String() + " GROUP BY q.cause"
	}
	if len(parts) == 0 { // a maker's agents
		return causes, nil
	}
	return causes, each(ctx, tx, func(scan func(...any) error) error {
		var c Cause
		var n int
		err := scan(&c, &n)
		causes[c] = n
		return err
	}, strings.Join(parts, " UNION ALL "), w.args...)
}

// queueLine is by what a line is told from others that began when it did.
const queueLine = "q.site_id || q.cause || q.recorder_id || q.agent_id"

// QueueRows calls row for each line of a window, by when it began.
func (r *Registry) QueueRows(ctx context.Context, f QueueFilter, in Window, row func(QueueRow) error) error {
	return inParts(ctx, in, func(in Window) ([]QueueRow, error) { return r.queueRows(ctx, f, in) }, QueueRow.stands, row)
}

func (q QueueRow) stands() rowPlace {
	return rowPlace{q.Since, q.SiteID + string(q.Cause) + q.RecorderID + q.AgentID}
}

func (r *Registry) queueRows(ctx context.Context, f QueueFilter, in Window) (rows []QueueRow, err error) {
	w := newWhere(r.now())
	parts := f.parts(w)
	if len(parts) == 0 {
		return nil, nil
	}
	f.narrow(w)
	in.behind(w, "q.since_at", queueLine)
	order, limit, offset := " ORDER BY "+in.order("q.since_at", queueLine), w.arg(in.Limit), w.arg(in.Offset)
	for i, part := range parts { // no more of each cause than the window could have
		parts[i] = "SELECT * FROM (SELECT q.* FROM (" + part + ") q" + w.String() + order + " LIMIT CAST(" + limit + " AS BIGINT) + CAST(" + offset + " AS BIGINT)) q"
	}
	err = r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			q, err := r.scanQueueRow(scan)
			rows = append(rows, q)
			return err
		}, `SELECT q.cause, q.site_id, q.agent_id, q.version, q.recorder_id, q.maker, q.model, q.firmware, q.since_at, q.size, s.invited,
			(SELECT sealed FROM data_keys k WHERE k.owner = q.site_id) FROM (SELECT * FROM (`+strings.Join(parts, " UNION ALL ")+") q"+order+" LIMIT "+limit+" OFFSET "+offset+") q JOIN sites s ON s.id = q.site_id"+order, w.args...)
	})
	if err != nil {
		return nil, fmt.Errorf("read the technical queue: %w", err)
	}
	return rows, nil
}

func (r *Registry) scanQueueRow(scan func(...any) error) (q QueueRow, err error) {
	var since int64
	var invited, key []byte
	if err := scan(&q.Cause, &q.SiteID, &q.AgentID, &q.Version, &q.RecorderID, &q.Maker, &q.Model, &q.Firmware, &since, &q.Size, &invited, &key); err != nil {
		return q, err
	}
	as, err := r.vault.openInvited(q.SiteID, key, invited)
	q.Since, q.Name = fromMicros(since), as.Name
	return q, err
}

// Firmwares are the families of firmware of declared recorders.
func (r *Registry) Firmwares(ctx context.Context) (all []string, err error) {
	err = r.view(ctx, func(tx *tx) error {
		all, err = textsOf(ctx, tx, "SELECT DISTINCT firmware FROM equipment WHERE firmware <> '' ORDER BY firmware")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list firmwares: %w", err)
	}
	return all, nil
}

// QueueGroup counts recorders of one maker and family of firmware.
type QueueGroup struct {
	Maker     protocol.Maker
	Firmware  string
	Recorders int           // declared ones
	Faulty    int           // of these, with a fault at least
	Faults    map[Cause]int // recorders with each
}

// QueueGroups are the counts from which operations see what to mend first: lines by
// cause, recorders by maker and firmware, those with the most faulty ones first, and
// devices that are not declared, by maker and fault.
type QueueGroups struct {
	Causes  map[Cause]int
	Makers  []QueueGroup
	Unnamed []Unnamed
}

// Unnamed counts devices that are not declared.
type Unnamed struct {
	Maker   protocol.Maker
	Fault   protocol.Fault
	Devices int
}

// QueueGroups counts; f narrows nothing but gives the limits.
func (r *Registry) QueueGroups(ctx context.Context, f QueueFilter) (g QueueGroups, err error) {
	err = r.view(ctx, func(tx *tx) (err error) {
		if g.Causes, err = r.countCauses(ctx, tx, f); err != nil {
			return err
		}
		if err := g.readMakers(ctx, tx); err != nil {
			return err
		}
		return each(ctx, tx, func(scan func(...any) error) error {
			var u Unnamed
			err := scan(&u.Maker, &u.Fault, &u.Devices)
			g.Unnamed = append(g.Unnamed, u)
			return err
		}, "SELECT maker, fault, CAST(sum(devices) AS BIGINT) FROM unread WHERE fault <> '' GROUP BY maker, fault ORDER BY 3 DESC, 1, 2")
	})
	if err != nil {
		return QueueGroups{}, fmt.Errorf("count what is wrong: %w", err)
	}
	return g, nil
}

func (g *QueueGroups) readMakers(ctx context.Context, tx *tx) error {
	type kind struct {
		maker    protocol.Maker
		firmware string
	}
	at := map[kind]int{}
	if err := each(ctx, tx, func(scan func(...any) error) error {
		m := QueueGroup{Faults: map[Cause]int{}}
		err := scan(&m.Maker, &m.Firmware, &m.Recorders, &m.Faulty)
		at[kind{m.Maker, m.Firmware}] = len(g.Makers)
		g.Makers = append(g.Makers, m)
		return err
	}, `SELECT maker, firmware, count(*), count(CASE WHEN EXISTS (SELECT 1 FROM faults f WHERE f.site_id = e.site_id AND f.recorder_id = e.recorder_id) THEN 1 END)
		FROM equipment e GROUP BY maker, firmware`); err != nil {
		return err
	}
	if err := each(ctx, tx, func(scan func(...any) error) error {
		var k kind
		var f protocol.Fault
		var n int
		err := scan(&k.maker, &k.firmware, &f, &n)
		if i, ok := at[k]; ok {
			g.Makers[i].Faults[FaultCause(f)] = n
		}
		return err
	}, `SELECT e.maker, e.firmware, f.fault, count(*) FROM faults f JOIN equipment e ON e.site_id = f.site_id AND e.recorder_id = f.recorder_id
		GROUP BY e.maker, e.firmware, f.fault`); err != nil {
		return err
	}
	slices.SortFunc(g.Makers, func(a, b QueueGroup) int {
		if a.Faulty != b.Faulty {
			return b.Faulty - a.Faulty
		}
		return strings.Compare(string(a.Maker)+" "+a.Firmware, string(b.Maker)+" "+b.Firmware)
	})
	return nil
}
