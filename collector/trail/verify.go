package trail

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"anagrafe/collector/act"
)

// Tampering names what was done to a trail.
type Tampering string

const (
	Edited     Tampering = "edit"
	Deleted    Tampering = "delete"
	Inserted   Tampering = "insert"
	Reordered  Tampering = "reorder"
	Truncated  Tampering = "truncate"
	RolledBack Tampering = "roll-back" // the export is older than the checkpoint that it is checked against
	Rewritten  Tampering = "rewrite"   // signed again over another past than the older checkpoint's
	OtherKey   Tampering = "key"       // not signed with the key given
	Unseen     Tampering = "witness"   // no checkpoint in it is cosigned by the witness asked for
)

// Tampered is what Verify found, and the entries that it touches: First to
// Last, both included. Both are -1 when no entry can be named.
type Tampered struct {
	Kind        Tampering
	First, Last int64
	Why         string
}

func (t *Tampered) Error() string {
	switch {
	case t.First < 0:
		return fmt.Sprintf("the audit trail does not verify (%s): %s", t.Kind, t.Why)
	case t.First == t.Last:
		return fmt.Sprintf("the audit trail does not verify (%s, entry %d): %s", t.Kind, t.First, t.Why)
	}
	return fmt.Sprintf("the audit trail does not verify (%s, entries %d to %d): %s", t.Kind, t.First, t.Last, t.Why)
}

// Report is what an export holds, once it is proven whole.
type Report struct {
	Size          int64              `json:"size"` // entries, all of them covered by the checkpoint
	Root          string             `json:"root"` // base64
	OlderSize     int64              `json:"older_size"`
	From          time.Time          `json:"from,omitzero"` // time of the first and of the last entry
	Until         time.Time          `json:"until,omitzero"`
	Sealed        int64              `json:"sealed"`
	BodiesDeleted int64              `json:"bodies_deleted"`
	Kinds         map[act.Kind]int64 `json:"kinds"`
	Forces        map[string]int64   `json:"forces"` // "" is the Comune
	Witnesses     []witnessed        `json:"witnesses,omitempty"`
}

// witnessed is how far a witness that was asked for has seen this same trail.
type witnessed struct {
	Name string    `json:"name"`
	Size int64     `json:"size"` // entries
	At   time.Time `json:"at"`   // by the witness's clock
}

// Verify proves offline that an export is the whole trail, unchanged: every
// entry under a checkpoint that is signed with vkey, and the tree of an older
// checkpoint as its beginning. Key and older checkpoint must come from outside
// the collector's data directory; without either it fails. Each of the witnesses
// (public keys, from outside as well) must have cosigned a checkpoint of this same
// trail; how long ago is for the reader to judge. What it finds is a *Tampered.
func Verify(export io.Reader, vkey string, older []byte, witnesses ...string) (Report, error) {
	if vkey == "" {
		return Report{}, errors.New("verify the audit trail: no key: give the verifier key that was taken down when the trail began (-key); the one inside the export proves nothing")
	}
	if len(older) == 0 {
		return Report{}, errors.New("verify the audit trail: no older checkpoint: give one that was kept outside the collector (-checkpoint); without it a shortened trail looks whole")
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return Report{}, fmt.Errorf("verify the audit trail: the key is not a verifier key (NAME+HASH+KEY): %w", err)
	}
	old, err := openCheckpoint(older, v)
	if err != nil {
		return Report{}, &Tampered{OtherKey, -1, -1, fmt.Sprintf("the older checkpoint is not signed with the key given: %v", err)}
	}
	x, err := readExport(export)
	if err != nil {
		return Report{}, fmt.Errorf("verify the audit trail: %w", err)
	}
	tree, err := openCheckpoint([]byte(x.first.Checkpoint), v)
	if err != nil {
		return Report{}, &Tampered{OtherKey, -1, -1, fmt.Sprintf("the export's checkpoint is not signed with the key given: %v", err)}
	}
	switch {
	case strings.TrimSpace(x.first.VerifierKey) != strings.TrimSpace(vkey):
		return Report{}, &Tampered{OtherKey, -1, -1, "the first line of the export names another key"}
	case x.first.Size != tree.N:
		return Report{}, &Tampered{Edited, -1, -1, fmt.Sprintf("the first line of the export says %d entries, and its checkpoint %d", x.first.Size, tree.N)}
	case tree.N < old.N:
		return Report{}, &Tampered{RolledBack, tree.N, old.N - 1, fmt.Sprintf("the export ends after %d entries, but the older checkpoint already covers %d", tree.N, old.N)}
	}
	c := &check{in: x, tree: tree, old: old, edge: edge{}, report: Report{
		Size: tree.N, Root: tree.Hash.String(), OlderSize: old.N,
		Kinds: map[act.Kind]int64{}, Forces: map[string]int64{},
	}}
	c.marks = []mark{{Tree: old, kind: Rewritten, why: "the checkpoint is signed with the right key, but over another past than the older checkpoint: the " +
		"history was written anew by somebody who holds the key"}}
	if err := c.witnesses(vkey, witnesses); err != nil {
		return Report{}, err
	}
	if err := c.run(); err != nil {
		return Report{}, err
	}
	return c.report, nil
}

// mark is a tree that the export must have had on its way.
type mark struct {
	tlog.Tree
	holds bool
	kind  Tampering // what it is when it had not
	why   string
}

// witnesses finds the cosigned checkpoint of each witness that is asked for.
func (c *check) witnesses(vkey string, asked []string) error {
	for _, key := range asked {
		w, err := parseWitness(key)
		if err != nil {
			return fmt.Errorf("verify the audit trail: the witness %q: %w", key, err)
		}
		i := slices.IndexFunc(c.in.first.Cosigned, func(raw string) bool {
			_, err := openCosigned([]byte(raw), vkey, w)
			return err == nil
		})
		if i < 0 {
			// Said last: what was done to the entries names them.
			c.unseen = &Tampered{Unseen, -1, -1, fmt.Sprintf("the export holds no checkpoint that %s has cosigned: either it never came, or what it signed was removed", w.name)}
			continue
		}
		seen, err := openCosigned([]byte(c.in.first.Cosigned[i]), vkey, w)
		if err != nil {
			return fmt.Errorf("verify the audit trail: %w", err)
		}
		if seen.Size > c.tree.N {
			return &Tampered{RolledBack, c.tree.N, seen.Size - 1, fmt.Sprintf("the export ends after %d entries, but %s has seen %d", c.tree.N, w.name, seen.Size)}
		}
		c.marks = append(c.marks, mark{Tree: tlog.Tree{N: seen.Size, Hash: seen.root}, kind: Rewritten,
			why: fmt.Sprintf("the checkpoint is signed with the right key, but over another past than the one that %s has cosigned", w.name)})
		c.report.Witnesses = append(c.report.Witnesses, witnessed{w.name, seen.Size, seen.At})
	}
	return nil
}

// check walks through an export and builds its tree anew.
type check struct {
	in        *reader
	tree, old tlog.Tree
	edge      edge
	report    Report
	marks     []mark    // the older checkpoint first
	unseen    *Tampered // a witness whose signature is missing; nil: none
}

func (c *check) run() error {
	for n := int64(0); ; n++ {
		if err := c.pass(n); err != nil {
			return err
		}
		l, err := c.in.next()
		var bad *unreadable
		switch {
		case errors.Is(err, io.EOF):
			return c.end(n)
		case errors.As(err, &bad):
			return c.classify(n, line{Index: n}, fmt.Sprintf("its line cannot be read: %v", err))
		case err != nil:
			return fmt.Errorf("verify the audit trail: %w", err)
		case n >= c.tree.N:
			return &Tampered{Inserted, n, n, fmt.Sprintf("the checkpoint covers %d entries, and this one follows them", c.tree.N)}
		}
		if why := c.entry(n, l); why != "" {
			return c.classify(n, l, why)
		}
		if err := c.inner(n, l); err != nil {
			return err
		}
	}
}

// pass compares the tree of the first n entries with the marks of that size.
func (c *check) pass(n int64) error {
	for i := range c.marks {
		if m := &c.marks[i]; m.N == n {
			root, err := tlog.TreeHash(n, c.edge)
			if err != nil {
				return fmt.Errorf("verify the audit trail: %w", err)
			}
			m.holds = root == m.Hash
		}
	}
	return nil
}

// entry checks one line by itself and against its leaf, and says what is wrong.
func (c *check) entry(n int64, l line) string {
	h, err := decodeHeader(l.Header)
	switch {
	case err != nil:
		return fmt.Sprintf("its header cannot be read: %v", err)
	case l.Index != n || h.Index != n:
		return fmt.Sprintf("entry %d stands in the place of entry %d", h.Index, n)
	case len(l.Body) > 0 && sha256.Sum256(l.Body) != h.BodySHA256:
		return "its body is not the one that its header was written with"
	case len(l.Hashes) == 0:
		return "its hash is missing"
	case leaf(l.Header, h.BodySHA256) != l.Hashes[0]:
		return "its header is not the one that was recorded"
	}
	c.count(h, l)
	return ""
}

func (c *check) count(h Header, l line) {
	r := &c.report
	if r.From.IsZero() {
		r.From = h.At
	}
	r.Until = h.At
	r.Kinds[h.Kind]++
	r.Forces[h.Force]++
	if h.Sealed {
		r.Sealed++
	}
	if len(l.Body) == 0 {
		r.BodiesDeleted++
	}
}

// inner adds the leaf to the tree built anew, and compares the inner nodes it
// completes with those that were stored at the time: where the first differs,
// an entry below it was replaced together with its own hash.
func (c *check) inner(n int64, l line) error {
	hashes, err := c.edge.add(n, l.Hashes[0])
	if err != nil {
		return fmt.Errorf("verify the audit trail: %w", err)
	}
	for level, h := range hashes {
		if level >= len(l.Hashes) || l.Hashes[level] != h {
			return &Tampered{Edited, n + 1 - 1<<level, n, "one of these entries was replaced together with its own hash"}
		}
	}
	if len(l.Hashes) != len(hashes) {
		return &Tampered{Edited, n, n, "its line holds more hashes than the tree has"}
	}
	return nil
}

// classify reports what kind of change made entry n differ, by what follows it.
func (c *check) classify(n int64, l line, why string) error {
	index := l.Index
	if h, err := decodeHeader(l.Header); err == nil {
		index = h.Index
	}
	later := false // entry n turns up further down
	for {
		next, err := c.in.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if bad := (*unreadable)(nil); err != nil && !errors.As(err, &bad) {
			return fmt.Errorf("verify the audit trail: %w", err)
		}
		if h, err := decodeHeader(next.Header); err == nil && h.Index == n {
			later = true
		}
	}
	switch {
	case c.in.read > c.tree.N:
		return &Tampered{Inserted, n, n, fmt.Sprintf("the export has %d entries more than its checkpoint, and the first that does not belong is here: %s", c.in.read-c.tree.N, why)}
	case later:
		return &Tampered{Reordered, n, max(n, index), why}
	case c.in.read < c.tree.N && index > n:
		return &Tampered{Deleted, n, index - 1, fmt.Sprintf("entry %d follows entry %d", index, n-1)}
	case c.in.read < c.tree.N:
		return &Tampered{Deleted, n, n, fmt.Sprintf("the export has %d entries fewer than its checkpoint, and the first difference is here: %s", c.tree.N-c.in.read, why)}
	}
	return &Tampered{Edited, n, n, why}
}

// end checks that nothing is missing after the last line and that the roots agree.
func (c *check) end(n int64) error {
	if n < c.tree.N {
		return &Tampered{Truncated, n, c.tree.N - 1, fmt.Sprintf("the export ends after %d entries, but its checkpoint covers %d", n, c.tree.N)}
	}
	root, err := tlog.TreeHash(n, c.edge)
	if err != nil {
		return fmt.Errorf("verify the audit trail: %w", err)
	}
	if !bytes.Equal(root[:], c.tree.Hash[:]) {
		// Entries and all hashes were replaced: only the older checkpoint tells where.
		if c.marks[0].holds && c.old.N < n {
			return &Tampered{Edited, c.old.N, n - 1, "the entries are not those that the checkpoint was signed over; those before them are as the older checkpoint has them"}
		}
		return &Tampered{Edited, 0, max(0, min(c.old.N, n)-1), "the entries are not those that the checkpoint was signed over, nor those of the older checkpoint"}
	}
	for _, m := range c.marks {
		if !m.holds {
			return &Tampered{m.kind, 0, max(0, m.N-1), m.why}
		}
	}
	if c.unseen != nil {
		return c.unseen
	}
	return nil
}
