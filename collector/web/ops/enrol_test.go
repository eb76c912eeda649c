package ops

import (
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// enrol invites a site and lets an agent redeem its code, and gives the agent's
// id. The literal is an ingest.Redemption, which this package may not import.
func (d *desk) enrol(site string) string {
	d.t.Helper()
	_, got := d.ask(d.control, "", "POST", "/invite", map[string]string{"site": site})
	code, err := protocol.ParseCode(got["code"].(string))
	if err != nil {
		d.t.Fatal(err)
	}
	grant, err := d.reg.Redeem(d.t.Context(), struct {
		CodeHash     [32]byte
		KeyHash      [32]byte
		AgentID      string
		AgentVersion string
		At           time.Time
	}{code.Hash(), code.Hash(), uuid.NewString(), "1.0", time.Now()})
	if err != nil {
		d.t.Fatal(err)
	}
	return grant.AgentID
}
