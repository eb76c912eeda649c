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

// hiding is a decision to hide a site from search, or to show it again.
type hiding struct {
	state   protocol.SiteState // SiteSuspended or SiteResumed
	until   time.Time          // of a suspension: it ends by itself then; zero: it does not
	decided time.Time          // by a person, as their agent or the owner's page says
}

// hide makes the decision hold from now on, and reports whether it changed anything.
// What is so already is no new act, whatever day it now ends on. A change of owner
// is lifted by the new one's declaration alone.
func (w *write) hide(ctx context.Context, h hiding) (done bool, err error) {
	var suspended, another bool
	err = w.tx.QueryRowContext(ctx, "SELECT suspended_at IS NOT NULL, owner_changed_at IS NOT NULL FROM sites WHERE id = ? AND declared_at IS NOT NULL", w.m.SiteID).
		Scan(&suspended, &another)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, ErrUnknownSite
	case err != nil:
		return false, err
	case another:
		return false, nil
	}
	ends := sql.NullInt64{Int64: micros(h.until), Valid: !h.until.IsZero()}
	if h.state == protocol.SiteSuspended {
		err = w.exec(ctx, "UPDATE sites SET suspended_at = coalesce(suspended_at, ?), suspended_until = ?, suspension_decided_at = ? WHERE id = ?",
			micros(w.at), ends, micros(h.decided), w.m.SiteID)
	} else {
		err = w.exec(ctx, "UPDATE sites SET suspended_at = NULL, suspended_until = NULL, suspension_decided_at = ? WHERE id = ?", micros(h.decided), w.m.SiteID)
	}
	if err != nil || suspended == (h.state == protocol.SiteSuspended) {
		return false, err
	}
	if err := w.erased(ctx, string(h.state)); err != nil {
		return false, err
	}
	_, err = w.act(ctx)
	return true, err
}

// suspend takes a person's decision through an agent, unless a later one holds. It
// counts from when it is recorded, as that by the owner's code does, and the site's
// other agents are told. One that arrives after its last day hides nothing.
func (w *write) suspend(ctx context.Context, s protocol.SiteSuspension) error {
	var last int64
	if err := w.tx.QueryRowContext(ctx, "SELECT coalesce(suspension_decided_at, 0) FROM sites WHERE id = ?", w.m.SiteID).Scan(&last); err != nil {
		return err
	}
	h := hiding{state: hidingState(s), until: exact(s.Until), decided: protocol.Earlier(exact(s.Approval.At), w.at)}
	switch {
	case micros(h.decided) < last:
		return fmt.Errorf("%w: it was decided on %s, and the site's state again on %s", ingest.ErrStale,
			h.decided.Format(time.RFC3339), fromMicros(last).Format(time.RFC3339))
	case !h.until.IsZero() && !h.until.After(w.at):
		return nil
	}
	made := w.m.MadeAt
	w.m.MadeAt = w.at // by which the act is dated
	done, err := w.hide(ctx, h)
	w.m.MadeAt = made
	switch {
	case errors.Is(err, ErrUnknownSite):
		return protocol.FieldErrors{{Field: "site_id", Why: "nothing is declared of this site: there is nothing to hide"}}
	case err != nil || !done:
		return err
	}
	return w.tellHidden(ctx, h.state)
}

func hidingState(s protocol.SiteSuspension) protocol.SiteState {
	if s.Resumed {
		return protocol.SiteResumed
	}
	return protocol.SiteSuspended
}

// tellHidden queues for the site's other agents that it was hidden or is shown
// again. The one that said so knows.
func (w *write) tellHidden(ctx context.Context, state protocol.SiteState) error {
	var others bool
	err := w.tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM grants WHERE site_id = ?2 AND agent_id <> ?3 AND "+notEnded("?1")+")",
		micros(w.at), w.m.SiteID, w.agentID).Scan(&others)
	if err != nil || !others {
		return err
	}
	n := protocol.Notice{ID: uuid.NewString(), SiteID: w.m.SiteID, At: w.at, Body: protocol.SiteChange{State: state, At: w.at}}
	if err := w.r.queueNotice(ctx, w.tx, n); err != nil {
		return err
	}
	return w.exec(ctx, "INSERT INTO notice_replies (notice_id, agent_id, state, at, recorded_at) VALUES (?1, ?2, ?3, ?4, ?4)",
		n.ID, w.agentID, string(protocol.ReplyReceived), micros(w.at))
}

// EndSuspensions shows again the sites whose suspension was to end by now. record is
// called before, once for a batch; an error of it leaves them hidden and ends the
// run. One whose owner decides otherwise meanwhile is left alone.
func (r *Registry) EndSuspensions(ctx context.Context, now time.Time, record func(ctx context.Context, sites []string) error) (ended int, err error) {
	now = exact(now)
	after := ""
	for {
		due, err := r.dueSuspensions(ctx, now, after)
		if err == nil && len(due) > 0 {
			err = record(ctx, due)
		}
		if err != nil {
			return ended, fmt.Errorf("end suspensions: %w", err)
		}
		for _, siteID := range due {
			after = siteID
			err := r.update(ctx, func(ctx context.Context, tx *tx) error {
				var still bool
				err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM sites WHERE id = ? AND suspended_until <= ?)", siteID, micros(now)).Scan(&still)
				if err != nil || !still {
					return err
				}
				return r.act(ctx, tx, siteID, protocol.SiteResumed, now, authorAgeing)
			})
			if err != nil {
				return ended, fmt.Errorf("end the suspension of site %s: %w", siteID, err)
			}
			ended++
		}
		if len(due) < ageBatch {
			return ended, nil
		}
	}
}

func (r *Registry) dueSuspensions(ctx context.Context, now time.Time, after string) (sites []string, err error) {
	err = r.view(ctx, func(tx *tx) error {
		sites, err = textsOf(ctx, tx, "SELECT id FROM sites WHERE suspended_until <= ? AND id > ? ORDER BY id LIMIT ?", micros(now), after, ageBatch)
		return err
	})
	return sites, err
}
