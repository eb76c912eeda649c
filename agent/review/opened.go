package review

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"anagrafe/protocol/pages"
)

// openedView is one browser in which the pages are open, or a link that would open
// them, as the owner is told of it.
type openedView struct {
	ID         string
	Technician bool
	Unused     bool // a link
	LAN        bool
	Browser    string // "Firefox, Windows"; "" where it does not say
	Since      time.Time
	Until      time.Time
	Own        bool // the one that asks
	Acts       []actView
}

// actView is something that a technician did, in words.
type actView struct {
	At   time.Time
	What string
}

// opened lists them, the asking one first.
func (v *Review) opened(r *http.Request) (out []openedView) {
	own, w := sessionOf(r), v.words(r)
	links, open := v.sessions.all()
	for _, s := range open {
		o := openedView{ID: s.id, Technician: s.role == roleTechnician, LAN: s.from.lan, Browser: browserName(s.from.agent),
			Since: s.opened, Until: s.until, Own: s == own}
		for _, a := range s.done() {
			o.Acts = append(o.Acts, actView{a.At, actWords(w, a.Route)})
		}
		out = append(out, o)
	}
	for _, l := range links {
		if l.role == roleTechnician { // the owner's own are short, and printed where they are asked for
			out = append(out, openedView{ID: l.id, Technician: true, Unused: true, Since: l.made, Until: l.until})
		}
	}
	slices.SortStableFunc(out, func(a, b openedView) int {
		switch {
		case a.Own == b.Own:
			return 0
		case a.Own:
			return -1
		}
		return 1
	})
	return out
}

// actWords says what a route of a technician's did.
func actWords(w *pages.Words, route string) string {
	if key := "helper.did." + strings.Trim(strings.NewReplacer("POST /", "", "{id}", "", "/", "-", "--", "-").Replace(route), "-"); w.Has(key) {
		return w.T(key)
	}
	return route
}

// browserName is what a browser calls itself, for a person who looks for the one
// that is not his: the first that fits, since each names its forebears too.
func browserName(agent string) string {
	var parts []string
	for _, names := range [][][2]string{
		{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"SamsungBrowser/", "Samsung Internet"}, {"Chrom", "Chrome"}, {"Safari/", "Safari"}},
		{{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Macintosh", "Mac"}, {"Linux", "Linux"}},
	} {
		for _, n := range names {
			if strings.Contains(agent, n[0]) {
				parts = append(parts, n[1])
				break
			}
		}
	}
	return strings.Join(parts, ", ")
}

// closeSession ends a session or takes back a link: the asking browser's own, one
// by its id, or all others.
func (v *Review) closeSession(r *http.Request) (answer, error) {
	var in struct {
		ID     string `json:"id"`
		Others bool   `json:"others"`
	}
	if filled, err := read(r, &in); err != nil {
		return answer{}, err
	} else if filled {
		in.ID, in.Others = r.PostForm.Get("id"), r.PostForm.Get("others") != ""
	}
	own := sessionOf(r)
	if (in.ID != "" || in.Others) && own != nil && own.role != roleOwner {
		return answer{}, notOwner()
	}
	n := v.sessions.close(
		func(l link) bool { return in.Others || in.ID != "" && l.id == in.ID },
		func(s *session) bool {
			switch {
			case in.Others:
				return s != own
			case in.ID != "":
				return s.id == in.ID
			}
			return s == own
		})
	to := "/status?done=closedother#browsers"
	if !in.Others && (in.ID == "" || own != nil && in.ID == own.id) {
		to = "/?done=closed"
	}
	return answer{json: map[string]int{"closed": n}, to: to}, nil
}
