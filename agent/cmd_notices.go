package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// shownNotice is a notice as the handlers answer it.
type shownNotice struct {
	ID         string              `json:"id"`
	Kind       protocol.NoticeKind `json:"kind"`
	ReceivedAt time.Time           `json:"received_at"`
	SeenAt     time.Time           `json:"seen_at"`
	PresentAt  time.Time           `json:"present_at"`
	AbsentAt   time.Time           `json:"absent_at"`
	Checked    []inventory.Check   `json:"checked"`
	Answer     protocol.ReplyState `json:"answer"`
	AnsweredAt time.Time           `json:"answered_at"`
	AnsweredBy string              `json:"answered_by"`
	Note       string              `json:"note"`
	Body       json.RawMessage     `json:"body"`
}

// cmdNotices lists what came down from the register; with an ID it opens one,
// which counts as seen, or answers it.
func cmdNotices(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	answers := map[protocol.ReplyState]*bool{
		protocol.ReplyCopied:  f.Bool("copied", false, "the footage was copied"),
		protocol.ReplyCannot:  f.Bool("cannot", false, "it cannot be done: call me"),
		protocol.ReplyTooLate: f.Bool("too-late", false, "the footage is gone"),
		protocol.ReplyRefused: f.Bool("refused", false, "no, to an invitation"),
	}
	by := f.String("by", "", "who answers (default: as for other decisions)")
	check := f.Bool("check", false, "ask the recorder whether it still has the footage; the register learns yes or no")
	note := f.String("note", "", "in your words: who copied it, where it is")
	ids, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	var said []protocol.ReplyState
	for state, is := range answers {
		if *is {
			said = append(said, state)
		}
	}
	switch {
	case len(said) > 1:
		return misuse("give one answer")
	case *check && len(said) > 0:
		return misuse("give -check or an answer; with every answer but -refused the recorder is asked anyway")
	case (*check || len(said) == 1) && len(ids) == 0:
		return misuse("name the notice; \"anagrafe-agent notices\" lists them")
	case len(said) == 0 && (*by != "" || *note != ""):
		return misuse("give an answer with -by and -note: -copied, -cannot, -too-late or -refused")
	}
	method, path, in := http.MethodGet, "/notices", any(nil)
	if len(ids) == 1 {
		path += "/" + url.PathEscape(ids[0])
	}
	if *check {
		method, path = http.MethodPost, path+"/check"
	}
	if len(said) == 1 {
		if *by == "" {
			*by = c.person()
		}
		method, in = http.MethodPost, map[string]string{"state": string(said[0]), "by": *by, "note": *note}
	}
	var raw json.RawMessage // -json prints the handlers' answer as it is
	if err := c.withAgent(ctx, func(cl client) error { return cl.do(ctx, method, path, in, &raw) }); err != nil {
		return err
	}
	switch {
	case c.json:
		return c.print(raw)
	case len(said) == 1:
		_, err := fmt.Fprintf(c.out, "notices: answered %s\n", said[0])
		return err
	case len(ids) == 1:
		return c.printNotice(raw)
	}
	return c.printNotices(raw)
}

func (c *call) printNotices(raw []byte) error {
	var answer struct {
		Notices []shownNotice `json:"notices"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("the agent's answer: %w", err)
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tRECEIVED\tKIND\tSEEN\tANSWER")
	for _, n := range answer.Notices {
		fmt.Fprintf(w, "%s\t%s\t%s\t%t\t%s\n", n.ID, n.ReceivedAt.Local().Format(time.DateTime), n.Kind, !n.SeenAt.IsZero(), n.Answer)
	}
	return w.Flush()
}

// printNotice shows what is asked, by whom, and how to find out that it is true.
func (c *call) printNotice(raw []byte) error {
	var n shownNotice
	if err := json.Unmarshal(raw, &n); err != nil {
		return fmt.Errorf("the agent's answer: %w", err)
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, value)
		}
	}
	row("notice", n.ID)
	row("received", when(n.ReceivedAt))
	if err := rowsOf(n, row); err != nil {
		return fmt.Errorf("the agent's answer: %w", err)
	}
	row("still there", when(n.PresentAt))
	row("no longer there", when(n.AbsentAt))
	for _, c := range n.Checked {
		row("recorder says", strings.TrimSpace(fmt.Sprintf("%s %s, %s %s", c.CameraID, c.Presence, when(c.At), c.Why)))
	}
	if n.Answer != "" {
		row("answer", fmt.Sprintf("%s, %s, %s", n.Answer, n.AnsweredBy, when(n.AnsweredAt)))
		row("note", n.Note)
	}
	return w.Flush()
}

// rowsOf shows what a notice says.
func rowsOf(n shownNotice, row func(name, value string)) error {
	if len(n.Body) == 0 {
		row("content", "deleted, 30 days after it was closed")
		return nil
	}
	body, err := protocol.DecodeNotice(n.Kind, n.Body)
	if err != nil {
		return err
	}
	switch b := body.(type) {
	case protocol.Preserve:
		means := map[protocol.RequestKind]string{
			protocol.Invitation: "invitation to preserve footage (art. 348 c.p.p.): you may say no",
			protocol.Order:      "order to preserve footage (art. 354 c.p.p.): it must not be deleted or changed"}
		row("asks", means[b.Kind])
		row("by", b.From)
		row("phone", b.Phone)
		row("reference", b.Reference)
		row("from", when(b.Start))
		row("until", when(b.End))
		for _, id := range b.CameraIDs {
			row("camera", id)
		}
		row("check code", b.CheckCode+" (on the register's page; or call the office at a number that you looked up yourself)")
	case protocol.SiteChange:
		row("site", decidedElsewhere(b.State)+", "+when(b.At))
	case protocol.Letter:
		for i, text := range strings.Split(b.Text, "\n") {
			row(map[bool]string{true: "the office writes"}[i == 0], text)
		}
	case protocol.Reminder:
		row("reminder", b.Reason)
	}
	return nil
}

// when is a time of now's zone; "" for none.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format(time.RFC3339)
}

// decidedElsewhere says what became of a site, and by whose act.
func decidedElsewhere(s protocol.SiteState) string {
	if s == protocol.SiteWithdrawn {
		return "withdrawn with the owner's link, or by another computer"
	}
	return string(s) + " with the owner's link"
}
