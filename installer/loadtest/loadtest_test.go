package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == peerWord { // a run starts its own program again
		if err := servePeer(os.Args[2], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(exitFailed)
		}
		return
	}
	os.Exit(m.Run())
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		args []string
		ok   bool
	}{
		{[]string{"-bin", "build"}, true},
		{[]string{"-codes", "codes.json", "-phases", "enrol,connect,hold"}, true},
		{[]string{"-bin", "build", "-sweep", "500,1000:60000"}, true},
		{[]string{"-sizing", "-agents", "8000", "-cameras", "50000", "-searches", "300"}, true},
		{[]string{"-draw", "collector/guide"}, true},
		{[]string{"-codes", "codes.json", "-sweep", "500"}, false},
		{[]string{"-bin", "build", "-sweep", "500,"}, false},
		{[]string{"-sizing", "-agents", "-1"}, false},
		{[]string{"-bin", "build", "-day", "0s"}, false},
		{nil, false},
		{[]string{"-bin", "build", "-codes", "codes.json"}, false},
		{[]string{"-codes", "codes.json"}, false}, // storm is among all phases
		{[]string{"-bin", "build", "-phases", "connect"}, false},
		{[]string{"-bin", "build", "-phases", "enrol,storm"}, false},
		{[]string{"-bin", "build", "-phases", "enrol,dance"}, false},
		{[]string{"-bin", "build", "-agents", "0"}, false},
		{[]string{"-bin", "build", "-sockets", "251"}, false},
		{[]string{"-bin", "build", "now"}, false},
		{[]string{"-fast"}, false},
	} {
		if _, err := parse(c.args, io.Discard); (err == nil) != c.ok {
			t.Errorf("%v: %v", c.args, err)
		}
	}
}

// TestDeclaration: the figure of ingest is for about 2 KiB, and the collector
// takes what is sent.
func TestDeclaration(t *testing.T) {
	for _, number := range []int{0, 9_999} {
		a := &agent{fleet: &fleet{}, number: number, siteID: "0b6a2f64-7c1e-4b70-9a53-0d2f4a9c1e02", epoch: 1, cameras: cameras}
		if err := a.write(); err != nil {
			t.Fatal(err)
		}
		if n := len(a.message); n < 1800 || n > 2300 {
			t.Errorf("a declaration is %d bytes long", n)
		}
		m, err := protocol.Decode(a.message)
		if err != nil {
			t.Fatal(err)
		}
		if m.ID != a.messageID || m.Revision != 1 {
			t.Errorf("it is %s, revision %d", m.ID, m.Revision)
		}
	}
}

func TestUsage(t *testing.T) {
	start, err := processorTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for used := start; used <= start; { // burns a tick
		if used, err = processorTime(os.Getpid()); err != nil {
			t.Fatal(err)
		}
	}
	if rss, err := residentMemory(os.Getpid()); err != nil || rss < 1<<20 {
		t.Errorf("%d bytes, %v", rss, err)
	}
	if _, err := processorTime(-1); err == nil {
		t.Error("a process that is not there has used something")
	}
}

func TestStormReturned(t *testing.T) {
	var s storm
	var after []time.Duration
	for i := range 100 {
		after = append(after, time.Duration(100-i)*time.Second)
	}
	s.returned(after)
	if s.Done != 100 || s.Half != 51 || s.P99 != 100 || s.All != 100 {
		t.Errorf("%+v", s)
	}
}

// TestAttempts: what is for good is not tried again.
func TestAttempts(t *testing.T) {
	refused := func(meta ...string) error {
		e := connect.NewError(connect.CodePermissionDenied, errors.New("no"))
		for i := 0; i < len(meta); i += 2 {
			e.Meta().Set(meta[i], meta[i+1])
		}
		return e
	}
	for _, c := range []struct {
		err     error
		forGood bool
		after   time.Duration
	}{
		{refused(protocol.ReasonHeader, string(protocol.ReasonRevoked)), true, 0},
		{refused(protocol.ReasonHeader, string(protocol.ReasonTemporary), protocol.RetryAfterHeader, "15"), false, 15 * time.Second},
		{refused(protocol.RetryAfterHeader, "999999"), false, mostWindow},
		{refused(protocol.RetryAfterHeader, "-3"), false, 0},
		{io.EOF, false, 0},
	} {
		if forGood(c.err) != c.forGood || retryAfter(c.err) != c.after {
			t.Errorf("%v: for good %v, after %v", c.err, forGood(c.err), retryAfter(c.err))
		}
	}
	var failed failures
	err := attempts(context.Background(), &failed, func() error { return refused(protocol.ReasonHeader, "revoked") })
	if by := failed.take(); len(by) != 1 || by["permission_denied: no"] != 1 || err == nil {
		t.Errorf("attempts %v, %v", by, err)
	}
}
