package main

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// One notification for each message that is new, with the same words whatever it
// says; the same one again shows none.
func TestNotifier(t *testing.T) {
	inv, err := inventory.Open(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { inv.Close() })
	site, at := uuid.NewString(), time.Now().UTC()
	if err := inv.AddGrant(t.Context(), protocol.Grant{SiteID: site, SiteName: "Bar", Category: "shop", Epoch: 1, From: at}, "https://c.example"); err != nil {
		t.Fatal(err)
	}
	n := newNotifier(inv, "http://127.0.0.1:8480", slog.New(slog.DiscardHandler))
	shown := make(chan string)
	n.show = func(ctx context.Context, title, text string) error {
		select {
		case shown <- title + ": " + text:
		case <-ctx.Done():
			t.Errorf("nobody expected %q", text)
		}
		return nil
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- n.run(ctx) }()
	for _, body := range []protocol.NoticeBody{
		protocol.Reminder{Reason: "SENTINEL"},
		protocol.Preserve{Kind: protocol.Order, From: "SENTINEL", Start: at.Add(-time.Hour), End: at, CameraIDs: []string{uuid.NewString()}, CheckCode: "SENTINEL"},
	} {
		notice := protocol.Notice{ID: uuid.NewString(), SiteID: site, At: at, Body: body}
		for range 2 {
			if err := n.keep(t.Context(), notice); err != nil {
				t.Fatal(err)
			}
		}
		if got := <-shown; got != "Anagrafe Telecamere: C'è un messaggio, aprilo qui: http://127.0.0.1:8480" {
			t.Errorf("shown %q", got)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	select {
	case text := <-shown:
		t.Errorf("and once more %q", text)
	case <-n.wake:
		t.Error("one more would be shown")
	default:
	}
}
