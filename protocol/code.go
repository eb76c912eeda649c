package protocol

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// codeAlphabet is base32 without look-alikes: no I, L, O, U. A person who types one of
// the first three meant 1, 1 or 0.
const codeAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// codeSymbols are random, 5 bits each: 60 bits. One check character follows.
const codeSymbols = 12

// errCode is what every error of ParseCode and ParseLink wraps.
var errCode = errors.New("not an enrolment code")

// Code is a code that a person types: 60 random bits and a check character. It
// enrols an agent, once, or is the owner's of a site. The zero value is no code.
type Code struct{ s string }

// CodeBytes is how many bytes a code is made from: five bits of each are used.
const CodeBytes = codeSymbols

// NewCode makes a random code.
func NewCode() Code {
	var b [CodeBytes]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return CodeOf(b)
}

// CodeOf makes the code of these bytes, which must be as good as random: the
// start of a keyed hash, for a code that can be given again (the owner's).
func CodeOf(b [CodeBytes]byte) Code {
	s := make([]byte, codeSymbols)
	for i := range b {
		s[i] = codeAlphabet[b[i]%32]
	}
	return Code{string(append(s, checkSymbol(string(s))))}
}

// ParseCode reads a code as a person types it: case, spaces, dots and hyphens
// do not matter. One wrong character, or two neighbours swapped, is always
// found. Errors never repeat what was typed.
func ParseCode(s string) (Code, error) {
	var clean strings.Builder
	for _, r := range strings.ToUpper(s) {
		switch r {
		case ' ', '\t', '\n', '\r', '-', '.', '_', '\u00a0', '\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2212':
			continue
		case 'O':
			r = '0'
		case 'I', 'L':
			r = '1'
		}
		if !strings.ContainsRune(codeAlphabet, r) {
			return Code{}, fmt.Errorf("%w: it holds a character that no code has; codes are letters and digits without I, L, O and U", errCode)
		}
		if clean.Len() > codeSymbols {
			return Code{}, fmt.Errorf("%w: it is longer than %d characters", errCode, codeSymbols+1)
		}
		clean.WriteRune(r)
	}
	c := clean.String()
	if len(c) != codeSymbols+1 {
		return Code{}, fmt.Errorf("%w: it has %d characters of %d", errCode, len(c), codeSymbols+1)
	}
	if checkSymbol(c[:codeSymbols]) != c[codeSymbols] {
		return Code{}, fmt.Errorf("%w: one character is wrong, or two are swapped; read it again", errCode)
	}
	return Code{c}, nil
}

// String is the grouped form, e.g. "7KQM-3XRA-9TBD-H".
func (c Code) String() string {
	var b strings.Builder
	for i, r := range c.s {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// LogValue keeps codes out of logs.
func (c Code) LogValue() slog.Value { return slog.StringValue("(code)") }

// Hash is what the collector keeps of a code: SHA-256 over a label and the 13
// characters. The code is random, so that it needs no salt.
func (c Code) Hash() [32]byte {
	return sha256.Sum256([]byte("anagrafe enrolment code 1\x00" + c.s))
}

// checkSymbol is the sum, over the field of 32 elements (x^5 + x^2 + 1), of
// each symbol times x to the power of its distance from the check symbol. The
// weights are all different and none is zero, so that one wrong symbol, or any
// two swapped (adjacent or not, the check symbol among them), change it.
func checkSymbol(s string) byte {
	sum := 0
	for i := range len(s) {
		sum = timesX(sum ^ strings.IndexByte(codeAlphabet, s[i]))
	}
	return codeAlphabet[sum]
}

func timesX(e int) int {
	e <<= 1
	if e&32 != 0 {
		e ^= 0b100101
	}
	return e
}
