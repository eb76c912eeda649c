package review

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// Names of private values of a site (View.Private): the answers to the coach's
// questions, and what the owner did with a piece of advice.
const (
	askedName = "coach.ask."
	doneName  = "coach.done."
)

// What the owner may do with a piece of advice; "" is open.
const (
	adviceDone    = "done"
	adviceNotMine = "not-mine"
)

// allQuestions are the keys that an answer may have: of the words "ask.KEY".
var allQuestions = []string{"sign", "employees", "agreement", "resolution"}

// adviceView is the page of a site's advice.
type adviceView struct {
	siteChoice
	Open, Closed []shownAdvice
	Ask          []shownQuestion
	Answers      []string
	AsOf         time.Time
}

// shownAdvice is a piece of advice in words.
type shownAdvice struct {
	tip
	On    []onCamera
	State string
}

// onCamera is a camera that a piece of advice is about.
type onCamera struct{ ID, Name, Kept string }

type shownQuestion struct{ Key, Said string }

// siteChoice is the site that a page is about, of those that there are.
type siteChoice struct {
	Site  inventory.Site   // its SiteID is "" before enrolment
	Sites []inventory.Site // that can be chosen; more than one
}

// chosenSite returns the site that a request names, else the first. Before enrolment
// it is one without id, of no category.
func chosenSite(known inventory.View, id string) (s siteChoice, err error) {
	if len(known.Sites) > 1 {
		s.Sites = known.Sites
	}
	i := slices.IndexFunc(known.Sites, func(g inventory.Site) bool { return id == "" || g.SiteID == id })
	switch {
	case i >= 0:
		s.Site = known.Sites[i]
	case id != "":
		return s, inventory.ErrUnknown
	}
	return s, nil
}

// coachedOf collects what is known of a site; cameras of no site are those of the
// only one.
func coachedOf(known inventory.View, s inventory.Site) coached {
	c := coached{Category: protocol.Category(s.Category), Said: map[string]string{}}
	for _, cam := range known.Cameras {
		if cam.SiteID == s.SiteID || len(known.Sites) <= 1 && cam.SiteID == "" {
			c.Cameras = append(c.Cameras, cam)
		}
	}
	for name, value := range known.Private[s.SiteID] {
		if key, ok := strings.CutPrefix(name, askedName); ok {
			c.Said[key] = value
		}
	}
	return c
}

// openAdvice counts what there is to look at on the page of advice: advice that
// is open, and questions that nobody answered.
func openAdvice(known inventory.View) (n int) {
	for _, g := range known.Sites {
		c := coachedOf(known, g)
		n += len(unanswered(c))
		for _, a := range advise(c) {
			if known.Private[g.SiteID][doneName+a.Key] == "" {
				n++
			}
		}
	}
	return n
}

// adviceJSON is GET /advice for the command line.
type adviceJSON struct {
	SiteID  string            `json:"site_id"`
	Answers map[string]string `json:"answers"`
	Advice  []adviceItem      `json:"advice"`
}

type adviceItem struct {
	Key     string   `json:"key"`
	State   string   `json:"state"` // "", "done", "not-mine"
	Cameras []string `json:"cameras,omitempty"`
}

// advice shows what the owner may want to set right, and why.
func (v *Review) advice(r *http.Request) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	s, err := chosenSite(known, r.URL.Query().Get("site"))
	if err != nil {
		return answer{}, err
	}
	w, c, private := v.words(r), coachedOf(known, s.Site), known.Private[s.Site.SiteID]
	view := adviceView{siteChoice: s, Answers: answers, AsOf: sourcesAsOf}
	list := adviceJSON{SiteID: s.Site.SiteID, Answers: c.Said, Advice: []adviceItem{}}
	for _, key := range questionsFor(c) {
		view.Ask = append(view.Ask, shownQuestion{key, c.Said[key]})
	}
	for _, a := range advise(c) {
		t, _ := tipOf(a.Key)
		shown, item := shownAdvice{tip: t, State: private[doneName+a.Key]}, adviceItem{Key: a.Key, State: private[doneName+a.Key]}
		for _, cam := range a.Cameras {
			shown.On = append(shown.On, onCamera{cam.ID, nameOf(w, cam), keptWordsFor(w, a.Key, cam)})
			item.Cameras = append(item.Cameras, cam.ID)
		}
		if list.Advice = append(list.Advice, item); shown.State == "" {
			view.Open = append(view.Open, shown)
		} else {
			view.Closed = append(view.Closed, shown)
		}
	}
	a := page("advice.html", "advice.title", view)
	a.json = list
	return a, nil
}

// keptWordsFor says how long images of a camera stay, where the advice is about that.
func keptWordsFor(w *pages.Words, key string, c inventory.Camera) string {
	if span, known := keptFor(c.Values.Retention); known && strings.HasPrefix(key, "retention.") {
		return w.Duration(span)
	}
	return ""
}

// setAdvice keeps the owner's answers, or what he did with a piece of advice. It
// stays on this computer.
func (v *Review) setAdvice(r *http.Request) (answer, error) {
	var in struct {
		SiteID  string            `json:"site_id"`
		Answers map[string]string `json:"answers"` // by question
		Advice  map[string]string `json:"advice"`  // by key: "done", "not-mine", "" again open
	}
	if filled, err := read(r, &in); err != nil {
		return answer{}, err
	} else if filled {
		in.SiteID, in.Answers = r.PostForm.Get("site"), map[string]string{}
		for _, key := range allQuestions {
			if value := r.PostForm.Get("ask-" + key); value != "" {
				in.Answers[key] = value
			}
		}
		if key := r.PostForm.Get("key"); key != "" {
			in.Advice = map[string]string{key: r.PostForm.Get("state")}
		}
	}
	values := map[string]string{}
	for key, value := range in.Answers {
		if !slices.Contains(allQuestions, key) || !slices.Contains(answers, value) {
			return answer{}, protocol.FieldErrors{{Field: "answers", Why: "no such question, or the answer is not yes, no or unknown"}}
		}
		values[askedName+key] = value
	}
	for key, state := range in.Advice {
		if _, ok := tipOf(key); !ok || !slices.Contains([]string{"", adviceDone, adviceNotMine}, state) {
			return answer{}, protocol.FieldErrors{{Field: "advice", Why: "no such advice, or the state is not done, not-mine or empty"}}
		}
		values[doneName+key] = state
	}
	if err := v.Inventory.KeepPrivate(r.Context(), in.SiteID, values); err != nil {
		return answer{}, err
	}
	to := "/advice?done=advice"
	if in.SiteID != "" {
		to += "&site=" + in.SiteID
	}
	return answer{json: map[string][]string{"kept": slices.Sorted(maps.Keys(values))}, to: to}, nil
}
