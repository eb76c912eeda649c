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
