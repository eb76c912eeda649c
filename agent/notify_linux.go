package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// desktopMessage shows a notification where this program runs in a person's
// session: by notify-send, which comes with every desktop and speaks
// org.freedesktop.Notifications (Desktop Notifications Specification 1.2). A
// service has no session bus, and no screen: then nothing is done.
func desktopMessage(ctx context.Context, title, text string) error {
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") == "" {
		runtime := os.Getenv("XDG_RUNTIME_DIR")
		if runtime == "" {
			return nil
		}
		if _, err := os.Stat(filepath.Join(runtime, "bus")); err != nil {
			return nil
		}
	}
	program, err := exec.LookPath("notify-send")
	if err != nil {
		return nil
	}
	if err := exec.CommandContext(ctx, program, "--app-name="+title, "--icon=mail-message-new", "--", title, text).Run(); err != nil {
		return fmt.Errorf("notify-send: %w", err)
	}
	return nil
}
