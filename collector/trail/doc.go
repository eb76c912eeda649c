// Package trail is the audit trail: an append-only log that anybody with an older checkpoint
// can verify offline. It hides the Merkle tree, the sealing of bodies, and the order of
// writing; web/consult, web/audit and the command line call it, and the registry stores it.
//
// An answer may not leave if its entry could not be appended. Answer holds that rule, and is
// the only way from the pages to search.
//
// Where to look: answer.go (the rule), entry.go (what is sealed, for whom), sequence.go (the
// order of writing), checkpoint.go, prove.go and verify.go (the proof), witness.go, export.go,
// forget.go; store.go is what the registry implements.
//
// # An entry
//
// An entry has a clear Header (time, pseudonymous actor and case, force, kind, count), from
// which statistics are made, and a body: the header's canonical JSON, and content sealed with
// age to the public key of the actor's force (plain JSON for acts of the Comune). The actor and
// the case stand in the body; the header has keyed hashes of both. The private half of a
// force's key is never stored on the server: web/audit takes it from an auditor, in memory.
//
// The header holds the SHA-256 of the body, so that a body can be deleted after its term and
// every proof still verifies. The leaf of the tree is the RFC 6962 hash
// (golang.org/x/mod/sumdb/tlog) of the 64 bytes
//
//	SHA-256(header) || SHA-256(body)
//
// # A checkpoint
//
// A checkpoint is a C2SP tlog-checkpoint (three lines: origin, number of entries, base64 of
// the root), signed as a note (golang.org/x/mod/sumdb/note, Ed25519) with keys/checkpoint.key.
// The origin is the key's name, made at first start. Each commit stores its entries and the
// checkpoint over them in one transaction.
//
// # An export
//
// Export writes JSON lines, in UTF-8. The first line is
//
//	{"format":"anagrafe-trail/1","verifier_key":"...","size":2,"checkpoint":"..."}
//
// optionally with "cosigned", the newest checkpoint of each witness, and one line follows for
// each entry, from 0:
//
//	{"index":0,"header":{...},"body":"BASE64","hashes":["BASE64",...]}
//
// header is the canonical JSON itself (the bytes that are hashed); body is null once deleted;
// hashes are the tree's hashes stored with this entry (its leaf, then the inner nodes that it
// completed), by which Verify finds the entry that was changed. No other form is read. The
// verifier key in the first line is for people to compare; Verify never trusts it.
//
// # Proofs
//
// Prove gives an entry with its inclusion proof, and VerifyInclusion checks it offline. A
// witness (Cosign) is a second key on another machine, which signs a checkpoint after a proof
// that it continues the one signed before; Verify can demand that signature. Forget deletes
// bodies after their term.
package trail
