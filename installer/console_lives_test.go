//go:build bench

package installer

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/collector/registry/registrytest"
	"anagrafe/protocol"
)

// A register of simulated sites is lived once, through the registry's own methods and
// many at a time, so that they share transactions; into another engine it comes by
// backup and restore. Half of the sites were only invited, by letter, e-mail or PEC or
// one by one; the others enrolled, and of these most share.

// livesAtOnce is what one transaction takes.
const livesAtOnce = 256

// batchOf is how many businesses a wave invites.
const batchOf = 2_000

// life is one simulated site.
type life struct {
	n    int
	dice *rand.Rand
	at   time.Time // invited
	site protocol.Site
	code [32]byte
	link string // token of its invitation; "": not of a wave

	id       string // of one that was invited by itself
	grant    protocol.Grant
	revision int64
	recorder string
}

// liveRegister fills a new register in SQLite in dir.
func liveRegister(t *testing.T, dir string, sites int) {
	t.Helper()
	must := mustOf(t)
	r := registrytest.Open(t, registrytest.Options(dir, quiet))
	locate(r)
	started := time.Now()
	lives := make([]*life, sites)
	for i := range lives {
		lives[i] = newLife(i, started)
	}
	must(inviteLives(t.Context(), r, lives))
	for _, step := range []func(context.Context, *registry.Registry, *life) error{begin, share, stand, leave} { // who leaves last: each erasure wipes the log
		must(eachLife(t.Context(), r, lives, step))
	}
	must(remarkLives(t.Context(), r, min(sites/10, 5_000)))
	must(r.Close())
	t.Logf("%d sites lived in %s", sites, time.Since(started).Round(time.Second))
}

func mustOf(t *testing.T) func(error) {
	return func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// locate has sites lie in the municipi and neighbourhoods of a town.
func locate(r *registry.Registry) {
	place := func(n int) registry.District {
		if n%50 == 0 {
			return registry.District{} // outside, or not known
		}
		return registry.District{Municipio: fmt.Sprint("Municipio ", n%88%9+1), NIL: fmt.Sprint("NIL ", n%88)}
	}
	r.UseLocator(&registry.Locator{Map: "m",
		At: func(p protocol.Point) registry.District { return place(int(p.Lon) + int(p.Lat)) },
		Find: func(address string) registry.District {
			sum := sha256.Sum256([]byte(address))
			return place(int(sum[0])<<8 + int(sum[1]))
		}})
}

func newLife(i int, now time.Time) *life {
	dice := rand.New(rand.NewPCG(10, uint64(i)))
	l := &life{n: i, dice: dice, at: now.UTC().Truncate(time.Microsecond).Add(-24*time.Hour - time.Duration(dice.IntN(365*24*3600))*time.Second)}
	l.code = sha256.Sum256(fmt.Append(nil, "console", i))
	l.site = protocol.Site{Name: fmt.Sprint("Sito ", i), Category: protocol.Categories[dice.IntN(len(protocol.Categories))], Address: fmt.Sprintf("via Torino %d, Milano", i)}
	return l
}

func eachLife(ctx context.Context, r *registry.Registry, lives []*life, step func(context.Context, *registry.Registry, *life) error) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(livesAtOnce)
	for _, l := range lives {
		work.Go(func() error { return step(ctx, r, l) })
	}
	return work.Wait()
}

// inviteLives invites four tenths by waves, and the others one by one.
func inviteLives(ctx context.Context, r *registry.Registry, lives []*life) error {
	waved := len(lives) * 4 / 10
	for from := 0; from < waved; from += batchOf {
		some := lives[from:min(from+batchOf, waved)]
		var all []registry.Invitee
		for _, l := range some {
			l.at = some[0].at
			one := registry.Invitee{Site: l.site, Channel: []registry.Channel{registry.ChannelLetter, registry.ChannelEmail, registry.ChannelPEC}[l.n%3]}
			if one.Channel != registry.ChannelLetter {
				one.Address = fmt.Sprintf("sito%d@example.it", l.n)
			}
			all = append(all, one)
		}
		record := func(context.Context, int, int) error { return nil }
		_, results, err := r.PlanWave(ctx, all, registry.WavePlan{PerDay: batchOf / 5, Source: "SUAP", At: some[0].at, Record: record})
		if err != nil {
			return err
		}
		for i, l := range some {
			l.code, l.link = results[i].Code.Hash(), results[i].Token
		}
	}
	return eachLife(ctx, r, lives[waved:], func(ctx context.Context, r *registry.Registry, l *life) error {
		var err error
		l.id, err = r.Invite(ctx, registry.Invitation{Site: l.site, CodeHash: l.code, At: l.at, ExpiresAt: l.at.Add(registry.CodeLife)})
		return err
	})
}

func (l *life) enrols() bool    { return l.n%20 < 10 }
func (l *life) shares() bool    { return l.n%20 < 8 }
func (l *life) suspends() bool  { return l.n%40 == 0 }
func (l *life) withdraws() bool { return l.n%20 == 1 }

// begin: the invitation is looked at, and an agent is enrolled.
func begin(ctx context.Context, r *registry.Registry, l *life) error {
	if l.link != "" && l.n%3 > 0 {
		if _, _, err := r.OpenInvitation(ctx, l.link, l.at.Add(time.Hour)); err != nil {
			return err
		}
	}
	if !l.enrols() {
		return nil
	}
	at := l.at.Add(time.Duration(l.dice.IntN(20)) * time.Hour)
	agent := uuid.NewString()
	var err error
	l.grant, err = r.Redeem(ctx, ingest.Redemption{CodeHash: l.code, KeyHash: sha256.Sum256([]byte(agent)), AgentID: agent, AgentVersion: version(l.n), At: at})
	if err == nil {
		err = r.Certified(ctx, agent, fmt.Sprintf("%x", l.n), time.Now().Add(time.Duration(l.dice.IntN(30*24)-24)*time.Hour))
	}
	if err != nil || l.shares() {
		return err
	}
	h := l.health(at)
	if l.n%2 == 0 {
		h.SearchedAt, h.Found, h.Confirmed = at, 4, l.n%4/2
	}
	return l.say(ctx, r, at, h)
}

func version(n int) string { return fmt.Sprintf("v1.%d.0", n%7%4) }

func (l *life) health(at time.Time) protocol.Health {
	return protocol.Health{At: at, AgentVersion: version(l.n), Platform: "linux/amd64"}
}

// share: one or more cameras are declared.
func share(ctx context.Context, r *registry.Registry, l *life) error {
	if !l.shares() {
		return nil
	}
	at := l.at.Add(21 * time.Hour)
	l.recorder = uuid.NewString()
	d := protocol.Declaration{Site: l.site, Recorders: []protocol.Recorder{{ID: l.recorder, Vendor: "Acme", Name: "NVR"}},
		Contacts: []protocol.Contact{{Name: "Anna Riva", Role: protocol.RoleOwner, Phone: "+39 02 1234567"}},
		Approval: protocol.Approval{By: "Anna Riva", Role: protocol.RoleOwner, At: at}}
	for n := range 1 + l.n%3 {
		d.Cameras = append(d.Cameras, someCameraOf(l.recorder, l.n*3+n, at))
	}
	return l.say(ctx, r, at, d)
}

// stand: how its agent and recorder stand now. One in ten was not heard of for a while.
func stand(ctx context.Context, r *registry.Registry, l *life) error {
	if !l.shares() || l.withdraws() {
		return nil
	}
	at := time.Now().UTC().Add(-time.Duration(1+l.dice.IntN(22)) * time.Hour)
	if l.n%40 == 2 || l.n%100 == 3 {
		at = at.AddDate(0, 0, -4-l.dice.IntN(40))
	}
	if at.Before(l.at.Add(22 * time.Hour)) {
		at = l.at.Add(22 * time.Hour)
	}
	h := l.health(at)
	h.SearchedAt, h.Found, h.Answered, h.Confirmed = at, 6, 4, 1+l.n%3
	device := protocol.RecorderHealth{RecorderID: l.recorder, Maker: protocol.Makers[l.dice.IntN(len(protocol.Makers))], Model: fmt.Sprint("M", l.n%40), Firmware: fmt.Sprintf("%d.%d", 1+l.n%5, l.n%7)}
	if l.n%20 == 4 {
		device.Faults = []protocol.Fault{protocol.Faults[1+l.dice.IntN(6)]}
	}
	h.Recorders = []protocol.RecorderHealth{device}
	if l.n%20 == 5 {
		h.Others = []protocol.OtherFaults{{Maker: protocol.Makers[l.n%len(protocol.Makers)], Fault: protocol.FaultPassword, Devices: 2}}
	}
	if err := l.say(ctx, r, at, h); err != nil {
		return err
	}
	look := protocol.RecorderObservation{RecorderID: l.recorder, At: at, Reachable: l.n%60 != 6}
	if look.Reachable {
		look.Clock = &protocol.Clock{OffsetMs: int64(l.n%7) * 100, UncertaintyMs: 20, Method: "test", At: at}
		if l.n%40 == 7 {
			look.Clock.OffsetMs = 3_480_000
		}
	}
	return l.say(ctx, r, at, protocol.Observation{Recorders: []protocol.RecorderObservation{look}})
}

// leave: some are suspended, withdrawn or shut out.
func leave(ctx context.Context, r *registry.Registry, l *life) error {
	at := time.Now().UTC()
	approval := protocol.Approval{By: "Anna Riva", Role: protocol.RoleOwner, At: at}
	switch {
	case l.suspends():
		return l.say(ctx, r, at, protocol.SiteSuspension{Approval: approval})
	case l.withdraws():
		return l.say(ctx, r, at, protocol.Withdrawal{Approval: approval})
	case l.enrols() && l.n%200 == 8:
		return r.Revoke(ctx, l.grant.AgentID, at)
	case !l.enrols() && l.id != "" && l.n%200 == 11:
		_, err := r.RevokeCodes(ctx, l.id, time.Time{}, at)
		return err
	}
	return nil
}

func (l *life) say(ctx context.Context, r *registry.Registry, at time.Time, body protocol.Body) error {
	l.revision++
	return say(ctx, r, l.grant, l.revision, at, body)
}

// remarkLives is what readers wrote, and how they rated pages.
func remarkLives(ctx context.Context, r *registry.Registry, n int) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(livesAtOnce)
	for i := range n {
		work.Go(func() error {
			at := time.Now().AddDate(0, 0, -i%300)
			if err := r.AddRating(ctx, registry.Rating{Page: fmt.Sprint("/page/", i%20), Stars: 1 + i%5, Reason: i % 6}, at); err != nil {
				return err
			}
			_, err := r.AddRemark(ctx, registry.Remark{At: at, Kind: registry.RemarkReport, Topic: "other", Page: "/", Text: fmt.Sprint("Qualcosa non funziona ", i)})
			return err
		})
	}
	return work.Wait()
}

// moveRegister copies the register in dir to another store, with the same keys.
func moveRegister(t *testing.T, dir, store string) {
	t.Helper()
	must := mustOf(t)
	started := time.Now()
	key, err := age.GenerateX25519Identity()
	must(err)
	r := registrytest.Open(t, registrytest.Options(dir, quiet))
	open := func(path string, do func(io.Writer) error) func() (io.ReadCloser, error) {
		f, err := os.Create(filepath.Join(dir, path))
		must(err)
		must(do(f))
		must(f.Close())
		return func() (io.ReadCloser, error) { return os.Open(filepath.Join(dir, path)) }
	}
	to := []age.Recipient{key.Recipient()}
	all := open("all.backup", func(w io.Writer) error { _, err := r.Backup(t.Context(), w, to, "1.0"); return err })
	files, err := registrytest.KeyFiles(dir)
	must(err)
	keys := open("keys.backup", func(w io.Writer) error { _, err := r.BackupKeys(t.Context(), w, to, "1.0", files); return err })
	must(r.Close())
	_, err = registry.Restore(t.Context(), registry.Restoration{Store: store, Keys: registrytest.Options(dir, quiet).Keys, Identities: []age.Identity{key}, Backup: all, KeysBackup: keys, Log: quiet})
	must(err)
	t.Logf("moved in %s", time.Since(started).Round(time.Second))
}

func someCameraOf(recorder string, i int, now time.Time) protocol.Camera {
	fact := protocol.Fact{Source: protocol.Confirmed, At: now}
	direction, angle, reach := 90, 80, 40
	return protocol.Camera{ID: uuid.NewString(), RecorderID: recorder, Name: "Ingresso", NameFact: fact,
		Position:      protocol.Position{Point: spread(i, 0), AccuracyM: 3, Method: "map", Fact: fact},
		View:          protocol.View{DirectionDeg: &direction, AngleDeg: &angle, RangeM: &reach, WidthPx: 1920, HeightPx: 1080, Fact: fact},
		Schedule:      protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: "Europe/Rome", Fact: fact},
		Retention:     protocol.Retention{Kind: protocol.RetentionAge, Age: 72 * time.Hour, Fact: fact},
		OutdoorPublic: protocol.Outdoor{Yes: true, By: "Anna", At: now}}
}

func say(ctx context.Context, r *registry.Registry, g protocol.Grant, revision int64, now time.Time, body protocol.Body) error {
	m := protocol.Message{ID: uuid.NewString(), SiteID: g.SiteID, Epoch: g.Epoch, Revision: revision, MadeAt: now, Body: body}
	raw, err := protocol.Encode(m)
	if err != nil {
		return err
	}
	_, err = r.Record(ctx, g.AgentID, m, raw, now.Add(time.Minute))
	return err
}
