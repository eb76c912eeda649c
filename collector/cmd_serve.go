package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

// cmdServe is the long-lived collector.
func cmdServe(ctx context.Context, c *call, args []string) (err error) {
	f := c.flags()
	var given Config
	f.StringVar(&given.PublicURL, "public-url", "", "what owners and agents call this collector, https://HOST")
	f.StringVar(&given.OpsURL, "ops-url", "", "what operators call their pages (default http://ops.localhost:8081)")
	f.StringVar(&given.ConsultURL, "consult-url", "", "what officers call their pages (default http://localhost:8082)")
	f.StringVar(&given.ListenAgents, "listen-agents", "", "address for agents, UDP and TCP (default :8443)")
	f.StringVar(&given.ListenPublic, "listen-public", "", "address of the public and the owners' pages (default 127.0.0.1:8080)")
	f.StringVar(&given.ListenOps, "listen-ops", "", "address of the operators' pages (default 127.0.0.1:8081)")
	f.StringVar(&given.ListenConsult, "listen-consult", "", "address of the officers' pages (default 127.0.0.1:8082)")
	f.StringVar(&given.ListenMetrics, "listen-metrics", "", `address for Prometheus (default 127.0.0.1:9180), "off" for none`)
	given.MaxHeld = unset
	f.Func("max-held", "agents that may stay connected, about 100 KiB of memory each; the others come every six hours (default 20000)", func(n string) (err error) {
		if given.MaxHeld, err = strconv.Atoi(n); err != nil {
			return errors.New("it is a whole number")
		}
		return nil
	})
	f.StringVar(&given.Basemap, "basemap", "", "PMTiles file in the OpenMapTiles schema")
	f.StringVar(&given.Area, "area", "", "GeoJSON file of the area that the register is for")
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	config, err := c.readConfig()
	if err != nil {
		return err
	}
	o, err := openCollector(ctx, c.dir, config.with(given), config.logger(c.err))
	if errors.Is(err, errDaemon) {
		return fmt.Errorf("%w: %s", err, c.dir)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	return o.serve(ctx, c.out)
}

// with lets the values of other that are set win.
func (c Config) with(other Config) Config {
	for _, field := range []struct{ mine, other *string }{
		{&c.PublicURL, &other.PublicURL}, {&c.OpsURL, &other.OpsURL}, {&c.ConsultURL, &other.ConsultURL},
		{&c.ListenAgents, &other.ListenAgents}, {&c.ListenPublic, &other.ListenPublic}, {&c.ListenOps, &other.ListenOps},
		{&c.ListenConsult, &other.ListenConsult}, {&c.ListenMetrics, &other.ListenMetrics}, {&c.Basemap, &other.Basemap}, {&c.Area, &other.Area},
	} {
		if *field.other != "" {
			*field.mine = *field.other
		}
	}
	if other.MaxHeld != unset {
		c.MaxHeld = other.MaxHeld
	}
	return c
}

// offline leaves out the files that pages alone need: a command for which this process
// answers must work where the collector cannot start for want of them.
func (c Config) offline() Config {
	c.Certificate, c.Key, c.Basemap = "", "", ""
	c.OpsOIDC, c.ConsultOIDC, c.OwnerOIDC = oidcProvider{}, oidcProvider{}, ownerOIDC{}
	return c
}
