// Package certfile keeps a server's certificate while an ACME client renews its files in
// place. It hides when they are read again, and what is shown while they do not fit. Main
// calls it for the pages, ingest for the agents' listener.
package certfile

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Pair is a certificate, with its issuers', and its key, in two PEM files. Its methods
// may be called at once.
type Pair struct {
	whose     string // "the pages"
	cert, key string // paths
	check     func(*tls.Certificate) error
	log       *slog.Logger

	mu   sync.Mutex
	seen [2]stamp // of the files at the last attempt to read them
	last *tls.Certificate
}

// stamp tells one state of a file from another.
type stamp struct {
	at   time.Time
	size int64
}

// Open reads a pair for the first time. check says what else is wanted of each
// certificate; nil: nothing. whose stands in errors and in the log.
func Open(whose, cert, key string, check func(*tls.Certificate) error, log *slog.Logger) (*Pair, error) {
	p := &Pair{whose: whose, cert: cert, key: key, check: check, log: log, seen: [2]stamp{stampOf(cert), stampOf(key)}}
	var err error
	if p.last, err = p.read(); err != nil {
		return nil, fmt.Errorf("read the certificate of %s: %w", whose, err)
	}
	return p, nil
}

// Latest returns the certificate, read again if its files have changed. Two files
// never change at the same instant: while they do not fit, or cannot be read, the
// one before holds.
func (p *Pair) Latest() *tls.Certificate {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := [2]stamp{stampOf(p.cert), stampOf(p.key)}
	if seen == p.seen {
		return p.last
	}
	p.seen = seen
	if next, err := p.read(); err != nil {
		p.log.Warn("a new certificate is not used; the one before is", "of", p.whose, "err", err, "until", p.last.Leaf.NotAfter)
	} else {
		p.log.Info("a new certificate is used", "of", p.whose, "until", next.Leaf.NotAfter)
		p.last = next
	}
	return p.last
}

// Config is for a server that shows it.
func (p *Pair) Config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return p.Latest(), nil }}
}

func (p *Pair) read() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil || p.check == nil {
		return &pair, err
	}
	if err := p.check(&pair); err != nil {
		return nil, fmt.Errorf("%s: %w", p.cert, err)
	}
	return &pair, nil
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{} // reading it will say why
	}
	return stamp{info.ModTime(), info.Size()}
}
