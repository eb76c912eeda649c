package main

import (
	"context"
	"log/slog"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// The wording of a notification: one for every kind of message, since
// anybody may look at the screen. Italian alone: a notification cannot be asked for
// its language.
const (
	notifyTitle = "Anagrafe Telecamere"
	notifyWords = "C'è un messaggio, aprilo qui: "
)

// notifyTime is how long the desktop may take; nobody waits for it.
const notifyTime = 10 * time.Second

// notifier tells the person in front of this computer, where there is one, that
// there is a message: once for each that is new, and never what it says.
type notifier struct {
	inv  *inventory.Inventory
	show func(ctx context.Context, title, text string) error // desktopMessage, or what a test puts in its place
	page string                                              // address of the local pages
	log  *slog.Logger
	wake chan struct{} // buffered 1
}

func newNotifier(inv *inventory.Inventory, page string, log *slog.Logger) *notifier {
	return &notifier{inv: inv, show: desktopMessage, page: page, log: log, wake: make(chan struct{}, 1)}
}

// keep keeps a notice, and notes when it is a new one that somebody should see.
func (n *notifier) keep(ctx context.Context, notice protocol.Notice) error {
	before, err := n.inv.NewNotices(ctx)
	if err != nil {
		return err
	}
	if err := n.inv.KeepNotice(ctx, notice); err != nil {
		return err
	}
	if after, err := n.inv.NewNotices(ctx); err == nil && after > before {
		select {
		case n.wake <- struct{}{}:
		default: // one that is still to be shown will do for both
		}
	}
	return nil
}

// run shows notifications until ctx ends. That there is no desktop is no fault.
func (n *notifier) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-n.wake:
		}
		limited, cancel := context.WithTimeout(ctx, notifyTime)
		if err := n.show(limited, notifyTitle, notifyWords+n.page); err != nil && ctx.Err() == nil {
			n.log.Info("that there is a message could not be shown on the screen", "err", err)
		}
		cancel()
	}
}
