package registry

import (
	"errors"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

// typedBar is what somebody has typed of a bar so far.
func typedBar() Submission {
	return Submission{Site: protocol.Site{Name: "Bar Centrale", Category: "bar-restaurant", Address: "Via Torino 1"},
		Contacts: []protocol.Contact{{Name: "Anna Bianchi", Role: protocol.RoleOwner, Phone: "02 5555 0101", Email: "anna@example.it"}}}
}

func begin(t *testing.T, r *Registry, s Submission, at time.Time) string {
	t.Helper()
	id, err := r.BeginSubmission(t.Context(), s, at)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// What is typed is kept, sealed, opened by its code and by sessions, and is no part of
// the register.
func TestSubmissionIsKept(t *testing.T) {
	r := openNew(t)
	id := begin(t, r, typedBar(), noon)
	s, err := r.ChangeSubmission(t.Context(), id, noon.Add(time.Hour), func(s *Submission) error {
		s.Site.Address = "Via Torino 2"
		return nil
	})
	if err != nil || s.Site.Address != "Via Torino 2" {
		t.Fatal(s, err)
	}
	if s, err = r.Submission(t.Context(), id); err != nil || s.Site.Address != "Via Torino 2" || s.Contacts[0].Name != "Anna Bianchi" ||
		!s.BeganAt.Equal(noon) || !s.EndsAt().Equal(noon.Add(time.Hour+submissionLife)) || s.Identity != nil {
		t.Errorf("%+v, %v", s, err)
	}
	if of, ok, err := r.SubmissionOf(t.Context(), r.SubmissionCode(id)); of != id || !ok || err != nil {
		t.Error(of, ok, err)
	}
	if _, ok, err := r.SubmissionOf(t.Context(), protocol.NewCode()); ok || err != nil {
		t.Error("another code opens it", err)
	}
	if sites, err := r.Sites(t.Context()); len(sites) != 0 || err != nil {
		t.Error(sites, err)
	}
	var hash [32]byte
	if err := r.AddSubmissionSession(t.Context(), hash, id, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if of, ok, err := r.SubmissionSession(t.Context(), hash, noon); of != id || !ok || err != nil {
		t.Error(of, ok, err)
	}
	if _, ok, _ := r.SubmissionSession(t.Context(), hash, noon.Add(time.Hour)); ok {
		t.Error("a session that has expired opens it")
	}
	if err := r.DropSubmission(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Submission(t.Context(), id); !errors.Is(err, ErrUnknownSubmission) {
		t.Error(err)
	}
	if _, ok, _ := r.SubmissionSession(t.Context(), hash, noon); ok {
		t.Error("a session opens what is gone")
	}
	if err := r.AddSubmissionSession(t.Context(), hash, id, noon); !errors.Is(err, ErrUnknownSubmission) {
		t.Error(err)
	}
}

// One that would hold too much is refused, and stays as it was.
func TestSubmissionTooBig(t *testing.T) {
	r := openNew(t)
	id := begin(t, r, typedBar(), noon)
	_, err := r.ChangeSubmission(t.Context(), id, noon, func(s *Submission) error {
		s.Site.Name = strings.Repeat("x", maxSubmission)
		return nil
	})
	if s, readErr := r.Submission(t.Context(), id); !errors.Is(err, ErrSubmissionTooBig) || readErr != nil || s.Site.Name != "Bar Centrale" {
		t.Error(err, readErr, s.Site.Name)
	}
}

// A year after it was last touched all of it goes, and the key with it; not a day earlier.
func TestSubmissionEnds(t *testing.T) {
	r := openNew(t)
	old, young := begin(t, r, typedBar(), noon), begin(t, r, typedBar(), noon.Add(24*time.Hour))
	if n, err := r.DropSubmissions(t.Context(), noon.Add(submissionLife)); n != 1 || err != nil {
		t.Error(n, err)
	}
	if _, err := r.Submission(t.Context(), old); !errors.Is(err, ErrUnknownSubmission) {
		t.Error(err)
	}
	if _, err := r.Submission(t.Context(), young); err != nil {
		t.Error(err)
	}
	err := r.view(t.Context(), func(tx *tx) error {
		key, err := wrappedOf(t.Context(), tx, old)
		if !destroyed(key) {
			t.Error("its key is still there")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// The link of the message confirms the address, once, for a week, and for the address
// that stands there now.
func TestAddressOfASubmission(t *testing.T) {
	r := openNew(t)
	id, address := begin(t, r, typedBar(), noon), "anna@example.it"
	ask := func(at time.Time) string {
		t.Helper()
		if err := r.AskSubmitter(t.Context(), id, "/form/", at); err != nil {
			t.Fatal(err)
		}
		due, err := r.DueMail(t.Context(), at, 10)
		if err != nil || len(due) != 1 || due[0].Address != address {
			t.Fatal(due, err)
		}
		if err := r.MailSent(t.Context(), due[0], at); err != nil {
			t.Fatal(err)
		}
		token, ok := strings.CutPrefix(due[0].Path, "/form/")
		if !ok {
			t.Fatal(due[0].Path)
		}
		return token
	}
	first := ask(noon)
	if again := ask(noon.Add(time.Hour)); again != first {
		t.Error("asked for again, another link is sent, and the first is of no use any more")
	}
	if _, ok, err := r.SubmissionLink(t.Context(), first, noon.Add(submissionLinkLife)); ok || err != nil {
		t.Error("it is good for more than a week", err)
	}
	setAddress := func(to string) Submission {
		t.Helper()
		address = to
		s, err := r.ChangeSubmission(t.Context(), id, noon, func(s *Submission) error { s.Contacts[0].Email = address; return nil })
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	setAddress("anna.bianchi@example.it")
	if _, ok, _ := r.ConfirmAddress(t.Context(), first, noon.Add(2*time.Hour)); ok {
		t.Error("the link that another address got confirms this one")
	}
	second := ask(noon.Add(2 * time.Hour))
	if of, ok, err := r.ConfirmAddress(t.Context(), second, noon.Add(3*time.Hour)); of != id || !ok || err != nil {
		t.Fatal(of, ok, err)
	}
	if _, ok, err := r.ConfirmAddress(t.Context(), second, noon.Add(3*time.Hour)); ok || err != nil {
		t.Error("it was used twice", err)
	}
	s, err := r.Submission(t.Context(), id)
	if err != nil || s.Identity == nil || s.Identity.Trust != protocol.TrustEmail || s.Identity.Address != "anna.bianchi@example.it" {
		t.Errorf("%+v, %v", s.Identity, err)
	}
	if s := setAddress("other@example.it"); s.Identity != nil {
		t.Error("another address counts as confirmed")
	}
	setAddress("")
	if err := r.AskSubmitter(t.Context(), id, "/form/", noon); !errors.Is(err, errNoAddress) {
		t.Error(err)
	}
}

// One address is told a few times a day at most, however many forms name it; a refused
// one is known to be.
func TestMailToSubmittersIsBounded(t *testing.T) {
	r := openNew(t)
	sent := 0
	at := noon
	for range 12 {
		id := begin(t, r, typedBar(), at)
		if err := r.AskSubmitter(t.Context(), id, "/form/", at); err != nil && !errors.Is(err, ErrTooMuchMail) {
			t.Fatal(err)
		}
		due, err := r.DueMail(t.Context(), at, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range due {
			sent++
			if err := r.MailSent(t.Context(), m, at); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.DropSubmission(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		at = at.Add(20 * time.Minute)
	}
	if sent != mailADay {
		t.Errorf("one address was told %d times", sent)
	}
	s := typedBar()
	s.Contacts[0].Email = "gone@example.it"
	id := begin(t, r, s, at)
	if err := r.AskSubmitter(t.Context(), id, "/form/", at); err != nil {
		t.Fatal(err)
	}
	due, err := r.DueMail(t.Context(), at, 10)
	if err != nil || len(due) != 1 {
		t.Fatal(due, err)
	}
	if err := r.MailFailed(t.Context(), due[0], at, true); err != nil {
		t.Fatal(err)
	}
	if bounced, err := r.SubmissionBounced(t.Context(), id); !bounced || err != nil {
		t.Error(bounced, err)
	}
}
