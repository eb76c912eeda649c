package interrogate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"log/slog"
	"sync"

	"anagrafe/agent/discover"
)

var (
	errCertificate = errors.New("it shows another certificate than before: nothing was sent to it; if you replaced or reset it, type its password again")
	errUnpinned    = errors.New("no password was sent, since it is not known whether this is the certificate that it showed before")
)

// trust holds a device that speaks TLS to the certificate that it showed first.
// Devices sign their own certificates, so nothing else tells an impostor.
//
// Of a device that shows another one nothing is asked, not even the time: the
// handshake ends before anything is sent. Only its hash is kept.
type trust struct {
	memory   Memory
	sighting discover.Sighting
	log      *slog.Logger

	mu      sync.Mutex
	want    []byte // nil: none seen
	shown   bool   // want was shown in this conversation
	kept    bool   // want is in memory
	doubt   error  // why no password may be sent
	changed bool
	known   bool // want was in memory before this look
}

// recall finds out which certificate is to be expected.
func (t *trust) recall(ctx context.Context) {
	if t.memory == nil {
		return
	}
	sum, ok, err := t.memory.Pinned(ctx, t.sighting)
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err != nil:
		t.log.Error("the kept certificate could not be read", "err", err)
		t.doubt = errUnpinned
	case ok:
		t.want, t.kept, t.known = sum, true, true
	}
}

// verify is tls.Config.VerifyConnection.
func (t *trust) verify(s tls.ConnectionState) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("it shows no certificate")
	}
	sum := sha256.Sum256(s.PeerCertificates[0].Raw)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.want == nil {
		t.want = sum[:]
	}
	if !bytes.Equal(t.want, sum[:]) {
		t.changed = true
		return errCertificate
	}
	t.shown = true
	return nil
}

// keep remembers the certificate of a device that has answered. The error says
// why no password may be sent there.
func (t *trust) keep(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.doubt == nil && t.want != nil && !t.shown {
		// It spoke TLS before, and somebody who announces himself under its name
		// does not: the password is not sent readable.
		return errUnpinned
	}
	if t.doubt != nil || t.want == nil || t.kept || t.memory == nil {
		return t.doubt
	}
	// A scan that is being ended must not lose it.
	if err := t.memory.Pin(context.WithoutCancel(ctx), t.sighting, t.want); err != nil {
		t.log.Error("a certificate could not be remembered", "err", err)
		t.doubt = errUnpinned
		return t.doubt
	}
	t.kept = true
	return nil
}

// proven tells that who answers showed the certificate by which the device was
// known before this look.
func (t *trust) proven() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known && t.shown && !t.changed
}

func (t *trust) broken() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.changed
}

// sameFor gives the trust for one of several doors that are tried: a device that
// is known is held to its certificate there too; of one that is not, each door may
// show its own.
func (t *trust) sameFor() *trust {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := &trust{sighting: t.sighting, log: t.log}
	if t.kept {
		out.want, out.kept = t.want, true
	}
	return out
}

// adopt takes over the certificate that the place showed by which the device was
// recognised: a login by message may be the first that is said to it after that.
func (t *trust) adopt(other *trust) {
	if other == nil {
		return
	}
	other.mu.Lock()
	want, shown := other.want, other.shown
	other.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !shown {
		return
	}
	if t.want == nil {
		t.want = want
	}
	t.shown = t.shown || bytes.Equal(t.want, want)
}

// breakOff notes that the device showed another certificate.
func (t *trust) breakOff() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed = true
}
