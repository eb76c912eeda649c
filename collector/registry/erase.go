package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// openLedger opens the ledger, which Close closes. What the register knows and the
// ledger does not, of a time before there was one, of another collector, or of a write
// that ended in between, is put there now.
func (r *Registry) openLedger(ctx context.Context, path string, key []byte) error {
	l, text, err := openLedger(path, key)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	r.ledger = l
	missing, err := r.missingIn(ctx, text.Erasures)
	if err == nil {
		err = l.add(missing)
	}
	if err != nil {
		return fmt.Errorf("compare the ledger of erasures with the register: %w", err)
	}
	if len(missing) > 0 {
		r.log.InfoContext(ctx, "the ledger of erasures was brought up to date", "lines", len(missing))
	}
	return nil
}

// missingIn returns what the register knows to be erased and the list does not.
func (r *Registry) missingIn(ctx context.Context, list []Erasure) (missing []Erasure, err error) {
	epochs := make(map[string]int64) // of the newest erasure of a site
	type act struct {
		site, what string
		at         time.Time
	}
	acts := make(map[act]bool)
	for _, e := range list {
		acts[act{e.Site, e.What, e.At}] = true
		if e.whole() {
			epochs[e.Site] = max(epochs[e.Site], e.Epoch+1) // 0: none
		}
	}
	err = r.view(ctx, func(tx *tx) error {
		err := each(ctx, tx, func(scan func(...any) error) error {
			e := Erasure{What: erasedWithdrawn}
			var at int64
			err := scan(&e.Site, &e.Epoch, &at)
			if e.At = fromMicros(at); epochs[e.Site] <= e.Epoch {
				missing = append(missing, e)
			}
			return err
		}, "SELECT id, epoch, withdrawn_at FROM sites WHERE withdrawn_at IS NOT NULL AND declared_at IS NULL ORDER BY withdrawn_at, id")
		if err != nil {
			return err
		}
		return each(ctx, tx, func(scan func(...any) error) error {
			var e Erasure
			var at int64
			err := scan(&e.Site, &e.What, &at, &e.Epoch)
			if e.At = fromMicros(at); !acts[act{e.Site, e.What, e.At}] {
				missing = append(missing, e)
			}
			return err
		}, "SELECT a.site_id, a.reason, a.at, s.epoch FROM acts a JOIN sites s ON s.id = a.site_id WHERE a.reason IN ('suspended', 'resumed') ORDER BY a.at, a.site_id, a.number")
	})
	return missing, err
}

// whole reports whether all of the site went.
func (e Erasure) whole() bool {
	return e.What == erasedByOffice || e.What == erasedWithdrawn && (e.Agent == "" || e.Grant >= e.Epoch)
}

// erased has the ledger take what this write erases, once it is committed.
func (w *write) erased(ctx context.Context, what string) error {
	e := Erasure{Site: w.m.SiteID, What: what, At: w.at}
	if w.byOffice {
		e.What = erasedByOffice
	}
	if w.agentID != "" {
		e.Agent, e.Grant, e.MadeAt = w.agentID, w.m.Epoch, exact(w.m.MadeAt)
	}
	err := w.tx.QueryRowContext(ctx, "SELECT epoch FROM sites WHERE id = ?", w.m.SiteID).Scan(&e.Epoch)
	w.tx.erasures = append(w.tx.erasures, e)
	return err
}

// replay does again what the ledger says and the register does not know, and
// gives how many sites that changed.
func (r *Registry) replay(ctx context.Context, erasures []Erasure) (int, error) {
	changedSites := make(map[string]bool)
	for _, e := range erasures {
		err := r.update(ctx, func(ctx context.Context, tx *tx) error {
			done, err := r.replayErasure(ctx, tx, e)
			if done {
				changedSites[e.Site] = true
			}
			return err
		})
		if err != nil {
			return 0, fmt.Errorf("site %s, %s on %s: %w", e.Site, e.What, e.At.Format(time.RFC3339), err)
		}
	}
	return len(changedSites), nil
}

// replayErasure does one thing again, unless the register knows it, or a later enrolment.
func (r *Registry) replayErasure(ctx context.Context, tx *tx, e Erasure) (done bool, err error) {
	var known, agent bool
	err = tx.QueryRowContext(ctx, `SELECT epoch > ?2 OR (coalesce(withdrawn_at, -1) >= ?3 AND declared_at IS NULL)
		OR EXISTS (SELECT 1 FROM acts WHERE site_id = ?1 AND reason = ?4 AND at = ?3)
		OR EXISTS (SELECT 1 FROM grants WHERE site_id = ?1 AND agent_id = ?5 AND until_at = ?3),
		EXISTS (SELECT 1 FROM agents WHERE id = ?5) FROM sites WHERE id = ?1`, e.Site, e.Epoch, micros(e.At), e.What, e.Agent).Scan(&known, &agent)
	if errors.Is(err, sql.ErrNoRows) || err == nil && known {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	w := write{r: r, tx: tx, m: protocol.Message{SiteID: e.Site, Epoch: e.Grant, MadeAt: e.MadeAt}, at: e.At, origin: Origin{Reason: reasonWithdrawn}}
	switch {
	case e.What == erasedSuspended || e.What == erasedResumed:
		err = r.act(ctx, tx, e.Site, protocol.SiteState(e.What), e.At, authorUnknown)
		if errors.Is(err, ErrUnknownSite) { // nothing of it was declared yet
			return false, nil
		}
		return true, err
	case e.Agent == "" || !agent:
		return true, w.takeAway(ctx)
	}
	w.agentID = e.Agent
	declared, err := w.ownPart(ctx)
	if err != nil {
		return false, err
	}
	if _, err = w.withdraw(ctx, declared); errors.Is(err, ingest.ErrStale) { // a later declaration of the same agent's
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, errors.Join(w.finish(ctx), changed(ctx, tx, e.Site))
}

// takeAway erases the site for good, whichever agents it has, and tells its
// agents by a notice.
func (w *write) takeAway(ctx context.Context) error {
	if err := w.exec(ctx, "UPDATE grants SET until_at = ?1 WHERE site_id = ?2 AND "+notEnded("?1"), micros(w.at), w.m.SiteID); err != nil {
		return err
	}
	if err := w.takeOut(ctx); err != nil {
		return err
	}
	if err := errors.Join(w.finish(ctx), changed(ctx, w.tx, w.m.SiteID)); err != nil {
		return err
	}
	return w.r.queueNotice(ctx, w.tx, protocol.Notice{ID: uuid.NewString(), SiteID: w.m.SiteID, At: w.at,
		Body: protocol.SiteChange{State: protocol.SiteWithdrawn, At: w.at}})
}

// Erase takes a site out as a withdrawal by its owner would, also one of which
// nothing was ever declared, and gives what it erased. ErrUnknownSite when there
// is no such site. What was erased already is erased again, of which the counts
// are zero.
func (r *Registry) Erase(ctx context.Context, siteID string, at time.Time) (protocol.ErasureCertificate, error) {
	c := protocol.ErasureCertificate{SiteID: siteID, At: exact(at), BackupsUntil: exact(at).Add(KeysLife)}
	err := r.update(ctx, func(ctx context.Context, tx *tx) (err error) {
		w := write{r: r, tx: tx, m: protocol.Message{SiteID: siteID, MadeAt: exact(at)}, at: exact(at), byOffice: true,
			origin: Origin{Author: authorOps, Reason: reasonWithdrawn}}
		if err := tx.QueryRowContext(ctx, "SELECT epoch FROM sites WHERE id = ?", siteID).Scan(&w.m.Epoch); errors.Is(err, sql.ErrNoRows) {
			return ErrUnknownSite
		} else if err != nil {
			return err
		}
		if c.Erased, err = countHeld(ctx, tx, siteID); err != nil {
			return err
		}
		if c.Keys, err = countKeys(ctx, tx, siteID); err != nil {
			return err
		}
		return w.takeAway(ctx)
	})
	if err != nil {
		return protocol.ErasureCertificate{}, fmt.Errorf("erase site %s: %w", siteID, err)
	}
	return c, nil
}

// held is what the register holds of a site and gives up with it.
var held = []struct{ kind, query string }{
	{"cameras", "SELECT count(DISTINCT id) FROM versions WHERE site_id = ? AND kind = 'camera' AND body IS NOT NULL"},
	{"recorders", "SELECT count(DISTINCT id) FROM versions WHERE site_id = ? AND kind = 'recorder' AND body IS NOT NULL"},
	{"versions", "SELECT count(*) FROM versions WHERE site_id = ? AND body IS NOT NULL"},
	{"contacts", "SELECT count(*) FROM contacts WHERE site_id = ?"},
	{"declarations", "SELECT count(*) FROM parts WHERE site_id = ?"},
	{"clock_samples", "SELECT count(*) FROM clocks WHERE site_id = ?"},
	{"reachability", "SELECT count(*) FROM reachability WHERE site_id = ?"},
	{"camera_observations", "SELECT count(*) FROM camera_observations WHERE site_id = ?"},
	{"notices", "SELECT count(*) FROM notices WHERE site_id = ? AND body IS NOT NULL"},
	{"unused_codes", "SELECT count(*) FROM codes WHERE site_id = ? AND used_at IS NULL"},
}

func countHeld(ctx context.Context, tx *tx, siteID string) (map[string]int64, error) {
	counts := make(map[string]int64)
	for _, h := range held {
		var n int64
		if err := tx.QueryRowContext(ctx, h.query, siteID).Scan(&n); err != nil {
			return nil, fmt.Errorf("count %s: %w", h.kind, err)
		}
		counts[h.kind] = n
	}
	return counts, nil
}

// countKeys counts the data keys that are destroyed with the site, by what they
// seal.
func countKeys(ctx context.Context, tx *tx, siteID string) (map[string]int64, error) {
	counts := make(map[string]int64)
	err := each(ctx, tx, func(scan func(...any) error) error {
		var kind string
		var n int64
		err := scan(&kind, &n)
		counts[kind] = n
		return err
	}, `SELECT kind, count(*) FROM data_keys WHERE sealed <> ?2 AND (owner = ?1 OR owner IN (SELECT id FROM notices WHERE site_id = ?1 AND body IS NOT NULL))
		GROUP BY kind`, siteID, zeros[:])
	return counts, err
}

// Held lists the kinds that a certificate of erasure counts.
func Held() (kinds []string) {
	for _, h := range held {
		kinds = append(kinds, h.kind)
	}
	return kinds
}

// HasSite reports whether a site is, or was, in the register.
func (r *Registry) HasSite(ctx context.Context, siteID string) (known bool, err error) {
	err = r.read.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM sites WHERE id = ?)", siteID).Scan(&known)
	if err != nil {
		return false, fmt.Errorf("look for site %s: %w", siteID, err)
	}
	return known, nil
}
