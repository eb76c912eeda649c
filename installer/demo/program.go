package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// program is one of the two real programs, running.
type program struct {
	name string
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when it has ended
	err  error         // valid after done
}

// start runs a program until close; its log goes to DIR/NAME.log.
func start(dir, path string, args ...string) (*program, error) {
	p := &program{name: filepath.Base(path), done: make(chan struct{})}
	p.log = filepath.Join(dir, p.name+".log")
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	p.cmd = exec.Command(path, args...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is ours to pass on
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	go func() {
		defer close(p.done)
		p.err = errors.Join(p.cmd.Wait(), log.Close())
	}()
	return p, nil
}

// stop asks the program to end, and kills it after ten seconds.
func (p *program) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
		return fmt.Errorf("%s did not stop when asked; its log:\n%s", p.name, p.tail())
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w; its log:\n%s", p.name, p.err, p.tail())
	}
	return nil
}

// tail is the end of the program's log, for an error message.
func (p *program) tail() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-4096):])
}

// until asks again every 100 ms until ready says yes, the program has ended,
// or a minute is over.
func (p *program) until(ctx context.Context, what string, ready func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		ok, err := ready()
		if ok {
			return nil
		}
		last = err
		select {
		case <-p.done:
			return fmt.Errorf("%s ended (%w); its log:\n%s", p.name, p.err, p.tail())
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w; the log of %s:\n%s", what, errors.Join(ctx.Err(), last), p.name, p.tail())
		case <-tick.C:
		}
	}
}

// tool runs one command of a program to its end and gives what it printed.
func tool(ctx context.Context, path string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, path, args...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return out.Bytes(), fmt.Errorf("%s %s: %w: %s", filepath.Base(path), args[0], err, bytes.TrimSpace(complaint.Bytes()))
	}
	return out.Bytes(), nil
}

// typed is tool for a command that reads a line from its standard input.
func typed(ctx context.Context, line, path string, args ...string) error {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = strings.NewReader(line + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", filepath.Base(path), args[0], err, bytes.TrimSpace(out))
	}
	return nil
}

// toolJSON is tool for a command that prints JSON.
func toolJSON(ctx context.Context, into any, path string, args ...string) error {
	out, err := tool(ctx, path, append(args, "-json")...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("%s %s printed what is not the JSON expected: %w: %.200s", filepath.Base(path), args[0], err, out)
	}
	return nil
}

// freePorts finds n ports that are free on loopback for TCP and UDP. Another
// process may take one before we do; the program then says so and stops.
func freePorts(n int) ([]string, error) {
	var ports []string
	var held []io.Closer
	defer func() {
		for _, h := range held {
			_ = h.Close()
		}
	}()
	for len(ports) < n {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		held = append(held, tcp)
		udp, err := net.ListenPacket("udp", tcp.Addr().String())
		if err != nil {
			continue // taken for UDP: try another
		}
		held = append(held, udp)
		_, port, err := net.SplitHostPort(tcp.Addr().String())
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}
