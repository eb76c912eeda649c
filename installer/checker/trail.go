package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// grown is a tree that is built from the entries alone, up to the first gap.
type grown struct {
	size   int64
	hashes hashes
	kinds  []string         // of each entry
	empty  map[int64]bool   // entries without a body
	bad    map[int64]string // entries that cannot be right, and why
	gap    int64            // number of the first entry that is missing though a later one is there; -1: none
	last   int64            // number of the last entry that is there; -1: there is none
}

// hashes are the hashes of a tree in their stored order.
type hashes []tlog.Hash

// ReadHashes implements tlog.HashReader.
func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	all := make([]tlog.Hash, len(indexes))
	for i, n := range indexes {
		if n >= int64(len(h)) {
			return nil, fmt.Errorf("there is no hash %d", n)
		}
		all[i] = h[n]
	}
	return all, nil
}

// header is what the checker needs of the clear part of an entry.
type header struct {
	Index      *int64    `json:"index"`
	Kind       string    `json:"kind"`
	BodySHA256 tlog.Hash `json:"body_sha256"`
}

// grow builds the tree. An entry's leaf is the RFC 6962 hash of the SHA-256 of its
// header and the SHA-256 of its body.
func grow(rows entries) (*grown, error) {
	g := &grown{empty: map[int64]bool{}, bad: map[int64]string{}, gap: -1, last: -1}
	err := rows(func(n int64, raw, body []byte) error {
		g.last = n
		if n != g.size && g.gap < 0 {
			g.gap = g.size
		}
		var h header
		if err := json.Unmarshal(raw, &h); err != nil {
			g.bad[n] = fmt.Sprintf("its header cannot be read: %v", err)
		} else if h.Index == nil || *h.Index != n {
			g.bad[n] = "its header is that of another place"
		}
		sum := h.BodySHA256
		if len(body) == 0 {
			g.empty[n] = true
		} else if sum = sha256.Sum256(body); sum != h.BodySHA256 {
			g.bad[n] = "its body is not the one that its header names"
		}
		if g.gap >= 0 {
			return nil
		}
		of := sha256.Sum256(raw)
		more, err := tlog.StoredHashesForRecordHash(n, tlog.RecordHash(append(of[:], sum[:]...)), g.hashes)
		g.hashes = append(g.hashes, more...)
		g.kinds = append(g.kinds, h.Kind)
		g.size++
		return err
	})
	return g, err
}

// root is the root that the tree had with its first n entries.
func (g *grown) root(n int64) (tlog.Hash, error) { return tlog.TreeHash(n, g.hashes) }

// proves reports whether a checkpoint was signed over the first of these entries.
func (g *grown) proves(t tlog.Tree) (bool, error) {
	if t.N > g.size {
		return false, nil
	}
	root, err := g.root(t.N)
	return root == t.Hash, err
}

// signed reads a checkpoint (C2SP tlog-checkpoint) that v has signed.
func signed(text string, v note.Verifier) (tlog.Tree, error) {
	n, err := note.Open([]byte(text), note.VerifierList(v))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 || lines[0] != v.Name() {
		return tlog.Tree{}, fmt.Errorf("it is not a checkpoint of %s", v.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return tlog.Tree{}, fmt.Errorf("its number of entries is %q", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// trail compares the entries with their tree as it was stored, with the checkpoint
// over them, and with those that were witnessed earlier.
func (r *report) trail(told *ledger, s snapshot, g *grown, key string) error {
	v, err := note.NewVerifier(key)
	if err != nil {
		return fmt.Errorf("the trail's key: %w", err)
	}
	r.Trail.Entries = max(s.size, g.last+1)
	wrong := map[int64]bool{} // entries
	for n, why := range g.bad {
		wrong[n] = true
		r.find("entry %d of the trail: %s", n, why)
	}
	for n := range g.empty {
		if n >= s.forgotten {
			wrong[n] = true
			r.find("entry %d of the trail has no body, and none was deleted after its term", n)
		}
	}
	r.storedHashes(s, g, wrong)
	proven := int64(0) // entries that some good checkpoint covers
	for _, text := range append(told.checkpoints(), s.checkpoint) {
		tree, err := signed(text, v)
		holds := false
		if err == nil {
			r.Trail.Checkpoints++
			holds, err = g.proves(tree)
		}
		switch {
		case err != nil:
			r.Trail.Inconsistent++
			r.find("a checkpoint cannot be read: %v: %q", err, text)
		case !holds && tree.N > g.size:
			r.Trail.Inconsistent++
			r.find("a checkpoint covers %d entries, and the trail has only %d that follow each other", tree.N, g.size)
			wrongFrom(wrong, g.size, tree.N)
		case !holds:
			r.Trail.Inconsistent++
			r.find("a checkpoint over %d entries is not one over those that the trail has", tree.N)
		default:
			proven = max(proven, tree.N)
		}
	}
	if proven < r.Trail.Entries {
		r.find("no checkpoint proves the entries from %d on", proven)
		wrongFrom(wrong, proven, r.Trail.Entries)
	}
	r.Trail.Unverifiable = len(wrong)
	r.Trail.Verified = r.Trail.Entries
	for n := range wrong {
		if n < r.Trail.Entries {
			r.Trail.Verified--
		}
	}
	r.searches(told, g)
	return nil
}

func wrongFrom(wrong map[int64]bool, from, to int64) {
	for n := from; n < to; n++ {
		wrong[n] = true
	}
}

// storedHashes compares the stored tree with the one built anew: an entry is
// touched whose leaf differs, or under an inner node that alone does.
func (r *report) storedHashes(s snapshot, g *grown, wrong map[int64]bool) {
	for i, hash := range g.hashes {
		if stored, there := s.hashes[int64(i)]; there && string(stored) == string(hash[:]) {
			continue
		}
		level, n := tlog.SplitStoredHashIndex(int64(i))
		if s.follows(level, n) {
			continue // what differs is below it
		}
		r.find("the trail's hash number %d, over entries %d to %d, is not the one stored", i, n<<level, (n+1)<<level-1)
		wrongFrom(wrong, n<<level, (n+1)<<level)
	}
	if extra := len(s.hashes) - len(g.hashes); extra > 0 {
		r.find("the trail has %d hashes more than its entries make", extra)
	}
}

// follows reports whether a stored inner hash is that of the two stored below it.
func (s snapshot) follows(level int, n int64) bool {
	if level == 0 {
		return false
	}
	left, right := s.hashes[tlog.StoredHashIndex(level-1, 2*n)], s.hashes[tlog.StoredHashIndex(level-1, 2*n+1)]
	if len(left) != tlog.HashSize || len(right) != tlog.HashSize {
		return false
	}
	above := tlog.NodeHash(tlog.Hash(left), tlog.Hash(right))
	return string(above[:]) == string(s.hashes[tlog.StoredHashIndex(level, n)])
}

// checkpoints are those that were witnessed.
func (l *ledger) checkpoints() (all []string) {
	for _, e := range l.answered {
		if e.Checkpoint != "" {
			all = append(all, e.Checkpoint)
		}
	}
	return all
}

// kindSearch is what the header of a consultation says.
const kindSearch = "search"

// searches compares the answers with the entries that stood before them.
func (r *report) searches(told *ledger, g *grown) {
	r.Searches.Asked, r.Searches.Answered = len(told.asked), len(told.answered)
	by := map[int64]string{}
	for search, e := range told.answered {
		if other, taken := by[e.Entry]; taken {
			r.Searches.Lost++
			r.find("searches %s and %s were both answered as entry %d of the trail", search, other, e.Entry)
			continue
		}
		by[e.Entry] = search
		if e.Entry < 0 || e.Entry >= g.size || g.kinds[e.Entry] != kindSearch {
			r.Searches.Lost++
			r.find("search %s was answered as entry %d of the trail, which is none of a search", search, e.Entry)
		}
	}
	for _, kind := range g.kinds {
		if kind == kindSearch {
			r.Searches.Entries++
		}
	}
	if extra := r.Searches.Entries - r.Searches.Asked; extra > 0 {
		r.Searches.Doubled = extra
		r.find("the trail has %d searches more than were asked", extra)
	}
}
