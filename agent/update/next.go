package update

import (
	"context"
	"fmt"
	"path/filepath"

	"golang.org/x/mod/semver"

	"anagrafe/protocol"
)

// Plan is the program to run now.
type Plan struct {
	Version string
	Path    string
	Trial   bool // see Try
	Own     bool // the program that asks
}

// Next says which program to run, and notes that it is started. It puts back the
// inventory of before a trial that failed.
func (u *Updater) Next(ctx context.Context) (Plan, error) {
	own := Plan{Version: u.Version, Own: true}
	if len(u.Root) == 0 || !semver.IsValid(u.Version) || u.Installed == "" {
		return own, nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	s, err := u.load()
	if err != nil {
		return own, err
	}
	if s.Trial == nil {
		u.drop() // what a power cut left of a trial that was decided
	}
	if s.Kept == "" && s.Trial == nil && !u.Launched {
		return own, nil
	}
	if err := checkOwner(u.Dir); err != nil {
		u.Log.Warn("no fetched program is run", "err", err)
		return own, nil
	}
	u.preferInstalled(s)
	if err := u.judge(ctx, s); err != nil {
		return own, err
	}
	return u.choose(s)
}

// preferInstalled chooses the installed program if it is as new.
func (u *Updater) preferInstalled(s *state) {
	if u.Launched {
		return // it does not know which that is
	}
	if semver.Compare(s.Kept, u.Version) <= 0 {
		s.Kept, s.Previous, s.Settled, s.Starts = "", "", true, 0
	}
	if s.Trial != nil && semver.Compare(s.Trial.Version, u.Version) <= 0 && !s.Trial.Copied {
		s.Trial = nil
	}
}

// judge gives up what has been started too often, and what is not on the disk as it
// was recorded.
func (u *Updater) judge(ctx context.Context, s *state) error {
	if t := s.Trial; t != nil {
		damaged := check(u.path(t.Version), s.Programs[t.Version]) != nil
		unwanted := t.Copied && (s.Hold || u.Mode != Auto || semver.Compare(t.Version, u.Version) <= 0)
		if t.Starts >= maxStarts || damaged || unwanted {
			if err := u.giveUp(s, protocol.SetbackCrash, !damaged && !unwanted); err != nil {
				return err
			}
		}
	}
	running := u.Launched && s.Kept == u.Version // this start was judged by who started it
	if s.Kept != "" && !s.Settled && s.Starts >= maxStarts && s.Trial == nil && !running {
		u.goBack(ctx, s)
	}
	for s.Kept != "" && check(u.path(s.Kept), s.Programs[s.Kept]) != nil {
		u.Log.Error("the program of this version is damaged: the one before runs, and it is fetched again", "version", s.Kept)
		delete(s.Programs, s.Kept)
		s.Kept, s.Previous, s.Settled, s.Starts = s.Previous, "", true, 0
	}
	return nil
}

// giveUp ends a trial: the inventory is that of before again.
func (u *Updater) giveUp(s *state, why protocol.Setback, remember bool) error {
	t := s.Trial
	if t.Copied {
		if err := u.Inventory.Restore(); err != nil {
			return fmt.Errorf("putting the inventory of before the update back: %w", err)
		}
		u.at("restored")
	}
	s.Trial = nil
	if remember {
		s.fail(t.Version, why, u.Now())
	}
	if err := u.save(s); err != nil {
		return err
	}
	u.at("gave up")
	u.drop()
	u.Log.Warn("a new version did not prove itself: the one before goes on", "version", t.Version, "why", why)
	return nil
}

// drop removes the copy of the inventory: what the owner takes out shall be in no
// copy, either.
func (u *Updater) drop() {
	if err := u.Inventory.Drop(); err != nil {
		u.Log.Warn("the copy of the inventory of before an update is not removed; it will be at the next start", "err", err)
	}
}

// goBack leaves a version that keeps ending, if the one before can read what it wrote.
func (u *Updater) goBack(ctx context.Context, s *state) {
	schema, err := u.Inventory.Schema(ctx)
	if err != nil || schema != s.Schema {
		u.Log.Error("this version keeps ending by itself, and the one before cannot read its inventory: it is tried on", "version", s.Kept, "err", err)
		return
	}
	u.Log.Warn("this version keeps ending by itself: the one before runs again", "version", s.Kept)
	s.fail(s.Kept, protocol.SetbackCrash, u.Now())
	s.Kept, s.Previous, s.Settled, s.Starts = s.Previous, "", true, 0
}

// choose names the program, counts its start and keeps that.
func (u *Updater) choose(s *state) (Plan, error) {
	p := Plan{Version: s.Kept, Path: u.path(s.Kept)}
	switch {
	case s.Trial != nil && !s.Hold && u.Mode == Auto:
		s.Trial.Starts++
		p = Plan{Version: s.Trial.Version, Path: u.path(s.Trial.Version), Trial: true}
	case s.Kept == "" && u.Launched:
		p = Plan{Path: u.Installed}
	case s.Kept == "" || s.Kept == u.Version:
		p = Plan{Version: u.Version, Own: true}
	}
	if !p.Trial && !p.Own && s.Kept != "" && !s.Settled {
		s.Starts++
	}
	if err := u.save(s); err != nil {
		if p.Trial {
			return Plan{Version: u.Version, Own: true}, nil // a trial that cannot be counted is none
		}
		u.Log.Warn("this start is not counted", "err", err)
	}
	u.at("chosen")
	if p.Path != "" && !p.Own && p.Path != u.Installed {
		if err := checkOwner(filepath.Dir(p.Path)); err != nil {
			return p, err
		}
	}
	return p, nil
}
