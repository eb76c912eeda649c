package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// maxSheet bounds a file of cameras; the handlers say so to who goes beyond.
const maxSheet = 1 << 20

// sheetReport is what the handlers of the local pages tell of a file or a rule.
type sheetReport struct {
	Kept  bool `json:"kept"` // what is right of it
	Lines []struct {
		Line     int             `json:"line,omitempty"` // 0 of a rule
		ID       string          `json:"id,omitempty"`
		Name     string          `json:"name,omitempty"`
		State    inventory.State `json:"state,omitempty"` // before it
		Outdoor  *bool           `json:"outdoor_public,omitempty"`
		Same     bool            `json:"same,omitempty"`
		TakesOut bool            `json:"takes_out,omitempty"`
		Problems []sheetFault    `json:"problems,omitempty"`
	} `json:"lines"`
	Changed  int          `json:"changed"`
	Same     int          `json:"same"`
	Wrong    int          `json:"wrong"`
	TakesOut int          `json:"takes_out"`
	Problems []sheetFault `json:"problems,omitempty"`
	Ignored  []string     `json:"ignored_columns,omitempty"`
}

type sheetFault struct {
	Line   int    `json:"line,omitempty"`
	Column string `json:"column,omitempty"`
	Key    string `json:"problem"`
	Why    string `json:"why"`
}

func (f sheetFault) String() string {
	text := f.Why
	if f.Column != "" {
		text = f.Column + ": " + text
	}
	if f.Line > 0 {
		text = fmt.Sprintf("line %d: %s", f.Line, text)
	}
	return text
}

// cmdImport takes a file of cameras.
func cmdImport(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	dry := f.Bool("dry-run", false, "only say what would change")
	partial := f.Bool("partial", false, "keep the right lines where others are wrong")
	approve := f.Bool("approve", false, "then share the cameras of the file that are answered yes")
	by := f.String("by", "", "who says so (default: the name in the configuration, else the user of this machine)")
	role := f.String("role", "", "of -approve: owner, or referent with the owner's delegation (default owner)")
	words, err := c.parse(f, args, 1)
	switch {
	case err != nil:
		return err
	case len(words) == 0:
		return misuse("which file? \"anagrafe-agent cameras -csv\" prints one to fill in")
	case *approve && *dry:
		return misuse("-approve goes without -dry-run: look first, then import, then \"approve -dry-run\"")
	case *approve && c.json:
		return misuse("-json prints one value: import first, then approve the ids that it lists")
	case *role != "" && (!*approve || *role != string(protocol.RoleOwner) && *role != string(protocol.RoleReferent)):
		return misuse("-role is owner or referent, with -approve")
	}
	file, err := readSheet(words[0])
	if err != nil {
		return err
	}
	*by = cmp.Or(*by, c.person())
	in := struct {
		File    []byte `json:"file"`
		By      string `json:"by"`
		Partial bool   `json:"partial"`
		DryRun  bool   `json:"dry_run"`
	}{file, *by, *partial, *dry}
	var rep sheetReport
	if err := c.withAgent(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/bulk/sheet", in, &rep)
	}); err != nil {
		return err
	}
	if !*approve {
		return c.told(rep, *dry)
	}
	left := c.told(rep, false)
	if _, some := errors.AsType[partly](left); left != nil && !some {
		return left
	}
	ids := rep.yes()
	if len(ids) == 0 {
		return errors.Join(left, errors.New("no camera of the file is answered yes: nothing leaves"))
	}
	if err := c.decide(ctx, "approve", decision{IDs: ids, By: *by, Role: *role}); err != nil {
		return err
	}
	return left
}

// yes are the cameras of a file's right lines that are answered yes. One that the
// owner keeps out, or took out, is approved by name alone: its yes stands in the
// sheet since before.
func (r sheetReport) yes() (ids []string) {
	for _, l := range r.Lines {
		if l.State == inventory.StateRefused || l.State == inventory.StateWithdrawn {
			continue
		}
		if len(l.Problems) == 0 && l.Outdoor != nil && *l.Outdoor {
			ids = append(ids, l.ID)
		}
	}
	return ids
}

func readSheet(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	defer f.Close()
	file, err := io.ReadAll(io.LimitReader(f, maxSheet+1))
	if err != nil {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	return file, nil
}

// printSheet prints the file of all cameras.
func (c *call) printSheet(ctx context.Context) error {
	var answer struct {
		CSV string `json:"csv"`
	}
	if err := c.withAgent(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodGet, "/bulk/sheet", nil, &answer)
	}); err != nil {
		return err
	}
	_, err := io.WriteString(c.out, answer.CSV)
	return err
}

// setByRule keeps an answer for all cameras whose names a rule means.
func (c *call) setByRule(ctx context.Context, rule string, edit inventory.Edit, dry bool) error {
	in := struct {
		Rule   string         `json:"rule"`
		Edit   inventory.Edit `json:"edit"`
		DryRun bool           `json:"dry_run"`
	}{rule, edit, dry}
	var rep sheetReport
	if err := c.withAgent(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/bulk/rule", in, &rep)
	}); err != nil {
		return err
	}
	if len(rep.Lines) == 0 {
		return fmt.Errorf("no camera has a name like %q (capitals count); \"anagrafe-agent cameras\" lists them", rule)
	}
	return c.told(rep, dry)
}

// told says what a file or a rule has changed, and what not.
func (c *call) told(rep sheetReport, dry bool) error {
	if c.json {
		if err := c.print(rep); err != nil {
			return err
		}
	}
	for _, p := range rep.Problems {
		fmt.Fprintln(c.err, p)
	}
	for _, name := range rep.Ignored {
		fmt.Fprintf(c.err, "column %q is not known and was left aside\n", name)
	}
	for _, l := range rep.Lines {
		what := "changed"
		switch {
		case len(l.Problems) > 0:
			for _, p := range l.Problems {
				fmt.Fprintf(c.err, "%s (%s)\n", p, cmp.Or(l.Name, l.ID, "no camera"))
			}
			continue
		case l.Same:
			continue
		case l.TakesOut:
			what = "changed; this takes it out of the register"
		}
		if !c.json {
			fmt.Fprintf(c.out, "%s %s: %s\n", l.ID, l.Name, what)
		}
	}
	return c.sum(rep, dry)
}

// sum says how many, and what to do next.
func (c *call) sum(rep sheetReport, dry bool) error {
	if !c.json && len(rep.Problems) == 0 {
		fmt.Fprintf(c.out, "%s: %d changed, %d as they were, %d wrong\n", c.name, rep.Changed, rep.Same, rep.Wrong)
	}
	switch bad := rep.Wrong > 0 || len(rep.Problems) > 0; {
	case dry && !bad:
		if !c.json {
			fmt.Fprintln(c.out, "Nothing was kept: this was a dry run.")
		}
		return nil
	case !bad:
		return nil
	case !rep.Kept && c.name == "set":
		return errors.New("nothing was kept, of any of them")
	case !rep.Kept && rep.Wrong < len(rep.Lines):
		return errors.New("nothing was kept; correct the lines, or keep the others with -partial")
	case !rep.Kept:
		return errors.New("nothing was kept")
	}
	return partly{fmt.Errorf("%d lines were left out", rep.Wrong)}
}
