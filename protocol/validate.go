package protocol

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Limits of single fields; strings in characters.
const (
	maxNumber   = 1<<53 - 1 // epochs and revisions: exact in JSON too
	maxName     = 120
	maxLine     = 300 // addresses, notes, hours, methods
	maxEmail    = 254 // RFC 5321
	maxPhone    = 40
	maxRangeM   = 2000
	maxHeightCm = 50_000
	maxPixels   = 32_768
	maxAccuracy = 10_000
	maxAge      = 10 * 366 * 24 * time.Hour
	// A recorder that lost its battery shows 1970 or 2000: its offset is a fact
	// that officers need, so that decades are allowed.
	maxOffsetMs      = int64(100 * 366 * 24 * time.Hour / time.Millisecond)
	maxUncertaintyMs = int64(24 * time.Hour / time.Millisecond)
	firstYear        = 2015
	lastYear         = 2100
)

// Validate checks every field against the limits of this package. The error is
// FieldErrors.
func (m Message) Validate() error {
	var errs FieldErrors
	m.check(&errs)
	if len(errs) > 0 {
		return errs
	}
	return nil
}

func (m Message) check(errs *FieldErrors) {
	c := checker{errs, ""}
	c.id("id", m.ID)
	c.id("site_id", m.SiteID)
	c.number("epoch", m.Epoch, 1, maxNumber)
	c.number("revision", m.Revision, 1, maxNumber)
	c.time("made_at", m.MadeAt)
	switch b := m.Body.(type) {
	case Declaration:
		c.declaration(b)
	case Observation:
		c.observation(b)
	case Withdrawal:
		c.approval(b.Approval)
	case SiteSuspension:
		c.suspension(b)
	case Reply:
		c.reply(b)
	case Health:
		c.health(b)
	case Diagnosis:
		c.diagnosis(b)
	default:
		c.add("body", "must be a declaration, an observation, a withdrawal, a suspension, a reply, a health or a diagnosis")
	}
}

// checker collects what is wrong below one path.
type checker struct {
	errs *FieldErrors
	path string
}

func (c checker) add(field, format string, args ...any) {
	c.errs.add(join(c.path, field), format, args...)
}

func (c checker) in(field string) checker { return checker{c.errs, join(c.path, field)} }

func (c checker) at(field string, i int) checker { return c.in(fmt.Sprintf("%s[%d]", field, i)) }

// id wants the canonical text of a random id: another spelling of the same id
// would be another record.
func (c checker) id(field, s string) {
	u, err := uuid.Parse(s)
	if err != nil || u == uuid.Nil || u.String() != s {
		c.add(field, "must be a UUID in lower case")
	}
}

func (c checker) number(field string, n, from, to int64) {
	if n < from || n > to {
		c.add(field, "must be from %d to %d", from, to)
	}
}

func (c checker) optional(field string, n *int, from, to int64) {
	if n != nil {
		c.number(field, int64(*n), from, to)
	}
}

func (c checker) time(field string, t time.Time) {
	switch year := t.UTC().Year(); {
	case t.IsZero():
		c.add(field, "is missing")
	case year < firstYear || year > lastYear:
		c.add(field, "must be between %d and %d: is the clock right?", firstYear, lastYear)
	}
}

func (c checker) optionalTime(field string, t time.Time) {
	if !t.IsZero() {
		c.time(field, t)
	}
}

func (c checker) required(field, s string, most int) {
	if blank(s) {
		c.add(field, "is missing")
		return
	}
	c.text(field, s, most)
}

// text refuses what a page or a printed form would show otherwise than it is:
// control characters, and those that turn the direction of writing.
func (c checker) text(field, s string, most int) {
	switch {
	case !utf8.ValidString(s):
		c.add(field, "must be valid UTF-8")
	case utf8.RuneCountInString(s) > most:
		c.add(field, "must have at most %d characters", most)
	case strings.ContainsFunc(s, hidden):
		c.add(field, "must not contain control characters")
	}
}

func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == '\ufeff'
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

func known[T ~string](c checker, field string, v T, all ...T) {
	if !slices.Contains(all, v) {
		c.add(field, "must be one of the known values")
	}
}

func (c checker) fact(f Fact, required bool) {
	known(c, "source", f.Source, SourceUnknown, Declared, Measured, Confirmed)
	switch {
	case f.Source != SourceUnknown:
		c.time("at", f.At)
	case required:
		c.add("source", "is missing: every fact says where it comes from and when")
	default:
		c.optionalTime("at", f.At)
	}
}

func (c checker) approval(a Approval) {
	c = c.in("approval")
	c.required("by", a.By, maxName)
	known(c, "role", a.Role, RoleOwner, RoleReferent, RoleControlRoom)
	c.time("at", a.At)
	c.text("notice_version", a.NoticeVersion, maxName)
}

func (c checker) suspension(s SiteSuspension) {
	c.optionalTime("until", s.Until)
	c.approval(s.Approval)
	switch {
	case s.Until.IsZero():
	case s.Resumed:
		c.add("until", "is of a suspension alone")
	case !s.Until.After(s.Approval.At):
		c.add("until", "must be after it was decided")
	}
}

// Validate checks every field of a contact; the error is FieldErrors.
func (p Contact) Validate() error { return collect(func(c checker) { c.contact(p) }) }

func (c checker) contact(p Contact) {
	c.required("name", p.Name, maxName)
	known(c, "role", p.Role, RoleOwner, RoleReferent, RoleControlRoom)
	c.text("hours", p.Hours, maxLine)
	c.phone("phone", p.Phone)
	c.email("email", p.Email)
	c.email("pec", p.PEC)
	if blank(p.Phone) && blank(p.Email) && blank(p.PEC) {
		c.add("phone", "is missing: a contact needs a phone, an e-mail or a PEC address")
	}
}

// phone takes a number as people write it; 112 is one.
func (c checker) phone(field, s string) {
	if s == "" {
		return
	}
	digits := 0
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case !strings.ContainsRune(" +-./()", r):
			c.add(field, "must hold digits, spaces and + - . / ( ) only")
			return
		}
	}
	if digits < 3 || len(s) > maxPhone {
		c.add(field, "must have from 3 digits to %d characters", maxPhone)
	}
}

func (c checker) email(field, s string) {
	if s == "" {
		return
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > maxEmail || strings.ContainsFunc(s, hidden) {
		c.add(field, "must be one address, name@domain")
	}
}
