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

// alertWay is how a contact can be told of alerts: by e-mail, else by SMS; "" not at
// all. Certified mail is not for what comes and goes by itself.
func (r *Registry) alertWay(c protocol.Contact) (Channel, string) {
	switch {
	case c.Email != "":
		return ChannelEmail, c.Email
	case r.sms && MobilePhone(c.Phone) != "":
		return ChannelSMS, c.Phone
	}
	return "", ""
}

// alertReader is an address that alerts may go to.
type alertReader struct {
	channel Channel
	hash    [32]byte
}

// wishAlerts takes over the ticks of a declaration's contacts.
func (w *write) wishAlerts(ctx context.Context, contacts []protocol.Contact) error {
	ticks := make(map[alertReader]bool)
	for _, c := range contacts {
		if channel, address := w.r.alertWay(c); channel != "" {
			k := alertReader{channel, w.r.addressHash(address)}
			ticks[k] = ticks[k] || c.Alerts
		}
	}
	have, err := w.alertReaders(ctx)
	if err != nil {
		return err
	}
	for k := range have {
		if _, named := ticks[k]; !named {
			if err := w.exec(ctx, "DELETE FROM alert_readers WHERE site_id = ? AND channel = ? AND address_hash = ?", w.m.SiteID, string(k.channel), k.hash[:]); err != nil {
				return err
			}
		}
	}
	for k, tick := range ticks {
		if !have[k] {
			if tick {
				err = w.r.wish(ctx, w.tx, w.m.SiteID, k, true, true)
			}
		} else {
			err = w.exec(ctx, "UPDATE alert_readers SET declared = ?1, wanted = ?1 WHERE site_id = ?2 AND channel = ?3 AND address_hash = ?4 AND declared <> ?1",
				tick, w.m.SiteID, string(k.channel), k.hash[:])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// alertReaders reads of whom somebody has said anything.
func (w *write) alertReaders(ctx context.Context) (map[alertReader]bool, error) {
	have := make(map[alertReader]bool)
	if w.first {
		return have, nil
	}
	err := each(ctx, w.tx, func(scan func(...any) error) error {
		var k alertReader
		var hash []byte
		err := scan(&k.channel, &hash)
		copy(k.hash[:], hash)
		have[k] = true
		return err
	}, "SELECT channel, address_hash FROM alert_readers WHERE site_id = ?", w.m.SiteID)
	return have, err
}

// wish keeps the last word about an address. declared is the tick in the newest
// declaration, where there is no row yet.
func (r *Registry) wish(ctx context.Context, tx *tx, siteID string, k alertReader, declared, wanted bool) error {
	end := sha256.Sum256([]byte(r.alertToken(siteID, k.hash[:])))
	_, err := tx.ExecContext(ctx, `INSERT INTO alert_readers (site_id, channel, address_hash, declared, wanted, end_hash) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (site_id, channel, address_hash) DO UPDATE SET wanted = excluded.wanted`, siteID, string(k.channel), k.hash[:], declared, wanted, end[:])
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
	wanted, err := s.hashes(ctx, "SELECT address_hash FROM alert_readers WHERE wanted AND site_id = ?")
	if err != nil {
		return nil, err
	}
	seen := make(map[[32]byte]bool)
	for _, c := range contacts {
		channel, address := r.alertWay(c)
		if hash := r.addressHash(address); channel != "" && !seen[hash] {
			all = append(all, AlertReader{channel, address, wanted[hash]})
			seen[hash] = true
		}
	}
	return all, nil
}

// SetAlerts stores the owner's choice whether a contact's address gets alerts. false: no
// contact of the site has it.
func (r *Registry) SetAlerts(ctx context.Context, siteID, address string, wanted bool) (ok bool, err error) {
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		readers, err := r.alertReaders(ctx, tx, siteID)
		if err != nil {
			return err
		}
		ok = false
		for _, reader := range readers {
			if strings.EqualFold(reader.Address, address) {
				ok = true
				return r.wish(ctx, tx, siteID, alertReader{reader.Channel, r.addressHash(address)}, false, wanted)
			}
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("keep who wishes alerts of site %s: %w", siteID, err) // without the address
	}
	return ok, nil
}

// AlertSite returns the site of which a token ends the alerts; false: none.
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

// EndAlerts records that the reader of an address wants no more alerts of
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
