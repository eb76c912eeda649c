package registry

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// Kinds of versions.
const (
	kindSite     = "site"
	kindRecorder = "recorder"
	kindCamera   = "camera"
)

// thing names what a version is of, within its site.
type thing struct{ kind, id string }

// standing is the newest version of a thing.
type standing struct {
	version     int64
	from, until int64 // until 0: it is in force
	body        sql.NullString
}

// declare makes a declaration the agent's part of what the site declares.
func (w *write) declare(ctx context.Context, declared order) error {
	if !w.order().after(declared) {
		return w.stale(declared)
	}
	parts, err := w.takePart(ctx)
	if err != nil {
		return err
	}
	if err := w.apply(ctx, parts); err != nil {
		return err
	}
	if err := w.approved(ctx); err != nil {
		return err
	}
	return w.adhered(ctx)
}

// apply makes the record say what the parts say together.
func (w *write) apply(ctx context.Context, parts []part) error {
	d := union(parts)
	stands, err := w.standing(ctx)
	if err != nil {
		return err
	}
	named := make(map[thing]bool)
	state := func(kind, id string, body string, err error) error {
		if err != nil {
			return err
		}
		k := thing{kind, id}
		named[k] = true
		return w.put(ctx, k, body, stands[k])
	}
	body, err := encode(d.Site)
	if err := state(kindSite, "", body, err); err != nil {
		return err
	}
	for _, r := range d.Recorders {
		if err := w.putClock(ctx, r.ID, r.Clock); err != nil {
			return err
		}
		r.Clock = nil // a series of its own, not a reason for a new version
		body, err := encode(r)
		if err := state(kindRecorder, r.ID, body, err); err != nil {
			return err
		}
	}
	for _, c := range d.Cameras {
		body, err := encode(normal(c))
		if err := state(kindCamera, c.ID, body, err); err != nil {
			return err
		}
	}
	if err := w.dropUnnamed(ctx, stands, named); err != nil {
		return err
	}
	contacts, err := w.ownContacts(ctx, d.Contacts)
	if err != nil {
		return err
	}
	if err := w.putContacts(ctx, contacts); err != nil {
		return err
	}
	now, err := w.seal(ctx, siteBody, body)
	if err != nil {
		return err
	}
	return w.exec(ctx, "UPDATE sites SET body = ?, category = ?, declared_at = ?, withdrawn_at = NULL WHERE id = ?",
		now, string(d.Site.Category), micros(parts[0].message.MadeAt), w.m.SiteID)
}

// standing reads the newest version of everything of the site.
func (w *write) standing(ctx context.Context) (map[thing]standing, error) {
	b, err := w.box(ctx)
	if err != nil {
		return nil, err
	}
	stands := make(map[thing]standing)
	err = each(ctx, w.tx, func(scan func(...any) error) error {
		var k thing
		var s standing
		var sealed []byte
		if err := scan(&k.kind, &k.id, &s.version, &s.from, &s.until, &sealed); err != nil {
			return err
		}
		if s.body.Valid = sealed != nil; s.body.Valid {
			plain, err := b.open(versionBody(k, s.version), sealed)
			if err != nil {
				return err
			}
			s.body.String = string(plain)
		}
		stands[k] = s
		return nil
	}, `SELECT kind, id, version, valid_from, coalesce(valid_until, 0), body FROM versions v WHERE site_id = ?
		AND version = (SELECT max(version) FROM versions n WHERE n.site_id = v.site_id AND n.kind = v.kind AND n.id = v.id)`, w.m.SiteID)
	return stands, err
}

// put opens a new version of a thing, unless the one in force says the same.
func (w *write) put(ctx context.Context, k thing, body string, s standing) error {
	inForce := s.version > 0 && s.until == 0
	if inForce && s.body.Valid && s.body.String == body {
		return nil
	}
	from := max(w.validFrom(), s.from, s.until)
	if inForce {
		if err := w.close(ctx, k, s, from); err != nil {
			return err
		}
	}
	sealed, err := w.seal(ctx, versionBody(k, s.version+1), body)
	if err != nil {
		return err
	}
	act, err := w.act(ctx)
	if err != nil {
		return err
	}
	return w.exec(ctx, "INSERT INTO versions (site_id, kind, id, version, valid_from, recorded_at, act, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		w.m.SiteID, k.kind, k.id, s.version+1, from, micros(w.at), act, sealed)
}

// validFrom is when the message's statement became true: when it was made, but
// not in the future, should the agent's clock be ahead of ours.
func (w *write) validFrom() int64 { return min(micros(w.m.MadeAt), micros(w.at)) }

func (w *write) close(ctx context.Context, k thing, s standing, until int64) error {
	act, err := w.act(ctx)
	if err != nil {
		return err
	}
	return w.exec(ctx, "UPDATE versions SET valid_until = ?, closed_at = ?, closed_act = ? WHERE site_id = ? AND kind = ? AND id = ? AND version = ?",
		until, micros(w.at), act, w.m.SiteID, k.kind, k.id, s.version)
}

// dropUnnamed erases the cameras that the declaration no longer names, closes
// the recorders, and erases those that no camera refers to any more, now or in
// its history.
func (w *write) dropUnnamed(ctx context.Context, stands map[thing]standing, named map[thing]bool) error {
	recorders := false
	for k, s := range stands {
		if named[k] || s.until != 0 {
			recorders = recorders || k.kind == kindRecorder && !named[k]
			continue
		}
		switch {
		case k.kind == kindRecorder:
			recorders = true
			if err := w.close(ctx, k, s, max(w.validFrom(), s.from)); err != nil {
				return err
			}
		case k.kind == kindCamera && s.body.Valid:
			if err := w.eraseCamera(ctx, k.id, s); err != nil {
				return err
			}
		}
	}
	if !recorders {
		return nil
	}
	used, err := w.usedRecorders(ctx)
	if err != nil {
		return err
	}
	for k := range stands {
		if k.kind == kindRecorder && !named[k] && !used[k.id] {
			if err := w.eraseRecorder(ctx, k.id); err != nil {
				return err
			}
		}
	}
	return nil
}

// eraseCamera leaves of a camera when it went, also when it had gone before.
func (w *write) eraseCamera(ctx context.Context, id string, s standing) error {
	w.erases = true
	act, err := w.act(ctx)
	if err != nil {
		return err
	}
	for _, query := range []string{
		"DELETE FROM versions WHERE site_id = ? AND kind = 'camera' AND id = ? AND body IS NOT NULL",
		"DELETE FROM camera_observations WHERE site_id = ? AND camera_id = ?",
	} {
		if err := w.exec(ctx, query, w.m.SiteID, id); err != nil {
			return err
		}
	}
	return w.exec(ctx, "INSERT INTO versions (site_id, kind, id, version, valid_from, recorded_at, act) VALUES (?, ?, ?, ?, ?, ?, ?)",
		w.m.SiteID, kindCamera, id, s.version+1, w.validFrom(), micros(w.at), act)
}

func (w *write) eraseRecorder(ctx context.Context, id string) error {
	w.erases = true
	for _, query := range []string{
		"DELETE FROM versions WHERE site_id = ? AND kind = 'recorder' AND id = ?",
		"DELETE FROM clocks WHERE site_id = ? AND recorder_id = ?",
		"DELETE FROM reachability WHERE site_id = ? AND recorder_id = ?",
	} {
		if err := w.exec(ctx, query, w.m.SiteID, id); err != nil {
			return err
		}
	}
	return nil
}

// usedRecorders are those that a version of a camera names.
func (w *write) usedRecorders(ctx context.Context) (map[string]bool, error) {
	b, err := w.box(ctx)
	if err != nil {
		return nil, err
	}
	used := make(map[string]bool)
	err = each(ctx, w.tx, func(scan func(...any) error) error {
		k := thing{kind: kindCamera}
		var version int64
		var sealed []byte
		if err := scan(&k.id, &version, &sealed); err != nil {
			return err
		}
		c, err := openBody[protocol.Camera](b, versionBody(k, version), sealed)
		used[c.RecorderID] = true
		return err
	}, "SELECT id, version, body FROM versions WHERE site_id = ? AND kind = 'camera' AND body IS NOT NULL", w.m.SiteID)
	return used, err
}

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
	if err := errors.Join(w.endOwnerCode(ctx), w.erased(ctx, ErasedWithdrawn)); err != nil {
		return false, err
	}
	if err := w.dropPart(ctx, w.agentID); err != nil {
		return false, err
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
		w.origin.Reason = ReasonLeft
		return true, w.apply(ctx, parts)
	}
	return true, w.empty(ctx, ReasonEmptied)
}

// laterDecision tells whether another agent was enrolled for the site after the
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
	if err := w.exec(ctx, "UPDATE sites SET suspended_at = NULL WHERE id = ?", w.m.SiteID); err != nil {
		return err
	}
	if err := w.erased(ctx, ErasedWithdrawn); err != nil {
		return err
	}
	return w.empty(ctx, ReasonWithdrawn)
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
// and address stay only where a later grant or code does: who is enrolled gets
// them from here, and could declare nothing without.
func (w *write) empty(ctx context.Context, reason Reason) error {
	for _, query := range []string{
		"DELETE FROM parts WHERE site_id = ?",
		"DELETE FROM versions WHERE site_id = ?",
		"DELETE FROM contacts WHERE site_id = ?",
		"DELETE FROM lookups WHERE owner = ?",
		"DELETE FROM mail_queue WHERE site_id = ?",
		"DELETE FROM bounces WHERE site_id = ?",
		"DELETE FROM ageing WHERE site_id = ?",
		"DELETE FROM clocks WHERE site_id = ?",
		"DELETE FROM reachability WHERE site_id = ?",
		"DELETE FROM camera_observations WHERE site_id = ?",
	} {
		if err := w.exec(ctx, query, w.m.SiteID); err != nil {
			return err
		}
	}
	if err := w.actEmptied(ctx, reason); err != nil {
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
	if err := w.exec(ctx, "UPDATE sites SET body = NULL, category = '' WHERE id = ?", w.m.SiteID); err != nil {
		return err
	}
	w.boxed, w.erases = nil, false
	return w.r.vault.destroy(ctx, w.tx, w.m.SiteID)
}
