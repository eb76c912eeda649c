package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
	"anagrafe/collector/web"
	"anagrafe/collector/web/mail"
)

// maxPassword is the most bytes of a file with a password.
const maxPassword = 1024

// ageingActor is who the trail names for what time does.
const ageingActor = "ageing"

// age has the register's entries age, and suspensions end that were to end by now,
// each batch once it is on the trail, and tells search and the agents.
func (o *office) age(ctx context.Context, now time.Time) error {
	done, err := o.reg.Age(ctx, now, func(ctx context.Context, kind string, sites []string) error {
		return o.record(ctx, web.Act{Kind: "ageing-" + kind, User: registry.User{ID: ageingActor}, Count: len(sites), Details: map[string]any{"sites": sites}})
	})
	shown, endErr := o.reg.EndSuspensions(ctx, now, func(ctx context.Context, sites []string) error {
		return o.record(ctx, web.Act{Kind: "ageing-resumed", User: registry.User{ID: ageingActor}, Count: len(sites), Details: map[string]any{"sites": sites}})
	})
	if done != (registry.Aged{}) || shown > 0 {
		o.changed()
		o.notify()
		o.log.InfoContext(ctx, "the register has aged", "reminded", done.Reminded, "unverified", done.Unverified, "withdrawn", done.Withdrawn, "shown_again", shown)
	}
	return errors.Join(err, endErr)
}

// destroyCases destroys the cases that were closed so long ago as the configuration
// says, each once that is on the trail of its force.
func (o *office) destroyCases(ctx context.Context, now time.Time) error {
	n, err := o.reg.DestroyCases(ctx, now.AddDate(-o.config.CaseYears, 0, 0), now, func(ctx context.Context, id, force string) error {
		f, _, err := o.reg.Force(ctx, force)
		if err == nil {
			_, err = o.trail.Append(ctx, trail.Entry{At: now, Actor: ageingActor, Force: force, Kind: "case-destroy", Case: id, Count: 1, Recipient: f.Recipient})
		}
		return err
	})
	if n > 0 {
		o.log.InfoContext(ctx, "cases were destroyed at the end of their term", "cases", n)
	}
	return err
}

// invite sends the invitations whose day has come, and deletes those that nobody used,
// once it is on the trail.
func (o *office) invite(ctx context.Context, now time.Time) error {
	sendErr := o.reg.SendInvitations(ctx, now)
	n, err := o.reg.DropInvitations(ctx, now.AddDate(0, 0, -o.config.InvitationDays), func(ctx context.Context, n int) error {
		return o.record(ctx, web.Act{Kind: "ageing-invitations", User: registry.User{ID: ageingActor}, Count: n})
	})
	if n > 0 {
		o.log.InfoContext(ctx, "invitations that nobody used were deleted", "invitations", n)
	}
	return errors.Join(sendErr, err)
}

// mailSender makes the sender of mail; nil where none is configured.
func (o *office) mailSender() (*mail.Sender, error) {
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
func (o *office) mailOptions() mail.Options {
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
