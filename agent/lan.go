package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"regexp"

	"golang.org/x/net/netutil"

	"anagrafe/agent/lan"
	"anagrafe/agent/review"
	"anagrafe/agent/uplink"
	"anagrafe/protocol"
)

// maxLAN is how many connections from the network are held at a time; a browser
// holds six.
const maxLAN = 128

// lanName is what lan_names may hold: a host's name or an address.
var lanName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$`)

// checkLAN refuses an address or a name that the pages could not be opened at.
func checkLAN(config Config) error {
	for _, name := range config.LANNames {
		if !lanName.MatchString(name) {
			return misuse(fmt.Sprintf("lan_names has %q: it is a list of host names and addresses, without a port", name))
		}
	}
	if config.ListenLAN == "" {
		return nil
	}
	if _, port, err := net.SplitHostPort(config.ListenLAN); err != nil || port == "" || port == "0" {
		return misuse(fmt.Sprintf("listen_lan %q is not HOST:PORT, e.g. 0.0.0.0:8481", config.ListenLAN))
	}
	return nil
}

// openLAN opens the pages to the network where the configuration says so: never
// without a password. It gives nil where they stay on this computer.
func (s *agent) openLAN() (net.Listener, error) {
	if s.config.ListenLAN == "" {
		return nil, nil
	}
	set, err := lan.HasPassword(s.dir)
	if err != nil {
		return nil, err
	}
	if !set {
		return nil, fmt.Errorf("the pages are not opened to the network at %s: %w; run \"anagrafe-agent password\" first, or take listen_lan out of the configuration",
			s.config.ListenLAN, lan.ErrNone)
	}
	names := lan.Names(s.config.LANNames)
	own, err := lan.Certificate(s.dir, names, s.link.clock()())
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", s.config.ListenLAN)
	if err != nil {
		return nil, fmt.Errorf("opening the pages to the network: %w", err)
	}
	s.review.LAN = &review.LAN{Addr: listener.Addr().String(), Names: names, Fingerprint: lan.Fingerprint(own),
		Check: func(password string) (bool, error) { return lan.Check(s.dir, password) }}
	return tls.NewListener(netutil.LimitListener(listener, maxLAN), &tls.Config{
		Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}), nil
}

// setPassword keeps the password for the network, and says as of a field what is
// wrong with it.
func (s *agent) setPassword(password string) error {
	err := lan.SetPassword(s.dir, password)
	if errors.Is(err, lan.ErrShort) || errors.Is(err, lan.ErrLong) {
		return protocol.FieldErrors{{Field: "password", Why: err.Error()}}
	}
	return err
}

// status is that of the line, and where the pages are open.
func (s *agent) status(ctx context.Context) (any, error) {
	full, err := s.link.status(ctx)
	if st, ok := full.(standing); ok && s.review.LAN != nil {
		st.LAN = s.review.LAN.URL()
		full = st
	}
	return full, err
}

// examineLAN says from where the owner's pages open.
func (c *call) examineLAN(ctx context.Context) uplink.Finding {
	f := uplink.Finding{Part: partPages, State: uplink.StateGood, Found: "the owner's pages open on this computer only"}
	config, err := readConfig(c.dir, c.config)
	if err == nil {
		err = checkLAN(config)
	}
	if err != nil {
		return uplink.Finding{Part: partPages, State: uplink.StateBad, Found: err.Error(), Do: "correct the configuration"}
	}
	var st standing
	if err := dial(c.dir).do(ctx, "GET", "/status", nil, &st); err == nil && st.LAN != "" {
		f.Found = "the owner's pages are open to the network at " + st.LAN + ", with a password and TLS"
		return f
	}
	if config.ListenLAN == "" {
		return f
	}
	set, err := lan.HasPassword(c.dir)
	switch {
	case err != nil:
		f.State, f.Found, f.Do = uplink.StateBad, err.Error(), "set it anew with \"anagrafe-agent password\""
	case !set:
		f.State, f.Found, f.Do = uplink.StateBad, "listen_lan is set, but "+lan.ErrNone.Error()+": the agent does not start so", "anagrafe-agent password"
	default:
		f.State, f.Found, f.Do = uplink.StateSlow, "listen_lan is set, but the pages are not open to the network", "start the agent again"
	}
	return f
}
