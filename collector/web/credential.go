package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
)

// maxCredential is the largest credential file, in bytes; ours are under 500.
const maxCredential = 16 << 10

// Credential is the file by which a person's programs ask: made once by "user add", kept
// by that person alone.
type Credential struct {
	Server   string `json:"server"`    // public URL of the listener it is for
	User     string `json:"user"`      // user id
	Secret   string `json:"secret"`    // 256 random bits
	TrailKey string `json:"trail_key"` // verifier key of the audit trail, to check checkpoints with
}

// ParseCredential reads a credential file.
func ParseCredential(b []byte) (Credential, error) {
	if len(b) > maxCredential {
		return Credential{}, fmt.Errorf("a credential file has at most %d bytes, this one has %d", maxCredential, len(b))
	}
	var c Credential
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return Credential{}, fmt.Errorf("this is not a credential file: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Credential{}, errors.New("this is not a credential file: something follows its JSON object")
	}
	server, err := url.Parse(c.Server)
	switch {
	case err != nil || server.Host == "" || server.Scheme != "https" && server.Scheme != "http":
		return Credential{}, errors.New(`this is not a credential file: "server" is no address`)
	case c.User == "" || c.Secret == "":
		return Credential{}, errors.New(`this is not a credential file: "user" or "secret" is missing`)
	}
	return c, nil
}
