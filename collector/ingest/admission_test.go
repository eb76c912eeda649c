package ingest

import (
	"crypto/tls"
	"errors"
	"net/netip"
	"testing"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

func asError(err error, target **connect.Error) bool { return errors.As(err, target) }

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func addr4(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

// TestAdmission is the table of who may call what.
func TestAdmission(t *testing.T) {
	const handshake = protocol.Reason("(handshake)")
	day := 24 * time.Hour
	for _, transport := range transports {
		r := start(t, nil)
		stranger, err := OpenAuthority(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		id, valid, key := r.agent(t, time.Now())
		expired := certOf(t, r.authority, key, id, time.Now().Add(-31*day))
		longGone := certOf(t, r.authority, key, id, time.Now().Add(-(30+91)*day))
		foreign := certOf(t, stranger, key, id, time.Now())
		unknown := certOf(t, r.authority, key, "nobody", time.Now())
		revokedID, revoked, revokedKey := r.agent(t, time.Now())
		r.register.revoke(revokedID)
		both := certOf(t, r.authority, revokedKey, revokedID, time.Now().Add(-31*day))
		server, err := r.authority.current().serverCertificate([]string{"127.0.0.1"}, time.Now())
		if err != nil {
			t.Fatal(err)
		}

		for _, tt := range []struct {
			name         string
			cert         *tls.Certificate
			enrol, renew protocol.Reason
			deliver      protocol.Reason // and GetSite, and Notices
		}{
			{"valid", valid, "", "", ""},
			{"none", nil, "", protocol.ReasonNoCertificate, protocol.ReasonNoCertificate},
			{"expired", expired, "", "", protocol.ReasonExpiredCertificate},
			{"expired 91 days ago", longGone, "", protocol.ReasonExpiredCertificate, protocol.ReasonExpiredCertificate},
			{"revoked", revoked, "", protocol.ReasonRevoked, protocol.ReasonRevoked},
			{"revoked and expired", both, "", protocol.ReasonRevoked, protocol.ReasonRevoked},
			{"unknown agent", unknown, "", protocol.ReasonUnknownAgent, protocol.ReasonUnknownAgent},
			{"foreign", foreign, handshake, handshake, handshake},
			{"a server's", server, handshake, handshake, handshake},
		} {
			t.Run(transport+"/"+tt.name, func(t *testing.T) {
				c := r.dial(t, transport, tt.cert)
				check := func(call string, want protocol.Reason, err error) {
					t.Helper()
					got := reason(err)
					if err != nil && got == "" {
						got = handshake
					}
					if got != want {
						t.Errorf("%s: %q (%v), want %q", call, got, err, want)
					}
				}
				before := r.count(t, "refused_total", string(reasonForeignCertificate))
				_, err := enrolWith(t.Context(), c, r.register.invite("another", time.Now().Add(day)).String(), csrOf(t, newKey(t)))
				check("Enrol", tt.enrol, err)
				renewing := key
				if tt.cert == revoked || tt.cert == both {
					renewing = revokedKey
				}
				_, err = c.enrol.Renew(t.Context(), connect.NewRequest(&wire.RenewRequest{Csr: csrOf(t, renewing)}))
				check("Renew", tt.renew, err)
				_, err = deliver(t.Context(), c, message(t, time.Now().UnixMicro(), protocol.Observation{}))
				check("Deliver", tt.deliver, err)
				_, err = c.delivery.GetSite(t.Context(), connect.NewRequest(&wire.GetSiteRequest{SiteId: site}))
				check("GetSite", tt.deliver, err)
				if tt.deliver != "" && !t.Failed() { // an open stream has its own test
					stream, err := c.delivery.Notices(t.Context(), connect.NewRequest(&wire.NoticesRequest{}))
					if err == nil {
						stream.Receive()
						err = stream.Err()
						_ = stream.Close()
					}
					check("Notices", tt.deliver, err)
				}
				if seen := r.count(t, "refused_total", string(reasonForeignCertificate)) > before; seen != (tt.enrol == handshake) {
					t.Errorf("foreign certificate counted: %v", seen)
				}
			})
		}
	}
}

func TestRenew(t *testing.T) {
	r := start(t, nil)
	id, cert, key := r.agent(t, time.Now().Add(-40*24*time.Hour))
	c := r.dial(t, "h3", cert)
	resp, err := c.enrol.Renew(t.Context(), connect.NewRequest(&wire.RenewRequest{Csr: csrOf(t, key)}))
	if err != nil {
		t.Fatal(err)
	}
	next := &tls.Certificate{Certificate: resp.Msg.GetCertificateChain(), PrivateKey: key}
	if _, err := deliver(t.Context(), r.dial(t, "h3", next), message(t, 1, protocol.Observation{})); err != nil {
		t.Errorf("deliver with the renewed certificate of %s: %v", id, err)
	}
	// Who holds the certificate's key cannot have another one certified.
	_, err = c.enrol.Renew(t.Context(), connect.NewRequest(&wire.RenewRequest{Csr: csrOf(t, newKey(t))}))
	if reason(err) != protocol.ReasonInvalid {
		t.Errorf("renewed for another key: %v", err)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	r := start(t, nil)
	conn, err := tls.Dial("tcp", r.Addr(), &tls.Config{RootCAs: poolOf(r.authority), MaxVersion: tls.VersionTLS12, NextProtos: []string{"h2"}})
	if err == nil {
		_ = conn.Close()
		t.Fatal("TLS 1.2 accepted")
	}
}
