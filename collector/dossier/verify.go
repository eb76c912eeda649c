package dossier

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"anagrafe/collector/trail"
)

// Altered is what Verify found: the line that is not as it was written, counted
// from 1; 0 when none can be named.
type Altered struct {
	Line int
	Why  string
}

func (a *Altered) Error() string {
	if a.Line == 0 {
		return "the dossier does not verify: " + a.Why
	}
	return fmt.Sprintf("the dossier does not verify (line %d): %s", a.Line, a.Why)
}

// Verify proves offline that a dossier is as the holder of a key wrote it, byte for
// byte, and that each of its acts is on that holder's audit trail. The verifier key
// must come from outside the file. What it finds is an *Altered, which names the
// first line that differs.
func Verify(raw []byte, vkey string) (Dossier, error) {
	if vkey == "" {
		return Dossier{}, errors.New("verify the dossier: no key: give the verifier key as the force's credential or auditor has it (-key); the one inside the file proves nothing")
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return Dossier{}, fmt.Errorf("verify the dossier: the key is not a verifier key (NAME+HASH+KEY): %w", err)
	}
	lines := bytes.SplitAfter(raw, []byte("\n"))
	end := len(lines) - 1 // after the last line feed stands nothing
	switch {
	case len(lines[end]) != 0 && len(raw) > 0:
		return Dossier{}, &Altered{end + 1, "it does not end with a line feed: the file was cut short, or something was added"}
	case end < 2:
		return Dossier{}, &Altered{0, "it has fewer lines than any: it was cut short, or is no dossier"}
	}
	lines = lines[:end]
	text, hashes, err := openLast(lines[end-1], v)
	if err != nil {
		return Dossier{}, &Altered{end, "it is not a last line that was signed with the key given: " + err.Error()}
	}
	if err := compare(lines[:end-1], hashes); err != nil {
		return Dossier{}, err
	}
	d, err := read(lines[:end-1], vkey)
	if err != nil {
		return Dossier{}, err
	}
	if text != textOf(d.Head.Case, hashes) {
		return Dossier{}, &Altered{end, "what was signed is not about this case"}
	}
	return d, d.complete()
}

// openLast checks the last line: its signature, and that it is written in the one
// way in which it is written, so that no byte of it can differ.
func openLast(raw []byte, v note.Verifier) (text string, hashes []string, err error) {
	var l last
	if err := strict(raw, &l); err != nil {
		return "", nil, err
	}
	n, err := note.Open([]byte(l.Signature), note.VerifierList(v))
	if err != nil {
		return "", nil, err
	}
	// Base64 has bits that say nothing, and a note may carry further signatures.
	var again strings.Builder
	again.WriteString(n.Text + "\n")
	for _, s := range n.Sigs {
		plain, err := base64.StdEncoding.DecodeString(s.Base64)
		if err != nil {
			return "", nil, err
		}
		again.WriteString("— " + s.Name + " " + base64.StdEncoding.EncodeToString(plain) + "\n")
	}
	if again.String() != l.Signature {
		return "", nil, errors.New("its signature is written in another way than it was made")
	}
	_, after, _ := strings.Cut(n.Text, "\n")
	caseID, _, _ := strings.Cut(after, "\n")
	if n.Text != textOf(caseID, l.Lines) {
		return "", nil, errors.New("it lists other lines than were signed")
	}
	return n.Text, l.Lines, nil
}

// strict reads JSON that is written in the one way in which this package writes it.
func strict(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	again, err := json.Marshal(into)
	if err != nil {
		return err
	}
	if !bytes.Equal(append(again, '\n'), raw) {
		return errors.New("it is not written as it was made")
	}
	return nil
}

// compare finds the first line that is not the one that was signed.
func compare(lines [][]byte, hashes []string) error {
	for i, raw := range lines {
		if i >= len(hashes) {
			return &Altered{i + 1, fmt.Sprintf("it was inserted: %d lines were signed", len(hashes))}
		}
		if h := hashOf(raw); h != hashes[i] {
			why := "it is not the one that was signed"
			if i+1 < len(hashes) && h == hashes[i+1] {
				why = "the line that stood before it is missing"
			}
			return &Altered{i + 1, why}
		}
	}
	if len(lines) < len(hashes) {
		return &Altered{len(lines) + 1, fmt.Sprintf("lines are missing here: %d were signed, %d are there", len(hashes), len(lines))}
	}
	return nil
}

// read reads the lines, and proves each entry of the trail.
func read(lines [][]byte, vkey string) (d Dossier, err error) {
	if err := json.Unmarshal(lines[0], &d.Head); err != nil || d.Head.Format != format {
		return d, &Altered{1, fmt.Sprintf("it does not say %q", format)}
	}
	for i, raw := range lines[1:] {
		var l line
		if err := json.Unmarshal(raw, &l); err != nil || (l.Part == nil) == (l.Entry == nil) {
			return d, &Altered{i + 2, "it is neither a part nor an entry"}
		}
		if l.Part != nil {
			d.Parts = append(d.Parts, *l.Part)
			continue
		}
		h, err := trail.VerifyInclusion(*l.Entry, vkey)
		if err != nil {
			return d, &Altered{i + 2, err.Error()}
		}
		d.Entries = append(d.Entries, entry{h, covered(l.Entry.Checkpoint)})
	}
	return d, nil
}

// covered is the number of entries in the second line of a checkpoint that verified.
func covered(checkpoint string) (n int64) {
	_, after, _ := strings.Cut(checkpoint, "\n")
	_, _ = fmt.Sscan(after, &n)
	return n
}

// complete checks that each part that names an entry of the trail has it, and that
// the entries of each force are of one case.
func (d Dossier) complete() error {
	there := make(map[int64]bool, len(d.Entries))
	cases := make(map[string]string) // pseudonym by force
	for _, e := range d.Entries {
		there[e.Index] = true
		if had, ok := cases[e.Force]; ok && had != e.Case {
			return &Altered{0, fmt.Sprintf("entry %d of the trail is of another case", e.Index)}
		}
		cases[e.Force] = e.Case
	}
	for _, p := range d.Parts {
		if p.Index == NoEntry {
			continue
		}
		if !there[p.Index] {
			return &Altered{0, fmt.Sprintf("entry %d of the trail, by which the part of %s (%s) was done, is missing", p.Index, p.At.Format(time.RFC3339), p.Kind)}
		}
	}
	return nil
}
