package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/term"

	"anagrafe/protocol/pages"
)

// cmdOpen prints a one-time link to the running agent's pages, and opens it where
// somebody sits in front of a desktop.
func cmdOpen(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	printOnly := f.Bool("print", false, "open no browser")
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	var answer struct {
		URL         string `json:"url"`
		LANURL      string `json:"lan_url,omitempty"`
		Fingerprint string `json:"fingerprint,omitempty"`
	}
	cl := dial(c.dir)
	err := cl.do(ctx, http.MethodPost, "/link", nil, &answer)
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED) {
		return errors.New("the pages are served by the running agent, and none runs here: start it with \"anagrafe-agent run\"")
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: the agent of %s belongs to another user: run the command as that user, or with sudo", err, c.dir)
	}
	if err != nil {
		return err
	}
	if c.json {
		return c.print(answer)
	}
	fmt.Fprintln(c.out, answer.URL)
	if answer.LANURL != "" {
		if err := c.showLAN(answer.LANURL, answer.Fingerprint); err != nil {
			return err
		}
	}
	if !*printOnly && c.interactive() {
		if program := browser(); program != nil {
			c.openIn(ctx, program, answer.URL)
		}
	}
	return nil
}

// showLAN says how the same link is opened from another device of the network.
func (c *call) showLAN(link, fingerprint string) error {
	code, err := pages.QRText(link)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.err, "From another device of this network (the same link, once, in one browser):\n  %s\n%s"+
		"The browser warns, since this machine made the certificate itself. Its SHA-256 fingerprint must be\n  %s\n", link, code, fingerprint)
	return nil
}

// interactive tells whether a person reads what is printed.
func (c *call) interactive() bool {
	f, ok := c.out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// browser is the command that opens a link in this person's browser; nil where
// there is no desktop, and for root, who should not browse.
func browser() []string {
	switch runtime.GOOS {
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}
	case "darwin":
		return []string{"open"}
	}
	if os.Geteuid() == 0 || os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return nil
	}
	return []string{"xdg-open"}
}

// openIn starts the browser. The link stands in its arguments, where other users of
// this machine may read it: it opens once, and whoever comes second is told so. That
// no browser starts is no fault: the link is printed.
func (c *call) openIn(ctx context.Context, program []string, link string) {
	if err := exec.CommandContext(ctx, program[0], append(program[1:], link)...).Run(); err != nil {
		fmt.Fprintf(c.err, "No browser could be started (%s): open the link yourself.\n", program[0])
	}
}
