package ingest

import (
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"sync"
	"time"
)

const day = 24 * time.Hour

// sessionTickets seals the sessions of agents into tickets, so that one that
// comes back needs no signature of either side (RFC 8446, 2.2). The keys are
// derived from the root secret: all collectors behind one address open each
// other's tickets, also after a restart. A key seals for one day of UTC and
// opens until the end of the next: who copies it reads no older session.
//
// A resumed session carries the agent's certificate as it was: nothing here
// says that the agent may still come in. Each call asks that.
type sessionTickets struct {
	secret []byte
	now    func() time.Time

	mu   sync.Mutex
	day  int64       // since 1970
	keys *tls.Config // holds the keys of day, and nothing else
}

// noTicket is for a connection without a certificate: one that was resumed from
// it would have none either, and an agent enrols once. It opens as nothing.
var noTicket = []byte("none")

// wrap is tls.Config.WrapSession.
func (t *sessionTickets) wrap(cs tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
	if len(cs.PeerCertificates) == 0 {
		return noTicket, nil
	}
	keys, err := t.today()
	if err != nil {
		return nil, err
	}
	return keys.EncryptTicket(cs, session)
}

// unwrap is tls.Config.UnwrapSession. No session is no error: the handshake
// then is a full one.
func (t *sessionTickets) unwrap(ticket []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
	keys, err := t.today()
	if err != nil {
		return nil, err
	}
	return keys.DecryptTicket(ticket, cs)
}

func (t *sessionTickets) today() (*tls.Config, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	today := t.now().Unix() / int64(day/time.Second)
	if t.keys != nil && t.day == today {
		return t.keys, nil
	}
	var keys [2][32]byte // the first seals
	for i := range keys {
		key, err := hkdf.Key(sha256.New, t.secret, nil, fmt.Sprintf("anagrafe session tickets of day %d", today-int64(i)), len(keys[i]))
		if err != nil {
			return nil, fmt.Errorf("derive the keys of session tickets: %w", err)
		}
		copy(keys[i][:], key)
	}
	// A new one: a handshake under way may still read the old.
	t.keys, t.day = new(tls.Config), today
	t.keys.SetSessionTicketKeys(keys[:])
	return t.keys, nil
}
