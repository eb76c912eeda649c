package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"text/tabwriter"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/uplink"
)

// diagnosis is what `doctor -json` prints.
type diagnosis struct {
	Healthy   bool             `json:"healthy"` // nothing is bad
	Collector string           `json:"collector,omitempty"`
	Transport string           `json:"transport"` // "h3", "h2": how messages go now; "" they do not
	Findings  []uplink.Finding `json:"findings"`
}

// Parts of this machine, beside those of the line.
const (
	partFiles   uplink.Part = "files"   // the agent's directory and what is in it
	partService uplink.Part = "service" // an agent runs
	partCode    uplink.Part = "code"    // it was enrolled
	partNetwork uplink.Part = "network" // there is an interface on which cameras can be looked for
	partPages   uplink.Part = "pages"   // from where the owner's pages open
)

// cmdDoctor finds out what is wrong, and says what to do. It changes nothing and
// needs no running agent.
func cmdDoctor(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	self := f.Bool("self", false, "examine the program alone: does it work on this machine?")
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	examine := c.examine
	if *self {
		examine = c.examineSelf
	}
	d := examine(ctx)
	if c.json {
		if err := c.print(d); err != nil {
			return err
		}
	} else if err := c.showDiagnosis(d, !*self); err != nil {
		return err
	}
	if !d.Healthy {
		return errors.New("something is wrong: see above")
	}
	return nil
}

func (c *call) examine(ctx context.Context) diagnosis {
	d := diagnosis{Findings: []uplink.Finding{examineFiles(c.dir), c.examineService(ctx), c.examineNetwork(), c.examineLAN(ctx)}}
	identity, err := uplink.Open(c.dir)
	if err != nil {
		f := uplink.Finding{Part: partCode, State: uplink.StateBad, Found: err.Error()}
		_, f.Do = explain(err)
		d.Findings = append(d.Findings, f)
	} else {
		d.Collector = identity.Collector
		d.Findings = append(d.Findings, uplink.Finding{Part: partCode, State: uplink.StateGood, Found: "enrolled with " + identity.Collector})
		d.Findings = append(d.Findings, uplink.Examine(ctx, identity, c.anySite(ctx), nil)...)
	}
	d.Healthy = true
	state := map[uplink.Part]uplink.State{}
	for _, f := range d.Findings {
		d.Healthy = d.Healthy && f.State != uplink.StateBad
		state[f.Part] = f.State
	}
	if identity != nil {
		d.Findings = append(d.Findings, examineMap(ctx, identity, state[uplink.PartAdmission]), examineKept(c.dir))
	}
	if state[uplink.PartAdmission] == uplink.StateGood {
		if d.Transport = "h2"; state[uplink.PartUDP] == uplink.StateGood {
			d.Transport = "h3"
		}
	}
	return d
}

// anySite is a site that was granted to this agent, "" if none is known.
func (c *call) anySite(ctx context.Context) string {
	var st standing
	if err := c.withAgent(ctx, func(cl client) error { return cl.do(ctx, "GET", "/status", nil, &st) }); err != nil || len(st.Sites) == 0 {
		return ""
	}
	return st.Sites[0].SiteID
}

// examineFiles looks whether this user can read the directory, and whether others
// can.
func examineFiles(dir string) uplink.Finding {
	f := uplink.Finding{Part: partFiles, State: uplink.StateBad}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Found, f.Do = dir+" is not there", "enrol with the code of the municipality; or name the agent's directory with -data DIR"
		return f
	case err != nil:
		f.Found, f.Do = err.Error(), "run this as the agent's user, or as administrator"
		return f
	case openToOthers(info):
		f.Found, f.Do = dir+" can be read by other users", "chmod 700 "+dir
		return f
	}
	for _, name := range []string{"inventory.db", "identity.key", "identity.pem", "secrets.key", "lan.pem", "lan.password"} {
		path := filepath.Join(dir, name)
		file, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			f.Found, f.Do = err.Error(), "run this as the agent's user, or as administrator; if that is what you are, give the agent's user the right to read it"
			return f
		}
		info, err := file.Stat()
		_ = file.Close()
		if err == nil && name != "identity.pem" && openToOthers(info) { // a certificate is no secret
			f.Found, f.Do = path+" can be read by other users", "chmod 600 "+path
			return f
		}
	}
	f.State, f.Found = uplink.StateGood, dir+" is closed to others and can be read"
	return f
}

// openToOthers reads a file's mode; on Windows that says nothing, and the files
// of package keyfile have an access list.
func openToOthers(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
}

// examineService looks whether an agent runs: without one nothing is kept true.
func (c *call) examineService(ctx context.Context) uplink.Finding {
	var st standing
	err := dial(c.dir).do(ctx, "GET", "/status", nil, &st)
	if err != nil || !st.Running {
		return uplink.Finding{Part: partService, State: uplink.StateSlow, Found: "no agent is running on " + c.dir,
			Do: "anagrafe-agent start (or install, then start; or run)"}
	}
	f := uplink.Finding{Part: partService, State: uplink.StateGood, Found: "an agent of version " + st.Version + " is running"}
	if st.LastError != "" {
		f.Found += fmt.Sprintf("; its last difficulty: %s", st.LastError)
	}
	if !st.LastAcknowledged.IsZero() {
		f.Found += "; the collector last took a message at " + st.LastAcknowledged.Local().Format(time.DateTime)
	}
	return f
}

// examineNetwork looks for interfaces on which cameras can be looked for.
func (c *call) examineNetwork() uplink.Finding {
	config, err := readConfig(c.dir, c.config)
	if err != nil {
		return uplink.Finding{Part: partNetwork, State: uplink.StateBad, Found: err.Error(), Do: "correct the configuration"}
	}
	names, err := discover.Interfaces(config.Interfaces)
	switch {
	case err != nil:
		return uplink.Finding{Part: partNetwork, State: uplink.StateBad, Found: err.Error(), Do: "correct \"interfaces\" in the configuration"}
	case len(names) == 0:
		return uplink.Finding{Part: partNetwork, State: uplink.StateBad, Found: "there is no network on which cameras could be",
			Do: "connect this machine to the recorder's network, or name the network in the configuration"}
	}
	return uplink.Finding{Part: partNetwork, State: uplink.StateGood, Found: fmt.Sprintf("cameras are looked for on %v", names)}
}

func (c *call) showDiagnosis(d diagnosis, ofLine bool) error {
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	words := map[uplink.State]string{uplink.StateGood: "ok", uplink.StateSlow: "!", uplink.StateBad: "WRONG", uplink.StateUnknown: "?"}
	for _, f := range d.Findings {
		fmt.Fprintf(w, "%s\t%s\t%s\n", words[f.State], f.Part, f.Found)
		if f.Do != "" {
			fmt.Fprintf(w, "\t\t-> %s\n", f.Do)
		}
	}
	if !ofLine {
		return w.Flush()
	}
	fmt.Fprintf(w, "\t%s\t%s\n", "messages", cmp.Or(map[string]string{"h3": "go over QUIC", "h2": "go over TCP (HTTP/2)"}[d.Transport], "do not go out now; what waits is kept"))
	return w.Flush()
}
