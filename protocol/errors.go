package protocol

import (
	"errors"
	"fmt"
	"strings"
)

// What Encode and Decode return, each wrapped with the operation, is one of
// these two or FieldErrors.
var (
	// ErrTooBig: over MaxMessage; it was not looked into.
	ErrTooBig = errors.New("message is over the limit of 1 MiB")
	// errMalformed: not an encoded message at all, e.g. truncated.
	errMalformed = errors.New("not a well-formed message")
)

// FieldError names one field and what is wrong with it, e.g.
// "cameras[3].position.lat". It never repeats the value, which may be personal.
type FieldError struct {
	Field string `json:"field"`
	Why   string `json:"why"`
}

func (e FieldError) Error() string { return e.Field + ": " + e.Why }

// FieldErrors is what Validate, Encode and Decode return for a message that is
// well formed but wrong; errors.As finds it. Never empty.
type FieldErrors []FieldError

// Error names the first few: a bad import may fail in every one of 512 cameras.
func (e FieldErrors) Error() string {
	const shown = 5
	var b strings.Builder
	for i, f := range e {
		if i == shown {
			fmt.Fprintf(&b, "; and %d more", len(e)-shown)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(f.Error())
	}
	return b.String()
}

func (e *FieldErrors) add(field, format string, args ...any) {
	*e = append(*e, FieldError{Field: field, Why: fmt.Sprintf(format, args...)})
}
