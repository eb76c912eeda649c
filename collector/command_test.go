package main

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
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
// see, and the exit code.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "../testdata/script/collector", RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("GORACE", "atexit_sleep_ms=0") // else each command ends a second late under the race detector
			return nil
		},
		Deadline: time.Now().Add(8 * time.Minute)}) // a command that hangs is shown, not waited for
}

// A group's word alone, or with -h, lists the commands of that group; the first is
// misuse, as a script would have it.
func TestGroupsOfCommands(t *testing.T) {
	for _, c := range []struct {
		args []string
		want int
	}{{[]string{"user"}, exitMisuse}, {[]string{"user", "-h"}, exitDone}} {
		var out, problem bytes.Buffer
		if got := run(t.Context(), console{nil, &out, &problem}, c.args); got != c.want {
			t.Errorf("%v: exit %d", c.args, got)
		}
		said := out.String() + problem.String()
		if (out.Len() > 0) != (c.want == exitDone) || !strings.Contains(said, "user add") || strings.Contains(said, "audit") {
			t.Errorf("%v: %s", c.args, said)
		}
	}
}

// Options may stand anywhere, and after -- nothing is one.
func TestWordsAfterTwoDashes(t *testing.T) {
	for typed, want := range map[string][]string{
		"a -json b":      {"a", "b"},
		"-json -- -a -b": {"-a", "-b"},
		"a -- -json":     {"a", "-json"},
	} {
		c := &call{}
		words, err := c.parse(c.flags(), strings.Fields(typed), 2)
		if err != nil || !slices.Equal(words, want) {
			t.Errorf("%s: %q, %v", typed, words, err)
		}
	}
}
