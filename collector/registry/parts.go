package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// part is what one agent declares of a site: its newest declaration.
type part struct {
	agentID  string
	epoch    int64
	replaced bool // a declaration of the asking agent, in the asking epoch, takes its place
	message  protocol.Message
	raw      []byte
}

func (p part) declaration() protocol.Declaration {
	d, _ := p.message.Body.(protocol.Declaration)
	return d
}

// readParts reads what the agents of a site declare, those first that did so
// last; but not those of the agent except. replaced is told for a declaration of
// agentID in the given epoch.
func readParts(ctx context.Context, tx *tx, b *box, siteID, agentID string, epoch int64, except string) (parts []part, err error) {
	err = each(ctx, tx, func(scan func(...any) error) error {
		var p part
		var sealed []byte
		err := scan(&p.agentID, &p.epoch, &sealed, &p.replaced)
		if err != nil {
			return err
		}
		if p.raw, err = b.open(partBody(p.agentID), sealed); err != nil {
			return err
		}
		if p.message, err = protocol.Decode(p.raw); err != nil {
			return fmt.Errorf("a stored declaration is damaged: %w", err)
		}
		parts = append(parts, p)
		return nil
	}, `SELECT p.agent_id, p.epoch, p.declaration, coalesce(g.agent_id = ?2 AND g.epoch <= ?3, FALSE)
		FROM parts p LEFT JOIN grants g ON g.site_id = p.site_id AND g.epoch = p.replaced_epoch
		WHERE p.site_id = ?1 AND p.agent_id <> ?4 ORDER BY p.number DESC`, siteID, agentID, epoch, except)
	return parts, err
}

// parts reads those of the message's site.
func (w *write) parts(ctx context.Context, epoch int64, except string) ([]part, error) {
	if w.first {
		return nil, nil
	}
	b, err := w.box(ctx)
	if err != nil {
		return nil, err
	}
	return readParts(ctx, w.tx, b, w.m.SiteID, w.agentID, epoch, except)
}

// union is what a site's parts say together. They are given those first that
// were declared last: of each recorder, with its cameras, the first stands; of
// the site itself and of its contacts, what the first of all says.
func union(parts []part) protocol.Declaration {
	all := parts[0].declaration()
	if len(parts) == 1 {
		return all
	}
	all.Recorders, all.Cameras = nil, nil
	from := make(map[string]int) // by recorder id, the place of its part
	cameras := make(map[string]bool)
	for i, p := range parts {
		d := p.declaration()
		for _, r := range d.Recorders {
			if _, taken := from[r.ID]; !taken {
				from[r.ID] = i
				all.Recorders = append(all.Recorders, r)
			}
		}
		for _, c := range d.Cameras {
			if from[c.RecorderID] == i && !cameras[c.ID] {
				cameras[c.ID] = true
				all.Cameras = append(all.Cameras, c)
			}
		}
	}
	return all
}

// together is the message that says what all parts say: the newest one, with
// the others' recorders. One that would be too big for an agent that takes the
// site over is refused as protocol.FieldErrors.
func together(parts []part) (protocol.Message, []byte, error) {
	m := parts[0].message
	if len(parts) == 1 {
		return m, parts[0].raw, nil
	}
	m.Body = union(parts)
	raw, err := protocol.Encode(m)
	if errors.Is(err, protocol.ErrTooBig) {
		err = protocol.FieldErrors{{Field: "message", Why: "is too big together with what the site's other agents declare"}}
	}
	return m, raw, err
}

// takePart makes a declaration the agent's part, in the place of its older one
// and of the parts that its grant replaces, and gives the site's parts.
func (w *write) takePart(ctx context.Context) ([]part, error) {
	others, err := w.parts(ctx, w.m.Epoch, w.agentID)
	if err != nil {
		return nil, err
	}
	if others, err = w.dropReplaced(ctx, others); err != nil {
		return nil, err
	}
	parts := append([]part{{agentID: w.agentID, epoch: w.m.Epoch, message: w.m, raw: w.raw}}, others...)
	if len(parts) > 1 {
		if _, _, err := together(parts); err != nil {
			return nil, err
		}
		// What the older part said and the record did not show, because another
		// part stood before it, is seen by nobody else to be gone.
		w.erases = true
	}
	sealed, err := w.seal(ctx, partBody(w.agentID), string(w.raw))
	if err != nil {
		return nil, err
	}
	return parts, w.exec(ctx, `INSERT INTO parts (site_id, agent_id, epoch, revision, number, made_at, declaration)
		VALUES (?1, ?2, ?3, ?4, (SELECT coalesce(max(number), 0) + 1 FROM parts WHERE site_id = ?1), ?5, ?6)
		ON CONFLICT (site_id, agent_id) DO UPDATE SET epoch = excluded.epoch, revision = excluded.revision,
		number = excluded.number, made_at = excluded.made_at, declaration = excluded.declaration, replaced_epoch = NULL`,
		w.m.SiteID, w.agentID, w.m.Epoch, w.m.Revision, micros(w.m.MadeAt), sealed)
}

func (w *write) dropPart(ctx context.Context, agentID string) error {
	w.erases = true
	return w.exec(ctx, "DELETE FROM parts WHERE site_id = ? AND agent_id = ?", w.m.SiteID, agentID)
}

// dropReplaced erases the parts that are replaced, and gives the others.
func (w *write) dropReplaced(ctx context.Context, parts []part) (stay []part, err error) {
	for _, p := range parts {
		if !p.replaced {
			stay = append(stay, p)
		} else if err := w.dropPart(ctx, p.agentID); err != nil {
			return nil, err
		}
	}
	return stay, nil
}

// ownPart tells the place of the agent's newest declaration of the site; zero
// when it has none.
func (w *write) ownPart(ctx context.Context) (o order, err error) {
	err = w.tx.QueryRowContext(ctx, "SELECT epoch, revision FROM parts WHERE site_id = ? AND agent_id = ?",
		w.m.SiteID, w.agentID).Scan(&o.epoch, &o.revision)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return o, err
}

// ownNames reports what the agent's own declaration names, also where another's
// stands before it.
func (w *write) ownNames(ctx context.Context) (map[thing]bool, error) {
	parts, err := w.parts(ctx, w.m.Epoch, "")
	if err != nil {
		return nil, err
	}
	names := make(map[thing]bool)
	for _, p := range parts {
		if p.agentID != w.agentID {
			continue
		}
		for _, r := range p.declaration().Recorders {
			names[thing{kindRecorder, r.ID}] = true
		}
		for _, c := range p.declaration().Cameras {
			names[thing{kindCamera, c.ID}] = true
		}
	}
	return names, nil
}

// replace ends the grants that other agents, or the one that this computer was
// before, got for the site before this one. What they declared stays until the
// first declaration under this grant, which may have been made already, or under
// an earlier one of the same agent that replaced them before: what was made under
// that one and comes later takes their place, too. What was imported or typed, and what a
// former owner's agents declared, is replaced by any agent.
func (r *Registry) replace(ctx context.Context, tx *tx, g protocol.Grant, d ingest.Redemption) error {
	at := exact(d.At)
	who := `agent_id <> ?2 AND epoch < ?3 AND (?4 OR agent_id = ?5 OR agent_id IN (SELECT id FROM agents a WHERE NOT (` + computer + `))
		OR EXISTS (SELECT 1 FROM sites WHERE id = ?1 AND owner_changed_at IS NOT NULL))`
	args := []any{g.SiteID, g.AgentID, g.Epoch, d.Replace, d.Former}
	if _, err := tx.ExecContext(ctx, `UPDATE parts SET replaced_epoch = CASE WHEN replaced_epoch > ?3
		OR EXISTS (SELECT 1 FROM grants WHERE site_id = ?1 AND epoch = replaced_epoch AND grants.agent_id = ?2) THEN replaced_epoch ELSE ?3 END
		WHERE site_id = ?1 AND `+who, args...); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE grants SET until_at = ?6 WHERE site_id = ?1 AND "+who+" AND "+notEnded("?6"), append(args, micros(at))...); err != nil {
		return err
	}
	w := write{r: r, tx: tx, agentID: g.AgentID, m: protocol.Message{SiteID: g.SiteID, MadeAt: at}, at: at,
		origin: Origin{Author: authorAgent, Reason: reasonReplaced}}
	own, err := w.ownPart(ctx)
	if err != nil || own.epoch < g.Epoch {
		return err
	}
	parts, err := w.parts(ctx, own.epoch, "")
	if err != nil {
		return err
	}
	stay, err := w.dropReplaced(ctx, parts)
	if err != nil || len(stay) == len(parts) {
		return err
	}
	return errors.Join(w.apply(ctx, stay), w.finish(ctx), changed(ctx, tx, g.SiteID))
}
