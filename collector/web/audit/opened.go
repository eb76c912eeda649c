package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"filippo.io/age"
)

// openFor is how long a session may read bodies after its auditor pasted the
// force's private key. It is counted from the pasting: whoever goes on pastes again.
const openFor = 15 * time.Minute

// maxOpened bounds the keys in memory at once.
const maxOpened = 50

var errOtherKey = errors.New("the key is not the one that this force's entries are sealed to")

// keyring holds the private keys that auditors pasted, in memory alone, each for
// one session. Nothing of it is written anywhere, and what is over is let go of at
// the next look at any of it.
type keyring struct {
	mu   sync.Mutex
	keys map[[32]byte]openedKey
}

type openedKey struct {
	identity age.Identity
	force    string
	until    time.Time
}

// put checks that the key opens what is sealed to recipient, and keeps it.
func (k *keyring) put(session [32]byte, force, recipient, pasted string, now time.Time) error {
	identity, err := matching(recipient, pasted)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sweep(now)
	if _, again := k.keys[session]; !again && len(k.keys) >= maxOpened {
		return errors.New("too many sessions read bodies at once: try again in a quarter of an hour")
	}
	if k.keys == nil {
		k.keys = map[[32]byte]openedKey{}
	}
	k.keys[session] = openedKey{identity, force, now.Add(openFor)}
	return nil
}

// get returns the session's key for its force, and until when.
func (k *keyring) get(session [32]byte, force string, now time.Time) (age.Identity, time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sweep(now)
	if o, ok := k.keys[session]; ok && o.force == force && session != [32]byte{} {
		return o.identity, o.until
	}
	return nil, time.Time{}
}

func (k *keyring) drop(session [32]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.keys, session)
}

// sweep lets go of what is over; the caller holds mu.
func (k *keyring) sweep(now time.Time) {
	for session, o := range k.keys {
		if !now.Before(o.until) {
			delete(k.keys, session)
		}
	}
}

// matching returns the identity among the pasted lines that opens what is sealed to
// recipient. Its errors never hold what was pasted.
func matching(recipient, pasted string) (age.Identity, error) {
	identities, err := age.ParseIdentities(strings.NewReader(pasted))
	if err != nil {
		return nil, errOtherKey
	}
	to, err := age.ParseRecipients(strings.NewReader(recipient))
	if err != nil {
		return nil, fmt.Errorf("the force's public key: %w", err)
	}
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, to...)
	if err == nil {
		_, err = io.WriteString(w, "trial")
		err = errors.Join(err, w.Close())
	}
	if err != nil {
		return nil, err
	}
	for _, identity := range identities {
		if _, err := age.Decrypt(bytes.NewReader(sealed.Bytes()), identity); err == nil {
			return identity, nil
		}
	}
	return nil, errOtherKey
}
