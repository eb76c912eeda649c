package consult

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/act"
	"anagrafe/collector/paper"
	"anagrafe/collector/pdf"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// paperBody is what the trail keeps of a paper, sealed. Its two hashes are those
// of the data that it is made from, which stands at its foot, and of its file.
type paperBody struct {
	whyBody
	Paper  string      `json:"paper_id"`
	Number string      `json:"number"`
	Basis  paper.Basis `json:"basis"`
	Sites  []string    `json:"site_ids"`
	Opened []string    `json:"contacts_of,omitempty"` // of which a contact stands in it, whoever opened them in the case
	Owner  string      `json:"owner"`
	Data   string      `json:"data_sha256"`
	File   string      `json:"file_sha256"`
	Fields []string    `json:"fields"` // what it shows of the owner
}

var ownerFields = []string{"name", "fiscal_code", "representative", "capacity"}

// startPaper shows the form of the papers for the sites that were chosen from an
// answer, or that a request was about. It asks nothing and shows nothing new.
func (c *Consult) startPaper(w http.ResponseWriter, r *http.Request) {
	u, src, sites, ok := c.paperSites(w, r)
	if ok {
		c.showPaperForm(w, r, u, src, sites, paperForm{Basis: paper.Assurance, Place: src.place}, http.StatusOK)
	}
}

// makePapers makes one paper for each owner of the chosen sites.
func (c *Consult) makePapers(w http.ResponseWriter, r *http.Request) {
	u, src, sites, ok := c.paperSites(w, r)
	if !ok {
		return
	}
	f := readPaperForm(r.PostForm)
	if f.Basis == paper.Urgent && !u.mayOrder() {
		f.fail("basis", "error.paper.order")
	}
	if len(f.Errors) > 0 {
		c.showPaperForm(w, r, u, src, sites, f, http.StatusUnprocessableEntity)
		return
	}
	why := src.question.why(u)
	made, err := c.papers(r.Context(), u, why, src, sites, f)
	if err != nil {
		c.Log.ErrorContext(r.Context(), "paper refused", "err", err)
		key := "error.paper.unmade"
		if errors.Is(err, pdf.ErrTooLong) {
			key = "error.paper.long"
		}
		f.Errors = []fieldError{{Key: key}}
		c.showPaperForm(w, r, u, src, sites, f, http.StatusServiceUnavailable)
		return
	}
	to := "/cases/" + src.question.Case.ID + "/papers"
	if len(made) == 1 {
		to = "/papers/" + made[0]
	}
	pages.SecureHeaders(w.Header())
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// paperSites returns the source that a form names and its sites that were chosen;
// false: it was refused, and they are told.
func (c *Consult) paperSites(w http.ResponseWriter, r *http.Request) (u officer, src paperSource, sites []string, ok bool) {
	if u, src, ok = c.paperSource(w, r); !ok {
		return u, src, nil, false
	}
	sites, key := chosenOrOpened(r.PostForm, src.answer)
	switch {
	case key == "":
		return u, src, sites, true
	case src.id == "": // no answer to show it above
		c.fail(w, r, http.StatusUnprocessableEntity, key, nil)
	default:
		c.refuseReveal(w, r, src.answer, http.StatusUnprocessableEntity, key)
	}
	return u, src, nil, false
}

// chosenOrOpened returns the sites that were ticked, or else those whose contacts
// were opened.
func chosenOrOpened(form map[string][]string, ans *answer) (sites []string, key string) {
	if len(form["site"]) == 0 && len(form["only"]) == 0 {
		for site := range ans.revealed() {
			form["site"] = append(form["site"], site)
		}
	}
	if sites, key = chosen(form, ans); key == "error.reveal.none" {
		key = "error.paper.none"
	}
	return sites, key
}

// papers makes a paper for each owner, and gives their ids. Those before one that
// fails stand, on the trail.
func (c *Consult) papers(ctx context.Context, u officer, why whyBody, src paperSource, sites []string, f paperForm) (ids []string, err error) {
	owners, err := c.Registry.Owners(ctx, sites)
	if err != nil {
		return nil, err
	}
	var order []string // of owners, as their first site stands in the list
	groups := make(map[string][]string)
	for _, site := range sites {
		owner := site
		if o, ok := owners[site]; ok {
			owner = o.ID
		}
		if groups[owner] == nil {
			order = append(order, owner)
		}
		groups[owner] = append(groups[owner], site)
	}
	for _, owner := range order {
		a := c.acquisition(u, src, groups[owner], f)
		if o, ok := owners[groups[owner][0]]; ok {
			a.To = organisationAsked(o, c.Now(), src.answer, groups[owner])
		} else {
			a.To = siteAsked(src.answer, groups[owner][0])
		}
		id, err := c.makePaper(ctx, u, why, a, namedOn(a.To, src.answer, groups[owner]))
		if err != nil {
			return ids, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// makePaper numbers a paper, writes it on the trail, and only then lets it be seen.
// opened are the sites of which a contact stands in it.
func (c *Consult) makePaper(ctx context.Context, u officer, why whyBody, a paper.Acquisition, opened []string) (string, error) {
	a.ID = uuid.NewString()
	if err := c.canBeWritten(a); err != nil { // before it takes a number
		return "", err
	}
	p := registry.Paper{ID: a.ID, CaseID: a.Case.ID, Force: u.Force, Kind: registry.PaperAcquisition, Year: a.Made.In(pages.Rome()).Year(), At: a.Made}
	p, err := c.Registry.NumberPaper(ctx, p, func(number int) (json.RawMessage, error) {
		a.Number, a.Year = number, p.Year
		return a.Encode()
	})
	if err != nil {
		return "", err
	}
	_, file, err := c.paperFile(p)
	if err != nil {
		return "", err
	}
	sum, data := sha256.Sum256(file), sha256.Sum256(p.Body)
	body := paperBody{whyBody: why, Paper: a.ID, Number: a.Title(), Basis: a.Basis, Opened: opened, Owner: a.To.Name,
		Data: hex.EncodeToString(data[:]), File: hex.EncodeToString(sum[:]), Fields: ownerFields}
	for _, s := range a.Sites {
		body.Sites = append(body.Sites, s.ID)
	}
	e := u.entry(a.Made, act.Paper, a.Case.ID, len(a.Sites), body)
	proof, err := c.Trail.Append(ctx, e)
	if err != nil {
		return "", fmt.Errorf("the paper is annulled, since it could not be recorded: %w", err)
	}
	if err := c.Registry.ConfirmPaper(ctx, a.ID, proof.Index, sum); err != nil {
		return "", err
	}
	return a.ID, c.remember(ctx, e, proof, brief{Words: c.inWords(func(w *pages.Words) string {
		return w.T("paper.done", "number", a.Title(), "owner", a.To.Name)
	})}, paperRecord{p.Body, body.Data, body.File})
}

func (c *Consult) canBeWritten(a paper.Acquisition) error {
	d, err := a.Document(c.set.Words(pages.It))
	if err == nil {
		_, err = pdf.Write(d)
	}
	return err
}

// paperRecord is the body of a record of the kind "paper".
type paperRecord struct {
	Paper json.RawMessage `json:"paper"`
	Data  string          `json:"data_sha256"` // of it
	File  string          `json:"file_sha256"` // of the PDF made from it
}

// paperFile makes the document and the file of a paper anew.
func (c *Consult) paperFile(p registry.Paper) (pdf.Document, []byte, error) {
	a, err := paper.Decode(p.Body)
	if err != nil {
		return pdf.Document{}, nil, err
	}
	d, err := a.Document(c.set.Words(pages.It))
	if err != nil {
		return pdf.Document{}, nil, err
	}
	file, err := pdf.Write(d)
	return d, file, err
}

// paperView is what paper.html reads.
type paperView struct {
	Band    caseBand
	Blocks  []pdf.Block
	File    string   // address of the PDF; "": by a form
	Index   int      // on the trail
	Foot    []string // what stands at the foot of each page of the file
	Sum     string   // SHA-256 of the file
	Differs bool     // the file made anew is another one
	Patrol  []hiddenField
}

// onePaper shows a paper, as a page or, where its address ends with ".pdf", as the
// file. Each time is an entry on the trail.
func (c *Consult) onePaper(w http.ResponseWriter, r *http.Request) {
	u, err := c.officer(r)
	if err != nil {
		c.fail(w, r, http.StatusForbidden, "error.force", err)
		return
	}
	id, asFile := strings.CutSuffix(r.PathValue("id"), ".pdf")
	p, k, ok, err := c.paperIn(r.Context(), id, u)
	switch {
	case err != nil:
		c.broken(w, r, err)
		return
	case !ok:
		c.fail(w, r, http.StatusNotFound, "error.paper.unknown", nil)
		return
	}
	d, file, err := c.paperFile(p)
	if err != nil {
		c.broken(w, r, err)
		return
	}
	sum := sha256.Sum256(file)
	if asFile && sum != p.SHA256 {
		c.Log.ErrorContext(r.Context(), "a paper made anew differs from the one on the trail: another version of this program made it", "paper", p.ID)
		c.fail(w, r, http.StatusInternalServerError, "error.paper.differs", nil)
		return
	}
	e := u.entry(c.Now(), act.PaperOpen, k.ID, 1, struct {
		whyBody
		Paper string `json:"paper_id"`
		File  bool   `json:"file"`
	}{whyOf(k, u), p.ID, asFile})
	if _, err := c.Trail.Append(r.Context(), e); err != nil {
		c.Log.ErrorContext(r.Context(), "paper refused", "err", err)
		c.fail(w, r, http.StatusServiceUnavailable, "error.unanswered", nil)
		return
	}
	if asFile {
		sendFile(w, "application/pdf", fmt.Sprintf("richiesta-%d-%d.pdf", p.Number, p.Year), file)
		return
	}
	page := c.page(r, "paper.html", "paper.title", http.StatusOK, nil)
	page.Wide, page.Scripts = false, nil
	page.Data = paperView{Band: c.band(k, u.User), Blocks: d.Content, Foot: d.Footer, File: "/papers/" + p.ID + ".pdf", Index: int(p.TrailIndex),
		Sum: hex.EncodeToString(p.SHA256[:]), Differs: sum != p.SHA256}
	c.set.Render(w, r, page)
}

// paperIn returns a paper that is on the trail, of a case that the officer's force
// may see.
func (c *Consult) paperIn(ctx context.Context, id string, u officer) (registry.Paper, registry.Case, bool, error) {
	p, ok, err := c.Registry.Paper(ctx, id)
	if err != nil || !ok || p.Annulled {
		return p, registry.Case{}, false, err
	}
	k, ok, err := c.Registry.Case(ctx, p.CaseID, u.Force)
	return p, k, ok, err
}

// sendFile hands a file out for download.
func sendFile(w http.ResponseWriter, kind, name string, file []byte) {
	pages.SecureHeaders(w.Header())
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(file)))
	// A part at a time: a dossier may take a slow line longer than one answer may take.
	_, _ = io.Copy(web.Streamed(w, time.Minute), struct{ io.Reader }{bytes.NewReader(file)}) // the client has gone: nobody to tell
}

// paperLine is a paper in the list of a case.
type paperLine struct {
	registry.Paper
	Owner string
}

// listPapers lists the papers of a case: what they are, not what they say.
func (c *Consult) listPapers(w http.ResponseWriter, r *http.Request) {
	u := user(r)
	k, ok, err := c.Registry.Case(r.Context(), r.PathValue("case"), u.Force)
	switch {
	case err != nil:
		c.broken(w, r, err)
		return
	case !ok:
		c.fail(w, r, http.StatusNotFound, "error.case.unknown", nil)
		return
	}
	c.showPapers(w, r, k, http.StatusOK)
}

func (c *Consult) showPapers(w http.ResponseWriter, r *http.Request, k registry.Case, status int, notes ...pages.Note) {
	all, err := c.Registry.Papers(r.Context(), k.ID)
	if err != nil {
		c.broken(w, r, err)
		return
	}
	view := struct {
		Band   caseBand
		Papers []paperLine
	}{Band: c.band(k, user(r))}
	for _, p := range all {
		a, err := paper.Decode(p.Body)
		if err != nil {
			c.Log.ErrorContext(r.Context(), "a paper cannot be read", "paper", p.ID, "err", err)
		}
		view.Papers = append(view.Papers, paperLine{p, a.To.Name})
	}
	slices.Reverse(view.Papers)
	page := c.page(r, "papers.html", "papers.title", status, notes)
	page.Wide, page.Scripts, page.Data = false, nil, view
	c.set.Render(w, r, page)
}

// exactSecond drops what no document writes.
func exactSecond(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
