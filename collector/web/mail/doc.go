// Package mail sends what waits in the register's queue: by e-mail and PEC over any
// SMTP server, by SMS over a gateway that speaks HTTP (sms.go). It hides SMTP (RFC
// 5321), the format of messages (RFC 5322, MIME) and that of short ones (GSM 03.38).
//
// There is one message but for alerts and invitations, in Italian and in English, whatever it is about: that
// there is something to be read, and where. It names nobody and nothing, and its
// link is the same for all; who reads the mail, the server's log or the queue
// learns that a site has an entry, and no more. Alerts by e-mail (news.go) say what is
// wrong with the reader's own recorders, to who wishes so, under the same subject;
// what the police ask is in none. An SMS says nothing else, alert or not: one message
// of 160 characters. An invitation is the Comune's own letter, and says what it is:
// why, package letter tells.
//
// The register says whom a message is for and when it is due, and is told what
// became of it: taken by the server, put off (tried again for two days), or its
// address refused for good, which marks the contact. A message whose taking was
// not noted before a crash is sent again under the same Message-ID.
//
// The client is the standard library's net/smtp: it is kept for security, and
// STARTTLS, AUTH PLAIN and one text message are all that is needed. What it
// lacks, deadlines and an end by context, is done on the connection here.
package mail
