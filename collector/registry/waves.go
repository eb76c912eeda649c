package registry

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// Businesses are invited many at once, from a file of the Comune's: a wave. Of each
// no more is kept than its invitation needs, sealed: name, category and address, in
// the place of the site that it may become, and an address of e-mail or PEC until
// the message is queued. Its code and the token of its link are derived, as an owner's
// code is, so that a letter can be printed again; the register keeps their hashes. Who
// did not come in is deleted a while after the code has ended (DropInvitations), and
// who says no at once: of them stays a keyed hash of name and address, by which they
// are not invited again.

// Invitee is a business to be invited.
type Invitee struct {
	Site    protocol.Site
	Channel Channel // ChannelLetter, ChannelEmail or ChannelPEC
	Address string  // of e-mail or PEC; "" for a letter
}

// ChannelLetter is a letter on paper: somebody else brings it.
const ChannelLetter Channel = "letter"

// InviteeState is the outcome of a line of the file.
type InviteeState string

const (
	InviteeNew   InviteeState = "new"   // it is invited now
	InviteeOpen  InviteeState = "open"  // it is invited already, and its code still waits to be used
	InviteeKnown InviteeState = "known" // it was invited: it came in, said no, or its code has ended
	InviteeLater InviteeState = "later" // beyond those that this wave takes
)

// InviteeResult is one of them; of InviteeNew and InviteeOpen with what stands on
// the invitation.
type InviteeResult struct {
	State InviteeState
	InvitationMail
	DueAt time.Time
}

// InvitationMail is what stands on an invitation.
type InvitationMail struct {
	Site      protocol.Site
	Code      protocol.Code
	Token     string // of its link
	Source    string // where the address comes from
	ExpiresAt time.Time
}

// WavePlan is how the invitations of a file are sent.
type WavePlan struct {
	Most   int // new invitations of this wave; 0: all
	PerDay int // 0: all today
	Source string
	At     time.Time
	DryRun bool
	// Record is called once before anything is done, with the wave's number and how
	// many it invites; an error ends it.
	Record func(ctx context.Context, wave, count int) error
}

// inviteAtOnce is how many invitations one write makes: others write in between.
const inviteAtOnce = 200

// PlanWave invites those not invited yet, and returns the outcome of each, in their order.
// wave is 0 if nobody is invited.
func (r *Registry) PlanWave(ctx context.Context, all []Invitee, p WavePlan) (wave int, results []InviteeResult, err error) {
	if wave, results, err = r.planWave(ctx, all, p); err != nil {
		return 0, nil, fmt.Errorf("invite businesses: %w", err)
	}
	return wave, results, nil
}

func (r *Registry) planWave(ctx context.Context, all []Invitee, p WavePlan) (wave int, results []InviteeResult, err error) {
	p.At = exact(p.At)
	results = make([]InviteeResult, len(all))
	var fresh []int
	if err := r.view(ctx, func(tx *tx) error {
		fresh = fresh[:0]
		seen := make(map[[32]byte]bool)
		for i, one := range all {
			key := r.inviteeHash(one.Site)
			known, err := r.invitee(ctx, tx, key[:], p.At)
			switch {
			case err != nil:
				return err
			case known.State == "" && seen[key]:
				known.State = InviteeKnown
			case known.State == "" && p.Most > 0 && len(fresh) >= p.Most:
				known.State = InviteeLater
			case known.State == "":
				known = InviteeResult{State: InviteeNew, InvitationMail: InvitationMail{Site: one.Site, Source: p.Source}, DueAt: p.day(len(fresh))}
				known.ExpiresAt = known.DueAt.Add(CodeLife)
				fresh = append(fresh, i)
				seen[key] = true
			}
			results[i] = known
		}
		return nil
	}); err != nil {
		return 0, nil, err
	}
	if len(fresh) == 0 || p.DryRun {
		return 0, results, nil
	}
	if wave, err = r.beginWave(ctx, p, len(fresh)); err != nil {
		return 0, nil, err
	}
	for from := 0; from < len(fresh); from += inviteAtOnce {
		some := fresh[from:min(from+inviteAtOnce, len(fresh))]
		err := r.update(ctx, func(ctx context.Context, tx *tx) error {
			for _, i := range some {
				if err := r.inviteOne(ctx, tx, wave, all[i], &results[i], p.At); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return 0, nil, fmt.Errorf("%d of %d are invited, by wave %d; run it again: %w", from, len(fresh), wave, err)
		}
	}
	return wave, results, r.SendInvitations(ctx, p.At)
}

// beginWave makes a wave, which nobody is invited by yet, so that its number is its own,
// and records it. One that cannot be recorded is none.
func (r *Registry) beginWave(ctx context.Context, p WavePlan, invites int) (wave int, err error) {
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		return tx.QueryRowContext(ctx, "INSERT INTO waves (number, made_at, per_day, source) SELECT coalesce(max(number), 0) + 1, ?, ?, ? FROM waves RETURNING number",
			micros(p.At), p.PerDay, p.Source).Scan(&wave)
	})
	if err != nil {
		return 0, err
	}
	if err = p.Record(ctx, wave, invites); err == nil {
		return wave, nil
	}
	return 0, errors.Join(err, r.update(context.WithoutCancel(ctx), func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM waves WHERE number = ?", wave)
		return err
	}))
}

// day is when the nth invitation goes out.
func (p WavePlan) day(n int) time.Time {
	if p.PerDay <= 0 {
		return p.At
	}
	return p.At.AddDate(0, 0, n/p.PerDay)
}

// inviteeHash is by what a business is known in a file that is read again: its name
// and address, whatever their case and spaces.
func (r *Registry) inviteeHash(s protocol.Site) [32]byte {
	m := hmac.New(sha256.New, r.vault.lookup)
	m.Write([]byte("anagrafe invitee 1\x00" + protocol.SameName(s.Name) + "\x00" + protocol.SameName(s.Address)))
	return [32]byte(m.Sum(nil))
}

// invitationCode and invitationToken are derived from the site: see waves.go's head.
func (r *Registry) invitationCode(siteID string) protocol.Code {
	sum := r.ownerMAC("invitation code", siteID)
	return protocol.CodeOf([protocol.CodeBytes]byte(sum[:protocol.CodeBytes]))
}

func (r *Registry) invitationToken(siteID string) string {
	sum := r.ownerMAC("invitation link", siteID)
	return base64.RawURLEncoding.EncodeToString(sum[:tokenBytes])
}

// invitee reads what is known of one; State "" where nothing is.
func (r *Registry) invitee(ctx context.Context, tx *tx, key []byte, at time.Time) (res InviteeResult, err error) {
	var site sql.NullString
	var due, wave int64
	err = tx.QueryRowContext(ctx, "SELECT site_id, due_at, wave FROM invitations WHERE key_hash = ?", key).Scan(&site, &due, &wave)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return res, nil
	case err != nil:
		return res, err
	}
	res.State, res.DueAt = InviteeKnown, fromMicros(due)
	if site.Valid {
		var open bool
		if res.InvitationMail, open, err = r.invitation(ctx, tx, site.String, at); open {
			res.State = InviteeOpen
		}
	}
	return res, err
}

// invitation reads what stands on the invitation of a site, and whether its code may
// still be used.
func (r *Registry) invitation(ctx context.Context, tx *tx, siteID string, at time.Time) (m InvitationMail, open bool, err error) {
	m.Code, m.Token = r.invitationCode(siteID), r.invitationToken(siteID)
	hash := m.Code.Hash()
	var key, body []byte
	var expires int64
	var used bool
	err = tx.QueryRowContext(ctx, `SELECT (SELECT sealed FROM data_keys k WHERE k.owner = s.id), s.body, w.source, c.expires_at, c.used_at IS NOT NULL OR s.declared_at IS NOT NULL
		FROM invitations i JOIN waves w ON w.number = i.wave JOIN sites s ON s.id = i.site_id JOIN codes c ON c.site_id = s.id AND c.hash = ?2 WHERE i.site_id = ?1`,
		siteID, hash[:]).Scan(&key, &body, &m.Source, &expires, &used)
	if errors.Is(err, sql.ErrNoRows) { // its code was taken back
		return m, false, nil
	}
	if err != nil {
		return m, false, err
	}
	m.ExpiresAt = fromMicros(expires)
	m.Site, err = r.vault.openSite(siteID, key, body)
	return m, !used && m.ExpiresAt.After(at), err
}

// inviteOne makes the site, the code and the invitation of one.
func (r *Registry) inviteOne(ctx context.Context, tx *tx, wave int, one Invitee, res *InviteeResult, at time.Time) error {
	id := uuid.NewString()
	res.Code, res.Token = r.invitationCode(id), r.invitationToken(id)
	if _, err := tx.ExecContext(ctx, "INSERT INTO sites (id, trust, category, invited_at) VALUES (?, ?, '', ?)", id, TrustInvitation, micros(at)); err != nil {
		return err
	}
	if err := r.nameSite(ctx, tx, id, one.Site); err != nil {
		return err
	}
	code := res.Code.Hash()
	if _, err := tx.ExecContext(ctx, "INSERT INTO codes (hash, site_id, created_at, expires_at) VALUES (?, ?, ?, ?)", code[:], id, micros(at), micros(res.ExpiresAt)); err != nil {
		return err
	}
	var address []byte
	if one.Address != "" {
		b, err := r.vault.boxOf(ctx, tx, id)
		if err != nil {
			return err
		}
		if address, err = b.seal(invitationAddress, []byte(one.Address)); err != nil {
			return err
		}
	}
	key, link := r.inviteeHash(one.Site), sha256.Sum256([]byte(res.Token))
	_, err := tx.ExecContext(ctx, "INSERT INTO invitations (key_hash, wave, site_id, link_hash, channel, due_at, address) VALUES (?, ?, ?, ?, ?, ?, ?)",
		key[:], wave, id, link[:], string(one.Channel), micros(res.DueAt), address)
	return err
}

// SendInvitations queues what is due at now, of waves that go on. It is called
// every hour, and may be as often as one likes.
func (r *Registry) SendInvitations(ctx context.Context, now time.Time) error {
	for {
		var n int
		var due bool
		const waiting = `FROM invitations i JOIN waves w ON w.number = i.wave WHERE i.mail_id IS NULL AND i.sent_at IS NULL AND i.site_id IS NOT NULL
			AND i.due_at <= ? AND w.paused_at IS NULL AND w.cancelled_at IS NULL`
		err := r.view(ctx, func(tx *tx) error {
			return tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 "+waiting+")", micros(now)).Scan(&due)
		})
		if err == nil && due {
			err = r.update(ctx, func(ctx context.Context, tx *tx) (err error) {
				n, err = r.sendSome(ctx, tx, "SELECT i.site_id, i.channel, i.due_at, i.address "+waiting+" ORDER BY i.due_at, i.site_id LIMIT "+strconv.Itoa(inviteAtOnce), exact(now))
				return err
			})
		}
		if err != nil {
			return fmt.Errorf("send invitations: %w", err)
		}
		if n < inviteAtOnce {
			return nil
		}
	}
}

func (r *Registry) sendSome(ctx context.Context, tx *tx, query string, now time.Time) (int, error) {
	type one struct {
		site    string
		channel Channel
		due     int64
		address []byte
	}
	var all []one
	err := each(ctx, tx, func(scan func(...any) error) error {
		var i one
		err := scan(&i.site, &i.channel, &i.due, &i.address)
		all = append(all, i)
		return err
	}, query, micros(now))
	if err != nil {
		return 0, err
	}
	for _, i := range all {
		if i.channel == ChannelLetter {
			_, err = tx.ExecContext(ctx, "UPDATE invitations SET sent_at = due_at WHERE site_id = ?", i.site)
		} else {
			err = r.queueInvitation(ctx, tx, i.site, i.channel, i.address, now)
		}
		if err != nil {
			return 0, err
		}
	}
	return len(all), nil
}

func (r *Registry) queueInvitation(ctx context.Context, tx *tx, siteID string, channel Channel, sealed []byte, now time.Time) error {
	b, err := r.vault.boxOf(ctx, tx, siteID)
	if err == nil && b == nil {
		err = errDestroyed
	}
	if err != nil {
		return err
	}
	address, err := b.open(invitationAddress, sealed)
	if err != nil {
		return err
	}
	id, err := r.queueOne(ctx, tx, b, outgoing{owner: siteID, channel: channel, kind: mailInvitation, address: string(address), at: now})
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE invitations SET mail_id = ?, address = NULL WHERE site_id = ?", id, siteID)
	return err
}
