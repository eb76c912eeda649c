// Package mail sends what waits in the register's queue: by e-mail and PEC over any SMTP server,
// by SMS over a gateway that speaks HTTP (sms.go). It hides SMTP (RFC 5321), message formats (RFC
// 5322, MIME, GSM 03.38), retries and bounces. Main runs it.
//
// Except for alerts and invitations there is one message, in Italian and English: there is
// something to read, and where. It names nobody and does not say what: readers of the mail learn
// only that there is an entry. Its link is the same for all, but where it leads to one thing that
// waits for its reader alone (a contact's consent, a form). E-mail alerts (news.go) say under the same
// subject what is wrong with the reader's own recorders, to those who asked for it. An SMS is the
// one message, alert or not, in 160 characters. An invitation says what it is (package letter).
//
// The register says whom a message is for and when it is due, and records the outcome: accepted,
// deferred (retried for two days; an invitation as long as its code may be used), or refused for
// good, which marks the contact. A message whose acceptance was not recorded before a crash is sent
// again under the same Message-ID.
//
// The client is the standard library's net/smtp, which has STARTTLS, AUTH PLAIN and all else
// needed except deadlines and cancellation; those act on the connection here.
package mail
