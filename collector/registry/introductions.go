package registry

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"anagrafe/protocol"
)

// A contact that a declaration names, and who is not the person that approved it,
// was named by somebody else. It is told by mail, and is unconfirmed
// until who reads that address accepts. One without an e-mail address cannot be
// asked, and those of an organisation are the organisation's own word: neither is
// shown as unconfirmed.
//
// The mail says what every mail says. Its link alone is the address's own: a token
// that is derived like an owner's code, of which the register keeps the hash. It
// opens nothing any more once its contact has accepted, or is gone.

// tokenBytes is how long a token is: nobody guesses 160 bits.
const tokenBytes = 20

// contactToken is the token of an introduction.
func (r *Registry) contactToken(siteID string, hash []byte, asked int64) string {
	sum := r.ownerMAC("contact", siteID+"\x00"+string(hash)+"\x00"+strconv.FormatInt(asked, 10))
	return base64.RawURLEncoding.EncodeToString(sum[:tokenBytes])
}

// introduce asks those of a declaration's contacts that somebody else than by has
// named. A contact that was asked already is not asked again; reminders are mail too.
func (w *write) introduce(ctx context.Context, contacts []protocol.Contact, by string) error {
	others := make(map[[32]byte]string) // addresses by their hash
	for _, c := range contacts {
		if c.Email != "" {
			others[w.r.addressHash(c.Email)] = c.Email
		}
	}
	for _, c := range contacts { // an address that is also the approver's needs no word
		if c.Email != "" && protocol.SameName(c.Name) == protocol.SameName(by) {
			delete(others, w.r.addressHash(c.Email))
		}
	}
	if err := w.dropIntroductions(ctx, others); err != nil || len(others) == 0 {
		return err
	}
	b, err := w.box(ctx)
	if err != nil {
		return err
	}
	for hash, address := range others {
		link := sha256.Sum256([]byte(w.r.contactToken(w.m.SiteID, hash[:], micros(w.at))))
		done, err := w.tx.ExecContext(ctx, "INSERT INTO introductions (site_id, address_hash, link_hash, asked_at) VALUES (?, ?, ?, ?) ON CONFLICT (site_id, address_hash) DO NOTHING",
			w.m.SiteID, hash[:], link[:], micros(w.at))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			if err != nil {
				return err
			}
			continue
		}
		if err := w.r.queueMailTo(ctx, w.tx, b, w.m.SiteID, ChannelEmail, address, w.at); err != nil {
			return err
		}
	}
	return nil
}

// dropIntroductions forgets those of the site to addresses that are not among
// others.
func (w *write) dropIntroductions(ctx context.Context, others map[[32]byte]string) error {
	if w.first {
		return nil
	}
	var gone [][]byte
	err := each(ctx, w.tx, func(scan func(...any) error) error {
		var hash []byte
		err := scan(&hash)
		if err == nil {
			if len(hash) != 32 || others[[32]byte(hash)] == "" {
				gone = append(gone, hash)
			}
		}
		return err
	}, "SELECT address_hash FROM introductions WHERE site_id = ?", w.m.SiteID)
	if err != nil {
		return err
	}
	for _, hash := range gone {
		if err := w.exec(ctx, "DELETE FROM introductions WHERE site_id = ? AND address_hash = ?", w.m.SiteID, hash); err != nil {
			return err
		}
	}
	return nil
}

// linkToken is the token that mail to an address carries; "" where nothing waits
// to be accepted.
func (r *Registry) linkToken(ctx context.Context, tx *tx, hash []byte) (string, error) {
	var siteID string
	var asked int64
	err := tx.QueryRowContext(ctx, "SELECT site_id, asked_at FROM introductions WHERE address_hash = ? AND accepted_at IS NULL ORDER BY asked_at, site_id LIMIT 1", hash).Scan(&siteID, &asked)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return r.contactToken(siteID, hash, asked), err
}

// Introduction is a site that names a contact which has not accepted yet.
type Introduction struct {
	SiteID   string
	Site     protocol.Site
	Contacts []protocol.Contact // those of the asked address
}

// introduced is by which a token is found, and by which all that waits for the
// same address is.
const introduced = "address_hash = (SELECT t.address_hash FROM introductions t WHERE t.link_hash = ?1 AND t.accepted_at IS NULL) AND accepted_at IS NULL"

// Introductions returns what waits to be accepted by the reader of the address that a
// token was sent to: at every site that names it. None for a token that opens
// nothing, or nothing any more.
func (r *Registry) Introductions(ctx context.Context, token string) (all []Introduction, err error) {
	link := sha256.Sum256([]byte(token))
	err = r.view(ctx, func(tx *tx) error {
		hashes := make(map[string][]byte) // by site
		err := each(ctx, tx, func(scan func(...any) error) error {
			var one Introduction
			var hash []byte
			err := scan(&one.SiteID, &hash)
			hashes[one.SiteID] = hash
			all = append(all, one)
			return err
		}, "SELECT site_id, address_hash FROM introductions WHERE "+introduced+" ORDER BY asked_at, site_id LIMIT ?2", link[:], maxContactSites)
		if err != nil {
			return err
		}
		for i := range all {
			if err := r.readIntroduction(ctx, tx, &all[i], hashes[all[i].SiteID]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what a contact is asked: %w", err)
	}
	return all, nil
}

func (r *Registry) readIntroduction(ctx context.Context, tx *tx, one *Introduction, hash []byte) error {
	var key, body []byte
	if err := tx.QueryRowContext(ctx, "SELECT (SELECT sealed FROM data_keys k WHERE k.owner = s.id), body FROM sites s WHERE id = ?", one.SiteID).Scan(&key, &body); err != nil {
		return err
	}
	var err error
	if one.Site, err = r.vault.openSite(one.SiteID, key, body); err != nil {
		return err
	}
	b, err := r.vault.box(one.SiteID, key)
	if err != nil {
		return err
	}
	contacts, err := site{tx: tx, id: one.SiteID, box: b}.contacts(ctx)
	for _, c := range contacts {
		if have := r.addressHash(c.Email); c.Email != "" && string(have[:]) == string(hash) {
			one.Contacts = append(one.Contacts, c)
		}
	}
	return err
}

// AcceptContact records the consent of the reader of the address that a token was sent to:
// they are the contact of these sites, of those that Introductions gave; one that names
// them since is not among those. false: the token opens nothing.
func (r *Registry) AcceptContact(ctx context.Context, token string, sites []string, at time.Time) (accepted bool, err error) {
	link := sha256.Sum256([]byte(token))
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		accepted = false
		var hash []byte
		err := tx.QueryRowContext(ctx, "SELECT address_hash FROM introductions WHERE link_hash = ? AND accepted_at IS NULL", link[:]).Scan(&hash)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		for _, id := range sites {
			if err == nil {
				_, err = tx.ExecContext(ctx, "UPDATE introductions SET accepted_at = ? WHERE site_id = ? AND address_hash = ? AND accepted_at IS NULL", micros(at), id, hash)
			}
		}
		accepted = err == nil
		return err
	})
	if err != nil {
		return false, fmt.Errorf("accept a contact: %w", err)
	}
	return accepted, nil
}

// unconfirmed reads the hashes of the addresses that have not accepted.
func (s site) unconfirmed(ctx context.Context) (map[[32]byte]bool, error) {
	return s.hashes(ctx, "SELECT address_hash FROM introductions WHERE accepted_at IS NULL AND site_id = ?")
}
