// Command anagrafe-agent runs in the network of a recorder: it finds the
// cameras, lets the owner confirm them, and keeps their entry in the municipal
// register true. This package holds configuration, wiring, service control and
// the command line; the path of the data is in the packages below it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// quic-go would tell the owner of a small machine to raise a kernel limit
	// that an agent never comes near.
	_ = os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C kills
	os.Exit(run(ctx, console{os.Stdin, os.Stdout, os.Stderr}, os.Args[1:]))
}
