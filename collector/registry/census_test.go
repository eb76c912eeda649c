package registry

import (
	"testing"
	"time"

	"anagrafe/protocol"
)

func TestCensusCountsWhatWaitsAndHowOldItIs(t *testing.T) {
	l := newLetters(t)
	before, err := l.r.Census(t.Context(), noon)
	if err != nil || before.Notices != 0 || before.Mail != 0 || !before.OldestNotice.IsZero() || !before.OldestMail.IsZero() || before.Bytes == 0 {
		t.Fatalf("an empty register: %+v, %v", before, err)
	}
	s := l.site("mario@example.com")
	s.queue(noon.Add(-time.Hour), preserve(id(1)))
	s.queue(noon, preserve(id(1)))
	l.queue(s) // with a letter, which is a notice too
	c, err := l.r.Census(t.Context(), noon)
	if err != nil {
		t.Fatal(err)
	}
	if c.Notices != 3 || !c.OldestNotice.Equal(noon.Add(-time.Hour)) || c.Mail != 1 || !c.OldestMail.Equal(noon) || c.Agents != 1 || c.Heard != 1 || c.Sharing != 1 {
		t.Errorf("%+v", c)
	}
	if c, err = l.r.Census(t.Context(), noon.Add(2*protocol.UnheardAfter)); err != nil || c.Heard != 0 {
		t.Errorf("an agent that was not heard for two weeks counts as heard: %+v, %v", c, err)
	}
	for _, m := range l.due() {
		if err := l.r.MailSent(t.Context(), m, noon); err != nil {
			t.Fatal(err)
		}
	}
	if c, err = l.r.Census(t.Context(), noon.Add(time.Minute)); err != nil || c.Mail != 0 || c.Mailed["sent"] != 1 || c.Mailed["bounced"] != 0 {
		t.Errorf("sent mail: %+v, %v", c, err)
	}
	if c, err = l.r.Census(t.Context(), noon.AddDate(1, 0, 0)); err != nil || c.Notices != 0 || c.Mailed["sent"] != 0 {
		t.Errorf("a year later: %+v, %v", c, err)
	}
}

func TestSchemaIsTheOneThatThisProgramNeeds(t *testing.T) {
	r := openNew(t)
	if has, needs, err := r.Schema(t.Context()); err != nil || has != needs || has == 0 {
		t.Fatalf("%d of %d, %v", has, needs, err)
	}
	if _, err := r.write.ExecContext(t.Context(), "UPDATE goose_db_version SET version_id = version_id + 1 WHERE version_id = (SELECT max(version_id) FROM goose_db_version)"); err != nil {
		t.Fatal(err)
	}
	if has, needs, err := r.Schema(t.Context()); err != nil || has != needs+1 {
		t.Errorf("%d of %d, %v", has, needs, err)
	}
}
