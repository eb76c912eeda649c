package ops

import (
	"context"
	"time"

	"golang.org/x/mod/semver"
	"golang.org/x/sync/singleflight"

	"anagrafe/collector/registry"
)

// What is wrong is remembered as the counts are (remembered.go), but for what was done
// since: it is never waited for when some of it can be shown.

// certificateLate is how long before its end a certificate should have been renewed
// for days: agents renew theirs from day 20 of 30 on.
const certificateLate = 7 * 24 * time.Hour

// queueNow returns what is wrong, as it was read last. No line is of an agent that was
// shut out before this is called, here or at another collector: who did it would not
// believe the page.
func (o *Ops) queueNow(ctx context.Context) (*registry.FaultList, error) {
	asked := o.Web.Now()
	for {
		q := o.queued.Load()
		if q != nil && !q.At.Before(asked) {
			return q, nil
		}
		shown := q != nil && asked.Sub(q.At) < kept
		if shown {
			var err error
			if shown, err = o.Registry.FaultsStand(ctx, q); err != nil {
				return nil, err
			}
		}
		if shown && asked.Sub(q.At) < rememberedFor {
			return q, nil
		}
		read := o.readQueue()
		if shown {
			return q, nil
		}
		select {
		case done := <-read: // perhaps one that was begun before this was called: then once more
			if done.Err != nil {
				return nil, done.Err
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// ReadAhead reads the faults for the next visitor. If it is called every hour nobody
// waits for the reading, which takes a third of a second at a hundred thousand sites.
func (o *Ops) ReadAhead(ctx context.Context) error {
	select {
	case read := <-o.readQueue():
		return read.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// readQueue has what is wrong be read, once at a time, until Close. It does not wait.
func (o *Ops) readQueue() <-chan singleflight.Result {
	return o.reading.DoChan("", func() (any, error) {
		ctx, end := context.WithTimeout(o.life, readTime)
		defer end()
		limits, err := o.limits(ctx)
		if err != nil {
			return nil, err
		}
		q, err := o.Registry.ReadFaults(ctx, limits)
		if err != nil {
			if o.life.Err() == nil {
				o.Log.ErrorContext(ctx, "what is wrong at sites cannot be read; the technical queue shows what it was before, for an hour", "err", err)
			}
			return nil, err
		}
		o.queued.Store(q)
		return nil, nil
	})
}

// limits are those of now.
func (o *Ops) limits(ctx context.Context) (l registry.FaultLimits, err error) {
	now := o.Web.Now()
	l = registry.FaultLimits{At: now, SilentSince: now.Add(-staleAfter), CertificateBefore: now.Add(certificateLate)}
	if semver.IsValid(o.Version) {
		l.Old, err = o.Registry.OldVersions(ctx, func(v string) bool { return semver.IsValid(v) && semver.Compare(v, o.Version) < 0 })
	}
	return l, err
}
