package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"anagrafe/protocol"
)

// errSealed is returned for what needs the key of consultation by a register
// that was not given it.
var errSealed = errors.New("the register was not given the key of consultation: start the collector, which reads keys/consult.key")

// Unseal gives the register the key of consultation, with which notices, the
// replies to them and cases are sealed. It lies outside the database, so that who reads
// that, or a copy of it, learns that something was asked and not what. To be
// called before any other method; all else works without it.
func (r *Registry) Unseal(key *age.X25519Identity) { r.consult = key }

func (r *Registry) seal(plain []byte) ([]byte, error) {
	if r.consult == nil {
		return nil, errSealed
	}
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, r.consult.Recipient())
	if err == nil {
		_, err = w.Write(plain)
		err = errors.Join(err, w.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return sealed.Bytes(), nil
}

func (r *Registry) unseal(sealed []byte) ([]byte, error) {
	return r.unsealUpTo(sealed, 2*protocol.MaxNotice)
}

func (r *Registry) unsealUpTo(sealed []byte, most int64) ([]byte, error) {
	if r.consult == nil {
		return nil, errSealed
	}
	plain, err := age.Decrypt(bytes.NewReader(sealed), r.consult)
	if err != nil {
		return nil, fmt.Errorf("unseal: %w (was keys/consult.key restored from another backup?)", err)
	}
	return io.ReadAll(io.LimitReader(plain, most))
}

// Sealed reports whether anything here is sealed with the key of consultation: a
// new one would not open it.
func (r *Registry) Sealed(ctx context.Context) (sealed bool, err error) {
	err = r.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM notices WHERE body IS NOT NULL)
		OR EXISTS (SELECT 1 FROM notice_replies WHERE body IS NOT NULL) OR EXISTS (SELECT 1 FROM cases WHERE body IS NOT NULL)`).Scan(&sealed)
	if err != nil {
		return false, fmt.Errorf("look for what is sealed: %w", err)
	}
	return sealed, nil
}
