package registry

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// namesAtOnce is how many names one statement reads.
const namesAtOnce = 50

var invitedNames = func() string {
	ids := make([]string, namesAtOnce)
	for i := range ids {
		ids[i] = "?" + strconv.Itoa(i+1)
	}
	return "SELECT s.id, s.invited, (SELECT sealed FROM data_keys k WHERE k.owner = s.id) FROM sites s WHERE s.id IN (" + strings.Join(ids, ", ") + ")"
}()

// InvitedNames returns the names that were typed for the invitations of some sites.
func (r *Registry) InvitedNames(ctx context.Context, sites []uuid.UUID) (map[uuid.UUID]string, error) {
	names := make(map[uuid.UUID]string, len(sites))
	err := r.view(ctx, func(tx *tx) error {
		for some := range slices.Chunk(sites, namesAtOnce) {
			args := make([]any, namesAtOnce)
			for i := range args {
				args[i] = some[min(i, len(some)-1)].String() // one statement for any number
			}
			if err := each(ctx, tx, func(scan func(...any) error) error {
				var id uuid.UUID
				var invited, key []byte
				if err := scan(&id, &invited, &key); err != nil {
					return err
				}
				as, err := r.vault.openInvited(id.String(), key, invited)
				names[id] = as.Name
				return err
			}, invitedNames, args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the names of sites: %w", err)
	}
	return names, nil
}
