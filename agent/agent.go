package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"anagrafe/agent/atlas"
	"anagrafe/agent/inventory"
	"anagrafe/agent/review"
	"anagrafe/agent/update"
	"anagrafe/protocol"
	"anagrafe/protocol/daemon"
)

// errDaemon says that a running agent holds the directory.
var errDaemon = errors.New("another anagrafe-agent is using this directory")

// agent is the opened directory: one process at a time holds it.
type agent struct {
	dir    string
	config Config
	log    *slog.Logger
	lock   *flock.Flock
	back   func() error // from the owner of dir to who started this process
	inv    *inventory.Inventory
	review *review.Review
	link   *link
	atlas  *atlas.Atlas
	// desktop tells the person in front of this computer of messages, while it runs.
	desktop *notifier
	// programs are the agent's own versions; nil: this process is no daemon.
	programs *update.Updater
	lookNow  chan struct{} // buffered 1: somebody wants to know whether there is an update

	looking   chan struct{} // holds one token: see lookAlone
	picturing chan struct{} // likewise: see picture
	seen      partialScan
}

// openAgent takes DIR/lock and opens what the directory holds. Until Close, root acts
// as the directory's owner: the service must be able to open what is made here.
func openAgent(ctx context.Context, dir string, config Config, log *slog.Logger) (_ *agent, err error) {
	back, err := daemon.AsOwner(dir)
	if err != nil {
		return nil, err
	}
	if err := makeDir(dir); err != nil {
		return nil, errors.Join(err, back())
	}
	s := &agent{dir: dir, config: config, log: log, lock: flock.New(filepath.Join(dir, "lock")), back: back,
		looking: make(chan struct{}, 1), picturing: make(chan struct{}, 1), lookNow: make(chan struct{}, 1)}
	held, err := s.lock.TryLock()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", dir, err), back())
	}
	if !held {
		return nil, errors.Join(errDaemon, back())
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.inv, err = inventory.Open(ctx, dir, log); err != nil {
		return nil, err
	}
	s.desktop = newNotifier(s.inv, "http://"+config.Listen, log)
	if s.link, err = newLink(dir, config, s.inv, s.keepNotice, log, nil); err != nil {
		return nil, err
	}
	if s.atlas, err = atlas.Open(atlasDir(dir), s.link.up, log); err != nil {
		return nil, err
	}
	s.review, err = review.New(review.Options{
		Inventory: s.inv,
		Scan:      s.look,
		Found:     s.seen.list,
		Find:      s.find,
		Enrol:     s.link.enrol,
		Status:    s.status,
		Explain:   explain,
		Picture:   s.picture,
		Password:  s.setPassword,
		Map:       s.mapInfo,
		Tile:      s.tile,
		Places:    s.findPlaces,
		Withdrawn: s.withdrawn,
		Updates:   s.updates,
		SetUpdate: s.setUpdate,
		Try:       s.try,
		Addr:      config.Listen,
		Log:       log,
	})
	return s, err
}

// keepNotice keeps what the collector sends.
func (s *agent) keepNotice(ctx context.Context, n protocol.Notice) error {
	if err := s.desktop.keep(ctx, n); err != nil {
		return err
	}
	if change, ok := n.Body.(protocol.SiteChange); ok && change.State == protocol.SiteWithdrawn { // elsewhere
		s.withdrawn(ctx)
	}
	return nil
}

// Close gives the directory back.
func (s *agent) Close() error {
	var errs []error
	if s.review != nil {
		errs = append(errs, s.review.Close())
	}
	if s.inv != nil {
		errs = append(errs, s.inv.Close())
	}
	return errors.Join(append(errs, s.lock.Unlock(), s.back())...)
}

// serve answers on a listener until ctx ends, then waits a while for open
// requests and closes what is left: a browser may hold connections on which it
// asks nothing.
func serve(ctx context.Context, listener net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second, // else slow bodies would hold all the connections that the network may have
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          log.New(withoutHandshakes{os.Stderr}, "", log.LstdFlags),
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err := server.Shutdown(grace)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close()
		}
		stopped <- err
	})
	err := server.Serve(listener)
	if stop() || !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// withoutHandshakes leaves out of the log that a browser did not trust the
// certificate: each does so once, and any passer-by could fill the log with it.
type withoutHandshakes struct{ io.Writer }

func (w withoutHandshakes) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("TLS handshake error")) {
		return len(line), nil
	}
	return w.Writer.Write(line)
}
