package main

import (
	"fmt"
	"strings"

	"anagrafe/agent/interrogate"
)

// nextSteps says below the table what would show more.
func (c *call) nextSteps(r scanReport) {
	want := map[interrogate.Needs][]string{}
	for _, d := range r.Devices {
		want[d.Needs] = append(want[d.Needs], d.Address)
	}
	fmt.Fprintln(c.out)
	for _, step := range []struct {
		needs interrogate.Needs
		say   string
	}{
		{interrogate.NeedsCredentials, "asked for a password: give it in a file with -credentials FILE"},
		{interrogate.NeedsWrongPassword, "refused the password, which is not tried again: correct it in the file, or with \"anagrafe-agent password\""},
		{interrogate.NeedsPasswordOrClock, "refused, and did not tell the time: check the password, then the date and time set on it"},
		{interrogate.NeedsCertificate, "showed another certificate than before, so no password was sent: if you replaced or reset it, type its password again with \"anagrafe-agent password\""},
	} {
		if at := want[step.needs]; len(at) > 0 {
			fmt.Fprintf(c.out, "%s %s.\n", strings.Join(at, ", "), step.say)
		}
	}
	fmt.Fprintln(c.out, "Is a camera or recorder missing? Name it: scan -target ADDRESS (or a range such as 192.168.1.0/24).")
}
