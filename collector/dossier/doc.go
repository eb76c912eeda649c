// Package dossier writes all that was done in a case into one signed file, and verifies
// such a file offline with the public key alone. It hides the format; web/consult decides
// what goes in, and the command line verifies and shows.
//
// # The format
//
// JSON lines in UTF-8, each ended by a line feed. The first line is the Head:
//
//	{"format":"anagrafe-dossier/1","case":"UUID","force":"Questura","made_at":"...","made_by":"...","verifier_key":"..."}
//
// Then come the parts, in the order in which things were done, and the trail's entries
// with their inclusion proofs (trail.Inclusion), by index:
//
//	{"part":{"kind":"search","at":"...","by":"...","trail_index":12,"body":{...}}}
//	{"entry":{"index":12,"header":{...},"body":"BASE64","proof":[...],"checkpoint":"..."}}
//
// The last line has the SHA-256 of each line before it (its line feed included), and a
// note (golang.org/x/mod/sumdb/note, Ed25519) signed with the key of the trail's checkpoints:
//
//	{"lines":["HEX",...],"signature":"anagrafe dossier 1\n<case>\n<number of lines>\n<SHA-256 of all hashes>\n\n— name base64\n"}
//
// A checkpoint begins with the name of the key, so neither can pass for the other. The
// verifier key in the first line is for people to compare; Verify never trusts it.
//
// # What it proves
//
// The collector that holds the key wrote this file, and nothing was changed since; each
// act stands on its audit trail, with time, kind, force and case, under a signed
// checkpoint. The parts are the case's copy of what was asked and shown; the entries'
// bodies are the trail's, sealed to the force, for its auditor to open and compare. That
// the trail has kept one history takes an older checkpoint to prove (audit verify).
package dossier
