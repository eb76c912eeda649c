package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"anagrafe/agent/discover/cameratest"
)

// stage is all that runs during the demo. Steps are called in order, by one
// goroutine.
type stage struct {
	dir, shared          string
	agentBin, collectBin string
	agentDir, collectDir string
	agentPort, agents    string // ports
	public, ops, consult string
	credential           string // file
	lan                  *cameratest.LAN
	recorder             *cameratest.Device // of the LAN; announces nothing, the owner names it
	agent, collector     *program
	devices              []device
	cameras              []camera
	officerLink          string
	checkpoint           string
	outcome              outcome
}

// device and camera are what the demo reads of `cameras -json`.
type (
	device struct{ ID, Vendor, Model, Address string }
	camera struct {
		ID, State string
		Values    struct{ Name string }
	}
)

func newStage(ctx context.Context, dir, bin, shared string) (*stage, error) {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(5)
	if err != nil {
		return nil, err
	}
	s := &stage{
		dir: dir, shared: shared,
		agentBin: filepath.Join(bin, "anagrafe-agent"), collectBin: filepath.Join(bin, "anagrafe-collector"),
		agentDir: filepath.Join(dir, "agent"), collectDir: filepath.Join(dir, "collector"),
		agents: ports[0], ops: ports[1], consult: ports[2], agentPort: ports[3], public: ports[4],
		credential: filepath.Join(dir, "officer.json"),
	}
	return s, ctx.Err()
}

// consultURL is by number, not by name: a cookie does not know ports, and the
// operators' pages are on localhost.
func (s *stage) consultURL() string { return "http://127.0.0.1:" + s.consult }

// close stops what was started, last first.
func (s *stage) close() error {
	var errs []error
	if s.agent != nil {
		errs = append(errs, s.agent.stop())
	}
	if s.collector != nil {
		errs = append(errs, s.collector.stop())
	}
	if s.lan != nil {
		errs = append(errs, s.lan.Close())
	}
	return errors.Join(errs...)
}

func (s *stage) startLAN(context.Context) (err error) {
	s.lan, err = cameratest.Town(cameratest.TownOptions{Shared: s.shared, Cameras: filepath.Join("testdata", "cameras")})
	if err != nil {
		return err
	}
	conversation, err := cameratest.LoadDir(filepath.Join("testdata", "cameras", "recorders", "merceria-hikvision"))
	if err != nil {
		return err
	}
	if s.recorder, err = cameratest.Start(conversation, cameratest.Options{Host: "127.0.0.40"}); err != nil {
		return err
	}
	s.lan.Devices = append(s.lan.Devices, s.recorder)
	s.outcome.Devices = s.lan.Source
	say("  %d %s devices answer on 127.0.0.x, and a recorder that tells its hours over its maker's own interface", len(s.lan.Devices)-1, s.lan.Source)
	return nil
}

func (s *stage) startCollector(ctx context.Context) (err error) {
	args := []string{"serve", "-data", s.collectDir,
		"-public-url", "http://localhost:" + s.public,
		"-ops-url", "http://localhost:" + s.ops,
		"-consult-url", s.consultURL(),
		"-listen-agents", "127.0.0.1:" + s.agents,
		"-listen-public", "127.0.0.1:" + s.public,
		"-listen-ops", "127.0.0.1:" + s.ops,
		"-listen-consult", "127.0.0.1:" + s.consult,
		"-listen-metrics", "off",
	}
	basemap := filepath.Join(s.shared, "data", "basemap", "milano-basemap.pmtiles")
	if _, err := os.Stat(basemap); err == nil {
		args = append(args, "-basemap", basemap)
	} else {
		say("  no basemap at hand: the map draws on a plain ground")
	}
	if s.collector, err = start(s.dir, s.collectBin, args...); err != nil {
		return err
	}
	return s.collector.until(ctx, "the collector's control socket", exists(filepath.Join(s.collectDir, "control.sock")))
}

func (s *stage) startAgent(ctx context.Context) (err error) {
	if s.agent, err = start(s.dir, s.agentBin, "run", "-data", s.agentDir, "-interface", "lo", "-target", s.recorder.Address().String(), "-listen-pages", "127.0.0.1:"+s.agentPort); err != nil {
		return err
	}
	return s.agent.until(ctx, "the agent's control socket", exists(filepath.Join(s.agentDir, "control.sock")))
}

func exists(path string) func() (bool, error) {
	return func() (bool, error) {
		_, err := os.Stat(path)
		return err == nil, err
	}
}

// owner and comune run a command of the agent or the collector.
func (s *stage) owner(ctx context.Context, args ...string) ([]byte, error) {
	return tool(ctx, s.agentBin, append(args, "-data", s.agentDir)...)
}

func (s *stage) enrol(ctx context.Context) error {
	var invitation struct{ Link string }
	if err := toolJSON(ctx, &invitation, s.collectBin, "invite", "-data", s.collectDir,
		"-site", "Galleria dimostrativa", "-category", "shop", "-address", place); err != nil {
		return err
	}
	_, err := s.owner(ctx, "enrol", invitation.Link)
	return err
}

// scan prints what a person sees, and waits for the running agent's own look.
func (s *stage) scan(ctx context.Context) error {
	var report struct {
		Devices []struct {
			Vendor, Model string
			Needs         string
			Channels      []struct{ Name string }
		}
		TookMs int64 `json:"took_ms"`
	}
	if err := toolJSON(ctx, &report, s.agentBin, "scan", "-data", filepath.Join(s.dir, "nowhere"), "-interface", "lo",
		"-target", s.recorder.Address().String()); err != nil {
		return err
	}
	s.outcome.DevicesFound = len(report.Devices)
	channels := 0
	for _, d := range report.Devices {
		channels += len(d.Channels)
		say("  %-12s %-32s %d channels, needs %s", d.Vendor, d.Model, len(d.Channels), d.Needs)
	}
	say("  %d devices in %.1f s", len(report.Devices), float64(report.TookMs)/1000)
	if err := s.agent.until(ctx, "the agent's own look at the network", func() (bool, error) {
		err := s.readCameras(ctx)
		return len(s.cameras) >= channels, err
	}); err != nil {
		return err
	}
	return s.typePasswords(ctx)
}

// typePasswords does what an owner does who knows a recorder's password: the
// devices that refuse everybody keep what they have.
func (s *stage) typePasswords(ctx context.Context) error {
	for _, d := range s.lan.Devices {
		name, password, asked := d.Credential()
		if !asked {
			continue
		}
		for _, known := range s.devices {
			if known.Address != d.Address().String() {
				continue
			}
			if err := typed(ctx, password, s.agentBin, "password", known.ID, "-user", name, "-data", s.agentDir); err != nil {
				return err
			}
			say("  the owner types the password of %s %s", known.Vendor, known.Model)
		}
	}
	return s.readCameras(ctx)
}

func (s *stage) readCameras(ctx context.Context) error {
	var list struct {
		Devices []device
		Cameras []camera
	}
	if err := toolJSON(ctx, &list, s.agentBin, "cameras", "-data", s.agentDir); err != nil {
		return err
	}
	s.devices, s.cameras = list.Devices, list.Cameras
	s.outcome.CamerasFound = len(list.Cameras)
	return nil
}

// confirm does what an owner does: whom to call, which cameras film an outdoor
// area open to the public (two do not), where they hang, and then the yes.
func (s *stage) confirm(ctx context.Context) error {
	if _, err := s.owner(ctx, "contact", "-name", "Ada Bianchi", "-role", "owner", "-phone", "+39 02 5550 0100", "-hours", "9-19"); err != nil {
		return err
	}
	if len(s.cameras) < 3 {
		return fmt.Errorf("only %d cameras were found: the demo needs at least three", len(s.cameras))
	}
	for i, cam := range s.cameras {
		if i >= len(s.cameras)-2 {
			if _, err := s.owner(ctx, "set", cam.ID, "-outdoor-public", "no"); err != nil {
				return err
			}
			continue
		}
		v := views[i%len(views)]
		args := []string{"set", cam.ID, "-outdoor-public", "yes", "-lon", v.lon, "-lat", v.lat, "-accuracy", "5",
			"-direction", v.direction, "-angle", v.angle, "-range", v.reach}
		if cam.Values.Name == "" { // the device named none that may leave
			args = append(args, "-name", fmt.Sprintf("Ingresso %d", i+1))
		}
		if _, err := s.owner(ctx, args...); err != nil {
			return err
		}
	}
	// Two cameras are refused by their answer, so -all is done in part: exit 3.
	if _, err := s.owner(ctx, "approve", "-all"); err != nil && !strings.Contains(err.Error(), "exit status 3") {
		return err
	}
	if err := s.readCameras(ctx); err != nil {
		return err
	}
	for _, cam := range s.cameras {
		if cam.State == "declared" {
			s.outcome.CamerasConfirmed++
		} else {
			s.outcome.CamerasKeptBack++
		}
	}
	say("  %d cameras confirmed, %d stay at home", s.outcome.CamerasConfirmed, s.outcome.CamerasKeptBack)
	if s.outcome.CamerasConfirmed != len(s.cameras)-2 {
		return fmt.Errorf("%d cameras were confirmed, %d expected", s.outcome.CamerasConfirmed, len(s.cameras)-2)
	}
	return nil
}

func (s *stage) deliver(ctx context.Context) error {
	return s.agent.until(ctx, "the collector's acknowledgement", func() (bool, error) {
		var box struct {
			Messages []struct{ Kind, State, Transport, Why string }
		}
		if err := toolJSON(ctx, &box, s.agentBin, "outbox", "-data", s.agentDir); err != nil {
			return false, err
		}
		s.outcome.MessagesAcknowledged = 0
		declared := false
		for _, m := range box.Messages {
			switch m.State {
			case "acknowledged":
				s.outcome.MessagesAcknowledged++
				s.outcome.Transport = m.Transport
				declared = declared || m.Kind == "declaration"
			case "rejected":
				return false, fmt.Errorf("the collector refused a %s: %s", m.Kind, m.Why)
			}
		}
		return declared, nil
	})
}

func (s *stage) addOfficer(ctx context.Context) error {
	var added struct {
		Link string `json:"link"`
	}
	const force = "Questura dimostrativa"
	admin := filepath.Join(s.dir, "dirigente.json")
	if _, err := tool(ctx, s.collectBin, "force", "add", force, "-data", s.collectDir, "-act", "prot. dimostrativo",
		"-identity", filepath.Join(s.dir, "questura.identity")); err != nil {
		return err
	}
	if _, err := tool(ctx, s.collectBin, "user", "add", "Dirigente Dimostrativo", "-data", s.collectDir, "-role", "force-admin",
		"-force", force, "-credential", admin); err != nil {
		return err
	}
	if err := toolJSON(ctx, &added, s.collectBin, "user", "add", "Agente Dimostrativo", "-as", admin, "-role", "officer",
		"-qualification", "agente di PG", "-credential", s.credential); err != nil {
		return err
	}
	s.officerLink = added.Link
	return nil
}

func (s *stage) search(ctx context.Context) error {
	var found struct {
		Results []struct {
			Class      string
			CameraName string `json:"camera_name"`
		}
		Trail struct {
			Index      int64
			Checkpoint string
		}
	}
	if err := toolJSON(ctx, &found, s.collectBin, "search", "-server", s.consultURL(), "-credential", s.credential,
		"-at", square, "-time", time.Now().Add(-2*time.Hour).UTC().Format(time.RFC3339), "-radius", "300",
		"-case", "event112:dimostrazione", "-offence", "robbery", "-reason", "dimostrazione del percorso completo"); err != nil {
		return err
	}
	s.outcome.SearchResults = len(found.Results)
	s.checkpoint = filepath.Join(s.dir, "officer.checkpoint")
	say("  %d cameras may help; first: %s", len(found.Results), first(found.Results, func(i int) string {
		return found.Results[i].Class + " " + found.Results[i].CameraName
	}))
	if len(found.Results) == 0 {
		return errors.New("the search found none of the confirmed cameras")
	}
	return os.WriteFile(s.checkpoint, []byte(found.Trail.Checkpoint), 0o600)
}

func first[T any](list []T, name func(int) string) string {
	if len(list) == 0 {
		return "none"
	}
	return name(0)
}

// verify proves the trail from an export, with the key of the officer's
// credential and the checkpoint that came with the officer's answer.
func (s *stage) verify(ctx context.Context) error {
	var credential struct {
		TrailKey string `json:"trail_key"`
	}
	b, err := os.ReadFile(s.credential)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &credential); err != nil {
		return err
	}
	export := filepath.Join(s.dir, "trail.jsonl")
	if _, err := tool(ctx, s.collectBin, "audit", "export", export, "-data", s.collectDir); err != nil {
		return err
	}
	var report struct {
		Size     int64
		Verified bool
	}
	if err := toolJSON(ctx, &report, s.collectBin, "audit", "verify", "-key", credential.TrailKey, "-checkpoint", s.checkpoint, "-export", export); err != nil {
		return err
	}
	s.outcome.TrailEntries, s.outcome.TrailVerified = report.Size, report.Verified
	say("  %d entries, unbroken", report.Size)
	return nil
}

// stay keeps everything up until Ctrl-C.
func (s *stage) stay(ctx context.Context) error {
	var opened struct{ URL string }
	if err := toolJSON(ctx, &opened, s.agentBin, "open", "-data", s.agentDir); err != nil {
		return err
	}
	say("\nThe owner's pages:    %s", opened.URL)
	say("The officers' pages:  %s", s.officerLink)
	say("\nOn the officers' page search at %s. Ctrl-C ends the demo.", square)
	select {
	case <-ctx.Done():
		return nil
	case <-s.agent.done:
		return fmt.Errorf("the agent ended: %s", s.agent.tail())
	case <-s.collector.done:
		return fmt.Errorf("the collector ended: %s", s.collector.tail())
	}
}
