package uplink

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"anagrafe/agent/keyfile"
	"anagrafe/protocol"
	"anagrafe/protocol/wholefile"
	"anagrafe/protocol/wire"
)

const (
	keyFile      = "identity.key"
	identityFile = "identity.pem"
	maxPEM       = 64 << 10

	// Headers of the PEM blocks of identity.pem.
	headerAgent     = "Anagrafe-Agent"
	headerCollector = "Anagrafe-Collector"
	headerTrust     = "Anagrafe-Trust"    // of the server: one of the two below
	headerReceipts  = "Anagrafe-Receipts" // verifier key of receipts; absent: not announced yet
	headerRole      = "Anagrafe-Role"     // "certificate", "authority"
	trustAuthority  = "authority"
	trustWeb        = "web"
)

// Identity is the agent's key and certificate. It is immutable; a renewal makes another
// one with the same key.
type Identity struct {
	AgentID   string
	Collector string // https://host:port

	dir         string
	key         *ecdsa.PrivateKey
	chain       []*x509.Certificate // the agent's own first
	authorities []*x509.Certificate
	web         bool   // the server may show a certificate of the public Web PKI
	receiptKey  string // verifies the collector's receipts; "": not announced yet
}

// Until is the end of the certificate.
func (i *Identity) Until() time.Time { return i.chain[0].NotAfter }

// renewAt is between two thirds and five sixths into the certificate's life, day
// 20 to 25 of 30: agents that were enrolled in the same hour do not renew in the
// same hour. It is the same for one certificate at each start, by its serial
// number, which is random.
func (i *Identity) renewAt() time.Time {
	leaf := i.chain[0]
	third := leaf.NotAfter.Sub(leaf.NotBefore) / 3
	mark := sha256.Sum256(leaf.SerialNumber.Bytes())
	spread := time.Duration(float64(third/2) * float64(binary.BigEndian.Uint32(mark[:])) / (1 << 32))
	return leaf.NotAfter.Add(spread - third)
}

// trust is how this agent recognises its collector, and what it shows.
func (i *Identity) trust() trust {
	return trust{authorities: i.authorities, public: i.web, show: i.certificate(), receiptKey: i.receiptKey}
}

func (i *Identity) certificate() *tls.Certificate {
	c := &tls.Certificate{PrivateKey: i.key, Leaf: i.chain[0]}
	for _, cert := range i.chain {
		c.Certificate = append(c.Certificate, cert.Raw)
	}
	return c
}

// Open reads the identity that Enrol left in dir. With none there the error's
// Reason is NotEnrolled; one that cannot be read is IdentityUnreadable, and is
// never replaced: it is the only thing that the collector knows this agent by.
func Open(dir string) (*Identity, error) {
	b, err := wholefile.Read(filepath.Join(dir, identityFile), maxPEM)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, newError(NotEnrolled, nil, "this agent is not enrolled with a collector")
	}
	if err != nil {
		return nil, unreadable(dir, identityFile, err)
	}
	key, err := readKey(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, unreadable(dir, keyFile, errors.New("it is missing"))
	}
	if err != nil {
		return nil, err
	}
	id, err := parseIdentity(b)
	if err != nil {
		return nil, unreadable(dir, identityFile, err)
	}
	if !key.PublicKey.Equal(id.chain[0].PublicKey) {
		return nil, unreadable(dir, identityFile, errors.New("its certificate is not for the key in "+keyFile))
	}
	id.dir, id.key = dir, key
	return id, nil
}

func unreadable(dir, file string, cause error) *Error {
	return &Error{Reason: IdentityUnreadable, what: "read the agent's identity in " + filepath.Join(dir, file), cause: cause,
		Hint: "give the agent's user the right to read it, or restore " + keyFile + " and " + identityFile + " from a backup; " +
			"to start anew, move both away and enrol with a new code"}
}

func parseIdentity(b []byte) (*Identity, error) {
	id := &Identity{}
	for len(bytes.TrimSpace(b)) > 0 {
		block, rest := pem.Decode(b)
		if block == nil || block.Type != "CERTIFICATE" {
			return nil, errors.New("it is not a list of PEM certificates")
		}
		b = rest
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		if block.Headers[headerRole] == "authority" {
			id.authorities = append(id.authorities, cert)
			continue
		}
		if len(id.chain) == 0 {
			id.AgentID, id.Collector = block.Headers[headerAgent], block.Headers[headerCollector]
			id.web, id.receiptKey = block.Headers[headerTrust] == trustWeb, block.Headers[headerReceipts]
		}
		id.chain = append(id.chain, cert)
	}
	switch {
	case len(id.chain) == 0:
		return nil, errors.New("it holds no certificate")
	case id.AgentID == "" || id.Collector == "":
		return nil, errors.New("it names no agent or no collector")
	case !id.web && len(id.authorities) == 0:
		return nil, errors.New("it holds no authority to recognise the collector by")
	}
	if _, err := parseCollector(id.Collector); err != nil {
		return nil, err
	}
	if id.receiptKey == "" { // written before collectors had one
		return id, nil
	}
	return id, protocol.ParseReceiptKey(id.receiptKey)
}

// save writes identity.pem, whole or not at all, beside its own key alone. Who
// moved both files away to start anew while the agent still ran would find, after
// a renewal, a certificate without a key, with which no agent starts.
func (i *Identity) save() error {
	if key, err := readKey(i.dir); err != nil {
		return err
	} else if !key.Equal(i.key) {
		return errors.New("the key in " + keyFile + " is another one now")
	}
	var b bytes.Buffer
	trust := trustAuthority
	if i.web {
		trust = trustWeb
	}
	headers := map[string]string{headerRole: "certificate", headerAgent: i.AgentID, headerCollector: i.Collector, headerTrust: trust}
	if i.receiptKey != "" {
		headers[headerReceipts] = i.receiptKey
	}
	for _, c := range i.chain {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw, Headers: headers})
	}
	for _, c := range i.authorities {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw, Headers: map[string]string{headerRole: "authority"}})
	}
	return wholefile.Write(filepath.Join(i.dir, identityFile), b.Bytes(), 0o644)
}

// with returns the identity that has these certificates (DER) instead, recognises
// the collector by what it says from now on, and its receipts by this key; a
// collector that announces no key leaves the former one.
func (i *Identity) with(chain, authorities [][]byte, t wire.ServerTrust, receiptKey string) (*Identity, error) {
	next := *i
	var err error
	if next.chain, err = parseChain(chain); err != nil {
		return nil, err
	}
	if len(next.chain) == 0 {
		return nil, errors.New("the answer holds no certificate")
	}
	if !i.key.PublicKey.Equal(next.chain[0].PublicKey) {
		return nil, errors.New("the certificate is for another key")
	}
	if next.authorities, err = parseChain(authorities); err != nil {
		return nil, err
	}
	switch t {
	case wire.ServerTrust_SERVER_TRUST_AUTHORITIES:
		next.web = false
	case wire.ServerTrust_SERVER_TRUST_PUBLIC:
		next.web = true
	}
	if !next.web && len(next.authorities) == 0 {
		return nil, errors.New("the answer holds no authority")
	}
	if receiptKey != "" {
		next.receiptKey = receiptKey
		err = protocol.ParseReceiptKey(receiptKey)
	}
	return &next, err
}

func parseChain(ders [][]byte) ([]*x509.Certificate, error) {
	const most = 8
	if len(ders) > most {
		return nil, errors.New("the answer holds too many certificates")
	}
	var chain []*x509.Certificate
	for _, der := range ders {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		chain = append(chain, c)
	}
	return chain, nil
}

// readKey reads identity.key; a missing one is fs.ErrNotExist.
func readKey(dir string) (*ecdsa.PrivateKey, error) {
	b, err := keyfile.Read(filepath.Join(dir, keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if errors.Is(err, keyfile.ErrOpen) {
		return nil, &Error{Reason: IdentityUnreadable, what: "read the agent's key", cause: err,
			Hint: "close the file to other users (chmod 600), then start the agent again"}
	}
	if err != nil {
		return nil, unreadable(dir, keyFile, err)
	}
	block, _ := pem.Decode(b)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, unreadable(dir, keyFile, errors.New("it is not a PEM private key"))
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, unreadable(dir, keyFile, err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, unreadable(dir, keyFile, errors.New("it is not a P-256 key"))
	}
	return key, nil
}

// ownKey returns the agent's key, and makes it if this host never had one: Open
// has said so. It is on the disk before any code is spent on it.
func ownKey(dir string) (*ecdsa.PrivateKey, error) {
	key, err := readKey(dir)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return key, keyfile.Write(filepath.Join(dir, keyFile), block)
}

// parseCollector checks a collector's address and gives it as https://host:port.
func parseCollector(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return "", wrongf(NoCollector, "%q is not a collector's address: it has the form https://host:8443", s)
	}
	port := u.Port()
	if port == "" {
		port = "8443"
	}
	return "https://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port), nil
}
