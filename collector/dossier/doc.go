// Package dossier writes all that was done in a case into one signed file, and
// verifies such a file offline, with the public key alone. It hides the format; web/consult
// says what goes in, and the command line verifies and shows.
//
// # The format
//
// JSON lines in UTF-8, each ended by a line feed. The first line is the Head:
//
//	{"format":"anagrafe-dossier/1","case":"UUID","force":"Questura","made_at":"...","made_by":"...","verifier_key":"..."}
//
// Then come the parts, in the order in which things were done, and the trail's
// entries with their inclusion proofs (trail.Inclusion), by index:
//
//	{"part":{"kind":"search","at":"...","by":"...","trail_index":12,"body":{...}}}
//	{"entry":{"index":12,"header":{...},"body":"BASE64","proof":[...],"checkpoint":"..."}}
//
// The last line has the SHA-256 of each line before it (its line feed included), and
// a note (golang.org/x/mod/sumdb/note, Ed25519) signed with the key of the trail's
// checkpoints:
//
//	{"lines":["HEX",...],"signature":"anagrafe dossier 1\n<case>\n<number of lines>\n<SHA-256 of all hashes>\n\n— name base64\n"}
//
// A checkpoint's first line is the name of the key, so that neither can be taken for
// the other. The verifier key in the first line is there for people to compare;
// Verify never trusts it.
//
// # What it proves
//
// That the collector which holds the key wrote this and nothing was changed since;
// that each act stands on its audit trail, with its time, kind, force and case, under
// a signed checkpoint. What was asked and shown is in the parts as the case has it; the
// entries' bodies are the trail's own word on it, sealed to the force, for its auditor
// to open and compare. It does not prove that the trail has kept one past: that needs
// an older checkpoint (audit verify).
package dossier
