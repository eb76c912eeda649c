package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// campaign is a register that invites.
type campaign struct {
	*letters
	recorded []int
}

func newCampaign(t *testing.T) *campaign {
	return &campaign{letters: newLetters(t)}
}

// invitees are so many businesses, by letter; every third one by e-mail.
func invitees(n int) (all []Invitee) {
	for i := range n {
		one := Invitee{Site: protocol.Site{Name: fmt.Sprint("Bar ", i), Category: "shop", Address: fmt.Sprintf("Via Roma %d, 20121 Milano", i)}, Channel: ChannelLetter}
		if i%3 == 0 {
			one.Channel, one.Address = ChannelEmail, fmt.Sprintf("bar%d@example.it", i)
		}
		all = append(all, one)
	}
	return all
}

func (c *campaign) plan(all []Invitee, p WavePlan) (int, []InviteeResult) {
	c.t.Helper()
	p.At, p.Source = c.now, "albo delle botteghe"
	p.Record = func(_ context.Context, wave, count int) error {
		c.recorded = append(c.recorded, wave, count)
		return nil
	}
	wave, results, err := c.r.PlanWave(c.t.Context(), all, p)
	if err != nil {
		c.t.Fatal(err)
	}
	return wave, results
}

func states(results []InviteeResult) (all []string) {
	for _, r := range results {
		all = append(all, string(r.State))
	}
	return all
}

// wave reads the newest as "invited queued sent bounced opened used refused gone".
func (c *campaign) wave() string {
	c.t.Helper()
	all, err := c.r.Waves(c.t.Context(), 0, 10)
	if err != nil || len(all) == 0 {
		c.t.Fatal(all, err)
	}
	w := all[0]
	return fmt.Sprint(w.Invited, w.Queued, w.Sent, w.Bounced, w.Opened, w.Used, w.Refused, w.Gone)
}

func (c *campaign) wantWave(what, want string) {
	c.t.Helper()
	if got := c.wave(); got != want {
		c.t.Errorf("%s: %s, want %s (invited queued sent bounced opened used refused gone)", what, got, want)
	}
}

func (c *campaign) tick(by time.Duration) {
	c.t.Helper()
	c.now = c.now.Add(by)
	if err := errors.Join(c.r.SendInvitations(c.t.Context(), c.now), c.r.DropMail(c.t.Context(), c.now)); err != nil {
		c.t.Fatal(err)
	}
}

// redeem uses the code of an invitation, as an agent does.
func (c *campaign) redeem(res InviteeResult) {
	c.t.Helper()
	if _, err := c.r.Redeem(c.t.Context(), ingest.Redemption{CodeHash: res.Code.Hash(), KeyHash: [32]byte{1}, AgentID: id(9), At: c.now}); err != nil {
		c.t.Fatal(err)
	}
}

// A file is invited once: read again it invites those alone that are not yet, and
// gives the same codes for what waits.
func TestWaveOnce(t *testing.T) {
	c := newCampaign(t)
	file := append(invitees(4), Invitee{Site: protocol.Site{Name: "  BAR 1", Category: "shop", Address: "via  roma 1, 20121 milano"}, Channel: ChannelLetter})
	if wave, got := c.plan(file, WavePlan{DryRun: true}); wave != 0 || len(c.recorded) > 0 || !slices.Equal(states(got), []string{"new", "new", "new", "new", "known"}) {
		t.Errorf("dry run: %d %v", wave, states(got))
	}
	wave, first := c.plan(file, WavePlan{Most: 3})
	if wave != 1 || !slices.Equal(states(first), []string{"new", "new", "new", "later", "known"}) || !slices.Equal(c.recorded, []int{1, 3}) {
		t.Errorf("wave %d: %v, recorded %v", wave, states(first), c.recorded)
	}
	wave, second := c.plan(file, WavePlan{})
	if wave != 2 || !slices.Equal(states(second), []string{"open", "open", "open", "new", "open"}) {
		t.Errorf("wave %d: %v", wave, states(second))
	}
	for i := range 3 {
		if second[i].InvitationMail != first[i].InvitationMail || first[i].Code == (protocol.Code{}) || !first[i].ExpiresAt.Equal(noon.Add(CodeLife)) {
			t.Errorf("%d: %+v, then %+v", i, first[i], second[i])
		}
	}
	if wave, _ := c.plan(file, WavePlan{}); wave != 0 {
		t.Errorf("a third wave %d", wave)
	}
	c.now = c.now.Add(CodeLife)
	if _, got := c.plan(file[:1], WavePlan{}); got[0].State != InviteeKnown {
		t.Errorf("after the code has ended: %v", got[0].State)
	}
}

// Two files that are read at once are two waves, each recorded by its own number; one
// that cannot be recorded is none.
func TestWavesAtOnce(t *testing.T) {
	c := newCampaign(t)
	all := invitees(2)
	record := func(_ context.Context, wave, _ int) error {
		c.recorded = append(c.recorded, wave)
		if wave == 1 {
			c.plan(all[1:], WavePlan{})
		}
		return nil
	}
	if wave, _, err := c.r.PlanWave(t.Context(), all[:1], WavePlan{At: c.now, Record: record}); err != nil || wave != 1 || !slices.Equal(c.recorded, []int{1, 2, 1}) {
		t.Errorf("wave %d, %v, recorded %v", wave, err, c.recorded)
	}
	full := errors.New("disk full")
	_, _, err := c.r.PlanWave(t.Context(), invitees(3), WavePlan{At: c.now, Record: func(context.Context, int, int) error { return full }})
	if waves, list := c.r.Waves(t.Context(), 0, 10); !errors.Is(err, full) || list != nil || len(waves) != 2 || waves[0].Invited != 1 || waves[1].Invited != 1 {
		t.Errorf("not recorded: %v; %+v, %v", err, waves, list)
	}
}

// So many go out each day, with codes that end two weeks after that; a pause moves
// both, and a cancelled rest was never invited.
func TestWaveDays(t *testing.T) {
	c := newCampaign(t)
	_, all := c.plan(invitees(6), WavePlan{PerDay: 2})
	for i, res := range all {
		if want := noon.AddDate(0, 0, i/2); !res.DueAt.Equal(want) || !res.ExpiresAt.Equal(want.Add(CodeLife)) {
			t.Errorf("%d is due at %v until %v", i, res.DueAt, res.ExpiresAt)
		}
	}
	c.want("the first day", "bar0@example.it")
	c.wantWave("the first day", "6 5 1 0 0 0 0 0") // the letter; the mail is under way
	if err := c.r.PauseWave(t.Context(), 1, c.now); err != nil {
		t.Fatal(err)
	}
	const pause = 72 * time.Hour // mail is tried for 48
	c.tick(pause)
	c.want("while it is paused")
	if err := c.r.ResumeWave(t.Context(), 1, c.now); err != nil {
		t.Fatal(err)
	}
	c.tick(0)
	for _, m := range c.due() {
		if m.Address != "bar0@example.it" || m.Invitation.Site.Name != "Bar 0" || m.Invitation.Code != all[0].Code ||
			!m.Invitation.ExpiresAt.Equal(all[0].ExpiresAt.Add(pause)) || m.Invitation.Source != "albo delle botteghe" {
			t.Errorf("due %+v %+v", m, m.Invitation)
		}
		c.sent(m)
	}
	c.wantWave("the first day is out", "6 4 2 0 0 0 0 0")
	c.tick(24 * time.Hour)
	due := c.due()
	if len(due) != 1 || due[0].Address != "bar3@example.it" || !due[0].Invitation.ExpiresAt.Equal(c.now.Add(CodeLife)) {
		t.Fatalf("the second day, three days late: %+v", due)
	}
	c.failed(due[0], true)
	c.wantWave("refused", "6 2 3 1 0 0 0 0")
	if err := c.r.CancelWave(t.Context(), 1, c.now); err != nil {
		t.Fatal(err)
	}
	c.wantWave("cancelled", "6 0 3 1 0 0 0 2")
	if err := c.r.ResumeWave(t.Context(), 1, c.now); !errors.Is(err, ErrUnknownWave) {
		t.Errorf("a cancelled one is resumed: %v", err)
	}
	if _, err := c.r.Redeem(t.Context(), ingest.Redemption{CodeHash: all[4].Code.Hash(), KeyHash: [32]byte{1}, AgentID: id(9), At: c.now}); !errors.Is(err, ingest.ErrUnknownCode) {
		t.Errorf("a cancelled code: %v", err)
	}
	if _, got := c.plan(invitees(6), WavePlan{}); !slices.Equal(states(got), []string{"open", "open", "open", "open", "new", "new"}) {
		t.Errorf("again: %v", states(got))
	}
}

// A cancelling that broke off once the wave was marked is taken to its end: the codes
// that wait are worth nothing, and the file invites anew; who came in and what went out stay.
func TestWaveHalfCancelled(t *testing.T) {
	c := newCampaign(t)
	_, all := c.plan(invitees(6), WavePlan{PerDay: 2})
	c.redeem(all[5])
	if err := c.r.update(t.Context(), func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE waves SET cancelled_at = ?", micros(c.now))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time finds nothing to do
		if err := c.r.DropCancelled(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.wantWave("half cancelled", "6 1 1 0 0 1 0 4") // who came in before their day counts as queued
	}
	if _, err := c.r.Redeem(t.Context(), ingest.Redemption{CodeHash: all[2].Code.Hash(), KeyHash: [32]byte{1}, AgentID: id(9), At: c.now}); !errors.Is(err, ingest.ErrUnknownCode) {
		t.Errorf("a code of the rest: %v", err)
	}
	if _, got := c.plan(invitees(6), WavePlan{}); !slices.Equal(states(got), []string{"new", "open", "new", "new", "new", "known"}) {
		t.Errorf("the file again: %v", states(got))
	}
}

// An invitation is tried for as long as its code may be used, however long a server does
// not take it, and no address stays in the queue of who came in by another way.
func TestInvitationIsTried(t *testing.T) {
	c := newCampaign(t)
	_, all := c.plan(invitees(4), WavePlan{})
	for c.now.Before(all[0].ExpiresAt) {
		due := c.due()
		if len(due) != 2 {
			t.Fatalf("%v after it was queued: due %v", c.now.Sub(noon), due)
		}
		for _, m := range due {
			c.failed(m, false)
		}
		c.tick(mailRetryMost)
	}
	c.want("after the code has ended")

	c = newCampaign(t)
	_, all = c.plan(invitees(1), WavePlan{})
	c.redeem(all[0])
	if err := c.r.PauseWave(t.Context(), 1, c.now); err != nil {
		t.Fatal(err)
	}
	c.tick(mailLife)
	var n int
	if err := c.r.view(t.Context(), func(tx *tx) error {
		return tx.QueryRowContext(t.Context(), "SELECT count(*) FROM mail_queue WHERE address IS NOT NULL").Scan(&n)
	}); err != nil || n != 0 {
		t.Errorf("%d addresses of who came in stay in the queue, %v", n, err)
	}
}

// Who came in stays; who did not goes with all that is known of them, and is counted;
// who says no goes at once, and is not invited again.
func TestWaveIsForgotten(t *testing.T) {
	c := newCampaign(t)
	_, all := c.plan(invitees(5), WavePlan{})
	for _, m := range c.due() {
		c.sent(m)
	}
	for _, res := range all[:3] {
		if m, ok, err := c.r.OpenInvitation(t.Context(), res.Token, c.now); err != nil || !ok || m != res.InvitationMail {
			t.Errorf("opened %+v %v %v", m, ok, err)
		}
	}
	c.redeem(all[0])
	if ok, err := c.r.RefuseInvitation(t.Context(), all[0].Token); err != nil || ok {
		t.Errorf("who came in said no by the invitation: %v %v", ok, err)
	}
	for want := range 2 {
		if ok, err := c.r.RefuseInvitation(t.Context(), all[1].Token); err != nil || ok != (want == 0) {
			t.Errorf("refused: %v %v", ok, err)
		}
	}
	c.wantWave("opened and refused", "5 0 5 0 3 1 1 0")
	ends := noon.Add(CodeLife)
	counted := 0
	counts := func(_ context.Context, n int) error { counted = n; return nil }
	if n, err := c.r.DropInvitations(t.Context(), ends.Add(-time.Second), counts); err != nil || n != 0 {
		t.Errorf("%d are deleted before their end, %v", n, err)
	}
	if n, err := c.r.DropInvitations(t.Context(), ends, counts); err != nil || n != 3 || counted != 3 {
		t.Errorf("%d are deleted, %d recorded, %v", n, counted, err)
	}
	c.wantWave("at the end", "5 0 5 0 3 1 1 3")
	var sites, codes, keys, queue int
	if err := c.r.view(t.Context(), func(tx *tx) error {
		return tx.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM sites), (SELECT count(*) FROM codes), (SELECT count(*) FROM data_keys WHERE kind = 'site' AND sealed <> ?),
			(SELECT count(*) FROM mail_queue)`, zeros[:]).Scan(&sites, &codes, &keys, &queue)
	}); err != nil || sites != 1 || codes != 1 || keys != 1 || queue != 1 {
		t.Errorf("%d sites, %d codes, %d keys, %d messages stay, %v", sites, codes, keys, queue, err)
	}
	if _, got := c.plan(invitees(5), WavePlan{}); !slices.Equal(states(got), []string{"known", "known", "new", "new", "new"}) {
		t.Errorf("the file again: %v", states(got))
	}
	if _, ok, err := c.r.OpenInvitation(t.Context(), all[2].Token, c.now); err != nil || ok {
		t.Errorf("a deleted one opens: %v %v", ok, err)
	}
}

// An invitation whose code was used meanwhile is not sent, nor is one that waits in
// the queue of a wave that was paused.
func TestInvitationNotSent(t *testing.T) {
	c := newCampaign(t)
	_, all := c.plan(invitees(1), WavePlan{})
	if err := c.r.PauseWave(t.Context(), 1, c.now); err != nil {
		t.Fatal(err)
	}
	c.want("paused")
	if err := c.r.ResumeWave(t.Context(), 1, c.now); err != nil {
		t.Fatal(err)
	}
	c.redeem(all[0])
	c.want("used")
}

// Whoever came in and withdraws is not invited again, and their entry is gone.
func TestInvitedWithdraws(t *testing.T) {
	c := newCampaign(t)
	_, all := c.plan(invitees(2), WavePlan{})
	g, err := c.r.Redeem(t.Context(), ingest.Redemption{CodeHash: all[1].Code.Hash(), KeyHash: [32]byte{1}, AgentID: id(9), At: c.now})
	if err != nil {
		t.Fatal(err)
	}
	s := &sender{t: t, r: c.r, agent: g.AgentID, site: g.SiteID, epoch: g.Epoch}
	s.say(c.now, declaration(camera(1, "one")))
	if err := c.r.Act(t.Context(), s.site, protocol.SiteWithdrawn, c.now); err != nil {
		t.Fatal(err)
	}
	c.wantWave("withdrawn", "2 1 1 0 0 0 1 0") // no row leads to the site any more
	if _, got := c.plan(invitees(2), WavePlan{}); !slices.Equal(states(got), []string{"open", "known"}) {
		t.Errorf("%v", states(got))
	}
}

// The address of an invitation is sealed until it is queued, and not kept beside the
// queue's.
func TestInvitationIsSealed(t *testing.T) {
	c := newCampaign(t)
	c.plan(invitees(4), WavePlan{PerDay: 1})
	rows := func() (n int) {
		t.Helper()
		if err := c.r.view(t.Context(), func(tx *tx) error {
			return tx.QueryRowContext(t.Context(), "SELECT count(*) FROM invitations WHERE address IS NOT NULL").Scan(&n)
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := rows(); n != 1 {
		t.Errorf("%d addresses wait", n)
	}
	c.tick(3 * 24 * time.Hour)
	if n := rows(); n != 0 {
		t.Errorf("%d addresses stay", n)
	}
}
