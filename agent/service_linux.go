package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// packagedUnit is there when a package has installed the service.
const packagedUnit = "/usr/lib/systemd/system/anagrafe-agent.service"

// prepare makes ready what the unit counts on, and refuses what could not work: the
// service has a user and a data directory of its own, and sees nobody's home.
func (c *call) prepare(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("installing a service needs an administrator's rights: run it with sudo")
	}
	if _, err := os.Stat(packagedUnit); err == nil {
		return errors.New("a package has installed the service already: \"systemctl enable --now anagrafe-agent\" starts it")
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
