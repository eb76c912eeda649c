package registry

import (
	"time"

	"anagrafe/protocol"
)

// Three clocks of a site age apart:
//
//   - Facts: renewed by any message of an agent. After two months without one
//     its owner is reminded, once a silence; officers see "recapito non
//     verificato" until a message comes.
//   - Contacts: confirmed by a person. A year after that, less 30 days, a check is
//     asked for; so do a mail that a server refuses and an officer whom nobody
//     answers. Two months of silence after it, or the refused mail, make
//     them "recapito non verificato" until a person confirms them.
//   - The adhesion: renewed by a person, who approves a declaration or presses
//     the button on the page of the site; that confirms the contacts too.
//     Reminders come 30, 14 and 3 days before the year ends. 24 months after
//     it the site is withdrawn, agent or not, and the same three reminders come
//     before that. None of these three is ever skipped: where they come late,
//     because the collector was off, so does the withdrawal.
//
// Age applies them; ages says what is to be done, and reads no clock itself.

// silentMonths is how long a silence is one.
const silentMonths = 2

// An adhesion should be renewed after adhesionYears; withdrawYears after the last yes
// the site is withdrawn.
const adhesionYears, withdrawYears = 1, 2

// reminders are the days before an end at which a reminder comes.
var reminders = [...]int{30, 14, 3}

// lastStage is that of a site that has had all reminders: of the end of the
// year, and of the withdrawal.
const lastStage = 2 * len(reminders)

// ages is what the clocks of a site show. The zero time stands for never.
type ages struct {
	renewed     time.Time
	stage       int       // reminders of the adhesion passed since renewed
	ends        time.Time // it is withdrawn then
	confirmed   time.Time
	asked       time.Time // a check of the contacts was asked for and not answered
	unverified  time.Time
	heard       time.Time // newest message of an agent
	silenceTold time.Time // the heard after whose silence a reminder was given
	reminded    time.Time // newest reminder, for any reason
}

// renewal is what a person's yes leaves of the clocks: that of facts goes on.
func (a ages) renewal(at time.Time) ages {
	return ages{renewed: at, ends: at.AddDate(withdrawYears, 0, 0), confirmed: at, heard: a.heard, silenceTold: a.silenceTold}
}

// aged is what the ageing of a site asks for.
type aged struct{ remind, unverify, withdraw bool }

// year is when the adhesion should have been renewed.
func (a ages) year() time.Time { return a.renewed.AddDate(adhesionYears, 0, 0) }

// moment is when the reminder of a stage is due, and that of lastStage when the
// site is withdrawn.
func (a ages) moment(stage int) time.Time {
	switch {
	case stage < len(reminders):
		return a.year().AddDate(0, 0, -reminders[stage])
	case stage < lastStage:
		return a.ends.AddDate(0, 0, -reminders[stage-len(reminders)])
	}
	return a.ends
}

// checkDue is when a check of the contacts is asked for.
func (a ages) checkDue() time.Time { return a.confirmed.AddDate(1, 0, -reminders[0]) }

// silent reports whether the site's agents say nothing any more. One that never
// had an agent is not silent.
func (a ages) silent(now time.Time) bool {
	return !a.heard.IsZero() && !a.heard.AddDate(0, silentMonths, 0).After(now)
}

// step moves the clocks to now: what they show then, and what is to be done. A
// second step at the same moment does nothing. However late it comes, it asks
// for one reminder.
func (a ages) step(now time.Time) (ages, aged) {
	if a.stage == lastStage && !a.ends.After(now) {
		return a, aged{withdraw: true}
	}
	var do aged
	for a.stage < lastStage && !a.moment(a.stage).After(now) {
		if k := a.stage - len(reminders); k >= 0 {
			a.ends = protocol.Later(a.ends, now.AddDate(0, 0, reminders[k]))
		}
		a.stage++
		do.remind = true
	}
	if a.asked.IsZero() && !a.checkDue().After(now) {
		a.asked, do.remind = now, true
	}
	if !a.asked.IsZero() && a.unverified.IsZero() && !a.asked.AddDate(0, silentMonths, 0).After(now) {
		a.unverified, do.unverify = now, true
	}
	if a.silent(now) && !a.heard.Equal(a.silenceTold) {
		a.silenceTold, do.remind = a.heard, true
	}
	if do.remind {
		a.reminded = now
	}
	return a, do
}

// due is the earliest moment after now at which a step may have something to do,
// if nothing else happens. A message that ends a silence does not move it: the
// next silence begins after now, and is over two months later at the earliest.
func (a ages) due(now time.Time) time.Time {
	due := a.moment(a.stage)
	if a.asked.IsZero() {
		due = protocol.Earlier(due, a.checkDue())
	} else if a.unverified.IsZero() {
		due = protocol.Earlier(due, a.asked.AddDate(0, silentMonths, 0))
	}
	switch {
	case a.heard.IsZero(), a.heard.Equal(a.silenceTold):
		due = protocol.Earlier(due, now.AddDate(0, silentMonths, 0))
	default:
		due = protocol.Earlier(due, a.heard.AddDate(0, silentMonths, 0))
	}
	return due
}
