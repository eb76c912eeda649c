package registry

import "time"

// Terms are the register's retention periods, for the privacy documents.
type Terms struct {
	AdhesionYears int           // after which it should be renewed
	WithdrawYears int           // after the last yes a site is withdrawn
	SilentMonths  int           // of silence after which contacts count as not verified
	KeysDays      int           // that a backup of the keys is good for
	NoticeDays    int           // after its end that what a notice says is kept
	MailDays      int           // that a message is known to have been sent
	DraftDays     int           // after which what was typed on a form and not confirmed is deleted
	DictatedDays  int           // after which what was dictated to the office and not confirmed is deleted
	DictatedKept  int           // days that it is known that something was
	DictatedDraft time.Duration // that who types it may read it
	RemarkDays    int           // that what readers of the public pages wrote is kept
}

// KeepingTerms returns them.
func KeepingTerms() Terms {
	days := func(d time.Duration) int { return int(d / (24 * time.Hour)) }
	return Terms{AdhesionYears: adhesionYears, WithdrawYears: withdrawYears, SilentMonths: silentMonths, KeysDays: days(KeysLife), NoticeDays: days(noticeKept), MailDays: days(mailKept),
		DraftDays: days(submissionLife), DictatedDays: days(CodeLife), DictatedKept: days(assistedKept), DictatedDraft: assistedDraft, RemarkDays: days(remarkLife)}
}
