package join

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// Owners of many sites: their organisations and delegations, the files that they
// import, and the export of what is theirs, for the command line, which comes over the
// control socket. Referents import and export on pages of their own (referent_*.go).

// maxRequest bounds a request without a file, in bytes: a delegation may name
// many sites.
const maxRequest = 512 << 10

// bulkTime is how long one file may take: 20,000 lines are recorded in some
// minutes.
const bulkTime = 30 * time.Minute

// Control serves the control socket: who may open that is the operating system's
// answer.
func (j *Join) Control() http.Handler {
	mux := http.NewServeMux()
	route := func(pattern string, limit int64, h http.HandlerFunc) {
		mux.Handle(pattern, http.MaxBytesHandler(h, limit))
	}
	route("POST /import", 2*maxFile, j.importFile)
	route("POST /export", maxRequest, j.export)
	for pattern, h := range j.officeRoutes() {
		route(pattern, maxRequest, h)
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(rw, r.WithContext(web.WithUser(r.Context(), web.Host(registry.RoleAdmin))))
	})
}

// importRequest is what is asked with a file.
type importRequest struct {
	Organisation  string `json:"organisation"` // id or name
	File          []byte `json:"file"`
	DryRun        bool   `json:"dry_run"`
	Partial       bool   `json:"partial"`        // import the good lines, whatever the others are
	RemoveMissing bool   `json:"remove_missing"` // withdraw what the file does not name any more
	Codes         bool   `json:"codes"`          // make an enrolment code for each site
}

func (j *Join) importFile(rw http.ResponseWriter, r *http.Request) {
	web.Long(rw, bulkTime)
	var in importRequest
	if !j.readJSON(rw, r, &in) {
		return
	}
	switch {
	case len(in.File) > maxFile:
		j.refuse(rw, r, "file", "import.big", "n", maxFile>>20)
		return
	case in.Partial && in.RemoveMissing:
		// A line that could not be read is not one that its owner took away.
		j.refuse(rw, r, "remove_missing", "import.partial-removal")
		return
	}
	o, ok := j.organisation(rw, r, in.Organisation)
	if !ok {
		return
	}
	now := j.Web.Now()
	s := readSheet(in.File, j.Inside, now)
	if in.RemoveMissing && len(s.outside) > 0 {
		// Not taken is not taken away: a file with its coordinates exchanged names all.
		j.refuse(rw, r, "remove_missing", "import.outside-removal", "n", len(s.outside), "line", s.outside[0])
		return
	}
	im := registry.Import{OrganisationID: o.ID, Sites: s.sites, By: o.Name, At: now, RemoveMissing: in.RemoveMissing, DryRun: true}
	if o.Representative != nil {
		im.By = o.Representative.Name
	}
	var results []registry.ImportResult
	if len(s.records) > 0 {
		var err error
		if results, err = j.Registry.Import(r.Context(), im); err != nil {
			j.Web.Broken(rw, r, err)
			return
		}
	}
	for _, result := range results {
		if result.State == registry.ImportRefused {
			s.refused(result.Key, result.Err)
		}
	}
	rep := j.report(r, o, s, results)
	if in.DryRun || len(s.records) == 0 || len(s.problems) > 0 && !in.Partial {
		rep.DryRun = in.DryRun
		web.WriteJSON(rw, http.StatusOK, rep)
		return
	}
	if rep.changes() > 0 {
		if !j.recordAct(rw, r, act.Import, rep.changes(), map[string]any{"organisation": o.ID, "sites": rep.Sites}) {
			return
		}
		im.DryRun = false
		var err error
		if results, err = j.Registry.Import(r.Context(), im); err != nil {
			j.Web.Broken(rw, r, err)
			return
		}
		rep = j.report(r, o, s, results)
	}
	rep.Imported = true
	if in.Codes && !j.giveCodes(rw, r, o, s, results, &rep) {
		return
	}
	web.WriteJSON(rw, http.StatusOK, rep)
}

// readJSON reads a body; when it returns false the answer is written.
func (j *Join) readJSON(rw http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if _, big := errors.AsType[*http.MaxBytesError](err); big {
		j.refuse(rw, r, "file", "import.big", "n", maxFile>>20)
		return false
	}
	if err != nil {
		j.refuse(rw, r, "", "import.request")
		return false
	}
	return true
}

func (j *Join) refuse(rw http.ResponseWriter, r *http.Request, field, key string, pairs ...any) {
	words := j.pages.Words(pages.Language(r))
	web.WriteJSON(rw, http.StatusUnprocessableEntity, web.Problem{Error: words.T(key, pairs...), Field: field, Hint: words.T(key+".hint", pairs...)})
}

// recordAct puts an act on the trail before it is done; when it returns false the
// answer is written, and the act must not go ahead.
func (j *Join) recordAct(rw http.ResponseWriter, r *http.Request, kind act.Kind, count int, details any) bool {
	u, _ := web.User(r.Context())
	if err := j.Record(r.Context(), web.Act{Kind: kind, User: u, From: web.From(r), Count: count, Details: details}); err != nil {
		j.Web.Unrecorded(rw, r, err)
		return false
	}
	return true
}

// report is what became of a file, line by line where something is wrong. It is
// what import -json prints.
type report struct {
	Organisation   named          `json:"organisation"`
	DryRun         bool           `json:"dry_run"`
	Imported       bool           `json:"imported"` // false: nothing was
	Encoding       string         `json:"encoding,omitempty"`
	Separator      string         `json:"separator,omitempty"`
	IgnoredColumns []string       `json:"ignored_columns,omitempty"`
	Lines          int            `json:"lines"`         // without the header
	Good           int            `json:"good"`          // of them
	Wrong          int            `json:"wrong"`         // of them
	Outside        int            `json:"outside"`       // of them: outside the register's area, not taken
	OutsideLines   []int          `json:"outside_lines"` // where
	Sites          map[string]int `json:"sites"`         // by state, see registry.ImportState
	Problems       []lineProblem  `json:"problems"`
	MoreProblems   int            `json:"more_problems,omitempty"` // that are not named
	Results        []siteResult   `json:"results"`
	CodesMade      int            `json:"codes_made,omitempty"`    // for enrolment, of sites
	CodesMissing   int            `json:"codes_missing,omitempty"` // that could not be made
	Codes          []byte         `json:"codes,omitempty"`         // CSV: key, name, code, link
}

type named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// lineProblem is what is wrong with a line: where, what, and what to do.
type lineProblem struct {
	Line   int    `json:"line,omitempty"`
	Column string `json:"column,omitempty"`
	Error  string `json:"error"`
	Hint   string `json:"hint"`
}

type siteResult struct {
	Key     string   `json:"key"`
	Line    int      `json:"line,omitempty"`
	SiteID  string   `json:"site_id,omitempty"`
	State   string   `json:"state"`
	Missing []string `json:"missing_cameras,omitempty"`
	Code    string   `json:"owner_code,omitempty"` // by which the owner suspends or withdraws the site in a browser
}

func (j *Join) report(r *http.Request, o protocol.Organisation, s *sheet, results []registry.ImportResult) report {
	words := j.pages.Words(pages.Language(r))
	rep := report{Organisation: named{o.ID, o.Name}, Encoding: s.Encoding, Separator: s.Separator, IgnoredColumns: s.ignored,
		Lines: len(s.records), Good: s.good(), Outside: len(s.outside), OutsideLines: s.outside,
		Sites: make(map[string]int), Problems: []lineProblem{}, Results: []siteResult{}}
	rep.Wrong = rep.Lines - rep.Good - rep.Outside
	for i, p := range s.problems {
		if i == maxProblems {
			rep.MoreProblems = len(s.problems) - i
			break
		}
		key := "import." + p.key
		rep.Problems = append(rep.Problems, lineProblem{p.line, p.column, words.T(key, p.pairs...), words.T(key+".hint", p.pairs...)})
	}
	cameras := make(map[[2]string]bool)
	for _, rec := range s.records {
		cameras[[2]string{rec.siteKey, rec.key}] = true
	}
	for _, result := range results {
		line, inFile := s.first[result.Key]
		if inFile && result.State == registry.ImportMissing {
			continue // the file names it, in lines with problems
		}
		missing := slices.DeleteFunc(slices.Clone(result.Missing), func(key string) bool { return cameras[[2]string{result.Key, key}] })
		one := siteResult{Key: result.Key, Line: line, SiteID: result.SiteID, State: string(result.State), Missing: missing}
		if result.OwnerCode != (protocol.Code{}) {
			one.Code = result.OwnerCode.String()
		}
		rep.Sites[one.State]++
		rep.Results = append(rep.Results, one)
	}
	return rep
}

// changes counts the sites that an import makes, changes or withdraws.
func (r report) changes() int {
	return r.Sites[string(registry.ImportNew)] + r.Sites[string(registry.ImportChanged)] + r.Sites[string(registry.ImportRemoved)]
}
