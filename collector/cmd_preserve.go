package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"text/tabwriter"
	"time"
)

// requested is what the command line reads of an answer to POST /requests and
// of each row of GET /requests; -json prints the whole of it as it came.
type requested struct {
	Notices []struct {
		Notice    string    `json:"notice_id"`
		Site      string    `json:"site_id"`
		SiteName  string    `json:"site_name"`
		Cameras   []string  `json:"camera_ids"`
		CheckCode string    `json:"check_code"`
		At        time.Time `json:"at"`
		State     string    `json:"state"`
		Replies   []struct {
			State string    `json:"state"`
			At    time.Time `json:"at"`
			By    string    `json:"by"`
			Note  string    `json:"note"`
		} `json:"replies"`
	} `json:"notices"`
	Trail struct {
		Index int64 `json:"index"`
	} `json:"trail"`
}

// cmdPreserve asks the owners of cameras to keep what was filmed, as the officer
// whose credential it is given; with -list it says how far the requests of that
// officer's force have come.
func cmdPreserve(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	server := f.String("server", "", "the collector's consultation address (default: the one in the credential)")
	credentialFile := f.String("credential", "", "credential file that \"user add\" wrote")
	list := f.Bool("list", false, "ask nobody: say how far the requests of your force have come")
	form := url.Values{}
	f.Func("camera", "id of a camera, as search -json gives it; once for each", func(s string) error {
		form.Add("camera", s)
		return nil
	})
	fields(f, form, field{"from", "from", "begin of the footage, RFC 3339, e.g. 2026-11-21T22:00:00Z"},
		field{"until", "until", "its end, RFC 3339"},
		field{"kind", "kind", "invitation (art. 348 c.p.p.) or order (art. 354 c.p.p., by an ufficiale di PG)"},
		field{"phone", "phone", "number that the owner may call"})
	fields(f, form, matter("why this is asked")...)
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	if *credentialFile == "" {
		return misuse("-credential is missing")
	}
	if !*list {
		if err := complete(form, "camera", "from", "until", "kind"); err != nil {
			return err
		}
	} else if len(form) > 0 {
		return misuse("-list asks nobody: leave out what is to be asked")
	}
	cl, err := officerClient(*server, *credentialFile)
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if *list {
		err = cl.do(ctx, "GET", "/requests", nil, &raw)
	} else {
		err = cl.postForm(ctx, "/requests", form, &raw)
	}
	if err != nil {
		return err
	}
	if c.json {
		_, err := fmt.Fprintln(c.out, string(raw))
		return err
	}
	var answer requested
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("the collector's answer: %w", err)
	}
	if *list {
		return c.listRequested(answer)
	}
	return c.sayRequested(answer)
}

func (c *call) sayRequested(answer requested) error {
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "SITE\tCAMERAS\tCHECK CODE")
	for _, n := range answer.Notices {
		fmt.Fprintf(w, "%s\t%d\t%s\n", n.Site, len(n.Cameras), n.CheckCode)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.out, "%s asked; entry %d of the trail. See what comes back with -list; without an answer soon, call.\n",
		counted(len(answer.Notices), "site", "sites"), answer.Trail.Index)
	return err
}

func (c *call) listRequested(answer requested) error {
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ASKED\tSITE\tSTATE\tSINCE\tWHO\tNOTE")
	for _, n := range answer.Notices {
		since, by, note := n.At, "", ""
		for _, r := range n.Replies {
			if r.State == n.State {
				since, by, note = r.At, r.By, r.Note
			}
		}
		site := n.SiteName
		if site == "" {
			site = n.Site
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", n.At.Format(time.RFC3339), site, n.State, since.Format(time.RFC3339), by, note)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.out, "%s; entry %d of the trail\n", counted(len(answer.Notices), "notice", "notices"), answer.Trail.Index)
	return err
}
