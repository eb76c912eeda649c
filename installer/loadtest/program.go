package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// startTimeout is for a collector that opens its register.
const startTimeout = time.Minute

// collector is the real program, with a directory of its own.
type collector struct {
	bin, dir             string
	agents, ops, consult string // host:port
	cmd                  *exec.Cmd
	done                 chan struct{} // closed when it has ended
	err                  error         // valid after done
}

// newCollector chooses the ports, which stay the same over restarts.
func newCollector(bin, dir string) (*collector, error) {
	c := &collector{bin: filepath.Join(bin, "anagrafe-collector"), dir: dir}
	var free []*net.TCPListener
	defer func() {
		for _, l := range free {
			_ = l.Close()
		}
	}()
	for _, addr := range []*string{&c.agents, &c.ops, &c.consult} {
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return nil, err
		}
		free = append(free, l)
		*addr = l.Addr().String()
	}
	return c, nil
}

// start runs it until it listens; its log is DIR.log.
func (c *collector) start(ctx context.Context) error {
	log, err := os.OpenFile(c.dir+".log", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	c.cmd = exec.Command(c.bin, "serve", "-data", c.dir, "-public-url", "http://localhost", "-listen-agents", c.agents,
		"-ops-url", "http://"+c.ops, "-listen-ops", c.ops, "-consult-url", "http://"+c.consult, "-listen-consult", c.consult, "-listen-public",
		"127.0.0.1:0", "-listen-metrics", "off", "-max-held", "100000")
	c.cmd.Stdout, c.cmd.Stderr = log, log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is ours to pass on
	if err := c.cmd.Start(); err != nil {
		c.cmd = nil
		return errors.Join(err, log.Close())
	}
	cmd, done := c.cmd, make(chan struct{})
	c.done = done
	go func() {
		c.err = errors.Join(cmd.Wait(), log.Close())
		close(done)
	}()
	return c.listens(ctx)
}

func (c *collector) listens(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.agents)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-c.done:
			return fmt.Errorf("the collector has ended: %w; its log is %s.log", c.err, c.dir)
		case <-ctx.Done():
			return fmt.Errorf("the collector does not listen: %w; its log is %s.log", errors.Join(ctx.Err(), err), c.dir)
		case <-again.C:
		}
	}
}

// kill is kill -9: nothing is flushed, nothing is closed.
func (c *collector) kill() {
	_ = c.cmd.Process.Kill()
	<-c.done
}

// stop asks it to end, and kills it if it does not.
func (c *collector) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(20 * time.Second):
		c.kill()
	}
}

func (c *collector) pid() int { return c.cmd.Process.Pid }

// invitations are what `invite -count N -json` prints.
type invitations struct {
	Invitations []struct {
		Link string `json:"link"`
	} `json:"invitations"`
}

// invite has it make codes, each for a site of its own.
func (c *collector) invite(ctx context.Context, n int) ([]byte, error) {
	cmd := exec.CommandContext(ctx, c.bin, "invite", "-data", c.dir, "-site", "Prova di carico", "-category", "shop", "-count", strconv.Itoa(n), "-json")
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("inviting: %w: %s", err, exit.Stderr)
	}
	return out, err
}

// links reads the links of at least n codes.
func links(text []byte, n int) ([]string, error) {
	var in invitations
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, fmt.Errorf("the codes are not what `invite -count N -json` prints: %w", err)
	}
	if len(in.Invitations) < n {
		return nil, fmt.Errorf("%d agents need as many codes: there are %d", n, len(in.Invitations))
	}
	var all []string
	for _, i := range in.Invitations[:n] {
		all = append(all, i.Link)
	}
	return all, nil
}
