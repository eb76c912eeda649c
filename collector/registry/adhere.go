package registry

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// What is typed on a form is recorded as what an agent declares is, by one agent that
// is no computer, with source declared: history, search, ageing and the owner's acts
// know no difference. An agent that is enrolled for the site takes the entry over: its
// first declaration takes the form's place, and no form changes the site then.

// What keeps a submission from being recorded.
var (
	// ErrUnconfirmed: nobody knows who adheres.
	ErrUnconfirmed = errors.New("the identity of who adheres is not confirmed")
	// ErrInvitation: the invitation code is no good (any more): it was used, has
	// expired, or is of a site that somebody declares already.
	ErrInvitation = errors.New("the invitation is not good any more")
	// ErrTakenOver: an agent, or another owner, declares the site.
	ErrTakenOver = errors.New("the site is declared by an agent or another owner")
)

// HandReceipt is the receipt of an adhesion by form.
type HandReceipt struct {
	protocol.Receipt        // of the newest declaration, with its owner's code; not signed
	Number           string // by which it is called: the message's id
	By, Notice       string // who adhered, and which information notice they had read
	Trust            string
	Cameras          int
	Enrol            protocol.Code // enrols an agent for the site; the zero code: used, or expired
	EnrolUntil       time.Time
	RenewBy          time.Time
}

// Adhere records a submission, whose identity is confirmed, as what its owner
// declares, and drops it. notice is the version of the information notice that they
// say to have read. ErrUnknownSubmission, ErrUnconfirmed, ErrInvitation, ErrTakenOver,
// or protocol.FieldErrors.
func (r *Registry) Adhere(ctx context.Context, id, notice string, at time.Time) (siteID string, err error) {
	at = exact(at)
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		s, _, err := r.submission(ctx, tx, id)
		if err != nil {
			return err
		}
		if s.Identity == nil {
			return ErrUnconfirmed
		}
		if s.Assisted != nil {
			if err := closeAssisted(ctx, tx, id, AssistedConfirmed, at); err != nil {
				return err
			}
		}
		h := &handmade{r: r, tx: tx, s: s, at: at}
		if siteID, err = h.record(ctx, notice); err != nil {
			return err
		}
		return r.dropSubmission(ctx, tx, id)
	})
	if err != nil {
		return "", fmt.Errorf("record submission %s: %w", id, err)
	}
	return siteID, nil
}

// handmade is one submission on its way into the record.
type handmade struct {
	r     *Registry
	tx    *tx
	s     Submission
	at    time.Time
	agent string // the form
	entry
}

func (h *handmade) record(ctx context.Context, notice string) (siteID string, err error) {
	if h.agent, err = h.r.formAgent(ctx, h.tx, h.at); err != nil {
		return "", err
	}
	switch {
	case h.s.Changes:
		err = h.change(ctx)
	case h.s.Identity.Trust == protocol.TrustInvitation:
		err = h.invited(ctx)
	default:
		err = h.begin(ctx)
	}
	if err != nil {
		return "", err
	}
	m := h.next(h.at, h.declaration(notice))
	raw, err := protocol.Encode(m)
	if err != nil {
		return "", err
	}
	w := write{r: h.r, tx: h.tx, agentID: h.agent, m: m, raw: raw, at: h.at, sum: sha256.Sum256(raw), origin: originOf(m.Body)}
	if _, err := w.record(ctx); err != nil || h.s.Changes {
		return m.SiteID, err
	}
	code := h.r.formCode(m.ID).Hash()
	_, err = h.tx.ExecContext(ctx, "INSERT INTO codes (hash, site_id, created_at, expires_at) VALUES (?, ?, ?, ?)", code[:], m.SiteID, micros(h.at), micros(h.at.Add(CodeLife)))
	return m.SiteID, err
}

// formCode is the code that enrols an agent, which the receipt of a message carries.
// It is derived, so that the receipt can be shown again.
func (r *Registry) formCode(messageID string) protocol.Code {
	sum := r.ownerMAC("enrolment", messageID)
	return protocol.CodeOf([protocol.CodeBytes]byte(sum[:protocol.CodeBytes]))
}

// formAgent is the agent that the form is; it is made for its first declaration.
func (r *Registry) formAgent(ctx context.Context, tx *tx, at time.Time) (id string, err error) {
	err = tx.QueryRowContext(ctx, "SELECT id FROM agents WHERE by_hand").Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	id = uuid.NewString()
	nobody := sha256.Sum256([]byte("anagrafe form\x00" + id)) // not the hash of a key
	_, err = tx.ExecContext(ctx, "INSERT INTO agents (id, key_hash, version, enrolled_at, by_hand) VALUES (?, ?, 'form', ?, ?)", id, nobody[:], micros(at), true)
	return id, err
}

// begin makes a site. Who dictated it was invited by what was sent, and has opened that.
func (h *handmade) begin(ctx context.Context) error {
	h.siteID, h.epoch = uuid.NewString(), 1
	invited, opened := h.at, h.at // nobody came so far without opening the form
	if h.s.Assisted != nil {
		invited, opened = h.s.Assisted.SentAt, h.s.Assisted.OpenedAt
	}
	if _, err := h.tx.ExecContext(ctx, "INSERT INTO sites (id, trust, category, invited_at, opened_at, epoch) VALUES (?, ?, '', ?, ?, 1)",
		h.siteID, string(h.s.Identity.Trust), micros(invited), nullMicros(opened)); err != nil {
		return err
	}
	if err := h.r.nameSite(ctx, h.tx, h.siteID, h.s.Site); err != nil {
		return err
	}
	_, err := h.tx.ExecContext(ctx, "INSERT INTO grants (site_id, epoch, agent_id, from_at) VALUES (?, 1, ?, ?)", h.siteID, h.agent, micros(h.at))
	return err
}

// invited uses the invitation's code up.
func (h *handmade) invited(ctx context.Context) error {
	if len(h.s.Invitation) != sha256.Size {
		return ErrInvitation
	}
	hash := [sha256.Size]byte(h.s.Invitation)
	site, ok, err := invitation(ctx, h.tx, hash, h.at)
	if err != nil {
		return err
	}
	if !ok || site != h.s.SiteID {
		return ErrInvitation
	}
	g, err := h.r.newGrant(ctx, h.tx, site, h.agent, ingest.Redemption{CodeHash: hash, At: h.at})
	h.siteID, h.epoch = site, g.Epoch
	return err
}

// change finds the entry that the owner changes.
func (h *handmade) change(ctx context.Context) error {
	e, err := h.r.typedEntry(ctx, h.tx, h.s.SiteID)
	h.entry = e
	return err
}

// typedEntry reads what the form declares of a site now. ErrTakenOver where it does
// not, or another owner has the site since.
func (r *Registry) typedEntry(ctx context.Context, tx *tx, siteID string) (e entry, err error) {
	e.siteID = siteID
	var sealed []byte
	var agent string
	err = tx.QueryRowContext(ctx, `SELECT g.agent_id, g.epoch, p.revision, p.declaration FROM grants g JOIN agents a ON a.id = g.agent_id AND a.by_hand
		JOIN parts p ON p.site_id = g.site_id AND p.agent_id = g.agent_id
		WHERE g.site_id = ? AND g.until_at IS NULL ORDER BY g.epoch DESC LIMIT 1`, siteID).Scan(&agent, &e.epoch, &e.revision, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return e, ErrTakenOver
	}
	if err != nil {
		return e, err
	}
	b, err := r.vault.boxOf(ctx, tx, siteID)
	if err != nil {
		return e, err
	}
	if e.part, err = b.open(partBody(agent), sealed); err != nil {
		return e, err
	}
	e.declared, err = decodeDeclaration(e.part)
	return e, err
}

// declaration is what was typed, with what has not changed as old as it is.
func (h *handmade) declaration(notice string) protocol.Declaration {
	m := collation{before: h.declared, at: h.at, by: h.s.By(), taken: make(map[string]bool)}
	for _, c := range h.s.Cameras {
		if !c.Camera.Position.Placed() {
			c.Camera.Position = h.s.Place
		}
		c.Camera.OutdoorPublic.Yes = true // nothing else is taken into a submission
		m.add(c.Camera.ID, ImportedCamera{Recorder: c.Recorder, Camera: c.Camera})
	}
	return protocol.Declaration{Site: h.s.Site, Contacts: h.s.Contacts, Recorders: m.recorders, Cameras: m.inOrder(),
		Approval: protocol.Approval{By: h.s.By(), Role: protocol.RoleOwner, At: h.at, NoticeVersion: notice}}
}

// Invitation reports what a code invites to: a site for which no agent was enrolled and
// of which nothing is declared, or which another owner has since. The caller has opened
// the invitation.
func (r *Registry) Invitation(ctx context.Context, code protocol.Code, now time.Time) (siteID string, as protocol.Site, ok bool, err error) {
	opened := false
	err = r.view(ctx, func(tx *tx) error {
		if siteID, ok, err = invitation(ctx, tx, code.Hash(), now); err != nil || !ok {
			return err
		}
		var key, body []byte
		if err := tx.QueryRowContext(ctx, "SELECT (SELECT sealed FROM data_keys k WHERE k.owner = s.id), body, opened_at IS NOT NULL FROM sites s WHERE id = ?", siteID).Scan(&key, &body,
			&opened); err != nil {
			return err
		}
		as, err = r.vault.openSite(siteID, key, body)
		return err
	})
	if err == nil && ok && !opened {
		err = r.update(ctx, func(ctx context.Context, tx *tx) error { return noteOpened(ctx, tx, siteID, now) })
	}
	if err != nil {
		return "", protocol.Site{}, false, fmt.Errorf("look for an invitation: %w", err)
	}
	return siteID, as, ok, nil
}

func invitation(ctx context.Context, tx *tx, hash [32]byte, now time.Time) (siteID string, ok bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT c.site_id FROM codes c JOIN sites s ON s.id = c.site_id
		WHERE c.hash = ? AND c.used_at IS NULL AND c.expires_at > ? AND (s.declared_at IS NULL OR s.owner_changed_at IS NOT NULL)
		AND NOT EXISTS (SELECT 1 FROM grants g JOIN agents a ON a.id = g.agent_id WHERE g.site_id = s.id AND g.until_at IS NULL AND a.revoked_at IS NULL AND `+computer+")", hash[:],
		micros(now)).Scan(&siteID)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return siteID, err == nil, err
}

// HandReceipt returns the receipt of the newest declaration that was typed for a site.
// ErrTakenOver where none stands.
func (r *Registry) HandReceipt(ctx context.Context, siteID string, now time.Time) (h HandReceipt, err error) {
	err = r.view(ctx, func(tx *tx) error {
		e, err := r.typedEntry(ctx, tx, siteID)
		if err != nil {
			return err
		}
		h.Cameras, h.By, h.Notice, h.SiteID = len(e.declared.Cameras), e.declared.Approval.By, e.declared.Approval.NoticeVersion, siteID
		var recorded, generation int64
		var sum []byte
		err = tx.QueryRowContext(ctx, `SELECT m.id, m.sha256, m.recorded_at, s.owner_generation, s.trust FROM messages m JOIN sites s ON s.id = m.site_id
			JOIN agents a ON a.id = m.agent_id AND a.by_hand WHERE m.site_id = ? AND m.epoch = ? AND m.revision = ?`, siteID, e.epoch, e.revision).
			Scan(&h.MessageID, &sum, &recorded, &generation, &h.Trust)
		if err != nil {
			return err
		}
		h.Number, h.SHA256, h.RecordedAt = h.MessageID, [32]byte(sum), fromMicros(recorded)
		h.OwnerCode = r.ownerCode(siteID, generation)
		ages, err := readAges(ctx, tx, siteID)
		if err != nil {
			return err
		}
		h.RenewBy = ages.adhesion().RenewBy
		code := r.formCode(h.MessageID)
		hash := code.Hash()
		var until int64
		err = tx.QueryRowContext(ctx, "SELECT expires_at FROM codes WHERE hash = ? AND used_at IS NULL AND expires_at > ?", hash[:], micros(now)).Scan(&until)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		h.Enrol, h.EnrolUntil = code, fromMicros(until)
		return err
	})
	if err != nil {
		return HandReceipt{}, fmt.Errorf("read the receipt of site %s: %w", siteID, err)
	}
	return h, nil
}

// SubmissionFrom returns what the form declared of a site, for its owner to change.
// ErrTakenOver where the form declares nothing of it.
func (r *Registry) SubmissionFrom(ctx context.Context, siteID string, now time.Time) (s Submission, err error) {
	err = r.view(ctx, func(tx *tx) error {
		e, err := r.typedEntry(ctx, tx, siteID)
		if err != nil {
			return err
		}
		var trust string
		if err := tx.QueryRowContext(ctx, "SELECT trust FROM sites WHERE id = ?", siteID).Scan(&trust); err != nil {
			return err
		}
		var address string
		if (trust == string(protocol.TrustEmail) || trust == string(protocol.TrustDictatedEmail)) && len(e.declared.Contacts) > 0 { // another one has to answer first
			address = e.declared.Contacts[0].Email
		}
		s = Submission{SiteID: siteID, Changes: true, Called: true, Site: e.declared.Site, Contacts: e.declared.Contacts,
			Identity: &Identity{Trust: protocol.Trust(trust), Address: address, At: exact(now)}}
		recorders := make(map[string]protocol.Recorder)
		for _, rec := range e.declared.Recorders {
			recorders[rec.ID] = rec
		}
		for i, c := range e.declared.Cameras {
			if i == 0 {
				s.Place = c.Position
			}
			if c.Position.Point == s.Place.Point {
				c.Position = protocol.Position{} // where the site is
			}
			s.Cameras = append(s.Cameras, SubmittedCamera{Recorder: recorders[c.RecorderID], Camera: c})
		}
		return nil
	})
	if err != nil {
		return Submission{}, fmt.Errorf("read site %s for its form: %w", siteID, err)
	}
	return s, nil
}

// ByHand reports whether what stands of a site was typed on the form, so that its owner
// may change it there.
func (r *Registry) ByHand(ctx context.Context, siteID string) (is bool, err error) {
	err = r.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM grants g JOIN agents a ON a.id = g.agent_id AND a.by_hand
		JOIN parts p ON p.site_id = g.site_id AND p.agent_id = g.agent_id WHERE g.site_id = ? AND g.until_at IS NULL)`, siteID).Scan(&is)
	if err != nil {
		return false, fmt.Errorf("look how site %s was declared: %w", siteID, err)
	}
	return is, nil
}
