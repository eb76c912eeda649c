package review

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// maxSheetBody bounds a request that brings a file, in base64 too.
const maxSheetBody = 2 * maxFile

// bulkView is the page for owners of many cameras.
type bulkView struct {
	Cameras   int
	Rule      field
	FileError string
}

func (v *Review) bulk(r *http.Request) (answer, error) { return v.bulkPage(r, field{}, "") }

func (v *Review) bulkPage(r *http.Request, rule field, fileError string) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	a := page("bulk.html", "bulk.title", bulkView{len(known.Cameras), rule, fileError})
	a.json = map[string]int{"cameras": len(known.Cameras)}
	if rule.Error != "" || fileError != "" {
		a.page.Status = http.StatusUnprocessableEntity
	}
	return a, nil
}

// giveSheet gives the file of all cameras, to be filled in.
func (v *Review) giveSheet(r *http.Request) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	file, err := writeSheet(known.Cameras)
	return answer{json: map[string]string{"csv": string(file)}, file: file, name: "telecamere.csv"}, err
}

// tryApproval reports what an approval would do; nothing is kept.
func (v *Review) tryApproval(r *http.Request, d decision) (answer, error) {
	p, err := v.Inventory.Preview(r.Context(), d.Selection, d.approval())
	if err != nil {
		return answer{}, err
	}
	return answer{json: struct {
		results
		Messages []protocol.Message `json:"messages"`
	}{results{append([]inventory.Result{}, p.Results...)}, append([]protocol.Message{}, p.Messages...)}}, nil
}

// ruleIn is what a rule is to do, as the command line says it.
type ruleIn struct {
	Rule    string         `json:"rule"`
	Edit    inventory.Edit `json:"edit"`
	Partial bool           `json:"partial"`
	DryRun  bool           `json:"dry_run"`
}

// byRule keeps an answer for all cameras whose names a rule means, where the command
// line asks for it; on the page it shows which of them would go, and which stay.
func (v *Review) byRule(r *http.Request) (answer, error) {
	in := ruleIn{}
	if filled, err := read(r, &in); err != nil {
		return answer{}, err
	} else if filled {
		in.Rule = strings.TrimSpace(r.PostForm.Get("rule"))
	}
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	fits := func(c inventory.Camera) bool {
		yes, err := inventory.MatchesRule(in.Rule, c.Values.Name)
		return err == nil && yes
	}
	_, wrong := inventory.MatchesRule(in.Rule, "")
	cameras := slices.DeleteFunc(known.Cameras, func(c inventory.Camera) bool { return !fits(c) })
	if !isJSON(r) {
		key := ""
		if wrong != nil {
			key = "wrong.rule"
		} else if len(cameras) == 0 {
			key = "wrong.nobody"
		}
		if key != "" {
			return v.bulkPage(r, field{in.Rule, key}, "")
		}
		return v.summaryPage(r, shownCameras{fits, true}, "", nil, nil)
	}
	if wrong != nil {
		return answer{}, wrong
	}
	if in.Edit.Name != nil {
		return answer{}, problem{status: http.StatusUnprocessableEntity, Field: "name", What: "cannot be the same for many cameras: name each by its id"}
	}
	s := &sheet{}
	for i := range cameras {
		s.lines = append(s.lines, &sheetLine{camera: &cameras[i], edit: in.Edit})
	}
	return v.keepSheet(r, s, in.Partial, in.DryRun)
}

// sheetIn is a file as the command line hands it over.
type sheetIn struct {
	File    []byte `json:"file"`
	By      string `json:"by"`
	Partial bool   `json:"partial"`
	DryRun  bool   `json:"dry_run"`
}

// takeSheet takes a file of cameras. The page shows first what it would change, and
// then what would leave.
func (v *Review) takeSheet(r *http.Request) (answer, error) {
	var in sheetIn
	var err error
	if isJSON(r) {
		err = decode(r, &in)
	} else if in, err = uploaded(r); err == nil && len(in.File) == 0 {
		return v.bulkPage(r, field{}, "wrong.file")
	}
	if err != nil {
		return answer{}, err
	}
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	s := readSheet(in.File, known.Cameras, known.Sites, in.By)
	a, err := v.keepSheet(r, s, in.Partial, in.DryRun)
	if err != nil || isJSON(r) {
		return a, err
	}
	report := a.json.(sheetReport)
	if !report.Kept {
		view := sheetView{report, base64.StdEncoding.EncodeToString(in.File)}
		a.page = &pages.Page{Template: "sheet.html", Title: "sheet.title", Data: view}
		if report.Wrong > 0 || len(report.Problems) > 0 {
			a.page.Status = http.StatusUnprocessableEntity
		}
		return a, nil
	}
	return v.afterSheet(r, s)
}

// afterSheet leads on to what the file has made ready, if it has.
func (v *Review) afterSheet(r *http.Request, s *sheet) (answer, error) {
	of := map[string]bool{}
	for _, l := range s.lines {
		if l.camera != nil && len(l.wrong) == 0 {
			of[l.camera.ID] = true
		}
	}
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	if !slices.ContainsFunc(known.Cameras, func(c inventory.Camera) bool {
		return of[c.ID] && (c.State == inventory.StateReady || len(c.Changed) > 0)
	}) {
		return answer{to: "/?done=filed"}, nil
	}
	return v.summaryPage(r, shownCameras{func(c inventory.Camera) bool { return of[c.ID] }, true}, "", nil, nil)
}

// uploaded reads the file from the page: chosen, or brought along by the preview.
func uploaded(r *http.Request) (in sheetIn, err error) {
	if err := r.ParseMultipartForm(maxSheetBody); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return in, malformed(err)
	}
	in.Partial = r.PostForm.Get("partial") != ""
	in.DryRun = r.PostForm.Get("keep") == ""
	if held := r.PostForm.Get("held"); held != "" {
		if in.File, err = base64.StdEncoding.DecodeString(held); err != nil {
			return in, malformed(err)
		}
		return in, nil
	}
	if r.MultipartForm == nil || len(r.MultipartForm.File["file"]) == 0 {
		return in, nil
	}
	f, err := r.MultipartForm.File["file"][0].Open()
	if err != nil {
		return in, malformed(err)
	}
	defer f.Close()
	if in.File, err = io.ReadAll(io.LimitReader(f, maxFile+1)); err != nil {
		return in, malformed(err)
	}
	return in, nil
}

// sheetReport tells what a file, or a rule, has changed or would change.
type sheetReport struct {
	Kept     bool         `json:"kept"` // what is right of it
	Lines    []lineReport `json:"lines"`
	Changed  int          `json:"changed"`
	Same     int          `json:"same"`
	Wrong    int          `json:"wrong"`     // lines
	TakesOut int          `json:"takes_out"` // of Changed: out of the register
	Problems []faultIn    `json:"problems,omitempty"`
	Ignored  []string     `json:"ignored_columns,omitempty"`
}

// lineReport is one line, in the file's order.
type lineReport struct {
	Line     int             `json:"line,omitempty"` // 0 of a rule
	ID       string          `json:"id,omitempty"`
	Name     string          `json:"name,omitempty"`
	State    inventory.State `json:"state,omitempty"`          // before it
	Outdoor  *bool           `json:"outdoor_public,omitempty"` // as it is answered then
	Same     bool            `json:"same,omitempty"`
	TakesOut bool            `json:"takes_out,omitempty"`
	Problems []faultIn       `json:"problems,omitempty"`
}

// Answer is Outdoor as the words sheet.ANSWER have it.
func (l lineReport) Answer() string {
	if l.Outdoor == nil {
		return "unanswered"
	}
	return map[bool]string{true: "yes", false: "no"}[*l.Outdoor]
}

// faultIn is a wrongValue in words.
type faultIn struct {
	Line   int    `json:"line,omitempty"`
	Column string `json:"column,omitempty"`
	Key    string `json:"problem"`
	Why    string `json:"why"`
}

type sheetView struct {
	sheetReport
	Held string // the file, in base64
}

// keepSheet keeps what a file says, or, dry, tells what it would change.
func (v *Review) keepSheet(r *http.Request, s *sheet, partial, dry bool) (answer, error) {
	lines, changes := s.changes()
	whole := len(lines) == len(s.lines)
	done, kept, err := v.Inventory.SetMany(r.Context(), changes, partial, dry || !partial && !whole || len(s.wrong) > 0)
	if err != nil {
		return answer{}, err
	}
	for i, l := range lines {
		l.done = done[i]
		for _, e := range l.done.Wrong {
			l.fault(e.Field, "value", "why", e.Why)
		}
		if l.done.Unknown {
			l.fault("", "unknown", "n", 0)
		}
	}
	w := v.words(r)
	if wantsJSON(r) {
		w = v.pages.Words(pages.En)
	}
	return answer{json: s.report(w, kept && len(s.wrong) == 0)}, nil
}

func (s *sheet) report(w *pages.Words, kept bool) sheetReport {
	rep := sheetReport{Kept: kept, Lines: []lineReport{}, Ignored: s.ignored}
	for _, f := range s.wrong {
		rep.Problems = append(rep.Problems, f.say(w))
	}
	for _, l := range s.lines {
		line := lineReport{Line: l.line, Name: l.of.name, Same: l.done.Same, TakesOut: l.done.TakesOut}
		if l.camera != nil {
			line.ID, line.Name, line.State, line.Outdoor = l.camera.ID, nameOf(w, *l.camera), l.camera.State, l.camera.Outdoor
			if l.edit.Outdoor != nil {
				line.Outdoor = l.edit.Outdoor
			}
		}
		for _, f := range l.wrong {
			line.Problems = append(line.Problems, f.say(w))
		}
		switch {
		case len(l.wrong) > 0:
			rep.Wrong++
		case l.done.Same:
			rep.Same++
		default:
			rep.Changed++
		}
		if l.done.TakesOut {
			rep.TakesOut++
		}
		rep.Lines = append(rep.Lines, line)
	}
	rep.Kept = rep.Kept && rep.Changed+rep.Same > 0
	return rep
}

// say puts it in words; of a value that inventory refuses, those of the form's field.
func (f wrongValue) say(w *pages.Words) faultIn {
	why := w.T("bulk.wrong."+f.Key, f.Pairs...)
	field := f.Column
	if field == "lat" || field == "lon" {
		field = "position"
	}
	for _, key := range []string{"wrong." + field, "bulk.value." + field} { // the later is for files alone
		if f.Key == "value" && w.Has(key) {
			why = w.T(key)
		}
	}
	return faultIn{f.Line, f.Column, f.Key, why}
}
