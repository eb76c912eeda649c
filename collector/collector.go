package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/gofrs/flock"
	"github.com/prometheus/client_golang/prometheus"

	"anagrafe/collector/guide"
	"anagrafe/collector/ingest"
	"anagrafe/collector/privacy"
	"anagrafe/collector/registry"
	"anagrafe/collector/search"
	"anagrafe/collector/search/gazetteer"
	"anagrafe/collector/trail"
	"anagrafe/collector/web"
	"anagrafe/collector/web/adhere"
	"anagrafe/collector/web/atlas"
	"anagrafe/collector/web/audit"
	"anagrafe/collector/web/choropleth"
	"anagrafe/collector/web/consult"
	"anagrafe/collector/web/force"
	"anagrafe/collector/web/join"
	"anagrafe/collector/web/mail"
	"anagrafe/collector/web/ops"
	"anagrafe/collector/web/public"
	"anagrafe/protocol"
	"anagrafe/protocol/daemon"
	"anagrafe/protocol/pages"
)

// errDaemon says that a running collector holds the directory.
var errDaemon = errors.New("another anagrafe-collector is using this directory")

// collector is the opened directory: one process at a time holds it.
type collector struct {
	dir       string
	config    Config
	log       *slog.Logger
	held      hold
	secret    []byte
	reg       *registry.Registry
	trail     *trail.Trail
	authority *ingest.Authority
	receipts  *ingest.ReceiptKey
	index     *search.Index
	places    *gazetteer.Gazetteer
	placedBy  string                                     // the sources by which sites are placed
	redrawn   chan struct{}                              // signalled, buffered 1: these are others
	drawn     atomic.Pointer[map[string]*choropleth.Map] // of the districts, by what they are

	publicWeb, opsWeb, consultWeb *web.Web
	referentWeb                   *web.Web               // of the public listener too, for those who sign in there
	ownHosts                      map[string]*web.Web    // of consultation under a force's own host name
	turnedAway                    *prometheus.CounterVec // by why

	publicRoutes, opsRoutes, consultRoutes, referentRoutes [][]web.Route // a face each

	area    *gazetteer.Border // nil: cameras are taken from everywhere
	shown   *ground           // what owners place their cameras on
	join    *join.Join
	ops     *ops.Ops
	audit   *audit.Audit
	consult *consult.Consult
	mail    *mail.Sender // nil: no mail is sent
	pec     *mail.Sender // nil: PEC goes with mail
	sms     *mail.SMS    // nil: none are sent

	documents *privacy.Documents
	guides    *guide.Guides
}

// openCollector opens the register, and makes all that the collector serves and sends.
func openCollector(ctx context.Context, dir string, config Config, log *slog.Logger) (*collector, error) {
	o, err := openRegister(ctx, dir, config, log)
	if err != nil {
		return nil, err
	}
	if err = o.makePages(); err == nil {
		err = o.makeSenders()
	}
	if err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return o, nil
}

// openRegister takes DIR/lock, opens what the directory holds, and makes the keys that a
// first start needs: the register and its trail, without a page.
func openRegister(ctx context.Context, dir string, config Config, log *slog.Logger) (_ *collector, err error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	held, err := takeLock(dir)
	if err != nil {
		return nil, err
	}
	o := &collector{dir: dir, config: config, log: log, redrawn: make(chan struct{}, 1), held: held}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.Close())
		}
	}()
	served, err := registry.Served(ctx, config.store(dir))
	if err != nil {
		return nil, err
	}
	if err := keysThere(dir, served); err != nil {
		return nil, err
	}
	if o.secret, err = rootSecret(dir); err != nil {
		return nil, err
	}
	keys, err := registerKeys(dir, o.secret, served)
	if err != nil {
		return nil, err
	}
	var entries trail.Store
	if o.reg, entries, err = registry.Open(ctx, registry.Options{Store: config.store(dir), Keys: keys, Ledger: ledgerFile(dir), SMS: config.SMS.URL != "", Log: log}); err != nil {
		return nil, err
	}
	if o.authority, err = ingest.OpenAuthority(dir); err != nil {
		return nil, err
	}
	if o.receipts, err = ingest.OpenReceiptKey(dir, config.host()); err != nil {
		return nil, err
	}
	pseudonyms, err := derive(o.secret, "trail pseudonyms")
	if err != nil {
		return nil, err
	}
	o.trail, err = trail.Open(ctx, entries, trail.Options{KeyDir: filepath.Join(dir, "keys"), PseudonymKey: pseudonyms, Witnesses: config.Witnesses, Log: log})
	return o, err
}

// hold is the directory while this process has it.
type hold struct {
	lock *flock.Flock
	back func() error // from the owner of the directory to who started this process
}

// takeLock makes the directory if it is not there, and takes it for this process:
// errDaemon where another has it. Until release, root acts as the directory's owner:
// the service must be able to open what is made there.
func takeLock(dir string) (hold, error) {
	back, err := daemon.AsOwner(dir)
	if err != nil {
		return hold{}, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "keys"), 0o700); err != nil {
		return hold{}, errors.Join(fmt.Errorf("making the collector's directory: %w (give another with -data DIR)", err), back())
	}
	lock := flock.New(filepath.Join(dir, "lock"))
	held, err := lock.TryLock()
	if err != nil {
		return hold{}, errors.Join(fmt.Errorf("locking %s: %w", dir, err), back())
	}
	if !held {
		return hold{}, errors.Join(errDaemon, back())
	}
	return hold{lock, back}, nil
}

func (h hold) release() error { return errors.Join(h.lock.Unlock(), h.back()) }

// makePages makes what the listeners and the command line are answered by.
func (o *collector) makePages() error {
	// Each stands on those before it.
	for _, step := range []func() error{o.makeDocuments, o.makeServers, o.makeMap, o.makePublicPages, o.makeOpsPages, o.makeConsultPages} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// makeDocuments makes the privacy notice and the guides.
func (o *collector) makeDocuments() (err error) {
	if o.documents, err = privacy.New(o.config.privacy(), o.log); err != nil {
		return err
	}
	o.guides, err = guide.New(o.config.about(), o.log)
	return err
}

// makeServers makes what answers at each listener, which accepts its own roles: nobody
// mixes the Comune's and the forces'.
func (o *collector) makeServers() (err error) {
	sessions, err := derive(o.secret, "sessions")
	if err != nil {
		return err
	}
	tls, err := o.certificate()
	if err != nil {
		return err
	}
	shared := web.Options{Registry: o.reg, TLS: tls, Secret: sessions, Record: o.record, Log: o.log, Idle: o.config.SessionIdle, Life: o.config.SessionLife, Balancers: o.config.Balancers}

	publicOptions := shared
	publicOptions.Face, publicOptions.PublicURL = pages.FacePublic, o.config.PublicURL
	publicOptions.Body = pages.Body{Name: o.config.Controller, URL: o.config.ControllerURL, Contact: o.config.ControllerContact, DPO: o.config.DPOContact}
	if publicOptions.Owners, err = o.config.OwnerOIDC.provider(); err != nil {
		return err
	}
	if o.publicWeb, err = web.New(publicOptions); err != nil {
		return err
	}
	referentOptions := publicOptions
	referentOptions.Owners = nil // who vouches for owners vouches for no role
	referentOptions.Roles, referentOptions.Home = []string{registry.RoleReferent}, map[string]string{registry.RoleReferent: join.ReferentPath}
	if o.referentWeb, err = web.New(referentOptions); err != nil {
		return err
	}
	opsOptions := shared
	opsOptions.Face, opsOptions.PublicURL = pages.FaceOps, o.config.OpsURL
	opsOptions.Roles = []string{registry.RoleOps, registry.RoleAdmin}
	if opsOptions.OIDC, err = o.config.OpsOIDC.provider("ops_oidc"); err != nil {
		return err
	}
	if o.opsWeb, err = web.New(opsOptions); err != nil {
		return err
	}
	return o.makeConsultServers(shared)
}

// makeMap makes the index, the gazetteer, the map and the border of the register's area.
func (o *collector) makeMap() (err error) {
	o.index = search.New(o.reg, o.log)
	o.places = gazetteer.New(o.reg)
	if o.shown, err = openGround(o.config.Basemap, o.config.BasemapAttribution, o.places); err != nil || o.config.Area == "" {
		return err
	}
	file, err := readUpTo(o.config.Area, gazetteer.MaxFile+1)
	if err == nil {
		o.area, err = gazetteer.ReadBorder(file, float64(o.config.AreaMarginM))
	}
	if err != nil {
		return fmt.Errorf("reading the area %s: %w", o.config.Area, err)
	}
	return nil
}

// makePublicPages makes the pages of owners, referents and everybody.
func (o *collector) makePublicPages() (err error) {
	if o.join, err = join.New(join.Options{Web: o.publicWeb, Registry: o.reg, Record: o.record,
		Link: o.enrolmentLink, Inside: o.area.Contains, Log: o.log}); err != nil {
		return err
	}
	everybody, err := public.New(public.Options{
		Web: o.publicWeb, Registry: o.reg,
		Privacy: o.documents.Page(), AccessibilityURL: o.config.AccessibilityURL, AppURL: o.config.AppURL, Map: o.districtMap, Log: o.log,
	})
	if err != nil {
		return err
	}
	form, err := adhere.New(adhere.Options{Web: o.publicWeb, Registry: o.reg, Record: o.record,
		Sign: o.receipts.SignReceipt, Link: o.enrolmentLink, Find: o.shown.Find,
		Map: o.shown.Describe, Inside: o.area.Contains, Mail: o.config.SMTPServer != "", Log: o.log})
	if err != nil {
		return err
	}
	tiles, err := atlas.New(atlas.Options{Web: o.publicWeb, Map: o.shown, Log: o.log})
	if err != nil {
		return err
	}
	referents, err := join.NewReferents(o.join, o.referentWeb)
	if err != nil {
		return err
	}
	o.publicRoutes = [][]web.Route{everybody.Routes(), o.join.Routes(), form.Routes(), tiles.Routes(), o.guidePages()}
	o.referentRoutes = [][]web.Route{referents.Routes()}
	return nil
}

// makeOpsPages makes the pages of operators.
func (o *collector) makeOpsPages() (err error) {
	if o.ops, err = ops.New(ops.Options{
		Web: o.opsWeb, Registry: o.reg, Record: o.record, Log: o.log,
		AgentsURL: o.config.agentsURL(), Pin: o.authority.Pin, TrailKey: o.trail.VerifierKey(), PublicURL: o.config.PublicURL,
		OpsURL: o.config.OpsURL, ConsultURL: o.consultWeb.URLOf, Office: o.config.inviter(),
		Map: o.districtMap, Version: version(),
	}); err != nil {
		return err
	}
	form, err := o.assistedForm()
	if err != nil {
		return err
	}
	tiles, err := atlas.New(atlas.Options{Web: o.opsWeb, Roles: o.opsWeb.Roles, Map: o.shown, Log: o.log})
	if err != nil {
		return err
	}
	o.opsRoutes = [][]web.Route{o.ops.Routes(), form.Routes(), tiles.Routes(), o.manual()}
	return nil
}

// makeConsultPages makes the pages of officers, of their administrators and of their
// auditors.
func (o *collector) makeConsultPages() (err error) {
	if o.consult, err = consult.New(consult.Options{
		Index: o.index, Places: o.places, Trail: o.trail, Registry: o.reg, CheckURL: o.config.PublicURL + join.CheckPath,
		Basemap: o.config.Basemap, Attribution: o.config.BasemapAttribution, Log: o.log,
	}); err != nil {
		return err
	}
	if o.audit, err = audit.New(audit.Options{Web: o.consultWeb, Trail: o.trail, Registry: o.reg, Log: o.log}); err != nil {
		return err
	}
	administrators, err := force.New(force.Options{Web: o.consultWeb, Registry: o.reg, Record: o.record, TrailKey: o.trail.VerifierKey(), Log: o.log})
	if err != nil {
		return err
	}
	o.consultRoutes = [][]web.Route{o.consult.Routes(), o.audit.Routes(), administrators.Routes()}
	return nil
}

// makeSenders makes what carries messages out.
func (o *collector) makeSenders() (err error) {
	if o.mail, err = o.mailSender(); err != nil {
		return err
	}
	if o.pec, err = o.pecSender(); err != nil {
		return err
	}
	o.sms, err = o.smsSender()
	return err
}

// enrolmentLink is the address that brings a code to an agent.
func (o *collector) enrolmentLink(code protocol.Code) string {
	return protocol.Link{Collector: o.config.agentsURL(), Code: code, Pin: o.authority.Pin()}.String()
}

// record puts what a person did to the system on the trail. Acts of a force's
// people, and what the Comune does to a force, are sealed to the force.
func (o *collector) record(ctx context.Context, a web.Act) error {
	e := trail.Entry{Actor: a.User.ID, Force: cmp.Or(a.Force, a.User.Force), Kind: a.Kind, Count: a.Count,
		Body: map[string]any{"from": a.From, "details": a.Details}}
	if e.Force != "" {
		force, ok, err := o.reg.Force(ctx, e.Force)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("force %q has no key to seal its entries to", e.Force)
		}
		e.Recipient = force.Recipient
	}
	_, err := o.trail.Append(ctx, e)
	return err
}

// Close gives the directory back.
func (o *collector) Close() error {
	var errs []error
	if o.ops != nil {
		o.ops.Close()
	}
	if o.consult != nil {
		errs = append(errs, o.consult.Close())
	}
	if o.shown != nil {
		o.shown.close()
	}
	if o.trail != nil {
		errs = append(errs, o.trail.Close())
	}
	if o.reg != nil {
		errs = append(errs, o.reg.Close())
	}
	return errors.Join(append(errs, o.held.release())...)
}
