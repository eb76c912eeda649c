package installer

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"anagrafe/agent/inventory"
	"anagrafe/agent/uplink"
	"anagrafe/protocol"
)

// agent is one run of the agent's program: the real inventory and the real
// uplink, on a network that is none.
type agent struct {
	dir  string
	net  *line
	inv  *inventory.Inventory
	up   *uplink.Uplink
	stop context.CancelFunc
	done chan error
}

const (
	inventoryName = "inventory.db"
	address       = "https://collector.example:8443"
)

// startAgent opens what dir holds and begins to deliver.
func startAgent(dir string, n *line, log *slog.Logger) (*agent, error) {
	identity, err := uplink.Open(dir)
	if e, ok := errors.AsType[*uplink.Error](err); err != nil && !(ok && e.Reason == uplink.NotEnrolled) {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	a := &agent{dir: dir, net: n, stop: stop, done: make(chan error, 1)}
	if a.inv, err = inventory.Open(ctx, dir, log); err != nil {
		stop()
		return nil, err
	}
	a.up = uplink.New(uplink.Options{Identity: identity, Outbox: a.inv, Keep: a.inv.KeepNotice, Version: "simulated", Log: log,
		WrapTransport: a.transport, Jitter: n.jitter})
	go func() { a.done <- a.up.Run(ctx) }()
	return a, nil
}

// end is the end of the program. What it still writes is for the files that
// it has; who wants to see it killed took a copy before.
func (a *agent) end() error {
	a.stop()
	return errors.Join(<-a.done, a.inv.Close())
}

// transport stands in for the road, which would dial: it shows the certificate
// that the agent has now, as a new connection would.
func (a *agent) transport(http.RoundTripper) http.RoundTripper {
	return road{a.net, certificateIn(a.dir)}
}

// certificateIn is the agent's certificate; nil before the enrolment.
func certificateIn(dir string) *x509.Certificate {
	b, err := os.ReadFile(filepath.Join(dir, "identity.pem"))
	if err != nil {
		return nil
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return c
}

// redeem buys a grant, which is not kept yet.
func (a *agent) redeem(ctx context.Context, code protocol.Code) (protocol.Grant, error) {
	return uplink.Enrol(ctx, a.dir, address, code.String(), uplink.EnrolOptions{Version: "simulated", WrapTransport: a.transport, Former: a.inv.SpokeAs})
}

// enrol redeems a code and goes on with what it gave, as the program does.
func (a *agent) enrol(ctx context.Context, code protocol.Code) error {
	g, err := a.redeem(ctx, code)
	if err != nil {
		return err
	}
	identity, err := uplink.Open(a.dir)
	if err != nil {
		return err
	}
	if err := a.inv.AddGrant(ctx, g, identity.Collector); err != nil {
		return err
	}
	a.up.Use(identity)
	return nil
}

// forget drops the identity, as the remedy for a revoked one says; the
// inventory stays.
func (a *agent) forget() error {
	for _, name := range []string{"identity.key", "identity.pem"} {
		if err := os.Remove(filepath.Join(a.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
