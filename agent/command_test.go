package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"anagrafe/agent/inventory"
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
// and the exit code.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "../testdata/script/agent", RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("GORACE", "atexit_sleep_ms=0") // else each command ends a second late under the race detector
			return nil
		},
		Deadline: time.Now().Add(8 * time.Minute)}) // a command that hangs is shown, not waited for
}

func TestReach(t *testing.T) {
	for _, tc := range []struct {
		hours int
		trend inventory.Trend
		want  string
	}{{147, inventory.TrendShrinking, "6d shrinking"}, {47, inventory.TrendUnknown, "47h"}, {0, inventory.TrendGrowing, "0h growing"}} {
		d := inventory.Depth{About: time.Duration(tc.hours) * time.Hour, Trend: tc.trend, Points: make([]inventory.DepthPoint, 1)}
		if got := reach(d); got != tc.want {
			t.Errorf("%d h %s: %q, want %q", tc.hours, tc.trend, got, tc.want)
		}
	}
	if got := reach(inventory.Depth{}); got != "?" {
		t.Errorf("never seen: %q", got)
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
