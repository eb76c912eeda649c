package trail

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// maxProof is how many hashes a proof can have: two for each level of a tree
// whose size is an int64.
const maxProof = 128

// Inclusion is one entry with the proof that it is on the trail, for somebody
// who has neither the trail nor this server: VerifyInclusion reads it.
//
// In JSON Header keeps its bytes, which are what is hashed: json.Marshal leaves
// them as they are, json.MarshalIndent does not.
type Inclusion struct {
	Index      int64            `json:"index"`
	Header     json.RawMessage  `json:"header"` // canonical, as in an export
	Body       []byte           `json:"body"`   // as stored (sealed, mostly); null: deleted after its term
	Proof      tlog.RecordProof `json:"proof"`  // RFC 6962, section 2.1.1: the audit path from the leaf up
	Checkpoint string           `json:"checkpoint"`
}

// Prove returns entry index and its proof under the last checkpoint.
func (t *Trail) Prove(ctx context.Context, index int64) (Inclusion, error) {
	p, err := t.prove(ctx, index)
	if err != nil {
		return Inclusion{}, fmt.Errorf("prove entry %d of the audit trail: %w", index, err)
	}
	return p, nil
}

func (t *Trail) prove(ctx context.Context, index int64) (Inclusion, error) {
	checkpoint, tree, err := t.last(ctx)
	if err != nil {
		return Inclusion{}, err
	}
	if index < 0 || index >= tree.N {
		return Inclusion{}, fmt.Errorf("the trail has %d entries", tree.N)
	}
	headers, bodies, err := t.store.Entries(ctx, index, index+1)
	if err != nil {
		return Inclusion{}, err
	}
	if len(headers) != 1 || len(bodies) != 1 {
		return Inclusion{}, errors.New("the register does not hold it any more, though its checkpoint says so: verify the whole trail (audit verify)")
	}
	path, err := tlog.ProveRecord(tree.N, index, t.hashes(ctx))
	if err != nil {
		return Inclusion{}, err
	}
	return Inclusion{Index: index, Header: headers[0], Body: bodies[0], Proof: path, Checkpoint: string(checkpoint)}, nil
}

// last returns the last checkpoint, signed and read.
func (t *Trail) last(ctx context.Context) ([]byte, tlog.Tree, error) {
	checkpoint, err := t.store.Checkpoint(ctx)
	if err != nil {
		return nil, tlog.Tree{}, err
	}
	v, err := note.NewVerifier(t.vkey)
	if err != nil {
		return nil, tlog.Tree{}, err
	}
	tree, err := openCheckpoint(checkpoint, v)
	if err != nil {
		return nil, tlog.Tree{}, fmt.Errorf("the last checkpoint does not verify: %w", err)
	}
	return checkpoint, tree, nil
}

// hashes reads the stored tree. What is read after a checkpoint holds all that
// the checkpoint covers, since the tree only grows.
func (t *Trail) hashes(ctx context.Context) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		return storedHashes(ctx, t.store.Hashes, indexes)
	})
}

// VerifyInclusion proves offline that an entry is on the trail whose
// checkpoints are signed with vkey, and gives its header. The key must come
// from outside of what is verified. What it finds wrong is a *Tampered.
//
// It does not prove that the trail has kept one past: Verify does, with an older
// checkpoint.
func VerifyInclusion(p Inclusion, vkey string) (Header, error) {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return Header{}, fmt.Errorf("verify an entry of the audit trail: the key is not a verifier key (NAME+HASH+KEY): %w", err)
	}
	tree, err := openCheckpoint([]byte(p.Checkpoint), v)
	if err != nil {
		return Header{}, &Tampered{OtherKey, -1, -1, fmt.Sprintf("the checkpoint is not signed with the key given: %v", err)}
	}
	edited := func(format string, args ...any) (Header, error) {
		return Header{}, &Tampered{Edited, p.Index, p.Index, fmt.Sprintf(format, args...)}
	}
	h, err := decodeHeader(p.Header)
	switch {
	case err != nil:
		return edited("its header cannot be read: %v", err)
	case h.Index != p.Index:
		return edited("its header is that of entry %d", h.Index)
	case len(p.Body) > 0 && sha256.Sum256(p.Body) != h.BodySHA256:
		return edited("its body is not the one that its header was written with")
	case len(p.Proof) > maxProof:
		return edited("its proof has %d hashes, more than any tree needs", len(p.Proof))
	}
	if err := tlog.CheckRecord(p.Proof, tree.N, tree.Hash, p.Index, leaf(p.Header, h.BodySHA256)); err != nil {
		return edited("it is not the one that the checkpoint of %d entries covers there", tree.N)
	}
	return h, nil
}
