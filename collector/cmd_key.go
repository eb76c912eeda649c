package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
)

// cmdKeyRotate changes the master key while the collector goes on serving.
func cmdKeyRotate(ctx context.Context, c *call, args []string) error {
	if _, err := c.parse(c.flags(), args, 0); err != nil {
		return err
	}
	if err := c.withCollector(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/key/rotate", nil, nil)
	}); err != nil {
		return err
	}
	fmt.Fprintln(c.out, "the register is sealed with a new master key; back up keys/master.key (and with several collectors copy it to the others now)")
	return nil
}

// rotateTime is what a large register may take: its answer says which file to back up.
const rotateTime = 6 * time.Hour

// rotateKey serves the command line alone: who may open the control socket reads
// the key as well. It is on the trail before it is done.
func (o *collector) rotateKey(rw http.ResponseWriter, r *http.Request) {
	web.Long(rw, rotateTime)
	if err := o.record(r.Context(), web.Act{Kind: act.MasterKeyRotate, User: web.Host(registry.RoleAdmin), From: web.From(r)}); err != nil {
		o.opsWeb.Unrecorded(rw, r, err)
		return
	}
	// Who asked may leave: what has begun is better ended.
	switch err := o.reg.RotateMaster(context.WithoutCancel(r.Context())); {
	case errors.Is(err, registry.ErrRotating):
		web.WriteJSON(rw, http.StatusConflict, web.Problem{Error: err.Error(), Hint: "wait until it is done"})
	case err != nil:
		o.opsWeb.Broken(rw, r, err)
	default:
		o.log.Info("the master key was changed")
		rw.WriteHeader(http.StatusNoContent)
	}
}
