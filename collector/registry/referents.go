package registry

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"anagrafe/protocol"
)

// ReferentOrder is how a referent's sites are sorted.
type ReferentOrder string

const (
	ByAsked   ReferentOrder = "asked"   // those first that are asked something, then those not heard for longest
	ByHeard   ReferentOrder = "heard"   // not heard for longest first
	ByCameras ReferentOrder = "cameras" // the most first
	ByNewest  ReferentOrder = "newest"  // declared last first
)

// ReferentOrders are all of them, as they are offered.
var ReferentOrders = []ReferentOrder{ByAsked, ByHeard, ByCameras, ByNewest}

var referentOrders = map[ReferentOrder]string{
	ByAsked: "asked DESC, s.heard_at, s.id", ByHeard: "s.heard_at, s.id", ByCameras: "cameras DESC, s.id", ByNewest: "s.declared_at DESC, s.id",
}

// ReferentQuery is which of their sites a referent wants to see.
type ReferentQuery struct {
	State      State     // Sharing or Suspended; "" both
	Unheard    time.Time // only those not heard since; zero: all
	Asked      bool      // only those with a request that waits for an answer
	Order      ReferentOrder
	Skip, Most int
}

// ReferentSite is a site as its referent sees it in a list.
type ReferentSite struct {
	SiteSummary
	OrganisationID string
	Asked          int // requests that wait for an answer
}

// ReferentSites lists the sites for which a referent has a delegation at a moment,
// whatever its powers are, and tells how many there are.
func (r *Registry) ReferentSites(ctx context.Context, userID string, q ReferentQuery, at time.Time) (list []ReferentSite, all int, err error) {
	err = r.view(ctx, func(tx *tx) error {
		given, err := r.readDelegations(ctx, tx, "user_id", userID)
		if err != nil {
			return err
		}
		where, args := delegatedSites(given, at)
		if where == "" {
			return nil
		}
		// siteColumns take the moment as ?1; the rest is numbered after it.
		args = append([]any{micros(r.now())}, args...)
		add := func(condition string, value any) {
			args = append(args, value)
			where += fmt.Sprintf(" AND "+condition, len(args))
		}
		if q.State != "" {
			add("("+siteState+") = ?%d", string(q.State))
		}
		if !q.Unheard.IsZero() {
			add("s.heard_at < ?%d", micros(q.Unheard))
		}
		if q.Asked {
			where += " AND " + openAsked + " > 0"
		}
		from := " FROM sites s WHERE s.declared_at IS NOT NULL AND " + where
		// ?1 must stand in every statement: PostgreSQL wants to know its type.
		if err := tx.QueryRowContext(ctx, "SELECT count(*)"+from+" AND coalesce(?1, s.invited_at) IS NOT NULL", args...).Scan(&all); err != nil {
			return err
		}
		order := cmp.Or(referentOrders[q.Order], referentOrders[ByAsked])
		limit := fmt.Sprintf(" LIMIT ?%d OFFSET ?%d", len(args)+1, len(args)+2)
		return each(ctx, tx, func(scan func(...any) error) error {
			var one ReferentSite
			one.SiteSummary, err = r.scanSite(func(into ...any) error {
				return scan(append([]any{&one.OrganisationID, &one.Asked}, into...)...)
			})
			list = append(list, one)
			return err
		}, "SELECT s.organisation_id, "+openAsked+" AS asked, "+strings.Replace(siteColumns, declaredCamera+"),", declaredCamera+") AS cameras,", 1)+
			from+" ORDER BY "+order+limit, append(args, q.Most, q.Skip)...)
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list the sites of referent %s: %w", userID, err)
	}
	return list, all, nil
}

// openAsked counts the requests to preserve of a site s that wait for an answer, and
// that its page shows.
const openAsked = "(SELECT count(*) FROM notices n WHERE n.site_id = s.id AND n.kind = 'preserve' AND n.body IS NOT NULL AND NOT n.by_phone AND n.closed_at IS NULL)"

// delegatedSites is the condition of the sites s that delegations are for at a moment;
// its values are numbered from ?2. "": none.
func delegatedSites(given []protocol.Delegation, at time.Time) (where string, args []any) {
	var parts []string
	next := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("?%d", len(args)+1)
	}
	for _, d := range given {
		if !d.InForce(at) {
			continue
		}
		part := "s.organisation_id = " + next(d.OrganisationID)
		if len(d.Sites) > 0 {
			var ids []string
			for _, id := range d.Sites {
				ids = append(ids, next(id))
			}
			part += " AND s.id IN (" + strings.Join(ids, ", ") + ")"
		}
		parts = append(parts, "("+part+")")
	}
	if len(parts) == 0 {
		return "", nil
	}
	return "(" + strings.Join(parts, " OR ") + ")", args
}

// Wrong returns the faults of a site's recorders as an alert to its contacts would name
// them; nil: none known. An imported site, or one read on a visit, is silent by design.
func (r *Registry) Wrong(ctx context.Context, siteID string, now time.Time) (all []AlertChange, err error) {
	h, err := r.History(ctx, siteID, now.Add(-alertLooks))
	if err != nil {
		return nil, fmt.Errorf("what is wrong at site %s: %w", siteID, err)
	}
	var heard int64
	err = r.view(ctx, func(tx *tx) error {
		return tx.QueryRowContext(ctx, `SELECT CASE WHEN EXISTS (SELECT 1 FROM grants g JOIN agents a ON a.id = g.agent_id
			WHERE g.site_id = s.id AND a.revoked_at IS NULL AND `+computer+` AND `+notEnded("?1")+`) THEN coalesce(s.heard_at, 0) ELSE 0 END
			FROM sites s WHERE s.id = ?2`, micros(now), siteID).Scan(&heard)
	})
	if err != nil {
		return nil, fmt.Errorf("what is wrong at site %s: %w", siteID, err)
	}
	j := alertJudge{h: h, heard: fromMicros(heard), now: now}
	for _, c := range j.judge() {
		if !c.Right {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b AlertChange) int {
		return cmp.Or(cmp.Compare(slices.Index(protocol.Alerts, a.Alert), slices.Index(protocol.Alerts, b.Alert)), cmp.Compare(a.Name, b.Name))
	})
	return all, nil
}
