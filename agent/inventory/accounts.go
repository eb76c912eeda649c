package inventory

import (
	"context"
	"fmt"
)

// Accounts returns the user name that is kept for each device, by its id. The
// password stays sealed. One that does not open any more is left out: it is asked
// for again.
func (v *Inventory) Accounts(ctx context.Context) (map[string]string, error) {
	users := make(map[string]string)
	rows, err := v.reader.QueryContext(ctx, `SELECT device_id, sealed FROM credential`)
	if err != nil {
		return nil, fmt.Errorf("list the accounts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var sealed []byte
		if err := rows.Scan(&id, &sealed); err != nil {
			return nil, fmt.Errorf("list the accounts: %w", err)
		}
		if c, err := v.secrets.open(id, sealed); err == nil {
			users[id] = c.User
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list the accounts: %w", err)
	}
	return users, nil
}
