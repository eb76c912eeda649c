package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"

	"anagrafe/protocol/pages"
)

// language defines the flag -language, of what is printed for owners.
func language(f *flag.FlagSet) *pages.Lang {
	lang := pages.It
	f.Func("language", "of the report: it or en (default it)", func(s string) error {
		if s != string(pages.It) && s != string(pages.En) {
			return errors.New("it or en")
		}
		lang = pages.Lang(s)
		return nil
	})
	return &lang
}

// cmdReport prints what a technician writes down: the same as the page has.
func cmdReport(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	lang := language(f)
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	var raw json.RawMessage // -json prints the handler's answer as it is
	if err := c.withAgent(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodGet, "/report?lang="+string(*lang), nil, &raw)
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(raw)
	}
	var answer struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("the agent's answer: %w", err)
	}
	_, err := io.WriteString(c.out, answer.Text)
	return err
}
