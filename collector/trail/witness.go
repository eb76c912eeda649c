package trail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A witness is a second key, held by an authority that does not run the collector
// (the Prefettura, the Procura). It comes from time to time, takes the last
// checkpoint with the proof that this continues the one it signed before, signs
// it and hands its signature back. From then on nobody, not even who holds the
// collector's own key, can write the past up to there anew without the witness's
// next visit, or "audit verify -witness", finding it.
//
// What the witness takes is the body of a C2SP add-checkpoint request
// (https://c2sp.org/tlog-witness): "old SIZE", the hashes of an RFC 6962
// consistency proof, an empty line, the checkpoint. It holds nothing but hashes.

const (
	maxConsistency = 63        // hashes of a proof, by tlog-witness
	maxTaken       = 128 << 10 // bytes of what a witness takes
)

var (
	// ErrShorter is a proof asked from a checkpoint that this trail does not reach.
	ErrShorter = errors.New("the trail is shorter than that checkpoint")
	// ErrNotWitness is a cosignature of a key that the configuration does not name.
	ErrNotWitness = errors.New("it is not signed by a witness of this collector: its public key must stand under witnesses in collector.toml")
	// ErrFork is a cosignature of another past than this trail's: evidence.
	ErrFork = errors.New("the cosigned checkpoint is not of this trail's past")
)

// Cosigned is the newest checkpoint that a witness signed.
type Cosigned struct {
	Witness    string    `json:"witness"`    // public key
	Name       string    `json:"name"`       // in it
	Size       int64     `json:"size"`       // entries
	At         time.Time `json:"at"`         // by the witness's clock, seconds
	Checkpoint []byte    `json:"checkpoint"` // with the signatures of the trail and of the witness
}

// ProveConsistency returns what a witness needs that last signed a checkpoint of old
// entries: the newest checkpoint, and the proof that it continues that one.
func (t *Trail) ProveConsistency(ctx context.Context, old int64) ([]byte, error) {
	checkpoint, tree, err := t.last(ctx)
	if err != nil {
		return nil, fmt.Errorf("prove the audit trail's past: %w", err)
	}
	if old < 0 || old > tree.N {
		return nil, fmt.Errorf("%w: it has %d entries, not %d", ErrShorter, tree.N, old)
	}
	var proof tlog.TreeProof
	if old > 0 {
		if proof, err = tlog.ProveTree(tree.N, old, t.hashes(ctx)); err != nil {
			return nil, fmt.Errorf("prove the audit trail's past: %w", err)
		}
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "old %d\n", old)
	for _, h := range proof {
		fmt.Fprintln(&out, h) // base64
	}
	out.WriteByte('\n')
	out.Write(checkpoint)
	return out.Bytes(), nil
}

// CheckpointSize returns the number of entries of a checkpoint that is signed with vkey.
func CheckpointSize(checkpoint []byte, vkey string) (int64, error) {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return 0, fmt.Errorf("the key of the trail is not a verifier key (NAME+HASH+KEY): %w", err)
	}
	tree, err := openCheckpoint(checkpoint, v)
	if err != nil {
		return 0, &Tampered{OtherKey, -1, -1, fmt.Sprintf("the checkpoint is not signed with the key given: %v", err)}
	}
	return tree.N, nil
}

// parseTaken reads what ProveConsistency gives.
func parseTaken(raw []byte) (old int64, proof tlog.TreeProof, checkpoint []byte, err error) {
	if len(raw) > maxTaken {
		return 0, nil, nil, fmt.Errorf("it has more than %d bytes", maxTaken)
	}
	head, checkpoint, ok := bytes.Cut(raw, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	number, isOld := strings.CutPrefix(lines[0], "old ")
	old, err = strconv.ParseInt(number, 10, 64)
	if !ok || !isOld || err != nil || old < 0 || strconv.FormatInt(old, 10) != number || len(lines)-1 > maxConsistency {
		return 0, nil, nil, errors.New(`it is not "old SIZE", a proof, an empty line and a checkpoint`)
	}
	for _, l := range lines[1:] {
		h, err := tlog.ParseHash(l)
		if err != nil {
			return 0, nil, nil, errors.New("a line of its proof is not a hash")
		}
		proof = append(proof, h)
	}
	return old, proof, checkpoint, nil
}

// Cosign is the witness's own act, on its own machine: it checks that what it
// took from a collector is signed with vkey and continues older, the checkpoint
// that it signed last, and signs it. The caller keeps the result durably in
// place of older before anybody else gets it. What it finds is a *Tampered; then
// older and taken are the evidence.
func Cosign(taken []byte, vkey string, older []byte, private string, now time.Time) (Cosigned, error) {
	w, err := witnessSigner(private, func() time.Time { return now })
	if err != nil {
		return Cosigned{}, fmt.Errorf("the witness's private key: %w", err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return Cosigned{}, fmt.Errorf("the key of the trail is not a verifier key (NAME+HASH+KEY): %w", err)
	}
	old, err := openCheckpoint(older, v)
	if err != nil {
		return Cosigned{}, &Tampered{OtherKey, -1, -1, fmt.Sprintf("the older checkpoint is not signed with the key given: %v", err)}
	}
	from, proof, checkpoint, err := parseTaken(taken)
	if err != nil {
		return Cosigned{}, fmt.Errorf("the collector's proof cannot be read: %w", err)
	}
	tree, err := openCheckpoint(checkpoint, v)
	switch {
	case err != nil:
		return Cosigned{}, &Tampered{OtherKey, -1, -1, fmt.Sprintf("the collector's checkpoint is not signed with the key given: %v", err)}
	case tree.N < old.N:
		return Cosigned{}, &Tampered{RolledBack, tree.N, old.N - 1, fmt.Sprintf("the trail has %d entries, but the older checkpoint already covers %d", tree.N, old.N)}
	case from != old.N:
		return Cosigned{}, fmt.Errorf("the collector's proof begins at %d entries, the older checkpoint covers %d", from, old.N)
	case !continues(old, tree, proof):
		return Cosigned{}, &Tampered{Rewritten, 0, max(0, old.N-1), "the collector's checkpoint does not continue the older one: the history was written anew by somebody who holds the key"}
	}
	n, err := note.Open(checkpoint, note.VerifierList(v))
	if err != nil {
		return Cosigned{}, err
	}
	signed, err := note.Sign(n, w)
	if err != nil {
		return Cosigned{}, err
	}
	return Cosigned{w.vkey(), w.name, tree.N, now.UTC().Truncate(time.Second), signed}, nil
}

// continues reports whether tree begins with old.
func continues(old, tree tlog.Tree, proof tlog.TreeProof) bool {
	if old.N == 0 { // every tree continues the empty one
		return len(proof) == 0
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash) == nil
}

// AddCosignature keeps a checkpoint that a witness of the configuration signed,
// unless a newer one of that witness is kept already.
func (t *Trail) AddCosignature(ctx context.Context, cosigned []byte) (Cosigned, error) {
	for _, w := range t.witnesses {
		c, err := openCosigned(cosigned, t.vkey, w)
		if err != nil {
			continue
		}
		root, err := t.rootAt(ctx, c.Size)
		if err != nil {
			return Cosigned{}, fmt.Errorf("compare a cosigned checkpoint: %w", err)
		}
		if root != c.root {
			t.log.ErrorContext(ctx, "a witness holds a checkpoint of another past than this trail's: one of the two was changed; call the auditors", "witness", w.name, "entries", c.Size)
			return Cosigned{}, ErrFork
		}
		stored, err := t.store.Cosignatures(ctx)
		if err != nil {
			return Cosigned{}, fmt.Errorf("compare a cosigned checkpoint: %w", err)
		}
		if kept, err := openCosigned(stored[w.vkey()], t.vkey, w); err == nil && kept.Size == c.Size && kept.At.After(c.At) {
			return kept.Cosigned, nil // an old signature, handed in again
		}
		if err := t.store.AddCosignature(ctx, w.vkey(), c.Size, c.Checkpoint); err != nil {
			return Cosigned{}, fmt.Errorf("keep a cosigned checkpoint: %w", err)
		}
		return c.Cosigned, nil
	}
	return Cosigned{}, ErrNotWitness
}

// rootAt is the root that this trail had with size entries; of a size it has not
// reached it is the zero hash, which no tree has.
func (t *Trail) rootAt(ctx context.Context, size int64) (tlog.Hash, error) {
	_, tree, err := t.last(ctx)
	if err != nil || size > tree.N {
		return tlog.Hash{}, err
	}
	return tlog.TreeHash(size, t.hashes(ctx))
}

// Cosignatures returns the newest checkpoint of each witness of the configuration;
// one that never came has Size 0 and no Checkpoint.
func (t *Trail) Cosignatures(ctx context.Context) ([]Cosigned, error) {
	stored, err := t.store.Cosignatures(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the cosigned checkpoints: %w", err)
	}
	var all []Cosigned
	for _, w := range t.witnesses {
		c := cosignedTree{Cosigned: Cosigned{Witness: w.vkey(), Name: w.name}}
		if raw, ok := stored[w.vkey()]; ok {
			if c, err = openCosigned(raw, t.vkey, w); err != nil {
				return nil, fmt.Errorf("the cosigned checkpoint of %s in the register does not verify: %w", w.name, err)
			}
		}
		all = append(all, c.Cosigned)
	}
	return all, nil
}

// cosignedTree is a cosigned checkpoint with the root in it.
type cosignedTree struct {
	Cosigned
	root tlog.Hash
}

// openCosigned reads a checkpoint that both the trail and the witness signed, and
// drops what others signed.
func openCosigned(raw []byte, vkey string, w *witness) (cosignedTree, error) {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return cosignedTree{}, err
	}
	tree, err := openCheckpoint(raw, v)
	if err != nil {
		return cosignedTree{}, err
	}
	n, err := note.Open(raw, note.VerifierList(v, w))
	if err != nil {
		return cosignedTree{}, err
	}
	at, ok := cosignedAt(n, w)
	if !ok {
		return cosignedTree{}, fmt.Errorf("it is not cosigned by %s", w.name)
	}
	n.UnverifiedSigs = nil
	clean, err := note.Sign(n)
	if err != nil {
		return cosignedTree{}, err
	}
	return cosignedTree{Cosigned{w.vkey(), w.name, tree.N, at, clean}, tree.Hash}, nil
}
