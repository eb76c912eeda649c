package main

import (
	"context"
	"errors"
	"fmt"
)

// cmdMigrate opens the register, which brings its schema up to date.
func cmdMigrate(ctx context.Context, c *call, args []string) error {
	if _, err := c.parse(c.flags(), args, 0); err != nil {
		return err
	}
	config, err := c.readConfig()
	if err != nil {
		return err
	}
	o, err := openRegister(ctx, c.dir, config, c.log)
	if errors.Is(err, errDaemon) {
		return fmt.Errorf("%w: stop it first; serve migrates by itself when it starts", err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, "the register's schema is up to date")
	return o.Close()
}
