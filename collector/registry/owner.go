package registry

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// ownerCode is the code of a site's owner. It is derived, so that every receipt
// can carry it and the register need not keep it. A withdrawal raises the
// generation: an adhesion after it, perhaps of another owner, gets another code.
func (r *Registry) ownerCode(siteID string, generation int64) protocol.Code {
	sum := r.ownerMAC("code", siteID+"\x00"+strconv.FormatInt(generation, 10))
	return protocol.CodeOf([protocol.CodeBytes]byte(sum[:protocol.CodeBytes]))
}

// ownerHash is by what a code is looked up. It is keyed: 60 bits could be tried
// one by one in a copy of the database.
func (r *Registry) ownerHash(code protocol.Code) [32]byte {
	return r.ownerMAC("look-up", code.String())
}

func (r *Registry) ownerMAC(purpose, of string) [32]byte {
	m := hmac.New(sha256.New, r.ownerKey)
	m.Write([]byte("anagrafe owner " + purpose + "\x00" + of))
	return [32]byte(m.Sum(nil))
}

// ownerCode returns the code that the receipt carries, and keeps its hash. There is
// none for a site of which nothing is declared, nor for an agent that speaks for
// it no more: it may still ask for the receipt of an old message, and the entry
// may be somebody else's since.
func (w *write) ownerCode(ctx context.Context) (protocol.Code, error) {
	var generation int64
	var kept bool
	err := w.tx.QueryRowContext(ctx, `SELECT owner_generation, owner_hash IS NOT NULL FROM sites s WHERE id = ?1 AND declared_at IS NOT NULL
		AND EXISTS (SELECT 1 FROM grants g WHERE g.site_id = s.id AND g.agent_id = ?2 AND `+notEnded("?3")+`)`, w.m.SiteID, w.agentID, micros(w.at)).
		Scan(&generation, &kept)
	if errors.Is(err, sql.ErrNoRows) {
		return protocol.Code{}, nil
	}
	if err != nil {
		return protocol.Code{}, err
	}
	code := w.r.ownerCode(w.m.SiteID, generation)
	if kept {
		return code, nil
	}
	hash := w.r.ownerHash(code)
	return code, w.exec(ctx, "UPDATE sites SET owner_hash = ? WHERE id = ?", hash[:], w.m.SiteID)
}

// OwnedSite returns the site that a code is the owner's of.
func (r *Registry) OwnedSite(ctx context.Context, code protocol.Code) (siteID string, ok bool, err error) {
	hash := r.ownerHash(code)
	err = r.read.QueryRowContext(ctx, "SELECT id FROM sites WHERE owner_hash = ?", hash[:]).Scan(&siteID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("look for an owner's code: %w", err)
	}
	return siteID, true, nil
}

// ownerAct is an act of the owner on the whole site.
type ownerAct struct {
	Act protocol.SiteState
	At  time.Time
}

// OwnSite is all that the register holds of a site, for its owner.
type OwnSite struct {
	SiteSummary
	Since     time.Time // the first declaration that stands in its history, as its sender dates it
	Declared  []protocol.Camera
	Contacts  []Contact
	Inherited bool // the contacts are its organisation's
	Adhesion  adhesion
	Acts      []ownerAct // the oldest first
}

// Own reads a site for its owner. ErrUnknownSite when nothing is declared of it.
func (r *Registry) Own(ctx context.Context, siteID string) (OwnSite, error) {
	var o OwnSite
	err := r.view(ctx, func(tx *tx) (err error) {
		o, err = r.own(ctx, tx, siteID, r.now())
		return err
	})
	if err != nil {
		return OwnSite{}, fmt.Errorf("read site %s for its owner: %w", siteID, err)
	}
	return o, nil
}

func (r *Registry) own(ctx context.Context, tx *tx, siteID string, now time.Time) (o OwnSite, err error) {
	o.SiteSummary, err = r.scanSite(tx.QueryRowContext(ctx, "SELECT "+siteColumns+" FROM sites s WHERE s.id = ?2 AND s.declared_at IS NOT NULL", micros(now), siteID).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return OwnSite{}, ErrUnknownSite
	}
	if err != nil {
		return OwnSite{}, err
	}
	var since int64
	if err := tx.QueryRowContext(ctx, "SELECT coalesce(min(valid_from), 0) FROM versions WHERE site_id = ? AND kind = 'site'", siteID).Scan(&since); err != nil {
		return OwnSite{}, err
	}
	o.Since = fromMicros(since)
	b, err := r.vault.boxOf(ctx, tx, siteID)
	if err != nil {
		return OwnSite{}, err
	}
	if o.Contacts, o.Inherited, err = (site{tx: tx, id: siteID, box: b}).checked(ctx, r, now); err != nil {
		return OwnSite{}, err
	}
	ages, err := readAges(ctx, tx, siteID)
	if err != nil {
		return OwnSite{}, err
	}
	o.Adhesion = ages.adhesion()
	err = each(ctx, tx, func(scan func(...any) error) error {
		k := thing{kind: kindCamera}
		var version int64
		var sealed []byte
		if err := scan(&k.id, &version, &sealed); err != nil {
			return err
		}
		c, err := openBody[protocol.Camera](b, versionBody(k, version), sealed)
		o.Declared = append(o.Declared, c)
		return err
	}, "SELECT id, version, body FROM versions WHERE site_id = ? AND "+declaredCamera+" ORDER BY id", siteID)
	if err != nil {
		return OwnSite{}, err
	}
	o.Acts, err = ownerActs(ctx, tx, siteID)
	return o, err
}

func ownerActs(ctx context.Context, tx *tx, siteID string) (acts []ownerAct, err error) {
	err = each(ctx, tx, func(scan func(...any) error) error {
		var a ownerAct
		var at int64
		err := scan(&a.Act, &at)
		a.At = fromMicros(at)
		acts = append(acts, a)
		return err
	}, "SELECT reason, at FROM acts WHERE site_id = ? AND author = 'owner' AND reason IN ('suspended', 'resumed', 'withdrawn') ORDER BY number", siteID)
	return acts, err
}

// Act does what the owner of a site decides with their code: SiteSuspended hides
// it from search until SiteResumed, SiteWithdrawn erases it like a withdrawal later than
// every message, so that only a new enrolment code brings it back. The site's agents get a
// notice. Repeating the present state is no new act. ErrUnknownSite when nothing is declared of the site.
func (r *Registry) Act(ctx context.Context, siteID string, act protocol.SiteState, at time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		return r.act(ctx, tx, siteID, act, exact(at), authorOwner)
	})
	if err != nil {
		return fmt.Errorf("%s, by the owner, for site %s: %w", act, siteID, err)
	}
	return nil
}

// act is Act in a transaction, by its owner or, without anybody, by age.
func (r *Registry) act(ctx context.Context, tx *tx, siteID string, act protocol.SiteState, at time.Time, by author) error {
	w := write{r: r, tx: tx, m: protocol.Message{SiteID: siteID, MadeAt: at}, at: at, origin: Origin{Author: by, Reason: reason(act)}}
	err := tx.QueryRowContext(ctx, "SELECT epoch FROM sites WHERE id = ? AND declared_at IS NOT NULL", siteID).Scan(&w.m.Epoch)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrUnknownSite
	case err != nil:
		return err
	}
	switch act {
	case protocol.SiteSuspended, protocol.SiteResumed:
		if done, err := w.hide(ctx, hiding{state: act, decided: at}); err != nil || !done {
			return err
		}
	case protocol.SiteWithdrawn:
		if err := w.exec(ctx, "UPDATE grants SET until_at = ?1 WHERE site_id = ?2 AND "+notEnded("?1"), micros(at), siteID); err != nil {
			return err
		}
		if err := w.takeOut(ctx); err != nil {
			return err
		}
		if _, err := w.act(ctx); err != nil {
			return err
		}
	default:
		return fmt.Errorf("an owner cannot have a site %q", act)
	}
	if err := errors.Join(w.finish(ctx), changed(ctx, tx, siteID)); err != nil {
		return err
	}
	return r.queueNotice(ctx, tx, protocol.Notice{ID: uuid.NewString(), SiteID: siteID, At: at, Body: protocol.SiteChange{State: act, At: at}})
}
