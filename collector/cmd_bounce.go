package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"anagrafe/collector/web"
	"anagrafe/collector/web/mail"
)

// told is what a notification says of a message.
type told struct {
	Mail  string    `json:"mail"` // id; "": it is about none of ours
	Fate  mail.Fate `json:"fate"`
	Known bool      `json:"known"` // such a message was sent, and that is news
}

// cmdBounce takes one notification from its input: a mail server's pipe, or a program
// that fetches a mailbox and runs another for each message. What is none is left alone
// and is no error, so that a mail server does not send it back; where the collector
// cannot be reached, it should keep the message and try again (exim: temp_errors = *).
// It is read here, and not by the collector.
func cmdBounce(ctx context.Context, c *call, args []string) error {
	if _, err := c.parse(c.flags(), args, 0); err != nil {
		return err
	}
	r, err := mail.ReadReport(c.in)
	if err != nil && !errors.Is(err, mail.ErrNoReport) {
		return err
	}
	t := told{Mail: r.MailID, Fate: r.Fate}
	if r.Fate != mail.FateOpen {
		if err := c.withCollector(ctx, func(cl client) error { return cl.do(ctx, http.MethodPost, "/bounce", t, &t) }); err != nil {
			return err
		}
	}
	switch {
	case c.json:
		return c.print(t)
	case t.Mail == "":
		fmt.Fprintln(c.out, "this is about no message that was sent from here; nothing is done")
	case t.Fate == mail.FateOpen:
		fmt.Fprintf(c.out, "message %s: nothing is decided yet\n", t.Mail)
	case !t.Known:
		fmt.Fprintf(c.out, "message %s: %s, which is known, or it was sent over a week ago\n", t.Mail, t.Fate)
	default:
		fmt.Fprintf(c.out, "message %s: %s\n", t.Mail, t.Fate)
	}
	return nil
}

// bounced notes what a notification says, for the control socket alone.
func (o *collector) bounced(rw http.ResponseWriter, r *http.Request) {
	var t told
	d := json.NewDecoder(http.MaxBytesReader(rw, r.Body, 4096))
	if err := d.Decode(&t); err != nil || t.Fate != mail.FateBounced && t.Fate != mail.FateDelivered {
		web.WriteJSON(rw, http.StatusUnprocessableEntity, web.Problem{Error: "mail and fate are expected"})
		return
	}
	var err error
	if t.Known, err = o.reg.MailTold(r.Context(), t.Mail, t.Fate == mail.FateBounced, time.Now()); err != nil {
		o.opsWeb.Broken(rw, r, err)
		return
	}
	if t.Known && t.Fate == mail.FateBounced {
		o.log.WarnContext(r.Context(), "mail came back: its address is refused for good, the contact is marked", "mail", t.Mail)
	}
	web.WriteJSON(rw, http.StatusOK, t)
}
