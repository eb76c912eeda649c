package join

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Limits of a file.
const (
	maxFile     = 16 << 20
	maxLines    = 20_000
	maxColumns  = 200
	maxProblems = 1000 // that a report names one by one
)

// table is a CSV file as it was read: UTF-8 or Windows-1252, separated by
// semicolons, commas or tabs, as office programs of different countries write it.
type table struct {
	encoding  string // "utf-8" or "windows-1252"
	separator string
	header    []string
	rows      []row
}

// row is one line; line is where it begins in the file, from 1.
type row struct {
	line   int
	fields []string
}

// problem is what is wrong with one value of a file: where, and the key of the
// words that say what, and what to do.
type problem struct {
	line   int // 0: the file as a whole
	column string
	key    string
	pairs  []any
}

// readTable takes a file apart. What is wrong with its form is one problem, and
// nothing of it is read.
func readTable(file []byte) (table, *problem) {
	var t table
	whole := func(key string, pairs ...any) (table, *problem) { return table{}, &problem{key: key, pairs: pairs} }
	text, ok := t.decode(file)
	switch {
	case !ok:
		return whole("encoding")
	case strings.TrimSpace(text) == "":
		return whole("empty")
	}
	skipped := t.separate(&text)
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, _ = utf8.DecodeRuneInString(t.separator)
	r.FieldsPerRecord = -1
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if bad, ok := errors.AsType[*csv.ParseError](err); ok {
			return table{}, &problem{line: bad.StartLine + skipped, key: "quotes"}
		} else if err != nil {
			return whole("unreadable")
		}
		line, _ := r.FieldPos(0)
		if blank(fields) {
			continue
		}
		if len(fields) > maxColumns {
			return table{}, &problem{line: line + skipped, key: "columns", pairs: []any{"n", maxColumns}}
		}
		if t.header == nil {
			t.header = fields
			continue
		}
		if len(t.rows) == maxLines {
			return whole("lines", "n", maxLines)
		}
		t.rows = append(t.rows, row{line + skipped, fields})
	}
	if len(t.rows) == 0 {
		return whole("empty")
	}
	return t, nil
}

// decode gives the file as text. What is no UTF-8 is taken for Windows-1252,
// which Excel writes in Italy; five of its bytes stand for nothing.
func (t *table) decode(file []byte) (string, bool) {
	file = bytes.TrimPrefix(file, []byte("\ufeff"))
	t.encoding = "utf-8"
	if !utf8.Valid(file) {
		t.encoding = "windows-1252"
		var err error
		if file, err = charmap.Windows1252.NewDecoder().Bytes(file); err != nil {
			return "", false
		}
	}
	text := string(file)
	return text, !strings.ContainsFunc(text, func(r rune) bool {
		return r == utf8.RuneError || unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r'
	})
}

// separate finds the separator: what Excel's first line "sep=;" says, which is
// taken off, else what stands most often in the header. It tells how many lines
// it took off.
func (t *table) separate(text *string) (skipped int) {
	first, rest, _ := strings.Cut(*text, "\n")
	if s, ok := strings.CutPrefix(strings.ToLower(strings.TrimRight(first, "\r")), "sep="); ok && len(s) == 1 && strings.Contains(";,\t", s) {
		t.separator, *text = s, rest
		return 1
	}
	header := strings.TrimLeft(*text, "\r\n")
	header, _, _ = strings.Cut(header, "\n")
	t.separator = ";"
	for _, s := range []string{",", "\t"} {
		if strings.Count(header, s) > strings.Count(header, t.separator) {
			t.separator = s
		}
	}
	return 0
}

func blank(fields []string) bool {
	for _, f := range fields {
		if strings.TrimSpace(f) != "" {
			return false
		}
	}
	return true
}
