package registry

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"time"

	"filippo.io/age"
)

// An archive is the file of a backup: tables, engine-neutral, as a stream of
// records, compressed (gzip), encrypted to public keys (age, which also notices
// each changed or missing byte). A record is one byte for its kind, its length
// (uvarint) and its content:
//
//	h  JSON of archiveHeader, first
//	t  the next table begins, as the header lists them; empty
//	r  a row: for each column one byte for its type (see appendValue) and the value
//	e  JSON of archiveEnd, last: rows of each table, and the SHA-256 of all before

const (
	archiveFormat = 1
	maxRecord     = 32 << 20 // a declaration is at most 1 MiB

	kindRegister = "register" // all tables but the data keys
	kindKeys     = "keys"     // the data keys, and the files of keys
)

var (
	// ErrDamaged is returned for an archive that is not whole.
	ErrDamaged = errors.New("the file is damaged or cut short: take another copy of it")
	// errWrongKey is returned for an archive that is encrypted to another key.
	errWrongKey = errors.New("the file cannot be opened with this key: give the private key whose public half the backup was made for (or the file's first lines are damaged: take another copy of it)")
	// errNewerArchive is returned for an archive of a newer program.
	errNewerArchive = errors.New("the file was written by a newer version of this program: restore it with that one")
)

// ArchiveInfo is what an archive says of itself.
type ArchiveInfo struct {
	Kind    string    `json:"kind"`
	ID      string    `json:"id"`      // of this backup, random
	At      time.Time `json:"at"`      // of the state that it holds
	Schema  int64     `json:"schema"`  // of the register
	Version string    `json:"version"` // of the program
	// Ledger is how far the ledger of erasures had come.
	Ledger ledgerHead `json:"ledger"`
}

type archiveHeader struct {
	Format int `json:"format"`
	ArchiveInfo
	Tables []table `json:"tables"`
}

type archiveEnd struct {
	Rows   []int64 `json:"rows"` // of each table
	SHA256 []byte  `json:"sha256"`
}

// archiveWriter writes an archive.
type archiveWriter struct {
	sealed, zipped io.WriteCloser
	out            *bufio.Writer
	sum            hash.Hash
	rows           []int64
	buffer         []byte
}

func newArchive(out io.Writer, to []age.Recipient, h archiveHeader) (*archiveWriter, error) {
	sealed, err := age.Encrypt(out, to...)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	zipped, err := gzip.NewWriterLevel(sealed, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	w := &archiveWriter{sealed: sealed, zipped: zipped, out: bufio.NewWriterSize(zipped, 64<<10), sum: sha256.New()}
	h.Format = archiveFormat
	head, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	return w, w.record('h', head)
}

func (w *archiveWriter) record(kind byte, content []byte) error {
	var head [1 + binary.MaxVarintLen64]byte
	head[0] = kind
	n := 1 + binary.PutUvarint(head[1:], uint64(len(content)))
	for _, b := range [][]byte{head[:n], content} {
		w.sum.Write(b) // never an error
		if _, err := w.out.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// table begins the next of the header's tables.
func (w *archiveWriter) table() error {
	w.rows = append(w.rows, 0)
	return w.record('t', nil)
}

// row writes values as database/sql gives them.
func (w *archiveWriter) row(values []any) (err error) {
	w.buffer = w.buffer[:0]
	for _, v := range values {
		if w.buffer, err = appendValue(w.buffer, v); err != nil {
			return err
		}
	}
	if len(w.buffer) > maxRecord {
		return fmt.Errorf("a row has %d bytes, %d at most can be backed up", len(w.buffer), maxRecord)
	}
	w.rows[len(w.rows)-1]++
	return w.record('r', w.buffer)
}

// close completes the archive; without it, it is one that was cut short.
func (w *archiveWriter) close() error {
	end, err := json.Marshal(archiveEnd{w.rows, w.sum.Sum(nil)})
	if err != nil {
		return err
	}
	if err := w.record('e', end); err != nil {
		return err
	}
	if err := w.out.Flush(); err != nil {
		return err
	}
	if err := w.zipped.Close(); err != nil {
		return err
	}
	return w.sealed.Close()
}

// archiveReader reads an archive. Its errors wrap ErrDamaged, but for those of
// opening it.
type archiveReader struct {
	archiveHeader
	in     *bufio.Reader // of the records
	sum    hash.Hash
	rows   []int64
	buffer []byte
}

// openArchive reads as far as the header.
func openArchive(in io.Reader, keys []age.Identity) (*archiveReader, error) {
	plain, err := age.Decrypt(in, keys...)
	if _, ok := errors.AsType[*age.NoIdentityMatchError](err); ok {
		return nil, errWrongKey
	}
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrDamaged, err)
	}
	unzipped, err := gzip.NewReader(plain)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrDamaged, err)
	}
	return openRecords(unzipped)
}

func openRecords(in io.Reader) (*archiveReader, error) {
	r := &archiveReader{in: bufio.NewReaderSize(in, 64<<10), sum: sha256.New()}
	kind, content, err := r.record()
	if err != nil {
		return nil, err
	}
	var version struct {
		Format int `json:"format"`
	}
	if kind != 'h' || json.Unmarshal(content, &version) != nil || version.Format < 1 {
		return nil, fmt.Errorf("%w (it is no backup of a register)", ErrDamaged)
	}
	if version.Format > archiveFormat {
		return nil, errNewerArchive
	}
	if err := json.Unmarshal(content, &r.archiveHeader); err != nil {
		return nil, fmt.Errorf("%w (its header cannot be read)", ErrDamaged)
	}
	return r, nil
}

// record reads one, valid until the next.
func (r *archiveReader) record() (kind byte, content []byte, err error) {
	if kind, err = r.in.ReadByte(); err != nil {
		return 0, nil, fmt.Errorf("%w (%w)", ErrDamaged, noEOF(err))
	}
	n, err := binary.ReadUvarint(r.in)
	if err != nil || n > maxRecord {
		return 0, nil, fmt.Errorf("%w (the length of a record cannot be read)", ErrDamaged)
	}
	if uint64(cap(r.buffer)) < n {
		r.buffer = make([]byte, n)
	}
	content = r.buffer[:n]
	if _, err := io.ReadFull(r.in, content); err != nil {
		return 0, nil, fmt.Errorf("%w (%w)", ErrDamaged, noEOF(err))
	}
	if kind != 'e' {
		var head [1 + binary.MaxVarintLen64]byte
		head[0] = kind
		r.sum.Write(head[:1+binary.PutUvarint(head[1:], n)])
		r.sum.Write(content)
	}
	return kind, content, nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// next returns a row and the number of its table among the header's; io.EOF after
// the last, when all is found whole. The row is valid until the next.
func (r *archiveReader) next() (number int, row []any, err error) {
	for {
		kind, content, err := r.record()
		if err != nil {
			return 0, nil, err
		}
		switch {
		case kind == 't' && len(content) == 0 && len(r.rows) < len(r.Tables):
			r.rows = append(r.rows, 0)
		case kind == 'r' && len(r.rows) > 0:
			number = len(r.rows) - 1
			r.rows[number]++
			row, err = readRow(content, len(r.Tables[number].Columns))
			return number, row, err
		case kind == 'e':
			return 0, nil, r.end(content)
		default:
			return 0, nil, fmt.Errorf("%w (a record stands where none can)", ErrDamaged)
		}
	}
}

func (r *archiveReader) end(content []byte) error {
	var e archiveEnd
	if err := json.Unmarshal(content, &e); err != nil || len(e.Rows) != len(r.Tables) || len(r.rows) != len(r.Tables) {
		return fmt.Errorf("%w (its end cannot be read)", ErrDamaged)
	}
	for i := range e.Rows {
		if e.Rows[i] != r.rows[i] {
			return fmt.Errorf("%w (it has %d rows of %s, and says %d)", ErrDamaged, r.rows[i], r.Tables[i].Name, e.Rows[i])
		}
	}
	if string(e.SHA256) != string(r.sum.Sum(nil)) {
		return fmt.Errorf("%w (its SHA-256 is another)", ErrDamaged)
	}
	switch _, err := r.in.ReadByte(); { // reads the ends of gzip and age, which check themselves
	case err == nil:
		return fmt.Errorf("%w (something follows its end)", ErrDamaged)
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("%w (%w)", ErrDamaged, err)
	}
	return io.EOF
}

// Types of values.
const (
	valueNull  = 'n'
	valueInt   = 'i' // varint
	valueReal  = 'd' // IEEE 754, 8 bytes, big endian
	valueText  = 't' // uvarint length, UTF-8
	valueBytes = 'b' // uvarint length
	valueFalse = '0'
	valueTrue  = '1'
)

func appendValue(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, valueNull), nil
	case int64:
		return binary.AppendVarint(append(b, valueInt), v), nil
	case float64:
		return binary.BigEndian.AppendUint64(append(b, valueReal), math.Float64bits(v)), nil
	case string:
		return append(binary.AppendUvarint(append(b, valueText), uint64(len(v))), v...), nil
	case []byte:
		return append(binary.AppendUvarint(append(b, valueBytes), uint64(len(v))), v...), nil
	case bool:
		if v {
			return append(b, valueTrue), nil
		}
		return append(b, valueFalse), nil
	default:
		return nil, fmt.Errorf("a value of type %T cannot be backed up", v)
	}
}

// readRow reads exactly so many values.
func readRow(b []byte, columns int) ([]any, error) {
	row := make([]any, columns)
	for i := range row {
		var ok bool
		if row[i], b, ok = readValue(b); !ok {
			return nil, fmt.Errorf("%w (a row cannot be read)", ErrDamaged)
		}
	}
	if len(b) > 0 {
		return nil, fmt.Errorf("%w (a row has more values than its table columns)", ErrDamaged)
	}
	return row, nil
}

func readValue(b []byte) (v any, rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, nil, false
	}
	kind, b := b[0], b[1:]
	switch kind {
	case valueNull:
		return nil, b, true
	case valueFalse, valueTrue:
		return kind == valueTrue, b, true
	case valueInt:
		n, size := binary.Varint(b)
		if size <= 0 {
			return nil, nil, false
		}
		return n, b[size:], true
	case valueReal:
		if len(b) < 8 {
			return nil, nil, false
		}
		return math.Float64frombits(binary.BigEndian.Uint64(b)), b[8:], true
	case valueText, valueBytes:
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return nil, nil, false
		}
		content, rest := b[size:uint64(size)+n], b[uint64(size)+n:]
		if kind == valueText {
			return string(content), rest, true
		}
		return append([]byte{}, content...), rest, true
	}
	return nil, nil, false
}
