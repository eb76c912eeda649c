package inventory

import (
	"context"
	"database/sql"
	"fmt"

	"anagrafe/protocol"
)

// SendDiagnosis queues a text that somebody here has read, word for word, for each
// site that this computer speaks for.
func (v *Inventory) SendDiagnosis(ctx context.Context, text string, by protocol.Approval) error {
	sent := false
	err := v.write(ctx, func(tx *sql.Tx) error {
		b, err := v.load(ctx, tx)
		if err != nil {
			return err
		}
		for _, s := range b.sites {
			if s.left {
				continue
			}
			approval, err := b.approval(s, by, v.now())
			if err != nil {
				return err
			}
			if err := v.enqueue(ctx, tx, s, protocol.Diagnosis{Text: text, Approval: approval}, false); err != nil {
				return err
			}
			sent = true
		}
		if !sent {
			return ErrNotEnrolled
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("send the diagnosis: %w", err)
	}
	v.signal()
	return nil
}
