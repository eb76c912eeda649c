package registry

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"anagrafe/protocol/wholefile"
)

// The master key seals the data keys. It is a Tink keyset in a file outside the
// database, in clear: anybody who can read the file can open the register. It has one
// key, and while it is being changed for another two, of which the newer one
// seals. (Where a KMS keeps a key, Tink can seal the keyset itself with it:
// Handle.Write in the place of insecurecleartextkeyset.Write.)

const (
	dataKeySize = 32 // bytes: AES-256
	// wrappedSize is that of a sealed data key: Tink's prefix (1, and four bytes
	// that name the master key), nonce, key and tag. It is the same for each, so
	// that one is overwritten in place by another, or by zeros.
	wrappedSize = 5 + 12 + dataKeySize + 16
	maxKeyset   = 64 << 10 // a keyset of two keys is under 1 KiB
)

// errOtherMaster is returned for what was sealed with a master key that the file
// does not hold.
var errOtherMaster = errors.New("sealed with another master key")

// master is the open master key. Its methods may be called from many
// goroutines.
type master struct {
	path string

	mu      sync.RWMutex
	handle  *keyset.Handle
	aead    tink.AEAD
	primary uint32 // the key that seals
}

// openMaster reads the master key in the file at path; it makes it if mayMake,
// and only then: a file that is there and wrong is an error, never replaced.
func openMaster(path string, mayMake bool) (*master, error) {
	m := &master{path: path}
	_, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && mayMake:
		handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
		if err != nil {
			return nil, fmt.Errorf("make the master key: %w", err)
		}
		return m, m.replace(handle)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is missing, and the register is sealed with it: restore it from the backup of the keys "+
			"(with several collectors, copy it from one of the others)", path)
	}
	return m, m.load()
}

// load reads the file anew. Meanwhile nothing replaces it, or what is older would be used.
func (m *master) load() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, err := readSecret(m.path)
	if err != nil {
		return err
	}
	return m.take(b)
}

// take uses the keyset that a file holds.
func (m *master) take(b []byte) error {
	// Not its error: it may quote the file.
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(b)))
	if err != nil {
		return fmt.Errorf("%s is damaged: restore it from the backup of the keys; a new one would open nothing of the register", m.path)
	}
	return m.use(handle)
}

// readSecret reads a small file that its owner alone may read.
func readSecret(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by other users (mode %v): check who copied it, then run chmod 600 %s", path, info.Mode().Perm(), path)
	}
	return io.ReadAll(io.LimitReader(f, maxKeyset))
}

// use takes a keyset; m.mu is held.
func (m *master) use(handle *keyset.Handle) error {
	a, err := aead.New(handle)
	if err != nil {
		return fmt.Errorf("%s is no keyset that seals: restore it from the backup of the keys", m.path)
	}
	primary, err := handle.Primary()
	if err != nil {
		return fmt.Errorf("%s has no primary key: restore it from the backup of the keys", m.path)
	}
	m.handle, m.aead, m.primary = handle, a, primary.KeyID()
	return nil
}

// replace writes a keyset, and uses it once it is on the disk.
func (m *master) replace(handle *keyset.Handle) error {
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&b)); err != nil {
		return fmt.Errorf("encode the master key: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := wholefile.Write(m.path, b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write the master key: %w", err)
	}
	return m.use(handle)
}

// wrap seals the data key of an owner.
func (m *master) wrap(owner string, key []byte) ([]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	b, err := m.aead.Encrypt(key, wrapping(owner))
	if err != nil {
		return nil, fmt.Errorf("seal a data key: %w", err)
	}
	if len(b) != wrappedSize {
		return nil, fmt.Errorf("a sealed data key has %d bytes, not %d: %s is of another kind", len(b), wrappedSize, m.path)
	}
	return b, nil
}

// unwrap opens what wrap has sealed. The file is read again where another
// collector may have changed it.
func (m *master) unwrap(owner string, wrapped []byte) ([]byte, error) {
	if !m.holds(wrappedWith(wrapped)) {
		if err := m.load(); err != nil {
			return nil, err
		}
		if !m.holds(wrappedWith(wrapped)) {
			return nil, m.other()
		}
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	key, err := m.aead.Decrypt(wrapped, wrapping(owner))
	if err != nil || len(key) != dataKeySize {
		return nil, fmt.Errorf("the data key of %s is damaged: restore the register", owner)
	}
	return key, nil
}

func (m *master) other() error {
	return fmt.Errorf("%w than that of %s: restore the file from the backup of the keys, "+
		"or with several collectors copy it from the one where it was changed", errOtherMaster, m.path)
}

// holds reports whether the keyset has a key.
func (m *master) holds(id uint32) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for i := range m.handle.Len() {
		if e, err := m.handle.Entry(i); err == nil && e.KeyID() == id {
			return true
		}
	}
	return false
}

// wrapping binds a sealed data key to its owner.
func wrapping(owner string) []byte { return []byte("anagrafe data key 1\x00" + owner) }

// wrappedWith names the master key that a data key is sealed with (Tink's wire
// format: one byte 1, then the key's id).
func wrappedWith(wrapped []byte) uint32 {
	if len(wrapped) != wrappedSize || wrapped[0] != 1 {
		return 0
	}
	return binary.BigEndian.Uint32(wrapped[1:])
}

// seals names the key that seals now.
func (m *master) seals() uint32 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.primary
}

// changing reports whether the keyset has more keys than the one that seals.
func (m *master) changing() bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.handle.Len() > 1
}

// next adds a key to the keyset, that seals from now on.
func (m *master) next() error {
	manager := m.manager()
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err == nil {
		err = manager.SetPrimary(id)
	}
	if err != nil {
		return fmt.Errorf("make the next master key: %w", err)
	}
	return m.replaceBy(manager)
}

// retire leaves only the key that seals.
func (m *master) retire() error {
	manager := m.manager()
	handle, err := manager.Handle()
	if err != nil {
		return err
	}
	for i := range handle.Len() {
		e, err := handle.Entry(i)
		if err != nil {
			return err
		}
		if !e.IsPrimary() {
			if err := manager.Delete(e.KeyID()); err != nil {
				return fmt.Errorf("retire the old master key: %w", err)
			}
		}
	}
	return m.replaceBy(manager)
}

func (m *master) manager() *keyset.Manager {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return keyset.NewManagerFromHandle(m.handle)
}

func (m *master) replaceBy(manager *keyset.Manager) error {
	handle, err := manager.Handle()
	if err != nil {
		return fmt.Errorf("change the master key: %w", err)
	}
	return m.replace(handle)
}
