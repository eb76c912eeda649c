package installer

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing/synctest"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"anagrafe/agent/inventory"
	"anagrafe/agent/uplink"
	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// world is one shop with its agent, one collector, and what lies between. Time
// in it is synctest's: it passes only when everybody waits.
type world struct {
	ctx    context.Context
	log    *slog.Logger
	dir    string
	fault  fault
	net    *line
	lan    *lan
	owner  *owner
	ledger *ledger
	disk   disk // the collector's

	collector *collector // nil: not running
	agent     *agent     // nil: not running
	sites     []string
	codes     map[string]protocol.Code // by site: in the owner's hands, not used yet
	skew      time.Duration            // the agent's clock, minus the right time
	skewed    bool                     // it was wrong since the world was last at rest
	asked     map[string]int           // by site: codes that the agent's pages told to ask for, since it was last at rest
	first     backup                   // from before the first enrolment
	key       *age.X25519Identity      // of the force, and of backups
	caseID    string                   // of the force's one case
	notices   []string                 // ids of requests to preserve that the register holds
	erased    map[string]erasure       // by site: withdrawn with the owner's link
	backups   []backup
}

// backup is a copy of the collector's files, and of what it had said by then.
type backup struct {
	taken  time.Time
	files  map[string][]byte
	ledger *ledger
	asked  int // requests to preserve by then
}

// begins is when most worlds begin: after all years that a message may not name.
var begins = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// newWorld has a collector that has invited two sites, and an agent on a
// network that works.
func newWorld(begins time.Time, seed uint64, dir string, log *slog.Logger, f fault) (*world, error) {
	time.Sleep(time.Until(begins))
	w := &world{ctx: context.Background(), log: log, dir: dir, fault: f, net: &line{seed: seed, weather: fair}, lan: newLAN(),
		owner: newOwner(), ledger: newLedger(), codes: map[string]protocol.Code{}, erased: map[string]erasure{}}
	var err error
	if w.key, err = age.GenerateX25519Identity(); err != nil {
		return nil, err
	}
	for _, d := range []string{w.agentDir(), w.collectorDir()} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(w.startCollector(), w.startAgent()); err != nil {
		return nil, err
	}
	if err := w.collector.reg.AddForce(w.ctx, force, w.key.Recipient().String()); err != nil {
		return nil, err
	}
	w.caseID = uuid.NewString()
	if err := w.collector.reg.OpenCase(w.ctx, registry.Case{ID: w.caseID, Force: force, OpenedBy: uuid.NewString(), OpenedAt: time.Now(), Kind: "annotation", Ref: "1/2026"}); err != nil {
		return nil, err
	}
	for _, name := range []string{"Bar Centrale", "Bar Stazione"} {
		code := protocol.NewCode()
		id, err := w.collector.reg.Invite(w.ctx, registry.Invitation{Site: protocol.Site{Name: name, Category: "bar-restaurant", Address: "via Torino 1"},
			CodeHash: code.Hash(), At: time.Now(), ExpiresAt: time.Now().Add(14 * 24 * time.Hour)})
		if err != nil {
			return nil, err
		}
		w.sites = append(w.sites, id)
		w.codes[id] = code
	}
	err = errors.Join(w.backup(), w.phone(1234567))
	w.first = w.backups[0]
	return w, err
}

func (w *world) agentDir() string     { return filepath.Join(w.dir, "agent") }
func (w *world) collectorDir() string { return filepath.Join(w.dir, "collector") }

func (w *world) startCollector() (err error) {
	if w.collector != nil {
		return nil
	}
	w.collector, err = startCollector(w.collectorDir(), w.log, func(r *registry.Registry) ingest.Register {
		return noting{onDisk{w.fault.register(r), &w.disk}, w.ledger}
	})
	if err == nil {
		w.net.serve(w.collector)
	}
	return err
}

func (w *world) startAgent() (err error) {
	if w.agent != nil {
		return nil
	}
	w.agent, err = startAgent(w.agentDir(), w.net, w.log)
	return err
}

// killCollector ends it at this instant; its files are those of this instant.
func (w *world) killCollector() error {
	if w.collector == nil {
		return nil
	}
	files, err := filesOf(w.collectorDir(), registerName)
	w.net.serve(nil)
	err = errors.Join(err, w.collector.end(), putFiles(w.collectorDir(), files))
	w.collector = nil
	return err
}

// killAgent is killCollector for the agent.
func (w *world) killAgent() error {
	if w.agent == nil {
		return nil
	}
	files, err := filesOf(w.agentDir(), inventoryName)
	err = errors.Join(err, w.agent.end(), putFiles(w.agentDir(), files))
	w.agent = nil
	return err
}

// backup copies the collector's files; the two newest copies are kept.
func (w *world) backup() error {
	files, err := filesOf(w.collectorDir(), registerName)
	if err != nil {
		return err
	}
	w.backups = append(w.backups, backup{time.Now(), files, w.ledger.copy(), len(w.notices)})
	w.backups = w.backups[max(0, len(w.backups)-2):]
	return nil
}

// restore puts a copy in the place of the collector's files. Younger copies are
// thrown away: who went back does not go forward again to what was undone.
func (w *world) restore(b backup) error {
	w.backups = slices.DeleteFunc(w.backups, func(o backup) bool { return !o.taken.Before(b.taken) })
	w.backups = append(w.backups, b)
	if err := w.killCollector(); err != nil {
		return err
	}
	w.ledger.goBack(b.ledger)
	w.notices = w.notices[:b.asked]
	return errors.Join(putFiles(w.collectorDir(), b.files), w.startCollector(), w.eraseAgain(b.taken))
}

// pass lets time pass. Nothing is under way but what waits when it returns.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// invite has the Comune give a new code for a site; it needs a collector.
func (w *world) invite(site string) error {
	if w.collector == nil {
		return nil
	}
	code := protocol.NewCode()
	_, err := w.collector.reg.Invite(w.ctx, registry.Invitation{SiteID: site, CodeHash: code.Hash(),
		Site: protocol.Site{Name: "Bar Nuovo", Category: "bar-restaurant", Address: "via Torino 2"},
		At:   time.Now(), ExpiresAt: time.Now().Add(14 * 24 * time.Hour)})
	if err != nil {
		return err
	}
	w.codes[site] = code
	return nil
}

// enrol tries the code that the owner has for a site. One that the collector
// does not take is thrown away; one that got no answer is kept.
func (w *world) enrol(site string) error {
	code, has := w.codes[site]
	if w.agent == nil || !has {
		return nil
	}
	return w.enrolled(site, w.agent.enrol(w.ctx, code))
}

// enrolled is what the owner does after an attempt.
func (w *world) enrolled(site string, err error) error {
	if e, ok := errors.AsType[*uplink.Error](err); ok {
		switch e.Reason {
		case protocol.ReasonUnknownCode, protocol.ReasonUsedCode:
			delete(w.codes, site)
		// The code is good for another identity. The program that still runs with
		// the old one may have left a renewed certificate without its key.
		case protocol.ReasonRevoked, uplink.IdentityUnreadable:
			return w.agent.forget()
		}
		return nil
	}
	if err == nil {
		delete(w.codes, site)
	}
	return err
}

// enrolKilled is enrol, and the agent is killed when it has its new certificate
// and not kept the grant yet: its owner sees no answer.
func (w *world) enrolKilled(site string) error {
	code, has := w.codes[site]
	if w.agent == nil || !has {
		return nil
	}
	if _, err := w.agent.redeem(w.ctx, code); err != nil {
		return w.enrolled(site, err)
	}
	return errors.Join(w.killAgent(), w.startAgent())
}

// revoke shuts the agent out, if the collector knows it.
func (w *world) revoke() error {
	if w.collector == nil || w.agent == nil {
		return nil
	}
	id := w.agent.up.Status().AgentID
	if err := w.collector.reg.Revoke(w.ctx, id, time.Now()); err != nil && !errors.Is(err, ingest.ErrUnknownAgent) {
		return err
	}
	return nil
}

// close ends all, and waits for what is in the air.
func (w *world) close() error {
	err := errors.Join(w.killAgent(), w.killCollector())
	w.net.flying.Wait()
	return err
}

// check compares, where there is a register, and gives the first thing wrong.
func (w *world) check() error {
	if wrong := w.ledger.complaints(); len(wrong) > 0 {
		return errors.New(wrong[0])
	}
	if w.collector == nil {
		return nil
	}
	return w.ledger.compare(w.ctx, w.collector.reg)
}

// cameras lists what the agent shows.
func (w *world) cameras() ([]inventory.Camera, error) {
	if w.agent == nil {
		return nil, nil
	}
	known, err := w.agent.inv.View(w.ctx)
	return known.Cameras, err
}

// pick gives a camera that the agent shows, or nothing.
func (w *world) pick(n uint32) (inventory.Camera, bool, error) {
	all, err := w.cameras()
	if err != nil || len(all) == 0 {
		return inventory.Camera{}, false, err
	}
	slices.SortFunc(all, func(a, b inventory.Camera) int {
		return cmp.Or(cmp.Compare(a.Device.Address, b.Device.Address), cmp.Compare(a.Values.Channel, b.Values.Channel))
	})
	return all[n%uint32(len(all))], true, nil
}
