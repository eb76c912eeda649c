package inventory

import (
	"cmp"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strings"

	"anagrafe/agent/discover"
	"anagrafe/agent/interrogate"
	"anagrafe/agent/keyfile"
	"anagrafe/protocol"
)

// secrets seals passwords and hashes refused ones, each under a key of its own.
type secrets struct {
	aead cipher.AEAD
	mac  []byte
}

// openSecrets reads the key file, or makes it. Passwords sealed with a file
// that is gone can never be opened: they are forgotten, and asked for again.
func (v *Inventory) openSecrets(ctx context.Context, path string) (*secrets, error) {
	text, err := keyfile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		key := make([]byte, 32)
		rand.Read(key) // never fails
		if err := v.forgetSealed(ctx, path); err != nil {
			return nil, err
		}
		if err := keyfile.Write(path, []byte(hex.EncodeToString(key)+"\n")); err != nil {
			return nil, fmt.Errorf("writing the key of the recorders' passwords: %w", err)
		}
		return newSecrets(key)
	}
	if errors.Is(err, keyfile.ErrOpen) {
		return nil, fmt.Errorf("the key of the recorders' passwords: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("the key of the recorders' passwords: %w (give this user the right to read it)", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("the key of the recorders' passwords, %s, is damaged: put it back from a copy, or remove it and type the passwords again", path)
	}
	return newSecrets(key)
}

// forgetSealed drops what only the lost key could open.
func (v *Inventory) forgetSealed(ctx context.Context, path string) error {
	return v.write(ctx, func(tx *sql.Tx) error {
		gone, err := tx.ExecContext(ctx, `DELETE FROM credential`)
		if err != nil {
			return err
		}
		if n, err := gone.RowsAffected(); err == nil && n > 0 {
			v.log.Warn("the key of the recorders' passwords is gone: the passwords are forgotten and must be typed again", "key", path, "passwords", n)
		}
		if _, err = tx.ExecContext(ctx, `DELETE FROM refused`); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE site SET owner_code = NULL`) // the next receipt brings it again
		return err
	})
}

func newSecrets(key []byte) (*secrets, error) {
	sealing, err := hkdf.Key(sha256.New, key, nil, "anagrafe-agent device password", 32)
	if err != nil {
		return nil, err
	}
	hashing, err := hkdf.Key(sha256.New, key, nil, "anagrafe-agent refused password", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(sealing)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &secrets{aead, hashing}, err
}

// seal binds the credential to its device: moved to another row it does not open.
func (s *secrets) seal(deviceID string, c interrogate.Credential) ([]byte, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return s.aead.Seal(nil, nil, text, []byte(deviceID)), nil
}

// sealCode seals an owner's code, bound to its site.
func (s *secrets) sealCode(siteID string, code protocol.Code) []byte {
	return s.aead.Seal(nil, nil, []byte(code.String()), []byte("owner's code of site "+siteID))
}

func (s *secrets) openCode(siteID string, sealed []byte) (protocol.Code, error) {
	text, err := s.aead.Open(nil, nil, sealed, []byte("owner's code of site "+siteID))
	if err != nil {
		return protocol.Code{}, errors.New("the sealed code of the owner does not open with this secrets.key: the next receipt brings it again")
	}
	return protocol.ParseCode(string(text))
}

func (s *secrets) open(deviceID string, sealed []byte) (c interrogate.Credential, err error) {
	text, err := s.aead.Open(nil, nil, sealed, []byte(deviceID))
	if err != nil {
		return c, fmt.Errorf("the sealed password does not open with this secrets.key: type it again")
	}
	return c, json.Unmarshal(text, &c)
}

// hash names a user and password, and the door that refused them unless all
// did, without telling either.
func (s *secrets) hash(c interrogate.Credential, at interrogate.Door) []byte {
	h := hmac.New(sha256.New, s.mac)
	parts := []string{c.User, c.Password, string(at)}
	if at == interrogate.EveryDoor {
		parts = parts[:2]
	}
	for _, part := range parts {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return h.Sum(nil)
}

// SetCredential seals the password that the owner typed for a device, and lets
// it be tried once more should the device have refused it before. It is also
// the owner's word that the device is what it should be: a new certificate of
// its is taken, once, for the one to know it by.
func (v *Inventory) SetCredential(ctx context.Context, deviceID string, c interrogate.Credential) error {
	err := v.write(ctx, func(tx *sql.Tx) error {
		var endpoint, address string
		err := tx.QueryRowContext(ctx, `SELECT endpoint, address FROM device WHERE id = ?`, deviceID).Scan(&endpoint, &address)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("device %q: %w", deviceID, ErrUnknown)
		}
		if err != nil {
			return err
		}
		if at, err := netip.ParseAddrPort(address); err == nil {
			c.For = at.Addr()
		}
		sealed, err := v.secrets.seal(deviceID, c)
		if err != nil {
			return err
		}
		for _, door := range []interrogate.Door{interrogate.EveryDoor, interrogate.DoorOwn, interrogate.DoorONVIF, interrogate.NoVerdict} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM refused WHERE hash = ? AND device IN (?, ?, ?)`, v.secrets.hash(c, door), endpoint, address, wholeHost(address)); err != nil {
				return err
			}
		}
		if err := unpin(ctx, tx, endpoint, address); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO credential (device_id, sealed, at) VALUES (?, ?, ?)
			ON CONFLICT (device_id) DO UPDATE SET sealed = excluded.sealed, at = excluded.at`,
			deviceID, sealed, micros(v.now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("keep the password: %w", err)
	}
	return nil
}

// wholeHost is the key of a host whatever its port, under which a scan remembers
// what a password of its file was refused for.
func wholeHost(address string) string {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return address
	}
	return netip.AddrPortFrom(at.Addr(), 0).String()
}

// Credential implements interrogate.Memory: by endpoint reference, or by
// address where either side has no reference. A device that gives another
// reference at a known address is another device, and is told no password.
func (v *Inventory) Credential(ctx context.Context, s discover.Sighting) (c interrogate.Credential, ok bool, err error) {
	var id string
	var sealed []byte
	err = v.reader.QueryRowContext(ctx, `
		SELECT device_id, sealed FROM credential JOIN device ON device.id = device_id
		WHERE (endpoint <> '' AND endpoint = ?1) OR (address = ?2 AND (endpoint = '' OR ?1 = ''))
		ORDER BY endpoint = ?1 DESC, seen DESC LIMIT 1`, s.Endpoint, s.Address.String()).Scan(&id, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return c, false, nil
	}
	if err == nil {
		c, err = v.secrets.open(id, sealed)
	}
	if err != nil {
		return interrogate.Credential{}, false, fmt.Errorf("look up the password of %s: %w", s.Address, err)
	}
	return c, true, nil
}

// Refused implements interrogate.Memory.
func (v *Inventory) Refused(ctx context.Context, s discover.Sighting, c interrogate.Credential, at interrogate.Door) (is bool, err error) {
	err = v.reader.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM refused WHERE hash IN (?, ?) AND device IN (?, ?))`,
		v.secrets.hash(c, interrogate.EveryDoor), v.secrets.hash(c, at), cmp.Or(s.Endpoint, s.Address.String()), s.Address.String()).Scan(&is)
	if err != nil {
		return false, fmt.Errorf("look up refused passwords: %w", err)
	}
	return is, nil
}

// Refuse implements interrogate.Memory.
func (v *Inventory) Refuse(ctx context.Context, s discover.Sighting, c interrogate.Credential, at interrogate.Door) error {
	err := v.write(ctx, func(tx *sql.Tx) error {
		for _, key := range s.Keys() {
			if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO refused (device, hash, at) VALUES (?, ?, ?)`, key, v.secrets.hash(c, at), micros(v.now())); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remember a refused password: %w", err)
	}
	return nil
}

// Accept implements interrogate.Memory.
func (v *Inventory) Accept(ctx context.Context, s discover.Sighting, c interrogate.Credential) error {
	err := v.write(ctx, func(tx *sql.Tx) error {
		for _, key := range s.Keys() {
			if _, err := tx.ExecContext(ctx, `DELETE FROM refused WHERE device = ? AND hash = ?`, key, v.secrets.hash(c, interrogate.NoVerdict)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remember an accepted password: %w", err)
	}
	return nil
}

// keepRefusals has what a device refused under the keys that it was known by
// hold for those of s too: the same device, seen anew.
func (d *device) keepRefusals(ctx context.Context, tx *sql.Tx, s discover.Sighting) error {
	for _, key := range s.Keys() {
		if key == d.endpoint || key == d.address {
			continue
		}
		if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO refused (device, hash, at)
			SELECT ?, hash, at FROM refused WHERE device <> '' AND device IN (?, ?)`, key, d.endpoint, d.address); err != nil {
			return err
		}
	}
	return nil
}
