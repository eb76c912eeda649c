package installer

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"anagrafe/collector/basemap/maptest"
)

// TestMap: with both real programs, an owner's pages get the map and the addresses
// through the agent's own connection; they are still there when the collector is
// gone and the agent was started again, and what was never asked for is not.
func TestMap(t *testing.T) {
	dir := t.TempDir()
	s := &scene{t: t, collectorDir: filepath.Join(dir, "collector"), owner: filepath.Join(dir, "agent")}
	houses := filepath.Join(dir, "civici.csv")
	if err := os.WriteFile(houses, []byte("street,number,lon,lat\n"+officineStreet+",7,9.190000,45.464000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	base := maptest.Write(t, maptest.Margin, maptest.Building{Rings: [][][2]float64{{{9.19, 45.46}, {9.191, 45.46}, {9.191, 45.461}, {9.19, 45.46}}}})
	agents, pages := freeAddr(t), freeAddr(t)
	collector := launch(t, "anagrafe-collector", "serve", "-data", s.collectorDir, "-public-url", "http://localhost", "-basemap", base, "-listen-agents", agents,
		"-listen-public", freeAddr(t), "-listen-ops", freeAddr(t), "-listen-consult", freeAddr(t), "-listen-metrics", "off")
	collector.until("the collector", listening(filepath.Join(s.collectorDir, "control.sock")))
	s.collector("addresses", houses)
	start := func() *process {
		agent := launch(t, "anagrafe-agent", "run", "-data", s.owner, "-interface", "lo", "-listen-pages", pages)
		agent.until("the agent", listening(filepath.Join(s.owner, "control.sock")))
		return agent
	}
	agent := start()
	if status, body := s.ask(tile); status != http.StatusServiceUnavailable {
		t.Errorf("a tile before the enrolment: %d %s", status, body)
	}
	var invitation struct{ Link string }
	if err := json.Unmarshal(s.collector("invite", "-site", "Officina Bianchi", "-category", "shop", "-address", officineStreet+" 7", "-json"), &invitation); err != nil {
		t.Fatal(err)
	}
	s.agent("enrol", invitation.Link)
	agent.until("a tile of the map", func() bool { status, _ := s.ask(tile); return status == http.StatusOK })

	address := "/places?q=" + strings.ReplaceAll(officineStreet, " ", "+") + "+7"
	look := func(when string) {
		t.Helper()
		if status, body := s.ask(tile); status != http.StatusOK || !strings.Contains(body, "building") {
			t.Errorf("%s: a tile gives %d, %d bytes", when, status, len(body))
		}
		if status, body := s.ask(address); status != http.StatusOK || !strings.Contains(body, `"lon": 9.19,`) || !strings.Contains(body, `"sure": true`) {
			t.Errorf("%s: the address gives %d %s", when, status, body)
		}
	}
	look("with the collector")
	if status, body := s.ask("/map/14/1/1"); status != http.StatusNoContent {
		t.Errorf("where nothing is: %d %s", status, body)
	}
	s.diagnosed()

	collector.kill()
	look("without the collector")
	agent.kill() // nothing is closed
	agent = start()
	look("after a start without the collector")
	for _, never := range []string{"/map/14/8611/5863", "/places?q=via+mai+cercata"} {
		if status, body := s.ask(never); status != http.StatusServiceUnavailable {
			t.Errorf("%s without the collector: %d %s", never, status, body)
		}
	}

	agent.kill()

	if strings.Contains(collector.log.String(), officineStreet) {
		t.Error("the collector's log tells what was looked up")
	}
}

// tile is one that the test's map has.
const tile = "/map/14/8610/5864"

// ask makes one request of the owner's agent, as the command line does.
func (s *scene) ask(path string) (status int, body string) {
	s.t.Helper()
	only := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(s.owner, "control.sock"))
	}}
	defer only.CloseIdleConnections()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://agent"+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	answer, err := (&http.Client{Transport: only}).Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

// diagnosed asks the doctor about the map.
func (s *scene) diagnosed() {
	s.t.Helper()
	out, _ := command(s.t, "anagrafe-agent", "doctor", "-json", "-data", s.owner) // it may find something else wrong
	var d struct {
		Findings []struct{ Part, State, Found string }
	}
	if err := json.Unmarshal(out, &d); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	said := map[string]string{}
	for _, f := range d.Findings {
		said[f.Part] = f.State + ": " + f.Found
	}
	if said["map"] != "good: the collector gives the map and the addresses" || !strings.HasPrefix(said["kept"], "good: ") || !strings.Contains(said["kept"], "MiB") {
		s.t.Errorf("the doctor says %v", said)
	}
}
