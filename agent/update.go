package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"anagrafe/agent/inventory"
	"anagrafe/agent/update"
	"anagrafe/agent/uplink"
	"anagrafe/protocol/daemon"
)

const (
	// rootName is the anchor of the update channel, beside the program as it was
	// installed. Packages of a system's own manager ship none: that updates it.
	rootName = "update-root.json"
	// envManaged says that something else looks after the program.
	envManaged = "ANAGRAFE_AGENT_MANAGED"
	maxRoot    = 64 << 10

	// lookForUpdate is the pause between two looks at the channel, give or take a
	// half; the first comes within firstLook of the start.
	lookForUpdate = 6 * time.Hour
	firstLook     = 10 * time.Minute
	// proofPause is between two questions to a collector that does not answer.
	proofPause = 5 * time.Second
)

// updater looks after the versions of this agent's program.
func (c *call) updater(config Config) (*update.Updater, error) {
	o := update.Options{Dir: filepath.Join(c.dir, "updates"), Mode: config.Updates, Version: version(), Log: c.log, Inventory: unused{c.dir}}
	self, err := os.Executable()
	if err == nil {
		o.Installed, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	if installed := os.Getenv(update.EnvInstalled); installed != "" {
		o.Installed, o.Launched = installed, true
	}
	if os.Getenv(envManaged) != "" {
		return update.New(o), nil
	}
	raw, err := os.ReadFile(filepath.Join(filepath.Dir(o.Installed), rootName))
	if errors.Is(err, fs.ErrNotExist) { // no place for it in a bin (Filesystem Hierarchy Standard 3.0, 4.4)
		raw, err = os.ReadFile(filepath.Join(filepath.Dir(o.Installed), "..", "lib", "anagrafe-agent", rootName))
	}
	if err == nil && len(raw) <= maxRoot {
		o.Root = raw
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.log.Warn("updates are off: their anchor of trust cannot be read", "err", err)
	}
	return update.New(o), nil
}

// runVersions runs the version that is to be run, one after the other, until ctx ends.
func (c *call) runVersions(ctx context.Context, config Config, parent *update.Parent) error {
	programs, err := c.updater(config)
	if err != nil {
		return err
	}
	if parent != nil {
		return runAgent(ctx, c, config, programs, parent)
	}
	for {
		plan, err := programs.Next(ctx)
		if err != nil {
			c.log.Error("which version to run is not known: this one runs", "err", err)
			plan = update.Plan{Own: true}
		}
		switch {
		case plan.Own:
			err = runAgent(ctx, c, config, programs, nil)
		case plan.Trial:
			c.log.Info("a new version is tried", "version", plan.Version)
			// systemd takes this word from its own child alone, which is not the one on trial.
			if err := daemon.Ready(); err != nil {
				c.log.Warn("systemd will take this start for one that failed", "err", err)
			}
			err = programs.Try(ctx, plan)
		default:
			err = programs.Start(ctx, plan)
		}
		if !errors.Is(err, update.ErrAgain) {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// unused is the inventory of a directory that no agent uses now.
type unused struct{ dir string }

// alone holds the directory's lock while f runs: a command of the command line may
// have it open.
func (i unused) alone(ctx context.Context, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	lock := flock.New(filepath.Join(i.dir, "lock"))
	if held, err := lock.TryLockContext(ctx, lockPoll); err != nil || !held {
		return fmt.Errorf("%w: %s", errDaemon, i.dir)
	}
	return errors.Join(f(), lock.Unlock())
}

func (i unused) Copy(ctx context.Context) error {
	return i.alone(ctx, func() error { return inventory.Copy(ctx, i.dir) })
}

func (i unused) Restore() error {
	return i.alone(context.Background(), func() error { return inventory.Restore(i.dir) }) // also when the service is being stopped
}

func (i unused) Drop() error { return inventory.DropCopy(i.dir) }

func (i unused) Schema(ctx context.Context) (version int64, err error) {
	err = i.alone(ctx, func() error { version, err = inventory.SchemaOf(ctx, i.dir); return err })
	return version, err
}

// useUpdater has the pages and the loop below know the versions.
func (s *agent) useUpdater(programs *update.Updater) {
	programs.AgentID = func() string { return s.link.up.Status().AgentID }
	programs.Transport = s.link.up.Channel()
	s.programs = programs
}

// told is the version that ops are told.
func (s *agent) told() string {
	if s.programs == nil {
		return version()
	}
	return s.programs.Told()
}

// readOnlyOnTrial lets nothing be changed while this version is on trial: the inventory of
// before may be put back.
func readOnlyOnTrial(parent *update.Parent, next http.Handler) http.Handler {
	if parent == nil || !parent.Trial {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-parent.Kept:
		default:
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				w.Header().Set("Retry-After", "60")
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusServiceUnavailable)
				_ = json.NewEncoder(w).Encode(refusal{What: "una nuova versione del programma è in prova: niente è cambiato (a new version of the program is being tried: nothing was changed)",
					Hint: "riprova fra un minuto (try again in a minute)"}) // who is gone need not be told
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// prove shows a parent that this version, whose inventory is open and whose pages are
// served, is admitted by the collector, and waits for its word. A version that was
// kept before has nothing to show.
func (s *agent) prove(ctx context.Context, parent *update.Parent) error {
	if parent == nil || !parent.Trial {
		return nil
	}
	for {
		err := s.healthy(ctx)
		if err == nil {
			return parent.Healthy(ctx)
		}
		s.log.Warn("this version is on trial, and not healthy yet", "err", err)
		pause := time.NewTimer(proofPause)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
	}
}

// healthy asks the own pages and the collector.
func (s *agent) healthy(ctx context.Context) error {
	asked, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(asked, http.MethodGet, "http://"+s.config.Listen+"/", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("the local pages: %w", err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("the local pages answer with status %d", resp.StatusCode)
	}
	identity, err := uplink.Open(s.dir)
	if e, ok := errors.AsType[*uplink.Error](err); ok && e.Reason == uplink.NotEnrolled {
		return nil
	}
	if err == nil {
		_, err = identity.DescribeMap(ctx, nil)
	}
	return err
}

// lookForUpdates looks for them from time to time; it ends with update.ErrAgain when one
// is ready. Also where none are looked for it says how this version ran: it may have come
// before they were switched off.
func (s *agent) lookForUpdates(ctx context.Context) (err error) {
	// This version ends because somebody wants it to, which is no fault of it.
	defer func() {
		if ctx.Err() != nil || errors.Is(err, update.ErrAgain) {
			err = errors.Join(err, s.programs.Stopped())
		}
	}()
	settled := time.NewTimer(s.programs.Settles())
	defer settled.Stop()
	next := time.NewTimer(rand.N(firstLook))
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-settled.C:
			if err := s.programs.Settled(); err != nil {
				s.log.Warn("that this version has run long enough is not kept", "err", err)
			}
			continue
		case <-next.C:
		case <-s.lookNow:
		}
		ready, err := s.programs.Look(ctx)
		switch {
		case ready && err == nil:
			return update.ErrAgain
		case err != nil && ctx.Err() == nil:
			s.log.Warn("looking for an update failed", "err", err)
		}
		next.Reset(lookForUpdate/2 + rand.N(lookForUpdate))
	}
}

// updates tells the pages how it stands.
func (s *agent) updates() (any, error) {
	if s.programs == nil {
		return update.Standing{Version: version(), Mode: s.config.Updates}, nil
	}
	return s.programs.Standing()
}

// setUpdate does what somebody says on the pages: "hold", "auto" or "look".
func (s *agent) setUpdate(do string) error {
	if s.programs == nil {
		return errors.New("no agent is running: start it first")
	}
	if do != "look" {
		return s.programs.SetHold(do == "hold")
	}
	select {
	case s.lookNow <- struct{}{}:
	default: // already wanted
	}
	return nil
}
