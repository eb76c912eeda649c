package ops

import (
	"html"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

var numberLink = regexp.MustCompile(`<a href="(/sites\?[^"]*)">(?:<strong>)?([0-9.]+)<`)

// Each number of the funnel leads to a list of so many sites.
func TestFunnelNumbersOpenTheirLists(t *testing.T) {
	d := newDesk(t)
	d.reg.UseLocator(&registry.Locator{Map: "m", At: func(protocol.Point) registry.District { return registry.District{} }, Find: func(address string) registry.District {
		return map[string]registry.District{"a": {Municipio: "Municipio 1", NIL: "DUOMO"}, "b": {Municipio: "Municipio 9", NIL: "ISOLA"}}[address]
	}})
	for i, address := range []string{"a", "a", "b", "nowhere"} {
		category := []string{"bank", "shop"}[i%2]
		if i < 2 {
			d.redeem(map[string]string{"site": "Sito", "category": category, "address": address}, false)
		} else {
			d.ask(d.control, "", "POST", "/invite", map[string]string{"site": "Sito", "category": category, "address": address})
		}
	}
	for _, by := range groupings {
		for _, over := range []string{"week", "month"} {
			page := d.get("", "/funnel?by="+by+"&over="+over)
			if page.Code != http.StatusOK {
				t.Fatal(page.Code, page.Body)
			}
			links := numberLink.FindAllStringSubmatch(page.Body.String(), -1)
			if len(links) < len(steps)+3 {
				t.Errorf("by %s over %s: %d numbers", by, over, len(links))
			}
			for _, link := range links {
				want, err := strconv.Atoi(strings.ReplaceAll(link[2], ".", ""))
				if code, got := d.ask(d.control, "", "GET", html.UnescapeString(link[1]), nil); err != nil || code != http.StatusOK || got["total"] != float64(want) {
					t.Errorf("by %s over %s: %s leads to %v, the page says %d", by, over, link[1], got, want)
				}
			}
		}
	}
	_, got := d.ask(d.control, "", "GET", "/funnel?by=municipio", nil)
	all := got["all"].(map[string]any)["sites"].(map[string]any)
	if groups := got["groups"].([]any); len(groups) != 3 || all["invited"] != 4.0 || all["enrolled"] != 2.0 || len(got["periods"].([]any)) != periods {
		t.Errorf("%v", got)
	}
	for _, query := range []string{"by=street", "over=day"} {
		if code, _ := d.ask(d.control, "", "GET", "/funnel?"+query, nil); code != http.StatusBadRequest {
			t.Errorf("%s: %d", query, code)
		}
	}
	file := d.get("", "/funnel.csv?by=nil").Body.String()
	if lines := strings.Split(strings.TrimSpace(file), "\r\n"); len(lines) != 4 || !strings.HasPrefix(lines[2], "DUOMO;2;2;2;0;") {
		t.Errorf("%q", file)
	}
}

// Weeks begin on Monday and months on the first, in Rome, also around the change of
// the clock and of the year.
func TestBounds(t *testing.T) {
	for _, now := range []time.Time{
		time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC), time.Date(2026, 10, 24, 22, 30, 0, 0, time.UTC), time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC),
		time.Date(2026, 12, 31, 23, 30, 0, 0, time.UTC), time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC), time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC),
	} {
		for _, over := range []string{"week", "month"} {
			at := bounds(over, now)
			if len(at) != periods+1 || at[periods-1].After(now) || !at[periods].After(now) {
				t.Errorf("%s of %s: %v", over, now, at)
			}
			for i, b := range at {
				if b.Hour() != 0 || over == "week" && b.Weekday() != time.Monday || over == "month" && b.Day() != 1 || i > 0 && !b.After(at[i-1]) {
					t.Errorf("%s of %s: %s", over, now, b)
				}
			}
		}
	}
}
