package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// Letters are what operations write to owners. They are queued as any notice, and
// shown on the owner's page; e-mail says no more than of any other message. Who wrote
// one cannot read it again: what it says is sealed with the key of consultation, and
// nothing gives it to operations.

// Letter is one that was written. Text is empty for operations.
type Letter struct {
	At       time.Time
	Received bool // by an agent
	Seen     bool // by a person, at the agent
	Text     string
}

// Lines are those of its text that say something.
func (l Letter) Lines() []string {
	return slices.DeleteFunc(strings.Split(l.Text, "\n"), func(s string) bool { return strings.TrimSpace(s) == "" })
}

// WriteTo queues a letter to each of some sites that are not withdrawn, and gives to
// how many.
func (r *Registry) WriteTo(ctx context.Context, sites []string, text string, at time.Time) (n int, err error) {
	for _, id := range sites {
		err := r.update(ctx, func(ctx context.Context, tx *tx) error { return r.writeTo(ctx, tx, id, text, exact(at)) })
		if errors.Is(err, ErrUnknownSite) {
			continue // it left meanwhile
		}
		if err != nil {
			return n, fmt.Errorf("write to site %s: %w", id, err)
		}
		n++
	}
	return n, nil
}

func (r *Registry) writeTo(ctx context.Context, tx *tx, siteID, text string, at time.Time) error {
	var there bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM sites s WHERE id = ?2 AND NOT ("+inState[Withdrawn]+"))", micros(at), siteID).Scan(&there); err != nil {
		return err
	}
	if !there {
		return ErrUnknownSite
	}
	n := protocol.Notice{ID: uuid.NewString(), SiteID: siteID, At: at, Body: protocol.Letter{Text: text}}
	if err := r.queueNotice(ctx, tx, n); err != nil {
		return err
	}
	return r.queueMail(ctx, tx, siteID, at)
}

// Letters are those to a site, the newest first, as its owner reads them.
func (r *Registry) Letters(ctx context.Context, siteID string) (all []Letter, err error) {
	err = r.view(ctx, func(tx *tx) error {
		all, err = r.letters(ctx, tx, siteID, true)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the letters to site %s: %w", siteID, err)
	}
	return all, nil
}

// shownLetters is how many of them are shown.
const shownLetters = 20

func (r *Registry) letters(ctx context.Context, tx *tx, siteID string, open bool) (all []Letter, err error) {
	err = each(ctx, tx, func(scan func(...any) error) error {
		var l Letter
		var id string
		var at int64
		var key, sealed []byte
		if err := scan(&id, &at, &key, &sealed, &l.Received, &l.Seen); err != nil {
			return err
		}
		l.At = fromMicros(at)
		if open && sealed != nil {
			body, err := r.noticeBody(id, protocol.NoticeLetter, key, sealed)
			if err != nil {
				return err
			}
			l.Text = body.(protocol.Letter).Text
		}
		all = append(all, l)
		return nil
	}, "SELECT n.id, n.at, "+noticeKey+`, n.body, EXISTS (SELECT 1 FROM notice_replies p WHERE p.notice_id = n.id),
		EXISTS (SELECT 1 FROM notice_replies p WHERE p.notice_id = n.id AND p.state = 'seen')
		FROM notices n WHERE n.site_id = ?1 AND n.kind = 'letter' AND (n.body IS NOT NULL OR NOT ?2) ORDER BY n.number DESC LIMIT `+strconv.Itoa(shownLetters), siteID, open)
	return all, err
}

// OldVersions are those of the agents' versions that old tells to be.
func (r *Registry) OldVersions(ctx context.Context, old func(version string) bool) (all []string, err error) {
	counts, err := r.AgentVersions(ctx)
	if err != nil {
		return nil, err
	}
	for v := range counts {
		if strings.TrimSpace(v) != "" && old(v) {
			all = append(all, v)
		}
	}
	return all, nil
}
