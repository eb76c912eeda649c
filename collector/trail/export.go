package trail

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	format      = "anagrafe-trail/1"
	exportChunk = 128     // entries read from the store at once: at most 128 bodies in memory
	maxLine     = 8 << 20 // bytes of one line of an export: a body of 4 MiB in base64, and its header
)

// first is the first line of an export.
type first struct {
	Format      string `json:"format"`
	VerifierKey string `json:"verifier_key"`
	Size        int64  `json:"size"`
	Checkpoint  string `json:"checkpoint"`
	// Cosigned are the newest checkpoints of the witnesses, with their signatures.
	Cosigned []string `json:"cosigned,omitempty"`
}

// line is one entry of an export.
type line struct {
	Index  int64           `json:"index"`
	Header json.RawMessage `json:"header"`
	Body   []byte          `json:"body"`
	Hashes []tlog.Hash     `json:"hashes"`
}

// Export streams the trail as it stands at its last checkpoint, in the format
// of the package comment. Entries that are appended meanwhile are left out.
func (t *Trail) Export(ctx context.Context, w io.Writer) error {
	if err := t.export(ctx, w); err != nil {
		return fmt.Errorf("export the audit trail: %w", err)
	}
	return nil
}

func (t *Trail) export(ctx context.Context, w io.Writer) error {
	cosigned, err := t.Cosignatures(ctx) // before the checkpoint, which then covers them
	if err != nil {
		return err
	}
	checkpoint, tree, err := t.last(ctx)
	if err != nil {
		return err
	}
	top := first{Format: format, VerifierKey: t.vkey, Size: tree.N, Checkpoint: string(checkpoint)}
	for _, c := range cosigned {
		if len(c.Checkpoint) > 0 {
			top.Cosigned = append(top.Cosigned, string(c.Checkpoint))
		}
	}
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out) // one value a line
	if err := enc.Encode(top); err != nil {
		return err
	}
	for from := int64(0); from < tree.N; from += exportChunk {
		if err := t.exportChunk(ctx, enc, from, min(from+exportChunk, tree.N)); err != nil {
			return err
		}
	}
	return out.Flush()
}

func (t *Trail) exportChunk(ctx context.Context, enc *json.Encoder, from, to int64) error {
	headers, bodies, err := t.store.Entries(ctx, from, to)
	if err != nil {
		return err
	}
	// What is missing or damaged is exported as it is: Verify is who names it.
	var indexes []int64
	for i := tlog.StoredHashCount(from); i < tlog.StoredHashCount(to); i++ {
		indexes = append(indexes, i)
	}
	hashes, err := storedHashes(ctx, t.store.Hashes, indexes)
	if err != nil {
		return err
	}
	for i, header := range headers {
		n := from + int64(i)
		l := line{Index: n, Header: header, Hashes: hashes[:tlog.StoredHashCount(n+1)-tlog.StoredHashCount(n)]}
		hashes = hashes[len(l.Hashes):]
		if i < len(bodies) && len(bodies[i]) > 0 {
			l.Body = bodies[i]
		}
		if !json.Valid(header) {
			l.Header, _ = json.Marshal(string(header)) // a string is no header, so Verify stops at this entry
		}
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

// reader reads an export line by line.
type reader struct {
	scanner *bufio.Scanner
	first   first
	read    int64  // entries read so far
	room    []byte // of the last body
}

func readExport(r io.Reader) (*reader, error) {
	x := &reader{scanner: bufio.NewScanner(r)}
	x.scanner.Buffer(make([]byte, 64<<10), maxLine)
	if !x.scanner.Scan() {
		if err := x.scanner.Err(); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("the export is empty")
	}
	if err := json.Unmarshal(x.scanner.Bytes(), &x.first); err != nil || x.first.Format != format {
		return nil, fmt.Errorf("this is not an export of the audit trail: its first line does not say %q", format)
	}
	if canonical, err := json.Marshal(x.first); err != nil || !bytes.Equal(canonical, x.scanner.Bytes()) {
		return nil, &Tampered{Edited, -1, -1, "the first line of the export is not written as an export writes it"}
	}
	return x, nil
}

// next returns the next entry, good until the one after it is read; io.EOF after the
// last.
func (x *reader) next() (line, error) {
	if !x.scanner.Scan() {
		if err := x.scanner.Err(); err != nil {
			return line{}, fmt.Errorf("read the line after entry %d: %w", x.read-1, err)
		}
		return line{}, io.EOF
	}
	x.read++
	l, err := parseLine(x.scanner.Bytes(), x.room)
	if err != nil {
		return line{}, &unreadable{err}
	}
	if l.Body != nil {
		x.room = l.Body // for the next one
	}
	return l, nil
}

// unreadable is a line that is there but is no entry.
type unreadable struct{ err error }

func (u *unreadable) Error() string { return u.err.Error() }
