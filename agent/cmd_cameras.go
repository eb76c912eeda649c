package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// cmdCameras lists the cameras and where each stands.
func cmdCameras(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	sheet := f.Bool("csv", false, "print them as CSV, to be filled in and given to \"import\"")
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	if *sheet {
		return c.printSheet(ctx)
	}
	var answer struct {
		Devices []inventory.Device `json:"devices"`
		Cameras []inventory.Camera `json:"cameras"`
	}
	err := c.withAgent(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodGet, "/cameras", nil, &answer)
	})
	if err != nil {
		return err
	}
	if c.json {
		return c.print(answer)
	}
	if len(answer.Devices) == 0 {
		fmt.Fprintln(c.out, "No camera found yet. Is \"anagrafe-agent run\" running? A camera that is not found can be named: run -target ADDRESS.")
		return nil
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSTATE\tNAME\tRECORDER\tOUTDOOR+PUBLIC\tRECORDS\tKEEPS\tREACHES BACK\tMISSING")
	for _, cam := range answer.Cameras {
		outdoor := "?"
		if cam.Outdoor != nil {
			outdoor = map[bool]string{true: "yes", false: "no"}[*cam.Outdoor]
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s %s\t%s\t%s\t%s\t%s\t%s\n", cam.ID, cam.State, cam.Values.Name,
			cam.Device.Vendor, cam.Device.Model, outdoor, records(cam), keeps(cam.Values.Retention), reach(cam.Depth), strings.Join(cam.Missing, ", "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, cam := range answer.Cameras {
		if cam.AskAgain {
			fmt.Fprintf(c.out, "%s was answered yes in one place and no in another, or another camera is there now: anagrafe-agent set %s -outdoor-public yes|no\n", cam.ID, cam.ID)
		}
		if len(cam.Differs) > 0 {
			fmt.Fprintf(c.out, "%s: the recorder now tells another %s than was declared; it leaves by itself\n", cam.ID, strings.Join(cam.Differs, " and "))
		}
		if o := cam.Overruled; o.Schedule != nil || o.Retention != nil {
			fmt.Fprintf(c.out, "%s: the recorder tells it otherwise than you said; your word counts until it tells something new: set %s -schedule or -days\n", cam.ID, cam.ID)
		}
		if cam.MaybeSame > cam.ID { // each two once
			fmt.Fprintf(c.out, "%s and %s may be one camera, on a recorder and by itself. If they are: anagrafe-agent refuse the one that is not the recorder's\n", cam.ID, cam.MaybeSame)
		}
	}
	for _, d := range answer.Devices {
		if d.Needs != interrogate.NeedsNothing {
			fmt.Fprintf(c.out, "%s %s at %s needs %s: anagrafe-agent password %s -user NAME\n", d.Vendor, d.Model, d.Address, d.Needs, d.ID)
		}
	}
	return nil
}

// records says when a camera records, and by whose word: "motion (measured)",
// "20:00-08:00 (declared)", "?".
func records(cam inventory.Camera) string {
	s := cam.Values.Schedule
	text := string(s.Kind)
	switch {
	case s.Kind == protocol.ScheduleUnknown:
		return "?"
	case s.Kind == protocol.ScheduleAlways && s.Mode != protocol.Continuous:
		text = string(s.Mode)
	case s.Kind == protocol.ScheduleWeekly && s.Fact.Source == protocol.Declared && cam.Hours != "":
		text = cam.Hours
	}
	return by(text, s.Fact)
}

// keeps says for how long images stay: "7d (declared)", "until full (measured)", "?".
func keeps(r protocol.Retention) string {
	switch r.Kind {
	case protocol.RetentionAge:
		if r.Age%(24*time.Hour) == 0 {
			return by(strconv.Itoa(int(r.Age/(24*time.Hour)))+"d", r.Fact)
		}
		return by(r.Age.String(), r.Fact)
	case protocol.RetentionCapacity:
		return by("until full", r.Fact)
	}
	return "?"
}

func by(text string, f protocol.Fact) string {
	if f.Source == protocol.SourceUnknown {
		return text
	}
	return text + " (" + string(f.Source) + ")"
}

// reach says how far back footage was seen to reach: "6d shrinking", "?".
func reach(d inventory.Depth) string {
	if len(d.Points) == 0 {
		return "?"
	}
	hours := int(d.About.Hours())
	text := strconv.Itoa(hours) + "h"
	if hours >= 48 {
		text = strconv.Itoa(hours/24) + "d"
	}
	return strings.TrimSpace(text + " " + string(d.Trend))
}

// cmdSet records what the owner says of one camera.
func cmdSet(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	var edit inventory.Edit
	f.Func("outdoor-public", "does it film an outdoor area open to the public? yes or no", func(s string) error {
		if s != "yes" && s != "no" {
			return errors.New("answer yes or no")
		}
		edit.Outdoor = new(s == "yes")
		return nil
	})
	text(f, &edit.Name, "name", "its name, as it stands on the recorder")
	number(f, &edit.Lon, "lon", "longitude, degrees WGS84")
	number(f, &edit.Lat, "lat", "latitude, degrees WGS84")
	number(f, &edit.AccuracyM, "accuracy", "how well it is placed, metres")
	number(f, &edit.Direction, "direction", "where it looks, degrees clockwise from north")
	number(f, &edit.Angle, "angle", "horizontal angle of view, degrees")
	number(f, &edit.RangeM, "range", "how far it sees, metres")
	text(f, &edit.SiteID, "site", "the site it belongs to, where there are several")
	f.Func("storage", "where its recorder keeps images: on-premises, third-party or cloud", func(s string) error {
		edit.Storage = new(protocol.Storage(s))
		return nil
	})
	text(f, &edit.StorageNote, "storage-note", "in which room that is")
	text(f, &edit.Schedule, "schedule", "when it records: always, motion, unknown, or hours such as '20:00-08:00' or 'mon-fri 8-19:30 motion'")
	number(f, &edit.Days, "days", "for how many days its images stay; 0: not known")
	rule := f.String("rule", "", "instead of ID: every camera with such a name, e.g. 'Ingresso*'")
	dry := f.Bool("dry-run", false, "with -rule: only say what would change")
	f.StringVar(&edit.By, "by", "", "who says so (default: the name in the configuration, else the user of this machine)")
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	edit.By = cmp.Or(edit.By, c.person())
	switch {
	case *rule != "" && len(words) > 0:
		return misuse("give a camera or -rule, one of them")
	case *rule != "":
		return c.setByRule(ctx, *rule, edit, *dry)
	case *dry:
		return misuse("-dry-run goes with -rule")
	}
	if len(words) == 0 {
		return misuse("which camera? \"anagrafe-agent cameras\" lists them")
	}
	return c.withAgent(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/cameras/"+url.PathEscape(words[0]), edit, nil)
	})
}

// number is a flag that says whether it was given at all.
func number[T int | float64](f *flag.FlagSet, into **T, name, what string) {
	f.Func(name, what, func(s string) error {
		var v T
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			return fmt.Errorf("%q is not a number, e.g. 45.4641 or 90", s)
		}
		*into = &v
		return nil
	})
}

func text(f *flag.FlagSet, into **string, name, what string) {
	f.Func(name, what, func(s string) error { *into = &s; return nil })
}
