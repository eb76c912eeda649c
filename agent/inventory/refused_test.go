package inventory

import (
	"slices"
	"testing"

	"anagrafe/protocol"
)

// A collector that was set back knows that a notice came here, and not the grant
// that was given since: what is refused for that is said again under the next
// grant, once, also if it is refused only when that one is here. Until then the
// site needs a new code.
func TestRepliesAreRepeatedUnderANewGrant(t *testing.T) {
	v, cams := declared(t, 1)
	keep(t, v, preserve(cams[0].ID))
	deliver(t, v)
	under := func(epoch int64) {
		t.Helper()
		if err := v.AddGrant(t.Context(), protocol.Grant{SiteID: siteA, SiteName: "Bar Centrale", Category: "bar-restaurant", Epoch: epoch, From: noon}, ""); err != nil {
			t.Fatal(err)
		}
	}
	wantRefused := func(want ...string) {
		t.Helper()
		if got := view(t, v).NotGranted; !slices.Equal(got, want) {
			t.Errorf("sites without a grant: %q, want %q", got, want)
		}
	}
	under(2)
	if _, err := v.SeeNotice(t.Context(), noticeA); err != nil {
		t.Fatal(err)
	}
	if err := v.AnswerNotice(t.Context(), noticeA, protocol.Reply{State: protocol.ReplyCannot, By: "Anna Neri", Note: "non so la password"}); err != nil {
		t.Fatal(err)
	}
	wantRefused()
	all := outbox(t, v)
	seen, cannot := all[len(all)-2], all[len(all)-1]
	refuse := func(s Sent, why string) {
		t.Helper()
		if err := v.Reject(t.Context(), s.ID, why); err != nil {
			t.Fatal(err)
		}
	}
	want := []protocol.ReplyState{protocol.ReplyReceived, protocol.ReplySeen, protocol.ReplyCannot}
	refuse(seen, "not-granted: no valid grant")
	wantRefused(siteA)
	wantReplies(t, v, want...)

	under(3)
	wantRefused()
	want = append(want, protocol.ReplySeen)
	wantReplies(t, v, want...)
	refuse(cannot, "not-granted: no valid grant")
	want = append(want, protocol.ReplyCannot)
	wantReplies(t, v, want...)
	wantRefused()
	all = outbox(t, v)
	if again := all[len(all)-1].Message; again.Epoch != 3 || again.Body != cannot.Message.Body {
		t.Errorf("%+v was repeated as %+v", cannot.Message, again)
	}

	deliver(t, v)
	under(4)
	wantReplies(t, v, want...)

	if _, err := v.Withdraw(t.Context(), []string{cams[0].ID}, protocol.Approval{}); err != nil {
		t.Fatal(err)
	}
	all = outbox(t, v)
	refuse(all[len(all)-1], "not-granted: no valid grant")
	wantRefused() // it has left: nothing more is to be said
}
