package ingest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

func signed(t *testing.T, template, parent *x509.Certificate, key, signer any) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.(*ecdsa.PrivateKey).PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// Certificates that look like an agent's. (Those of TestAdmission, expired ones
// among them, are not repeated.)
func TestHostileCertificates(t *testing.T) {
	for _, transport := range transports {
		r := start(t, nil)
		id, own, ownKey := r.agent(t, time.Now())
		ca, key := r.authority.current().signs.cert, newKey(t)
		leaf := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: id},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
		sameName := &x509.Certificate{SerialNumber: ca.SerialNumber, Subject: ca.Subject, SubjectKeyId: ca.SubjectKeyId,
			NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, IsCA: true, BasicConstraintsValid: true, KeyUsage: ca.KeyUsage}
		caKey := newKey(t)
		twin := selfMade(t, sameName, sameName, caKey, caKey)
		ofTwin := selfMade(t, leaf, sameName, key, caKey)
		ofTwin.Certificate = append(ofTwin.Certificate, twin.Certificate[0])
		ofTwinWithOurs := selfMade(t, leaf, sameName, key, caKey)
		ofTwinWithOurs.Certificate = append(ofTwinWithOurs.Certificate, ca.Raw)
		ofAgent := selfMade(t, leaf, own.Leaf, key, ownKey)
		ofAgent.Certificate = append(ofAgent.Certificate, own.Certificate[0])

		for name, cert := range map[string]*tls.Certificate{
			"of an authority with the same name":               ofTwin,
			"of an authority with the same name, ours sent on": ofTwinWithOurs,
			"made by its holder":                               selfMade(t, leaf, leaf, key, key),
			"signed by an agent":                               ofAgent,
			"the authority's own":                              {Certificate: [][]byte{ca.Raw}, PrivateKey: r.authority.current().signs.key},
			"the authority of a stranger":                      twin,
		} {
			t.Run(transport+"/"+name, func(t *testing.T) {
				before := r.count(t, "refused_total", string(reasonForeignCertificate))
				c := r.dial(t, transport, cert)
				if _, err := deliver(t.Context(), c, message(t, time.Now().UnixMicro(), protocol.Observation{})); err == nil {
					t.Error("delivered")
				}
				if _, err := c.enrol.Renew(t.Context(), connect.NewRequest(&wire.RenewRequest{Csr: csrOf(t, key)})); err == nil {
					t.Error("renewed")
				}
				r.countsAtLeast(t, reasonForeignCertificate, before+1)
			})
		}
		if n := r.register.recorded(); n != 0 {
			t.Errorf("%d messages recorded", n)
		}
		r.serves(t)
	}
}

// Who has the key of an authority that was replaced signs for nobody, also with what
// makes a certificate, or one between, look like the new authority's.
func TestStolenAuthority(t *testing.T) {
	for _, transport := range transports {
		r := start(t, nil)
		id, _, _ := r.agent(t, time.Now())
		old := r.authority.current().signs
		if err := r.authority.Replace(); err != nil {
			t.Fatal(err)
		}
		ca, key, betweenKey := r.authority.current().signs.cert, newKey(t), newKey(t)
		leaf := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: id},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
		oldWithKeyID := &x509.Certificate{Subject: old.cert.Subject, SubjectKeyId: ca.SubjectKeyId, PublicKey: old.cert.PublicKey}
		between := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: ca.Subject, SubjectKeyId: ca.SubjectKeyId,
			NotBefore: ca.NotBefore, NotAfter: leaf.NotAfter, IsCA: true, BasicConstraintsValid: true, KeyUsage: ca.KeyUsage}
		byBetween := selfMade(t, leaf, between, key, betweenKey)
		byBetween.Certificate = append(byBetween.Certificate, signed(t, between, old.cert, betweenKey, old.key))
		for name, cert := range map[string]*tls.Certificate{
			"names the new key":               selfMade(t, leaf, oldWithKeyID, key, old.key),
			"below one with the new name":     byBetween,
			"names nobody but the old (told)": selfMade(t, leaf, old.cert, key, old.key),
		} {
			t.Run(transport+"/"+name, func(t *testing.T) {
				c := r.dial(t, transport, cert)
				if _, err := deliver(t.Context(), c, message(t, time.Now().UnixMicro(), protocol.Observation{})); err == nil {
					t.Error("delivered")
				}
			})
		}
		if n := r.register.recorded(); n != 0 {
			t.Errorf("%d messages recorded", n)
		}
	}
}

// An agent reads and writes its own sites only.
func TestSomeoneElsesSite(t *testing.T) {
	for _, transport := range transports {
		r := start(t, nil)
		_, victim, _ := r.agent(t, time.Now())
		if _, err := deliver(t.Context(), r.dial(t, transport, victim), message(t, 1, observation())); err != nil {
			t.Fatal(err)
		}
		id, cert, _ := r.agent(t, time.Now())
		r.register.mu.Lock()
		delete(r.register.grants, id+site) // it has none
		r.register.mu.Unlock()
		c := r.dial(t, transport, cert)
		before := r.register.recorded()
		for _, after := range []string{"", uuid.NewString()} {
			resp, err := c.delivery.GetSite(t.Context(), connect.NewRequest(&wire.GetSiteRequest{SiteId: site, After: after}))
			if want := []protocol.Reason{protocol.ReasonNotGranted, protocol.ReasonBehind}; err == nil || !slices.Contains(want, reason(err)) {
				t.Errorf("%s: read somebody else's site: %v, %v", transport, resp, err)
			}
		}
		for _, body := range []protocol.Body{protocol.Observation{}, protocol.Withdrawal{Approval: protocol.Approval{By: "x", Role: protocol.RoleOwner, At: time.Now()}}} {
			if _, err := deliver(t.Context(), c, message(t, time.Now().UnixMicro(), body)); reason(err) != protocol.ReasonNotGranted {
				t.Errorf("%s: wrote %T for somebody else's site: %v", transport, body, err)
			}
		}
		if r.register.recorded() != before {
			t.Error("recorded")
		}
		r.counts(t, protocol.ReasonNotGranted, 3)
	}
}

// Who tries codes is told one thing, to the letter, whether a code is none, is
// not known or has expired; and the register is asked in the same way. That a
// code was used is told: only who holds a code that somebody was given can
// hear it, and they have to know that it is not theirs to mistype.
func TestCodesTellNothing(t *testing.T) {
	for _, transport := range transports {
		r := start(t, nil)
		c := r.dial(t, transport, nil)
		said := make(map[string]bool)
		for _, code := range []string{
			"hello", protocol.NewCode().String(), protocol.NewCode().String() + "X",
			r.register.invite(site, time.Now().Add(-time.Minute)).String(),
		} {
			_, err := enrolWith(t.Context(), c, code, csrOf(t, newKey(t)))
			ce := new(connect.Error)
			if !asError(err, &ce) {
				t.Fatal(err)
			}
			meta := ce.Meta().Clone()
			meta.Del("Date")
			said[fmt.Sprint(ce.Code(), ce.Message(), meta)] = true
		}
		if len(said) != 1 {
			t.Errorf("%s: who guesses hears different things: %v", transport, said)
		}
		if n := r.count(t, "refused_total", string(protocol.ReasonUnknownCode)) + r.count(t, "refused_total", string(reasonExpiredCode)); n != 4 {
			t.Errorf("%v counted", n)
		}
	}
}

// A guesser who changes the transport, the connection or the key has no more
// attempts for it.
func TestGuessingOverEverything(t *testing.T) {
	r := start(t, func(s *Server) {
		now := time.Now()
		s.guesses.now = func() time.Time { return now }
	})
	told := 0
	for i := range guessesBurst + 10 {
		_, err := enrolWith(t.Context(), r.dial(t, transports[i%2], nil), protocol.NewCode().String(), csrOf(t, newKey(t)))
		if reason(err) == protocol.ReasonUnknownCode {
			told++
		}
	}
	if told != guessesBurst {
		t.Errorf("%d guesses were answered, want %d", told, guessesBurst)
	}
	r.counts(t, protocol.ReasonTooMany, 10)
	r.serves(t)
}
