package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestProgress(t *testing.T) {
	var screen bytes.Buffer
	p := &progress{to: &screen}
	p.sees()
	p.sees()
	p.asks()
	if got := last(screen.String()); got != "Searching: 2 found, 1 being asked, 0 done ..." {
		t.Errorf("the line is %q", got)
	}
	if n, err := p.Write([]byte("a warning\n")); n != 10 || err != nil {
		t.Errorf("wrote %d, %v", n, err)
	}
	p.has()
	if got := last(screen.String()); got != "Searching: 2 found, 0 being asked, 1 done ..." {
		t.Errorf("the line is %q", got)
	}
	p.end()
	p.end()
	p.asks()
	if _, err := p.Write([]byte("after\n")); err != nil {
		t.Error(err)
	}
	text := screen.String()
	if !strings.Contains(text, eraseLine+"a warning\n") || !strings.HasSuffix(text, eraseLine+"after\n") {
		t.Errorf("text is drawn over the line: %q", text)
	}
	for line := range strings.SplitSeq(strings.ReplaceAll(text, eraseLine, "\n"), "\n") {
		if len(line) > 60 {
			t.Errorf("this wraps on a narrow terminal: %q", line)
		}
	}
}

// last is what the terminal's last line shows.
func last(screen string) string {
	return screen[strings.LastIndex(screen, eraseLine)+len(eraseLine):]
}

func TestNoProgressWhereNobodyLooks(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	file, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, w := range []interface{ Write([]byte) (int, error) }{&bytes.Buffer{}, null, file} {
		if p := newProgress(w); p != nil {
			t.Errorf("%T is taken for a terminal", w)
		}
	}
	var p *progress // and nothing happens where there is none
	p.sees()
	p.asks()
	p.has()
	p.end()
}
