package uplink

import (
	"context"
	"crypto/x509"
	"net"
	"testing"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// GetSite is asked by Examine, and when a line is new.
func (c *collector) GetSite(_ context.Context, req *connect.Request[wire.GetSiteRequest]) (*connect.Response[wire.GetSiteResponse], error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.before != nil {
		if err := c.before(nil); err != nil {
			return nil, err
		}
	}
	if err := c.follows(req.Msg.GetAfter()); err != nil {
		return nil, err
	}
	return connect.NewResponse(&wire.GetSiteResponse{Grant: &wire.Grant{SiteId: "site-1"}, Message: c.recorded}), nil
}

func TestExamine(t *testing.T) {
	t.Parallel()
	good := map[Part]State{partCertificate: StateGood, partName: StateGood, partRoute: StateGood, partTLS: StateGood,
		PartUDP: StateGood, PartAdmission: StateGood, partClock: StateGood}
	for name, tt := range map[string]struct {
		on      servers
		arrange func(t *testing.T, c *collector, id *Identity)
		site    string
		made    time.Duration // of the certificate, before now
		ahead   time.Duration // of this machine's clock
		want    map[Part]State
	}{
		"all is well":        {on: servers{true, true}},
		"UDP is blocked":     {on: servers{tcp: true}, want: map[Part]State{PartUDP: StateSlow}},
		"TCP answers nobody": {on: servers{udp: true}, want: map[Part]State{partTLS: StateBad}},
		"nobody is there": {arrange: func(t *testing.T, c *collector, id *Identity) { id.Collector = "https://" + closedPort(t, c.host) },
			want: map[Part]State{partRoute: StateBad, partTLS: StateUnknown, PartUDP: StateBad, PartAdmission: StateBad, partClock: StateUnknown}},
		"the name leads nowhere": {arrange: func(_ *testing.T, _ *collector, id *Identity) { id.Collector = "https://nessuno.invalid:8443" },
			want: map[Part]State{partName: StateBad, partRoute: StateUnknown, partTLS: StateUnknown, PartUDP: StateUnknown, PartAdmission: StateBad, partClock: StateUnknown}},
		"somebody else answers": {on: servers{true, true}, arrange: func(t *testing.T, _ *collector, id *Identity) {
			id.authorities = []*x509.Certificate{newAuthority(t).cert}
		},
			want: map[Part]State{partTLS: StateBad, PartUDP: StateBad, PartAdmission: StateBad, partClock: StateUnknown}},
		"revoked": {on: servers{true, true}, arrange: func(_ *testing.T, c *collector, _ *Identity) {
			c.before = func([]byte) error {
				return refusal(connect.CodePermissionDenied, string(protocol.ReasonRevoked), "revoked")
			}
		}, want: map[Part]State{PartAdmission: StateBad}},
		"no site":                   {on: servers{true, true}, site: "-", want: map[Part]State{PartAdmission: StateBad, partClock: StateUnknown}},
		"the certificate has ended": {on: servers{true, true}, ahead: 40 * 24 * time.Hour, want: map[Part]State{partCertificate: StateSlow, partClock: StateSlow}},
		"it ended long ago":         {on: servers{true, true}, ahead: 300 * 24 * time.Hour, want: map[Part]State{partCertificate: StateBad, partClock: StateSlow}},
		"this clock is slow":        {on: servers{true, true}, ahead: -24 * time.Hour, want: map[Part]State{partCertificate: StateBad, partClock: StateSlow}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCollector(t)
			id := c.authority.identity(t, c.addr, time.Now().Add(-time.Hour))
			if tt.arrange != nil {
				tt.arrange(t, c, id)
			}
			c.serve(tt.on, nil, nil)
			site := "0d5b1c4e-3a57-4b0e-9d4f-6a1de2a7c001"
			if tt.site == "-" {
				site = ""
			}
			findings := Examine(t.Context(), id, site, func() time.Time { return time.Now().Add(tt.ahead) })
			if len(findings) != len(good) {
				t.Errorf("%d findings, want %d", len(findings), len(good))
			}
			for _, f := range findings {
				want := good[f.Part]
				if w, ok := tt.want[f.Part]; ok {
					want = w
				}
				if f.State != want {
					t.Errorf("%s is %s, want %s: %s (%s)", f.Part, f.State, want, f.Found, f.Raw)
				}
				if (f.State == StateBad || f.State == StateSlow) && f.Do == "" {
					t.Errorf("%s is %s, and nothing is said of what to do: %s", f.Part, f.State, f.Found)
				}
			}
		})
	}
}

// closedPort is an address at which nobody listens.
func closedPort(t *testing.T, host string) string {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
