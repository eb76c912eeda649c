package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"text/tabwriter"
)

// found is what the command line reads of a search's answer; -json prints the
// whole of it as it came.
type found struct {
	Search  string `json:"search"`
	Results []struct {
		Class      string   `json:"class"`
		CameraName string   `json:"camera_name"`
		SiteName   string   `json:"site_name"`
		Address    string   `json:"address"`
		Why        []string `json:"why"`
		Left       string   `json:"left"`
		Ask        string   `json:"ask"`
	} `json:"results"`
	Hidden struct{ Category, Continuous, Certain int } `json:"hidden"`
	Trail  struct {
		Index int64 `json:"index"`
	} `json:"trail"`
}

// cmdSearch asks the running collector as the officer whose credential it is
// given: there is no other way to the register. It sends what was typed and
// shows what comes back, so that its answers are those of page and API.
func cmdSearch(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	server := f.String("server", "", "the collector's consultation address (default: the one in the credential)")
	credentialFile := f.String("credential", "", "credential file that \"user add\" wrote")
	form := url.Values{}
	fields(f, form, field{"at", "at", "the place: LON,LAT in degrees"},
		field{"address", "at", "or an address, or the name of a district"},
		field{"area", "area", "or an area: its vertices as LON,LAT with spaces in between, or GeoJSON"},
		field{"route", "route", "or a route: its vertices in their order; -time and -until are when they set out"},
		field{"means", "means", "how they went along the route: foot (default), bicycle or car"},
		field{"speed", "speed", "or their lowest and highest average speed, km/h, e.g. 4-15"},
		field{"arrival", "arrival", "when they reached the end of the route, written as -time is"},
		field{"time", "time", "the time, RFC 3339 with its zone, e.g. 2026-11-21T22:15:00Z; with -date a time of day in Rome, e.g. 23:15"},
		field{"until", "until", "the end of the window, written as -time is"},
		field{"date", "date", "the day of a time of day, e.g. 2026-11-21"},
		field{"fold", "fold", "first or second: which of two equal times of day, in the night in which clocks go back"},
		field{"radius", "radius", "metres, 50 to 2000 (default 300)"})
	f.Func("category", "only sites of this category, e.g. bank; once for each", func(s string) error {
		form.Add("category", s)
		return nil
	})
	only := func(name, usage string) {
		f.BoolFunc(name, usage, func(string) error { form.Set(name, "1"); return nil })
	}
	only("continuous", "only cameras that recorded continuously")
	only("certain", "only cameras that surely see the place and whose footage surely exists")
	fields(f, form, matter("why this search is made")...)
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	if *credentialFile == "" {
		return misuse("-credential is missing")
	}
	if !form.Has("at") && !form.Has("area") && !form.Has("route") {
		return misuse("-at is missing, or -address, -area, -route")
	}
	if err := complete(form, "time"); err != nil {
		return err
	}
	if form.Get("date") == "" && !strings.ContainsAny(form.Get("time"), "Tt") {
		return misuse("-time: a time of day needs -date; or write it as RFC 3339 with its zone, e.g. 2026-11-21T22:15:00+01:00")
	}
	cl, err := officerClient(*server, *credentialFile)
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if err := cl.postForm(ctx, "/search", form, &raw); err != nil {
		return err
	}
	if c.json {
		_, err := fmt.Fprintln(c.out, string(raw))
		return err
	}
	var answer found
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("the collector's answer: %w", err)
	}
	return c.list(answer)
}

// list shows a line for each camera and, under it, why it stands there.
func (c *call) list(answer found) error {
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "\tCLASS\tCAMERA\tSITE\tFOOTAGE")
	for i, r := range answer.Results {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", i+1, r.Class, r.CameraName, r.SiteName, r.Left)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for i, line := range strings.SplitAfter(table.String(), "\n") {
		fmt.Fprint(c.out, line)
		if i == 0 || i > len(answer.Results) {
			continue
		}
		r := answer.Results[i-1]
		for _, why := range append(r.Why, "time to ask for: "+r.Ask, "address: "+r.Address) {
			fmt.Fprintln(c.out, "      "+why)
		}
	}
	if h := answer.Hidden; h.Category+h.Continuous+h.Certain > 0 {
		fmt.Fprintf(c.out, "left out: %d of another category, %d not surely continuous, %d not certain\n", h.Category, h.Continuous, h.Certain)
	}
	_, err := fmt.Fprintf(c.out, "%s; search %s; entry %d of the trail\n", counted(len(answer.Results), "camera", "cameras"), answer.Search, answer.Trail.Index)
	return err
}
