// Package csvfile reads CSV files as office programs of different countries and the Comune's open
// data write them. It hides encodings, separators, byte order marks and decimal commas. The
// owners' import, on both sides, and those of addresses and of businesses to invite call it.
package csvfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

const maxColumns = 200

// Table is a CSV file as it was read: UTF-8 or Windows-1252, separated by
// semicolons, commas or tabs.
type Table struct {
	Encoding  string // "utf-8" or "windows-1252"
	Separator string
	Header    []string
	Rows      []Row
}

// Row is one line; Line is where it begins in the file, from 1.
type Row struct {
	Line   int
	Fields []string
}

// Problem is what is wrong with the form of a file.
type Problem struct {
	Line int    // 0: the file as a whole
	Key  string // "encoding", "empty", "quotes", "unreadable", "columns", "lines"
	Most int    // of "columns" and "lines": how many there may be
}

// Read takes a file apart. What is wrong with its form is one problem, and
// nothing of it is read. The caller bounds its size.
func Read(file []byte, maxLines int) (Table, *Problem) {
	var t Table
	whole := func(key string) (Table, *Problem) { return Table{}, &Problem{Key: key} }
	text, ok := t.decode(file)
	switch {
	case !ok:
		return whole("encoding")
	case strings.TrimSpace(text) == "":
		return whole("empty")
	}
	skipped := t.separate(&text)
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, _ = utf8.DecodeRuneInString(t.Separator)
	r.FieldsPerRecord = -1
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if bad, ok := errors.AsType[*csv.ParseError](err); ok {
			return Table{}, &Problem{Line: bad.StartLine + skipped, Key: "quotes"}
		} else if err != nil {
			return whole("unreadable")
		}
		line, _ := r.FieldPos(0)
		if Blank(fields) {
			continue
		}
		if len(fields) > maxColumns {
			return Table{}, &Problem{Line: line + skipped, Key: "columns", Most: maxColumns}
		}
		if t.Header == nil {
			t.Header = fields
			continue
		}
		if len(t.Rows) == maxLines {
			return Table{}, &Problem{Key: "lines", Most: maxLines}
		}
		t.Rows = append(t.Rows, Row{line + skipped, fields})
	}
	if len(t.Rows) == 0 {
		return whole("empty")
	}
	return t, nil
}

// decode returns the file as text. What is no UTF-8 is taken for Windows-1252,
// which Excel writes in Italy; five of its bytes stand for nothing.
func (t *Table) decode(file []byte) (string, bool) {
	file = bytes.TrimPrefix(file, []byte("\ufeff"))
	t.Encoding = "utf-8"
	if !utf8.Valid(file) {
		t.Encoding = "windows-1252"
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
func (t *Table) separate(text *string) (skipped int) {
	first, rest, _ := strings.Cut(*text, "\n")
	if s, ok := strings.CutPrefix(strings.ToLower(strings.TrimRight(first, "\r")), "sep="); ok && len(s) == 1 && strings.Contains(";,\t", s) {
		t.Separator, *text = s, rest
		return 1
	}
	header := strings.TrimLeft(*text, "\r\n")
	header, _, _ = strings.Cut(header, "\n")
	t.Separator = ";"
	for _, s := range []string{",", "\t"} {
		if strings.Count(header, s) > strings.Count(header, t.Separator) {
			t.Separator = s
		}
	}
	return 0
}

// Blank reports whether nothing stands in any of the fields.
func Blank(fields []string) bool {
	for _, f := range fields {
		if strings.TrimSpace(f) != "" {
			return false
		}
	}
	return true
}

// ColumnName is how names are compared: "Larghezza (px)" is "larghezza_px".
func ColumnName(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), "_")
}

// decimalForm is a number as people type it: no exponent, no thousands.
var decimalForm = regexp.MustCompile(`^[+-]?[0-9]{1,12}([.,][0-9]{1,15})?$`)

// Number reads a number with a decimal point or comma; a degree sign may follow.
func Number(typed string) (float64, bool) {
	typed = strings.TrimSpace(strings.TrimSuffix(typed, "°"))
	if !decimalForm.MatchString(typed) {
		return 0, false
	}
	f, err := strconv.ParseFloat(strings.Replace(typed, ",", ".", 1), 64)
	return f, err == nil
}
