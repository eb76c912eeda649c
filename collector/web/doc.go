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
// Who somebody is comes from a session cookie (browsers) or from the secret of a
// credential file as a bearer token (the command line). Of both, and of one-time
// links, the registry keeps keyed hashes alone. Opening a link shows a button;
// only the button consumes it, so that a mail scanner or a preview uses nothing up.
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
// The cookie is __Host-anagrafe, an owner's __Host-anagrafe-owner. Browsers do not keep cookies of two ports of one
// host apart, so on one machine use localhost for one listener and 127.0.0.1 for
// the other; in production they have different host names anyway.
package web
