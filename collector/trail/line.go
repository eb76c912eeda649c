package trail

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"
)

// A line of an export has one form, byte by byte, as encoding/json writes it:
//
//	{"index":N,"header":{...},"body":"BASE64"|null,"hashes":["BASE64",...]}
//
// It is read by its fixed parts and not as any JSON: another spelling, a field
// twice or one too many cannot hide in it, and 100,000 entries are read in the
// time that hashing them takes a few times. (In the header a quote is always
// escaped, so the fixed parts cannot stand in it.)
var (
	beforeIndex  = []byte(`{"index":`)
	beforeHeader = []byte(`,"header":`)
	beforeBody   = []byte(`,"body":`)
	beforeHashes = []byte(`,"hashes":[`)
	noBody       = []byte("null")

	errLine = errors.New("it is not written as an export writes it")

	strict = base64.StdEncoding.Strict()
)

const hashText = 44 // bytes of a hash in base64

// parseLine reads a line; what it gives refers to raw and to room, which it may use
// for the body.
func parseLine(raw, room []byte) (l line, err error) {
	rest, ok := bytes.CutPrefix(raw, beforeIndex)
	number, rest, ok1 := bytes.Cut(rest, beforeHeader)
	header, rest, ok2 := bytes.Cut(rest, beforeBody)
	body, rest, ok3 := bytes.Cut(rest, beforeHashes)
	if !ok || !ok1 || !ok2 || !ok3 {
		return line{}, errLine
	}
	if l.Index, err = strconv.ParseInt(string(number), 10, 64); err != nil || strconv.FormatInt(l.Index, 10) != string(number) {
		return line{}, errLine
	}
	l.Header = json.RawMessage(header)
	if !bytes.Equal(body, noBody) {
		if l.Body, err = unquote(body, room); err != nil || len(l.Body) == 0 {
			return line{}, errLine
		}
	}
	if l.Hashes, err = parseHashes(rest); err != nil {
		return line{}, err
	}
	return l, nil
}

// unquote decodes "BASE64", into room if it is large enough.
func unquote(text, room []byte) ([]byte, error) {
	if len(text) < 2 || text[0] != '"' || text[len(text)-1] != '"' || bytes.IndexByte(text, '\r') >= 0 || bytes.IndexByte(text, '\n') >= 0 { // Decode would skip them
		return nil, errLine
	}
	return strict.AppendDecode(room[:0], text[1:len(text)-1])
}

// parseHashes reads what follows "[".
func parseHashes(text []byte) ([]tlog.Hash, error) {
	text, ok := bytes.CutSuffix(text, []byte("]}"))
	if !ok {
		return nil, errLine
	}
	if len(text) == 0 {
		return nil, nil
	}
	const each = hashText + 2 // its quotes
	hashes := make([]tlog.Hash, 0, len(text)/each+1)
	var room [tlog.HashSize + 1]byte
	for {
		if len(text) < each {
			return nil, errLine
		}
		raw, err := unquote(text[:each], room[:])
		if err != nil || len(raw) != tlog.HashSize {
			return nil, errLine
		}
		hashes = append(hashes, tlog.Hash(raw))
		if text = text[each:]; len(text) == 0 {
			return hashes, nil
		}
		if text, ok = bytes.CutPrefix(text, []byte(",")); !ok {
			return nil, errLine
		}
	}
}
