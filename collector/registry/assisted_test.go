package registry

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// dictated is an assisted entry that an operator has typed and not sent.
func dictated(t *testing.T, r *Registry, at time.Time) (id, operator string) {
	t.Helper()
	operator = "operator " + at.String()
	if err := r.AddUser(t.Context(), User{ID: operator, Name: operator, Role: RoleOps, At: at}); err != nil {
		t.Fatal(err)
	}
	id = uuid.NewString()
	if err := r.BeginAssisted(t.Context(), id, operator, byTelephone, at); err != nil {
		t.Fatal(err)
	}
	whole := typedWhole("Ingresso")
	if _, err := r.ChangeSubmission(t.Context(), id, at, func(s *Submission) error {
		s.Site, s.Contacts, s.Place, s.Cameras, s.Called = whole.Site, whole.Contacts, whole.Place, whole.Cameras, true
		s.Contacts[0].Phone = "333 555 0101"
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return id, operator
}

func assistedStateOf(t *testing.T, r *Registry, operator, id string) (state AssistedState) {
	t.Helper()
	if err := r.AssistedRows(t.Context(), AssistedFilter{Operator: operator}, Window{Limit: 10}, func(a AssistedRow) error {
		if a.ID == id {
			state = a.State
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return state
}

// What is dictated is no part of the register until its owner, who has the code of the
// message, the SMS or the letter, confirms it; and then it is known by no more than that.
// It is long because it is one way, step by step.
func TestAssistedEntryIsConfirmed(t *testing.T) {
	for channel, trust := range map[Channel]protocol.Trust{
		ChannelEmail: protocol.TrustDictatedEmail, ChannelSMS: protocol.TrustDictatedSMS, ChannelLetter: protocol.TrustDictatedLetter,
	} {
		t.Run(string(channel), func(t *testing.T) {
			r := openNew(t)
			now := noon
			r.now = func() time.Time { return now }
			r.sms = true
			id, operator := dictated(t, r, noon)
			s, err := r.Submission(t.Context(), id)
			if err != nil || !slices.Equal(r.AssistedChannels(s), []Channel{ChannelEmail, ChannelSMS, ChannelLetter}) {
				t.Fatal(r.AssistedChannels(s), err)
			}
			if err := r.AddSubmissionSession(t.Context(), [32]byte{1}, id, noon.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			if _, err := r.SendAssisted(t.Context(), id, "another", channel, "/x", noon); !errors.Is(err, ErrUnknownAssisted) {
				t.Error("another operator sends it:", err)
			}
			now = noon.Add(time.Minute)
			sent, err := r.SendAssisted(t.Context(), id, operator, channel, "/x", now)
			if err != nil {
				t.Fatal(err)
			}
			if letter := channel == ChannelLetter; (sent.Name != "") != letter || (sent.Address != "") != letter || !sent.Until.Equal(now.Add(CodeLife)) {
				t.Errorf("%+v", sent)
			}
			if _, ok, err := r.SubmissionSession(t.Context(), [32]byte{1}, now); ok || err != nil {
				t.Error("the operator's browser still has it open", err)
			}
			due, err := r.DueMail(t.Context(), now, 10)
			if err != nil || (len(due) == 1) != (channel != ChannelLetter) {
				t.Fatal(due, err)
			}
			if len(due) == 1 && (due[0].Path != "/x/"+sent.Code.String() || due[0].Channel != channel) {
				t.Errorf("%+v", due[0])
			}
			if state := assistedStateOf(t, r, operator, id); state != AssistedSent {
				t.Error(state)
			}
			if assistedStateOf(t, r, "another", id) != "" {
				t.Error("it is in the list of another operator")
			}
			if sites, err := r.Sites(t.Context()); len(sites) != 0 || err != nil {
				t.Error("in the register before it is confirmed:", sites, err)
			}
			if _, err := r.Adhere(t.Context(), id, "2", now); err == nil {
				t.Error("recorded before its owner opened it:", err)
			}
			now = noon.Add(time.Hour)
			if of, ok, err := r.OpenAssisted(t.Context(), sent.Code, now); of != id || !ok || err != nil {
				t.Fatal(of, ok, err)
			}
			if _, ok, err := r.OpenAssisted(t.Context(), sent.Code, now); ok || err != nil {
				t.Error("a code opens twice", err)
			}
			if state := assistedStateOf(t, r, operator, id); state != AssistedOpened {
				t.Error(state)
			}
			now = noon.Add(2 * time.Hour)
			site, err := r.Adhere(t.Context(), id, "2 (2026-11-22)", now)
			if err != nil {
				t.Fatal(err)
			}
			if h := historyOf(t, r, site); h.Trust != string(trust) {
				t.Errorf("%s is known as %q", channel, h.Trust)
			}
			if state := assistedStateOf(t, r, operator, id); state != AssistedConfirmed {
				t.Error(state)
			}
			rows, err := r.Funnel(t.Context(), GroupNone, time.Time{})
			if err != nil || len(rows) != 1 || rows[0].Reached[StageInvited] != 1 || rows[0].Reached[StageOpened] != 1 || rows[0].Reached[StageShared] != 1 {
				t.Errorf("%+v %v", rows, err)
			}
			if counts, err := r.AssistedCounts(t.Context()); counts[AssistedConfirmed] != 1 || len(counts) != 1 || err != nil {
				t.Error(counts, err)
			}
		})
	}
}

// Another address or number than the one that answered is known by nobody.
func TestAssistedAnswersForItsAddress(t *testing.T) {
	for channel, change := range map[Channel]func(c *protocol.Contact){
		ChannelEmail: func(c *protocol.Contact) { c.Email = "altra@example.it" },
		ChannelSMS:   func(c *protocol.Contact) { c.Phone = "333 555 0202" },
	} {
		r := openNew(t)
		r.sms = true
		id, operator := dictated(t, r, noon)
		sent, err := r.SendAssisted(t.Context(), id, operator, channel, "/x", noon)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok, err := r.OpenAssisted(t.Context(), sent.Code, noon); !ok || err != nil {
			t.Fatal(ok, err)
		}
		s, err := r.ChangeSubmission(t.Context(), id, noon, func(s *Submission) error { s.Contacts[0].Hours = "sempre"; return nil })
		if err != nil || s.Identity == nil {
			t.Fatal(channel, s, err)
		}
		if s, err = r.ChangeSubmission(t.Context(), id, noon, func(s *Submission) error { change(&s.Contacts[0]); return nil }); err != nil || s.Identity != nil {
			t.Error(channel, "keeps the answer of the former address:", s.Identity, err)
		}
		if err := r.AskSubmitter(t.Context(), id, "/c/", noon); err != nil {
			t.Fatal(err)
		}
		due, err := r.DueMail(t.Context(), noon, 10, ChannelEmail)
		if err != nil || len(due) == 0 {
			t.Fatal(due, err)
		}
		if _, ok, err := r.ConfirmAddress(t.Context(), strings.TrimPrefix(due[len(due)-1].Path, "/c/"), noon); !ok || err != nil {
			t.Fatal(due, ok, err)
		}
		if s, err = r.Submission(t.Context(), id); err != nil || s.Identity == nil || s.Identity.Trust != protocol.TrustDictatedEmail {
			t.Errorf("%s: %+v %v", channel, s.Identity, err)
		}
	}
}

// It is sent again a few times, each time with another code; refused, cancelled and
// expired ones are deleted, with all that was typed.
func TestAssistedEntryEnds(t *testing.T) {
	r := openNew(t)
	id, operator := dictated(t, r, noon)
	if _, err := r.SendAssistedAgain(t.Context(), id, operator, "/x", noon); !errors.Is(err, ErrUnknownAssisted) {
		t.Error("sent again before it was sent:", err)
	}
	first, err := r.SendAssisted(t.Context(), id, operator, ChannelLetter, "/x", noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.SendAssisted(t.Context(), id, operator, ChannelEmail, "/x", noon); !errors.Is(err, ErrUnknownAssisted) {
		t.Error("sent twice, another way:", err)
	}
	second, err := r.SendAssistedAgain(t.Context(), id, operator, "/x", noon.Add(time.Hour))
	if err != nil || second.Code == first.Code || second.Name != "" || second.Address != "" || second.Channel != ChannelLetter {
		t.Fatalf("%+v %v", second, err)
	}
	if _, ok, err := r.AssistedOf(t.Context(), first.Code, noon.Add(time.Hour)); ok || err != nil {
		t.Error("the former code still opens", err)
	}
	if _, err := r.SendAssistedAgain(t.Context(), id, operator, "/x", noon.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.SendAssistedAgain(t.Context(), id, operator, "/x", noon.Add(3*time.Hour)); !errors.Is(err, ErrSentOften) {
		t.Error(err)
	}
	if err := r.CancelAssisted(t.Context(), id, "another", noon.Add(3*time.Hour)); !errors.Is(err, ErrUnknownAssisted) {
		t.Error("another operator cancels it:", err)
	}

	refused, _ := dictated(t, r, noon.Add(time.Second))
	cancelled, by := dictated(t, r, noon.Add(2*time.Second))
	draft, drafted := dictated(t, r, noon.Add(3*time.Second))
	if err := r.RefuseAssisted(t.Context(), refused, noon); err != nil {
		t.Fatal(err)
	}
	if err := r.CancelAssisted(t.Context(), cancelled, by, noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	var recorded []string
	record := func(_ context.Context, id, operator string) error {
		recorded = append(recorded, id+" "+operator)
		return nil
	}
	if n, err := r.ExpireAssisted(t.Context(), noon.Add(assistedDraft-time.Minute), record); n != 0 || err != nil {
		t.Error(n, err)
	}
	failing := errors.New("the trail is full")
	if n, err := r.ExpireAssisted(t.Context(), noon.Add(assistedDraft+time.Minute), func(context.Context, string, string) error { return failing }); n != 0 || !errors.Is(err, failing) {
		t.Error("expired without a trail", n, err)
	}
	if n, err := r.ExpireAssisted(t.Context(), noon.Add(assistedDraft+time.Minute), record); n != 1 || err != nil || !slices.Equal(recorded, []string{draft + " " + drafted}) {
		t.Error(n, err, recorded)
	}
	if n, err := r.ExpireAssisted(t.Context(), noon.Add(2*time.Hour+CodeLife), record); n != 1 || err != nil {
		t.Error(n, err)
	}
	for _, gone := range []string{id, refused, cancelled, draft} {
		if _, err := r.Submission(t.Context(), gone); !errors.Is(err, ErrUnknownSubmission) {
			t.Errorf("%s is still there: %v", gone, err)
		}
	}
	if counts, err := r.AssistedCounts(t.Context()); err != nil || counts[AssistedRefused] != 1 || counts[AssistedCancelled] != 1 || counts[AssistedExpired] != 2 {
		t.Error(counts, err)
	}
	if _, err := r.ExpireAssisted(t.Context(), noon.Add(2*assistedKept), record); err != nil {
		t.Fatal(err)
	}
	if counts, err := r.AssistedCounts(t.Context()); err != nil || len(counts) != 0 {
		t.Error("remembered for ever:", counts, err)
	}
}

// The list pages and narrows, and its file is in order.
func TestAssistedList(t *testing.T) {
	r := openNew(t)
	if err := r.AddUser(t.Context(), User{ID: "me", Name: "me", Role: RoleOps, At: noon}); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for i, m := range []Medium{byTelephone, onPaper, atTheDesk, onPaper} {
		one := uuid.NewString()
		if err := r.BeginAssisted(t.Context(), one, "me", m, noon.Add(time.Duration(i)*time.Minute)); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, one)
	}
	r.now = func() time.Time { return noon.Add(assistedDraft + 90*time.Second) } // two are over
	for name, c := range map[string]struct {
		f    AssistedFilter
		in   Window
		want []string
	}{
		"all, the newest first": {AssistedFilter{Operator: "me"}, Window{Limit: 10}, []string{ids[3], ids[2], ids[1], ids[0]}},
		"a page":                {AssistedFilter{Operator: "me"}, Window{Limit: 2, Offset: 1, Ascending: true}, []string{ids[1], ids[2]}},
		"by medium":             {AssistedFilter{Operator: "me", Medium: onPaper}, Window{Limit: 10}, []string{ids[3], ids[1]}},
		"by state":              {AssistedFilter{Operator: "me", State: AssistedExpired}, Window{Limit: 10}, []string{ids[1], ids[0]}},
		"by time":               {AssistedFilter{Operator: "me", From: noon.Add(time.Minute), Until: noon.Add(2 * time.Minute)}, Window{Limit: 10}, []string{ids[1]}},
		"by channel":            {AssistedFilter{Operator: "me", Channel: ChannelSMS}, Window{Limit: 10}, nil},
		"another's":             {AssistedFilter{Operator: "you"}, Window{Limit: 10}, nil},
	} {
		var got []string
		if err := r.AssistedRows(t.Context(), c.f, c.in, func(a AssistedRow) error { got = append(got, a.ID); return nil }); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v %v", name, got, err)
		}
		if n, err := r.CountAssisted(t.Context(), c.f); err != nil || c.in.Limit == 10 && n != len(c.want) {
			t.Errorf("%s: %d %v", name, n, err)
		}
	}
}
