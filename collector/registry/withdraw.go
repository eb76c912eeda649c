package registry

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// withdraw takes the site out of the register, unless a later decision stands:
// then only what this agent declared goes.
func (w *write) withdraw(ctx context.Context, declared order) (siteStays bool, err error) {
	// Only a later enrolment outlives it: within its own epoch a withdrawal
	// wins also over what was sent after it.
	if w.m.Epoch < declared.epoch {
		return false, w.stale(declared)
	}
	if siteStays, err = w.laterDecision(ctx); err != nil {
		return false, err
	}
	if err := w.exec(ctx, "UPDATE grants SET until_at = ?1 WHERE site_id = ?2 AND (agent_id = ?3 AND epoch <= ?4 OR agent_id <> ?3 AND NOT ?5) AND "+notEnded("?1"),
		micros(w.at), w.m.SiteID, w.agentID, w.m.Epoch, siteStays); err != nil {
		return false, err
	}
	if !siteStays {
		if err := w.takeOut(ctx); err != nil {
			return false, err
		}
		return false, w.tellOthers(ctx)
	}
	if err := errors.Join(w.endOwnerCode(ctx), w.erased(ctx, erasedWithdrawn)); err != nil {
		return false, err
	}
	if err := w.dropPart(ctx, w.agentID); err != nil {
		return false, err
	}
	for _, table := range []string{"health", "unread"} {
		if err := w.exec(ctx, "DELETE FROM "+table+" WHERE site_id = ? AND agent_id = ?", w.m.SiteID, w.agentID); err != nil {
			return false, err
		}
	}
	parts, err := w.parts(ctx, w.m.Epoch, "")
	if err != nil {
		return false, err
	}
	// What this agent was enrolled to replace goes with it: nobody else speaks for it.
	if parts, err = w.dropReplaced(ctx, parts); err != nil {
		return false, err
	}
	if len(parts) > 0 {
		w.origin.Reason = reasonLeft
		return true, w.apply(ctx, parts)
	}
	return true, w.empty(ctx, reasonEmptied)
}

// laterDecision reports whether another agent was enrolled for the site after the
// message was made, and either may still speak for it or has declared something
// that stands. One that was revoked, or a visit that ended, without a word has
// decided nothing.
func (w *write) laterDecision(ctx context.Context) (is bool, err error) {
	err = w.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM grants g JOIN agents a ON a.id = g.agent_id
		WHERE g.site_id = ?1 AND g.agent_id <> ?2 AND g.from_at > ?3
		AND (a.revoked_at IS NULL AND `+notEnded("?5")+` OR EXISTS (SELECT 1 FROM parts p
			LEFT JOIN grants r ON r.site_id = p.site_id AND r.epoch = p.replaced_epoch AND r.agent_id = ?2 AND r.epoch <= ?4
			WHERE p.site_id = g.site_id AND p.agent_id = g.agent_id AND p.epoch = g.epoch AND r.epoch IS NULL)))`,
		w.m.SiteID, w.agentID, micros(w.m.MadeAt), w.m.Epoch, micros(w.at)).Scan(&is)
	return is, err
}

// tellOthers queues, for the agents whose grants the withdrawal has ended, what
// became of their site. The agent that withdrew it knows: it has received it.
func (w *write) tellOthers(ctx context.Context) error {
	var others bool
	err := w.tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM grants WHERE site_id = ? AND agent_id <> ? AND until_at = ?)",
		w.m.SiteID, w.agentID, micros(w.at)).Scan(&others)
	if err != nil || !others {
		return err
	}
	n := protocol.Notice{ID: uuid.NewString(), SiteID: w.m.SiteID, At: w.at, Body: protocol.SiteChange{State: protocol.SiteWithdrawn, At: w.at}}
	if err := w.r.queueNotice(ctx, w.tx, n); err != nil {
		return err
	}
	return w.exec(ctx, "INSERT INTO notice_replies (notice_id, agent_id, state, at, recorded_at) VALUES (?1, ?2, ?3, ?4, ?4)",
		n.ID, w.agentID, string(protocol.ReplyReceived), micros(w.at))
}

// takeOut erases what the register knows of the site, and the codes that would
// bring back what its owner took away.
func (w *write) takeOut(ctx context.Context) error {
	if err := w.exec(ctx, "DELETE FROM codes WHERE site_id = ? AND used_at IS NULL", w.m.SiteID); err != nil {
		return err
	}
	if err := w.endOwnerCode(ctx); err != nil {
		return err
	}
	if err := w.exec(ctx, "UPDATE sites SET suspended_at = NULL, suspended_until = NULL WHERE id = ?", w.m.SiteID); err != nil {
		return err
	}
	if err := w.erased(ctx, erasedWithdrawn); err != nil {
		return err
	}
	return w.empty(ctx, reasonWithdrawn)
}

// endOwnerCode has the site's next receipt carry another code, also where the
// site stays: what stays may be another owner's, and who withdrew has the old one.
func (w *write) endOwnerCode(ctx context.Context) error {
	if err := w.exec(ctx, "DELETE FROM owner_sessions WHERE site_id = ?", w.m.SiteID); err != nil {
		return err
	}
	return w.exec(ctx, "UPDATE sites SET owner_hash = NULL, owner_generation = owner_generation + 1 WHERE id = ?", w.m.SiteID)
}

// empty leaves a site of which nothing is declared, and nothing known. Its name
// and address stay only if a later grant or code does: a new agent gets
// them from here, and could declare nothing without.
func (w *write) empty(ctx context.Context, why reason) error {
	for _, query := range []string{
		"DELETE FROM parts WHERE site_id = ?",
		"DELETE FROM versions WHERE site_id = ?",
		"DELETE FROM contacts WHERE site_id = ?",
		"DELETE FROM lookups WHERE owner = ?",
		"DELETE FROM mail_queue WHERE owner = ?",
		"DELETE FROM bounces WHERE site_id = ?",
		"UPDATE invitations SET site_id = NULL, link_hash = NULL, address = NULL, mail_id = NULL WHERE site_id = ?", // not invited again
		"DELETE FROM introductions WHERE site_id = ?",
		"DELETE FROM alert_readers WHERE site_id = ?",
		"DELETE FROM alerts WHERE site_id = ?",
		"DELETE FROM ageing WHERE site_id = ?",
		"UPDATE sites SET " + nowhere + " WHERE id = ?",
		"DELETE FROM clocks WHERE site_id = ?",
		"DELETE FROM reachability WHERE site_id = ?",
		"DELETE FROM camera_observations WHERE site_id = ?",
	} {
		if err := w.exec(ctx, query, w.m.SiteID); err != nil {
			return err
		}
	}
	for _, table := range healthTables {
		if err := w.exec(ctx, "DELETE FROM "+table+" WHERE site_id = ?", w.m.SiteID); err != nil {
			return err
		}
	}
	if err := w.actEmptied(ctx, why); err != nil {
		return err
	}
	if err := w.dropNotices(ctx); err != nil {
		return err
	}
	if err := w.forgetKeys(ctx); err != nil {
		return err
	}
	if err := w.exec(ctx, "UPDATE sites SET declared_at = NULL, withdrawn_at = ?, organisation_id = NULL, owner_changed_at = NULL WHERE id = ?", micros(w.at), w.m.SiteID); err != nil {
		return err
	}
	var awaited bool
	err := w.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM grants JOIN agents ON agents.id = agent_id WHERE site_id = ?2 AND revoked_at IS NULL AND `+notEnded("?1")+`)
		OR EXISTS (SELECT 1 FROM codes WHERE site_id = ?2 AND used_at IS NULL AND expires_at > ?1)`, micros(w.at), w.m.SiteID).Scan(&awaited)
	if err != nil || awaited {
		w.erases = true // all but the name
		return err
	}
	if err := w.exec(ctx, "UPDATE sites SET body = NULL, invited = NULL, category = '' WHERE id = ?", w.m.SiteID); err != nil {
		return err
	}
	w.boxed, w.erases = nil, false
	return w.r.vault.destroy(ctx, w.tx, w.m.SiteID)
}
