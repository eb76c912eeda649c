// Package web controls access to the collector's pages: listeners, sign-in, sessions, roles,
// and the headers and limits of every answer. It hides passkeys, OpenID Connect, cookies and
// networks. Main builds one Web for each listener; the faces below (public, adhere, join, ops,
// force, consult, audit) give it their routes and learn from User who asks.
//
// Each listener accepts its own roles: the operators' those of the Comune, the consultation
// listener those of the forces (and the dpo, for the audit pages). A session or credential of
// another role is refused. A route names its roles or says that it is open; a route that does
// neither stops the program at its start, and an unknown address asks for a login.
//
// Sign-in is by passkey (W3C Web Authentication Level 3, discoverable, with user verification),
// or by OpenID Connect where the listener has a provider. Programs send the secret of a
// credential file as a bearer token, which opens no account page. A person without a passkey
// gets a one-time link, whose session can only make one. Opening a link shows a button, and
// only the button consumes it, so that mail scanners and previews do not. The registry keeps
// keyed hashes of cookies, links and secrets. What a sign-in under way is checked against
// (challenge; state, nonce, verifier) lies there for five minutes, for one answer.
//
// A provider's claims hold for one session: role and force are read at each login, and tokens
// are not kept. Each listener has its own provider, which cannot grant a role that the listener
// does not accept.
//
// A session ends after 30 minutes unused and after 8 hours in any case (Options.Idle, Life), at sign-out, by its owner
// (/account) or an administrator, and when the user is revoked or their rights change. Each
// login sets a new cookie, good on its listener alone. A session is not bound to an address or
// a user agent: the first changes on the road, a thief copies the second. Signing in and out
// is recorded on the trail by a func that main gives; a login that cannot be recorded is refused.
//
// On the public listener everybody reads without signing in; a second Web there lets referents sign
// in, and no other role. A site's owner, who is no user, gets a session of half an hour for the code in the site's receipts (BeginOwner), which package join asks for.
//
// A listener may be limited to networks; others are refused before any login. A force may have
// networks and a host name of its own, to which its people are limited; each such name is a Web
// of its own, and a passkey made under it works under no other. Behind a reverse proxy the
// addresses are the proxy's, so the proxy must restrict them.
//
// The cookies are __Host-anagrafe and, with a suffix each, those of an owner, a referent, a form under
// way and a login under way. Browsers do not separate
// cookies or passkeys by port: on one machine use localhost for one listener and ops.localhost
// for another (RFC 6761, 6.3). At 127.0.0.1, for trials and tests, there are no passkeys, and
// links sign in by themselves.
package web
