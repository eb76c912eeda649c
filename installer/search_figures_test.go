//go:build bench

package installer

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"

	"anagrafe/collector/registry"
	"anagrafe/collector/registry/pgtest"
	"anagrafe/collector/registry/registrytest"
	find "anagrafe/collector/search"
	"anagrafe/protocol"
)

// A city has 300 private cameras a square kilometre here, so that 85 hang within
// 300 m of a place; a larger register is a larger city.
const (
	perKm2  = 300
	perSite = 10
	// peerQueries is how many of the queries the peers are asked too.
	searchQueries = 3000
	peerQueries   = 300
)

var searchNow = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// bench is what one camera is for all that are asked about it.
type benchCamera struct {
	id, site                string
	at                      protocol.Point
	direction, angle, reach int
	keep                    time.Duration
	from                    time.Time
	continuous              bool
}

// searchFigures measures searches of 300 m with time and field of view, against
// PostGIS, SQLite's R*Tree and a plain grid in memory that is asked for the radius
// alone. All are asked the same, one after the other, query by query.
//
// Where a search's time goes (83 hits among some 210 cameras of 13 cells, some 1 µs a
// hit on a busy machine): a third is looking (protocol.See, and with 1.5 million
// cameras waiting for memory: two lines a camera and one for its site), a sixth what
// footage there is (protocol.FootageRecorded), a seventh the order, a tenth each the
// doubts, the series made ready for them and room for hits of 256 bytes. Places apart
// from records in a cell changed nothing that could be measured with 100 thousand cameras.
// The next step is doubts that compare microseconds: a hit makes eight times of them.
func searchFigures(t *testing.T) (all []figure) {
	type size struct {
		name string
		n    int
	}
	sizes := []size{{"35k", 35_000}, {"100k", 100_000}}
	if *full {
		sizes = []size{{"1500k", 1_500_000}}
	}
	for _, size := range sizes {
		all = append(all, searchOf(t, size.name, size.n)...)
	}
	return all
}

func searchOf(t *testing.T, name string, n int) []figure {
	t.Helper()
	dice := rand.New(rand.NewPCG(uint64(n), 7))
	side := int32(math.Sqrt(float64(n)/perKm2) * 1000) // metres
	cameras := make([]benchCamera, n)
	for i := range cameras {
		cameras[i] = someCamera(dice, i, side)
	}
	x, perCamera := fillIndex(t, cameras)
	grid := newPlainGrid(cameras)
	postgis, rtree := fillPostGIS(t, cameras), fillRTree(t, cameras)
	sizeOf := float64(n)
	cameras = nil
	runtime.GC()

	var ours, floor, gis, tree []float64
	hits, peerHits := 0, 0
	for i := range searchQueries {
		q := find.Query{In: find.Circle{At: placeIn(dice, side), RadiusM: 300},
			From: searchNow.Add(-time.Duration(dice.IntN(96)) * time.Hour).Add(-time.Duration(dice.IntN(60)) * time.Minute), Now: searchNow}
		floor = append(floor, timed(t, func() error { hits -= len(grid.within(q.In.(find.Circle))); return nil }))
		ours = append(ours, timed(t, func() error {
			a, err := x.Search(t.Context(), q)
			hits += len(a.Hits)
			return err
		}))
		if i >= peerQueries {
			continue
		}
		a, err := x.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		peerHits += len(a.Hits)
		for _, peer := range []struct {
			ask  func(context.Context, find.Query) (int, error)
			took *[]float64
		}{{postgis.ask, &gis}, {rtree.ask, &tree}} {
			*peer.took = append(*peer.took, timed(t, func() error {
				n, err := peer.ask(t.Context(), q)
				if d := n - len(a.Hits); d > 1 || d < -1 { // at the edge they reckon in other ways
					t.Errorf("%d of %d found", n, len(a.Hits))
				}
				return err
			}))
		}
	}
	if hits != 0 || peerHits < 50*peerQueries {
		t.Errorf("%d hits more than the grid's, %d in %d queries: this is no measurement", hits, peerHits, peerQueries)
	}
	at := func(s []float64, part float64) float64 { return s[int(float64(len(s)-1)*part)] }
	for _, s := range [][]float64{ours, floor, gis, tree} {
		slices.Sort(s)
	}
	what := fmt.Sprintf("300 m, time and field of view, %s cameras, %d hits", name, peerHits/peerQueries)
	p50, p99 := at(ours, 0.5), at(ours, 0.99)
	all := []figure{
		atMost("search_p50."+name, what+", against the grid asked for the radius alone", p50*1e6, "us", at(floor, 0.5)*1e6, 4),
		timesFaster("search_p50."+name+".postgis", "against PostGIS", p50*1e6, at(gis, 0.5)*1e6, 20),
		timesFaster("search_p50."+name+".rtree", "against SQLite's R*Tree", p50*1e6, at(tree, 0.5)*1e6, 5),
		bounded("search_p99."+name, what, p99*1e6, "us", 1000),
		atMost("search_p99."+name+".grid", "against the grid", p99*1e6, "us", at(floor, 0.99)*1e6, 20),
		timesFaster("search_p99."+name+".postgis", "against PostGIS", p99*1e6, at(gis, 0.99)*1e6, 1),
		timesFaster("search_p99."+name+".rtree", "against SQLite's R*Tree", p99*1e6, at(tree, 0.99)*1e6, 1),
	}
	for i := range all {
		all[i].Unit = "us"
	}
	if sizeOf >= 1_000_000 {
		all = append(all, bounded("index.bytes", fmt.Sprintf("memory of the index for each camera, of which %d are its packed facts", find.Bytes), perCamera, "bytes", 300))
	}
	return all
}

func someCamera(dice *rand.Rand, i int, side int32) benchCamera {
	ages := []time.Duration{24 * time.Hour, 72 * time.Hour, 168 * time.Hour}
	return benchCamera{id: uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, i)).String(), site: uuid.NewSHA1(uuid.NameSpaceURL, fmt.Append(nil, i/perSite)).String(),
		at: placeIn(dice, side), direction: dice.IntN(360), angle: 60 + dice.IntN(60), reach: 20 + dice.IntN(80),
		keep: ages[dice.IntN(len(ages))], from: searchNow.AddDate(0, 0, -dice.IntN(80)-10).Truncate(time.Second), continuous: dice.IntN(3) > 0}
}

const (
	metresPerLon = 78_180 // a degree at 45.46 degrees north
	metresPerLat = 111_150
)

func placeIn(dice *rand.Rand, side int32) protocol.Point {
	east, north := dice.Float64()*float64(side), dice.Float64()*float64(side)
	return protocol.Point{Lon: 9_000_000 + int32(east/metresPerLon*1e6), Lat: 45_400_000 + int32(north/metresPerLat*1e6)}
}

// fillIndex packs sites of ten, and gives the bytes that the index takes for each
// camera.
func fillIndex(t *testing.T, cameras []benchCamera) (*find.Index, float64) {
	t.Helper()
	dir := t.TempDir()
	r := registrytest.Open(t, registrytest.Options(dir, quiet))
	x := find.New(r, quiet)
	before := heap()
	for i := 0; i < len(cameras); i += perSite {
		f := registry.Facts{SiteID: cameras[i].site, Category: "pharmacy"}
		for _, c := range cameras[i : i+perSite] {
			f.Cameras = append(f.Cameras, c.facts())
		}
		x.Fill(f)
	}
	return x, (heap() - before) / float64(len(cameras))
}

func heap() float64 {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// facts are those of a camera that was declared, and looked at every day since.
func (c benchCamera) facts() registry.CameraFacts {
	fact := protocol.Fact{Source: protocol.Confirmed, At: c.from}
	v := registry.CameraVersion{ValidFrom: c.from, Camera: protocol.Camera{ID: c.id,
		Position: protocol.Position{Point: c.at, AccuracyM: 3, Method: "map", Fact: fact},
		View:     protocol.View{DirectionDeg: &c.direction, AngleDeg: &c.angle, RangeM: &c.reach, WidthPx: 1920, HeightPx: 1080, Fact: fact}}}
	s := protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Motion, Zone: "Europe/Rome", Fact: fact}
	if c.continuous {
		s.Mode = protocol.Continuous
	}
	kept := protocol.Retention{Kind: protocol.RetentionAge, Age: c.keep, Fact: fact}
	looked := kept
	looked.ObservedAt = searchNow.Add(-5 * time.Hour)
	looked.OldestFootage = looked.ObservedAt.Add(-c.keep)
	return registry.CameraFacts{ID: c.id, Versions: []registry.CameraVersion{v}, Schedules: []protocol.Era[protocol.Schedule]{{From: c.from, Value: s}},
		Retentions: []protocol.Era[protocol.Retention]{{From: c.from, Value: kept}, {From: looked.ObservedAt, Value: looked}}}
}

// plainGrid is what anybody would write first: points by cell, and the distance of
// each that lies in a cell that the circle touches.
type plainGrid struct {
	cells map[[2]int32][]plainPoint
}

type plainPoint struct {
	at protocol.Point
	n  int32
}

const plainCell = 5000 // microdegrees, twice the index's

func newPlainGrid(cameras []benchCamera) plainGrid {
	g := plainGrid{make(map[[2]int32][]plainPoint)}
	for i, c := range cameras {
		cell := [2]int32{c.at.Lon / plainCell, c.at.Lat / plainCell}
		g.cells[cell] = append(g.cells[cell], plainPoint{c.at, int32(i)})
	}
	return g
}

func (g plainGrid) within(c find.Circle) (all []int32) {
	lon, lat := int32(c.RadiusM*1_000_000/metresPerLon)+1000, int32(c.RadiusM*1_000_000/metresPerLat)+1000
	for x := (c.At.Lon - lon) / plainCell; x <= (c.At.Lon+lon)/plainCell; x++ {
		for y := (c.At.Lat - lat) / plainCell; y <= (c.At.Lat+lat)/plainCell; y++ {
			for _, p := range g.cells[[2]int32{x, y}] {
				if protocol.DistanceM(p.at, c.At) <= float64(c.RadiusM) {
					all = append(all, p.n)
				}
			}
		}
	}
	return all
}

// peer is a database that is asked the same.
type peer struct {
	ask func(context.Context, find.Query) (int, error)
}

// row is a camera as both databases have it.
func (c benchCamera) row() []any {
	return []any{c.id, c.site, degrees(c.at.Lon), degrees(c.at.Lat), c.direction, c.angle, c.reach, int64(c.keep / time.Second), c.from.Unix(), c.continuous}
}

func degrees(micro int32) float64 { return float64(micro) / 1e6 }

var peerColumns = []string{"id", "site", "lon", "lat", "direction", "angle", "reach", "keep", "from_at", "continuous"}

// fillPostGIS has a table of cameras with an index over their geography.
func fillPostGIS(t *testing.T, cameras []benchCamera) peer {
	t.Helper()
	server, err := pgtest.Start(t.Context(), "shared_buffers=1GB")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	c, err := pgx.Connect(t.Context(), server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	run := func(statement string) {
		if _, err := c.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v (PostGIS comes with make bench)", statement, err)
		}
	}
	run("CREATE EXTENSION postgis")
	run(`CREATE TABLE cameras (id uuid, site uuid, lon float8, lat float8, direction int, angle int, reach int, keep bigint, from_at bigint, continuous bool)`)
	if _, err := c.CopyFrom(t.Context(), pgx.Identifier{"cameras"}, peerColumns, pgx.CopyFromSlice(len(cameras), func(i int) ([]any, error) {
		return cameras[i].row(), nil
	})); err != nil {
		t.Fatal(err)
	}
	run("ALTER TABLE cameras ADD COLUMN place geography(Point, 4326)")
	run("UPDATE cameras SET place = ST_SetSRID(ST_MakePoint(lon, lat), 4326)::geography")
	run("CREATE INDEX ON cameras USING gist (place)")
	run("VACUUM ANALYZE cameras")
	return peer{func(ctx context.Context, q find.Query) (n int, err error) {
		in := q.In.(find.Circle)
		rows, err := c.Query(ctx, `WITH near AS (SELECT *, ST_Distance(place, p) AS metres, degrees(ST_Azimuth(place, p)) AS bearing
				FROM cameras, (SELECT ST_SetSRID(ST_MakePoint($1, $2), 4326)::geography AS p) AS asked WHERE ST_DWithin(place, p, $3))
			SELECT id, site, CASE WHEN $4 + keep < $5 THEN 'C' WHEN metres <= reach AND abs(mod((bearing - direction + 540)::numeric, 360) - 180) <= angle / 2.0 THEN 'A' ELSE 'B' END AS class,
				greatest($4 + keep - $5, 0) AS remains, metres, bearing, from_at > $4, continuous FROM near ORDER BY class, remains, metres, id, site`,
			degrees(in.At.Lon), degrees(in.At.Lat), in.RadiusM, q.From.Unix(), q.Now.Unix())
		if err != nil {
			return 0, err
		}
		for rows.Next() {
			if _, err := rows.Values(); err != nil {
				return n, err
			}
			n++
		}
		return n, rows.Err()
	}}
}

// fillRTree has an R*Tree of the places, joined to a table of cameras.
func fillRTree(t *testing.T, cameras []benchCamera) peer {
	t.Helper()
	d, err := sql.Open("sqlite3", "file:"+filepath.Join(t.TempDir(), "rtree.db")+"?_journal_mode=WAL&_synchronous=OFF&_cache_size=-262144&_stmt_cache_size=10")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	d.SetMaxOpenConns(1)
	run := func(statement string) {
		if _, err := d.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	run("CREATE TABLE cameras (n INTEGER PRIMARY KEY, id TEXT, site TEXT, lon REAL, lat REAL, east REAL, north REAL, half REAL, reach REAL, keep INTEGER, from_at INTEGER, continuous INTEGER)")
	run("CREATE VIRTUAL TABLE places USING rtree (n, west, east, south, north)")
	tx, err := d.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cameras {
		sin, cos := math.Sincos(float64(c.direction) * math.Pi / 180)
		lon, lat := degrees(c.at.Lon), degrees(c.at.Lat)
		if _, err := tx.ExecContext(t.Context(), "INSERT INTO cameras VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", i, c.id, c.site, lon, lat, sin, cos,
			math.Cos(float64(c.angle)/2*math.Pi/180), c.reach, int64(c.keep/time.Second), c.from.Unix(), c.continuous); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), "INSERT INTO places VALUES (?, ?, ?, ?, ?)", i, lon, lon, lat, lat); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	run("ANALYZE")
	return peer{func(ctx context.Context, q find.Query) (n int, err error) {
		in := q.In.(find.Circle)
		plane := protocol.PlaneAt(in.At)
		perLon, perLat := plane.Offset(protocol.Point{Lon: in.At.Lon + 1_000_000, Lat: in.At.Lat + 1_000_000})
		lon, lat, m := degrees(in.At.Lon), degrees(in.At.Lat), float64(in.RadiusM)
		// SQLite reckons no roots: squares are compared, and angles by their cosines.
		rows, err := d.QueryContext(ctx, `WITH near AS (SELECT c.*, (?1 - lon) * ?3 AS x, (?2 - lat) * ?4 AS y FROM places p CROSS JOIN cameras c ON c.n = p.n
				WHERE p.west >= ?1 - ?5 / ?3 - 1e-5 AND p.east <= ?1 + ?5 / ?3 + 1e-5 AND p.south >= ?2 - ?5 / ?4 - 1e-5 AND p.north <= ?2 + ?5 / ?4 + 1e-5)
			SELECT id, site, CASE WHEN ?6 + keep < ?7 THEN 'C'
				WHEN x*x + y*y <= reach*reach AND x*east + y*north >= 0 AND (x*east + y*north) * (x*east + y*north) >= half*half * (x*x + y*y) THEN 'A' ELSE 'B' END AS class,
				max(?6 + keep - ?7, 0) AS remains, x*x + y*y AS square, x, y, from_at > ?6, continuous FROM near WHERE x*x + y*y <= ?5 * ?5 ORDER BY class, remains, square, id, site`,
			lon, lat, perLon, perLat, m, q.From.Unix(), q.Now.Unix())
		if err != nil {
			return 0, err
		}
		defer rows.Close()
		for rows.Next() {
			var id, site, class string
			var remains int64
			var square, x, y float64
			var before, continuous bool
			if err := rows.Scan(&id, &site, &class, &remains, &square, &x, &y, &before, &continuous); err != nil {
				return n, err
			}
			n++
		}
		return n, rows.Err()
	}}
}
