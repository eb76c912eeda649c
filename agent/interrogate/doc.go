// Package interrogate asks one sighted device what it is: maker, model, clock,
// channels, and what it says of its schedule and retention. It hides ONVIF and
// its dialects, and the quirks of authentication.
//
// The agent's main calls Ask for each sighting; inventory keeps the answers
// and implements Memory.
//
// Decisions:
//   - It only reads: no operation that changes a device, no stream, no picture.
//   - The time is asked first and without credentials; tokens are then made by
//     the device's clock. What is sent with credentials, when, and when never
//     again, is in authenticator.
//   - The host that answered is the only one talked to. Of the addresses that a
//     device names only the path is taken, and redirects are not followed.
//   - Unknown stays unknown: an empty or refused list, a date in 1970, a job with
//     an empty schedule say nothing (see readSchedule, readRetention, readOldest).
//     A recording is matched to a camera only by what the device says, never by
//     order or number (see tracks).
//   - One device costs at most 30 s, 8 s a call, 2 connections, 1 MiB an answer.
//     Two calls without answer end it.
//   - Answers are neither logged nor kept. Of a fault its words are, without the
//     secrets that devices echo.
package interrogate
