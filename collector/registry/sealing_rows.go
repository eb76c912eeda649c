package registry

import (
	"context"
	"database/sql"

	"anagrafe/protocol"
)

// What an older program wrote in clear, table by table (see sealing.go).

// sealSite seals what stands in clear of a site.
func (r *Registry) sealSite(ctx context.Context, tx *tx, id string) error {
	w := write{r: r, tx: tx, m: protocol.Message{SiteID: id}}
	for _, step := range []func(context.Context, *write) error{sealOldName, sealOldVersions, sealOldContacts, sealOldParts, sealOldObservations} {
		if err := step(ctx, &w); err != nil {
			return err
		}
	}
	for _, table := range plainTables {
		if err := w.exec(ctx, "DELETE FROM "+table+" WHERE site_id = ?", id); err != nil {
			return err
		}
	}
	return nil
}

func sealOldName(ctx context.Context, w *write) error {
	var s protocol.Site
	err := w.tx.QueryRowContext(ctx, "SELECT name, category, address FROM sites WHERE id = ?", w.m.SiteID).Scan(&s.Name, &s.Category, &s.Address)
	if err != nil || s.Name == "" {
		return err
	}
	body, err := encode(s)
	if err != nil {
		return err
	}
	sealed, err := w.seal(ctx, siteBody, body)
	if err != nil {
		return err
	}
	return w.exec(ctx, "UPDATE sites SET body = ?, name = '', address = '' WHERE id = ?", sealed, w.m.SiteID)
}

// oldRows reads all rows first: nothing else may be asked on the connection while
// they are read.
func oldRows[T any](ctx context.Context, w *write, query string, scan func(row *T, scan func(...any) error) error) (all []T, err error) {
	err = each(ctx, w.tx, func(from func(...any) error) error {
		var row T
		err := scan(&row, from)
		all = append(all, row)
		return err
	}, query, w.m.SiteID)
	return all, err
}

func sealOldVersions(ctx context.Context, w *write) error {
	type row struct {
		k                       thing
		version, from, recorded int64
		until, closed           sql.NullInt64
		body                    sql.NullString
	}
	rows, err := oldRows(ctx, w, "SELECT kind, id, version, valid_from, valid_until, recorded_at, closed_at, body FROM versions_plain WHERE site_id = ?",
		func(v *row, scan func(...any) error) error {
			return scan(&v.k.kind, &v.k.id, &v.version, &v.from, &v.until, &v.recorded, &v.closed, &v.body)
		})
	if err != nil {
		return err
	}
	for _, v := range rows {
		sealed, err := w.sealOld(ctx, versionBody(v.k, v.version), v.body)
		if err != nil {
			return err
		}
		if err := w.exec(ctx, `INSERT INTO versions (site_id, kind, id, version, valid_from, valid_until, recorded_at, closed_at, body)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, w.m.SiteID, v.k.kind, v.k.id, v.version, v.from, v.until, v.recorded, v.closed, sealed); err != nil {
			return err
		}
	}
	return nil
}

// sealOld seals a text that was in clear; NULL stays NULL.
func (w *write) sealOld(ctx context.Context, place string, body sql.NullString) ([]byte, error) {
	if !body.Valid {
		return nil, nil
	}
	return w.seal(ctx, place, body.String)
}

func sealOldContacts(ctx context.Context, w *write) error {
	type row struct {
		place int
		body  string
	}
	rows, err := oldRows(ctx, w, "SELECT place, body FROM contacts_plain WHERE site_id = ? ORDER BY place",
		func(c *row, scan func(...any) error) error { return scan(&c.place, &c.body) })
	if err != nil || len(rows) == 0 {
		return err
	}
	var contacts []protocol.Contact
	for _, c := range rows {
		contact, err := decode[protocol.Contact](c.body)
		if err != nil {
			return err
		}
		contacts = append(contacts, contact)
		sealed, err := w.seal(ctx, contactBody(c.place), c.body)
		if err != nil {
			return err
		}
		if err := w.exec(ctx, "INSERT INTO contacts (site_id, place, body) VALUES (?, ?, ?)", w.m.SiteID, c.place, sealed); err != nil {
			return err
		}
	}
	return w.r.vault.putLookups(ctx, w.tx, w.m.SiteID, contacts)
}

func sealOldParts(ctx context.Context, w *write) error {
	type row struct {
		agent                         string
		epoch, revision, number, made int64
		declaration                   []byte
		replaced                      sql.NullInt64
	}
	rows, err := oldRows(ctx, w, "SELECT agent_id, epoch, revision, number, made_at, declaration, replaced_epoch FROM parts_plain WHERE site_id = ?",
		func(p *row, scan func(...any) error) error {
			return scan(&p.agent, &p.epoch, &p.revision, &p.number, &p.made, &p.declaration, &p.replaced)
		})
	if err != nil {
		return err
	}
	for _, p := range rows {
		sealed, err := w.seal(ctx, partBody(p.agent), string(p.declaration))
		if err != nil {
			return err
		}
		if err := w.exec(ctx, `INSERT INTO parts (site_id, agent_id, epoch, revision, number, made_at, declaration, replaced_epoch)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, w.m.SiteID, p.agent, p.epoch, p.revision, p.number, p.made, sealed, p.replaced); err != nil {
			return err
		}
	}
	return nil
}

func sealOldObservations(ctx context.Context, w *write) error {
	type row struct {
		camera              string
		at, recorded        int64
		oldest              sql.NullInt64
		settled             sql.NullBool
		schedule, retention sql.NullString
	}
	rows, err := oldRows(ctx, w, "SELECT camera_id, at, recorded_at, oldest_footage, settled, schedule, retention FROM camera_observations_plain WHERE site_id = ?",
		func(o *row, scan func(...any) error) error {
			return scan(&o.camera, &o.at, &o.recorded, &o.oldest, &o.settled, &o.schedule, &o.retention)
		})
	if err != nil {
		return err
	}
	for _, o := range rows {
		schedule, err := w.sealOld(ctx, observationBody("schedule", o.camera, o.at, o.recorded), o.schedule)
		if err != nil {
			return err
		}
		retention, err := w.sealOld(ctx, observationBody("retention", o.camera, o.at, o.recorded), o.retention)
		if err != nil {
			return err
		}
		if err := w.exec(ctx, `INSERT INTO camera_observations (site_id, camera_id, at, recorded_at, oldest_footage, settled, schedule, retention)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, w.m.SiteID, o.camera, o.at, o.recorded, o.oldest, o.settled, schedule, retention); err != nil {
			return err
		}
	}
	return nil
}

// sealOldNotice seals a notice and its replies, which the key of consultation
// seals already, with a key of the notice's own.
func (r *Registry) sealOldNotice(ctx context.Context, tx *tx, id string) error {
	b, err := r.vault.newBox(ctx, tx, ownerNotice, id)
	if err != nil {
		return err
	}
	var body []byte
	if err := tx.QueryRowContext(ctx, "SELECT body FROM notices WHERE id = ?", id).Scan(&body); err != nil {
		return err
	}
	if body, err = b.seal(noticeBodyPlace, body); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE notices SET body = ? WHERE id = ?", body, id); err != nil {
		return err
	}
	type row struct {
		agent, state string
		body         []byte
	}
	var replies []row
	err = each(ctx, tx, func(scan func(...any) error) error {
		var p row
		err := scan(&p.agent, &p.state, &p.body)
		replies = append(replies, p)
		return err
	}, "SELECT agent_id, state, body FROM notice_replies WHERE notice_id = ? AND body IS NOT NULL", id)
	if err != nil {
		return err
	}
	for _, p := range replies {
		sealed, err := b.seal(replyBodyPlace(p.agent, p.state), p.body)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE notice_replies SET body = ? WHERE notice_id = ? AND agent_id = ? AND state = ?",
			sealed, id, p.agent, p.state); err != nil {
			return err
		}
	}
	return nil
}
