package main

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// asProgram has this binary be the agent, signals and all.
const asProgram = "ANAGRAFE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	testscript.Main(m, map[string]func(){
		"anagrafe-agent": func() {
			os.Exit(run(context.Background(), console{os.Stdin, os.Stdout, os.Stderr}, os.Args[1:]))
		},
	})
}

// TestScripts runs testdata/script/agent: what a person types, what they see,
// and the exit code (DESIGN 11).
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "../testdata/script/agent", RequireExplicitExec: true,
		Deadline: time.Now().Add(2 * time.Minute)}) // a command that hangs is shown, not waited for
}
