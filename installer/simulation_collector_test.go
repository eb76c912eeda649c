package installer

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/collector/registry/registrytest"
)

// collector is one run of the collector's program: the real services on the
// real register, without sockets.
type collector struct {
	dir     string
	reg     *registry.Registry
	server  *ingest.Server
	handler http.Handler
	alive   context.Context
	kill    context.CancelFunc
	streams sync.WaitGroup
}

const registerName = "registry.db"

// startCollector opens what dir holds. watch is put between the services and
// the register.
func startCollector(dir string, log *slog.Logger, watch func(*registry.Registry) ingest.Register) (_ *collector, err error) {
	c := &collector{dir: dir}
	c.alive, c.kill = context.WithCancel(context.Background())
	authority, err := ingest.OpenAuthority(dir)
	if err != nil {
		return nil, err
	}
	receipts, err := ingest.OpenReceiptKey(dir, "collector.example")
	if err != nil {
		return nil, err
	}
	if c.reg, _, err = registry.Open(c.alive, registrytest.Options(dir, log)); err != nil {
		return nil, err
	}
	server, err := ingest.New(ingest.Options{MaxHeld: 100, Authority: authority, ReceiptKey: receipts, OwnerLink: "https://collector.example/site", Register: watch(c.reg), Hosts: []string{"collector.example"},
		RootSecret: bytes.Repeat([]byte{1}, 32), Log: log})
	if err != nil {
		return nil, errors.Join(err, c.reg.Close())
	}
	c.server, c.handler = server, server.Handler()
	return c, nil
}

// end is the end of the program at this instant: what it has not written is
// lost, and so is what it has not answered.
func (c *collector) end() error {
	c.kill()
	c.streams.Wait()
	return c.reg.Close()
}

// filesOf reads the files of a database and what lies beside it as they are at
// this instant, which is what a power cut leaves and a backup holds.
func filesOf(dir, database string) (map[string][]byte, error) {
	files := make(map[string][]byte)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.IsDir() || e.Name() == database+"-shm" { // memory, which does not outlive its programs
			continue
		}
		if files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// putFiles makes dir hold these files and no other.
func putFiles(dir string, files map[string][]byte) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() && files[e.Name()] == nil {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
