package join

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/csvfile"
)

// Limits of a file.
const (
	maxFile     = 16 << 20
	maxLines    = 20_000
	maxProblems = 1000 // that a report names one by one
)

// problem is what is wrong with one value of a file: where, and the key of the
// words that say what, and what to do.
type problem struct {
	line   int // 0: the file as a whole
	column string
	key    string
	pairs  []any
}

// sheet is a file of sites that was read: what it says, and all that is wrong
// with it. Lines with a problem, and lines outside the register's area, are not
// in sites.
type sheet struct {
	csvfile.Table
	ignored  []string // names of columns that are not known
	records  []record
	sites    []registry.ImportedSite
	problems []problem
	outside  []int // lines
	first    map[string]int
}

// readSheet reads a file and checks all of its lines. in tells what lies in the
// register's area; nil: everything does. at is the time of the check.
func readSheet(file []byte, in func(protocol.Point) bool, at time.Time) *sheet {
	s := &sheet{first: make(map[string]int)}
	var bad *csvfile.Problem
	if s.Table, bad = csvfile.Read(file, maxLines); bad != nil {
		s.problems = append(s.problems, problem{line: bad.Line, key: bad.Key, pairs: []any{"n", bad.Most}})
		return s
	}
	places := s.head()
	if len(s.problems) > 0 {
		return s
	}
	for _, row := range s.Rows {
		r := s.read(row, places)
		if !r.invalid {
			s.check(r, at)
		}
		r.outside = !r.invalid && in != nil && !in(r.camera.Position.Point)
		s.records = append(s.records, *r)
	}
	s.unique()
	s.agree()
	s.group()
	slices.SortStableFunc(s.problems, func(a, b problem) int { return a.line - b.line })
	return s
}

func (s *sheet) wrong(r *record, column, key string, pairs ...any) {
	r.invalid = true
	s.problems = append(s.problems, problem{r.line, column, key, pairs})
}

// heading is a column and where it stands in the file.
type heading struct {
	column
	index int
	name  string // as the file calls it
}

// head finds the columns by the header.
func (s *sheet) head() []heading {
	var places []heading
	wrong := func(name, key string, pairs ...any) {
		s.problems = append(s.problems, problem{line: 1, column: name, key: key, pairs: pairs})
	}
	known := columns()
	for i, name := range s.Header {
		at := slices.IndexFunc(known, func(c column) bool { return slices.Contains(c.names, csvfile.ColumnName(name)) })
		switch {
		case csvfile.ColumnName(name) == "":
		case at < 0:
			s.ignored = append(s.ignored, strings.TrimSpace(name))
		case slices.ContainsFunc(places, func(p heading) bool { return p.names[0] == known[at].names[0] }):
			wrong(name, "twice-column")
		default:
			places = append(places, heading{known[at], i, strings.TrimSpace(name)})
		}
	}
	for _, c := range known {
		if c.required && !slices.ContainsFunc(places, func(p heading) bool { return p.names[0] == c.names[0] }) {
			wrong(c.names[0], "no-column", "it", c.names[0], "en", c.names[1])
		}
	}
	return places
}

// read fills a record from one line.
func (s *sheet) read(row csvfile.Row, places []heading) *record {
	r := &record{line: row.Line}
	if !csvfile.Blank(row.Fields[min(len(s.Header), len(row.Fields)):]) {
		s.wrong(r, "", "fields", "n", len(row.Fields), "columns", len(s.Header))
		return r
	}
	for _, p := range places {
		typed := ""
		if p.index < len(row.Fields) {
			typed = csvfile.Plain(strings.TrimSpace(row.Fields[p.index]))
		}
		if typed == "" {
			if p.required {
				s.wrong(r, p.name, "missing")
			}
			continue
		}
		if key := p.read(r, typed); key != "" {
			s.wrong(r, p.name, key)
		}
	}
	r.siteKey = cmp.Or(r.siteKey, r.key)
	r.hasOwnContact = r.contact != protocol.Contact{}
	r.contact.Role = cmp.Or(r.contact.Role, protocol.RoleOwner)
	r.site.Category = cmp.Or(r.site.Category, "other")
	if r.key != "" && len([]rune(r.key)) > maxKey || len([]rune(r.siteKey)) > maxKey {
		s.wrong(r, "", "key", "n", maxKey)
	}
	return r
}

// maxKey bounds an owner's key, in characters.
const maxKey = 120

// check holds a line to the rules that its declaration will be held to.
func (s *sheet) check(r *record, at time.Time) {
	fact := protocol.Fact{Source: protocol.Declared, At: at}
	c, k := r.camera, r.recorder
	c.ID, c.RecorderID, k.ID = checkID, checkID, checkID
	c.NameFact, c.Position.Fact, c.View.Fact, c.Schedule.Fact, c.Retention.Fact = fact, fact, fact, fact, fact
	c.OutdoorPublic = protocol.Outdoor{Yes: true, By: "-", At: at}
	contact := r.contact
	if !r.hasOwnContact {
		contact = protocol.Contact{Name: "-", Role: protocol.RoleOwner, Phone: "112"}
	}
	m := protocol.Message{ID: checkID, SiteID: checkID, Epoch: 1, Revision: 1, MadeAt: at, Body: protocol.Declaration{
		Site: r.site, Contacts: []protocol.Contact{contact}, Recorders: []protocol.Recorder{k}, Cameras: []protocol.Camera{c},
		Approval: protocol.Approval{By: "-", Role: protocol.RoleOwner, At: at}}}
	found, _ := errors.AsType[protocol.FieldErrors](m.Validate())
	for _, f := range found {
		s.wrong(r, columnOf(f.Field), "value", "why", f.Why)
	}
	if hiddenKey(r.key) || hiddenKey(r.siteKey) {
		s.wrong(r, "", "key", "n", maxKey)
	}
}

const checkID = "00000000-0000-4000-8000-000000000001"

func hiddenKey(key string) bool { return strings.ContainsAny(key, "\n\r\t") }

// columnOf is the column that fills a field of a declaration; "" where none does.
func columnOf(field string) string {
	best := column{}
	for _, c := range columns() {
		if c.field != "" && strings.HasPrefix(field, c.field) && len(c.field) > len(best.field) {
			best = c
		}
	}
	if best.field == "" {
		return field
	}
	return best.names[0]
}

// unique wants each key once within its site. Two sites at the same place are
// more likely one whose column of site keys is missing.
func (s *sheet) unique() {
	keys, sites := make(map[[2]string]int), make(map[[2]string]*record)
	for i := range s.records {
		r := &s.records[i]
		if r.key == "" {
			continue
		}
		if line, twice := keys[[2]string{r.siteKey, r.key}]; twice {
			s.wrong(r, "", "twice-key", "line", line)
			continue
		}
		keys[[2]string{r.siteKey, r.key}] = r.line
		if _, ok := s.first[r.siteKey]; !ok {
			s.first[r.siteKey] = r.line
		}
		name := [2]string{protocol.SameName(r.site.Name), protocol.SameName(r.site.Address)}
		if other := sites[name]; other != nil && other.siteKey != r.siteKey {
			s.wrong(r, "", "same-site", "line", other.line)
		} else if other == nil {
			sites[name] = r
		}
	}
}

// agree wants all lines of a site to say the same of it.
func (s *sheet) agree() {
	first := make(map[string]*record)
	for i := range s.records {
		r := &s.records[i]
		if r.invalid {
			continue
		}
		f, ok := first[r.siteKey]
		if !ok {
			first[r.siteKey] = r
			continue
		}
		r.site.Address = cmp.Or(r.site.Address, f.site.Address)
		if !r.hasOwnContact {
			r.contact, r.hasOwnContact = f.contact, f.hasOwnContact
		}
		if r.site != f.site || r.contact != f.contact {
			s.wrong(r, "", "differs", "line", f.line)
		}
	}
}

// group puts the good lines of each site together.
func (s *sheet) group() {
	at := make(map[string]int)
	for _, r := range s.records {
		if r.outside {
			s.outside = append(s.outside, r.line)
		}
		if r.invalid || r.outside {
			continue
		}
		i, ok := at[r.siteKey]
		if !ok {
			i = len(s.sites)
			at[r.siteKey] = i
			site := registry.ImportedSite{Key: r.siteKey, Site: r.site}
			if r.hasOwnContact {
				site.Contacts = []protocol.Contact{r.contact}
			}
			s.sites = append(s.sites, site)
		}
		s.sites[i].Cameras = append(s.sites[i].Cameras, registry.ImportedCamera{Key: r.key, Recorder: r.recorder, Camera: r.camera})
	}
	for _, site := range s.sites {
		if n := len(site.Cameras); n > protocol.MaxCameras {
			s.problems = append(s.problems, problem{s.first[site.Key], "", "cameras", []any{"n", n, "most", protocol.MaxCameras}})
		}
	}
}

// refused adds what the register found wrong with a site.
func (s *sheet) refused(key string, err error) {
	why := "is too big"
	if fields, ok := errors.AsType[protocol.FieldErrors](err); ok {
		why = fields.Error()
	}
	s.problems = append(s.problems, problem{s.first[key], "", "site", []any{"key", key, "why", why}})
}

// good counts the lines that can be imported.
func (s *sheet) good() (n int) {
	for _, site := range s.sites {
		n += len(site.Cameras)
	}
	return n
}
