// Command anagrafe-collector is the municipal side: it admits agents, keeps the
// register, answers the forces' searches and proves who asked what. This
// package holds configuration, wiring and the command line; the path of the
// data is in the packages below it. A command is in cmd_WORD.go, with what the
// running collector answers it; what runs with it is in office.go and serve.go.
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
