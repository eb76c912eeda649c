//go:build long || bench

package installer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A cluster is a country whose two hosts have a collector and HAProxy each, and share
// a PostgreSQL of two machines, kept by Patroni; etcd is on those two and the first
// host. All of it runs with the files of folder cluster, which the operator's manual
// speaks of; but for the folders in them, every machine here has the same disk.
//
//	centre  10.9.11.1  --  10.9.11.2  db1: PostgreSQL, Patroni, etcd
//	        10.9.12.1  --  10.9.12.2  db2: the same
type cluster struct {
	*country
	dir   string
	db    [2]network
	nodes [2]*node
}

// node is a host with a collector.
type node struct {
	network
	address, dir string
	collector    *process
}

const clusterPassword = "d0c5a9e36b7f41c28e5a"

func dbAddress(i int) string { return fmt.Sprintf("10.9.%d.2", 11+i) }

func newCluster(t *testing.T) *cluster {
	t.Helper()
	for _, program := range []string{"haproxy", "patroni", "etcd"} {
		if _, err := exec.LookPath(program); err != nil {
			lacking(t, err.Error()+": run make cluster-tools")
		}
	}
	c := &cluster{country: newCountry(t)}
	var err error
	// PostgreSQL's socket has no room for the long name of a test's own folder.
	if c.dir, err = os.MkdirTemp("", "cluster"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(c.dir) })
	if err := os.Chmod(c.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range c.db {
		if c.db[i], err = addNetwork(t, fmt.Sprintf("db%d", i+1)); err != nil {
			t.Fatal(err)
		}
		c.cable(c.db[i], fmt.Sprintf("9.%d.2", 11+i), c.centre, fmt.Sprintf("9.%d.1", 11+i), fmt.Sprintf("d%d", i))
		c.route(c.db[i], fmt.Sprintf("9.%d.1", 11+i))
	}
	for i, n := range c.hosts {
		address, _ := hostAddress(i)
		c.nodes[i] = &node{network: n, address: address, dir: filepath.Join(c.dir, string(n))}
	}
	t.Cleanup(func() { // before the networks go
		for _, n := range append(c.db[:], c.hosts[:]...) {
			n.cutPower()
		}
	})
	c.etcd(c.hosts[0], "one", c.nodes[0].address)
	for i, n := range c.db {
		c.etcd(n, fmt.Sprintf("db%d", i+1), dbAddress(i))
	}
	for i := range c.db {
		c.patroni(i)
		c.until(fmt.Sprintf("PostgreSQL on db%d", i+1), func() bool { return len(c.members()) > i && c.members()[i].State != "" && c.whole(i+1) })
	}
	c.psql(c.primary(), "CREATE ROLE anagrafe LOGIN PASSWORD '"+clusterPassword+"'", "CREATE DATABASE anagrafe OWNER anagrafe")
	return c
}

// until polls ready.
func (c *cluster) until(what string, ready func() bool) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !ready() {
		select {
		case <-ctx.Done():
			c.t.Fatalf("waited %v for %s; the members are %+v", patience, what, c.members())
		case <-tick.C:
		}
	}
}

// file fills in a file of folder cluster for a machine.
func (c *cluster) file(name, machine, address string) string {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join("cluster", name))
	if err != nil {
		c.t.Fatal(err)
	}
	postgres, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(postgres) == 0 {
		c.t.Fatal("PostgreSQL is not installed: run make deps")
	}
	return strings.NewReplacer("@NAME@", machine, "@ADDRESS@", address, "@PASSWORD@", clusterPassword,
		"/usr/lib/postgresql/15/bin", postgres[len(postgres)-1], "/var/lib/", filepath.Join(c.dir, machine)+"/").Replace(string(text))
}

// daemon runs a program of the system in the network, as a user.
func (c *cluster) daemon(n network, user string, env []string, name string, args ...string) {
	c.t.Helper()
	p := &process{t: c.t, log: &bytes.Buffer{}, done: make(chan struct{}),
		cmd: n.command(context.Background(), "setpriv", append([]string{"--reuid=" + user, "--regid=" + user, "--init-groups", name}, args...)...)}
	p.cmd.Env = append(os.Environ(), append(env, "HOME="+c.dir)...)
	p.cmd.Dir = "/"
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.WaitDelay = time.Second // what it has started may have its output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	c.t.Cleanup(func() {
		p.kill()
		if c.t.Failed() {
			c.t.Logf("log of %s in %s:\n%s", name, n, last(p.log.String(), 60))
		}
	})
}

// last are the last lines of a log.
func last(log string, lines int) string {
	all := strings.Split(log, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

func (c *cluster) etcd(n network, machine, address string) {
	c.t.Helper()
	dir := filepath.Join(c.dir, machine, "etcd")
	c.owned(dir, "etcd")
	c.daemon(n, "etcd", strings.Split(c.file("etcd", machine, address), "\n"), "etcd")
}

// owned makes a folder of a user's.
func (c *cluster) owned(dir, user string) {
	c.t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		c.t.Fatal(err)
	}
	if out, err := exec.Command("chown", user+":"+user, dir).CombinedOutput(); err != nil {
		c.t.Fatalf("%v: %s", err, out)
	}
}

// patroni starts it, with its PostgreSQL, also on a machine that was without power.
func (c *cluster) patroni(i int) {
	c.t.Helper()
	machine := fmt.Sprintf("db%d", i+1)
	c.owned(filepath.Join(c.dir, machine, "postgresql"), "postgres")
	config := filepath.Join(c.dir, machine, "patroni.yml")
	write(c.t, config, c.file("patroni.yml", machine, dbAddress(i)), 0o640)
	if out, err := exec.Command("chown", "postgres", config).CombinedOutput(); err != nil {
		c.t.Fatalf("%v: %s", err, out)
	}
	c.daemon(c.db[i], "postgres", nil, "patroni", config)
}

// member is one PostgreSQL, as Patroni sees it.
type member struct {
	Name, Role, State string
}

// members asks whoever of the two answers.
func (c *cluster) members() []member {
	for i, n := range c.db {
		body, err := n.get("http://" + dbAddress(i) + ":8008/cluster")
		if err != nil {
			continue
		}
		var all struct{ Members []member }
		if json.Unmarshal(body, &all) == nil {
			return all.Members
		}
	}
	return nil
}

// whole tells whether so many members are there, one leads, and the others are its
// synchronous standbys.
func (c *cluster) whole(n int) bool {
	roles := map[string]int{}
	for _, m := range c.members() {
		if m.State == "running" || m.State == "streaming" {
			roles[m.Role]++
		}
	}
	return roles["leader"] == 1 && roles["sync_standby"] == n-1
}

// primary is the machine of the one that leads; -1: none does.
func (c *cluster) primary() int {
	for _, m := range c.members() {
		if m.Role == "leader" && m.State == "running" {
			return int(m.Name[2] - '1')
		}
	}
	return -1
}

// psql says something to the PostgreSQL of a machine.
func (c *cluster) psql(i int, statements ...string) string {
	c.t.Helper()
	args := []string{"PGPASSWORD=" + clusterPassword, "psql", "-qAt", "-v", "ON_ERROR_STOP=1", "host=" + dbAddress(i) + " user=postgres dbname=postgres sslmode=require"}
	for _, s := range statements {
		args = append(args, "-c", s)
	}
	return c.db[i].must(c.t, "env", args...)
}

// get reads a page from within the network.
func (n network) get(url string) ([]byte, error) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: n.dial}}
	resp, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, resp.Status)
	}
	return body, err
}

// dial connects from within the network: the socket belongs to that in which its
// thread is when it is made.
func (n network) dial(ctx context.Context, kind, addr string) (net.Conn, error) {
	runtime.LockOSThread()
	back, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	defer back.Close()
	there, err := os.Open("/run/netns/" + string(n))
	if err != nil {
		return nil, err
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	c, err := (&net.Dialer{}).DialContext(ctx, kind, addr)
	if back := unix.Setns(int(back.Fd()), unix.CLONE_NEWNET); back != nil {
		return nil, back // the thread is not unlocked, and so ends with the goroutine
	}
	runtime.UnlockOSThread()
	return c, err
}

// powerOff ends a machine of the database without a word to anybody; powerOn starts it
// again.
func (c *cluster) powerOff(i int) {
	c.t.Helper()
	ip(c.t, "-n", string(c.centre), "link", "set", fmt.Sprintf("d%db", i), "down")
	c.db[i].cutPower()
}

func (c *cluster) powerOn(i int) {
	c.t.Helper()
	ip(c.t, "-n", string(c.centre), "link", "set", fmt.Sprintf("d%db", i), "up")
	c.etcd(c.db[i], fmt.Sprintf("db%d", i+1), dbAddress(i))
	c.patroni(i)
}

// cutPower ends all that runs in the network.
func (n network) cutPower() {
	for {
		out, err := exec.Command("ip", "netns", "pids", string(n)).Output()
		if err != nil || len(bytes.TrimSpace(out)) == 0 {
			return
		}
		for pid := range strings.FieldsSeq(string(out)) {
			_ = exec.Command("kill", "-KILL", pid).Run()
		}
	}
}

// part has the network between two machines lose everything, until mend.
func (c *cluster) part(a, b string) { c.between("-I", a, b) }
func (c *cluster) mend(a, b string) { c.between("-D", a, b) }

func (c *cluster) between(what, a, b string) {
	c.t.Helper()
	for _, ends := range [][2]string{{a, b}, {b, a}} {
		c.centre.must(c.t, "iptables", "-w", what, "FORWARD", "-s", ends[0], "-d", ends[1], "-j", "DROP")
	}
}
