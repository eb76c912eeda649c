package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The link is handed over in a file of this person alone, which is gone afterwards; no
// program has it in its arguments.
func TestBrowserIsShownAFile(t *testing.T) {
	place, home := t.TempDir(), t.TempDir()
	script := filepath.Join(place, "browser")
	if err := os.WriteFile(script, []byte(fmt.Sprintf("#!/bin/sh\nprintf '%%s\\n' \"$@\" >%[1]s/args; stat -c %%a \"$1\" >%[1]s/mode; cp \"$1\" %[1]s/page\n", place)), 0o700); err != nil {
		t.Fatal(err)
	}
	const link = "http://127.0.0.1:8480/open?link=segreto&x=1"
	d := desktop{home, []string{script}}
	if err := d.show(t.Context(), link, 0); err != nil {
		t.Fatal(err)
	}
	is := func(name string) string {
		b, err := os.ReadFile(filepath.Join(place, name))
		if err != nil {
			t.Error(err)
		}
		return strings.TrimSpace(string(b))
	}
	if args := is("args"); strings.Contains(args, "segreto") || filepath.Dir(args) != home {
		t.Errorf("the arguments are %q", args)
	}
	if mode, page := is("mode"), is("page"); mode != "600" || !strings.Contains(page, `content="0; url=http://127.0.0.1:8480/open?link=segreto&amp;x=1"`) {
		t.Errorf("mode %s: %s", mode, page)
	}
	d.open = []string{filepath.Join(place, "none")}
	if err := d.show(t.Context(), link, time.Hour); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if left, err := os.ReadDir(home); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// Root shows the page to who sits before the screen, and to nobody else.
func TestDesktopOf(t *testing.T) {
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	seen := "Name=nobody\nUser=" + nobody.Uid + "\nType=wayland\nActive=yes\n"
	if d := desktopOf(seen); d == nil || d.home != nobody.HomeDir || !strings.Contains(strings.Join(d.open, " "), "--machine=nobody@.host") {
		t.Errorf("%+v", d)
	}
	for _, told := range []string{"", strings.Replace(seen, "wayland", "tty", 1), strings.Replace(seen, "Active=yes", "Active=no", 1),
		strings.Replace(seen, "User="+nobody.Uid, "User=0", 1), strings.Replace(seen, "User="+nobody.Uid, "User=999999", 1)} {
		if d := desktopOf(told); d != nil {
			t.Errorf("%q: %+v", told, d)
		}
	}
}
