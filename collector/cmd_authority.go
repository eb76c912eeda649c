package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
)

// authorityState is how the authority of agents' certificates stands.
type authorityState struct {
	Authorities []ingest.Standing `json:"authorities"`
	// Public: the agents' listener shows a certificate of the public Web PKI.
	Public bool `json:"public"`
	// Agents hold a certificate that may still be renewed (the last until
	// AgentsUntil), and Codes wait in links: of the retiring authority, or of the
	// only one.
	Agents      int       `json:"agents"`
	AgentsUntil time.Time `json:"agents_until,omitzero"`
	Codes       int       `json:"codes"`
	CodesUntil  time.Time `json:"codes_until,omitzero"`
}

// dependents says who would be shut out, "" for nobody.
func (s authorityState) dependents() string {
	var parts []string
	if s.Agents > 0 {
		parts = append(parts, fmt.Sprintf("%s a certificate of it that may be renewed until %s", counted(s.Agents, "agent holds", "agents hold"), day(s.AgentsUntil)))
	}
	if s.Codes > 0 {
		parts = append(parts, fmt.Sprintf("%s it may be used until %s", counted(s.Codes, "link that names", "links that name"), day(s.CodesUntil)))
	}
	return strings.Join(parts, ", and ")
}

// cmdAuthority shows the authority, or makes one step of its roll-over.
func cmdAuthority(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	var in struct {
		Force bool `json:"force"`
	}
	f.BoolVar(&in.Force, "force", false, "also where agents are shut out by it: they need a new link")
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	method, path := http.MethodGet, "/authority"
	if step := strings.TrimPrefix(c.name, "authority "); step != "show" {
		method, path = http.MethodPost, "/authority/"+step
	}
	var s authorityState
	err := c.withCollector(ctx, func(cl client) error {
		if method == http.MethodGet {
			return cl.do(ctx, method, path, nil, &s)
		}
		return cl.do(ctx, method, path, in, &s)
	})
	if err != nil {
		return err
	}
	if c.json {
		return c.print(s)
	}
	return s.show(c.out)
}

func (s authorityState) show(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ROLE\tSINCE\tUNTIL\tPIN")
	next, retiring := false, false
	for _, a := range s.Authorities {
		next, retiring = next || a.Role == ingest.RoleNext, retiring || a.Role == ingest.RoleRetiring
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", a.Role, day(a.Since), day(a.Until), a.Pin)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if s.Public {
		fmt.Fprintln(out, "agents are shown the certificate of the public Web PKI, and the way from the authority to it")
	}
	switch who := s.dependents(); {
	case retiring && who != "":
		fmt.Fprintf(out, "the old authority cannot retire yet: %s\n", who)
	case retiring:
		fmt.Fprintln(out, "nobody needs the old authority any more: anagrafe-collector authority retire")
	case next:
		fmt.Fprintln(out, "agents hear of the next authority when they renew, within 30 days: then anagrafe-collector authority switch")
	}
	return nil
}

// authorityControl serves the command line alone: who may open the control socket
// reads the key as well.
func (o *collector) authorityControl() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authority", func(rw http.ResponseWriter, r *http.Request) {
		o.answerAuthority(rw, r)
	})
	for step, do := range map[act.Kind]func() error{
		act.AuthorityNext: o.authority.Next, act.AuthoritySwitch: o.authority.Switch, act.AuthorityRetire: o.authority.Retire, act.AuthorityReplace: o.authority.Replace,
	} {
		mux.HandleFunc("POST /authority/"+strings.TrimPrefix(string(step), "authority-"), func(rw http.ResponseWriter, r *http.Request) { o.stepAuthority(rw, r, step, do) })
	}
	return mux
}

// stepAuthority puts a step on the trail and makes it. One that shuts agents out
// wants force.
func (o *collector) stepAuthority(rw http.ResponseWriter, r *http.Request, step act.Kind, do func() error) {
	var in struct {
		Force bool `json:"force"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, 1<<10)).Decode(&in); err != nil {
		web.WriteJSON(rw, http.StatusBadRequest, web.Problem{Error: "the request cannot be read"})
		return
	}
	s, err := o.authorityState(r.Context())
	if err != nil {
		o.opsWeb.Broken(rw, r, err)
		return
	}
	retiring := s.Authorities[len(s.Authorities)-1].Role == ingest.RoleRetiring
	if who := s.dependents(); who != "" && !in.Force && (step == act.AuthorityReplace || step == act.AuthorityRetire && retiring) {
		web.WriteJSON(rw, http.StatusConflict, web.Problem{Error: "the authority is still needed: " + who,
			Hint: "wait until then, or give -force: each of them then needs a new link, as invite -site-id makes it"})
		return
	}
	if err := o.record(r.Context(), web.Act{Kind: step, User: web.Host(registry.RoleAdmin), From: web.From(r), Count: s.Agents,
		Details: map[string]any{"pin": o.authority.Pin(), "force": in.Force}}); err != nil {
		o.opsWeb.Unrecorded(rw, r, err)
		return
	}
	if err := do(); errors.Is(err, ingest.ErrStep) {
		web.WriteJSON(rw, http.StatusConflict, web.Problem{Error: err.Error(), Hint: "anagrafe-collector authority show says how it stands"})
		return
	} else if err != nil {
		o.opsWeb.Broken(rw, r, err)
		return
	}
	o.log.Info("step of the agents' authority", "step", step, "pin", o.authority.Pin(), "force", in.Force)
	o.answerAuthority(rw, r)
}

func (o *collector) answerAuthority(rw http.ResponseWriter, r *http.Request) {
	s, err := o.authorityState(r.Context())
	if err != nil {
		o.opsWeb.Broken(rw, r, err)
		return
	}
	web.WriteJSON(rw, http.StatusOK, s)
}

func (o *collector) authorityState(ctx context.Context) (authorityState, error) {
	s := authorityState{Authorities: o.authority.Standing(), Public: o.config.AgentsCertificate != ""}
	now := time.Now()
	signedUntil := now
	for _, a := range s.Authorities {
		if a.Role == ingest.RoleRetiring {
			signedUntil = a.Since
		}
	}
	d, err := o.reg.Dependents(ctx, signedUntil, now)
	s.Agents, s.AgentsUntil, s.Codes, s.CodesUntil = d.Agents, d.AgentsUntil, d.Codes, d.CodesUntil
	return s, err
}
