package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"text/tabwriter"
	"time"

	"anagrafe/agent/inventory"
)

// cmdOutbox shows every message, sent or waiting.
func cmdOutbox(ctx context.Context, c *call, args []string) error {
	if _, err := c.parse(c.flags(), args, 0); err != nil {
		return err
	}
	var raw json.RawMessage // -json prints the handlers' answer as it is
	if err := c.withAgent(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodGet, "/outbox", nil, &raw)
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(raw)
	}
	var answer struct {
		Messages []struct {
			Kind       string              `json:"kind"`
			MadeAt     time.Time           `json:"made_at"`
			State      inventory.SentState `json:"state"`
			RecordedAt time.Time           `json:"recorded_at"`
			Transport  string              `json:"transport"`
			Why        string              `json:"why"`
		} `json:"messages"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("the agent's answer: %w", err)
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "MADE\tKIND\tSTATE\tBY\tRECORDED\tWHY")
	for _, m := range answer.Messages {
		recorded := ""
		if !m.RecordedAt.IsZero() {
			recorded = m.RecordedAt.Local().Format(time.DateTime)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", m.MadeAt.Local().Format(time.DateTime), m.Kind, m.State, m.Transport, recorded, m.Why)
	}
	return w.Flush()
}
