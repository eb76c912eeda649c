package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
	"anagrafe/collector/web"
	"anagrafe/collector/web/mail"
)

// maxPassword is the most bytes of a file with a password.
const maxPassword = 1024

// ageingActor is who the trail names for what time does.
const ageingActor = "ageing"

// tidy does the chores every hour, and reads ahead what is wrong at sites.
func (o *collector) tidy(ctx context.Context, alerts *alerts) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := errors.Join(o.chores(ctx, alerts), o.ops.ReadAhead(ctx)); err != nil && ctx.Err() == nil {
			o.log.Warn("what every hour brings could not all be done; it will be tried again in an hour", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// chores drops ended sessions and unused links, closes notices that
// are of no use any more, deletes what old ones say, thins old looks at recorders,
// of each site every fortnight, destroys cases whose term is over, tells contacts
// what is wrong with their recorders, and applies what time does to entries and to
// the trail's contents. If another collector is at them it leaves them to that one:
// much is recorded before it is done, and would be on the trail twice.
func (o *collector) chores(ctx context.Context, alerts *alerts) error {
	counted := func(did string, f func(context.Context, time.Time) (int, error)) func(context.Context, time.Time) error {
		return func(ctx context.Context, now time.Time) error {
			n, err := f(ctx, now)
			if err == nil && n > 0 {
				o.log.Info(did, "number", n)
			}
			return err
		}
	}
	chores := []struct {
		failed string
		do     func(context.Context, time.Time) error
	}{
		{"ended sessions could not be dropped", o.reg.DropExpired},
		{"old notices could not be closed", o.reg.CloseNotices},
		{"old looks at recorders could not be thinned", func(ctx context.Context, now time.Time) error { _, err := o.reg.Thin(ctx, now); return err }},
		{"old mail could not be dropped", o.reg.DropMail},
		{"forms that nobody finished could not be dropped", counted("forms that nobody touched for a year were dropped", o.reg.DropSubmissions)},
		{"assisted entries that nobody confirmed could not be deleted", o.expireAssisted},
		{"old reports of readers could not be dropped", o.reg.DropRemarks},
		{"what the trail has kept for its term could not be deleted", counted("what the trail has kept for its term was deleted",
			func(ctx context.Context, now time.Time) (int, error) {
				n, err := o.trail.Forget(ctx, now.AddDate(-o.config.TrailYears, 0, 0))
				return int(n), err
			})},
		{"cases whose term is over could not be destroyed", o.destroyCases},
		{"contacts could not be told what is wrong with their recorders", func(ctx context.Context, now time.Time) error {
			if o.mail == nil && o.sms == nil {
				return nil
			}
			return alerts.tell(ctx, o.reg, now)
		}},
		{"invitations could not be sent or deleted", o.invite},
		{"the register could not be aged", o.age},
	}
	return o.reg.Alone(ctx, func() error {
		for _, c := range chores {
			if err := c.do(ctx, time.Now()); err != nil && ctx.Err() == nil {
				o.log.Warn(c.failed+"; it will be tried again in an hour", "err", err)
			}
		}
		return nil
	})
}

// age has the register's entries age, and suspensions end that were to end by now,
// each batch once it is on the trail.
func (o *collector) age(ctx context.Context, now time.Time) error {
	done, err := o.reg.Age(ctx, now, func(ctx context.Context, kind act.Kind, sites []string) error {
		return o.record(ctx, web.Act{Kind: kind, User: registry.User{ID: ageingActor}, Count: len(sites), Details: map[string]any{"sites": sites}})
	})
	shown, endErr := o.reg.EndSuspensions(ctx, now, func(ctx context.Context, sites []string) error {
		return o.record(ctx, web.Act{Kind: act.AgeingResumed, User: registry.User{ID: ageingActor}, Count: len(sites), Details: map[string]any{"sites": sites}})
	})
	if done != (registry.Aged{}) || shown > 0 {
		o.log.InfoContext(ctx, "the register has aged", "reminded", done.Reminded, "unverified", done.Unverified, "withdrawn", done.Withdrawn, "shown_again", shown)
	}
	return errors.Join(err, endErr)
}

// destroyCases destroys the cases that were closed so long ago as the configuration
// says, each once that is on the trail of its force.
func (o *collector) destroyCases(ctx context.Context, now time.Time) error {
	n, err := o.reg.DestroyCases(ctx, now.AddDate(-o.config.CaseYears, 0, 0), now, func(ctx context.Context, id, force string) error {
		f, _, err := o.reg.Force(ctx, force)
		if err == nil {
			_, err = o.trail.Append(ctx, trail.Entry{At: now, Actor: ageingActor, Force: force, Kind: act.CaseDestroy, Case: id, Count: 1, Recipient: f.Recipient})
		}
		return err
	})
	if n > 0 {
		o.log.InfoContext(ctx, "cases were destroyed at the end of their term", "cases", n)
	}
	return err
}

// invite sends the invitations whose day has come, and deletes what is left of cancelled
// waves, and those that nobody used, once it is on the trail.
func (o *collector) invite(ctx context.Context, now time.Time) error {
	sendErr := errors.Join(o.reg.SendInvitations(ctx, now), o.reg.DropCancelled(ctx))
	n, err := o.reg.DropInvitations(ctx, now.AddDate(0, 0, -o.config.InvitationDays), func(ctx context.Context, n int) error {
		return o.record(ctx, web.Act{Kind: act.AgeingInvitations, User: registry.User{ID: ageingActor}, Count: n})
	})
	if n > 0 {
		o.log.InfoContext(ctx, "invitations that nobody used were deleted", "invitations", n)
	}
	return errors.Join(sendErr, err)
}

// mailSender makes the sender of mail; nil where none is configured.
func (o *collector) mailSender() (*mail.Sender, error) {
	if o.config.SMTPServer == "" {
		return nil, nil
	}
	password, err := passwordFile("smtp_password_file", o.config.SMTPPasswordFile, "the mail server's password")
	if err != nil {
		return nil, err
	}
	options := o.mailOptions()
	options.Server, options.From, options.User, options.Password = o.config.SMTPServer, o.config.SMTPFrom, o.config.SMTPUser, password
	if options.Channels = []registry.Channel{registry.ChannelEmail}; o.config.PEC.Server == "" {
		options.Channels = append(options.Channels, registry.ChannelPEC)
	}
	return mail.New(options)
}

// mailOptions are what all servers of mail have in common.
func (o *collector) mailOptions() mail.Options {
	return mail.Options{Registry: o.reg, PublicURL: o.config.public(), Link: o.config.ownerLink(), ContactLink: o.config.contactLink(),
		EndLink: o.config.alertsLink(), Inviter: o.config.inviter(), Log: o.log}
}

// passwordFile reads the file of a password, what, that the key of the configuration
// names; "" where it names none.
func passwordFile(key, path, what string) (string, error) {
	if path == "" {
		return "", nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", key, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s can be read by other users (mode %v): change what it holds, then run chmod 600 %s", path, info.Mode().Perm(), path)
	}
	if info.Size() > maxPassword {
		return "", fmt.Errorf("%s has %d bytes: it should hold %s alone", path, info.Size(), what)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", key, err)
	}
	password := strings.TrimRight(string(b), "\r\n")
	if password == "" {
		return "", fmt.Errorf("%s is empty: write %s into it", key, what)
	}
	return password, nil
}
