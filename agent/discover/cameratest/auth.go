package cameratest

import (
	"crypto/rand"
	"crypto/sha1" // WS-UsernameToken 1.0 is defined on it
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/icholy/digest"
)

// digestType ends the Type of a wsse:Password that is a digest.
const digestType = "#PasswordDigest"

// open are the operations of access class PRE_AUTH in the ONVIF core
// specification: they are answered before login.
var open = map[string]bool{
	"GetSystemDateAndTime": true, "GetServices": true, "GetServiceCapabilities": true, "GetCapabilities": true,
	"GetHostname": true, "GetWsdlUrl": true, "GetEndpointReference": true,
}

// gate is a device's check of passwords. It really verifies them, so that a test
// may count wrong ones.
type gate struct {
	o     Options
	realm string
	nonce string // of the Digest challenges

	mu      sync.Mutex
	refused int // attempts with wrong credentials
}

func newGate(o Options) *gate {
	return &gate{o: o, realm: "camera", nonce: rand.Text()}
}

// verdict is what the gate thinks of one request.
type verdict struct {
	pass      bool
	scheme    string // "token", "digest", "other" or "": what the request carried
	user      string
	challenge string // WWW-Authenticate of the refusal, or ""
	reason    string // of the refusal, for its fault
}

// check judges a request. now is by the device's clock.
func (g *gate) check(r *http.Request, c call, now time.Time) verdict {
	v := verdict{}
	header := r.Header.Get("Authorization")
	switch {
	case c.token != nil:
		v.scheme, v.user = "token", c.token.user
	case digest.IsDigest(header):
		v.scheme = "digest"
	case header != "":
		v.scheme = "other"
	}
	if g.o.Auth == AuthNone {
		v.pass = true
		return v
	}

	g.mu.Lock()
	defer g.mu.Unlock()
	tried, right := false, false
	switch {
	case c.token != nil && g.o.Auth != AuthDigest:
		tried, right = true, c.token.valid(g.o.User, g.o.Password, now, g.o.TokenSkew)
	case v.scheme == "digest" && g.o.Auth != AuthToken:
		tried, right, v.user = g.checkDigest(r, header)
	}
	if open[c.operation] && !(tried && !right && g.o.Quirks.WrongTokenRefusesAll && v.scheme == "token") {
		v.pass = true
		return v
	}
	locked := g.o.Quirks.LockoutAfter > 0 && g.refused >= g.o.Quirks.LockoutAfter
	if tried && !right {
		g.refused++
	}
	if right && !locked {
		g.refused = 0
		v.pass = true
		return v
	}
	v.reason = g.reason(tried)
	if g.o.Auth != AuthToken {
		v.challenge = (&digest.Challenge{Realm: g.realm, Nonce: g.nonce, Algorithm: "MD5", QOP: []string{"auth"}}).String()
	}
	return v
}

// reason is the text of a refusal. With a lockout it tells the attempts left, in
// the words that Hikvision devices use, "You still have 29 attempt(s)".
func (g *gate) reason(tried bool) string {
	const plain = "Sender not authorized"
	if g.o.Quirks.LockoutAfter == 0 || !tried {
		return plain
	}
	left := g.o.Quirks.LockoutAfter - g.refused
	if left <= 0 {
		return plain + ". The user is locked."
	}
	return fmt.Sprintf("%s. You still have %d attempt(s).", plain, left)
}

// checkDigest verifies an RFC 7616 answer with MD5 and qop=auth. An answer to
// another nonce than ours is no attempt: the client is asked again.
func (g *gate) checkDigest(r *http.Request, header string) (tried, right bool, user string) {
	got, err := digest.ParseCredentials(header)
	if err != nil {
		return true, false, ""
	}
	if got.Nonce != g.nonce {
		return false, false, got.Username
	}
	want, err := digest.Digest(
		&digest.Challenge{Realm: g.realm, Nonce: g.nonce, Algorithm: "MD5", QOP: []string{"auth"}},
		digest.Options{Method: r.Method, URI: r.RequestURI, Username: g.o.User, Password: g.o.Password, Cnonce: got.Cnonce, Count: got.Nc})
	right = err == nil && got.Username == g.o.User && got.QOP == "auth" && got.Response == want.Response
	return true, right, got.Username
}

// valid verifies a digest by the WS-Security UsernameToken profile 1.0:
// Base64(SHA-1(nonce + created + password)). A password in clear is never valid.
func (t *usernameToken) valid(user, password string, now time.Time, skew time.Duration) bool {
	nonce, err := base64.StdEncoding.DecodeString(t.nonce)
	if err != nil || t.user != user || !strings.HasSuffix(t.passwordType, digestType) {
		return false
	}
	if skew > 0 {
		created, err := time.Parse(time.RFC3339, t.created)
		if err != nil || created.Sub(now).Abs() > skew {
			return false
		}
	}
	sum := sha1.Sum(append(append(nonce, t.created...), password...))
	return base64.StdEncoding.EncodeToString(sum[:]) == t.password
}
