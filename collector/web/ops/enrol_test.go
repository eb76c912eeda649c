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
	agent, _ := d.redeem(map[string]string{"site": site}, false)
	return agent
}

// redeem makes an invitation and uses its code; it gives the agent's id and the
// site's.
func (d *desk) redeem(invitation map[string]string, visit bool) (agent, site string) {
	d.t.Helper()
	_, got := d.ask(d.control, "", "POST", "/invite", invitation)
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
		Visit        bool
		Replace      bool
		Former       string
	}{code.Hash(), code.Hash(), uuid.NewString(), "1.0", time.Now(), visit, false, ""})
	if err != nil {
		d.t.Fatal(err)
	}
	return grant.AgentID, grant.SiteID
}

// use has another agent redeem a code.
func (d *desk) use(code protocol.Code) error {
	key := uuid.New()
	_, err := d.reg.Redeem(d.t.Context(), struct {
		CodeHash     [32]byte
		KeyHash      [32]byte
		AgentID      string
		AgentVersion string
		At           time.Time
		Visit        bool
		Replace      bool
		Former       string
	}{code.Hash(), [32]byte(append(key[:], key[:]...)), uuid.NewString(), "1.0", time.Now(), false, false, ""})
	return err
}
