package registry

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// entry is what the register knows of a site of a file.
type entry struct {
	siteID   string
	state    ImportState // New, TakenOver, Withdrawn; else Changed: it may be
	epoch    int64
	revision int64 // of its newest message
	part     []byte
	declared protocol.Declaration // what was imported before
}

// next is the site's next message.
func (e *entry) next(at time.Time, body protocol.Body) protocol.Message {
	return protocol.Message{ID: uuid.NewString(), SiteID: e.siteID, Epoch: e.epoch, Revision: e.revision + 1, MadeAt: at, Body: body}
}

// find looks a site up by the owner's key. An export names a site that was not
// imported by its id: that one is the agent's.
func (i *importing) find(ctx context.Context, key string) (*entry, error) {
	e := &entry{siteID: uuid.NewString(), state: ImportNew, epoch: 1}
	var siteID string
	err := i.tx.QueryRowContext(ctx, `SELECT site_id FROM imports WHERE organisation_id = ?1 AND kind = 'site' AND key_hash = ?2
		UNION ALL SELECT id FROM sites WHERE id = ?3 AND organisation_id = ?1`, i.OrganisationID, i.keyHash(kindSite, key), key).Scan(&siteID)
	if errors.Is(err, sql.ErrNoRows) {
		return e, nil
	}
	if err != nil {
		return nil, err
	}
	e.siteID = siteID
	var declared bool
	err = i.tx.QueryRowContext(ctx, "SELECT declared_at IS NOT NULL FROM sites WHERE id = ?", siteID).Scan(&declared)
	if err != nil {
		return nil, err
	}
	if !declared {
		e.state = ImportWithdrawn
		return e, nil
	}
	// Whoever enrols an agent for the site, or gives it to another owner, ends the
	// import's grant.
	var sealed []byte
	err = i.tx.QueryRowContext(ctx, `SELECT g.epoch, p.revision, p.declaration FROM grants g
		JOIN parts p ON p.site_id = g.site_id AND p.agent_id = g.agent_id
		WHERE g.site_id = ? AND g.agent_id = ? AND g.until_at IS NULL`, siteID, i.agentID).Scan(&e.epoch, &e.revision, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		e.state = ImportTakenOver
		return e, nil
	}
	if err != nil {
		return nil, err
	}
	e.state = ImportChanged
	b, err := i.r.vault.boxOf(ctx, i.tx, siteID)
	if err != nil {
		return nil, err
	}
	if e.part, err = b.open(partBody(i.agentID), sealed); err != nil {
		return nil, err
	}
	e.declared, err = decodeDeclaration(e.part)
	return e, err
}

func decodeDeclaration(raw []byte) (protocol.Declaration, error) {
	m, err := protocol.Decode(raw)
	if err != nil {
		return protocol.Declaration{}, fmt.Errorf("a stored declaration is damaged: %w", err)
	}
	d, _ := m.Body.(protocol.Declaration)
	return d, nil
}

// importKey is the owner's key of a site or camera.
type importKey struct{ id, key string }

// keyHash is by what a key is found. Cameras have theirs within their site.
func (i *importing) keyHash(kind, key string) []byte {
	sum := i.r.ownerMAC("import", i.OrganisationID+"\x00"+kind+"\x00"+key)
	return sum[:]
}

func (i *importing) putKey(ctx context.Context, kind, siteID string, k importKey) error {
	hashed := k.key
	if kind == kindCamera {
		hashed = siteID + "\x00" + k.key
	}
	b, err := i.r.vault.makeBox(ctx, i.tx, ownerSite, siteID)
	if err != nil {
		return err
	}
	body, err := b.seal(importBody(kind, k.id), []byte(k.key))
	if err != nil {
		return err
	}
	_, err = i.tx.ExecContext(ctx, `INSERT INTO imports (organisation_id, kind, key_hash, site_id, id, body) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (organisation_id, kind, key_hash) DO UPDATE SET id = excluded.id, body = excluded.body`,
		i.OrganisationID, kind, i.keyHash(kind, hashed), siteID, k.id, body)
	return err
}

// keep writes the keys of a site's cameras, and drops those of cameras that it
// declares no more.
func (i *importing) keep(ctx context.Context, siteID string, keys []importKey, d protocol.Declaration) error {
	have, err := cameraKeys(ctx, i.r, i.tx, siteID)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if have[k.id] == k.key {
			continue
		}
		if err := i.putKey(ctx, kindCamera, siteID, k); err != nil {
			return err
		}
	}
	stays := make(map[string]bool)
	for _, c := range d.Cameras {
		stays[c.ID] = true
	}
	for id := range have {
		if stays[id] {
			continue
		}
		if _, err := i.tx.ExecContext(ctx, "DELETE FROM imports WHERE site_id = ? AND kind = 'camera' AND id = ?", siteID, id); err != nil {
			return err
		}
	}
	return nil
}

// cameraKeys are the owner's keys of a site's cameras, by camera id.
func cameraKeys(ctx context.Context, r *Registry, tx *tx, siteID string) (map[string]string, error) {
	keys := make(map[string]string)
	b, err := r.vault.boxOf(ctx, tx, siteID)
	if err != nil {
		return nil, err
	}
	err = each(ctx, tx, func(scan func(...any) error) error {
		var id string
		var body []byte
		if err := scan(&id, &body); err != nil {
			return err
		}
		key, err := b.open(importBody(kindCamera, id), body)
		keys[id] = string(key)
		return err
	}, "SELECT id, body FROM imports WHERE site_id = ? AND kind = 'camera' AND body IS NOT NULL", siteID)
	return keys, err
}

// forgetKeys drops what the owner called the site and its cameras. The hash of
// the site's key stays: a file must not bring back what was taken away.
func (w *write) forgetKeys(ctx context.Context) error {
	if err := w.exec(ctx, "DELETE FROM imports WHERE site_id = ? AND kind = 'camera'", w.m.SiteID); err != nil {
		return err
	}
	return w.exec(ctx, "UPDATE imports SET body = NULL WHERE site_id = ?", w.m.SiteID)
}

// openSiteKey opens the owner's key of a site, with the site's sealed data key.
func (r *Registry) openSiteKey(siteID string, key, body []byte) (string, error) {
	b, err := r.vault.box(siteID, key)
	if err != nil {
		return "", err
	}
	plain, err := b.open(importBody(kindSite, siteID), body)
	return string(plain), err
}

// sameDeclaration reports whether two encoded messages declare the same, whoever
// approved it and when.
func sameDeclaration(a, b []byte) (bool, error) {
	plain := func(raw []byte) ([]byte, error) {
		m, err := protocol.Decode(raw)
		if err != nil {
			return nil, fmt.Errorf("a stored declaration is damaged: %w", err)
		}
		d, _ := m.Body.(protocol.Declaration)
		d.Approval = protocol.Approval{By: "-", Role: protocol.RoleOwner, At: time.UnixMicro(0)}
		m = protocol.Message{Body: d}
		return m.MarshalJSON()
	}
	x, err := plain(a)
	if err != nil {
		return false, err
	}
	y, err := plain(b)
	return bytes.Equal(x, y), err
}
