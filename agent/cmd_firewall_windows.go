package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// searchPorts are those of WS-Discovery, mDNS, SSDP and the searches of Hikvision
// and Dahua (package discover).
const searchPorts = "3702,5353,1900,37020,37810"

// rules are what discovery needs of Windows Firewall, as netsh takes them: cameras
// that announce themselves, and those that answer a question from the port at which
// it was put. Both are for the service alone, whichever version of its program runs,
// and for devices of the same network, where that is a home's or a firm's.
func rules() map[string][]string {
	scope := []string{"dir=in", "action=allow", "protocol=UDP", "profile=private,domain", "remoteip=localsubnet", "service=" + serviceName}
	return map[string][]string{
		"Anagrafe Telecamere: annunci delle telecamere":  append([]string{"localport=" + searchPorts}, scope...),
		"Anagrafe Telecamere: risposte delle telecamere": append([]string{"remoteport=" + searchPorts}, scope...),
	}
}

// cmdFirewall adds or removes the rules; the installer calls it. Adding removes
// first, so that there is never a second one of the same name.
func cmdFirewall(ctx context.Context, c *call, args []string) error {
	words, err := c.parse(c.flags(), args, 1)
	if err != nil {
		return err
	}
	if len(words) == 0 || words[0] != "add" && words[0] != "remove" {
		return misuse("say whether to add or to remove")
	}
	for name, rule := range rules() {
		_ = netsh(ctx, "delete", name) // there may be none
		if words[0] == "add" {
			if err := netsh(ctx, "add", name, rule...); err != nil {
				return err
			}
		}
	}
	fmt.Fprintln(c.out, "done: firewall", words[0])
	return nil
}

func netsh(ctx context.Context, act, name string, rule ...string) error {
	dir, err := windows.GetSystemDirectory()
	if err != nil {
		return err
	}
	args := append([]string{"advfirewall", "firewall", act, "rule", "name=" + name}, rule...)
	if out, err := exec.CommandContext(ctx, filepath.Join(dir, "netsh.exe"), args...).CombinedOutput(); err != nil {
		return fmt.Errorf("netsh: %w: %s (this needs an administrator's rights, and the service Windows Defender Firewall)", err, bytes.TrimSpace(out))
	}
	return nil
}
