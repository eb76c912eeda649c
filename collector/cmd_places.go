package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/search/gazetteer"
	"anagrafe/collector/web"
)

// placesRequest is what the handlers of /addresses and /districts are asked.
type placesRequest struct {
	Files   []placesFile `json:"files"`
	Remove  string       `json:"remove"` // a source
	DryRun  bool         `json:"dry_run"`
	Partial bool         `json:"partial"` // take the good lines, whatever the others are
}

type placesFile struct {
	Name    string `json:"name"` // of the source that it becomes
	Content []byte `json:"content"`
}

// placesReport is what they answer.
type placesReport struct {
	Imported bool           `json:"imported"`
	Removed  string         `json:"removed,omitempty"`
	Files    []placesChecks `json:"files"`
	Sources  []placesSource `json:"sources"` // that the register holds now
}

type placesChecks struct {
	Name     string              `json:"name"`
	Format   string              `json:"format"`
	Lines    int                 `json:"lines"`
	Good     int                 `json:"good"`
	Problems []gazetteer.Problem `json:"problems"`
	More     int                 `json:"more_problems,omitempty"`
}

type placesSource struct {
	Name       string    `json:"name"`
	Kind       string    `json:"kind"`
	Entries    int       `json:"entries"`
	ImportedAt time.Time `json:"imported_at"`
}

// maxPlaces bounds the files of one command together, in bytes.
const maxPlaces = 2 * gazetteer.MaxFile

// maxSourceName bounds the name of a source, in bytes.
const maxSourceName = 100

// cmdPlaces is both "addresses" and "districts": it takes files of the Comune.
func cmdPlaces(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	var in placesRequest
	source := f.String("source", "", "the name under which the file is kept, and replaced by the next (default: the file's name without its ending)")
	list := f.Bool("list", false, "list what the register holds, no more")
	f.StringVar(&in.Remove, "remove", "", "remove the source of this name")
	f.BoolVar(&in.DryRun, "dry-run", false, "check the files, no more")
	f.BoolVar(&in.Partial, "partial", false, "take the good lines, whatever the others are")
	files, err := c.parse(f, args, anyWords)
	if err != nil {
		return err
	}
	switch {
	case len(files) == 0 && !*list && in.Remove == "":
		return misuse("FILE is missing")
	case len(files) > 0 && (*list || in.Remove != ""):
		return misuse("-list and -remove take no files")
	case *source != "" && len(files) != 1:
		return misuse("-source names one file")
	}
	total := 0
	for _, name := range files {
		content, err := readUpTo(name, gazetteer.MaxFile+1)
		if err != nil {
			return err
		}
		if total += len(content); total > maxPlaces {
			return fmt.Errorf("the files have over %d MiB together: import them one by one", maxPlaces>>20)
		}
		kept := *source
		if kept == "" {
			kept = strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
		}
		in.Files = append(in.Files, placesFile{kept, content})
	}
	var r placesReport
	if err := c.withCollector(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/"+c.name, in, &r)
	}); err != nil {
		return err
	}
	if c.json {
		err = c.print(r)
	} else {
		err = r.write(c.out)
	}
	return errors.Join(err, r.outcome(in.DryRun))
}

func (r placesReport) outcome(dryRun bool) error {
	wrong := 0
	for _, f := range r.Files {
		wrong += len(f.Problems) + f.More
	}
	switch {
	case wrong == 0:
		return nil
	case r.Imported:
		return partly("the good lines are imported; correct the others and import the file again")
	case dryRun:
		return errors.New("the files have problems: correct them, or import the good lines with -partial")
	}
	return errors.New("nothing is imported: correct the files, or import the good lines with -partial")
}

func (r placesReport) write(out io.Writer) error {
	for _, f := range r.Files {
		name := f.Name
		if f.Format != "" { // it was recognised
			name += " (" + f.Format + ")"
		}
		fmt.Fprintf(out, "%s: %d lines, %d good, %s\n", name, f.Lines, f.Good, counted(len(f.Problems)+f.More, "problem", "problems"))
		writeProblems(out, f.Problems, f.More)
	}
	if r.Removed != "" {
		fmt.Fprintf(out, "%s is removed\n", r.Removed)
	}
	if len(r.Sources) == 0 && len(r.Files) > 0 { // none was taken: see above
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "SOURCE\tKIND\tENTRIES\tIMPORTED")
	for _, s := range r.Sources {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", s.Name, s.Kind, s.Entries, s.ImportedAt.Local().Format(time.DateTime))
	}
	return w.Flush()
}

// placesTime is what the addresses of a large city may take, with a check of each.
const placesTime = 30 * time.Minute

// importPlaces takes files of addresses or of districts, for the command line
// alone.
func (o *collector) importPlaces(rw http.ResponseWriter, r *http.Request) {
	web.Long(rw, placesTime)
	var in placesRequest
	if err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, 2*maxPlaces)).Decode(&in); err != nil {
		web.WriteJSON(rw, http.StatusBadRequest, web.Problem{Error: "the request cannot be read", Hint: fmt.Sprintf("files may have %d MiB together", maxPlaces>>20)})
		return
	}
	kind := strings.TrimPrefix(r.URL.Path, "/")
	rep := placesReport{Files: []placesChecks{}}
	sources, bad := checkPlaces(&rep, kind, in.Files, time.Now())
	if bad != nil {
		web.WriteJSON(rw, http.StatusUnprocessableEntity, bad)
		return
	}
	wrong := false
	entries := 0
	for i, f := range rep.Files {
		wrong = wrong || len(f.Problems) > 0
		entries += sources[i].Entries
	}
	var err error
	switch {
	case in.Remove != "":
		err = o.removePlaces(rw, r, kind, in.Remove, &rep)
	case len(sources) > 0 && entries > 0 && !in.DryRun && (!wrong || in.Partial):
		var names []string
		for _, s := range sources {
			names = append(names, s.Name)
		}
		if !o.recordPlaces(rw, r, kind, entries, map[string]any{"imported": names}) {
			return
		}
		err = o.reg.PutGazetteer(r.Context(), sources)
		rep.Imported = err == nil
	}
	if errors.Is(err, errAnswered) {
		return
	}
	if err == nil {
		rep.Sources, err = o.placesHeld(r.Context())
	}
	if err != nil {
		o.opsWeb.Broken(rw, r, err)
		return
	}
	web.WriteJSON(rw, http.StatusOK, rep)
}

// errAnswered says that the refusal is written already.
var errAnswered = errors.New("answered")

func (o *collector) recordPlaces(rw http.ResponseWriter, r *http.Request, kind string, entries int, details map[string]any) bool {
	did := map[string]act.Kind{gazetteer.KindAddresses: act.Addresses, gazetteer.KindDistricts: act.Districts}[kind]
	err := o.record(r.Context(), web.Act{Kind: did, User: web.Host(registry.RoleAdmin), From: web.From(r), Count: entries, Details: details})
	if err != nil {
		o.opsWeb.Unrecorded(rw, r, err)
	}
	return err == nil
}

func (o *collector) removePlaces(rw http.ResponseWriter, r *http.Request, kind, name string, rep *placesReport) error {
	held, err := o.placesHeld(r.Context())
	if err != nil {
		return err
	}
	for _, s := range held {
		if s.Name != name || s.Kind != kind {
			continue
		}
		if !o.recordPlaces(rw, r, kind, s.Entries, map[string]any{"removed": name}) {
			return errAnswered
		}
		rep.Removed = name
		_, err := o.reg.DropGazetteer(r.Context(), name)
		return err
	}
	web.WriteJSON(rw, http.StatusNotFound, web.Problem{Error: fmt.Sprintf("there is no source of %s named %q", kind, name), Field: "remove", Hint: "anagrafe-collector " + kind + " -list"})
	return errAnswered
}

// checkPlaces reads and packs files. The problem is one of the request.
func checkPlaces(rep *placesReport, kind string, files []placesFile, at time.Time) (sources []registry.GazetteerSource, bad *web.Problem) {
	read := gazetteer.ReadAddresses
	if kind == gazetteer.KindDistricts {
		read = gazetteer.ReadDistricts
	}
	seen := make(map[string]bool)
	for _, f := range files {
		if f.Name == "" || len(f.Name) > maxSourceName || seen[f.Name] {
			return nil, &web.Problem{Error: "each file needs a name of its own, of up to 100 bytes", Field: "files", Hint: "give it with -source NAME"}
		}
		seen[f.Name] = true
		got := read(f.Content)
		rep.Files = append(rep.Files, placesChecks{f.Name, got.Format, got.Lines, len(got.Entries) + len(got.Districts), append([]gazetteer.Problem{}, got.Problems...), got.More})
		s, err := got.Source(f.Name, at)
		if err != nil {
			return nil, &web.Problem{Error: err.Error(), Field: "files"}
		}
		s.Kind = kind
		sources = append(sources, s)
	}
	return sources, nil
}

func (o *collector) placesHeld(ctx context.Context) ([]placesSource, error) {
	list, err := o.reg.GazetteerSources(ctx)
	all := []placesSource{}
	for _, s := range list {
		all = append(all, placesSource{s.Name, s.Kind, s.Entries, s.ImportedAt})
	}
	return all, err
}
