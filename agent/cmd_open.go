package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"time"

	"golang.org/x/term"

	"anagrafe/protocol/pages"
)

// startWait is how long an agent may take from its start to opening its pages.
const startWait = 30 * time.Second

// cmdOpen prints a one-time link to the running agent's pages, and opens it where
// somebody sits in front of a desktop.
func cmdOpen(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	var how opening
	f.BoolVar(&how.print, "print", false, "open no browser")
	f.BoolVar(&how.first, "first", false, "for installers: on a desktop only open it, and print the link to nothing but a terminal")
	f.BoolVar(&how.menu, "menu", false, "started by a click, maybe together with the agent: wait for it, and say in a window what is wrong")
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	err := c.open(ctx, how)
	if err != nil && how.menu && !how.print {
		showWindow("Le pagine non si sono aperte. Aprire di nuovo «Anagrafe Telecamere» tra un minuto; se non basta, mostrare al tecnico:\n\n" + err.Error())
	}
	return err
}

// opening identifies the caller that asks for the link.
type opening struct{ print, first, menu bool }

func (c *call) open(ctx context.Context, how opening) error {
	var answer struct {
		URL         string `json:"url"`
		LANURL      string `json:"lan_url,omitempty"`
		Fingerprint string `json:"fingerprint,omitempty"`
	}
	wait, stop := context.WithTimeout(ctx, startWait)
	defer stop()
	err := dial(c.dir).do(ctx, http.MethodPost, "/link", nil, &answer)
	for how.menu && noneAnswers(err) && wait.Err() == nil {
		select {
		case <-wait.Done():
		case <-time.After(lockPoll):
			err = dial(c.dir).do(ctx, http.MethodPost, "/link", nil, &answer)
		}
	}
	if noneAnswers(err) {
		return errors.New("the pages are served by the running agent, and none runs here: start it with \"anagrafe-agent run\"")
	}
	if errors.Is(err, fs.ErrPermission) {
		if !how.print && c.interactive() && elevate() {
			return nil
		}
		return fmt.Errorf("%w: the agent of %s belongs to another user: run the command as that user, or as administrator", err, c.dir)
	}
	if err != nil {
		return err
	}
	if c.json {
		return c.print(answer)
	}
	if how.first {
		if there, err := browse(ctx, answer.URL); there && err == nil {
			return nil
		}
		if !c.interactive() {
			fmt.Fprintln(c.out, "Anagrafe Telecamere: sudo anagrafe-agent open")
			return nil
		}
	}
	fmt.Fprintln(c.out, answer.URL)
	if answer.LANURL != "" {
		if err := c.showLAN(answer.LANURL, answer.Fingerprint); err != nil {
			return err
		}
	}
	if how.print || !c.interactive() {
		return nil
	}
	there, err := browse(ctx, answer.URL)
	if err != nil {
		fmt.Fprintf(c.err, "No browser could be started (%v): open the link yourself.\n", err)
	}
	if !there && answer.LANURL == "" {
		fmt.Fprint(c.err, c.withoutScreen())
	}
	return nil
}

// withoutScreen says how the pages are reached on a machine that has no screen: from
// the network they open only with a password that its owner has set.
func (c *call) withoutScreen() string {
	return fmt.Sprintf(`This machine has no screen. The link works on it alone; to open the pages from your own computer or telephone:
  1. anagrafe-agent password              choose a password for the pages
  2. in %s write:  listen_lan = "0.0.0.0:8481"
  3. systemctl restart anagrafe-agent
  4. anagrafe-agent open                  shows the address, as a QR code too
`, configFile(c.dir))
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

// interactive reports whether a person reads what is printed.
func (c *call) interactive() bool {
	f, ok := c.out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
