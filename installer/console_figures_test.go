//go:build bench

package installer

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"anagrafe/collector/registry/pgtest"
)

const consoleAsked = 20 // times each page is opened

// consolePages are all that operators open, each list with its filters, orders and deep
// pages, and the beginnings of files; {site} is one that shares. "json:" asks as a
// program does.
var consolePages = []string{"/", "json:/", "/funnel?by=nil&over=month", "/funnel?by=municipio", "/funnel?by=category", "json:/funnel", "/funnel.csv?by=category",
	"/sites", "json:/sites?size=500", "/sites?page=1500", "/sites?page=1500&order=asc",
	"/sites?sort=heard", "/sites?sort=heard&order=asc", "/sites?sort=heard&page=1000&order=asc", "/sites?sort=enrolled&page=800", "/sites?sort=shared&order=asc&page=500",
	"/sites?state=sharing", "/sites?state=sharing&page=500&sort=heard", "/sites?state=sharing&category=bank", "/sites?state=enrolled",
	"/sites?state=withdrawn", "/sites?state=invited&page=800", "/sites?state=suspended",
	"/sites?category=shop", "/sites?trust=invitation", "/sites?municipio=Municipio+3", "/sites?nil=NIL+30&stage=confirmed", "/sites?silent=yes",
	"/sites?nil=-&stage=shared&from=2026-01-01", "/sites?stage=opened&sort=shared", "/sites?id={site}",
	"/agents", "json:/agents?size=500", "/agents?page=900", "/agents?page=500&sort=seen", "/agents?sort=seen&order=asc",
	"/agents?sort=certificate&order=asc", "/agents?expiring=yes", "/agents?silent=yes", "/agents?access=revoked", "/agents?version=v1.1.0",
	"/waves", "/queue", "json:/queue", "/queue/lines", "/queue/lines?page=500", "/queue/lines?cause=offline", "/queue/lines?cause=version",
	"/queue/lines?cause=certificate", "/queue/lines?maker=hikvision", "/queue/lines?site={site}", "/queue/letter?cause=offline",
	"/invitations", "/invitations?page=1500", "/invitations?state=opened", "/invitations?state=expired&order=asc", "/invitations?state=used&page=500",
	"/remarks", "/remarks?all=1", "json:/batches", "/sites/{site}", "json:/sites/{site}", "/users", "/forces",
	"/sites.csv", "/sites.csv?sort=heard", "/sites.csv?category=bank", "/agents.csv", "/invitations.csv", "/queue/lines.csv"}

// consoleFigures measures each page of the console with many sites
// against the same page of an empty one, on both engines: server time, through the same
// handler, with the same credential, of a file the time to its first byte. The clock
// runs ahead between two requests, so that no count stands from the one before. The
// whole file of all sites has no page's limit, nor what is read before the first page of
// the technical queue.
func consoleFigures(t *testing.T) (all []figure) {
	t.Helper()
	server, err := pgtest.Start(t.Context(), "shared_buffers=1GB")
	mustOf(t)(err)
	t.Cleanup(server.Stop)
	floors := map[string]map[string]*taken{}
	for _, sites := range []int{0, whole(100_000, 1_000)} {
		dir := t.TempDir()
		liveRegister(t, dir, sites)
		for _, engine := range []string{"sqlite", "postgres"} {
			c := openConsole(t, server, engine, dir, fmt.Sprint("sites", sites))
			took := c.times(t)
			if sites == 0 {
				floors[engine] = took
				continue
			}
			all = append(all, pagesOf(sites, engine, took, floors[engine])...)
			all = append(all, c.whole(t, sites, engine), c.firstQueue(t, sites, engine))
		}
	}
	slices.SortStableFunc(all, func(x, y figure) int { return strings.Compare(x.ID, y.ID) })
	return all
}

// openConsole is a console on an engine over what the register in dir has.
func openConsole(t *testing.T, server *pgtest.Server, engine, dir, name string) console {
	t.Helper()
	if engine == "sqlite" {
		return newConsole(t, dir, "sqlite:"+filepath.Join(dir, registerName))
	}
	database(t, server, "CREATE DATABASE "+name, "postgres")
	moveRegister(t, dir, server.URL(name))
	database(t, server, "VACUUM ANALYZE", name) // as autovacuum does within a minute
	c := newConsole(t, dir, server.URL(name))
	c.database = server.Dir
	return c
}

// taken is what requests of one page took.
type taken struct {
	ms  []float64 // server time, each
	cpu float64   // of our process, and of PostgreSQL's; milliseconds a request
}

func (k *taken) percentile(p int) float64 {
	ms := slices.Sorted(slices.Values(k.ms))
	return ms[(len(ms)*p+99)/100-1]
}

func pagesOf(sites int, engine string, took, floors map[string]*taken) (all []figure) {
	var p50s, p99s, cpus float64 // the highest
	for page, k := range took {
		path, _, _ := strings.Cut(page, "?") // an empty console has no municipio to choose
		floor := cmp.Or(floors[page], floors[path]).percentile(50)
		p50, p99 := k.percentile(50), k.percentile(99)
		f := bounded(fmt.Sprintf("console_page.%dk.%s %s", sites/1000, engine, page),
			fmt.Sprintf("p99 (p50 %.1f ms; CPU %.1f ms a request), against the empty console's p50", p50, k.cpu), p99, "ms", 200)
		ratio := p50 / floor
		f.Floor, f.Ratio = &floor, &ratio
		all = append(all, f)
		p50s, p99s, cpus = max(p50s, p50), max(p99s, p99), max(cpus, k.cpu)
	}
	return append(all, bounded(fmt.Sprintf("console_page.%dk.%s", sites/1000, engine),
		fmt.Sprintf("the slowest of %d pages, p99 (slowest p50 %.1f ms; most CPU %.1f ms a request)", len(took), p50s, cpus), p99s, "ms", 200))
}
