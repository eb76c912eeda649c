package main

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"anagrafe/collector/registry"
	"anagrafe/protocol/wholefile"
)

const (
	rootSecretFile = "root.secret"
	rootSecretSize = 32
	ledgerPurpose  = "ledger of erasures" // of the key that is derived for it
)

// keysThere refuses to make new keys for a register that was served before with
// others: its owners' codes, agents and receipts would be strangers.
func keysThere(dir string, served bool) error {
	if !served {
		return nil
	}
	var missing []string
	for _, name := range []string{"root.secret", "keys/ca.key", "keys/checkpoint.key", "keys/consult.key", "keys/receipt.key"} {
		if _, err := os.Stat(filepath.Join(dir, name)); errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%s is missing in %s, and the register was served with it before: restore root.secret and keys/ from the backup of the keys, "+
		"or copy them from the collector that serves this register already", strings.Join(missing, ", "), dir)
}

// rootSecret reads DIR/root.secret, from which the keys of cookies, QUIC and
// look-up hashes are derived; it makes it at the first start, and only then: a
// file that is there and wrong is an error, never replaced in silence.
func rootSecret(dir string) ([]byte, error) {
	path := filepath.Join(dir, rootSecretFile)
	secret, err := os.ReadFile(path)
	if err == nil && len(secret) != rootSecretSize {
		return nil, fmt.Errorf("%s has %d bytes, %d expected: restore it from the backup of the keys", path, len(secret), rootSecretSize)
	}
	if err == nil {
		return secret, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the root secret: %w", err)
	}
	secret = make([]byte, rootSecretSize)
	rand.Read(secret) // never fails
	if err := wholefile.Write(path, secret, 0o600); err != nil {
		return nil, fmt.Errorf("making the root secret: %w", err)
	}
	return secret, nil
}

// registerKeys are the keys of the register that lie outside it; served tells that it
// was served before.
func registerKeys(dir string, secret []byte, served bool) (k registry.Keys, err error) {
	k.Master = filepath.Join(dir, "keys", "master.key")
	if k.Consult, err = consultKey(dir, served); err != nil {
		return k, err
	}
	for purpose, key := range map[string]*[]byte{"look-up hashes": &k.Lookup, "owners' codes": &k.Owners, ledgerPurpose: &k.Ledger} {
		if *key, err = derive(secret, purpose); err != nil {
			return k, err
		}
	}
	return k, nil
}

// consultKey reads DIR/keys/consult.key, an age identity: what the police ask of
// owners is sealed with it in the register. It is made at the first start; for a
// register that was served it is never replaced.
func consultKey(dir string, served bool) (*age.X25519Identity, error) {
	path := filepath.Join(dir, "keys", "consult.key")
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && served:
		return nil, fmt.Errorf("%s is missing, and what the register holds of requests is sealed with it: restore it from the backup of the keys", path)
	case errors.Is(err, fs.ErrNotExist):
		return newConsultKey(path)
	case err != nil:
		return nil, fmt.Errorf("reading the key of consultation: %w", err)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s can be read by other users (mode %v): check who copied it, then run chmod 600 %s", path, info.Mode().Perm(), path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the key of consultation: %w", err)
	}
	key, err := age.ParseX25519Identity(strings.TrimSpace(string(b)))
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: restore it from the backup of the keys; a new one would open none of the requests in the register", path)
	}
	return key, nil
}

func newConsultKey(path string) (*age.X25519Identity, error) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	if err := wholefile.Write(path, []byte(key.String()+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("making the key of consultation: %w", err)
	}
	return key, nil
}

// derive returns the key for one purpose.
func derive(secret []byte, purpose string) ([]byte, error) {
	return hkdf.Key(sha256.New, secret, nil, "anagrafe "+purpose, 32)
}

func registerFile(dir string) string { return filepath.Join(dir, "registry.db") }

func ledgerFile(dir string) string { return filepath.Join(dir, "erased.ledger") }
