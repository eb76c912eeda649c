package registry

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"anagrafe/protocol"
)

func (r *Registry) seal(plain []byte) ([]byte, error) {
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
	plain, err := age.Decrypt(bytes.NewReader(sealed), r.consult)
	if err != nil {
		return nil, fmt.Errorf("unseal: %w (was keys/consult.key restored from another backup?)", err)
	}
	return io.ReadAll(io.LimitReader(plain, most))
}
