// Command anagrafe-collector is the municipal side: it admits agents, keeps the
// register, answers the forces' searches and proves who asked what. This package
// holds configuration, wiring and the command line; the packages below it do the work.
// The commands are listed in command.go; each is in a cmd_*.go, and the handler that
// answers it in the running collector is there too, in web/ops or in web/join. All settings
// are in config.go (and the tables that it names). collector.go and serve.go wire the collector,
// chores.go has what is done every hour.
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
