package installer

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// What a Comune's monitoring is given: alert rules for Prometheus and a dashboard for
// Grafana. collector/metrics_test.go holds the list of metrics that they name.

// promtool runs Prometheus' own checker in dir.
func promtool(dir string, args ...string) (string, error) {
	cmd := exec.Command("promtool", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestAlertRules(t *testing.T) {
	for _, args := range [][]string{{"check", "rules", "--lint-fatal", "alerts.yml"}, {"test", "rules", "alerts_test.yml"}} {
		if out, err := promtool("prometheus", args...); err != nil {
			t.Fatalf("promtool %s: %v (make deps installs it)\n%s", strings.Join(args, " "), err, out)
		}
	}
	tests := string(read(t, "prometheus/alerts_test.yml"))
	known := metrics(t)
	for _, m := range regexp.MustCompile(`(?m)- alert: (\w+)$`).FindAllStringSubmatch(string(read(t, "prometheus/alerts.yml")), -1) {
		for _, does := range []string{" fires\n", " is silent\n"} {
			if !strings.Contains(tests, "name: "+m[1]+does) {
				t.Errorf("no test of promtool shows that %s%s", m[1], strings.TrimSuffix(does, "\n"))
			}
		}
	}
	for _, file := range []string{"prometheus/alerts.yml", "prometheus/alerts_test.yml"} {
		for _, name := range unknown(known, string(read(t, file))) {
			t.Errorf("%s names the metric %s, which is not there", file, name)
		}
	}
}

func TestDashboard(t *testing.T) {
	var board struct {
		Panels []struct {
			Title   string `json:"title"`
			Type    string `json:"type"`
			GridPos struct{ X, W int }
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	if err := json.Unmarshal(read(t, "grafana/anagrafe.json"), &board); err != nil {
		t.Fatal(err)
	}
	known := metrics(t)
	// What Grafana puts in before Prometheus reads a query.
	filled := strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*")
	var rules, all strings.Builder
	rules.WriteString("groups:\n- name: dashboard\n  rules:\n")
	n := 0
	for _, p := range board.Panels {
		if (len(p.Targets) == 0) != (p.Type == "row") || p.Title == "" || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("the panel %q has no queries, no title or no room", p.Title)
		}
		for _, q := range p.Targets {
			n++
			fmt.Fprintf(&rules, "  - {record: 'query%d', expr: %s}\n", n, strconv.Quote(filled.Replace(q.Expr)))
			all.WriteString(q.Expr + "\n")
		}
	}
	for _, name := range unknown(known, all.String()) {
		t.Errorf("the dashboard names the metric %s, which is not there", name)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "queries.yml"), []byte(rules.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := promtool(dir, "check", "rules", "queries.yml")
	if err != nil || !strings.Contains(out, fmt.Sprintf("%d rules found", n)) || n == 0 {
		t.Errorf("promtool on the %d queries of the dashboard: %v (make deps installs it)\n%s", n, err, out)
	}
}

// metrics are the names in Prometheus of what the collector shows.
func metrics(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	for line := range strings.Lines(string(read(t, "../testdata/collector/metrics.txt"))) {
		name, kind, _ := strings.Cut(line, " ")
		if strings.HasPrefix(kind, "histogram ") {
			known[name+"_bucket"], known[name+"_sum"], known[name+"_count"] = true, true, true
			continue
		}
		known[name] = true
	}
	if len(known) == 0 {
		t.Fatal("the list of metrics is empty")
	}
	return known
}

func unknown(known map[string]bool, text string) (names []string) {
	for _, name := range regexp.MustCompile(`\banagrafe_\w+`).FindAllString(text, -1) {
		if !known[name] {
			names = append(names, name)
		}
	}
	return names
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
