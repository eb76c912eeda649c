//go:build long

package main

import (
	"os"
	"strings"
)

// publishLife takes the publishers' program from its installation, which switches
// nothing on, by a channel that root publishes and the timer's service renews, to its
// end: the service reads its key from where no other user can, and others read what it
// writes.
func (m *machine) publishLife(pm manager) {
	t := m.t
	t.Helper()
	const name, timer, channel, keys = "anagrafe-publish", "anagrafe-publish.timer", "/var/lib/anagrafe-publish", "/etc/anagrafe-publish/"
	m.run(append(pm.install, pm.old)...)
	if m.unit(timer, "ActiveState") != "inactive" || m.unit(timer, "UnitFileState") != "disabled" {
		t.Error("the timer runs before there is a key")
	}
	if said, err := m.try("systemctl", "start", name); err == nil {
		t.Errorf("it renews without a key: %s", said)
	}
	m.run("install", "-d", "-m", "700", keys)
	if err := os.WriteFile(m.root+keys+"passphrase", []byte("one two three four five\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	do := func(args ...string) { t.Helper(); m.run(append([]string{name}, args...)...) }
	by := func(command, key string) {
		t.Helper()
		do(command, channel, "-key", key, "-passphrase", keys+"passphrase")
	}
	root := []string{"root", channel, "-online", keys + "key.pub"}
	do("key", keys+"key", "-passphrase", keys+"passphrase")
	for _, owner := range []string{"/root/a", "/root/b", "/root/c"} {
		do("key", owner, "-passphrase", keys+"passphrase")
		m.run("install", "-m", "644", owner+".pub", "/tmp/")
		root = append(root, "-owner", "/tmp/"+strings.TrimPrefix(owner, "/root/")+".pub")
	}
	m.run("chmod", "755", keys) // for the public key alone, once
	do(root...)
	m.run("chmod", "700", keys)
	by("sign", "/root/a")
	by("sign", "/root/c")
	by("publish", keys+"key")

	stamp := func() string {
		t.Helper()
		return m.run("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "cat", channel+"/timestamp.json")
	}
	before := stamp()
	m.run("systemctl", "enable", "--now", timer)
	m.run("systemctl", "start", name)
	if stamp() == before {
		t.Error("the service left the timestamp as it was")
	}
	if others := m.run("find", channel, "!", "-user", name); others != "" {
		t.Errorf("what root published is not the service's: %s", others)
	}

	m.run(append(pm.install, pm.new)...)
	if m.unit(timer, "ActiveState") != "active" || m.unit(timer, "UnitFileState") != "enabled" {
		t.Error("the upgrade switched the timer off")
	}
	m.run(pm.remove...)
	if m.has("/usr/bin/"+name) || !m.has(channel+"/timestamp.json") || !m.has(keys+"key") || m.unit(timer, "ActiveState") == "active" {
		t.Error("removal leaves the program or its timer, or deletes the channel or its key")
	}
	if pm.purge == nil {
		return
	}
	m.run(pm.purge...)
	if _, err := m.try("id", name); err == nil || m.has(channel) || m.has(keys) || m.has("/etc/systemd/system/timers.target.wants/"+timer) {
		t.Errorf("purge leaves the user, %s, %s or the timer", channel, keys)
	}
}
