// Package web lets people in: listeners, login, sessions, roles, and the headers
// and limits that every answer of the collector's pages has. The faces below it
// (ops, consult, audit, join) give it their routes and find out with User who asks;
// main builds one Web for each listener.
//
// Each listener accepts its own roles and no others: the operators' listener
// those of the Comune, the consultation listener those of the forces (and the
// dpo, for the audit pages). A session or credential of another role is as good
// as none. There is no open door: a route names the roles that may use it, or
// says that it is open; a route that says neither stops the program at its start,
// and an address that no route names asks for a login as well.
//
// People sign in by passkey (W3C Web Authentication Level 3, discoverable and with
// user verification), or where the listener has a provider by OpenID Connect; programs
// send the secret of a credential file as a bearer token, which opens no page of one's
// own account. Whoever has no passkey yet, or lost it, gets a one-time link: it signs in
// once, and the session that follows is good for one thing, to make a passkey. Opening a
// link shows a button; only the button consumes it, so that a mail scanner or a preview
// uses nothing up. Of cookies, links and secrets the registry keeps keyed hashes alone.
//
// What a provider says of a person holds for one session: role and force are read from
// its claims at each login, and its tokens are not kept. Each listener has its own
// provider, which cannot grant a role that the listener does not accept.
//
// A session ends after 30 minutes unused and 8 hours in any case, at sign-out, when its
// owner (/account) or an administrator ends it, when the user is revoked, and when what
// they may do changes; a login always gives another cookie. It is good on its listener
// alone. It is not bound to an address, which changes on the road, nor to what the
// browser says of itself, which an update changes and a thief copies.
//
// What a sign-in under way is checked against (challenge; state, nonce and verifier) lies
// in the registry for five minutes, under the hash of a cookie, for one answer.
//
// Signing in and out leaves an entry on the trail, written by a func that main
// gives (this package must not know the trail, see the import rule). A login that
// cannot be recorded is refused.
//
// The public listener accepts no role: nobody signs in there. The owner of a site,
// who is no user, has a session of half an hour for the code that stands in the
// receipts of the site (BeginOwner); package join asks for the code.
//
// A listener may be closed to all addresses but those of an allow-list: the others
// are told so before any login, whatever they ask for. A force may have networks and
// a host name of its own, outside which its people are not let in, whatever they
// hold; each such name is a Web of its own, so that a passkey made under it works
// under no other. Addresses are those of connections: behind a reverse proxy they
// are the proxy's, and it is the proxy that has to be closed.
//
// The cookie is __Host-anagrafe, an owner's __Host-anagrafe-owner. Browsers keep neither
// cookies nor passkeys of two ports of one host apart, so on one machine use localhost
// for one listener and ops.localhost for the other, which browsers know without being
// told (RFC 6761, 6.3). At 127.0.0.1 there are no passkeys, and links sign in by
// themselves: for a first look, and for tests.
package web
