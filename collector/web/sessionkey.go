package web

import "net/http"

// SessionKey tells one session, or one program's credential, from every other, for
// what a face keeps in memory for it; zero: there is none. It is a keyed hash.
func (w *Web) SessionKey(r *http.Request) [32]byte {
	if header := r.Header.Get("Authorization"); header != "" {
		return w.hash("memory", header)
	}
	if c, err := r.Cookie(w.cookieName()); err == nil && c.Value != "" {
		return w.hash("memory", c.Value)
	}
	return [32]byte{}
}
