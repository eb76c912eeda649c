package main

import (
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"anagrafe/collector/web"
)

// crawler opens all of the ops console that somebody can open: each route, with each id
// that it may be given, whatever the pages lead to, each value of each field of their
// forms, as a page and as JSON; and at last what each act answers to nonsense.
type crawler struct {
	t       *testing.T
	handler http.Handler
	as      func(*http.Request)
	ids     []string
	seen    map[string]string // what was answered, by "Accept path"
}

const (
	// mostCrawled bounds the answers of one crawl: more is a page that leads to ever others.
	mostCrawled = 4000
	// mostAsked is how many questions one path is asked: what narrows a list one by one is
	// asked first, and what narrows it further shows no more.
	mostAsked = 120
)

var (
	leads   = regexp.MustCompile(`(?:href|src|action)="(/[^"]*)"`)
	form    = regexp.MustCompile(`(?s)<form method="get" action="(/[^"]*)".*?</form>`)
	control = regexp.MustCompile(`(?s)<select[^>]* name="([^"]*)".*?</select>`)
	option  = regexp.MustCompile(`<option value="([^"]*)"`)
)

// crawl gives all that was answered. It begins at the routes, so that a page which
// nothing leads to is looked at as well.
func crawl(t *testing.T, handler http.Handler, routes []web.Route, as func(*http.Request), ids ...string) []sight {
	t.Helper()
	c := &crawler{t: t, handler: handler, as: as, ids: append(ids, "x"), seen: map[string]string{}}
	var queue []string
	for _, r := range routes {
		if path, ok := strings.CutPrefix(r.Pattern, "GET "); ok {
			queue = append(queue, c.paths(path)...)
		}
	}
	asked, questions := map[string]bool{}, map[string]int{}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		plain, _, _ := strings.Cut(path, "?")
		if asked[path] || questions[plain] == mostAsked || strings.HasPrefix(path, "/static/") {
			continue
		}
		asked[path] = true
		questions[plain]++
		if len(c.seen) > mostCrawled {
			t.Fatalf("more than %d answers: the last was of %s", mostCrawled, path)
		}
		page := c.open("GET", path, "text/html", "")
		c.open("GET", path, "application/json", "")
		if !strings.Contains(path, "lang=") {
			queue = append(queue, c.led(page)...)
		}
	}
	for _, r := range routes {
		if path, ok := strings.CutPrefix(r.Pattern, "POST "); ok && !strings.HasPrefix(path, "/log") {
			for _, path := range c.paths(path) {
				c.open("POST", path, "text/html", "a=b")
				c.open("POST", path, "application/json", "{")
			}
		}
	}
	var all []sight
	for _, where := range slices.Sorted(maps.Keys(c.seen)) {
		all = append(all, sight{where, c.seen[where]})
	}
	return all
}

// paths are those of a pattern, with each id in the place of a wildcard.
func (c *crawler) paths(pattern string) (all []string) {
	pattern = strings.ReplaceAll(pattern, "{$}", "")
	if !wildcard.MatchString(pattern) {
		return []string{pattern}
	}
	for _, id := range c.ids {
		all = append(all, wildcard.ReplaceAllString(pattern, id))
	}
	return all
}

// led are the addresses that a page leads to: its links, and of its forms that narrow
// something each value of each field.
func (c *crawler) led(page string) (all []string) {
	for _, m := range leads.FindAllStringSubmatch(page, -1) {
		all = append(all, html.UnescapeString(m[1]))
	}
	for _, f := range form.FindAllStringSubmatch(page, -1) {
		for _, s := range control.FindAllStringSubmatch(f[0], -1) {
			for _, o := range option.FindAllStringSubmatch(s[0], -1) {
				all = append(all, f[1]+"?"+url.Values{s[1]: {html.UnescapeString(o[1])}}.Encode())
			}
			all = append(all, f[1]+"?"+url.Values{s[1]: {"nonsense"}}.Encode())
		}
	}
	return all
}

func (c *crawler) open(method, path, accept, body string) string {
	r := httptest.NewRequestWithContext(c.t.Context(), method, "http://localhost/", strings.NewReader(body))
	u, err := url.Parse(path)
	if err != nil {
		c.t.Fatal(err)
	}
	r.URL.Path, r.URL.RawQuery = u.Path, u.RawQuery
	r.Header.Set("Accept", accept)
	if r.Header.Set("Content-Type", "application/x-www-form-urlencoded"); accept == "application/json" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.RemoteAddr = "127.0.0.1:99"
	c.as(r)
	rw := httptest.NewRecorder()
	c.handler.ServeHTTP(rw, r)
	if rw.Code >= 500 {
		c.t.Errorf("%s %s answers %d: %s", method, path, rw.Code, rw.Body)
	}
	var heads []string
	for name, values := range rw.Header() {
		heads = append(heads, name+": "+strings.Join(values, ", "))
	}
	slices.Sort(heads)
	c.seen[method+" "+accept+" "+path] = strings.Join(heads, "\n") + "\n" + rw.Body.String()
	return rw.Body.String()
}
