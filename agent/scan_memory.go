package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"

	"anagrafe/agent/discover"
	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
)

// scanMemory gives a scan the passwords of a file, else those that the inventory
// keeps, and remembers in the inventory which were refused, and the certificates
// that were shown: tried today, a wrong password is not tried again tomorrow.
type scanMemory struct {
	*inventory.Inventory
	given map[string]interrogate.Credential // by address without port
}

// openScanMemory opens the inventory, which passwords from a file make where
// there is none. Without any passwords there is nothing to remember: it gives
// nil where there is no inventory or it is another user's.
func (c *call) openScanMemory(ctx context.Context, file string) (_ *scanMemory, err error) {
	m := &scanMemory{}
	if m.given, err = readCredentials(file); err != nil {
		return nil, err
	}
	if file == "" {
		f, err := os.Open(filepath.Join(c.dir, "inventory.db"))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, nil
		case errors.Is(err, fs.ErrPermission):
			c.log.Warn("scanning without the kept passwords: the agent's directory belongs to another user", "data", c.dir)
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("reading the kept passwords: %w", err)
		}
		_ = f.Close()
	} else if err := makeDir(c.dir); err != nil {
		return nil, fmt.Errorf("remembering which passwords are refused: %w", err)
	}
	m.Inventory, err = inventory.Open(ctx, c.dir, c.log)
	return m, err
}

// Credential returns the password of the file, or the one that is kept.
func (m *scanMemory) Credential(ctx context.Context, s discover.Sighting) (interrogate.Credential, bool, error) {
	if cred, ok := m.given[s.Address.Addr().String()]; ok {
		return cred, true, nil
	}
	return m.Inventory.Credential(ctx, s)
}

// Refused tells also what the same host has refused at another port: a password of
// the file is for the host, and it may be counting.
func (m *scanMemory) Refused(ctx context.Context, s discover.Sighting, c interrogate.Credential, at interrogate.Door) (bool, error) {
	is, err := m.Inventory.Refused(ctx, s, c, at)
	if is || err != nil || !m.gave(s) {
		return is, err
	}
	return m.Inventory.Refused(ctx, hostOf(s), c, at)
}

// Refuse remembers it for the host too.
func (m *scanMemory) Refuse(ctx context.Context, s discover.Sighting, c interrogate.Credential, at interrogate.Door) error {
	err := m.Inventory.Refuse(ctx, s, c, at)
	if err != nil || !m.gave(s) {
		return err
	}
	return m.Inventory.Refuse(ctx, hostOf(s), c, at)
}

func (m *scanMemory) gave(s discover.Sighting) bool {
	_, ok := m.given[s.Address.Addr().String()]
	return ok
}

// hostOf is a host whatever its port.
func hostOf(s discover.Sighting) discover.Sighting {
	return discover.Sighting{Address: netip.AddrPortFrom(s.Address.Addr(), 0)}
}

// readCredentials reads the passwords for a scan. A file that others can read
// is refused.
func readCredentials(file string) (map[string]interrogate.Credential, error) {
	if file == "" {
		return nil, nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("reading the passwords: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("others on this machine can read %s: run chmod 600 %s first", file, file)
	}
	var content struct {
		Device []struct{ Address, User, Password string }
	}
	md, err := toml.DecodeFile(file, &content)
	if err != nil {
		// The library's message may quote the line, and the line a password.
		return nil, fmt.Errorf("%s is not a TOML file of [[device]] address, user, password", file)
	}
	if unknown := md.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("%s has the unknown key %q", file, strings.Join(unknown[0], "."))
	}
	given := map[string]interrogate.Credential{}
	for i, d := range content.Device {
		addr, err := netip.ParseAddr(d.Address)
		if err != nil {
			return nil, fmt.Errorf("%s: device %d: the address is not an IP address", file, i+1)
		}
		given[addr.String()] = interrogate.Credential{User: d.User, Password: d.Password}
	}
	return given, nil
}
