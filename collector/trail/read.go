package trail

import (
	"errors"

	"filippo.io/age"
)

// ParseHeader reads a header as the register keeps it.
func ParseHeader(raw []byte) (Header, error) { return decodeHeader(raw) }

// Open returns what a body holds; it is sealed to one of the identities, or plain.
func (h Header) Open(body []byte, identities ...age.Identity) (Content, error) {
	if len(body) == 0 {
		return Content{}, errors.New("deleted after its term")
	}
	return open(h, body, identities)
}

// ActorPseudonym is how the headers name a user; CasePseudonym a force's case.
func (t *Trail) ActorPseudonym(userID string) string { return t.pseudonym("actor", "", userID) }

// CasePseudonym is how the headers name a case of a force, by the case's id.
func (t *Trail) CasePseudonym(force, caseID string) string {
	return t.pseudonym("case", force, caseID)
}
