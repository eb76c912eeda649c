package registry

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

// letters is a register whose mail a test sends.
type letters struct {
	t   *testing.T
	r   *Registry
	now time.Time
}

func newLetters(t *testing.T) *letters {
	l := &letters{t: t, r: openNew(t), now: noon}
	l.r.now = func() time.Time { return l.now }
	return l
}

// site adds a site with contacts at these addresses.
func (l *letters) site(addresses ...string) *sender {
	l.t.Helper()
	s := enrol(l.t, l.r, noon)
	s.say(noon, mailed(addresses...))
	return s
}

func (l *letters) queue(s *sender) {
	l.t.Helper()
	if _, err := l.r.WriteTo(l.t.Context(), []string{s.site}, "Chiamateci.", l.now); err != nil {
		l.t.Fatal(err)
	}
}

func (l *letters) due() []Mail {
	l.t.Helper()
	all, err := l.r.DueMail(l.t.Context(), l.now, 100)
	if err != nil {
		l.t.Fatal(err)
	}
	return all
}

// to gives the addresses of what is due, in lower case and sorted.
func (l *letters) to() (all []string) {
	l.t.Helper()
	for _, m := range l.due() {
		all = append(all, strings.ToLower(m.Address))
	}
	slices.Sort(all)
	return all
}

func (l *letters) want(what string, addresses ...string) {
	l.t.Helper()
	if got := l.to(); !equal(got, addresses) {
		l.t.Errorf("%s: due %q, want %q", what, got, addresses)
	}
}

func (l *letters) sent(m Mail) {
	l.t.Helper()
	if err := l.r.MailSent(l.t.Context(), m, l.now); err != nil {
		l.t.Fatal(err)
	}
}

func (l *letters) failed(m Mail, bounced bool) {
	l.t.Helper()
	if err := l.r.MailFailed(l.t.Context(), m, l.now, bounced); err != nil {
		l.t.Fatal(err)
	}
}

func (l *letters) marks(s *sender) (marks []bool) {
	l.t.Helper()
	all, err := l.r.Contacts(l.t.Context(), []string{s.site})
	if err != nil {
		l.t.Fatal(err)
	}
	for _, c := range all[s.site] {
		marks = append(marks, c.Unverified)
	}
	return marks
}

// A message is taken by one sender at a time, comes back from one that died, and
// is one for each address, however many sites ask for it.
func TestMailIsTakenOnce(t *testing.T) {
	l := newLetters(t)
	a, b := l.site("anna@example.it", "", "studio@example.it"), l.site("Studio@Example.it")
	l.want("before anything is queued")
	l.queue(a)
	l.queue(a)
	l.queue(b)
	l.want("queued", "anna@example.it", "studio@example.it")
	l.want("while another has it")
	l.now = l.now.Add(mailLease)
	due := l.due()
	if len(due) != 2 {
		t.Fatalf("%d come back", len(due))
	}
	l.now = l.now.Add(time.Second)
	l.queue(b) // waits already: told with the one that is under way
	for _, m := range due {
		l.sent(m)
	}
	l.now = l.now.Add(48 * time.Hour)
	l.want("after all were told")
}

// What was queued after a message was taken is not told by it.
func TestMailQueuedMeanwhile(t *testing.T) {
	l := newLetters(t)
	a, b := l.site("studio@example.it"), l.site("studio@example.it")
	l.queue(a)
	due := l.due()
	l.now = l.now.Add(time.Second)
	l.queue(b)
	l.sent(due[0])
	l.now = l.now.Add(mailPause - time.Second)
	l.want("too soon")
	l.now = l.now.Add(time.Second)
	l.want("later", "studio@example.it")
}

// An address gets a message a quarter of an hour at most, and six in a day.
func TestMailRate(t *testing.T) {
	l := newLetters(t)
	a := l.site("anna@example.it")
	var at []string
	for range 2 * 24 * 60 {
		l.queue(a)
		for _, m := range l.due() {
			at = append(at, fmt.Sprint(l.now.Sub(noon)))
			l.sent(m)
		}
		l.now = l.now.Add(time.Minute)
	}
	want := []string{"0s", "15m0s", "30m0s", "45m0s", "1h0m0s", "1h15m0s", "24h0m0s", "24h15m0s", "24h30m0s", "24h45m0s", "25h0m0s", "25h15m0s"}
	if !slices.Equal(at, want) {
		t.Errorf("sent at %q", at)
	}
}

// A server that does not take it is asked again, less and less often, for two
// days; nobody is held to blame.
func TestMailRetries(t *testing.T) {
	l := newLetters(t)
	a := l.site("anna@example.it")
	l.queue(a)
	var at []string
	for range 3 * 24 * 12 {
		for _, m := range l.due() {
			at = append(at, fmt.Sprint(l.now.Sub(noon)))
			l.failed(m, false)
		}
		l.now = l.now.Add(5 * time.Minute)
		if err := l.r.DropMail(t.Context(), l.now); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"0s", "5m0s", "20m0s", "1h5m0s", "3h20m0s", "10h5m0s", "18h5m0s", "26h5m0s", "34h5m0s", "42h5m0s"}
	if !slices.Equal(at, want) {
		t.Errorf("tried at %q", at)
	}
	if marks := l.marks(a); marks[0] {
		t.Error("the contact is marked")
	}
	var rows, addresses int
	read := func() {
		t.Helper()
		if err := l.r.view(t.Context(), func(tx *tx) error {
			return tx.QueryRowContext(t.Context(), "SELECT count(*), count(address) FROM mail_queue").Scan(&rows, &addresses)
		}); err != nil {
			t.Fatal(err)
		}
	}
	if read(); rows != 1 || addresses != 0 {
		t.Errorf("%d rows, %d with an address", rows, addresses)
	}
	l.now = l.now.Add(mailKept)
	if err := l.r.DropMail(t.Context(), l.now); err != nil {
		t.Fatal(err)
	}
	if read(); rows != 0 {
		t.Error("it is known for ever")
	}
}

// What was taken and not tried is due at once, at each site that has the address, and
// waits after its first failure no longer than after a first one.
func TestMailUntried(t *testing.T) {
	l := newLetters(t)
	l.queue(l.site("anna@example.it"))
	l.queue(l.site("anna@example.it", "bruno@example.it"))
	for range 3 {
		due := l.due()
		if len(due) != 2 {
			t.Fatalf("due: %v", due)
		}
		if err := l.r.MailUntried(t.Context(), due, l.now); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range l.due() {
		l.failed(m, false)
	}
	l.want("after it failed")
	l.now = l.now.Add(mailRetry)
	l.want("after the first wait", "anna@example.it", "bruno@example.it")
}

// A refused address is marked at every site that has it, and there alone; it gets nothing more until a person confirms it.
func TestMailBounces(t *testing.T) {
	l := newLetters(t)
	a, b, c := l.site("anna@example.it", "gone@example.it"), l.site("GONE@example.it"), l.site("carla@example.it")
	l.queue(a)
	l.queue(c)
	before, err := l.r.LastChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var refused []Mail
	for _, m := range l.due() {
		if strings.EqualFold(m.Address, "gone@example.it") {
			refused = append(refused, m)
		} else {
			l.sent(m)
		}
	}
	if len(refused) != 1 {
		t.Fatalf("taken twice: %v", refused)
	}
	l.failed(refused[0], true)
	for i, want := range [][]bool{{false, true}, {true}, {false}} {
		if marks := l.marks([]*sender{a, b, c}[i]); !slices.Equal(marks, want) {
			t.Errorf("site %d: %v", i, marks)
		}
	}
	if changed, _, err := l.r.ChangedSites(t.Context(), before, 10); err != nil || len(changed) != 2 {
		t.Errorf("changed: %v, %v", changed, err)
	}
	l.now = l.now.Add(mailPause)
	l.want("the check asks those who can be reached", "anna@example.it")
	for s, want := range map[*sender]int{a: 2, b: 1} { // besides the letter, which a had
		if waiting, _, err := l.r.Waiting(t.Context(), s.agent, l.now, 0); err != nil || len(waiting) != want {
			t.Errorf("%d notices, %v, want %d", len(waiting), err, want)
		}
	}
	l.queue(b)
	l.want("a refused address")
	if err := l.r.Renew(t.Context(), b.site, l.now); err != nil {
		t.Fatal(err)
	}
	if marks := l.marks(b); marks[0] {
		t.Error("confirmed, and still marked")
	}
	l.queue(b)
	l.want("confirmed", "gone@example.it")
}

// Nothing stays of an address that was replaced or withdrawn; what waited for
// the site goes to who is its contact now.
func TestMailFollowsContacts(t *testing.T) {
	l := newLetters(t)
	a := l.site("anna@example.it", "bruno@example.it")
	l.queue(a)
	under := l.due()
	a.say(noon.Add(time.Hour), mailed("carla@example.it", "bruno@example.it"))
	l.now = noon.Add(2 * time.Hour)
	for _, m := range under { // the answer of a sender that was slower
		if m.Address == "anna@example.it" {
			l.failed(m, true)
		}
	}
	if marks := l.marks(a); marks[0] || marks[1] {
		t.Errorf("marked: %v", marks)
	}
	l.want("after the change", "bruno@example.it", "carla@example.it")
	l.now = l.now.Add(mailLease)
	if due := l.due(); len(due) == 2 {
		l.failed(due[0], true)
	}
	if marks := l.marks(a); marks[0] == marks[1] {
		t.Errorf("marked: %v", marks)
	}
	if err := l.r.Act(t.Context(), a.site, protocol.SiteWithdrawn, l.now); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := l.r.view(t.Context(), func(tx *tx) error {
		return tx.QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM mail_queue) + (SELECT count(*) FROM bounces) + (SELECT count(*) FROM ageing)").Scan(&n)
	}); err != nil || n > 0 {
		t.Errorf("%d rows stay, %v", n, err)
	}
}

// What was sent is known also after the contacts have changed: its refusal comes late, and
// nobody is written to the more often for it.
func TestSentMailIsKnown(t *testing.T) {
	l := newLetters(t)
	a := l.site("anna@example.it", "gone@example.it")
	l.queue(a)
	due := l.due()
	for _, m := range due {
		l.sent(m)
	}
	l.now = noon.Add(time.Minute)
	a.say(l.now, mailed("gone@example.it", "carla@example.it"))
	l.queue(a)
	l.want("told a minute ago", "carla@example.it")
	for _, m := range due {
		if known, err := l.r.MailTold(t.Context(), m.ID, true, l.now); err != nil || !known {
			t.Errorf("of %s: known %v, %v", m.Address, known, err)
		}
	}
	if marks := l.marks(a); !marks[0] || marks[1] {
		t.Errorf("marked: %v", marks)
	}
}

// A message that is damaged does not keep back the others, nor is it looked at
// all the time.
func TestMailDamaged(t *testing.T) {
	l := newLetters(t)
	l.queue(l.site("anna@example.it"))
	l.queue(l.site("bruno@example.it"))
	if err := l.r.update(t.Context(), func(ctx context.Context, tx *tx) error {
		var id string
		if err := tx.QueryRowContext(ctx, "SELECT min(id) FROM mail_queue").Scan(&id); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "UPDATE mail_queue SET address = NULL, due_at = due_at - 1 WHERE id = ?", id)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for want := range 2 { // the damaged one is the first
		if due, err := l.r.DueMail(t.Context(), l.now, 1); err != nil || len(due) != want {
			t.Errorf("due: %v, %v", due, err)
		}
	}
}

// The address of a message is sealed, and still opens when the site has another
// key because a camera of it went.
func TestMailIsSealed(t *testing.T) {
	l := newLetters(t)
	a := enrol(t, l.r, noon)
	d := mailed("anna@example.it")
	d.Cameras = append(d.Cameras, camera(2, "two"))
	a.say(noon, d)
	l.queue(a)
	var address []byte
	read := func() (now []byte) {
		t.Helper()
		if err := l.r.view(t.Context(), func(tx *tx) error {
			return tx.QueryRowContext(t.Context(), "SELECT address FROM mail_queue").Scan(&now)
		}); err != nil {
			t.Fatal(err)
		}
		return now
	}
	if address = read(); len(address) == 0 || bytes.Contains(address, []byte("anna")) {
		t.Errorf("kept as %q", address)
	}
	a.say(noon.Add(time.Hour), mailed("anna@example.it"))
	if bytes.Equal(read(), address) {
		t.Error("it is sealed with the key of before")
	}
	l.want("sealed anew", "anna@example.it")
}

// A notification that comes after a message was sent marks its address, also of an
// alert and an invitation, once, and for a week.
func TestMailTold(t *testing.T) {
	l := newLetters(t)
	a, b := l.site("gone@example.it"), l.site("GONE@example.it")
	l.queue(a)
	due := l.due()
	told := func(id string, bounced, want bool) {
		t.Helper()
		if known, err := l.r.MailTold(t.Context(), id, bounced, l.now); err != nil || known != want {
			t.Errorf("known %v, %v, want %v", known, err, want)
		}
	}
	told(due[0].ID, true, false) // nobody has sent it
	l.sent(due[0])
	told(due[0].ID, false, true)
	told(due[0].ID, false, false)
	if marks := l.marks(a); marks[0] {
		t.Error("marked after it was delivered")
	}
	told(due[0].ID, true, true) // a second server had taken it
	told(due[0].ID, true, false)
	told(due[0].ID, false, false)
	told("", true, false)
	if !l.marks(a)[0] || !l.marks(b)[0] {
		t.Error("a refused address is not marked at each site")
	}
	c := newCampaign(t)
	c.plan(invitees(1), WavePlan{})
	m := c.due()[0]
	c.sent(m)
	c.wantWave("sent", "1 0 1 0 0 0 0 0")
	if known, err := c.r.MailTold(t.Context(), m.ID, true, c.now); err != nil || !known {
		t.Error(known, err)
	}
	c.wantWave("came back", "1 0 1 1 0 0 0 0")
}
