package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/BurntSushi/toml"

	"anagrafe/agent/discover"
	"anagrafe/agent/keyfile"
	"anagrafe/agent/update"
)

// Config is all that can be set, in DIR/agent.toml or the file given with
// -config. Every key is optional; an unknown key is an error.
type Config struct {
	// Listen is the address of the local pages. Only loopback is accepted.
	Listen string `toml:"listen_pages"`
	// ListenLAN is the address at which the network reaches the pages, with TLS and
	// the password of "anagrafe-agent password"; "": they stay on this computer.
	ListenLAN string `toml:"listen_lan"`
	// LANNames are names and addresses of this machine that it cannot find out
	// itself, such as those of the host of its container.
	LANNames []string `toml:"lan_names"`
	// Interfaces are the networks to look at; empty: every suitable one.
	Interfaces []string `toml:"interfaces"`
	// Targets are hosts to ask that discovery does not find.
	Targets []string `toml:"targets"`
	// Every is the pause between two looks at the recorders; it is jittered.
	Every duration `toml:"look_every"`
	// Connection is "held" (default: one standing connection, so that a request
	// arrives at once) or "parked" (none: the agent asks from time to time).
	Connection string `toml:"connection"`
	// Notify shows on the screen, where somebody is in front of it, that there is a
	// message from the register: never what it says.
	Notify bool `toml:"notify"`
	// Updates is "auto" (default: updates of the program are fetched and tried by
	// themselves, unless they are held on the pages), "hold" (they are shown, and no
	// more) or "off" (nobody looks for them).
	Updates update.Mode `toml:"updates"`
	// Name is the person whose decisions the command line records.
	Name string `toml:"name"`

	visit bool // a technician's: its grants end by themselves
}

// duration reads "1h" or "90s".
type duration struct{ time.Duration }

func (d *duration) UnmarshalText(text []byte) (err error) {
	d.Duration, err = time.ParseDuration(string(text))
	return err
}

// The values of Config.Connection.
const (
	held   = "held"
	parked = "parked"
)

func defaults() Config {
	return Config{Listen: "127.0.0.1:8480", Every: duration{time.Hour}, Connection: held, Notify: true, Updates: update.Auto}
}

func configFile(dir string) string { return filepath.Join(dir, "agent.toml") }

// check refuses what the agent could not start with.
func (c Config) check() error {
	if err := loopback(c.Listen); err != nil {
		return err
	}
	if err := checkLAN(c); err != nil {
		return err
	}
	if err := discover.CheckTargets(c.Targets); err != nil {
		return misuse(err.Error())
	}
	return nil
}

// readConfig reads file, or DIR/agent.toml when file is "" and that exists.
func readConfig(dir, file string) (Config, error) {
	c := defaults()
	optional := file == ""
	if optional {
		file = configFile(dir)
	}
	md, err := toml.DecodeFile(file, &c)
	if optional && errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("reading the configuration %s: %w", file, err)
	}
	if unknown := md.Undecoded(); len(unknown) > 0 {
		return c, fmt.Errorf("the configuration %s has the unknown key %q: remove it, or correct its spelling", file, unknown[0].String())
	}
	if c.Connection != held && c.Connection != parked {
		return c, fmt.Errorf("connection in %s is %q: it is \"held\" or \"parked\"", file, c.Connection)
	}
	if c.Updates != update.Auto && c.Updates != update.Hold && c.Updates != update.Off {
		return c, fmt.Errorf("updates in %s is %q: it is \"auto\", \"hold\" or \"off\"", file, c.Updates)
	}
	if c.Every.Duration < time.Minute {
		return c, fmt.Errorf("look_every in %s is %v: at least 1m, so that recorders are left in peace", file, c.Every)
	}
	return c, nil
}

// makeDir makes the agent's directory, closed to others.
func makeDir(dir string) error {
	if err := keyfile.MakeDir(dir); err != nil {
		return fmt.Errorf("making the agent's directory: %w (give another with -data DIR)", err)
	}
	return nil
}
