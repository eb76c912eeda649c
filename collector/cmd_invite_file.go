package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"anagrafe/collector/search/gazetteer"
)

// maxInviteeFile bounds what is read of a file; the collector says what it takes.
const maxInviteeFile = 9 << 20

// waveRequest is what invite -file asks of the collector.
type waveRequest struct {
	File    []byte `json:"file"`
	Most    int    `json:"most"`
	PerDay  int    `json:"per_day"`
	Town    string `json:"town"`
	Source  string `json:"source"`
	DryRun  bool   `json:"dry_run"`
	Partial bool   `json:"partial"`
	Letters bool   `json:"letters"`
}

// waveFlags are those of invite -file.
type waveFlags struct {
	waveRequest
	file string
}

func (w *waveFlags) on(f *flag.FlagSet) {
	f.StringVar(&w.file, "file", "", "invite the businesses of this CSV file: columns name, street, number, cap, category, state, email, pec; -letters has those of who has no e-mail and no PEC")
	f.IntVar(&w.Most, "wave", 0, "with -file: invite so many at most; the next run goes on")
	f.IntVar(&w.PerDay, "per-day", 0, "with -file: invite so many a day")
	f.StringVar(&w.Town, "town", "", "with -file: the town of addresses that name none")
	f.StringVar(&w.Source, "source", "", "with -file: where the addresses come from, as each invitation says (default: elenchi del Comune)")
	f.BoolVar(&w.DryRun, "dry-run", false, "with -file: check the file and tell what would happen, no more")
	f.BoolVar(&w.Partial, "partial", false, "with -file: invite by the good lines, whatever the others are")
}

func (w *waveFlags) given() bool {
	return w.Most != 0 || w.PerDay != 0 || w.Town != "" || w.Source != "" || w.DryRun || w.Partial
}

// waveMade is the report of a file of businesses, as the collector answers it.
type waveMade struct {
	DryRun         bool                `json:"dry_run"`
	Done           bool                `json:"done"`
	Wave           int                 `json:"wave,omitempty"`
	Encoding       string              `json:"encoding,omitempty"`
	Separator      string              `json:"separator,omitempty"`
	IgnoredColumns []string            `json:"ignored_columns,omitempty"`
	Lines          int                 `json:"lines"`
	Wrong          int                 `json:"wrong"`
	Ceased         int                 `json:"ceased"`
	CeasedLines    []int               `json:"ceased_lines,omitempty"`
	NoStreetLines  []int               `json:"no_street_lines,omitempty"`
	Unmapped       map[string]int      `json:"unmapped_categories"`
	Invited        map[string]int      `json:"invited"`
	Channels       map[string]int      `json:"channels"`
	FirstDay       time.Time           `json:"first_day,omitzero"`
	LastDay        time.Time           `json:"last_day,omitzero"`
	Problems       []gazetteer.Problem `json:"problems"`
	MoreProblems   int                 `json:"more_problems,omitempty"`
	Results        []struct {
		Line      int       `json:"line"`
		State     string    `json:"state"`
		Channel   string    `json:"channel"`
		DueAt     time.Time `json:"due_at,omitzero"`
		Code      string    `json:"code,omitempty"`
		Link      string    `json:"link,omitempty"`
		ExpiresAt time.Time `json:"expires_at,omitzero"`
	} `json:"results"`
	LettersMade int    `json:"letters_made,omitempty"`
	Letters     []byte `json:"letters,omitempty"` // goes into a file, and is not printed
}

// inviteFile invites the businesses of a file. The letters go into a new file, which
// is open before anybody is invited: they can be printed again by the same command.
func (c *call) inviteFile(ctx context.Context, w waveFlags, letters string) (err error) {
	in := w.waveRequest
	switch {
	case in.Most < 0 || in.PerDay < 0:
		return misuse("-wave and -per-day are whole numbers from 1")
	case letters != "" && in.DryRun:
		return misuse("-letters and -dry-run do not go together: a dry run makes nothing")
	}
	if in.File, err = readUpTo(w.file, maxInviteeFile); err != nil {
		return err
	}
	in.Letters = letters != ""
	var r waveMade
	ask := func() error {
		return c.withCollector(ctx, func(cl client) error { return cl.do(ctx, http.MethodPost, "/waves/file", in, &r) })
	}
	if err := intoNewFile(letters, &r.Letters, ask, "the businesses are invited, but their letters", "run the command again, with another file for the letters"); err != nil {
		return err
	}
	if c.json {
		err = c.print(r)
	} else {
		r.write(c.out, letters)
	}
	return errors.Join(err, r.outcome())
}

// outcome is nil when all lines were good.
func (r waveMade) outcome() error {
	switch {
	case len(r.Problems) == 0:
		return nil
	case r.Done:
		return partly(fmt.Sprintf("%s not taken; correct the file and run the command again", counted(r.Wrong, "line is", "lines are")))
	}
	return errors.New("nobody is invited: correct the file, or invite by the good lines with -partial")
}

// inviteeStates in the order in which they are told.
var inviteeStates = []struct{ state, words string }{
	{"new", "invited"}, {"later", "left for a later wave"}, {"open", "invited before, and their code still waits"},
	{"known", "invited before: they came in, want no more, or their code has ended"},
}

func (r waveMade) write(w io.Writer, letters string) {
	if r.Wrong == 0 && len(r.Problems) > 0 { // not a line was looked at
		fmt.Fprintln(w, "the file as a whole cannot be read, and none of its lines was:")
	} else {
		fmt.Fprintf(w, "%s: %d wrong, %d ceased, not invited%s\n", counted(r.Lines, "line", "lines"), r.Wrong, r.Ceased, named(r.CeasedLines))
	}
	if len(r.IgnoredColumns) > 0 {
		fmt.Fprintf(w, "columns that are not read: %s\n", strings.Join(r.IgnoredColumns, ", "))
	}
	writeProblems(w, r.Problems, r.MoreProblems)
	for _, category := range slices.Sorted(maps.Keys(r.Unmapped)) {
		fmt.Fprintf(w, "category %q is taken for other: %s\n", category, counted(r.Unmapped[category], "line", "lines"))
	}
	if len(r.NoStreetLines) > 0 {
		fmt.Fprintf(w, "no street, the post will hardly bring the letter:%s\n", named(r.NoStreetLines))
	}
	would := ""
	if !r.Done {
		would = "would be "
	}
	for _, s := range inviteeStates {
		if n := r.Invited[s.state]; n > 0 {
			fmt.Fprintf(w, "%s %s%s\n", counted(n, "business", "businesses"), would, s.words)
		}
	}
	for _, channel := range slices.Sorted(maps.Keys(r.Channels)) {
		fmt.Fprintf(w, "  by %s: %d\n", channel, r.Channels[channel])
	}
	if r.Wave > 0 {
		fmt.Fprintf(w, "wave %d, from %s to %s; codes end 14 days after their day\n", r.Wave, r.FirstDay.Local().Format(time.DateOnly), r.LastDay.Local().Format(time.DateOnly))
	}
	if r.LettersMade > 0 {
		fmt.Fprintf(w, "%s in %s, in the order of the file: who holds one holds its code\n", counted(r.LettersMade, "letter is", "letters are"), letters)
	}
}

// named lists lines, of many the first.
func named(lines []int) string {
	if len(lines) == 0 {
		return ""
	}
	var all []string
	for _, n := range lines[:min(len(lines), 10)] {
		all = append(all, fmt.Sprint(n))
	}
	if len(lines) > len(all) {
		all = append(all, "…")
	}
	return " (lines " + strings.Join(all, ", ") + ")"
}
