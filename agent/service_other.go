//go:build !linux

package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/kardianos/service"

	"anagrafe/protocol/daemon"
)

// prepare has nothing to do: the service manager has an account for services.
func (c *call) prepare(context.Context) error { return nil }

// removeUser has nothing to do either.
func removeUser(context.Context) error { return nil }

// logToSystem has the service write to the system's log, on Windows the event log: it
// has no stderr.
func (c *call) logToSystem(svc service.Service) error {
	log, err := svc.SystemLogger(nil)
	if err != nil {
		return fmt.Errorf("opening the system's log: %w", err)
	}
	c.log = slog.New(daemon.ByLevel(textLog, func(level slog.Level, line []byte) error {
		switch text := string(line); {
		case level >= slog.LevelError:
			return log.Error(text)
		case level >= slog.LevelWarn:
			return log.Warning(text)
		default:
			return log.Info(text)
		}
	}))
	return nil
}
