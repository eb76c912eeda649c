package main

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"time"

	"anagrafe/protocol/daemon"
)

// browserReads is how long the page that leads to the link is left for the browser.
const browserReads = 15 * time.Second

// desktop is a screen with a person before it.
type desktop struct {
	home string   // theirs: what lies there under a plain name sandboxed browsers read too
	open []string // opens a file in their browser
}

// browse opens a link in the browser of whoever sits before this machine, also for
// root, who installs the program and should not browse. It tells whether there is a
// desktop.
func browse(ctx context.Context, link string) (bool, error) {
	d, err := findDesktop(ctx)
	if err != nil || d == nil {
		return false, nil // no logind: no desktop
	}
	return true, d.show(ctx, link, browserReads)
}

// findDesktop returns the one of this session; for root, that of the person who is
// active before the screen; nil where there is none.
func findDesktop(ctx context.Context) (*desktop, error) {
	if os.Geteuid() != 0 {
		if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
			return nil, nil
		}
		home, err := os.UserHomeDir()
		return &desktop{home, []string{"xdg-open"}}, err
	}
	sessions, err := exec.CommandContext(ctx, "loginctl", "list-sessions", "--no-legend").Output()
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(sessions)) {
		id, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		told, err := exec.CommandContext(ctx, "loginctl", "show-session", id, "--property=Type", "--property=Active", "--property=Name", "--property=User").Output()
		if err != nil {
			continue // it has ended
		}
		if d := desktopOf(string(told)); d != nil {
			return d, nil
		}
	}
	return nil, nil
}

// desktopOf reads what loginctl tells of a session; nil where nobody sees it.
func desktopOf(told string) *desktop {
	is := map[string]string{}
	for line := range strings.Lines(told) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		is[name] = value
	}
	if is["Active"] != "yes" || is["Type"] != "x11" && is["Type"] != "wayland" || is["User"] == "0" {
		return nil
	}
	u, err := user.LookupId(is["User"])
	if err != nil {
		return nil
	}
	return &desktop{u.HomeDir, []string{"systemd-run", "--user", "--machine=" + u.Username + "@.host", "--collect", "--quiet", "xdg-open"}}
}

// leads is a page that leads to a link.
var leads = template.Must(template.New("").Parse(`<!DOCTYPE html><meta charset="utf-8"><title>Anagrafe Telecamere</title>` +
	`<meta http-equiv="refresh" content="0; url={{.}}"><p><a href="{{.}}">Apri · Open</a></p>` + "\n"))

// show opens a link by a page in a file that this person alone can read: the arguments
// of a program can be read by every user of the machine. The file is deleted once the
// browser has had the time to read it.
func (d *desktop) show(ctx context.Context, link string, reads time.Duration) error {
	page, err := d.write(link)
	if err != nil {
		return fmt.Errorf("writing the page that leads to the link: %w", err)
	}
	err = exec.CommandContext(ctx, d.open[0], append(d.open[1:], page)...).Run()
	if err == nil {
		select {
		case <-ctx.Done():
		case <-time.After(reads):
		}
	}
	return errors.Join(err, d.remove(page))
}

// write makes the page, as the person whose home it is: no link of theirs leads root
// elsewhere.
func (d *desktop) write(link string) (path string, err error) {
	back, err := daemon.AsOwner(d.home)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, back()) }()
	f, err := os.CreateTemp(d.home, "anagrafe-telecamere-*.html") // mode 0600
	if err != nil {
		return "", err
	}
	return f.Name(), errors.Join(leads.Execute(f, link), f.Close())
}

func (d *desktop) remove(page string) error {
	back, err := daemon.AsOwner(d.home)
	if err != nil {
		return err
	}
	return errors.Join(os.Remove(page), back())
}
