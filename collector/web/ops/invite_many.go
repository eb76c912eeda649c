package ops

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/letter"
	"anagrafe/collector/pdf"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// inviteManyTime is how long one file may take.
const inviteManyTime = 10 * time.Minute

// maxInviteeProblems is how many a report names one by one.
const maxInviteeProblems = 1000

// waveRequest is what is asked with a file of businesses.
type waveRequest struct {
	File    []byte `json:"file"`
	Most    int    `json:"most"`    // new invitations of this wave; 0: all
	PerDay  int    `json:"per_day"` // 0: all today
	Town    string `json:"town"`    // of addresses that name none
	Source  string `json:"source"`  // where the addresses come from, as each invitation says
	DryRun  bool   `json:"dry_run"`
	Partial bool   `json:"partial"` // invite by the good lines, whatever the others are
	Letters bool   `json:"letters"` // give the letters as PDF
}

// waveReport is what became of a file; it is what invite -file -json prints.
type waveReport struct {
	DryRun         bool           `json:"dry_run"`
	Done           bool           `json:"done"`           // false: nobody was invited
	Wave           int            `json:"wave,omitempty"` // 0: nobody was new
	Encoding       string         `json:"encoding,omitempty"`
	Separator      string         `json:"separator,omitempty"`
	IgnoredColumns []string       `json:"ignored_columns,omitempty"`
	Lines          int            `json:"lines"` // without the header
	Wrong          int            `json:"wrong"`
	Ceased         int            `json:"ceased"` // closed, not invited
	CeasedLines    []int          `json:"ceased_lines,omitempty"`
	NoStreetLines  []int          `json:"no_street_lines,omitempty"` // of letters that the post will hardly bring
	Unmapped       map[string]int `json:"unmapped_categories"`       // taken for "other"
	Invited        map[string]int `json:"invited"`                   // by registry.InviteeState
	Channels       map[string]int `json:"channels"`                  // of the new: letter, email, pec
	FirstDay       time.Time      `json:"first_day,omitzero"`        // of the new
	LastDay        time.Time      `json:"last_day,omitzero"`
	Problems       []lineProblem  `json:"problems"`
	MoreProblems   int            `json:"more_problems,omitempty"`
	Results        []inviteeMade  `json:"results"`
	LettersMade    int            `json:"letters_made,omitempty"`
	Letters        []byte         `json:"letters,omitempty"` // PDF, a page each
}

// lineProblem is what is wrong with a line: where, what, and what to do.
type lineProblem struct {
	Line   int    `json:"line,omitempty"`
	Column string `json:"column,omitempty"`
	Error  string `json:"error"`
	Hint   string `json:"hint"`
}

// inviteeMade is a line and what became of it.
type inviteeMade struct {
	Line      int       `json:"line"`
	State     string    `json:"state"`
	Channel   string    `json:"channel"`
	DueAt     time.Time `json:"due_at,omitzero"`
	Code      string    `json:"code,omitempty"`
	Link      string    `json:"link,omitempty"` // its page
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// InviteMany invites the businesses of a file, for the control socket alone.
func (o *Ops) InviteMany(rw http.ResponseWriter, r *http.Request) {
	web.Long(rw, inviteManyTime)
	r = r.WithContext(web.WithUser(r.Context(), web.Host(registry.RoleAdmin)))
	words := o.pages.Words(pages.Language(r))
	var in waveRequest
	d := json.NewDecoder(http.MaxBytesReader(rw, r.Body, 2*maxInviteeFile))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil || len(in.File) > maxInviteeFile || in.Most < 0 || in.PerDay < 0 {
		web.WriteJSON(rw, http.StatusUnprocessableEntity, web.Problem{Error: words.T("wave.request"), Hint: words.T("wave.request.hint", "n", maxInviteeFile>>20)})
		return
	}
	if !in.DryRun && (o.Office.Name == "" || o.Office.Contact == "") {
		web.WriteJSON(rw, http.StatusUnprocessableEntity, web.Problem{Error: words.T("wave.nobody"), Hint: words.T("wave.nobody.hint")})
		return
	}
	if in.Source == "" {
		in.Source = words.T("wave.source")
	}
	f := readInvitees(in.File, in.Town)
	rep := f.report(words)
	rep.DryRun = in.DryRun
	in.DryRun = in.DryRun || len(rep.Problems) > 0 && !in.Partial
	if len(f.all) == 0 {
		web.WriteJSON(rw, http.StatusOK, rep)
		return
	}
	results, err := o.planWave(r, f, in, &rep)
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	o.fill(&rep, f, results)
	rep.Done = !in.DryRun
	if in.Letters && rep.Done {
		if err := o.printLetters(&rep, f, results); err != nil {
			o.Web.Broken(rw, r, err)
			return
		}
	}
	web.WriteJSON(rw, http.StatusOK, rep)
}

// planWave has the register invite, once it is on the trail: how many, not whom.
func (o *Ops) planWave(r *http.Request, f *invitees, in waveRequest, rep *waveReport) ([]registry.InviteeResult, error) {
	all := make([]registry.Invitee, len(f.all))
	for i, one := range f.all {
		all[i] = one.Invitee
	}
	wave, results, err := o.Registry.PlanWave(r.Context(), all, registry.WavePlan{Most: in.Most, PerDay: in.PerDay, Source: in.Source,
		At: o.Web.Now().UTC().Truncate(time.Second), DryRun: in.DryRun,
		Record: func(ctx context.Context, wave, count int) error {
			u, _ := web.User(ctx)
			return o.Record(ctx, web.Act{Kind: act.Invite, User: u, From: web.From(r), Count: count, Details: map[string]any{"wave": wave, "sites": count}})
		}})
	rep.Wave = wave
	return results, err
}

// report is what the file itself says.
func (f *invitees) report(words *pages.Words) waveReport {
	rep := waveReport{Encoding: f.Encoding, Separator: f.Separator, IgnoredColumns: f.ignored, Lines: len(f.Rows), Wrong: f.wrong,
		Ceased: len(f.ceased), CeasedLines: f.ceased, NoStreetLines: f.noStreet, Unmapped: f.unmapped,
		Invited: map[string]int{}, Channels: map[string]int{}, Problems: []lineProblem{}, Results: []inviteeMade{}}
	for i, p := range f.problems {
		if i == maxInviteeProblems {
			rep.MoreProblems = len(f.problems) - i
			break
		}
		key := "wave." + p.key
		rep.Problems = append(rep.Problems, lineProblem{p.line, p.column, words.T(key, p.pairs...), words.T(key+".hint", p.pairs...)})
	}
	return rep
}

// fill adds what became of each line.
func (o *Ops) fill(rep *waveReport, f *invitees, results []registry.InviteeResult) {
	for i, res := range results {
		one := inviteeMade{Line: f.all[i].line, State: string(res.State), Channel: string(f.all[i].Channel)}
		rep.Invited[one.State]++
		if res.State == registry.InviteeNew {
			rep.Channels[one.Channel]++
			if rep.FirstDay.IsZero() {
				rep.FirstDay = res.DueAt
			}
			rep.LastDay = res.DueAt
		}
		if res.Token != "" && (res.State == registry.InviteeNew || res.State == registry.InviteeOpen) {
			one.Code, one.Link, one.DueAt, one.ExpiresAt = res.Code.String(), o.Office.Page+res.Token, res.DueAt, res.ExpiresAt
		}
		rep.Results = append(rep.Results, one)
	}
}

// printLetters writes those that go by post: the new ones, and those that wait still,
// so that a file that was lost can be printed again.
func (o *Ops) printLetters(rep *waveReport, f *invitees, results []registry.InviteeResult) error {
	var all []letter.Invitation
	for i, res := range results {
		if f.all[i].Channel == registry.ChannelLetter && (res.State == registry.InviteeNew || res.State == registry.InviteeOpen) {
			all = append(all, letter.Invitation{Site: res.Site, Code: res.Code, Token: res.Token, Source: res.Source, At: res.DueAt, Until: res.ExpiresAt})
		}
	}
	if rep.LettersMade = len(all); rep.LettersMade == 0 {
		return nil
	}
	d, err := o.letters.Document(all)
	if err == nil {
		rep.Letters, err = pdf.Write(d)
	}
	return err
}
