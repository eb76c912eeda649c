package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"anagrafe/collector/search/gazetteer"
	"anagrafe/protocol/wholefile"
)

// maxImport bounds what is read of a file; the collector says what it takes.
const maxImport = 17 << 20

// partly is an error of something that was done in part; it exits with 3.
type partly string

func (p partly) Error() string { return string(p) }

// imported is the report of an import, as the handler of /import answers it.
type imported struct {
	Organisation struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"organisation"`
	DryRun         bool                `json:"dry_run"`
	Imported       bool                `json:"imported"`
	Encoding       string              `json:"encoding,omitempty"`
	Separator      string              `json:"separator,omitempty"`
	IgnoredColumns []string            `json:"ignored_columns,omitempty"`
	Lines          int                 `json:"lines"`
	Good           int                 `json:"good"`
	Wrong          int                 `json:"wrong"`
	Outside        int                 `json:"outside"`
	OutsideLines   []int               `json:"outside_lines"`
	Sites          map[string]int      `json:"sites"`
	Problems       []gazetteer.Problem `json:"problems"`
	MoreProblems   int                 `json:"more_problems,omitempty"`
	Results        []struct {
		Key     string   `json:"key"`
		Line    int      `json:"line,omitempty"`
		SiteID  string   `json:"site_id,omitempty"`
		State   string   `json:"state"`
		Missing []string `json:"missing_cameras,omitempty"`
		Code    string   `json:"owner_code,omitempty"`
	} `json:"results"`
	CodesMade    int    `json:"codes_made,omitempty"`
	CodesMissing int    `json:"codes_missing,omitempty"`
	Codes        []byte `json:"codes,omitempty"` // goes into a file, and is not printed
}

// cmdImport takes an organisation's own file of sites and cameras.
func cmdImport(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	var in struct {
		Organisation  string `json:"organisation"`
		File          []byte `json:"file"`
		DryRun        bool   `json:"dry_run"`
		Partial       bool   `json:"partial"`
		RemoveMissing bool   `json:"remove_missing"`
		Codes         bool   `json:"codes"`
	}
	f.StringVar(&in.Organisation, "organisation", "", "whose sites they are: its id or name")
	f.BoolVar(&in.DryRun, "dry-run", false, "check the file and tell what would happen, no more")
	f.BoolVar(&in.Partial, "partial", false, "import the good lines, whatever the others are")
	f.BoolVar(&in.RemoveMissing, "remove-missing", false, "withdraw what was imported before and is not in the file")
	codes := f.String("codes", "", "make a code for each site with which its agent enrols, and write them to this new file")
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	in.Codes = *codes != ""
	switch {
	case in.Codes && in.DryRun:
		return misuse("-codes and -dry-run do not go together: a dry run makes nothing")
	case in.Organisation == "":
		return misuse("-organisation ID|NAME is missing")
	case in.Partial && in.RemoveMissing:
		return misuse("-partial and -remove-missing do not go together: a wrong line would look like a camera that was taken away")
	}
	if in.File, err = readUpTo(words[0], maxImport); err != nil {
		return err
	}
	var r imported
	ask := func() error {
		return c.withCollector(ctx, func(cl client) error { return cl.do(ctx, http.MethodPost, "/import", in, &r) })
	}
	if err := intoNewFile(*codes, &r.Codes, ask, "the sites are imported, but their codes", "import the file again, with another file for the codes"); err != nil {
		return err
	}
	if c.json {
		err = c.print(r)
	} else {
		r.write(c.out)
	}
	return errors.Join(err, r.outcome())
}

// withNewFile does something, and writes into a new file what it made, which is given out
// once: a file that cannot be made ends it before anything is done. Path "": no file.
func withNewFile(path string, do func() error, write func(io.Writer) error) error {
	if path == "" {
		return do()
	}
	return wholefile.CreateNew(path, func(file io.Writer) error {
		if err := do(); err != nil {
			return err
		}
		return write(file)
	})
}

// intoNewFile is withNewFile; what was made is let go, and where it is nothing there is no
// file. What was done, and what to do where it could not be written, goes into the error.
func intoNewFile(path string, made *[]byte, do func() error, done, remedy string) error {
	nothing := errors.New("nothing was made")
	err := withNewFile(path, do, func(file io.Writer) error {
		if len(*made) == 0 {
			return nothing
		}
		_, err := file.Write(*made)
		return err
	})
	switch {
	case errors.Is(err, nothing):
		err = nil
	case err != nil && len(*made) > 0:
		err = fmt.Errorf("%s are not in %s: %w; %s", done, path, err, remedy)
	}
	*made = nil
	return err
}

// outcome is nil when all lines were good.
func (r imported) outcome() error {
	switch {
	case r.CodesMissing > 0:
		return partly(fmt.Sprintf("%s could not be made; import the file again, with another file for the codes", counted(r.CodesMissing, "code", "codes")))
	case len(r.Problems) == 0:
		return nil
	case r.Imported:
		return partly(fmt.Sprintf("%d of %s imported; correct the others and import the file again", r.Good, counted(r.Lines, "line is", "lines are")))
	case r.DryRun:
		return errors.New("the file has problems: correct them, or import the good lines with -partial")
	}
	return errors.New("nothing is imported: correct the file, or import the good lines with -partial")
}

// importStates in the order in which they are told.
var importStates = []struct{ state, words string }{
	{"new", "new"}, {"changed", "changed"}, {"unchanged", "unchanged"}, {"removed", "withdrawn, for the file does not name them"},
	{"missing", "not in the file and kept (withdraw them with -remove-missing)"},
	{"taken-over", "left alone, for an agent or another owner declares them"}, {"withdrawn", "left out, for their owner withdrew them"},
	{"refused", "refused"},
}

func (r imported) write(w io.Writer) {
	fmt.Fprintf(w, "%s: %s, %d good, %d wrong, %d outside the register's area, not taken\n", r.Organisation.Name, counted(r.Lines, "line", "lines"), r.Good, r.Wrong, r.Outside)
	if len(r.IgnoredColumns) > 0 {
		fmt.Fprintf(w, "columns that are not known, and not read: %s\n", strings.Join(r.IgnoredColumns, ", "))
	}
	writeProblems(w, r.Problems, r.MoreProblems)
	would := ""
	if !r.Imported {
		would = "would be "
	}
	for _, s := range importStates {
		if n := r.Sites[s.state]; n > 0 {
			fmt.Fprintf(w, "%s %s%s\n", counted(n, "site", "sites"), would, s.words)
		}
	}
	if r.CodesMade > 0 {
		fmt.Fprintf(w, "%s made, for 14 days: whoever has one of them enrols an agent for its site\n", counted(r.CodesMade, "code is", "codes are"))
	}
	for _, s := range r.Results {
		switch {
		case len(s.Missing) > 0:
			fmt.Fprintf(w, "site %s: not in the file: cameras %s\n", s.Key, strings.Join(s.Missing, ", "))
		case s.State == "missing" || s.State == "removed" || s.State == "taken-over" || s.State == "withdrawn":
			fmt.Fprintf(w, "site %s: %s\n", s.Key, s.State)
		}
	}
}

// writeProblems tells what is wrong with the lines of a file, and how much else is.
func writeProblems(w io.Writer, all []gazetteer.Problem, more int) {
	for _, p := range all {
		if p.Line > 0 {
			fmt.Fprintf(w, "line %d: ", p.Line)
		}
		if p.Column != "" {
			fmt.Fprintf(w, "%s: ", p.Column)
		}
		if !strings.HasSuffix(p.Error, ".") {
			p.Error += ":"
		}
		fmt.Fprintf(w, "%s %s\n", p.Error, p.Hint)
	}
	if more > 0 {
		fmt.Fprintf(w, "and %s\n", counted(more, "more problem", "more problems"))
	}
}

// readUpTo reads a file, and a byte more than the limit of a bigger one: who
// reads it then says that it is too big.
func readUpTo(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file %s: check its name, and in which folder it is", name)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// cmdExport writes all that is one owner's own: as JSON, or as the CSV that
// import reads back.
func cmdExport(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	in := map[string]string{}
	f.Func("site", "the id of one site", into(in, "site"))
	f.Func("organisation", "an organisation's id or name: all of its sites", into(in, "organisation"))
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	in["format"] = strings.ToLower(strings.TrimPrefix(filepath.Ext(words[0]), "."))
	switch {
	case (in["site"] == "") == (in["organisation"] == ""):
		return misuse("give -site ID or -organisation ID|NAME")
	case in["format"] != "json" && in["format"] != "csv":
		return misuse("the file's name must end with .json or .csv")
	}
	// There must be a place for it before it is asked for, and so on the trail.
	err = wholefile.CreateNew(words[0], func(file io.Writer) error {
		return c.withCollector(ctx, func(cl client) error {
			answer, err := cl.ask(ctx, http.MethodPost, "/export", in)
			if err != nil {
				return err
			}
			defer answer.Close()
			_, err = io.Copy(file, answer)
			return err
		})
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s is written: it holds personal data, hand it to its owner and delete it here\n", words[0])
	return nil
}
