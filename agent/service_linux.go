package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/kardianos/service"
)

const (
	// packagedUnit is there when a package has installed the service.
	packagedUnit = "/usr/lib/systemd/system/anagrafe-agent.service"
	userName     = "anagrafe-agent"
)

// packaged reports whether a package has installed the service, and will remove it.
func packaged() bool {
	_, err := os.Stat(packagedUnit)
	return err == nil
}

// removeUser takes away what prepare made.
func removeUser(ctx context.Context) error {
	if said, err := exec.CommandContext(ctx, "userdel", userName).CombinedOutput(); err != nil {
		return fmt.Errorf("removing the service's user by userdel: %w: %s", err, strings.TrimSpace(string(said)))
	}
	return nil
}

// prepare makes ready what the unit counts on, and refuses what could not work: the
// service has a user and a data directory of its own, and sees nobody's home.
func (c *call) prepare(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("installing a service needs an administrator's rights: run it with sudo")
	}
	if packaged() {
		return nil
	}
	if c.dir != defaultDir {
		return misuse("the service keeps its data in " + defaultDir + " alone: leave -data out")
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	for _, hidden := range []string{"/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/"} {
		if strings.HasPrefix(self, hidden) {
			return fmt.Errorf("the service sees nothing below %s: move the program to /usr/local/bin, and install it from there", hidden)
		}
	}
	sysusers := exec.CommandContext(ctx, "systemd-sysusers", "-")
	sysusers.Stdin = strings.NewReader(users)
	if said, err := sysusers.CombinedOutput(); err != nil {
		return fmt.Errorf("making the service's user by systemd-sysusers: %w: %s", err, strings.TrimSpace(string(said)))
	}
	return nil
}

// logToSystem has nothing to do: what is written to stderr goes to the journal.
func (c *call) logToSystem(service.Service) error { return nil }
