package registry

import (
	"context"
	"database/sql"

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
	if err := w.approved(ctx); err != nil { // first, for it goes by when the site was heard of before
		return err
	}
	if err := w.apply(ctx, parts); err != nil {
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
	if err := w.updateEquipment(ctx, d.Recorders); err != nil {
		return err
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
	if err := w.introduce(ctx, contacts, d.Approval.By); err != nil {
		return err
	}
	now, err := w.seal(ctx, siteBody, body)
	if err != nil {
		return err
	}
	heard := sql.NullInt64{Int64: micros(w.at), Valid: w.m.ID != ""} // it may follow from an enrolment, which is no message
	in, by := w.r.district(d.Site.Address, d.Cameras)
	return w.exec(ctx, `UPDATE sites SET body = ?1, category = ?2, declared_at = ?3, shared_at = coalesce(shared_at, ?4), confirmed_at = coalesce(confirmed_at, ?4),
		withdrawn_at = NULL, heard_at = coalesce(?5, heard_at), municipio = ?6, nil = ?7, district_map = ?8 WHERE id = ?9`,
		now, string(d.Site.Category), micros(parts[0].message.MadeAt), micros(w.at), heard, in.Municipio, in.NIL, by, w.m.SiteID)
}

// standing reads the newest version of everything of the site.
func (w *write) standing(ctx context.Context) (map[thing]standing, error) {
	stands := make(map[thing]standing)
	if w.first {
		return stands, nil
	}
	b, err := w.box(ctx)
	if err != nil {
		return nil, err
	}
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
