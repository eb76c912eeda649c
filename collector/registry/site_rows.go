package registry

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"anagrafe/protocol"
)

// What operations see of sites, page by page. The name and address are those that
// were typed for the invitation: what the owner declares is not read here, and the
// statements below do not name the columns it lies in. A site that nobody invited
// (an import, the public form) has neither.

// SiteRow is a site in operations' list.
type SiteRow struct {
	ID       string
	State    State
	Name     string // as invited; "": not invited by name, or taken out
	Address  string // as invited
	Category protocol.Category
	Trust    string // how the owner's identity was checked
	Cameras  int    // declared now
	District

	// When it first came so far; zero: not yet.
	InvitedAt, OpenedAt, EnrolledAt, SearchedAt, ConfirmedAt, SharedAt time.Time

	CodeExpires              time.Time // of the newest code that is not used yet; zero: none
	HeardAt                  time.Time // newest message of any kind; zero: none
	SuspendedAt, WithdrawnAt time.Time // zero: it is not
}

// Stage is how far a site ever came, with the time when it first did.
type Stage string

// The stages that leave a time, in their order.
const (
	StageInvited   Stage = "invited"
	StageOpened    Stage = "opened"    // somebody opened the invitation
	StageEnrolled  Stage = "enrolled"  // an agent spoke for it
	StageSearched  Stage = "searched"  // its agent has searched for cameras
	StageConfirmed Stage = "confirmed" // the owner confirmed one, to be declared or declared already
	StageShared    Stage = "shared"    // something was declared
	StageWithdrawn Stage = "withdrawn" // the last time, if nothing was declared since
)

// Stages are all of them.
var Stages = []Stage{StageInvited, StageOpened, StageEnrolled, StageSearched, StageConfirmed, StageShared, StageWithdrawn}

// stageColumn is where the time of a stage stands.
var stageColumn = map[Stage]string{
	StageInvited: "s.invited_at", StageOpened: "s.opened_at", StageEnrolled: "s.enrolled_at",
	StageSearched: "s.searched_at", StageConfirmed: "s.confirmed_at", StageShared: "s.shared_at", StageWithdrawn: "s.withdrawn_at",
}

// SiteFilter selects sites; zero fields match all.
type SiteFilter struct {
	ID       string
	State    State
	Category protocol.Category
	Trust    string
	// Municipio and NIL are names of districts, or NoDistrict.
	Municipio, NIL string
	Stage          Stage // reached, from From until before Until
	From           time.Time
	Until          time.Time
	// SilentSince: shares, and no message of it was recorded since then.
	SilentSince time.Time
}

// SiteOrder is a column that sites are listed by.
type SiteOrder string

// The orders. What has no such time comes last, newest or oldest first.
const (
	SitesByInvitation  SiteOrder = "invited"
	SitesByEnrolment   SiteOrder = "enrolled"
	SitesByDeclaration SiteOrder = "shared"
	SitesByContact     SiteOrder = "heard"
)

var siteOrders = map[SiteOrder]string{
	SitesByInvitation: "s.invited_at", SitesByEnrolment: "s.enrolled_at", SitesByDeclaration: "s.shared_at", SitesByContact: "s.heard_at",
}

// Window is a part of a list.
type Window struct {
	Ascending     bool
	Limit, Offset int

	after *rowPlace // of the last row before it; nil: it is the first part
}

// where puts a condition together, with its arguments by number. The first is the
// moment, as openGrant wants it.
type where struct {
	terms []string
	args  []any
}

// newWhere names the moment, for PostgreSQL wants each argument to be used.
func newWhere(now time.Time) *where {
	return &where{terms: []string{"CAST(?1 AS BIGINT) > 0"}, args: []any{micros(now)}}
}

// and adds a term, in which each "?" stands for the next of args.
func (w *where) and(term string, args ...any) {
	for _, a := range args {
		w.args = append(w.args, a)
		term = strings.Replace(term, "?", "\x00"+strconv.Itoa(len(w.args)), 1)
	}
	w.terms = append(w.terms, strings.ReplaceAll(term, "\x00", "?"))
}

func (w *where) String() string { return " WHERE " + strings.Join(w.terms, " AND ") }

// inState is the condition of a State; see siteState.
var inState = map[State]string{
	Sharing:   "s.declared_at IS NOT NULL AND s.suspended_at IS NULL",
	Suspended: "s.declared_at IS NOT NULL AND s.suspended_at IS NOT NULL",
	Enrolled:  "s.declared_at IS NULL AND s.epoch > 0 AND " + granted,
	Withdrawn: "s.declared_at IS NULL AND s.withdrawn_at IS NOT NULL AND NOT " + granted,
	Invited:   "s.declared_at IS NULL AND s.withdrawn_at IS NULL AND (s.epoch = 0 OR NOT " + granted + ")",
}

// silent is the condition of a site that shares and was not heard of since a moment.
// What shares was heard of: its declaration was.
var silent = inState[Sharing] + " AND s.heard_at < ?"

func (f SiteFilter) where(now time.Time) *where {
	w := newWhere(now)
	if f.ID != "" {
		w.and("s.id = ?", f.ID)
	}
	if f.State != "" {
		w.terms = append(w.terms, inState[f.State])
	}
	if f.Category != "" {
		w.and("s.category = ?", string(f.Category))
	}
	if f.Trust != "" {
		w.and("s.trust = ?", f.Trust)
	}
	if f.Municipio != "" {
		w.inDistrict("s.municipio", f.Municipio)
	}
	if f.NIL != "" {
		w.inDistrict("s.nil", f.NIL)
	}
	if at, ok := stageColumn[f.Stage]; ok {
		w.and(at + " IS NOT NULL")
		if !f.From.IsZero() {
			w.and(at+" >= ?", micros(f.From))
		}
		if !f.Until.IsZero() {
			w.and(at+" < ?", micros(f.Until))
		}
	}
	if !f.SilentSince.IsZero() {
		w.and(silent, micros(f.SilentSince))
	}
	return w
}

// count counts the rows of a table, such as "sites s", that meet all terms.
func (r *Registry) count(ctx context.Context, of string, w *where) (n int, err error) {
	err = r.view(ctx, func(tx *tx) error {
		return tx.QueryRowContext(ctx, "SELECT count(*) FROM "+of+w.String(), w.args...).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", of, err)
	}
	return n, nil
}

// CountSites counts the sites of a filter.
func (r *Registry) CountSites(ctx context.Context, f SiteFilter) (int, error) {
	return r.count(ctx, "sites s", f.where(r.now()))
}

// siteRowColumns do not name sites.body, where what the owner declares is.
var siteRowColumns = "s.id, " + siteState + `, s.category, s.invited, (SELECT sealed FROM data_keys k WHERE k.owner = s.id), s.trust,
	(SELECT count(*) FROM versions v WHERE v.site_id = s.id AND ` + declaredCamera + `),
	s.invited_at, coalesce(s.opened_at, 0), coalesce(s.enrolled_at, 0), coalesce(s.shared_at, 0),
	coalesce((SELECT max(expires_at) FROM codes c WHERE c.site_id = s.id AND c.used_at IS NULL), 0),
	coalesce(s.heard_at, 0), coalesce(s.suspended_at, 0), coalesce(s.withdrawn_at, 0), coalesce(s.searched_at, 0), coalesce(s.confirmed_at, 0),
	s.municipio, s.nil`

// sortKey is by what a site has its place in the order.
func (by SiteOrder) sortKey(s SiteRow) rowPlace {
	at := map[SiteOrder]time.Time{SitesByInvitation: s.InvitedAt, SitesByEnrolment: s.EnrolledAt, SitesByDeclaration: s.SharedAt, SitesByContact: s.HeardAt}
	return rowPlace{at[by], s.ID}
}

// SiteRows calls row for each site of a window of the filtered list.
func (r *Registry) SiteRows(ctx context.Context, f SiteFilter, by SiteOrder, in Window, row func(SiteRow) error) error {
	if _, ok := siteOrders[by]; !ok {
		return fmt.Errorf("sites cannot be listed by %q", by)
	}
	return inParts(ctx, in, func(in Window) ([]SiteRow, error) { return r.siteRows(ctx, f, by, in) }, by.sortKey, row)
}

func (r *Registry) siteRows(ctx context.Context, f SiteFilter, by SiteOrder, in Window) (rows []SiteRow, err error) {
	at := siteOrders[by]
	query, args := in.page("SELECT "+siteRowColumns+" FROM sites s JOIN (SELECT s.id FROM sites s", f.where(r.now()), at, "s.id")
	err = r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			s, err := r.scanSiteRow(scan)
			rows = append(rows, s)
			return err
		}, query+") page ON page.id = s.id ORDER BY "+in.order(at, "s.id"), args...)
	})
	if err != nil {
		return nil, fmt.Errorf("list sites: %w", err)
	}
	return rows, nil
}

// always are the columns that are never NULL.
var always = map[string]bool{"s.invited_at": true, "a.enrolled_at": true, "c.created_at": true}

// order sorts by a time and, among equals, by id. What has no such time is last. Where
// there is none without, an index of PostgreSQL serves only who does not say so.
func (in Window) order(at, id string) string {
	direction, last := "", " NULLS LAST"
	if !in.Ascending {
		direction = " DESC"
	}
	if always[at] {
		last = ""
	}
	return at + direction + last + ", " + id + direction
}

// page ends a statement with a condition and the window's part of its rows: what
// costs something is then read of those rows alone.
func (in Window) page(query string, w *where, at, id string) (string, []any) {
	in.behind(w, at, id)
	args := append(w.args[:len(w.args):len(w.args)], in.Limit, in.Offset)
	n := len(args)
	return query + w.String() + " ORDER BY " + in.order(at, id) + fmt.Sprintf(" LIMIT ?%d OFFSET ?%d", n-1, n), args
}

func (r *Registry) scanSiteRow(scan func(...any) error) (SiteRow, error) {
	var s SiteRow
	var body, key []byte
	var invited, opened, enrolled, shared, code, heard, suspended, withdrawn, searched, confirmed int64
	err := scan(&s.ID, &s.State, &s.Category, &body, &key, &s.Trust, &s.Cameras,
		&invited, &opened, &enrolled, &shared, &code, &heard, &suspended, &withdrawn,
		&searched, &confirmed, &s.Municipio, &s.NIL)
	if err != nil {
		return s, err
	}
	s.InvitedAt, s.OpenedAt, s.EnrolledAt, s.SharedAt = fromMicros(invited), fromMicros(opened), fromMicros(enrolled), fromMicros(shared)
	s.SearchedAt, s.ConfirmedAt = fromMicros(searched), fromMicros(confirmed)
	s.CodeExpires, s.HeardAt, s.SuspendedAt, s.WithdrawnAt = fromMicros(code), fromMicros(heard), fromMicros(suspended), fromMicros(withdrawn)
	as, err := r.vault.openInvited(s.ID, key, body)
	s.Name, s.Address = as.Name, as.Address
	return s, err
}

// openInvited opens the name and address that were typed for a site's invitation.
func (v *vault) openInvited(siteID string, key, body []byte) (protocol.Site, error) {
	if body == nil {
		return protocol.Site{}, nil
	}
	b, err := v.openOnce(siteID, key)
	if err != nil {
		return protocol.Site{}, err
	}
	return openBody[protocol.Site](b, siteInvited, body)
}
