package ingest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"anagrafe/protocol"
	"anagrafe/protocol/wholefile"
)

const (
	authorityLife = 20 * 365 * 24 * time.Hour
	// authorityBackdated lets a certificate that was made anew for the same
	// key cover all agents' certificates that may still be renewed.
	authorityBackdated = 365 * 24 * time.Hour
	// backdated is how long before its making a certificate is already valid,
	// for agents whose clock is behind.
	backdated = time.Hour
	// mostFormer keeps ca.pem short, whatever an operator does.
	mostFormer = 16
)

// Authority is the collector's private certificate authority. It signs the
// agents' certificates and, for collectors without one of the public Web PKI,
// the server's own. While one key takes the place of another it is up to two
// authorities: see [Authority.Next]. Its methods may be called at the same time.
type Authority struct {
	dir string           // keys/
	now func() time.Time // time.Now, unless a test sets another

	mu   sync.RWMutex
	held *authorities // replaced as a whole, never changed
}

// root is one authority.
type root struct {
	key   *ecdsa.PrivateKey // nil: retiring, it signs no more
	cert  *x509.Certificate // signed by itself
	cross *x509.Certificate // the same name and key, signed by the one before; nil: that one is gone
	since time.Time         // in its role
}

// authorities are those of a collector at one time. At most one of next and
// retiring is there.
type authorities struct {
	signs, next, retiring *root
	former                []*x509.Certificate // retired, for a word to who still comes with their certificates
}

// list returns those whose certificates are accepted.
func (s *authorities) list() []*root {
	return slices.DeleteFunc([]*root{s.signs, s.next, s.retiring}, func(r *root) bool { return r == nil })
}

// Role is the part that an authority plays in a roll-over.
type Role string

// The roles, in the order of an authority's life.
const (
	RoleNext     Role = "next"     // agents are told of it
	RoleSigns    Role = "signs"    // signs all certificates
	RoleRetiring Role = "retiring" // signs no more; what it has signed is still good
)

// Standing is the state of one authority.
type Standing struct {
	Role  Role      `json:"role"`
	Pin   string    `json:"pin"` // protocol.PinOf its key
	Since time.Time `json:"since"`
	Until time.Time `json:"until"` // the end of its own certificate
}

// Standing lists the authorities: that which signs, and the next or retiring.
func (a *Authority) Standing() []Standing {
	held := a.current()
	var all []Standing
	for _, r := range held.list() {
		all = append(all, Standing{held.role(r), pinOf(r.cert), r.since, r.cert.NotAfter})
	}
	return all
}

func (s *authorities) role(r *root) Role {
	switch r {
	case s.next:
		return RoleNext
	case s.retiring:
		return RoleRetiring
	}
	return RoleSigns
}

// Pin identifies the key that signs, in enrolment links (protocol.PinOf).
func (a *Authority) Pin() string { return pinOf(a.current().signs.cert) }

func pinOf(c *x509.Certificate) string { return protocol.PinOf(c.RawSubjectPublicKeyInfo) }

func (a *Authority) current() *authorities {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.held
}

// OpenAuthority reads the authority of a collector's directory from
// keys/ca.key, and makes it at the first start. It never replaces a key: one
// that cannot be read, or that is gone while keys/ca.pem is there, is an error
// that says what to do.
func OpenAuthority(dir string) (*Authority, error) {
	a := &Authority{dir: filepath.Join(dir, "keys"), now: time.Now}
	keyPath, certPath := filepath.Join(a.dir, keyFile), filepath.Join(a.dir, certFile)
	kept, keyErr := wholefile.Read(keyPath, maxPEM)
	shown, certErr := wholefile.Read(certPath, maxPEM)
	switch {
	case errors.Is(keyErr, fs.ErrNotExist) && errors.Is(certErr, fs.ErrNotExist):
		return a, a.begin()
	case errors.Is(keyErr, fs.ErrNotExist):
		return nil, fmt.Errorf("open the certificate authority: %s is missing but its certificate is there; restore it from a backup (or, to start anew and "+
			"enrol every agent again, remove %s)", keyPath, certPath)
	case keyErr != nil:
		return nil, fmt.Errorf("open the certificate authority: %w; give the collector's user the right to read it", keyErr)
	case certErr != nil && !errors.Is(certErr, fs.ErrNotExist):
		return nil, fmt.Errorf("open the certificate authority: %w; give the collector's user the right to read it", certErr)
	}
	held, err := parseAuthorities(kept)
	if err != nil {
		return nil, fmt.Errorf("open the certificate authority: %s: %w; restore it from a backup", keyPath, err)
	}
	if certErr != nil { // a first start that was cut between the two files
		return a, a.keep(held)
	}
	public, err := parseCertificates(shown)
	if err != nil {
		return nil, fmt.Errorf("open the certificate authority: %s: %w; restore it from a backup", certPath, err)
	}
	for _, r := range held.list() {
		if !slices.ContainsFunc(public, r.cert.Equal) {
			return nil, fmt.Errorf("open the certificate authority: %s does not list the authorities of %s; restore both from the same backup", certPath, keyPath)
		}
	}
	held.former = public
	a.held = held.complete()
	return a, nil
}

// begin makes the first authority. The key's file comes first: it is completed
// at the next start, a certificate without key could not be.
func (a *Authority) begin() error {
	err := os.MkdirAll(a.dir, 0o700)
	var first *root
	if err == nil {
		first, err = newRoot(a.now())
	}
	if err == nil {
		err = wholefile.Write(filepath.Join(a.dir, keyFile), (&authorities{signs: first}).encode(), 0o600)
	}
	if err == nil {
		err = a.keep(&authorities{signs: first})
	}
	if err != nil {
		return fmt.Errorf("make the certificate authority: %w", err)
	}
	return nil
}

// keep writes and holds the authorities; mu is held, or nobody else knows a
// yet. ca.pem comes first and only grows: it lists every authority that this
// collector has had, and one more than ca.key has does no harm.
func (a *Authority) keep(held *authorities) error {
	next := *held
	next.complete()
	if err := wholefile.Write(filepath.Join(a.dir, certFile), next.encodePublic(), 0o644); err != nil {
		return err
	}
	if err := wholefile.Write(filepath.Join(a.dir, keyFile), next.encode(), 0o600); err != nil {
		return err
	}
	a.held = &next
	return nil
}

// complete fills in what follows from the rest.
func (s *authorities) complete() *authorities {
	s.former = slices.DeleteFunc(slices.Clone(s.former), func(c *x509.Certificate) bool {
		return slices.ContainsFunc(s.list(), func(r *root) bool { return r.cert.Equal(c) })
	})
	s.former = s.former[max(len(s.former)-mostFormer, 0):]
	return s
}

// known are the certificates of all authorities, the former ones too.
func (s *authorities) known() []*x509.Certificate {
	all := slices.Clone(s.former)
	for _, r := range s.list() {
		all = append(all, r.cert)
	}
	return all
}

// newRoot makes a key and its own certificate.
func newRoot(now time.Time) (*root, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	cert, err := certify(&key.PublicKey, nil, key, now)
	if err != nil {
		return nil, err
	}
	return &root{key: key, cert: cert, since: now}, nil
}

// crossSigned returns an authority's name and key in a certificate signed by
// this one (RFC 4949, "cross-certificate"): who trusts this one alone finds the
// way to the other (RFC 4158, 2.3). It lasts no longer than its signer.
func (r *root) crossSigned(other *root, now time.Time) (*x509.Certificate, error) {
	return certify(&other.key.PublicKey, r.cert, r.key, now)
}

// certify makes the certificate of an authority's key; signer nil is itself.
// There is no limit to the length of the path below it: the next authority's
// and that of a public issuer stand between it and what they signed.
func certify(public *ecdsa.PublicKey, signer *x509.Certificate, key *ecdsa.PrivateKey, now time.Time) (*x509.Certificate, error) {
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(spki)
	template := &x509.Certificate{
		// The key's own mark in the name keeps two authorities apart.
		Subject:               pkix.Name{CommonName: "Anagrafe Telecamere " + hex.EncodeToString(sum[:4])},
		NotBefore:             now.Add(-authorityBackdated),
		NotAfter:              now.Add(authorityLife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		SubjectKeyId:          sum[:20],
	}
	if signer == nil {
		signer = template
	} else if template.NotAfter.After(signer.NotAfter) {
		template.NotAfter = signer.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// accepts reports whether one of the accepted authorities, and no former one, has
// signed this certificate. verifyAgent has verified its chain before.
func (s *authorities) accepts(c *x509.Certificate) bool {
	return slices.ContainsFunc(s.list(), func(r *root) bool { return bytes.Equal(r.cert.SubjectKeyId, c.AuthorityKeyId) })
}
