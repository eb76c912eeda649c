package registry

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"anagrafe/protocol"
)

// TrustInvitation is the trust of an owner who was given a code by the Comune.
const TrustInvitation = "invitation"

// ErrUnknownSite is returned for a site id that is not in the register.
var ErrUnknownSite = errors.New("site not known")

// CodeLife is how long an enrolment code waits to be used.
const CodeLife = 14 * 24 * time.Hour

// Invitation is a code to be given to an owner.
type Invitation struct {
	Site      protocol.Site
	NewID     string // UUID for a new site; "" has one made
	SiteID    string // "" makes a new site; else a further code for that one, e.g. for new hardware or after a withdrawal
	CodeHash  [32]byte
	ExpiresAt time.Time
	At        time.Time
}

// State is how far a site has come.
type State string

const (
	Invited   State = "invited"   // no agent has used a code yet
	Enrolled  State = "enrolled"  // an agent has a grant, nothing is declared
	Sharing   State = "sharing"   // declared
	Suspended State = "suspended" // declared, and hidden from search by its owner
	Withdrawn State = "withdrawn" // taken out by its owner
)

// SiteSummary is a site as operations see it.
type SiteSummary struct {
	ID          string
	State       State
	Name        string // "" once withdrawn
	Category    protocol.Category
	Address     string
	Trust       string
	Cameras     int // declared now
	InvitedAt   time.Time
	CodeExpires time.Time // of the newest code that is not used yet; zero: none
	AgentID     string    // of the newest grant that is open; "" none
	DeclaredAt  time.Time // newest declaration, as its sender dates it
	HeardAt     time.Time // newest message of any kind, when it was recorded
	SuspendedAt time.Time // zero: not suspended
	// SuspendedUntil is when that ends by itself; zero: it does not.
	SuspendedUntil time.Time
	WithdrawnAt    time.Time // zero while the site is in the register
}

// Counts are the totals that operations see first.
type Counts struct {
	Invited, Enrolled, Sharing, Suspended, Withdrawn int // sites
	Cameras                                          int // declared now
	Agents, Revoked                                  int
}

// notEnded is the condition of a grant that has not ended at a moment: that of a
// visit ends by itself. See ended.
func notEnded(at string) string {
	return "(until_at IS NULL OR until_at > " + at + " AND until_at = from_at + " + strconv.FormatInt(visitLength.Microseconds(), 10) + ")"
}

// ended tells the same of a grant that is read. Only the end of a visit may lie
// ahead, a visit's length after its beginning. Any other is when an act ended the
// grant, and holds whatever the clock says: ours may have been ahead then, and set
// right since.
func ended(from, until, at int64) bool {
	return until != 0 && (until <= at || until != from+visitLength.Microseconds())
}

// computer is the condition of an agent a that is one: not an organisation's imports,
// and not the form on which people type.
const computer = "a.organisation_id IS NULL AND NOT a.by_hand"

// notComputers are the ids of all others.
const notComputers = "SELECT id FROM agents WHERE organisation_id IS NOT NULL UNION ALL SELECT id FROM agents WHERE by_hand"

// The statements with these take the moment, in microseconds, as ?1.
var (
	openGrant = "(SELECT agent_id FROM grants g JOIN agents a ON a.id = g.agent_id WHERE g.site_id = s.id AND " + computer + " AND " + notEnded("?1") + " ORDER BY epoch DESC LIMIT 1)"
	// granted is the same as a condition; what is no computer is few, and looked up once.
	granted = "EXISTS (SELECT 1 FROM grants g WHERE g.site_id = s.id AND " + notEnded("?1") + " AND g.agent_id NOT IN (" + notComputers + "))"
	// siteState is one of the States.
	siteState = `CASE WHEN s.declared_at IS NOT NULL THEN CASE WHEN s.suspended_at IS NULL THEN 'sharing' ELSE 'suspended' END WHEN s.epoch > 0 AND ` + granted + ` THEN 'enrolled'
		WHEN s.withdrawn_at IS NOT NULL THEN 'withdrawn' ELSE 'invited' END`
	// A camera is declared now when its open version has a body.
	declaredCamera = "kind = 'camera' AND valid_until IS NULL AND body IS NOT NULL"
	// versionBodied is the same of a body as an index has it, so that no row is read.
	versionBodied = "CASE WHEN body IS NULL THEN 0 ELSE 1 END = 1"
	siteColumns   = "s.id, " + siteState + `, s.category, s.body, (SELECT sealed FROM data_keys k WHERE k.owner = s.id), s.trust,
		(SELECT count(*) FROM versions v WHERE v.site_id = s.id AND ` + declaredCamera + `),
		s.invited_at, coalesce((SELECT max(expires_at) FROM codes c WHERE c.site_id = s.id AND c.used_at IS NULL), 0),
		coalesce(` + openGrant + `, ''), coalesce(s.declared_at, 0), coalesce(s.heard_at, 0),
		coalesce(s.suspended_at, 0), coalesce(s.suspended_until, 0), coalesce(s.withdrawn_at, 0)`
)

func (r *Registry) scanSite(scan func(...any) error) (SiteSummary, error) {
	var s SiteSummary
	var body, key []byte
	var invited, code, declared, heard, suspended, until, withdrawn int64
	err := scan(&s.ID, &s.State, &s.Category, &body, &key, &s.Trust, &s.Cameras,
		&invited, &code, &s.AgentID, &declared, &heard, &suspended, &until, &withdrawn)
	if err != nil {
		return s, err
	}
	now, err := r.vault.openSite(s.ID, key, body)
	s.Name, s.Address = now.Name, now.Address
	s.InvitedAt, s.CodeExpires = fromMicros(invited), fromMicros(code)
	s.DeclaredAt, s.HeardAt, s.SuspendedAt, s.SuspendedUntil, s.WithdrawnAt = fromMicros(declared), fromMicros(heard), fromMicros(suspended), fromMicros(until), fromMicros(withdrawn)
	return s, err
}

// Sites lists all sites, those first that were invited last.
func (r *Registry) Sites(ctx context.Context) ([]SiteSummary, error) {
	var sites []SiteSummary
	err := r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			s, err := r.scanSite(scan)
			sites = append(sites, s)
			return err
		}, "SELECT "+siteColumns+" FROM sites s ORDER BY s.invited_at DESC, s.id", micros(r.now()))
	})
	if err != nil {
		return nil, fmt.Errorf("list sites: %w", err)
	}
	return sites, nil
}

// Counts counts sites, cameras and agents.
func (r *Registry) Counts(ctx context.Context) (Counts, error) {
	var c Counts
	err := r.view(ctx, func(tx *tx) error {
		states := map[State]*int{Invited: &c.Invited, Enrolled: &c.Enrolled, Sharing: &c.Sharing, Suspended: &c.Suspended, Withdrawn: &c.Withdrawn}
		err := each(ctx, tx, func(scan func(...any) error) error {
			var state State
			var n int
			err := scan(&state, &n)
			if into := states[state]; into != nil {
				*into = n
			}
			return err
		}, "SELECT "+siteState+" AS state, count(*) FROM sites s GROUP BY state", micros(r.now()))
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM versions WHERE kind = 'camera' AND valid_until IS NULL AND "+versionBodied+`),
			(SELECT count(*) FROM agents) - (SELECT count(*) FROM (`+notComputers+`) n), (SELECT count(*) FROM agents WHERE revoked_at IS NOT NULL)`).
			Scan(&c.Cameras, &c.Agents, &c.Revoked)
	})
	if err != nil {
		return Counts{}, fmt.Errorf("count: %w", err)
	}
	return c, nil
}
