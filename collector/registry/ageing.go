package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/act"
	"anagrafe/protocol"
)

const (
	// ageBatch bounds the sites of one entry on the trail.
	ageBatch = 100
	// askPause is how long an officer's doubt asks for nothing new after a reminder.
	askPause = 7 * 24 * time.Hour
	// unagedPause is for how long what was recorded, and could not be done, is not
	// recorded again.
	unagedPause = 24 * time.Hour
)

// reminderReason is what every reminder says: an owner is not told by it why
// the check was asked for, nor is a bystander.
const reminderReason = "Apri la pagina del sito con il codice del foglio «Conserva questo foglio», guarda se i recapiti sono giusti e rinnova l'adesione. " +
	"— Open the site's page with the code on the sheet, see that the contacts are right, and renew."

// Aged counts what a run of Age did, in sites.
type Aged struct{ Reminded, Unverified, Withdrawn int }

// Age applies the three clocks (ages_rules.go) to every site that has something due
// at now: it queues reminders to the agents and by mail, marks contacts, and
// withdraws sites as their owners would. It may be called at any time and as
// often as one likes; what was done is not done again.
//
// record is called before anything is done, once for a batch of sites to which
// the same is done; an error of it leaves them as they are and ends the run. A
// site that something happens to meanwhile (its owner renews) is left alone all
// the same. One that cannot be aged is logged and does not keep back the others.
func (r *Registry) Age(ctx context.Context, now time.Time, record func(ctx context.Context, kind act.Kind, sites []string) error) (Aged, error) {
	now = exact(now)
	var total Aged
	var after cursor
	for {
		due, err := r.dueSites(ctx, now, after)
		if err == nil {
			err = r.recordAged(ctx, due, now, record)
		}
		if err != nil {
			return total, fmt.Errorf("age the register: %w", err)
		}
		for _, d := range due {
			after = d.cursor
			if err := r.ageSite(ctx, d.siteID, now, &total); err != nil {
				if ctx.Err() != nil {
					return total, ctx.Err()
				}
				r.log.ErrorContext(ctx, "a site could not be aged; the next run tries again", "site", d.siteID, "err", err)
				if !r.isRecorded(d, now) {
					r.unaged.Store(d.siteID, unaged{d.do, now})
				}
				continue
			}
			r.unaged.Delete(d.siteID)
		}
		if len(due) < ageBatch {
			return total, nil
		}
	}
}

// cursor is a place in the order in which sites are due.
type cursor struct {
	due    int64
	siteID string
}

// dueSite is a site that may have something due.
type dueSite struct {
	cursor
	do aged
}

func (r *Registry) dueSites(ctx context.Context, now time.Time, after cursor) (all []dueSite, err error) {
	err = r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			var d dueSite
			a, err := scanAges(func(to ...any) error { return scan(append(to, &d.due, &d.siteID)...) })
			_, d.do = a.step(now)
			all = append(all, d)
			return err
		}, "SELECT "+agesColumns+`, due_at, site_id FROM ageing a JOIN sites s ON s.id = a.site_id
			WHERE due_at <= ?1 AND (due_at > ?2 OR due_at = ?2 AND site_id > ?3) ORDER BY due_at, site_id LIMIT ?4`,
			micros(now), after.due, after.siteID, ageBatch)
	})
	return all, err
}

// unaged is what was recorded of a site, when, and could not be done.
type unaged struct {
	do aged
	at time.Time
}

func (r *Registry) isRecorded(d dueSite, now time.Time) bool {
	v, _ := r.unaged.Load(d.siteID)
	u, ok := v.(unaged)
	return ok && u.do == d.do && now.Before(u.at.Add(unagedPause))
}

// recordAged reports what is about to be done.
func (r *Registry) recordAged(ctx context.Context, due []dueSite, now time.Time, record func(context.Context, act.Kind, []string) error) error {
	var sites [3][]string
	for _, d := range due {
		for i, does := range []bool{d.do.remind, d.do.unverify, d.do.withdraw} {
			if does && !r.isRecorded(d, now) {
				sites[i] = append(sites[i], d.siteID)
			}
		}
	}
	for i, kind := range []act.Kind{act.AgeingReminded, act.AgeingUnverified, act.AgeingWithdrawn} {
		if len(sites[i]) == 0 {
			continue
		}
		if err := record(ctx, kind, sites[i]); err != nil {
			return err
		}
	}
	return nil
}

// ageSite does to one site what is due, and counts it.
func (r *Registry) ageSite(ctx context.Context, siteID string, now time.Time, total *Aged) error {
	var do aged
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		do = aged{}
		a, err := readAges(ctx, tx, siteID)
		if errors.Is(err, ErrUnknownSite) { // withdrawn meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		var next ages
		if next, do = a.step(now); do.withdraw {
			return r.act(ctx, tx, siteID, protocol.SiteWithdrawn, now, authorAgeing)
		}
		if do.remind {
			if err := r.remind(ctx, tx, siteID, now); err != nil {
				return err
			}
		}
		return writeAges(ctx, tx, siteID, next, now)
	})
	if err != nil {
		return err
	}
	for _, c := range []struct {
		done  bool
		count *int
	}{{do.remind, &total.Reminded}, {do.unverify, &total.Unverified}, {do.withdraw, &total.Withdrawn}} {
		if c.done {
			*c.count++
		}
	}
	return nil
}

// remind queues a reminder to the site's agents, in the place of one that
// nobody has seen yet, and mail to its contacts.
func (r *Registry) remind(ctx context.Context, tx *tx, siteID string, now time.Time) error {
	if err := closeReminders(ctx, tx, siteID, now); err != nil {
		return err
	}
	n := protocol.Notice{ID: uuid.NewString(), SiteID: siteID, At: now, Body: protocol.Reminder{Reason: reminderReason}}
	if err := r.queueNotice(ctx, tx, n); err != nil {
		return err
	}
	return r.queueMail(ctx, tx, siteID, now)
}

func closeReminders(ctx context.Context, tx *tx, siteID string, now time.Time) error {
	_, err := tx.ExecContext(ctx, "UPDATE notices SET closed_at = ? WHERE site_id = ? AND kind = 'reminder' AND closed_at IS NULL", micros(now), siteID)
	return err
}

// Renew is a person's yes to another year, with the owner's code: the adhesion
// and the contacts as they stand count as confirmed. ErrUnknownSite when nothing
// is declared of the site.
func (r *Registry) Renew(ctx context.Context, siteID string, at time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		if _, err := readAges(ctx, tx, siteID); err != nil {
			return err
		}
		if err := renew(ctx, tx, siteID, exact(at)); err != nil {
			return err
		}
		return changed(ctx, tx, siteID)
	})
	if err != nil {
		return fmt.Errorf("renew the adhesion of site %s: %w", siteID, err)
	}
	return nil
}

// renew winds the clocks of the adhesion and of the contacts, unless a newer yes
// did; the first one starts them.
func renew(ctx context.Context, tx *tx, siteID string, at time.Time) error {
	a, err := readAges(ctx, tx, siteID)
	if err != nil && !errors.Is(err, ErrUnknownSite) {
		return err
	}
	if err == nil && !at.After(a.renewed) {
		return nil
	}
	if !a.asked.IsZero() || !a.reminded.IsZero() {
		if err := closeReminders(ctx, tx, siteID, at); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM bounces WHERE site_id = ?", siteID); err != nil {
			return err
		}
	}
	return writeAges(ctx, tx, siteID, a.renewal(at), at)
}

// approved renews by the declaration of an agent: from when a person approved
// it, which may be long before it arrives.
func (w *write) approved(ctx context.Context) error {
	d, ok := w.m.Body.(protocol.Declaration)
	if !ok {
		return nil
	}
	at := protocol.Earlier(exact(d.Approval.At), w.at)
	if w.first {
		return writeAges(ctx, w.tx, w.m.SiteID, ages{}.renewal(at), at)
	}
	return renew(ctx, w.tx, w.m.SiteID, at)
}

// DoubtContact asks for a check of a site's contacts, because an officer got no
// answer; two months of silence then mark them. The check does not say why. The
// caller puts it on the trail. ErrUnknownSite when nothing is declared of the
// site.
func (r *Registry) DoubtContact(ctx context.Context, siteID string, at time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		return r.askCheck(ctx, tx, siteID, exact(at))
	})
	if err != nil {
		return fmt.Errorf("ask for a check of the contacts of site %s: %w", siteID, err)
	}
	return nil
}

// askCheck begins a check of the contacts, and reminds of it if no reminder was
// given in the last days.
func (r *Registry) askCheck(ctx context.Context, tx *tx, siteID string, at time.Time) error {
	a, err := readAges(ctx, tx, siteID)
	if err != nil {
		return err
	}
	if a.asked.IsZero() {
		a.asked = at
	}
	if a.reminded.IsZero() || !a.reminded.Add(askPause).After(at) {
		a.reminded = at
		if err := r.remind(ctx, tx, siteID, at); err != nil {
			return err
		}
	}
	return writeAges(ctx, tx, siteID, a, at)
}
