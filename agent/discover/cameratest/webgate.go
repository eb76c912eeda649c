package cameratest

import "crypto/rand"

// maxNonces are issued before those until then are forgotten.
const maxNonces = 4096

// issue makes a nonce for a challenge; what counts come with it will be noted.
func (t *tally) issue() string {
	if len(t.issued) >= maxNonces {
		clear(t.issued)
	}
	nonce := rand.Text()
	t.issued[nonce] = map[int]bool{}
	return nonce
}

// good reports whether a Digest answer is to a challenge of ours that still stands. In a
// fresh gate each count of a nonce (nc) comes once, in any order: requests may
// overtake each other.
func (g *gate) good(nonce string, count int) bool {
	if !g.fresh {
		return nonce == g.nonce
	}
	counts, have := g.issued[nonce]
	if !have || count <= 0 || counts[count] {
		return false
	}
	if most := g.o.Quirks.Login.NonceUses; most > 0 && len(counts) >= most {
		delete(g.issued, nonce)
		return false
	}
	counts[count] = true
	return true
}

// login judges a user and a password in clear, as a form or JSON carries them.
func (g *gate) login(user, password string) (right, locked bool) {
	if g.o.Auth == AuthNone {
		return true, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	right = user == g.o.User && password == g.o.Password
	locked = g.o.Quirks.LockoutAfter > 0 && g.refused >= g.o.Quirks.LockoutAfter
	switch {
	case !right:
		g.refused++
	case !locked:
		g.refused = 0
	}
	return right, locked
}
