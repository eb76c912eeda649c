package uplink

import (
	"context"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// lookAtClock is the longest that a renewal sleeps: a laptop's own sleep and a
// corrected clock are noticed after it.
const lookAtClock = time.Hour

// youngest is the age of a certificate (its backdating included) before which
// it is not renewed for the sake of the key of receipts.
const youngest = 2 * time.Hour

// renewInTime renews the certificate when renewAt says, or when a receipt shows
// that the collector has another key of receipts than this agent knows, and
// returns when it has: the session then starts again with the new one.
func (u *Uplink) renewInTime(ctx context.Context, l *line, id *Identity) {
	b := backoff{first: u.pace.renew, most: u.pace.renewMost, jitter: u.o.Jitter}
	otherKey := false
	for ctx.Err() == nil {
		early := otherKey && u.now().Sub(id.chain[0].NotBefore) > youngest
		if d := id.renewAt().Sub(u.now()); d > 0 && !early {
			timer := time.NewTimer(min(d, lookAtClock))
			select {
			case <-ctx.Done():
			case <-timer.C:
			case <-l.otherKey:
				otherKey = true
			}
			timer.Stop()
			continue
		}
		next, failure := u.renew(ctx, l, id)
		if failure == nil {
			u.log.InfoContext(ctx, "certificate renewed", "until", next.Until())
			u.Use(next)
			return
		}
		pause(ctx, b.next(failure.after))
	}
}

func (u *Uplink) renew(ctx context.Context, l *line, id *Identity) (*Identity, *Error) {
	const what = "renew the agent's certificate"
	csr, err := certificateRequest(id.key)
	if err != nil {
		return nil, newError(protocol.ReasonTemporary, err, what)
	}
	l.parking.begin()
	defer l.parking.end()
	var via taken
	cctx, cancel := context.WithTimeout(recordVia(ctx, &via), callTimeout)
	defer cancel()
	resp, err := l.enrolment.Renew(cctx, connect.NewRequest(&wire.RenewRequest{Csr: csr}))
	if err != nil {
		e := explain(what, err)
		if ctx.Err() == nil {
			u.failed(e, via.name())
		}
		return nil, e
	}
	next, err := id.with(resp.Msg.GetCertificateChain(), resp.Msg.GetAuthorities(), resp.Msg.GetTrust(), resp.Msg.GetReceiptKey())
	if err != nil {
		e := newError(UnexpectedAnswer, err, what)
		u.failed(e, via.name())
		return nil, e
	}
	if !next.renewAt().After(u.now()) {
		// It would be renewed again at once, for ever.
		e := wrongf(UnexpectedAnswer, "%s: the new one ends on %s; check this machine's date", what, next.Until().Format(time.DateOnly))
		u.failed(e, via.name())
		return nil, e
	}
	if err := next.save(); err != nil {
		// It serves until the next start, which will renew the old one again.
		u.failed(newError(protocol.ReasonTemporary, err, "keep the renewed certificate"), via.name())
	}
	return next, nil
}
