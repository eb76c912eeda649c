package review

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
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

// routes are the handlers that both sides share.
func (v *Review) routes() *http.ServeMux {
	mux := http.NewServeMux()
	handle := func(pattern string, h http.Handler) { mux.Handle(pattern, v.guard(pattern, h)) }
	for pattern, h := range map[string]handler{
		"GET /{$}":                 v.home,
		"GET /cameras":             v.list,
		"GET /cameras/{id}":        v.camera,
		"POST /cameras/{id}":       v.edit,
		"GET /cameras/{id}/place":  v.placing,
		"POST /cameras/{id}/place": v.setPlace,
		"GET /save":                v.save,
		"GET /scan":                v.searching,
		"POST /scan":               v.scan,
		"GET /approve":             v.summary,
		"POST /approve":            v.approve,
		"POST /refuse":             v.refuse,
		"POST /restore":            v.restore,
		"GET /withdraw":            v.leaving,
		"POST /withdraw":           v.withdraw,
		"GET /contact":             v.contacts,
		"POST /contact":            v.setContact,
		"GET /credentials":         v.askPassword,
		"POST /credentials":        v.setPassword,
		"GET /byhand":              v.askByHand,
		"POST /byhand":             v.setByHand,
		"GET /hours":               v.hours,
		"POST /hours":              v.setHours,
		"GET /takeover":            v.takeovers,
		"POST /takeover":           v.takeOver,
		"GET /enrol":               v.askCode,
		"POST /enrol":              v.enrol,
		"GET /outbox":              v.outbox,
		"GET /outbox/{id}":         v.oneMessage,
		"GET /receipt":             v.receipt,
		"GET /suspend":             v.suspended,
		"POST /suspend":            v.suspend,
		"POST /resume":             v.resume,
		"GET /export":              v.exporting,
		"GET /export/all":          v.export,
		"GET /mine":                v.mine,
		"POST /mine":               v.setMine,
		"GET /notices":             v.notices,
		"GET /notices/{id}":        v.notice,
		"POST /notices/{id}":       v.answerNotice,
		"POST /notices/{id}/check": v.checkNotice,
		"GET /status":              v.status,
		"GET /updates":             v.updates,
		"POST /updates":            v.setUpdates,
		"GET /diagnosis":           v.diagnosis,
		"POST /diagnosis":          v.sendDiagnosis,
		"GET /keep":                v.keep,
		"GET /advice":              v.advice,
		"POST /advice":             v.setAdvice,
		"GET /sign":                v.sign,
		"POST /sign":               v.setPaper,
		"GET /information":         v.information,
	} {
		handle(pattern, v.serve(h))
	}
	handle("GET /map/{z}/{x}/{y}", http.HandlerFunc(v.tile))
	handle("GET /places", v.serve(v.places))
	handle("POST /close", v.serve(v.closeSession))
	handle("GET /helper", v.serve(v.helper))
	handle("POST /helper", v.serve(v.newHelper))
	handle("GET /lan", v.serve(v.lanPage))
	handle("POST /lan", v.serve(v.setLANPassword))
	handle("GET /report", v.serve(v.reportPage))
	handle("GET /bulk", v.serve(v.bulk))
	handle("GET /bulk/sheet", v.serve(v.giveSheet))
	handle("POST /bulk/sheet", v.serveUpTo(maxSheetBody, v.takeSheet))
	handle("POST /bulk/rule", v.serve(v.byRule))
	mux.Handle("/", v.serve(func(*http.Request) (answer, error) {
		return answer{}, problem{status: http.StatusNotFound, key: "error.page", What: "there is no such page"}
	}))
	return mux
}

// Control answers the command line on a socket that only this user can open.
func (v *Review) Control() http.Handler {
	mux := v.routes()
	mux.Handle("POST /link", v.serve(v.giveLink))
	return mux
}

// search is the one search that may run at a time.
type search struct {
	ctx     context.Context // ends with Close
	stop    context.CancelFunc
	running sync.WaitGroup

	mu    sync.Mutex
	since time.Time     // zero: none is running
	done  chan struct{} // of the running one
	err   error         // of the last one
}

// start begins a search, or joins the one that runs.
func (v *Review) start() (done <-chan struct{}) {
	s := &v.search
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.since.IsZero() {
		return s.done
	}
	s.since, s.done = time.Now(), make(chan struct{})
	ended := s.done
	s.running.Go(func() {
		err := v.Scan(s.ctx)
		if err != nil {
			v.Log.Warn("searching for cameras failed", "err", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.since, s.err = time.Time{}, err
		close(ended)
	})
	return ended
}

// state says since when a search runs (zero: none) and how the last one ended.
func (s *search) state() (since time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.since, s.err
}
