package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"anagrafe/collector/registry"
)

// queue is the register's, as one way to send sees it.
type queue struct {
	*registry.Registry
	now  func() time.Time
	log  *slog.Logger
	what string // goes by it
	way  string // as an error names it
}

// run sends what is due, again and again until ctx ends.
func (q queue) run(ctx context.Context, sendDue func(context.Context) error) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if err := sendDue(ctx); err != nil && ctx.Err() == nil {
			q.log.WarnContext(ctx, q.what+" could not be sent and is tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// due sends all that is due now, so many at a time. The error is one of the queue, or of
// the way as a whole: what became of single messages the queue knows.
func (q queue) due(ctx context.Context, batch int, channels []registry.Channel, send func(context.Context, []registry.Mail) error) error {
	for {
		due, err := q.DueMail(ctx, q.now(), batch, channels...)
		if err != nil || len(due) == 0 {
			return err
		}
		if err := send(ctx, due); err != nil {
			return err
		}
	}
}

// sendEach sends one after the other, and notes what became of each. Where the way breaks
// on one, or ctx or the batch's time ends, the rest was not tried and is due again at once: it
// may go well, and one address that breaks the way each time does not keep the others from
// being tried.
func (q queue) sendEach(ctx context.Context, all []registry.Mail, send func(registry.Mail) outcome) error {
	noted := context.WithoutCancel(ctx) // what was taken while we stop is not sent twice
	end := q.now().Add(batchTime)
	for i, m := range all {
		if ctx.Err() != nil || q.now().After(end) {
			return q.MailUntried(noted, all[i:], q.now())
		}
		result := send(m)
		q.tell(ctx, m, result)
		var err error
		if result.err != nil {
			err = q.MailFailed(noted, m, q.now(), result.bounced)
		} else {
			err = q.MailSent(noted, m, q.now())
		}
		if err != nil {
			return err
		}
		if result.broken {
			return errors.Join(fmt.Errorf("%s: %w", q.way, result.err), q.MailUntried(noted, all[i+1:], q.now()))
		}
	}
	return nil
}

// putOff notes that nothing can be sent at all now, and returns why.
func (q queue) putOff(ctx context.Context, all []registry.Mail, why error) error {
	noted := context.WithoutCancel(ctx)
	for _, m := range all {
		if err := q.MailFailed(noted, m, q.now(), false); err != nil {
			return err
		}
	}
	return why
}

// tell logs what became of a message. The words of a server may repeat the address: its
// code alone goes into the log.
func (q queue) tell(ctx context.Context, m registry.Mail, o outcome) {
	switch {
	case o.bounced:
		q.log.WarnContext(ctx, q.what+" refused for good: the contact is marked", "mail", m.ID, "err", o.err)
	case o.err != nil:
		q.log.WarnContext(ctx, q.what+" put off", "mail", m.ID, "err", o.err)
	default:
		q.log.InfoContext(ctx, q.what+" sent", "mail", m.ID)
	}
}
