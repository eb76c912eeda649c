package interrogate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/html"

	"anagrafe/protocol"
)

// What ZoneMinder deletes is told by filters, and those only by a web page
// (view=filter). The page holds the secret of all tokens in a script: of it the
// form's values are read, the rest is neither kept nor looked at.

const (
	maxFilters = 16 // that run by themselves; each is a page
	maxTerms   = 16 // of one filter
)

// retention reads the filters that run by themselves and gives each channel what
// they mean for it.
func (zoneMinder) retention(ctx context.Context, w *web, t *deviceReport) {
	filters, from, err := zmFilters(ctx, w)
	if err != nil {
		t.problem("filters", err)
		return
	}
	for i := range t.channels {
		c := &t.channels[i]
		var words []string
		c.retention, words = zmRetention(filters, c.id, c.name)
		c.say("retention", from, words...)
	}
}

// zmFilters reads all filters that run in the background.
func zmFilters(ctx context.Context, w *web) (all []zmFilter, from string, err error) {
	a, err := w.get(ctx, "/zm/index.php", "view=filter")
	if err != nil {
		return nil, a.from, err
	}
	form := readForm(a.body)
	if _, ok := form.values["filter[Name]"]; !ok {
		return nil, a.from, errors.New("its page of filters is not shown to this user")
	}
	if len(form.background) > maxFilters {
		return nil, a.from, fmt.Errorf("it has more than %d filters", maxFilters)
	}
	for _, id := range form.background {
		page, err := w.get(ctx, "/zm/index.php", "view=filter&Id="+url.QueryEscape(id))
		if err != nil {
			return nil, a.from, err
		}
		form := readForm(page.body)
		if form.id != id {
			return nil, a.from, errors.New("its page of filters shows another filter")
		}
		all = append(all, form.filter())
	}
	return all, a.from, nil
}

// zmFilter is one filter: what it looks for, and whether it deletes that.
type zmFilter struct {
	name    string
	deletes bool // and runs by itself
	terms   []zmTerm
	mixed   bool // with brackets, "or", or more terms than are read
}

// zmTerm is one condition, in the words of ZoneMinder: "EndDateTime", "<", "-3 day".
type zmTerm struct{ what, how, value string }

// words is a filter as a person reads it.
func (f zmFilter) words() string {
	var terms []string
	for _, t := range f.terms {
		terms = append(terms, t.what+" "+t.how+" "+t.value)
	}
	return f.name + ": " + strings.Join(terms, ", ")
}

// zmRetention tells what the filters that delete mean for one monitor: the
// shortest age; until the disk is full where only that makes one delete. A
// deleting filter that is not understood leaves it unknown, and so does having
// none: ZoneMinder does not overwrite by itself.
func zmRetention(filters []zmFilter, id, name string) (protocol.Retention, []string) {
	var r protocol.Retention
	var words []string
	unclear := false
	for _, f := range filters {
		if !f.deletes {
			continue
		}
		m := f.meaning(id, name)
		if m.elsewhere {
			continue
		}
		words = append(words, f.words())
		switch {
		case m.unclear:
			unclear = true
		case m.full && r.Kind == protocol.RetentionUnknown:
			r.Kind = protocol.RetentionCapacity
		case !m.full && (r.Kind != protocol.RetentionAge || m.age < r.Age):
			r = protocol.Retention{Kind: protocol.RetentionAge, Age: m.age}
		}
	}
	if unclear {
		return protocol.Retention{}, words
	}
	return r, words
}

// meaning is what one filter does to one monitor's events.
type meaning struct {
	elsewhere bool // it is about other monitors
	unclear   bool
	full      bool // only when the disk is nearly full
	age       time.Duration
}

// meaning reads the terms. All must hold: the longest age counts, and one that
// also waits for a full disk deletes only then.
func (f zmFilter) meaning(id, name string) meaning {
	m := meaning{unclear: f.mixed}
	for _, t := range f.terms {
		switch {
		case t.what == "MonitorId" || t.what == "MonitorName":
			mine, ok := t.picks(map[string]string{"MonitorId": id, "MonitorName": name}[t.what])
			m.unclear = m.unclear || !ok
			m.elsewhere = m.elsewhere || ok && !mine && !f.mixed
		case t == zmTerm{"Archived", "=", "0"}, t == zmTerm{"EndDateTime", "IS NOT", "NULL"}:
		case slices.Contains([]string{"StartDateTime", "EndDateTime", "DateTime"}, t.what) && (t.how == "<" || t.how == "<="):
			age, ok := ago(t.value)
			m.unclear, m.age = m.unclear || !ok, max(m.age, age)
		case (t.what == "DiskPercent" || t.what == "DiskBlocks") && (t.how == ">" || t.how == ">="):
			m.full = true
		default:
			m.unclear = true
		}
	}
	m.unclear = m.unclear || !m.full && m.age == 0
	return m
}

// picks tells whether a term about monitors takes this one; ok=false: it cannot
// be told.
func (t zmTerm) picks(this string) (mine, ok bool) {
	switch t.how {
	case "=":
		return t.value == this, t.value != ""
	case "=[]":
		for v := range strings.SplitSeq(t.value, ",") {
			mine = mine || strings.TrimSpace(v) == this
		}
		return mine, t.value != ""
	}
	return false, false
}

// agoForm is how far back a filter looks. Months and years have no fixed length.
var agoForm = regexp.MustCompile(`(?i)^(?:-\s*(\d{1,6})\s*(minute|hour|day|week)s?|(\d{1,6})\s+(minute|hour|day|week)s?\s+ago)$`)

func ago(text string) (time.Duration, bool) {
	p := agoForm.FindStringSubmatch(strings.TrimSpace(text))
	if p == nil {
		return 0, false
	}
	n, err := strconv.Atoi(p[1] + p[3])
	unit := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour}[strings.ToLower(p[2]+p[4])]
	return time.Duration(n) * unit, err == nil
}

// form is what the page of filters shows.
type form struct {
	id         string            // of the filter that is shown
	background []string          // ids of those that run by themselves: their names end in "*"
	values     map[string]string // of the inputs and selections named "filter[...]"; a box that is not ticked has none
}

// readForm takes the form out of the page. Of a selection in which nothing is
// chosen the first option counts, as in browsers, but not of monitors: one that
// was removed is not among the options.
func readForm(page []byte) form {
	f := form{values: map[string]string{}}
	z := html.NewTokenizer(bytes.NewReader(page))
	z.SetMaxBuf(maxAnswer)
	selecting, first, option := "", false, ""
	for {
		switch z.Next() {
		case html.ErrorToken:
			return f
		case html.TextToken:
			if (selecting == "Id" || selecting == "filter[Id]") && option != "" {
				if label := strings.TrimRight(strings.TrimSpace(string(z.Text())), "&"); strings.HasSuffix(label, "*") {
					f.background = append(f.background, option)
				}
				option = ""
			}
		case html.EndTagToken:
			if name, _ := z.TagName(); string(name) == "select" {
				selecting = ""
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			switch tag, a := attributes(z); tag {
			case "input":
				if _, ticked := a["checked"]; strings.HasPrefix(a["name"], "filter[") && (a["type"] != "checkbox" || ticked) {
					f.values[a["name"]] = a["value"]
				}
			case "select":
				selecting, first, option = a["name"], true, ""
			case "option":
				_, chosen := a["selected"]
				option = a["value"]
				if chosen && (selecting == "Id" || selecting == "filter[Id]") {
					f.id = option
				}
				if strings.HasPrefix(selecting, "filter[") && (chosen || first) {
					f.values[selecting] = option
					if !chosen && f.values[strings.TrimSuffix(selecting, "[val]")+"[attr]"] == "MonitorName" {
						f.values[selecting] = ""
					}
				}
				first = false
			}
		}
	}
}

func attributes(z *html.Tokenizer) (tag string, all map[string]string) {
	name, more := z.TagName()
	tag = string(name)
	all = map[string]string{}
	for more && (tag == "input" || tag == "select" || tag == "option") {
		var key, value []byte
		key, value, more = z.TagAttr()
		all[string(key)] = string(value)
	}
	return tag, all
}

// filter makes a filter of the values.
func (f form) filter() zmFilter {
	out := zmFilter{name: f.values["filter[Name]"], deletes: f.values["filter[AutoDelete]"] != "" && f.values["filter[Background]"] != ""}
	for i := 0; ; i++ {
		of := func(part string) (string, bool) {
			v, ok := f.values[fmt.Sprintf("filter[Query][terms][%d][%s]", i, part)]
			return v, ok
		}
		what, ok := of("attr")
		if !ok || i == maxTerms {
			out.mixed = out.mixed || ok
			return out
		}
		how, _ := of("op")
		value, _ := of("val")
		out.terms = append(out.terms, zmTerm{what, how, value})
		for _, part := range []string{"obr", "cbr"} {
			if v, _ := of(part); v != "" && v != "0" {
				out.mixed = true
			}
		}
		if join, _ := of("cnj"); i > 0 && join != "and" {
			out.mixed = true
		}
	}
}
