package trail

import (
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// Shown is one entry as a force's auditor reads it.
type Shown struct {
	Header  Header   `json:"header"`
	Content *Content `json:"content"` // nil: not readable, and Why says why
	Why     string   `json:"why,omitempty"`
}

// Show reads an export and opens the bodies that are plain or sealed to one of
// the identities (age format, one a line), in the order of the trail. It
// proves nothing: Verify does.
func Show(export, identity io.Reader, each func(Shown) error) error {
	identities, err := age.ParseIdentities(identity)
	if err != nil {
		return fmt.Errorf("show the audit trail: the identity file must hold an age secret key (AGE-SECRET-KEY-...): %w", err)
	}
	x, err := readExport(export)
	if err != nil {
		return fmt.Errorf("show the audit trail: %w", err)
	}
	for {
		l, err := x.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("show the audit trail: %w", err)
		}
		h, err := decodeHeader(l.Header)
		if err != nil {
			return fmt.Errorf("show the audit trail: entry %d: %w", l.Index, err)
		}
		shown := Shown{Header: h}
		switch content, err := open(h, l.Body, identities); {
		case len(l.Body) == 0:
			shown.Why = "deleted after its term"
		case err != nil:
			if _, other := errors.AsType[*age.NoIdentityMatchError](err); other {
				shown.Why = "sealed to another key"
			} else {
				shown.Why = err.Error()
			}
		default:
			shown.Content = &content
		}
		if err := each(shown); err != nil {
			return err
		}
	}
}
