package review

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// paperName begins the names of the private values that stand on a site's sign and
// in its notice.
const paperName = "paper."

// paperFields are what the owner completes: who decides on the cameras, how he is
// reached for the rights of the people filmed, his data protection officer, what the
// cameras are for, how long images stay, and where the whole notice is.
var paperFields = []string{"controller", "reach", "officer", "purposes", "kept", "notice"}

// paperView is a sign (EDPB guidelines 3/2019, section 7: the first layer) or a
// notice (art. 13 GDPR: the second one) of a site.
type paperView struct {
	siteChoice
	Form      fields
	Measured  string       // how long images stay, as the recorders say; "" not known
	QR        template.URL // of the address of the notice; "" it has none
	Public    bool         // a public body: its basis is another
	Agreement bool         // the owner says that the one of art. 4 L. 300/1970 is there
	Shares    bool         // cameras of the site are in the register
	Here      bool         // all images are on the premises, the owner says
}

// Text is a value of the form.
func (p paperView) Text(name string) string { return p.Form[name].Value }

// paperInput is one control of the form.
type paperInput struct {
	Name string
	F    field
}

// Inputs are the controls of the form, in the order of paperFields.
func (p paperView) Inputs() (all []paperInput) {
	for _, name := range paperFields {
		all = append(all, paperInput{name, p.Form[name]})
	}
	return all
}

// sign shows the sign, and the form for what it lacks.
func (v *Review) sign(r *http.Request) (answer, error) {
	return v.paper(r, "sign", r.URL.Query().Get("site"), nil)
}

// information shows the whole notice.
func (v *Review) information(r *http.Request) (answer, error) {
	return v.paper(r, "information", r.URL.Query().Get("site"), nil)
}

// paper is a page of a site's papers; f is what was typed and refused.
func (v *Review) paper(r *http.Request, name, site string, f fields) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	s, err := chosenSite(known, site)
	if err != nil {
		return answer{}, err
	}
	c := coachedOf(known, s.Site)
	view := paperView{siteChoice: s, Form: f, Measured: longestKept(v.words(r), c.Cameras),
		Public: c.Category == "public-body", Agreement: c.Said["employees"] == saidYes && c.Said["agreement"] == saidYes,
		Shares: slices.ContainsFunc(c.Cameras, func(c inventory.Camera) bool { return c.State == inventory.StateDeclared }),
		Here:   len(c.Cameras) > 0 && !slices.ContainsFunc(own(c.Cameras), func(c inventory.Camera) bool { return c.Device.Storage != protocol.StorageOnPremises })}
	if f == nil {
		view.Form = paperForm(v.words(r), s.Site, known.Private[s.Site.SiteID], view.Measured)
	}
	if view.QR, err = noticeQR(view.Text("notice")); err != nil {
		return answer{}, err
	}
	a := page(name+".html", name+".title", view)
	values := map[string]string{"site_id": s.Site.SiteID}
	for _, field := range paperFields {
		values[field] = view.Text(field)
	}
	if a.json = values; f != nil {
		a.page.Status = http.StatusUnprocessableEntity
	}
	return a, nil
}

// paperForm is what the owner said, else what the site's own data propose. Whom the
// police may call is not proposed: a sign hangs in the street.
func paperForm(w *pages.Words, s inventory.Site, private map[string]string, kept string) fields {
	f := fields{}
	for _, name := range paperFields {
		value, said := private[paperName+name]
		switch {
		case said:
		case name == "controller" && s.SiteName != "":
			value = strings.TrimSuffix(s.SiteName+", "+s.Address, ", ")
		case name == "purposes":
			value = w.T("paper.purposes.default")
		case name == "kept":
			value = kept
		}
		f[name] = field{Value: value}
	}
	return f
}

// longestKept says the longest that images of a site's cameras stay; "" where one
// of them does not tell.
func longestKept(w *pages.Words, cameras []inventory.Camera) string {
	longest := time.Duration(0)
	for _, c := range own(cameras) {
		span, known := keptFor(c.Values.Retention)
		if !known {
			return ""
		}
		longest = max(longest, span)
	}
	if longest == 0 {
		return ""
	}
	return w.Duration(longest)
}

// noticeQR is the square of a web address, so that who stands before the sign can
// read the notice; "" for any other text.
func noticeQR(text string) (template.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return "", nil
	}
	return pages.QRSource(text)
}

// setPaper keeps what stands on the sign and in the notice, on this computer.
func (v *Review) setPaper(r *http.Request) (answer, error) {
	in := map[string]string{}
	var f fields
	if filled, err := read(r, &in); err != nil {
		return answer{}, err
	} else if filled {
		f = typed(r, paperFields...)
		for name, c := range f {
			in[name] = c.Value
		}
		in["site_id"] = r.PostForm.Get("site")
	}
	site := in["site_id"]
	delete(in, "site_id")
	values, err := v.typedByOwner(r, site, in)
	if err != nil {
		return answer{}, err
	}
	err = v.Inventory.KeepPrivate(r.Context(), site, values)
	if errs, ok := errors.AsType[protocol.FieldErrors](err); ok && f != nil && !wantsJSON(r) {
		for _, e := range errs {
			name := strings.TrimPrefix(e.Field, paperName)
			f[name] = field{Value: f[name].Value, Error: "wrong.paper"}
		}
		return v.paper(r, "sign", site, f)
	}
	if err != nil {
		return answer{}, err
	}
	to := "/sign?done=paper"
	if site != "" {
		to += "&site=" + site
	}
	return answer{json: in, to: to}, nil
}

// typedByOwner returns the private values of a form: not those that are as proposed
// and were never said, since a proposal follows the site's data and the language.
func (v *Review) typedByOwner(r *http.Request, site string, in map[string]string) (map[string]string, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return nil, err
	}
	s, err := chosenSite(known, site)
	if err != nil {
		return nil, err
	}
	w, values := v.words(r), map[string]string{}
	proposed := paperForm(w, s.Site, known.Private[s.Site.SiteID], longestKept(w, coachedOf(known, s.Site).Cameras))
	for name, value := range in {
		if !slices.Contains(paperFields, name) {
			return nil, protocol.FieldErrors{{Field: name, Why: "a sign has no such value"}}
		}
		if value != proposed[name].Value {
			values[paperName+name] = value
		}
	}
	return values, nil
}
