package review

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol/pages"
)

//go:embed *.html it.json en.json
var files embed.FS

// Options are the dependencies of the pages; all are required except those that may be nil.
type Options struct {
	Inventory *inventory.Inventory
	// Scan looks at the network once and records what it finds.
	Scan func(ctx context.Context) error
	// Found are the devices that the running Scan has met so far. It may be nil.
	Found func() []interrogate.Device
	// Find asks the recorders of a notice whether they still have the footage that
	// it asks for, and records what they say in Inventory.
	Find func(ctx context.Context, noticeID string) error
	// Enrol redeems a code or link and keeps the grant in Inventory. The
	// collector's address is "" where the code is a link. With replace, the other
	// computers that speak for the site may do so no more; that can be said
	// later, with the same code.
	Enrol func(ctx context.Context, code, collector string, replace bool) error
	// Status says how the agent stands; it is answered as JSON as it is. The
	// pages read from that JSON the keys of standing.
	Status func(ctx context.Context) (any, error)
	// Explain gives the stable word for an error of Enrol, and in English what
	// to do; "" where it knows none. It may be nil.
	Explain func(error) (reason, hint string)
	// Map describes the map, Tile gives one of its vector tiles, unpacked (nil:
	// there is nothing there), and Places what an address may mean near a site, best
	// first. Their errors say why it cannot be had now. All may be nil: the pages
	// then say that there is no map.
	Map    func(ctx context.Context) (MapInfo, error)
	Tile   func(ctx context.Context, z, x, y int) ([]byte, error)
	Places func(ctx context.Context, siteID, text string) ([]Place, error)
	// Withdrawn is called after cameras were taken out of the register. It may be nil.
	Withdrawn func(ctx context.Context)
	// Updates says how the versions of the program stand, as JSON; the page reads
	// from it the keys of versions. SetUpdate does "hold", "auto" or "look". Both may be nil.
	Updates   func() (any, error)
	SetUpdate func(do string) error
	// Try looks at one device at once with a password that was typed for it, keeps
	// that, and says what the device still needs: ErrSilent where it does not answer.
	// Without a user it only looks.
	Try func(ctx context.Context, deviceID string, c interrogate.Credential) (interrogate.Needs, error)
	// Picture gets one still picture of a camera, JPEG; cameraID "" is any of the
	// device. It is asked for only as picture says. It may be nil.
	Picture func(ctx context.Context, deviceID, cameraID string) (jpeg []byte, err error)
	// Addr is the address of the pages' listener, host:port.
	Addr string
	// LAN is the listener that the network reaches; nil: none.
	LAN *LAN
	// Password keeps a password for LAN, and is asked for it also where LAN is
	// nil: a later start needs it. Its error says what is wrong with the password.
	Password func(password string) error
	Log      *slog.Logger
}

// Review is the pages and their handlers. Close ends it.
type Review struct {
	Options
	pages    *pages.Set
	sessions sessions
	badLinks limit      // opened
	logins   limit      // passwords tried
	checking sync.Mutex // held while a password is compared
	search   search
	finds    finds
	trials   trials

	receiptPause string // seconds after which the page of a receipt that is awaited is new
	trialPause   string // likewise, of a password that is being tried
}

// New checks the options and loads the pages.
func New(o Options) (*Review, error) {
	if o.Inventory == nil || o.Scan == nil || o.Try == nil || o.Find == nil || o.Enrol == nil || o.Status == nil || o.Log == nil {
		return nil, errors.New("review: an option is missing")
	}
	if o.Withdrawn == nil {
		o.Withdrawn = func(context.Context) {}
	}
	if o.Explain == nil {
		o.Explain = func(error) (string, string) { return "", "" }
	}
	set, err := pages.Load(files, o.Log)
	if err != nil {
		return nil, fmt.Errorf("review: %w", err)
	}
	v := &Review{Options: o, pages: set, receiptPause: "5", trialPause: "2"}
	v.sessions.now = time.Now
	now := func() time.Time { return v.sessions.now() }
	v.badLinks = limit{now: now, most: maxLinks, all: maxLinks * 10}
	v.logins = limit{now: now, most: maxTries, all: maxAll}
	v.search.ctx, v.search.stop = context.WithCancel(context.Background())
	return v, nil
}

// Close stops a search under way and waits for it.
func (v *Review) Close() error {
	v.search.stop()
	v.search.running.Wait()
	v.finds.running.Wait()
	v.trials.running.Wait()
	return nil
}
