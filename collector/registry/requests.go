package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// ErrUnknownCamera is returned for a camera that no site declares now.
var ErrUnknownCamera = errors.New("no site declares this camera")

// DraftRequest makes one notice for each site of the cameras, with an id and a check code
// of its own. Nothing is queued yet, so that it can be shown and written on the trail
// before anybody is asked. ask is complete but for CheckCode; its cameras may be of many
// sites. The sites come in the order of their first camera.
func (r *Registry) DraftRequest(ctx context.Context, ask protocol.Preserve, at time.Time) ([]Draft, error) {
	cameras := make(map[string][]string)
	var sites []string
	err := r.view(ctx, func(tx *tx) error {
		for _, id := range ask.CameraIDs {
			site, err := siteOf(ctx, tx, id)
			if err != nil {
				return fmt.Errorf("camera %q: %w", id, err)
			}
			if cameras[site] == nil {
				sites = append(sites, site)
			}
			if !slices.Contains(cameras[site], id) {
				cameras[site] = append(cameras[site], id)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ask to preserve: %w", err)
	}
	ask.Start, ask.End = exact(ask.Start), exact(ask.End)
	drafts := make([]Draft, 0, len(sites))
	for _, site := range sites {
		one := ask
		one.CameraIDs, one.CheckCode = cameras[site], protocol.NewCode().String()
		d := Draft{NoticeID: uuid.NewString(), SiteID: site, At: exact(at), Asked: one}
		if err := d.notice().Validate(); err != nil {
			return nil, fmt.Errorf("ask to preserve: %w", err)
		}
		d, err := r.draft(ctx, d, at)
		if err != nil {
			return nil, fmt.Errorf("ask to preserve: %w", err)
		}
		drafts = append(drafts, d)
	}
	return drafts, nil
}

// siteOf finds the site that declares a camera now. Ids are random: two sites
// with the same one have it from each other, and neither is believed.
func siteOf(ctx context.Context, tx *tx, cameraID string) (string, error) {
	var sites []string
	versions := "versions"
	if tx.engine == sqlite { // it has no statistics, and would take the index of all declared cameras
		versions += " INDEXED BY versions_by_camera"
	}
	err := each(ctx, tx, func(scan func(...any) error) error {
		var site string
		err := scan(&site)
		sites = append(sites, site)
		return err
	}, "SELECT site_id FROM "+versions+" WHERE id = ? AND "+declaredCamera, cameraID)
	switch {
	case err != nil:
		return "", err
	case len(sites) == 0:
		return "", ErrUnknownCamera
	case len(sites) > 1:
		return "", fmt.Errorf("%w alone: %d sites do, ask them by phone", ErrUnknownCamera, len(sites))
	}
	return sites[0], nil
}

// Request is one act by which an officer asks the owners of sites to preserve
// what was filmed.
type Request struct {
	ID, CaseID string // UUIDs
	Force, By  string // whose officer, and their user id
	At         time.Time
	TrailIndex int64           // of its entry
	Brief      json.RawMessage // what lists of the case show of it; a request that is read has none
	Sites      []Draft         // as they were sent
}

// Kind is by which rule was asked, of all sites the same.
func (q Request) Kind() protocol.RequestKind {
	if len(q.Sites) == 0 {
		return ""
	}
	return q.Sites[0].Asked.Kind
}

// QueueRequest queues the notices of one act of a force, all or none, with the
// mail that says that there is a message, but to sites that are asked by phone, and
// a record of it in the case. ErrUnknownCase when there is no such case,
// ErrUnknownCamera when a site has withdrawn a camera since the draft: nothing may be
// queued for a withdrawn site.
func (r *Registry) QueueRequest(ctx context.Context, q Request) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		if err := r.addRequest(ctx, tx, q); err != nil {
			return err
		}
		for _, d := range q.Sites {
			if err := stillDeclared(ctx, tx, d); err != nil {
				return err
			}
			if err := r.enqueue(ctx, tx, d.notice(), queued{q.ID, q.Force, d.ByPhone}); err != nil {
				return err
			}
			if d.ByPhone {
				continue
			}
			if err := r.queueMail(ctx, tx, d.SiteID, exact(q.At)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("queue request %s: %w", q.ID, err)
	}
	return nil
}

// stillDeclared checks that the site of a request declares what it asks for.
func stillDeclared(ctx context.Context, tx *tx, d Draft) error {
	for _, id := range d.Asked.CameraIDs {
		site, err := siteOf(ctx, tx, id)
		if err == nil && site != d.SiteID {
			err = ErrUnknownCamera
		}
		if err != nil {
			return fmt.Errorf("camera %q: %w", id, err)
		}
	}
	return nil
}

// NoticeState is how far a notice has come: one of protocol's ReplyStates, or
// one of the two below.
type NoticeState string

const (
	NoticeSent     NoticeState = "sent"      // nobody has it yet
	NoticeNoAnswer NoticeState = "no-answer" // it ended without a person's word
)

// Asked is a notice of a force's request as its officers see it.
type Asked struct {
	Notice    protocol.Notice // Body nil: deleted after its term
	RequestID string
	SiteName  string // "" once withdrawn
	State     NoticeState
	ExpiresAt time.Time
	ClosedAt  time.Time // zero: an answer may still come
	ByPhone   bool      // see Draft
	MailedAt  time.Time // when a server took the newest mail to the site since; zero: none did, or more than a week ago
	Replies   []Reply   // as they were made
}

// Reply is one step of a notice.
type Reply struct {
	AgentID    string // "": the owner, on the site's public page
	State      protocol.ReplyState
	At         time.Time // as its sender says
	RecordedAt time.Time
	By, Note   string // "": the agent by itself, or deleted after its term
}

// Asked lists the newest notices of a force's requests, at most limit.
func (r *Registry) Asked(ctx context.Context, force string, limit int) ([]Asked, error) {
	all, err := r.asked(ctx, "n.force = ?1 ORDER BY n.number DESC LIMIT ?2", force, limit)
	if err != nil {
		return nil, fmt.Errorf("list what %s asked: %w", force, err)
	}
	return all, nil
}

// asked reads the notices that a condition, and what follows it, chooses.
func (r *Registry) asked(ctx context.Context, which string, args ...any) (all []Asked, err error) {
	err = r.view(ctx, func(tx *tx) error {
		place := make(map[string]int)
		err := each(ctx, tx, func(scan func(...any) error) error {
			a, err := r.scanAsked(scan)
			place[a.Notice.ID] = len(all)
			all = append(all, a)
			return err
		}, `SELECT n.id, n.site_id, n.kind, n.at, `+noticeKey+`, n.body, coalesce(n.request_id, ''),
			(SELECT sealed FROM data_keys k WHERE k.owner = s.id), s.body, n.expires_at, coalesce(n.closed_at, 0), n.by_phone,
			coalesce((SELECT max(m.ended_at) FROM mail_queue m WHERE m.owner = n.site_id AND m.kind = 'message' AND m.outcome IN ('sent', 'delivered') AND m.ended_at >= n.at AND NOT n.by_phone), 0)
			FROM notices n JOIN sites s ON s.id = n.site_id WHERE `+which, args...)
		if err != nil {
			return err
		}
		return each(ctx, tx, func(scan func(...any) error) error {
			id, p, err := r.scanReply(scan)
			if i, ok := place[id]; ok {
				all[i].Replies = append(all[i].Replies, p)
			}
			return err
		}, `SELECT r.notice_id, r.agent_id, r.state, r.at, r.recorded_at, (SELECT sealed FROM data_keys k WHERE k.owner = r.notice_id), r.body FROM (
			SELECT notice_id, agent_id, state, at, recorded_at, body FROM notice_replies
			UNION ALL SELECT notice_id, '' AS agent_id, state, at, at AS recorded_at, body FROM owner_replies) r
			WHERE r.notice_id IN (SELECT n.id FROM notices n WHERE `+which+`) ORDER BY r.at, r.recorded_at, r.state`, args...)
	})
	for i := range all {
		all[i].State = stateOf(all[i])
	}
	return all, err
}

func (r *Registry) scanAsked(scan func(...any) error) (a Asked, err error) {
	var kind protocol.NoticeKind
	var at, expires, closed, mailed int64
	var key, body, siteKey, siteBody []byte
	if err := scan(&a.Notice.ID, &a.Notice.SiteID, &kind, &at, &key, &body, &a.RequestID, &siteKey, &siteBody, &expires, &closed, &a.ByPhone, &mailed); err != nil {
		return a, err
	}
	site, err := r.vault.openSite(a.Notice.SiteID, siteKey, siteBody)
	if err != nil {
		return a, err
	}
	a.SiteName = site.Name
	a.Notice.At, a.ExpiresAt, a.ClosedAt = fromMicros(at), fromMicros(expires), fromMicros(closed)
	a.MailedAt = fromMicros(mailed)
	if body != nil {
		a.Notice.Body, err = r.noticeBody(a.Notice.ID, kind, key, body)
	}
	return a, err
}

func (r *Registry) scanReply(scan func(...any) error) (noticeID string, p Reply, err error) {
	var at, recorded int64
	var key, body []byte
	if err := scan(&noticeID, &p.AgentID, &p.State, &at, &recorded, &key, &body); err != nil {
		return "", p, err
	}
	p.At, p.RecordedAt = fromMicros(at), fromMicros(recorded)
	if body == nil {
		return noticeID, p, nil
	}
	place := replyBodyPlace(p.AgentID, string(p.State))
	if p.AgentID == "" {
		place = ownerReplyPlace(string(p.State))
	}
	plain, err := r.unsealNotice(noticeID, place, key, body)
	if err != nil {
		return "", p, err
	}
	said, err := decode[replyBody](string(plain))
	p.By, p.Note = said.By, said.Note
	return noticeID, p, err
}

// stateOf is what a person said last; else the farthest that an agent told; and
// without a person's word there was no answer once it is closed.
func stateOf(a Asked) NoticeState {
	state, rank := NoticeSent, 0
	for _, p := range a.Replies {
		if n := rankOf(p.State); n >= rank {
			state, rank = NoticeState(p.State), n
		}
	}
	if !a.ClosedAt.IsZero() && rank < rankOf(protocol.ReplyPresent) {
		return NoticeNoAnswer
	}
	return state
}

func rankOf(s protocol.ReplyState) int {
	switch s {
	case protocol.ReplyReceived:
		return 1
	case protocol.ReplySeen:
		return 2
	case protocol.ReplyPresent, protocol.ReplyAbsent: // measured, so it is no no-answer; of both the last
		return 3
	}
	return 4 // a person's word; of several the last
}
