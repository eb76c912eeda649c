package review

import (
	"bytes"
	"encoding/csv"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/csvfile"
)

// Bounds of a file of cameras: some thousand are 500 kB.
const (
	maxFile  = 1 << 20
	maxLines = 5000
)

// wrongValue is what is wrong with a file, or a value of it; what it is and what to
// do stand in the words bulk.wrong.KEY, which take pairs.
type wrongValue struct {
	Line   int // 0: the file as a whole
	Column string
	Key    string
	Pairs  []any
}

// which are the columns that say of which camera a line is: each that is filled in
// must be right, so that a file in which one column was sorted without the others
// answers for no camera.
type which struct{ id, recorder, channel, name string }

// sheetLine is a line of a file of cameras, and what became of it.
type sheetLine struct {
	line   int
	of     which
	site   string // id or name
	edit   inventory.Edit
	camera *inventory.Camera // nil: not found
	done   inventory.Changed
	wrong  []wrongValue
}

// sheet is a file of cameras that was read.
type sheet struct {
	lines   []*sheetLine
	ignored []string     // names of columns that are not known
	wrong   []wrongValue // with the file as a whole; then there are no lines
}

// sheetColumn is a column of the file: its names, Italian and English first, what
// it reads (the key of what is wrong, "" where nothing is) and what it writes.
type sheetColumn struct {
	names []string
	read  func(l *sheetLine, typed string) string
	write func(c inventory.Camera) string
}

// sheetColumns are those of "cameras -csv", which leave out how to find a device on
// the network: the file is mailed about.
func sheetColumns() []sheetColumn {
	key := func(at func(*which) *string, write func(inventory.Camera) string, names ...string) sheetColumn {
		return sheetColumn{names, func(l *sheetLine, typed string) string { *at(&l.of) = typed; return "" }, write}
	}
	degrees := func(at func(*inventory.Edit) **float64, of func(protocol.Point) int32, names ...string) sheetColumn {
		return sheetColumn{names, func(l *sheetLine, typed string) string {
			f, ok := csvfile.Number(typed)
			*at(&l.edit) = &f
			return unless(ok, "number")
		}, func(c inventory.Camera) string {
			if !c.Values.Position.Placed() {
				return ""
			}
			return csvfile.Decimal(float64(of(c.Values.Position.Point)) / 1e6)
		}}
	}
	whole := func(at func(*inventory.Edit) **int, of func(protocol.Camera) *int, names ...string) sheetColumn {
		return sheetColumn{names, func(l *sheetLine, typed string) string {
			f, ok := csvfile.Number(typed)
			n := int(math.Round(max(-1e9, min(f, 1e9))))
			*at(&l.edit) = &n
			return unless(ok, "number")
		}, func(c inventory.Camera) string {
			if n := of(c.Values); n != nil {
				return strconv.Itoa(*n)
			}
			return ""
		}}
	}
	return []sheetColumn{
		key(func(w *which) *string { return &w.id }, func(c inventory.Camera) string { return c.ID }, "id"),
		key(func(w *which) *string { return &w.recorder }, func(c inventory.Camera) string { return recorderName(c.Device) }, "registratore", "recorder"),
		key(func(w *which) *string { return &w.channel }, func(c inventory.Camera) string { return c.Channel }, "canale", "channel"),
		key(func(w *which) *string { return &w.name }, func(c inventory.Camera) string { return c.Values.Name }, "nome", "name", "telecamera", "camera"),
		{[]string{"nuovo_nome", "new_name"}, func(l *sheetLine, typed string) string { l.edit.Name = &typed; return "" }, func(inventory.Camera) string { return "" }},
		{[]string{"area_pubblica", "outdoor_public"}, func(l *sheetLine, typed string) string {
			yes, ok := csvfile.YesNo(typed)
			l.edit.Outdoor = &yes
			return unless(ok, "yes-no")
		}, func(c inventory.Camera) string {
			if c.Outdoor == nil || c.AskAgain {
				return ""
			}
			return map[bool]string{true: "sì", false: "no"}[*c.Outdoor]
		}},
		degrees(func(e *inventory.Edit) **float64 { return &e.Lat }, func(p protocol.Point) int32 { return p.Lat }, "latitudine", "latitude", "lat"),
		degrees(func(e *inventory.Edit) **float64 { return &e.Lon }, func(p protocol.Point) int32 { return p.Lon }, "longitudine", "longitude", "lon", "lng"),
		whole(func(e *inventory.Edit) **int { return &e.AccuracyM }, func(c protocol.Camera) *int {
			if !c.Position.Placed() {
				return nil
			}
			return &c.Position.AccuracyM
		}, "precisione_m", "accuracy_m", "accuracy"),
		whole(func(e *inventory.Edit) **int { return &e.Direction }, func(c protocol.Camera) *int { return c.View.DirectionDeg }, "direzione", "direction", "direzione_gradi", "direction_deg"),
		whole(func(e *inventory.Edit) **int { return &e.Angle }, func(c protocol.Camera) *int { return c.View.AngleDeg }, "angolo", "angle", "angolo_gradi", "angle_deg"),
		whole(func(e *inventory.Edit) **int { return &e.RangeM }, func(c protocol.Camera) *int { return c.View.RangeM }, "portata_m", "range_m", "portata", "range"),
		{[]string{"immagini", "storage"}, readStorage, func(c inventory.Camera) string { return storageNames[c.Device.Storage] }},
		{[]string{"locale", "storage_note"}, func(l *sheetLine, typed string) string { l.edit.StorageNote = &typed; return "" },
			func(c inventory.Camera) string { return c.Device.StorageNote }},
		{[]string{"sede", "site"}, func(l *sheetLine, typed string) string { l.site = typed; return "" }, func(c inventory.Camera) string { return c.SiteID }},
		{[]string{"stato", "state"}, func(*sheetLine, string) string { return "" }, func(c inventory.Camera) string { return string(c.State) }}, // to be read alone
	}
}

var storageNames = map[protocol.Storage]string{protocol.StorageOnPremises: "sede", protocol.StorageThirdParty: "terzi", protocol.StorageCloud: "cloud"}

func readStorage(l *sheetLine, typed string) string {
	for storage, name := range storageNames {
		if strings.EqualFold(typed, name) || strings.EqualFold(typed, string(storage)) {
			l.edit.Storage = &storage
			return ""
		}
	}
	return "storage"
}

func unless(ok bool, wrong string) string {
	if ok {
		return ""
	}
	return wrong
}

// recorderName is what a file calls a recorder, which is never its address.
func recorderName(d inventory.Device) string {
	if d.Name != "" {
		return d.Name
	}
	return strings.TrimSpace(d.Vendor + " " + d.Model)
}

// readSheet reads a file of cameras and finds those that it means among cameras. by
// is who says what it says.
func readSheet(file []byte, cameras []inventory.Camera, grants []inventory.Site, by string) *sheet {
	s := &sheet{}
	if len(file) > maxFile {
		s.wrong = []wrongValue{{Key: "big", Pairs: []any{"n", maxFile >> 20}}}
		return s
	}
	table, bad := csvfile.Read(file, maxLines)
	if bad != nil {
		s.wrong = []wrongValue{{Line: bad.Line, Key: bad.Key, Pairs: []any{"n", bad.Most}}}
		return s
	}
	places := s.head(table.Header)
	if len(s.wrong) > 0 {
		return s
	}
	first := map[string]int{}
	for _, row := range table.Rows {
		l := readLine(row, places, len(table.Header))
		l.edit.By = by
		l.find(cameras, grants)
		if l.camera != nil {
			if line, twice := first[l.camera.ID]; twice {
				l.fault("", "twice", "line", line)
			} else {
				first[l.camera.ID] = row.Line
			}
		}
		s.lines = append(s.lines, l)
	}
	return s
}

type heading struct {
	sheetColumn
	index int
	name  string // as the file calls it
}

// head finds the columns by the header.
func (s *sheet) head(header []string) (places []heading) {
	known, answers, keys := sheetColumns(), false, false
	for i, name := range header {
		at := slices.IndexFunc(known, func(c sheetColumn) bool { return slices.Contains(c.names, csvfile.ColumnName(name)) })
		switch {
		case csvfile.ColumnName(name) == "":
		case at < 0:
			s.ignored = append(s.ignored, strings.TrimSpace(name))
		case slices.ContainsFunc(places, func(p heading) bool { return p.names[0] == known[at].names[0] }):
			s.wrong = append(s.wrong, wrongValue{1, strings.TrimSpace(name), "twice-column", nil})
		default:
			places = append(places, heading{known[at], i, strings.TrimSpace(name)})
			keys = keys || at <= 3
			answers = answers || at > 3
		}
	}
	if !keys || !answers {
		s.wrong = append(s.wrong, wrongValue{1, "", "no-column", nil})
	}
	return places
}

func readLine(row csvfile.Row, places []heading, columns int) *sheetLine {
	l := &sheetLine{line: row.Line}
	if !csvfile.Blank(row.Fields[min(columns, len(row.Fields)):]) {
		l.fault("", "fields", "n", len(row.Fields), "columns", columns)
		return l
	}
	for _, p := range places {
		if p.index >= len(row.Fields) {
			continue
		}
		typed := csvfile.Plain(strings.TrimSpace(row.Fields[p.index]))
		if typed == "" { // not said: it stays as it is
			continue
		}
		if key := p.read(l, typed); key != "" {
			l.fault(p.name, key)
		}
	}
	return l
}

func (l *sheetLine) fault(column, key string, pairs ...any) {
	l.wrong = append(l.wrong, wrongValue{l.line, column, key, pairs})
}

// find looks for the one camera that all of the line's keys fit, and its site.
func (l *sheetLine) find(cameras []inventory.Camera, grants []inventory.Site) {
	if l.of == (which{}) {
		if len(l.wrong) == 0 {
			l.fault("", "which")
		}
		return
	}
	n := 0
	for i, c := range cameras {
		if l.of.fits(c) || l.edit.Name != nil && l.of.name != "" && l.renamed().fits(c) {
			l.camera = &cameras[i]
			n++
		}
	}
	if n != 1 {
		l.camera = nil
		l.fault("", map[bool]string{true: "unknown", false: "several"}[n == 0], "n", n)
	}
	if l.site == "" {
		return
	}
	fits := func(g inventory.Site) bool { return g.SiteID == l.site || g.SiteName == l.site }
	at := slices.IndexFunc(grants, fits)
	if at < 0 || slices.ContainsFunc(grants[at+1:], fits) {
		l.fault("", "site")
		return
	}
	if l.camera == nil || l.camera.SiteID != grants[at].SiteID {
		l.edit.SiteID = &grants[at].SiteID
	}
}

// renamed are the keys after the line was taken: the same file twice is no error.
func (l *sheetLine) renamed() which {
	of := l.of
	of.name = *l.edit.Name
	return of
}

func (w which) fits(c inventory.Camera) bool {
	d := c.Device
	recorder := func() bool {
		host, _, _ := strings.Cut(d.Address, ":")
		return slices.ContainsFunc([]string{d.ID, d.Name, strings.TrimSpace(d.Vendor + " " + d.Model), d.Address, host},
			func(s string) bool { return s != "" && strings.EqualFold(s, w.recorder) })
	}
	return (w.id == "" || w.id == c.ID) && (w.recorder == "" || recorder()) &&
		(w.channel == "" || w.channel == c.Channel || w.channel == c.Values.Channel) && (w.name == "" || w.name == c.Values.Name)
}

// changes are the lines that may be kept, as far as the file alone tells.
func (s *sheet) changes() (lines []*sheetLine, changes []inventory.Change) {
	for _, l := range s.lines {
		if len(l.wrong) == 0 && l.camera != nil {
			lines, changes = append(lines, l), append(changes, inventory.Change{ID: l.camera.ID, Edit: l.edit})
		}
	}
	return lines, changes
}

// writeSheet is the file that readSheet reads back: a line a camera.
func writeSheet(cameras []inventory.Camera) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("\ufeff") // by which Excel knows UTF-8
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = ';', true
	columns := sheetColumns()
	var errs []error
	var header []string
	for _, c := range columns {
		header = append(header, c.names[0])
	}
	errs = append(errs, w.Write(header))
	for _, c := range cameras {
		var fields []string
		for _, column := range columns {
			fields = append(fields, csvfile.Marked(strings.TrimSpace(column.write(c))))
		}
		errs = append(errs, w.Write(fields))
	}
	w.Flush()
	return b.Bytes(), errors.Join(append(errs, w.Error())...)
}
