package consult

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"anagrafe/collector/paper"
	"anagrafe/protocol/pages"
)

// maxPaperLine bounds each text of the form, bytes.
const maxPaperLine = 300

// paperForm is what an officer adds to what an answer says.
type paperForm struct {
	Basis                          paper.Basis
	Office, Phone, Place, Delivery string
	Errors                         []fieldError
}

func (f *paperForm) fail(field, key string) {
	f.Errors = append(f.Errors, fieldError{Field: field, Key: key})
}

// Wrong returns the word's key for a field, "" when it is well.
func (f paperForm) Wrong(field string) string {
	for _, e := range f.Errors {
		if e.Field == field {
			return e.Key
		}
	}
	return ""
}

func readPaperForm(v url.Values) paperForm {
	get := func(name string) string { return strings.TrimSpace(v.Get(name)) }
	f := paperForm{Basis: paper.Basis(get("basis")), Office: get("office"), Phone: get("phone"), Place: get("place"), Delivery: get("delivery")}
	if !f.Basis.Known() {
		f.fail("basis", "error.paper.basis")
	}
	if f.Place == "" {
		f.fail("place", "error.paper.place")
	}
	for name, text := range map[string]string{"office": f.Office, "phone": f.Phone, "place": f.Place, "delivery": f.Delivery} {
		if len(text) > maxPaperLine || !utf8.ValidString(text) {
			f.fail(name, "error.paper.long.text")
		}
	}
	return f
}

// hiddenField is sent along with a form.
type hiddenField struct{ Name, Value string }

// carried are the fields by which a form names sites of a source.
func carried(source []hiddenField, sites []string) []hiddenField {
	all := slices.Clone(source)
	for _, site := range sites {
		all = append(all, hiddenField{"site", site})
	}
	return all
}

// paperFormView is what paperform.html reads.
type paperFormView struct {
	paperForm
	Band   caseBand
	Hidden []hiddenField
	Sites  []formSite
	Bases  []basisChoice
	Fields []textField
	Back   string // the answer
}

// formSite is a site that is asked, with how sure it is who declared it.
type formSite struct {
	paper.Site
	Origin origin
}

// textField is one line of text that is asked for; its words are paperform.*.
type textField struct {
	Name, Value, Complete string // Complete: for autocomplete
	Wrong                 string // key of what is wrong; "": nothing
	Required              bool
}

type basisChoice struct {
	Basis   paper.Basis
	Article string
	Checked bool
}

// showPaperForm shows what will be asked for, and asks for the rest.
func (c *Consult) showPaperForm(w http.ResponseWriter, r *http.Request, u officer, src paperSource, sites []string, f paperForm, status int) {
	k, _, err := c.caseOf(r.Context(), src.answer, u.User)
	if err != nil {
		c.broken(w, r, err)
		return
	}
	v := paperFormView{paperForm: f, Band: c.band(k, u.User), Hidden: carried(src.fields, sites), Back: src.back}
	for _, site := range sites {
		v.Sites = append(v.Sites, formSite{siteOn(src.answer, site), originAt(c.words(r), src.answer, site, firstOf(src.answer, site).Trust)})
	}
	for _, b := range paper.Bases {
		if b != paper.Urgent || u.mayOrder() {
			v.Bases = append(v.Bases, basisChoice{b, b.Article(), b == f.Basis})
		}
	}
	v.Fields = []textField{{"place", f.Place, "off", f.Wrong("place"), true}, {"office", f.Office, "organization", f.Wrong("office"), false},
		{"phone", f.Phone, "tel", f.Wrong("phone"), false}, {"delivery", f.Delivery, "off", f.Wrong("delivery"), false}}
	var notes []pages.Note
	if n := len(f.Errors); n > 0 {
		words := c.words(r)
		notes = append(notes, pages.Note{Kind: "danger", Text: words.N("form.wrong", n)})
		if i := slices.IndexFunc(f.Errors, func(e fieldError) bool { return e.Field == "" }); i >= 0 {
			notes = []pages.Note{{Kind: "danger", Key: f.Errors[i].Key}}
		}
	}
	p := c.page(r, "paperform.html", "paperform.title", status, notes)
	p.Wide, p.Scripts, p.Data = false, nil, v
	c.set.Render(w, r, p)
}
