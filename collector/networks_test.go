package main

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"anagrafe/collector/registry"
)

// configured is the configuration of a file with these lines.
func configured(t *testing.T, lines string) (Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "collector.toml")
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := readConfig("", file)
	if err == nil {
		err = c.check()
	}
	return c, err
}

func TestNetworksOfTheForces(t *testing.T) {
	const allow = `consult_allow = ["10.0.0.0/8"]` + "\n"
	for name, c := range map[string]struct{ lines, want string }{
		"nothing":                   {``, ""},
		"loopback alone":            {`listen_consult = "[::1]:8082"`, ""},
		"the network, nobody let":   {`listen_consult = ":8082"`, "consult_allow names no network"},
		"an address, nobody let":    {`listen_consult = "192.0.2.1:8082"`, "consult_allow names no network"},
		"the network, a force's":    {allow + `listen_consult = ":8082"`, ""},
		"no port":                   {`listen_consult = "127.0.0.1"`, "not HOST:PORT"},
		"no network":                {`consult_allow = ["10.0.0.0"]`, "consult_allow"},
		"host bits":                 {`consult_allow = ["10.1.2.3/8"]`, "did you mean 10.0.0.0/8, or 10.1.2.3/32"},
		"IPv4 in IPv6":              {`consult_allow = ["::ffff:10.0.0.0/104"]`, "write IPv4 networks"},
		"balancers":                 {`balancers = ["10.9.1.2/32", "fd00::/64"]`, ""},
		"a balancer's host bits":    {`balancers = ["10.9.1.2/24"]`, "did you mean"},
		"everybody a balancer":      {`balancers = ["0.0.0.0/0"]`, "names everybody"},
		"TCP without a port":        {`listen_agents_tcp = "10.9.1.2"`, "not HOST:PORT"},
		"a force":                   {allow + "[[force]]\nname = \"Questura\"\nurl = \"https://q.example\"\nallow = [\"10.1.0.0/16\"]", ""},
		"a force without a name":    {allow + "[[force]]\nurl = \"https://q.example\"", "no name"},
		"a force that says nothing": {allow + "[[force]]\nname = \"Questura\"", "says nothing"},
		"a force, misspelt":         {allow + "[[force]]\nname = \"Questura\"\nalow = [\"10.1.0.0/16\"]", "unknown key"},
		"a force twice":             {allow + "[[force]]\nname = \"Q\"\nallow = [\"10.1.0.0/16\"]\n[[force]]\nname = \"Q\"\nallow = [\"10.2.0.0/16\"]", "twice"},
		"a force that is never let": {allow + "[[force]]\nname = \"Q\"\nallow = [\"192.0.2.0/24\"]", "add it there too"},
		"host bits of a force":      {allow + "[[force]]\nname = \"Q\"\nallow = [\"10.1.2.3/16\"]", "did you mean"},
		"two of one host":           {allow + "[[force]]\nname = \"A\"\nurl = \"https://q.example\"\n[[force]]\nname = \"B\"\nurl = \"https://Q.example:444\"", "host of another"},
		"the host that all share":   {allow + "consult_url = \"https://q.example\"\n[[force]]\nname = \"A\"\nurl = \"https://q.example\"", "host of another"},
		"an address that is none":   {allow + "[[force]]\nname = \"A\"\nurl = \"q.example\"", "is not https://"},
	} {
		if _, err := configured(t, c.lines); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A force's people come in under its host name and from its networks; strangers to the
// listener are counted.
func TestAForceWithAHostNameOfItsOwn(t *testing.T) {
	o := opened(t, t.TempDir(), func(c *Config) {
		c.ConsultURL = "https://consult.example"
		c.ConsultAllow = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		c.Forces = []forceConfig{{Name: "Questura", URL: "https://Questura.example", Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}}
	})
	h, err := o.consultHandler()
	if err != nil {
		t.Fatal(err)
	}
	secret, hash := o.consultWeb.NewSecret()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if err := o.reg.AddForce(t.Context(), "Questura", key.Recipient().String()); err != nil {
		t.Fatal(err)
	}
	if err := o.reg.AddUser(t.Context(), registry.User{ID: uuid.NewString(), Name: "Isp. Rossi", Role: registry.RoleOfficer, Force: "Questura", SecretHash: hash, At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		from, host string
		code       int
		why        string
	}{
		"at home":          {"10.1.0.1:9", "questura.example", http.StatusOK, ""},
		"elsewhere":        {"10.2.0.1:9", "questura.example", http.StatusForbidden, "force-network"},
		"the shared host":  {"10.1.0.2:9", "consult.example", http.StatusForbidden, "force-host"},
		"outside":          {"127.0.0.1:9", "questura.example", http.StatusForbidden, "address"},
		"a host of nobody": {"10.1.0.3:9", "other.example", http.StatusMisdirectedRequest, ""},
	} {
		before := turnedAway(t, o, c.why)
		r := httptest.NewRequestWithContext(t.Context(), "GET", "https://"+c.host+"/requests", nil)
		r.RemoteAddr = c.from
		r.Header.Set("Authorization", "Bearer "+secret)
		r.Header.Set("Accept", "application/json")
		rw := httptest.NewRecorder()
		h.ServeHTTP(rw, r)
		if rw.Code != c.code {
			t.Errorf("%s: %d %s", name, rw.Code, rw.Body)
		}
		if c.why != "" && turnedAway(t, o, c.why) != before+1 {
			t.Errorf("%s is not counted", name)
		}
	}
}

// turnedAway reads the counter as Prometheus would.
func turnedAway(t *testing.T, o *collector, why string) (n float64) {
	t.Helper()
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(o.turnedAway)
	families, err := metrics.Gather()
	if err != nil || len(families) != 1 || families[0].GetName() != "anagrafe_consult_refused_total" {
		t.Fatal(families, err)
	}
	for _, m := range families[0].GetMetric() {
		if m.GetLabel()[0].GetValue() == why {
			n = m.GetCounter().GetValue()
		}
	}
	return n
}
