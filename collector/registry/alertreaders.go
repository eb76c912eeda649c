package registry

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"anagrafe/protocol"
)

// Who wishes to be told is said in three places, and the last word holds: by a
// contact's tick in a declaration, by the owner on the page of the site, by the
// reader with the link in the message. A declaration that repeats its tick says
// nothing new, so it does not bring back what a reader has ended.

// alertToken is by what a reader ends the alerts of a site: derived, as a contact's
// token is, so that every message can carry it and the register need not keep it.
func (r *Registry) alertToken(siteID string, hash []byte) string {
	sum := r.ownerMAC("alerts", siteID+"\x00"+string(hash))
	return base64.RawURLEncoding.EncodeToString(sum[:tokenBytes])
}

// wishAlerts takes over the ticks of a declaration's contacts.
func (w *write) wishAlerts(ctx context.Context, contacts []protocol.Contact) error {
	if w.r.ownerKey == nil {
		return nil
	}
	ticks := make(map[[32]byte]bool)
	for _, c := range contacts {
		if c.Email != "" {
			hash := w.r.addressHash(c.Email)
			ticks[hash] = ticks[hash] || c.Alerts
		}
	}
	have, err := site{tx: w.tx, id: w.m.SiteID}.hashes(ctx, "SELECT address_hash FROM alert_readers WHERE channel = 'email' AND site_id = ?")
	if err != nil {
		return err
	}
	for hash := range have {
		if _, named := ticks[hash]; !named {
			if err := w.exec(ctx, "DELETE FROM alert_readers WHERE site_id = ? AND channel = 'email' AND address_hash = ?", w.m.SiteID, hash[:]); err != nil {
				return err
			}
		}
	}
	for hash, tick := range ticks {
		if !have[hash] {
			if tick {
				err = w.r.wish(ctx, w.tx, w.m.SiteID, hash[:], true, true)
			}
		} else {
			err = w.exec(ctx, "UPDATE alert_readers SET declared = ?1, wanted = ?1 WHERE site_id = ?2 AND channel = 'email' AND address_hash = ?3 AND declared <> ?1",
				tick, w.m.SiteID, hash[:])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// wish keeps the last word about an address. declared is the tick in the newest
// declaration, where there is no row yet.
func (r *Registry) wish(ctx context.Context, tx *tx, siteID string, hash []byte, declared, wanted bool) error {
	end := sha256.Sum256([]byte(r.alertToken(siteID, hash)))
	_, err := tx.ExecContext(ctx, `INSERT INTO alert_readers (site_id, channel, address_hash, declared, wanted, end_hash) VALUES (?, 'email', ?, ?, ?, ?)
		ON CONFLICT (site_id, channel, address_hash) DO UPDATE SET wanted = excluded.wanted`, siteID, hash, declared, wanted, end[:])
	return err
}

// AlertReader is a contact that can be told, and whether they wish so.
type AlertReader struct {
	Channel Channel
	Address string
	Wanted  bool
}

// AlertReaders lists those of a site, in the order of its contacts.
func (r *Registry) AlertReaders(ctx context.Context, siteID string) (all []AlertReader, err error) {
	err = r.view(ctx, func(tx *tx) error {
		all, err = r.alertReaders(ctx, tx, siteID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read who wishes alerts of site %s: %w", siteID, err)
	}
	return all, nil
}

func (r *Registry) alertReaders(ctx context.Context, tx *tx, siteID string) (all []AlertReader, err error) {
	b, err := r.vault.boxOf(ctx, tx, siteID)
	if err != nil || b == nil {
		return nil, err
	}
	s := site{tx: tx, id: siteID, box: b}
	contacts, _, err := s.reached(ctx, r)
	if err != nil {
		return nil, err
	}
	wanted, err := s.hashes(ctx, "SELECT address_hash FROM alert_readers WHERE channel = 'email' AND wanted AND site_id = ?")
	if err != nil {
		return nil, err
	}
	seen := make(map[[32]byte]bool)
	for _, c := range contacts {
		hash := r.addressHash(c.Email)
		if c.Email != "" && !seen[hash] {
			all = append(all, AlertReader{ChannelEmail, c.Email, wanted[hash]})
			seen[hash] = true
		}
	}
	return all, nil
}

// SetAlerts is the owner's word whether a contact's address is told. false: no
// contact of the site has it.
func (r *Registry) SetAlerts(ctx context.Context, siteID, address string, wanted bool) (ok bool, err error) {
	if r.ownerKey == nil {
		return false, nil
	}
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		readers, err := r.alertReaders(ctx, tx, siteID)
		if err != nil {
			return err
		}
		ok = false
		for _, reader := range readers {
			ok = ok || strings.EqualFold(reader.Address, address)
		}
		if !ok {
			return nil
		}
		hash := r.addressHash(address)
		return r.wish(ctx, tx, siteID, hash[:], false, wanted)
	})
	if err != nil {
		return false, fmt.Errorf("keep who wishes alerts of site %s: %w", siteID, err) // without the address
	}
	return ok, nil
}

// AlertSite gives the site of which a token ends the alerts; false: none.
func (r *Registry) AlertSite(ctx context.Context, token string) (siteID string, ok bool, err error) {
	end := sha256.Sum256([]byte(token))
	err = r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			ok = true
			return scan(&siteID)
		}, "SELECT site_id FROM alert_readers WHERE end_hash = ?", end[:])
	})
	if err != nil {
		return "", false, fmt.Errorf("look for who ends alerts: %w", err)
	}
	return siteID, ok, nil
}

// EndAlerts is the word of who reads an address that they want no more alerts of
// the site.
func (r *Registry) EndAlerts(ctx context.Context, token string) error {
	end := sha256.Sum256([]byte(token))
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE alert_readers SET wanted = ? WHERE end_hash = ?", false, end[:])
		return err
	})
	if err != nil {
		return fmt.Errorf("end alerts: %w", err)
	}
	return nil
}
