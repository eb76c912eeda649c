package update

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"anagrafe/protocol"
)

// What a program that was started here finds in its environment.
const (
	// EnvInstalled is the path of the program that was installed.
	EnvInstalled = "ANAGRAFE_AGENT_INSTALLED"
	// envChild says that the parent stops it by closing its standard input: "trial"
	// is on trial, "child" is not.
	envChild   = "ANAGRAFE_AGENT_CHILD"
	childTrial = "trial"
	childKept  = "child"
)

// The words between the two: the child says the first on its standard output, the
// parent answers with the second on the child's standard input.
const (
	wordHealthy = "healthy"
	wordKeep    = "keep"
)

// ExitAgain is with what a child ends so that its parent asks Next again (EX_TEMPFAIL
// of BSD's sysexits).
const ExitAgain = 75

// ErrAgain says to ask Next again.
var ErrAgain = errors.New("another version is to be run")

// stopTime is how long a child may take to end when it is told to.
const stopTime = 20 * time.Second

// Try runs a version on trial, and after the verdict goes on relaying what ends it:
// ErrAgain when it failed, or when it asks for the next; else how it ended.
func (u *Updater) Try(ctx context.Context, p Plan) error {
	if err := u.before(ctx); err != nil {
		u.Log.Warn("a new version is not tried now", "version", p.Version, "err", err)
		return u.postpone(p, err)
	}
	u.at("copied")
	c, err := u.begin(p.Path, childTrial)
	if err != nil {
		u.Log.Warn("a new version cannot be started", "version", p.Version, "err", err)
		return u.verdict(protocol.SetbackCrash)
	}
	u.at("started")
	bound := time.NewTimer(u.Bound)
	defer bound.Stop()
	select {
	case <-ctx.Done(): // somebody stops the service: the trial is another time
		return errors.Join(c.end(), u.uncount())
	case <-bound.C:
		_ = c.end() // how it ends is no matter
		return u.verdict(protocol.SetbackSilent)
	case err := <-c.ended:
		u.Log.Warn("a new version ended before it was healthy", "version", p.Version, "err", err)
		return u.verdict(protocol.SetbackCrash)
	case <-c.healthy:
	}
	u.at("healthy")
	if err := u.keep(); err != nil {
		_ = c.end() // likewise: what was not recorded was not kept
		return u.postpone(p, err)
	}
	u.at("kept")
	u.Log.Info("a new version has proved itself", "version", p.Version)
	if _, err := io.WriteString(c.stdin, wordKeep+"\n"); err != nil {
		u.Log.Warn("the new version cannot be told that it is kept", "err", err)
	}
	return c.wait(ctx)
}

// Start runs a version that is no trial: in place of this process where the system
// can do that, else as a child. It returns as Try does.
func (u *Updater) Start(ctx context.Context, p Plan) error {
	if err := u.replaceProcess(p.Path); err != nil {
		return fmt.Errorf("starting version %s: %w", p.Version, err)
	}
	c, err := u.begin(p.Path, childKept)
	if err != nil {
		return fmt.Errorf("starting version %s: %w", p.Version, err)
	}
	return c.wait(ctx)
}

// before makes the copy of the inventory, once a trial.
func (u *Updater) before(ctx context.Context) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	s, err := u.load()
	switch {
	case err != nil:
		return err
	case s.Trial == nil:
		return errors.New("no version is on trial")
	case s.Trial.Copied:
		return nil
	}
	schema, err := u.Inventory.Schema(ctx)
	if err == nil {
		err = asErrFull(u.Inventory.Copy(ctx))
	}
	if err != nil {
		return fmt.Errorf("copying the inventory before an update: %w", err)
	}
	s.Trial.Copied, s.Trial.Schema = true, schema
	return u.save(s)
}

// postpone takes a trial away that cannot be made now; the next look sets it again.
func (u *Updater) postpone(p Plan, why error) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	s, err := u.load()
	if err != nil {
		return errors.Join(why, err)
	}
	if s.Trial == nil || s.Trial.Version != p.Version {
		return ErrAgain
	}
	if err := u.giveUp(s, "", false); err != nil {
		return errors.Join(why, err)
	}
	return ErrAgain
}

// verdict is against the version on trial.
func (u *Updater) verdict(why protocol.Setback) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	s, err := u.load()
	if err != nil {
		return err
	}
	if s.Trial != nil {
		if err := u.giveUp(s, why, true); err != nil {
			return err
		}
	}
	return ErrAgain
}

// uncount takes back the count of a start that somebody ended.
func (u *Updater) uncount() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	s, err := u.load()
	if err != nil || s.Trial == nil {
		return err
	}
	s.Trial.Starts = max(0, s.Trial.Starts-1)
	return u.save(s)
}

// keep is the verdict for the version on trial.
func (u *Updater) keep() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	s, err := u.load()
	if err != nil {
		return err
	}
	if s.Trial == nil {
		return errors.New("no version is on trial")
	}
	s.Kept, s.Previous, s.Settled, s.Starts, s.Schema, s.Trial = s.Trial.Version, s.Kept, false, 1, s.Trial.Schema, nil
	if err := u.save(s); err != nil {
		return err
	}
	u.drop()
	return nil
}

// child is a running program.
type child struct {
	stdin   io.WriteCloser
	process *os.Process
	healthy chan struct{} // closed when it says so
	ended   chan error    // buffered 1
}

// begin starts a program with the arguments of this one. Its log goes where ours does.
func (u *Updater) begin(path, as string) (*child, error) {
	cmd := exec.Command(path, os.Args[1:]...)
	cmd.Env = u.environ(path, as)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{stdin: stdin, process: cmd.Process, healthy: make(chan struct{}), ended: make(chan error, 1)}
	go func() {
		said := false
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if !said && strings.TrimSpace(lines.Text()) == wordHealthy {
				said = true
				close(c.healthy)
			}
		}
		_, _ = io.Copy(io.Discard, stdout) // a line without an end
		c.ended <- cmd.Wait()
	}()
	return c, nil
}

// environ is what a program finds in its environment.
func (u *Updater) environ(path, as string) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, EnvInstalled+"=") || strings.HasPrefix(v, envChild+"=")
	})
	if path != u.Installed {
		env = append(env, EnvInstalled+"="+u.Installed)
	}
	if as != "" {
		env = append(env, envChild+"="+as)
	}
	return env
}

// wait relays the end of ctx, and gives how the child ended.
func (c *child) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return c.end()
	case err := <-c.ended:
		return again(err)
	}
}

// end tells the child to end, and ends it if it does not.
func (c *child) end() error {
	_ = c.stdin.Close() // one that has ended already
	late := time.NewTimer(stopTime)
	defer late.Stop()
	select {
	case err := <-c.ended:
		return again(err)
	case <-late.C:
		_ = c.process.Kill()
		return <-c.ended
	}
}

// again reads a child's exit.
func again(err error) error {
	if e, ok := errors.AsType[*exec.ExitError](err); ok && e.ExitCode() == ExitAgain {
		return ErrAgain
	}
	return err
}
