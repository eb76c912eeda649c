package main

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"anagrafe/collector/registry/pgtest"
)

// withPostgres stops the PostgreSQL of the tests behind them.
type withPostgres struct{ *testing.M }

func (m withPostgres) Run() int { return pgtest.Main(m.M) }

func TestMain(m *testing.M) {
	testscript.Main(withPostgres{m}, map[string]func(){
		"anagrafe-collector": func() {
			os.Exit(run(context.Background(), console{os.Stdin, os.Stdout, os.Stderr}, os.Args[1:]))
		},
	})
}

// TestScripts runs testdata/script/collector: what a person types, what they
// see, and the exit code (DESIGN 11).
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "../testdata/script/collector", RequireExplicitExec: true,
		Deadline: time.Now().Add(2 * time.Minute)}) // a command that hangs is shown, not waited for
}
