//go:build long

package installer

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// keep is the sheet with the owner's link and code, as the agent gives it to the
// command line.
func (tn *town) keep() (link, code string) {
	tn.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(tn.agentDir, "control.sock"))
	}}}
	req, err := http.NewRequestWithContext(tn.t.Context(), http.MethodGet, "http://localhost/keep", nil)
	if err != nil {
		tn.t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		tn.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Sites []struct{ Link, Code string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || len(answer.Sites) != 1 {
		tn.t.Fatalf("%d sites on the sheet, %v", len(answer.Sites), err)
	}
	return answer.Sites[0].Link, answer.Sites[0].Code
}

// post sends a form to the public pages, as a browser on this machine, and gives
// the status and the cookie that was set.
func (tn *town) post(path, cookie string, form url.Values) (status int, set string) {
	tn.t.Helper()
	req, err := http.NewRequestWithContext(tn.t.Context(), http.MethodPost, "http://"+tn.public+path, strings.NewReader(form.Encode()))
	if err != nil {
		tn.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Cookie", cookie)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		tn.t.Fatal(err)
	}
	defer resp.Body.Close()
	for _, c := range resp.Cookies() {
		set = c.Name + "=" + c.Value
	}
	return resp.StatusCode, set
}

// The owner suspends, resumes and withdraws from a browser with what the receipt
// brought to the agent; the receipt itself can be checked by whoever holds it.
func TestLongOwnerFromABrowser(t *testing.T) {
	tn := newTown(t)
	collector, agent := tn.startCollector(), tn.startAgent()
	tn.enrol()
	ids := tn.answer(agent)
	tn.agent("approve", "-all")
	agent.until("the acknowledgement", func() bool { return tn.outbox("declaration")["acknowledged"] == 1 })
	tn.exactly(ids)

	var box struct {
		Messages []struct{ ID, Receipt string }
	}
	mustJSON(t, &box, "anagrafe-agent", "outbox", "-data", tn.agentDir)
	file := filepath.Join(t.TempDir(), "ricevuta.txt")
	for text, good := range map[string]bool{box.Messages[0].Receipt: true, strings.Replace(box.Messages[0].Receipt, "recorded 2", "recorded 3", 1): false} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := command(t, "anagrafe-collector", "receipt", file, "-data", tn.collectorDir)
		if (err == nil) != good || good && !strings.Contains(string(out), box.Messages[0].ID) {
			t.Errorf("the receipt that was given: %t; checked: %s, %v", good, out, err)
		}
	}

	link, code := tn.keep()
	if link != "http://localhost/site" {
		t.Errorf("link %q", link)
	}
	status, cookie := tn.post("/site", "", url.Values{"code": {code}})
	if status != http.StatusSeeOther || cookie == "" {
		t.Fatalf("the code is answered with %d", status)
	}
	act := func(what string) {
		t.Helper()
		if status, _ := tn.post("/site/"+what, cookie, nil); status != http.StatusSeeOther {
			t.Fatalf("%s: %d", what, status)
		}
	}
	act("suspend")
	tn.exactly(nil)
	act("resume")
	tn.exactly(ids)
	act("withdraw")
	tn.exactly(nil)
	if status, _ := tn.post("/site", "", url.Values{"code": {code}}); status != http.StatusUnauthorized {
		t.Errorf("after the withdrawal the code is answered with %d", status)
	}
	collector.kill()
	tn.startCollector()
	tn.exactly(nil)
	tn.agent("approve", "-all")
	var agents struct {
		Agents []struct {
			SiteIDs []string `json:"site_ids"`
		}
	}
	mustJSON(t, &agents, "anagrafe-collector", "agents", "-data", tn.collectorDir)
	if len(agents.Agents) != 1 || len(agents.Agents[0].SiteIDs) != 0 {
		t.Errorf("agents %+v", agents.Agents)
	}
}
