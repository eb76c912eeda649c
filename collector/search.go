package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// found is what the command line reads of a search's answer; -json prints the
// whole of it as it came.
type found struct {
	Results []struct {
		Class      string `json:"class"`
		CameraName string `json:"camera_name"`
		SiteName   string `json:"site_name"`
		Sight      struct {
			Sees      string  `json:"sees"`
			DistanceM float64 `json:"distance_m"`
		} `json:"sight"`
		Footage struct {
			Exists string `json:"exists"`
		} `json:"footage"`
		TimeLeftS       int64 `json:"time_left_s"`
		TimeLeftAssumed bool  `json:"time_left_assumed"`
	} `json:"results"`
	Trail struct {
		Index int64 `json:"index"`
	} `json:"trail"`
}

// cmdSearch asks the running collector as the officer whose credential it is
// given: there is no other way to the register.
func cmdSearch(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	server := f.String("server", "", "the collector's consultation address (default: the one in the credential)")
	credentialFile := f.String("credential", "", "credential file that \"user add\" wrote")
	at := f.String("at", "", "the place: LON,LAT in degrees")
	from := f.String("time", "", "the time, RFC 3339, e.g. 2026-11-21T22:15:00Z")
	until := f.String("until", "", "the end of the window, RFC 3339")
	radius := f.Int("radius", 0, "metres, 50 to 2000 (default 300)")
	matter := f.String("case", "", "the case: KIND:REF; KIND is event112, annotation, cnr, rgnr, delegation or own-initiative; REF may follow later")
	offence := f.String("offence", "", "class of the offence, e.g. theft, burglary, robbery, assault, damage, other")
	reason := f.String("reason", "", "why this search is made")
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	for name, value := range map[string]string{"credential": *credentialFile, "at": *at, "time": *from, "case": *matter, "offence": *offence, "reason": *reason} {
		if value == "" {
			return misuse("-" + name + " is missing")
		}
	}
	kind, ref, ok := strings.Cut(*matter, ":")
	if !ok {
		return misuse("-case is KIND:REF, e.g. event112:4711")
	}
	cl, err := officerClient(*server, *credentialFile)
	if err != nil {
		return err
	}
	form := url.Values{
		"case_kind": {kind}, "case_ref": {ref}, "offence": {*offence}, "reason": {*reason},
		"at": {*at}, "time": {*from}, "until": {*until},
	}
	if *radius != 0 {
		form.Set("radius", strconv.Itoa(*radius))
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

func (c *call) list(answer found) error {
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "\tCLASS\tCAMERA\tSITE\tSEES IT\tDISTANCE\tFOOTAGE\tTIME LEFT")
	for i, r := range answer.Results {
		left := (time.Duration(r.TimeLeftS) * time.Second).Round(time.Minute).String()
		switch {
		case r.Class == "C":
			left = "none"
		case r.TimeLeftAssumed:
			left = "unknown, ranked as 24 h"
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%.0f m\t%s\t%s\n", i+1, r.Class, r.CameraName, r.SiteName, r.Sight.Sees, r.Sight.DistanceM, r.Footage.Exists, left)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.out, "%s; entry %d of the trail\n", counted(len(answer.Results), "camera", "cameras"), answer.Trail.Index)
	return err
}

// postForm sends what a page's form would send and reads the JSON answer.
func (cl client) postForm(ctx context.Context, path string, form url.Values, out any) error {
	body, err := cl.send(ctx, http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	defer body.Close()
	if err := json.NewDecoder(io.LimitReader(body, maxAnswer)).Decode(out); err != nil {
		return fmt.Errorf("the collector's answer to POST %s: %w", path, err)
	}
	return nil
}
