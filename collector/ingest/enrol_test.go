package ingest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

func enrolWith(ctx context.Context, c client, code string, csr []byte) (*wire.EnrolResponse, error) {
	resp, err := c.enrol.Enrol(ctx, connect.NewRequest(&wire.EnrolRequest{Code: code, Csr: csr, AgentVersion: "1.0\x00\n"}))
	if err != nil {
		return nil, err
	}
	return resp.Msg, nil
}

func TestEnrol(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			r := start(t, nil)
			c := r.dial(t, transport, nil)
			code := r.register.invite(site, time.Now().Add(time.Hour))
			key := newKey(t)

			first, err := enrolWith(t.Context(), c, code.String(), csrOf(t, key))
			if err != nil {
				t.Fatal(err)
			}
			leaf, err := x509.ParseCertificate(first.GetCertificateChain()[0])
			if err != nil {
				t.Fatal(err)
			}
			if leaf.Subject.CommonName != first.GetAgentId() || first.GetGrant().GetSiteId() != site {
				t.Errorf("enrolled as %q for %q, certificate of %q", first.GetAgentId(), first.GetGrant().GetSiteId(), leaf.Subject.CommonName)
			}
			if life := time.Until(leaf.NotAfter); life < agentLife-time.Minute || life > agentLife {
				t.Errorf("the certificate lasts %v", life)
			}
			if got := r.register.serials(); !slices.Equal(got, []string{leaf.SerialNumber.Text(16)}) {
				t.Errorf("certified %v, not %s", got, leaf.SerialNumber.Text(16))
			}

			// The answer was lost: the same code and key buy the same again.
			again, err := enrolWith(t.Context(), c, strings.ToLower(code.String()), csrOf(t, key))
			if err != nil {
				t.Fatal(err)
			}
			if again.GetAgentId() != first.GetAgentId() || again.GetGrant().GetEpoch() != first.GetGrant().GetEpoch() {
				t.Errorf("enrolled again as %q", again.GetAgentId())
			}
			// A further code with the same key is the same agent.
			other, err := enrolWith(t.Context(), c, r.register.invite("site-2", time.Now().Add(time.Hour)).String(), csrOf(t, key))
			if err != nil {
				t.Fatal(err)
			}
			if other.GetAgentId() != first.GetAgentId() || other.GetGrant().GetSiteId() != "site-2" {
				t.Errorf("a further code enrolled %q for %q", other.GetAgentId(), other.GetGrant().GetSiteId())
			}
			// The certificate opens the door.
			mine := certOf(t, r.authority, key, first.GetAgentId(), time.Now())
			mine.Certificate = first.GetCertificateChain()
			if _, err := deliver(t.Context(), r.dial(t, transport, mine), message(t, 1, protocol.Observation{})); err != nil {
				t.Errorf("deliver with the new certificate: %v", err)
			}
			if n := r.count(t, "enrolments_total", ""); n != 3 {
				t.Errorf("%v enrolments counted", n)
			}
		})
	}
}

func TestEnrolRefused(t *testing.T) {
	r := start(t, nil)
	c := r.dial(t, "h3", nil)
	used := r.register.invite(site, time.Now().Add(time.Hour))
	if _, err := enrolWith(t.Context(), c, used.String(), csrOf(t, newKey(t))); err != nil {
		t.Fatal(err)
	}
	fresh := func() string { return r.register.invite(site, time.Now().Add(time.Hour)).String() }
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	forged := csrOf(t, newKey(t))
	forged[len(forged)-1] ^= 1 // the end of the signature
	revokedKey := newKey(t)
	first, err := enrolWith(t.Context(), c, fresh(), csrOf(t, revokedKey))
	if err != nil {
		t.Fatal(err)
	}
	r.register.revoke(first.GetAgentId())

	for _, tt := range []struct {
		name, code string
		csr        []byte
		want       protocol.Reason
		counted    protocol.Reason
	}{
		{"not a code", "hello", csrOf(t, newKey(t)), protocol.ReasonUnknownCode, protocol.ReasonUnknownCode},
		{"endless code", strings.Repeat("A", 8<<10), csrOf(t, newKey(t)), protocol.ReasonUnknownCode, protocol.ReasonUnknownCode},
		{"unknown code", protocol.NewCode().String(), csrOf(t, newKey(t)), protocol.ReasonUnknownCode, protocol.ReasonUnknownCode},
		{"expired code", r.register.invite(site, time.Now().Add(-time.Minute)).String(), csrOf(t, newKey(t)), protocol.ReasonUnknownCode, reasonExpiredCode},
		{"used code", used.String(), csrOf(t, newKey(t)), protocol.ReasonUsedCode, protocol.ReasonUsedCode},
		{"revoked agent", fresh(), csrOf(t, revokedKey), protocol.ReasonRevoked, protocol.ReasonRevoked},
		{"no csr", fresh(), nil, protocol.ReasonInvalid, protocol.ReasonInvalid},
		{"csr of noise", fresh(), []byte("noise"), protocol.ReasonInvalid, protocol.ReasonInvalid},
		{"huge csr", fresh(), make([]byte, maxCSR+1), protocol.ReasonInvalid, protocol.ReasonInvalid},
		{"forged csr", fresh(), forged, protocol.ReasonInvalid, protocol.ReasonInvalid},
		{"other curve", fresh(), csrOf(t, p384), protocol.ReasonInvalid, protocol.ReasonInvalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := r.count(t, "refused_total", string(tt.counted))
			_, err := enrolWith(t.Context(), c, tt.code, tt.csr)
			if got := reason(err); got != tt.want {
				t.Errorf("refused with %q (%v), want %q", got, err, tt.want)
			}
			if got := r.count(t, "refused_total", string(tt.counted)) - before; got != 1 {
				t.Errorf("counted %v times as %s", got, tt.counted)
			}
		})
	}
}

func TestGuessing(t *testing.T) {
	r := start(t, func(s *Server) {
		now := time.Now()
		s.guesses.now = func() time.Time { return now }
	})
	c := r.dial(t, "h3", nil)
	for range guessesBurst {
		if _, err := enrolWith(t.Context(), c, protocol.NewCode().String(), csrOf(t, newKey(t))); reason(err) != protocol.ReasonUnknownCode {
			t.Fatal(err)
		}
	}
	good := r.register.invite(site, time.Now().Add(time.Hour))
	_, err := enrolWith(t.Context(), c, good.String(), csrOf(t, newKey(t)))
	if reason(err) != protocol.ReasonTooMany {
		t.Fatalf("after %d wrong codes: %v", guessesBurst, err)
	}
	ce := new(connect.Error)
	if !asError(err, &ce) || ce.Meta().Get(protocol.RetryAfterHeader) != "10" {
		t.Errorf("told to wait %q s", ce.Meta().Get(protocol.RetryAfterHeader))
	}
}

func TestGuessGuard(t *testing.T) {
	now := time.Unix(1e9, 0)
	g := newGuessGuard(func() time.Time { return now })
	a, sameCustomer, b := addr("2001:db8::1"), addr("2001:db8::ffff"), addr("192.0.2.1")
	for range guessesBurst {
		g.wrong(a)
	}
	if end, _ := g.try(t.Context(), sameCustomer); end != nil {
		t.Error("the next address of the same customer may go on")
	}
	if end, _ := g.try(t.Context(), b); end == nil {
		t.Error("another customer is held up")
	}
	now = now.Add(guessesEvery)
	if end, _ := g.try(t.Context(), a); end == nil {
		t.Error("still held up after the wait")
	}
	// The holder of an IPv6 /48 shuts nobody else out.
	for i := range 256 * guessesBurst {
		g.wrong(netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 5: 1, 6: byte(i)}))
	}
	if end, _ := g.try(t.Context(), b); end == nil {
		t.Error("another customer is held up by the tries of a /48")
	}
	// The list of sources stays bounded, whatever comes; then everyone is slowed.
	for i := range 3 * maxGuessSources {
		g.wrong(addr4(i))
		if len(g.sources.all) > maxGuessSources {
			t.Fatalf("%d sources kept", len(g.sources.all))
		}
	}
	if end, _ := g.try(t.Context(), b); end != nil {
		t.Error("a flood from everywhere is not slowed down")
	}
}

// Of guesses side by side no more are answered than may be wrong, and right ones all.
func TestGuessesSideBySide(t *testing.T) {
	g := newGuessGuard(func() time.Time { return time.Unix(1e9, 0) })
	const guesses = 10 * guessesBurst
	side := func(wrong bool) (answered int32) {
		var n atomic.Int32
		var all sync.WaitGroup
		for range guesses {
			all.Go(func() {
				end, _ := g.try(t.Context(), addr("192.0.2.1"))
				if end == nil {
					return
				}
				defer end()
				n.Add(1)
				runtime.Gosched() // while others begin
				if wrong {
					g.wrong(addr("192.0.2.1"))
				}
			})
		}
		all.Wait()
		return n.Load()
	}
	if n := side(false); n != guesses {
		t.Errorf("%d right ones were answered", n)
	}
	if n := side(true); n != guessesBurst {
		t.Errorf("%d wrong ones were answered", n)
	}
}

func FuzzParseRequest(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Add(der[:len(der)-1])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseRequest(b)
		if err == nil && (r.key == nil || len(r.spki) == 0 || r.key.Curve != elliptic.P256()) {
			t.Errorf("accepted without a P-256 key: %x", b)
		}
	})
}

// What an agent says of its enrolment reaches the register, and the register's
// answer the agent.
func TestEnrolBesideOthers(t *testing.T) {
	r := start(t, nil)
	c := r.dial(t, "h3", nil)
	former := uuid.NewString()
	key := newKey(t)
	code := r.register.invite(site, time.Now().Add(time.Hour)).String()
	request := func(former string) *connect.Request[wire.EnrolRequest] {
		return connect.NewRequest(&wire.EnrolRequest{Code: code, Csr: csrOf(t, key), Visit: true, Replace: true, FormerAgent: former})
	}
	if _, err := c.enrol.Enrol(t.Context(), request("'; --")); reason(err) != protocol.ReasonInvalid {
		t.Errorf("a former agent that is none: %v", err)
	}
	resp, err := c.enrol.Enrol(t.Context(), request(former))
	if err != nil {
		t.Fatal(err)
	}
	r.register.mu.Lock()
	got := r.register.redeemed
	r.register.grants[resp.Msg.GetAgentId()+site] = protocol.Grant{AgentID: resp.Msg.GetAgentId(), SiteID: site, Others: 2, From: time.Now(), Until: time.Now()}
	r.register.mu.Unlock()
	if !got.Visit || !got.Replace || got.Former != former {
		t.Errorf("%+v", got)
	}
	again, err := c.enrol.Enrol(t.Context(), request(former))
	if err != nil || again.Msg.GetGrant().GetOthers() != 2 || again.Msg.GetGrant().GetUntil() == nil {
		t.Errorf("%+v, %v", again, err)
	}
}
