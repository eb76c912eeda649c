package gazetteer

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"anagrafe/protocol"
	"anagrafe/protocol/csvfile"
)

// Limits of a file. Milan has 63,529 house numbers in some 8 MB, Rome about
// 300,000.
const (
	MaxFile     = 48 << 20
	maxLines    = 500_000
	maxProblems = 1000 // that a report names one by one
	maxStreet   = 120  // bytes
)

// Problem is what is wrong with one line of a file, and what to do.
type Problem struct {
	Line   int    `json:"line,omitempty"` // 0: the file as a whole
	Column string `json:"column,omitempty"`
	Error  string `json:"error"`
	Hint   string `json:"hint"`
}

// Read is a file that was read. Lines with a problem are in Problems alone.
type Read struct {
	Format    string // "ds634", "numbers", "points", "streets"; of districts "geojson"
	Lines     int    // of data; features of a GeoJSON file
	Entries   []Entry
	Districts []District
	Problems  []Problem // the first 1000
	More      int       // problems that are not listed
}

func (r *Read) wrong(line int, column, what, hint string) {
	if len(r.Problems) == maxProblems {
		r.More++
		return
	}
	r.Problems = append(r.Problems, Problem{line, column, what, hint})
}

// columns of a file of addresses, by the names that are known, in the form of
// csvfile.ColumnName.
var columns = map[string][]string{
	"kind":      {"tipo", "tipo_via"}, // of street, where it stands apart from its name
	"name":      {"denominazione", "descrittivo"},
	"street":    {"street", "via", "indirizzo_via", "nome_via", "name"},
	"house":     {"numerocompleto", "number", "numero_completo", "civico"},
	"postcode":  {"cap", "postcode"},
	"municipio": {"municipio"},
	"nil":       {"nil"},
	"lon":       {"long_wgs84", "lon", "longitudine", "longitude", "lng"},
	"lat":       {"lat_wgs84", "lat", "latitudine", "latitude"},
	"source":    {"source"},
	"west":      {"west"}, "south": {"south"}, "east": {"east"}, "north": {"north"},
	"sources": {"sources"},
}

// table is a file with its columns found.
type table struct {
	csvfile.Table
	at map[string]int
}

func (t table) has(column string) bool { _, ok := t.at[column]; return ok }

func (t table) value(row csvfile.Row, column string) string {
	i, ok := t.at[column]
	if !ok || i >= len(row.Fields) {
		return ""
	}
	return strings.Join(strings.Fields(row.Fields[i]), " ")
}

// ReadAddresses reads a file of house numbers, points or streets, and checks all
// of its lines.
func ReadAddresses(file []byte) *Read {
	r := &Read{}
	if len(file) > MaxFile {
		r.wrong(0, "", fmt.Sprintf("the file is over %d MiB", MaxFile>>20), "import it in parts, each with a name of its own")
		return r
	}
	read, bad := csvfile.Read(file, maxLines)
	if bad != nil {
		r.wrong(bad.Line, "", formProblems[bad.Key], "save it again as CSV, UTF-8, with ; or , between the columns")
		return r
	}
	t := table{read, make(map[string]int)}
	for name, known := range columns {
		for _, k := range known { // the first of the known names wins
			if i := slices.IndexFunc(read.Header, func(h string) bool { return csvfile.ColumnName(h) == k }); i >= 0 {
				t.at[name] = i
				break
			}
		}
	}
	if !r.format(t) {
		return r
	}
	for _, row := range t.Rows {
		r.Lines++
		if e, ok := r.entry(t, row); ok {
			r.Entries = append(r.Entries, e)
		}
	}
	return r
}

var formProblems = map[string]string{
	"encoding": "the file is no text in UTF-8 or Windows-1252", "empty": "the file has no lines", "unreadable": "the file cannot be read as CSV",
	"quotes": "a quotation mark is not closed", "columns": "there are too many columns", "lines": fmt.Sprintf("there are more than %d lines", maxLines),
}

// format tells the kind of file by its columns.
func (r *Read) format(t table) bool {
	switch {
	case t.has("name") && t.has("house"):
		r.Format = "ds634"
	case t.has("street") && t.has("house") && t.has("source"):
		r.Format = "points"
	case t.has("street") && t.has("house"):
		r.Format = "numbers"
	case t.has("street") && t.has("west"):
		r.Format = "streets"
	default:
		r.wrong(1, "", "no columns of street and number are known", "house numbers need TIPO, DENOMINAZIONE, NUMEROCOMPLETO, or street, number; an index of streets name, west, south, east, north")
		return false
	}
	for _, c := range []string{"lon", "lat"} {
		if !t.has(c) {
			r.wrong(1, "", "no column "+c+" is known", "name it "+strings.ToUpper(columns[c][0])+", "+c+" or "+columns[c][2]+"; degrees of WGS84")
			return false
		}
	}
	return true
}

func (r *Read) entry(t table, row csvfile.Row) (e Entry, ok bool) {
	get := func(column string) string { return t.value(row, column) }
	before := len(r.Problems) + r.More
	e = Entry{Street: get("street"), House: get("house"), Postcode: get("postcode"), NIL: get("nil")}
	if r.Format == "ds634" {
		e.Street = strings.TrimSpace(get("kind") + " " + get("name"))
	}
	if m := get("municipio"); m != "" {
		e.Municipio = "Municipio " + m
	}
	if !postcode.MatchString(e.Postcode) {
		e.Postcode = ""
	}
	e.At.Lon = r.degrees(t, row, "lon", 180)
	e.At.Lat = r.degrees(t, row, "lat", 90)
	r.rank(&e, get("source"), get("sources"))
	switch {
	case !named(e.Street) && (r.Format == "points" || r.Format == "streets"):
		return e, false // what a list of other things gives no street is of no use, and no error
	case !named(e.Street):
		r.wrong(row.Line, "", "the street is missing or too long", "give the line a street, or take it out")
	}
	if e.House != "" {
		h, ok := parseHouse(e.House)
		if !ok && r.Format != "points" {
			r.wrong(row.Line, t.Header[t.at["house"]], fmt.Sprintf("%.20q is no house number", e.House), "write 7, 7a, 7/2 or 3p01")
		}
		e.House = h.String()
	} else if r.Format == "ds634" || r.Format == "numbers" {
		r.wrong(row.Line, t.Header[t.at["house"]], "the number is missing", "give the line a number, or take it out")
	}
	if len(r.Problems)+r.More > before {
		return e, false
	}
	if !e.At.Placed() {
		r.wrong(row.Line, "", "longitude and latitude are 0", "give the line its place, or take it out")
		return e, false
	}
	if r.Format == "streets" {
		e.ReachM = r.reach(t, row, e.At)
	}
	return e, len(r.Problems)+r.More == before
}

// named reports whether a street has a name besides its kind.
func named(street string) bool {
	n := nameOf(street)
	return len(street) <= maxStreet && len(n.words) > 0 && (n.kind != "" || !kinds[n.words[0].text] || len(n.words) > 1)
}

func (r *Read) degrees(t table, row csvfile.Row, column string, most float64) int32 {
	typed := t.value(row, column)
	f, ok := csvfile.Number(typed)
	if !ok || math.Abs(f) > most {
		r.wrong(row.Line, t.Header[t.at[column]], fmt.Sprintf("%.20q is no position in degrees", typed), "write degrees of WGS84, e.g. 9.189982 or 9,189982")
		return 0
	}
	return int32(math.Round(f * 1e6))
}

// reach is the distance from the middle to the farthest corner of a street's box.
func (r *Read) reach(t table, row csvfile.Row, at protocol.Point) int {
	most := 0.0
	for _, corner := range [][2]string{{"west", "south"}, {"west", "north"}, {"east", "south"}, {"east", "north"}} {
		p := protocol.Point{Lon: r.degrees(t, row, corner[0], 180), Lat: r.degrees(t, row, corner[1], 90)}
		most = max(most, protocol.DistanceM(at, p))
	}
	return int(math.Ceil(most))
}

// roughSources are lists whose points stand near the number that they name: the
// stops and charging columns of ATM and A2A.
var roughSources = set("fermate_atm colonnine")

// carefulSources write streets as the Comune does.
var carefulSources = set("osm farmacie botteghe_storiche poste")

// rank says how far to rely on a line, and takes off what such lists write into
// the name of a street.
func (r *Read) rank(e *Entry, source, sources string) {
	switch r.Format {
	case "ds634", "numbers":
		return
	case "streets":
		if e.Rank = 2; strings.Contains(sources, "civici") {
			e.Rank = 0
		} else if slices.ContainsFunc(strings.Split(sources, "+"), func(s string) bool { return carefulSources[s] }) {
			e.Rank = 1
		}
	default:
		e.Rank, e.Rough = 2, roughSources[source]
		if carefulSources[source] {
			e.Rank = 1
		}
	}
	e.tidy()
}

var (
	// numberInName: "Corso Lodi 2m01".
	numberInName = regexp.MustCompile(`^(.*\S) (\d{1,4}[a-z]{0,3}\d{2})$`)
	// beside: "Via Padova Fronte Civico", "Viale Umbria Prima di C.so", "Piazza Trento-Viale Isonzo".
	beside = regexp.MustCompile(`(?i)(,| fronte\b| fc\.?$| prima di\b| dopo\b| altezza\b| civ\.?$|/|-(via|viale|piazza|parcheggio)\b| ang\. ).*$`)
)

func (e *Entry) tidy() {
	if m := numberInName.FindStringSubmatch(e.Street); m != nil {
		if e.Street = m[1]; e.House == "" {
			e.House = m[2]
		}
	}
	if cut := beside.ReplaceAllString(e.Street, ""); cut != e.Street {
		e.Street, e.Rough = strings.TrimSpace(cut), true
	}
}
