package main

import (
	"context"
	"io"
	"strings"
	"testing"

	"anagrafe/protocol"
)

// A running collector takes each step at once: the links that it makes carry the
// pin of the key that signs.
func TestAuthorityOfARunningCollector(t *testing.T) {
	dir := t.TempDir()
	o := opened(t, dir, func(c *Config) { c.ListenAgents = ":8443" }) // not listened at here
	ctx, stop := context.WithCancel(t.Context())
	listener, err := o.listenControl()
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- o.serveControl(ctx, listener) }()
	defer func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	type words map[string]any
	do := func(path string, in any, out any) error {
		c := &call{console: console{out: io.Discard, err: io.Discard}, dir: dir, log: o.log}
		return c.withCollector(t.Context(), func(cl client) error { return cl.do(t.Context(), "POST", path, in, out) })
	}
	pin := func() string {
		var made struct{ Link string }
		if err := do("/invite", map[string]string{"site": "Bar"}, &made); err != nil {
			t.Fatal(err)
		}
		l, err := protocol.ParseLink(made.Link)
		if err != nil {
			t.Fatal(err)
		}
		return l.Pin
	}
	first := pin()
	for _, step := range []string{"next", "switch"} {
		if err := do("/authority/"+step, words{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	second := pin()
	if first == second || second != o.authority.Pin() {
		t.Errorf("links carry %s, then %s; %s signs", first, second, o.authority.Pin())
	}
	if err := do("/authority/retire", words{}, nil); err == nil || !strings.Contains(err.Error(), "links that name it") {
		t.Errorf("retired while a link of it may be used: %v", err)
	}
	if err := do("/authority/retire", words{"force": true}, nil); err != nil {
		t.Error(err)
	}
	if err := do("/authority/nothing", words{}, nil); err == nil {
		t.Error("a step that there is not")
	}
}
