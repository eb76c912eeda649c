package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"syscall"
)

// cmdOpen prints a one-time link to the running agent's pages.
func cmdOpen(ctx context.Context, c *call, args []string) error {
	if _, err := c.parse(c.flags(), args, 0); err != nil {
		return err
	}
	var answer struct {
		URL string `json:"url"`
	}
	cl := dial(c.dir)
	err := cl.do(ctx, http.MethodPost, "/link", nil, &answer)
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED) {
		return errors.New("the pages are served by the running agent, and none runs here: start it with \"anagrafe-agent run\"")
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: the agent of %s belongs to another user: run the command as that user, or with sudo", err, c.dir)
	}
	if err != nil {
		return err
	}
	if c.json {
		return c.print(answer)
	}
	fmt.Fprintln(c.out, answer.URL)
	return nil
}
