package inventory

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"anagrafe/agent/discover"
)

// Pinned implements interrogate.Memory: the certificate that the device showed
// at first use, whether it was known then by its endpoint or by its address.
func (v *Inventory) Pinned(ctx context.Context, s discover.Sighting) (sha256 []byte, ok bool, err error) {
	err = v.reader.QueryRowContext(ctx, pinOf, s.Endpoint, s.Address.String()).Scan(&sha256)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("look up a device's certificate: %w", err)
	}
	return sha256, true, nil
}

// pinOf looks under the endpoint and the address that a device shows now, and
// under the other one by which the inventory knows it.
const pinOf = `SELECT sha256 FROM pin WHERE device <> '' AND (device IN (?1, ?2) OR device IN (
	SELECT endpoint FROM device WHERE address = ?2 AND ?1 = ''
	UNION ALL SELECT address FROM device WHERE endpoint = ?1 AND endpoint <> ''))
	ORDER BY device = ?1 DESC, device = ?2 DESC, at LIMIT 1`

// errOtherPin: only SetCredential, which is the owner's doing, lets a pin go.
var errOtherPin = errors.New("it is known by another certificate: if you replaced or reset it, type its password again")

// Pin implements interrogate.Memory. The first certificate stays: another one
// for the same device is an error.
func (v *Inventory) Pin(ctx context.Context, s discover.Sighting, sha256 []byte) error {
	err := v.write(ctx, func(tx *sql.Tx) error {
		var is []byte
		err := tx.QueryRowContext(ctx, pinOf, s.Endpoint, s.Address.String()).Scan(&is)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			_, err = tx.ExecContext(ctx, `INSERT INTO pin (device, sha256, at) VALUES (?, ?, ?)`, s.Key(), sha256, micros(v.now()))
			return err
		case err == nil && !bytes.Equal(is, sha256):
			return errOtherPin
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("keep the certificate of a device: %w", err)
	}
	return nil
}

// unpin forgets the certificate of a device that was known by these keys.
func unpin(ctx context.Context, tx *sql.Tx, keys ...string) error {
	for _, key := range keys {
		if _, err := tx.ExecContext(ctx, `DELETE FROM pin WHERE device = ?`, key); err != nil {
			return err
		}
	}
	return nil
}

// keepPin has the certificate of d hold under the keys by which it is found
// now: the same device, at another address or with a new endpoint. The address
// that it had may be another's next.
func (d *device) keepPin(ctx context.Context, tx *sql.Tx, s discover.Sighting) error {
	for _, key := range s.Keys() {
		if key == d.endpoint || key == d.address {
			continue
		}
		// What the device showed first wins over what a host showed that only now
		// turns out to be it: serial number and MAC can be copied, a key cannot.
		if _, err := tx.ExecContext(ctx, `INSERT INTO pin (device, sha256, at)
			SELECT ?, sha256, at FROM pin WHERE device <> '' AND device IN (?, ?) ORDER BY at LIMIT 1
			ON CONFLICT (device) DO UPDATE SET sha256 = excluded.sha256, at = excluded.at`, key, d.endpoint, d.address); err != nil {
			return err
		}
	}
	if d.address == "" || d.address == s.Address.String() {
		return nil
	}
	return unpin(ctx, tx, d.address)
}
