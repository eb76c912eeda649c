// Package trail is the audit trail: an append-only log that anybody who holds
// an older checkpoint can check offline. It hides the Merkle tree, the sealing
// of what was asked, and the order of writing; web/consult, web/audit and the
// command line call it, and the registry keeps what it writes.
//
// Whoever appends needs to know one thing: the answer may not leave if the
// append failed. Answer holds that rule; it is the only way from the pages to
// search.
//
// # An entry
//
// An entry is a clear Header (time, pseudonymous actor and case, force, kind,
// count), from which statistics are made, and a body: the canonical JSON of the
// header, and a body that is sealed with age to the public key of the actor's
// force (or is plain JSON for acts of the Comune, which have no force). Who
// acted and for which case stands in the body only; the header has keyed
// hashes of both. The private half of a force's key is never on the server.
//
// The header holds the SHA-256 of the body, so that a body can be deleted after
// its term and every proof still verifies. The leaf of the tree is the RFC 6962
// hash (golang.org/x/mod/sumdb/tlog) of the 64 bytes
//
//	SHA-256(header) || SHA-256(body)
//
// # A checkpoint
//
// A checkpoint is a C2SP tlog-checkpoint (three lines: origin, number of
// entries, base64 of the root), signed as a note (golang.org/x/mod/sumdb/note,
// Ed25519) with keys/checkpoint.key. The origin is the name of the key, which is
// made at first start. Every commit stores its entries and the checkpoint over
// them in one transaction.
//
// # An export
//
// Export writes JSON lines, in UTF-8. The first line is
//
//	{"format":"anagrafe-trail/1","verifier_key":"...","size":2,"checkpoint":"..."}
//
// and one line follows for each entry, from 0:
//
//	{"index":0,"header":{...},"body":"BASE64","hashes":["BASE64",...]}
//
// The first line may also have "cosigned", the newest checkpoint of each witness.
// Every line is written in this one way, and no other is read.
//
// header is the canonical JSON itself (the bytes that are hashed); body is null
// when it was deleted; hashes are the tree's hashes that were stored with this
// entry (its leaf, then the inner nodes that it completed), by which Verify
// tells which entry was touched. The verifier key in the first line is there for
// people to compare; Verify never trusts it.
//
// # Proofs
//
// Prove gives one entry with the proof that it is on the trail, VerifyInclusion
// reads it offline. A witness (Cosign) is a second key, on another machine, that
// signs checkpoints after a proof that they continue what it signed before; Verify
// can demand its signature. Forget deletes bodies after their term.
package trail
