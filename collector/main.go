// Command anagrafe-collector is the municipal side: it admits agents, keeps the
// register, answers the forces' searches and proves who asked what. This package
// holds configuration, wiring and the command line; the packages below it do the work.
// The commands are listed in command.go; each is in a cmd_*.go, with the handler that
// answers it in the running collector. office.go and serve.go wire the collector.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C kills
	os.Exit(run(ctx, console{os.Stdin, os.Stdout, os.Stderr}, os.Args[1:]))
}
