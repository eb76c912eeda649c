package cameratest

import (
	"crypto/rand"
	"crypto/sha1" // WS-UsernameToken 1.0 is defined on it
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
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
	// fresh: each refusal challenges with a nonce of its own, which takes each
	// count once, as the web interfaces of recorders do.
	fresh bool
	*tally
}

// tally is what the gates of a device, that of ONVIF and that of its web
// interface, count together: a lock applies to both.
type tally struct {
	mu      sync.Mutex
	refused int             // attempts with wrong credentials
	used    map[string]bool // nonces of tokens and counts of Digest nonces, for NonceOnce
	issued  map[string]map[int]bool
}

const defaultRealm = "camera"

func newGate(o Options) *gate {
	return &gate{o: o, realm: defaultRealm, nonce: rand.Text(), tally: &tally{used: map[string]bool{}, issued: map[string]map[int]bool{}}}
}

// verdict is what the gate thinks of one request.
type verdict struct {
	pass       bool
	scheme     string // "token", "digest", "basic", "other" or "": what the request carried
	user       string
	tried      bool     // it carried credentials of the kind that is asked for
	locked     bool     // it did, after too many wrong ones
	stale      bool     // they answered a challenge that is no longer good
	challenges []string // WWW-Authenticate of the refusal
	reason     string   // of the refusal, for its fault
}

// check judges a request. now is by the device's clock.
func (g *gate) check(r *http.Request, c call, now time.Time) verdict {
	v := verdict{scheme: scheme(r)}
	if c.token != nil {
		v.scheme, v.user = "token", c.token.user
	}
	if g.o.Auth == AuthNone {
		v.pass = true
		return v
	}

	g.mu.Lock()
	defer g.mu.Unlock()
	tried, right := g.try(r, c, &v, now)
	if open[c.operation] && !g.o.Quirks.Login.Always && !(tried && !right && g.o.Quirks.WrongTokenRefusesAll && v.scheme == "token") {
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
	v.tried, v.locked = tried, tried && locked
	v.stale = !tried && v.scheme == "digest" && g.o.Auth != AuthBasic && g.o.Auth != AuthNTLM
	v.reason = g.reason(tried)
	v.challenges = g.challenges(v.stale)
	return v
}

// try looks at the credentials that the device's kind of authentication is
// about; those of another kind are no attempt. It completes v.user.
func (g *gate) try(r *http.Request, c call, v *verdict, now time.Time) (tried, right bool) {
	switch g.o.Auth {
	case AuthBasic:
		user, password, ok := r.BasicAuth()
		if ok {
			v.user = user
		}
		return ok, ok && user == g.o.User && password == g.o.Password
	case AuthNTLM:
		return v.scheme == "other" || v.scheme == "basic", false
	}
	switch {
	case c.token != nil && g.o.Auth != AuthDigest:
		return true, c.token.valid(g.o.User, g.o.Password, now, g.o.TokenSkew) && g.first("token "+c.token.nonce)
	case digest.IsDigest(r.Header.Get("Authorization")) && g.o.Auth != AuthToken: // npm onvif 0.8.3 sends a token beside it
		v.scheme = "digest"
		tried, right, v.user = g.checkDigest(r, r.Header.Get("Authorization"))
		return tried, right
	}
	return false, false
}

// first reports whether a nonce comes for the first time, where that matters.
func (g *gate) first(nonce string) bool {
	if !g.o.Quirks.Login.NonceOnce {
		return true
	}
	again := g.used[nonce]
	g.used[nonce] = true
	return !again
}

// challenges are those of a refusal, one WWW-Authenticate each.
func (g *gate) challenges(stale bool) []string {
	switch g.o.Auth {
	case AuthToken:
		return nil
	case AuthBasic:
		return []string{`Basic realm="` + g.realm + `"`}
	case AuthNTLM:
		return []string{"NTLM"}
	}
	nonce := g.nonce
	if g.fresh {
		nonce = g.issue()
	}
	var all []string
	for _, algorithm := range g.algorithms() {
		c := g.challenge(algorithm, nonce)
		c.Stale = stale && g.fresh
		all = append(all, c.String())
	}
	return all
}

// scheme names the HTTP credentials that a request carries, "" without any.
func scheme(r *http.Request) string {
	header := r.Header.Get("Authorization")
	kind, _, _ := strings.Cut(header, " ")
	switch {
	case header == "":
		return ""
	case digest.IsDigest(header):
		return "digest"
	case strings.EqualFold(kind, "Basic"):
		return "basic"
	}
	return "other"
}

// algorithms of the Digest challenges, the better one first.
func (g *gate) algorithms() []string {
	switch g.o.Quirks.Login.Digest {
	case DigestSHA256:
		return []string{"SHA-256"}
	case DigestBoth:
		return []string{"SHA-256", "MD5"}
	}
	return []string{"MD5"}
}

func (g *gate) challenge(algorithm, nonce string) *digest.Challenge {
	return &digest.Challenge{Realm: g.realm, Nonce: nonce, Algorithm: algorithm, QOP: []string{"auth"}}
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

// checkDigest verifies an RFC 7616 answer with qop=auth. An answer to
// another nonce than ours is no attempt: the client is asked again.
func (g *gate) checkDigest(r *http.Request, header string) (tried, right bool, user string) {
	got, err := digest.ParseCredentials(header)
	if err != nil {
		return true, false, ""
	}
	if !g.good(got.Nonce, got.Nc) {
		return false, false, got.Username
	}
	algorithm := strings.ToUpper(got.Algorithm)
	if algorithm == "" {
		algorithm = "MD5" // RFC 7616 section 3.3
	}
	if !slices.Contains(g.algorithms(), algorithm) {
		return true, false, got.Username
	}
	if !g.first(fmt.Sprint("digest ", got.Nonce, got.Nc)) {
		return false, false, got.Username // asked again, as with a stale nonce
	}
	want, err := digest.Digest(g.challenge(algorithm, got.Nonce),
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
