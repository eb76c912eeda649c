package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/kardianos/service"
)

// unit is the systemd unit, as packages ship it.
//
//go:embed anagrafe-agent.service
var unit string

// users is the service's own user, for systemd-sysusers.
//
//go:embed anagrafe-agent.sysusers
var users string

const (
	// packagedStart is the line of unit by which the packaged program is started.
	packagedStart = "ExecStart=/usr/bin/anagrafe-agent run"
	// ownStart is that of a program that lies elsewhere, in the words of kardianos/service.
	ownStart = "ExecStart={{Path | cmdEscape}}{{range Arguments}} {{. | cmd}}{{end}}"
)

// serviceName is the service's; on Windows its account's SID follows from it
// (package keyfile).
const serviceName = "anagrafe-agent"

// program is what the service manager starts and stops.
type program struct {
	log  *slog.Logger
	run  func(context.Context) error
	stop context.CancelFunc
	done chan error
}

// Start returns at once, as service managers demand.
func (p *program) Start(svc service.Service) error {
	ctx, stop := context.WithCancel(context.Background())
	p.stop, p.done = stop, make(chan error, 1)
	go func() {
		err := p.run(ctx)
		p.done <- err
		if err != nil {
			p.log.Error("agent stopped", "err", err)
			os.Exit(exitFailed) // the manager restarts what ends with an error
		}
	}()
	return nil
}

// Stop waits for the goroutine that Start began.
func (p *program) Stop(service.Service) error {
	p.stop()
	return <-p.done
}

// newService describes the service. It starts in another working directory, so
// paths are absolute.
func newService(p *program, dir, config string) (service.Service, error) {
	arguments := []string{"run"}
	for _, given := range []struct{ name, path, usual string }{{"-data", dir, defaultDir}, {"-config", config, ""}} {
		if given.path == given.usual {
			continue
		}
		abs, err := filepath.Abs(given.path)
		if err != nil {
			return nil, err
		}
		arguments = append(arguments, given.name, abs)
	}
	return service.New(p, &service.Config{
		Name:        serviceName,
		DisplayName: "Anagrafe Telecamere",
		Description: "Anagrafe Telecamere: keeps the entry of this site's cameras true",
		Arguments:   arguments,
		UserName:    serviceUser,
		Option: service.KeyValue{
			"SystemdScript":          strings.Replace(unit, packagedStart, ownStart, 1),
			"OnFailure":              "restart",
			"OnFailureDelayDuration": "15s",
			"OnFailureResetPeriod":   86400,
		},
	})
}

// cmdInstall takes an answer file and installs the service. Where a package has
// installed it, the answers alone are to be taken.
func cmdInstall(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	file := f.String("answers", "", "answer file, deleted as it is taken (default "+packagedAnswers+" where it is there)")
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	if err := c.prepare(ctx); err != nil {
		return err
	}
	if _, err := os.Stat(packagedAnswers); *file == "" && err == nil {
		*file = packagedAnswers
	}
	if *file != "" {
		if err := takeAnswers(*file, c.dir); err != nil {
			return err
		}
		fmt.Fprintln(c.out, "The answers are taken, and", *file, "is deleted. No camera goes into the register until somebody approves it.")
	}
	if packaged() {
		return nil
	}
	svc, err := newService(&program{log: c.log}, c.dir, c.config)
	if err != nil {
		return err
	}
	return c.control(svc)
}

// cmdService starts or stops the service, as its name says.
func cmdService(_ context.Context, c *call, args []string) error {
	if _, err := c.parse(c.flags(), args, 0); err != nil {
		return err
	}
	svc, err := newService(&program{log: c.log}, c.dir, c.config)
	if err != nil {
		return err
	}
	return c.control(svc)
}

var errNotInstalled = fmt.Errorf("%w: run \"anagrafe-agent install\" first", service.ErrNotInstalled)

// control has the service manager do what the command is named after.
func (c *call) control(svc service.Service) error {
	if err := service.Control(svc, c.name); err != nil {
		if errors.Is(err, service.ErrNotInstalled) {
			return errNotInstalled
		}
		return fmt.Errorf("%w (this needs an administrator's rights)", err)
	}
	fmt.Fprintln(c.out, "done:", c.name)
	return nil
}
