// Package daemon connects a program to the system that runs it: readiness, log levels, file
// ownership, the control socket and the words of a command line, and the program's version. It hides
// the conventions of systemd (sd_notify(3), sd-daemon(3)) and of Unix. The mains call it; it lies below
// protocol because both sides need the same and may not import each other.
package daemon

import (
	"fmt"
	"net"
	"os"
)

// Ready tells systemd that the service answers: what was to start after it may
// start, and "systemctl start" returns. Where nobody asked to be told it does
// nothing.
func Ready() error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	conn, err := net.Dial("unixgram", path) // a path, or @ and an abstract name
	if err != nil {
		return fmt.Errorf("telling systemd that the service is ready: %w", err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("READY=1")); err != nil {
		return fmt.Errorf("telling systemd that the service is ready: %w", err)
	}
	return nil
}
