package installer

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol/pages/pagestest"
)

// The invented address that is searched for, and the camera's name on its recorder.
const (
	officineStreet = "Via delle Officine"
	searched       = "via delle officine 7"
	channel        = "Cortile officina"
)

// scene is what a journey goes through: the two real programs, and a recorder with
// one confirmed camera, whose footage can be asked for.
type scene struct {
	t                   *testing.T
	collectorDir, owner string // directories of the two programs
	consult, public     string // addresses of pages, http://host:port
}

// newScene starts both programs, imports two house numbers, and has an owner beside
// it confirm the camera. The consultation pages are at localhost, since passkeys
// want a name, the others at numbers, since cookies know no ports.
func newScene(t *testing.T) *scene {
	t.Helper()
	dir := t.TempDir()
	_, port, err := net.SplitHostPort(freeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{t: t, collectorDir: filepath.Join(dir, "collector"), owner: filepath.Join(dir, "agent"), consult: "http://localhost:" + port}
	agents, public := freeAddr(t), freeAddr(t)
	s.public = "http://" + strings.Replace(public, "127.0.0.1", "localhost", 1)
	collector := launch(t, "anagrafe-collector", "serve", "-data", s.collectorDir, "-public-url", s.public, "-consult-url", s.consult,
		"-listen-agents", agents, "-listen-public", public, "-listen-ops", freeAddr(t), "-listen-consult", "127.0.0.1:"+port, "-listen-metrics", "off")
	collector.until("the collector", listening(filepath.Join(s.collectorDir, "control.sock")))

	houses := filepath.Join(dir, "civici.csv")
	if err := os.WriteFile(houses, []byte("street,number,lon,lat\n"+officineStreet+",7,9.190000,45.464000\n"+officineStreet+",9,9.190300,45.464000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.collector("addresses", houses)
	s.adhere(s.recorder())
	return s
}

// recorder starts the device: three days of footage of the channel.
func (s *scene) recorder() *cameratest.Device {
	s.t.Helper()
	conversation, err := cameratest.LoadDir(filepath.Join("..", "testdata", "cameras", "recorders", "officina-frigate"))
	if err != nil {
		s.t.Fatal(err)
	}
	now := time.Now()
	d, err := cameratest.Start(conversation, cameratest.Options{Auth: cameratest.AuthNone,
		Footage: &cameratest.Footage{Channels: map[string][]cameratest.Stretch{"cortile": {{From: now.Add(-72 * time.Hour), Until: now.Add(time.Hour)}}}}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = d.Close() })
	return d
}

// adhere enrols an agent, and does by its commands what an owner does: whom to call,
// where the camera hangs, yes.
func (s *scene) adhere(d *cameratest.Device) {
	s.t.Helper()
	agent := launch(s.t, "anagrafe-agent", "run", "-data", s.owner, "-interface", "lo", "-target", d.Address().String(), "-listen-pages", freeAddr(s.t))
	agent.until("the agent", listening(filepath.Join(s.owner, "control.sock")))
	var invitation struct{ Link string }
	if err := json.Unmarshal(s.collector("invite", "-site", "Officina Bianchi", "-category", "shop", "-address", officineStreet+" 9", "-json"), &invitation); err != nil {
		s.t.Fatal(err)
	}
	s.agent("enrol", invitation.Link)
	var id string
	agent.until("the recorder's camera", func() bool {
		var list struct {
			Cameras []struct {
				ID     string
				Values struct{ Name string }
			}
		}
		mustJSON(s.t, &list, "anagrafe-agent", "cameras", "-data", s.owner)
		for _, c := range list.Cameras {
			if c.Values.Name == channel {
				id = c.ID
			}
		}
		return id != ""
	})
	s.agent("contact", "-name", "Ada Bianchi", "-role", "owner", "-phone", "+39 02 5550 0100", "-hours", "9-19")
	s.agent("set", id, "-outdoor-public", "yes", "-lon", "9.190300", "-lat", "45.464000", "-accuracy", "3", "-direction", "270", "-angle", "80", "-range", "60")
	s.agent("approve", id)
	agent.until("the acknowledgement", func() bool {
		var box struct {
			Messages []struct{ Kind, State string }
		}
		mustJSON(s.t, &box, "anagrafe-agent", "outbox", "-data", s.owner)
		for _, m := range box.Messages {
			if m.Kind == "declaration" && m.State == "acknowledged" {
				return true
			}
		}
		return false
	})
}

// listening tells whether somebody answers at a socket.
func listening(socket string) func() bool {
	return func() bool {
		c, err := net.Dial("unix", socket)
		if err != nil {
			return false
		}
		_ = c.Close()
		return true
	}
}

// collector and agent run a command of one of the programs.
func (s *scene) collector(args ...string) []byte {
	s.t.Helper()
	return s.run("anagrafe-collector", s.collectorDir, args)
}

func (s *scene) agent(args ...string) []byte {
	s.t.Helper()
	return s.run("anagrafe-agent", s.owner, args)
}

func (s *scene) run(name, dir string, args []string) []byte {
	s.t.Helper()
	out, err := command(s.t, name, append(args, "-data", dir)...)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// anOfficer are the commands that make a force, its administrator and an officer, whose
// credential goes to file; the collector of dir is running.
func anOfficer(dir, file string) [][]string {
	return [][]string{
		{"force", "add", "Questura", "-data", dir, "-act", "prova", "-identity", file + ".identity"},
		{"user", "add", "Dirigente", "-data", dir, "-role", "force-admin", "-force", "Questura", "-credential", file + ".admin"},
		{"user", "add", "Agente di prova", "-as", file + ".admin", "-role", "officer", "-qualification", "agente di PG", "-credential", file},
	}
}

// newOfficer makes a force, whose own administrator makes an officer in their page,
// who makes a passkey and signs out again, all in the tab; the passkey stays in it. It
// gives the trail's verifier key, as the administrator's credential file names it.
func (s *scene) newOfficer(tab *pagestest.Tab, force string) (trailKey string) {
	s.t.Helper()
	dir := s.t.TempDir()
	credential := filepath.Join(dir, "dirigente.json")
	s.collector("force", "add", force, "-act", "prova", "-identity", filepath.Join(dir, "force.identity"))
	var added struct{ Link string }
	if err := json.Unmarshal(s.collector("user", "add", "Dirigente della "+force, "-role", "force-admin", "-force", force, "-credential", credential, "-json"), &added); err != nil {
		s.t.Fatal(err)
	}
	const makePasskey = "main form[data-passkey] button"
	signOut := func() {
		tab.Visit("/account")
		tab.Press("form[action='/logout'] button")
	}
	device := tab.Authenticator()
	tab.Visit(added.Link)
	tab.Press("main form button")
	tab.Press(makePasskey)
	tab.Visit("/force")
	tab.Fill("#name", "M. Rossi della "+force)
	tab.Fill("#qualification", "ufficiale di PG")
	tab.Press("section form.stack button[type=submit]")
	link := pagestest.Eval[string](tab, `document.querySelector("main code").textContent`)
	signOut()
	device.Unplug()
	tab.Authenticator()
	tab.Visit(link)
	tab.Press("main form button")
	tab.Press(makePasskey)
	signOut()

	var named struct {
		TrailKey string `json:"trail_key"`
	}
	content, err := os.ReadFile(credential)
	if err == nil {
		err = json.Unmarshal(content, &named)
	}
	if err != nil || named.TrailKey == "" {
		s.t.Fatalf("%s, %v", content, err)
	}
	return named.TrailKey
}

// ownersPages opens the agent's own pages in a browser.
func (s *scene) ownersPages(width int64) *pagestest.Tab {
	s.t.Helper()
	var opened struct{ URL string }
	mustJSON(s.t, &opened, "anagrafe-agent", "open", "-data", s.owner)
	origin := opened.URL[:strings.Index(opened.URL[len("http://"):], "/")+len("http://")]
	tab := pagestest.Open(s.t, origin, width, 900)
	tab.Visit(opened.URL)
	tab.Press("main form button")
	return tab
}
