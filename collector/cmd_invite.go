package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"anagrafe/protocol/daemon"
	"anagrafe/protocol/pages"
)

// invitation is a code for a site, as the handler of /invite answers it.
type invitation struct {
	SiteID    string    `json:"site_id"`
	Site      string    `json:"site"`
	Code      string    `json:"code"`
	Link      string    `json:"link"`
	ExpiresAt time.Time `json:"expires_at"`
}

const (
	maxInvitations    = 100_000 // that one command makes
	invitationsAtOnce = 8
)

// cmdInvite makes a code, and the link that carries it; with -count as many of
// them, each for a new site of its own.
func cmdInvite(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	in := map[string]string{}
	f.Func("site", "name of the site", into(in, "site"))
	f.Func("category", "bank, pharmacy, shop, condominium, ... (default other)", into(in, "category"))
	f.Func("address", "its address, in words", into(in, "address"))
	f.Func("site-id", "a site that is there: a further code, for new hardware or after a withdrawal", into(in, "site_id"))
	image := f.String("qr", "", "write the link as a QR code to this new PNG file")
	count := f.Int("count", 0, "make so many codes, each for a new site of its own")
	b := batchFlags{}
	b.on(f)
	many := waveFlags{}
	many.on(f)
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	switch {
	case many.file != "":
		if len(in) > 0 || *image != "" || *count > 0 || b.association != "" {
			return misuse("-file goes without -site, -site-id, -category, -address, -association, -count and -qr")
		}
		return c.inviteFile(ctx, many, b.letters)
	case many.given():
		return misuse("-wave, -per-day, -town, -source, -dry-run and -partial go with -file")
	case b.association != "" || b.letters != "":
		if len(in) > 0 || *image != "" {
			return misuse("a code of -association names no site: leave -site, -category, -address, -site-id and -qr out")
		}
		return c.inviteBatch(ctx, b, *count)
	case in["site"] == "" && in["site_id"] == "":
		return misuse("-site NAME is missing")
	case *count < 0 || *count > maxInvitations || *count == 0 && given(f, "count"):
		return misuse(fmt.Sprintf("-count goes from 1 to %d", maxInvitations))
	case *count > 0 && (in["site_id"] != "" || *image != ""):
		return misuse("-count makes new sites and no pictures: leave -site-id and -qr out")
	case *count > 0:
		return c.inviteMany(ctx, in, *count)
	}
	var answer invitation
	ask := func() error {
		return c.withCollector(ctx, func(cl client) error { return cl.do(ctx, http.MethodPost, "/invite", in, &answer) })
	}
	err := withNewFile(*image, ask, func(file io.Writer) error { return writeQR(file, answer.Link) })
	switch {
	case err != nil && answer.Link != "":
		return fmt.Errorf("%w (the code is made all the same: %s)", err, answer.Link)
	case err != nil:
		return err
	case c.json:
		return c.print(answer)
	}
	if daemon.Terminal(c.out) {
		if text, err := pages.QRText(answer.Link); err == nil {
			fmt.Fprint(c.out, text)
		}
	}
	fmt.Fprintf(c.out, "code  %s\nlink  %s\nfor   %s, until %s, once\n", answer.Code, answer.Link, cmp.Or(answer.Site, in["site_id"]), answer.ExpiresAt.Local().Format(time.DateTime))
	return nil
}

// inviteMany makes a batch. Codes are shown once: when it breaks off, those
// that are made are printed all the same.
func (c *call) inviteMany(ctx context.Context, in map[string]string, count int) error {
	var made struct {
		Invitations []invitation `json:"invitations"`
	}
	var mu sync.Mutex
	failed := c.withCollector(ctx, func(cl client) error {
		// Several at a time share the trail's commits.
		asking, ctx := errgroup.WithContext(ctx)
		asking.SetLimit(invitationsAtOnce)
		for range count - len(made.Invitations) {
			asking.Go(func() error {
				var i invitation
				if err := cl.do(ctx, http.MethodPost, "/invite", in, &i); err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				made.Invitations = append(made.Invitations, i)
				return nil
			})
		}
		return asking.Wait()
	})
	if failed != nil && len(made.Invitations) > 0 {
		failed = fmt.Errorf("%d of %d codes are made, and printed: %w", len(made.Invitations), count, failed)
	}
	if c.json && (failed == nil || len(made.Invitations) > 0) {
		return errors.Join(failed, c.print(made))
	}
	for _, i := range made.Invitations {
		fmt.Fprintf(c.out, "%s  %s\n", i.Code, i.Link)
	}
	return failed
}

// writeQR writes a link as a picture. The picture contains the code.
func writeQR(to io.Writer, link string) error {
	png, err := pages.QRImage(link)
	if err != nil {
		return err
	}
	_, err = to.Write(png)
	return err
}
