// Package interrogate asks one sighted device what it is: maker, model, clock,
// channels, and what it says of its schedule and retention. It hides ONVIF and
// its dialects, the makers' own interfaces, and the quirks of authentication.
//
// The agent's main calls Ask for each sighting; inventory keeps the answers
// and implements Memory.
//
// ONVIF seldom tells when a recorder records and how long it keeps that. Where a
// maker's own interface does, a driver reads it, in files named for the family (see driver);
// what is read of each stands in FAMILIES.md. A question finds its place so:
//
//	ask.go           the order in which one device is asked
//	conversation.go  SOAP: one question of ONVIF, within the limits
//	web.go           HTTP: one question to a maker's own interface, likewise
//	authenticate.go  whether and how a question carries the password
//	verdict.go       what an answer says of it, and what is remembered
//	login.go         logins by a message of the family's own
//	driver.go        which family a device is
//	device_report.go what a driver says, and joining it with what ONVIF says
//	footage.go       whether a recorder still has an interval, in families that can be asked (*_find.go)
//	picture.go       a still picture for the owner's eyes, in families that give one (picture_own.go), else by ONVIF
//	plan.go stamp.go weeks in any encoding, dates by any clock
//	channels.go      what ONVIF says, as channels
//
// Decisions:
//   - It only reads: no operation that changes a device, no stream. No picture but by
//     Picture, which a look never calls; it is drawn anew, so that nothing that the
//     device put in beside it is handed out, and one alone is asked for at a time.
//   - The time is asked first and without credentials; tokens are then made by
//     the device's clock. What is sent with credentials, when, and when never
//     again, is in authenticator.
//   - The host that answered is the only one talked to. Of the addresses that a
//     device names only the path is taken. One redirect is followed, from HTTP to
//     HTTPS on the same host. A device that speaks TLS is held to the certificate
//     that it showed first (see trust).
//   - The maker's own interface is asked before ONVIF: it is the door for which the
//     owner has a password, and a device counts wrong ones. Only devices that
//     announce the family, speak ONVIF or were named by the owner are asked
//     whether they are one, with one request a family (see candidates).
//   - A password is sent readable (Basic, a login by message) only over TLS or
//     within this machine. What a driver opens it closes.
//   - Refused or absent is not "does not record": it is unknown. Words that are
//     not understood are kept beside the unknown value (see Fact).
//   - Two rows of questions run side by side (see lane), lists are asked for
//     rather than single things: a recorder of 256 channels takes some twenty
//     calls. Digest goes one by one (see authenticator).
//   - The clock is read again within a second beside the other questions, to see
//     where its second ends (see edges).
//   - Unknown stays unknown: an empty or refused list, a date in 1970, a job with
//     an empty schedule say nothing (see readSchedule, readRetention, readOldest).
//     A recording is matched to a camera only by what the device says, never by
//     order or number (see tracks).
//   - One device costs at most 30 s, 8 s a call, 2 connections, 1 MiB an answer.
//     Two calls without answer end it. A device that does not answer to SOAP 1.2
//     without an action is asked in the other manners (see manner).
//   - Footage of an interval is asked for on the recorder's own clock. An empty list
//     is a no only beside other footage of the same channel: a user who may not play
//     back is shown empty lists too. What is near an end by less than the clock's
//     uncertainty, or lies in the nights in which clocks change, stays unknown.
//   - Text in the picture is no name, and where a device says it stands is for the
//     owner's map: both stay on the site (see Channel, Device).
//   - Answers are neither logged nor kept. Of a fault its words are, without the
//     secrets that devices echo.
package interrogate
