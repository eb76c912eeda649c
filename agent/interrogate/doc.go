// Package interrogate asks one sighted device what it is: maker, model, clock,
// channels, and what it says of its schedule and retention. It hides ONVIF and
// its dialects, the makers' own interfaces, and the quirks of authentication.
//
// The agent's main calls Ask for each sighting; inventory keeps the answers
// and implements Memory.
//
// ONVIF seldom tells when a recorder records and how long it keeps footage. Where a
// maker's own interface does, a driver reads it (see driver), in files named for the
// family of devices; FAMILIES.md says what is read of each. Where to look:
//
//	ask.go           the order in which one device is asked
//	conversation.go  SOAP: one question of ONVIF, within the limits
//	web.go           HTTP: one question to a maker's own interface, likewise
//	authenticate.go  whether and how a question carries the password
//	verdict.go       what an answer says of it, and what is remembered
//	login.go         logins by a message of the family's own
//	driver.go        which family a device is; a family's quirks are in its own files
//	device_report.go what a driver says, and joining it with what ONVIF says
//	footage.go       whether a recorder still has an interval, in families that can be asked (*_find.go)
//	picture.go       a still picture for the owner's eyes, in families that give one (picture_own.go), else by ONVIF
//	plan.go stamp.go weeks in any encoding, dates by any clock
//	channels.go      what ONVIF says, as channels
//
// Decisions:
//   - It only reads: no operation that changes a device, no stream. Ask fetches no
//     picture; only Picture does, one at a time. A picture is encoded anew, so that
//     metadata that the device put into its file is not handed on.
//   - The time is asked first and without credentials; tokens are then made by
//     the device's clock. When credentials are sent, and when never again, is in
//     authenticator.
//   - The host that answered is the only one talked to. Of the addresses that a
//     device names only the path is taken. One redirect is followed, from HTTP to
//     HTTPS on the same host. A device that speaks TLS is held to the certificate
//     that it showed first (see trust).
//   - The maker's own interface is asked before ONVIF: the owner's password is usually
//     that of the web interface, and a device counts wrong ones. Only devices that
//     announce the family, speak ONVIF or were named by the owner are asked
//     whether they are one, with one request a family (see candidates).
//   - A password is sent in clear (Basic, or a family's login message) only over TLS or
//     within this machine. A session that a driver opens it closes.
//   - Refused or absent is not "does not record": it is unknown. Words that are
//     not understood are kept beside the unknown value (see Fact).
//   - Two requests are under way at a time (see lane), and lists are asked for
//     rather than single things: a recorder of 256 channels takes some twenty
//     calls. With Digest requests go one by one (see authenticator).
//   - The clock is read again within a second beside the other questions, to see
//     where its second ends (see edges).
//   - Unknown stays unknown: an empty or refused list, a date in 1970, a job with
//     an empty schedule say nothing (see readSchedule, readRetention, readOldest).
//     A recording is matched to a camera only by what the device says, never by
//     order or number (see tracks).
//   - One device costs at most 30 s, 8 s a call, 2 connections, 1 MiB an answer.
//     Two calls without answer end it. A device that does not answer SOAP 1.2
//     without an action is asked with one, or in SOAP 1.1 (see manner).
//   - Footage of an interval is asked for on the recorder's own clock. An empty list
//     is a no only beside other footage of the same channel: a user who may not play
//     back is shown empty lists too. What is near an end by less than the clock's
//     uncertainty, or lies in the nights in which clocks change, stays unknown.
//   - Text drawn into the picture is no name, and the position that a device states
//     only helps the owner on the map: neither leaves the site (see Channel, Device).
//   - Answers are neither logged nor kept; the words of a fault are, without the
//     secrets that devices echo.
package interrogate
