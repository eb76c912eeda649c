package pagestest

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"

	"anagrafe/protocol/pages"
)

// note keeps what no page may cause. What the browser tells once the test is
// over is not the page's doing: its server is going away too.
func (b *Tab) note(event any) {
	if b.t.Context().Err() != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	add := func(format string, args ...any) { b.seen = append(b.seen, fmt.Sprintf(format, args...)) }
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		u, err := url.Parse(e.Request.URL)
		switch {
		case err != nil || u.Scheme != "data" && u.Scheme+"://"+u.Host != b.origin:
			add("request to elsewhere: %s", e.Request.URL)
		case u.Path == pages.ReportPath:
			add("content was stopped by the policy")
		case strings.HasSuffix(u.Path, "/favicon.ico"):
			add("the browser asks for an icon that is not there")
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			var text []string
			for _, a := range e.Args {
				text = append(text, string(a.Value)+a.Description)
			}
			add("console %s: %s", e.Type, strings.Join(text, " "))
		}
	case *runtime.EventExceptionThrown:
		add("exception: %s %v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
	case *log.EventEntryAdded:
		// A page that answers 4xx on purpose is noted by the browser as an error.
		if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.Text, "status of 4") {
			add("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	}
}

// noted returns what was noted so far, once.
func (b *Tab) noted() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := b.seen
	b.seen = nil
	return seen
}

func (b *Tab) report(where string, found []string) {
	b.t.Helper()
	for _, f := range found {
		b.t.Errorf("%s: %s", where, f)
	}
}
