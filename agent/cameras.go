package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/user"
	"strings"
	"text/tabwriter"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// cmdCameras lists the cameras and where each stands.
func cmdCameras(ctx context.Context, c *call, args []string) error {
	if _, err := c.parse(c.flags(), args, 0); err != nil {
		return err
	}
	var answer struct {
		Devices []inventory.Device `json:"devices"`
		Cameras []inventory.Camera `json:"cameras"`
	}
	err := c.withSite(ctx, func(cl client) error {
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
	fmt.Fprintln(w, "ID\tSTATE\tNAME\tRECORDER\tOUTDOOR+PUBLIC\tMISSING")
	for _, cam := range answer.Cameras {
		outdoor := "?"
		if cam.Outdoor != nil {
			outdoor = map[bool]string{true: "yes", false: "no"}[*cam.Outdoor]
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s %s\t%s\t%s\n", cam.ID, cam.State, cam.Values.Name,
			cam.Device.Vendor, cam.Device.Model, outdoor, strings.Join(cam.Missing, ", "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, d := range answer.Devices {
		if d.Needs != interrogate.NeedsNothing {
			fmt.Fprintf(c.out, "%s %s at %s needs %s: anagrafe-agent password %s -user NAME\n", d.Vendor, d.Model, d.Address, d.Needs, d.ID)
		}
	}
	return nil
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
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	edit.By = c.person()
	if len(words) == 0 {
		return misuse("which camera? \"anagrafe-agent cameras\" lists them")
	}
	return c.withSite(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/cameras/"+url.PathEscape(words[0]), edit, nil)
	})
}

// cmdPassword keeps the password of a recorder, sealed, and has it tried once
// at the next look. It is read from stdin: an argument is seen by every user
// of the machine.
func cmdPassword(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	who := f.String("user", "", "user name on the recorder")
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	if len(words) == 0 || *who == "" {
		return misuse("give the recorder's ID and -user NAME; \"anagrafe-agent cameras\" lists what needs a password")
	}
	line, err := bufio.NewReader(io.LimitReader(c.in, 1024)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the password from stdin: %w", err)
	}
	in := map[string]string{"device": words[0], "user": *who, "password": strings.TrimRight(line, "\r\n")}
	return c.withSite(ctx, func(cl client) error {
		if err := cl.do(ctx, http.MethodPost, "/credentials", in, nil); err != nil {
			return err
		}
		return cl.do(ctx, http.MethodPost, "/scan", nil, nil)
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

// cmdContact says whom to call for a site.
func cmdContact(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	var in struct {
		SiteID string `json:"site_id,omitempty"`
		protocol.Contact
	}
	f.StringVar(&in.SiteID, "site", "", "the site, where there are several")
	f.StringVar(&in.Name, "name", "", "name of the person or office")
	f.Func("role", "owner, referent or control-room (default owner)", func(s string) error { in.Role = protocol.Role(s); return nil })
	f.StringVar(&in.Phone, "phone", "", "telephone number")
	f.StringVar(&in.Email, "email", "", "e-mail address")
	f.StringVar(&in.PEC, "pec", "", "certified e-mail address")
	f.StringVar(&in.Hours, "hours", "", "when they answer, in words")
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	if in.Role == "" {
		in.Role = protocol.RoleOwner
	}
	return c.withSite(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/contact", in, nil)
	})
}

// cmdDecide approves, refuses or withdraws, as its name says.
func cmdDecide(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	all := new(bool)
	if c.name != "refuse" {
		all = f.Bool("all", false, "every camera")
	}
	ids, err := c.parse(f, args, -1)
	if err != nil {
		return err
	}
	if *all == (len(ids) > 0) {
		return misuse("name the cameras, or say -all; \"anagrafe-agent cameras\" lists them")
	}
	in := struct {
		IDs []string `json:"ids,omitempty"`
		All bool     `json:"all,omitempty"`
		By  string   `json:"by"`
	}{ids, *all, c.person()}
	var answer struct {
		Results []inventory.Result `json:"results"`
	}
	if err := c.withSite(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/"+c.name, in, &answer)
	}); err != nil {
		return err
	}
	if c.json {
		if err := c.print(answer); err != nil {
			return err
		}
	}
	return c.outcome(answer.Results)
}

// outcome tells what could not be done, camera by camera.
func (c *call) outcome(results []inventory.Result) error {
	done := 0
	for _, r := range results {
		switch {
		case len(r.Missing) > 0:
			fmt.Fprintf(c.err, "%s: not done, missing: %s\n", r.ID, strings.Join(r.Missing, ", "))
		case r.Error != "":
			fmt.Fprintf(c.err, "%s: not done: %s\n", r.ID, r.Error)
		default:
			done++
		}
	}
	if !c.json {
		fmt.Fprintf(c.out, "%s: %d of %d\n", c.name, done, len(results))
	}
	switch {
	case done == len(results):
		return nil
	case done == 0:
		return errors.New("nothing was done; \"anagrafe-agent set ID\" gives what is missing")
	}
	return partly{fmt.Errorf("%d of %d were left as they are", len(results)-done, len(results))}
}

// person is whose decisions the command line records: the name in the
// configuration, else the user of this machine.
func (c *call) person() string {
	if config, err := readConfig(c.dir, c.config); err == nil && config.Name != "" {
		return config.Name
	}
	if u, err := user.Current(); err == nil {
		if u.Name != "" {
			return u.Name
		}
		return u.Username
	}
	return "command line"
}

// print writes the one JSON value of -json.
func (c *call) print(v any) error {
	e := json.NewEncoder(c.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
