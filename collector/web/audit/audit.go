// Package audit serves the audit trail to those who check it: each force's auditor and the
// Comune's data protection officer, on the consultation listener, witnesses (witness.go), and
// the command line over the control socket.
//
// It hands out what verification needs (key, last checkpoint, whole export); verification runs
// on somebody else's machine, because a server's word about itself proves nothing. Bodies leave
// as stored, sealed to their force. A force's auditor sees the force's own entries here and
// opens them with the private key, which stays in memory for a quarter of an hour (opened.go);
// the data protection officer sees counts. An export is itself an entry, written before the
// first byte leaves.
package audit

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

//go:embed *.html it.json en.json
var files embed.FS

// stall is how long one write of an export may take; the whole may take hours.
const stall = time.Minute

// Options: all are required.
type Options struct {
	Web      *web.Web // of the consultation listener
	Trail    *trail.Trail
	Registry *registry.Registry
	Log      *slog.Logger
}

// Audit is the auditors' face.
type Audit struct {
	Options
	pages *pages.Set
	keys  keyring // that auditors pasted
	tally tally
}

// New loads the auditors' pages.
func New(o Options) (*Audit, error) {
	if o.Web == nil || o.Trail == nil || o.Registry == nil || o.Log == nil {
		return nil, errors.New("the audit pages need their listener, the trail, the registry and a log")
	}
	set, err := pages.Load(files, o.Log)
	if err != nil {
		return nil, fmt.Errorf("load the audit pages: %w", err)
	}
	return &Audit{Options: o, pages: set}, nil
}

// Routes are the auditors' pages.
func (a *Audit) Routes() []web.Route {
	roles := []string{registry.RoleForceAuditor, registry.RoleDPO}
	route := func(pattern string, h http.HandlerFunc) web.Route {
		return web.Route{Pattern: pattern, Roles: roles, Handler: h}
	}
	return append([]web.Route{
		route("GET /audit", a.page),
		route("GET /audit/checkpoint", a.checkpoint),
		route("GET /audit/key", a.key),
		route("GET /audit/export", a.export),
		route("GET /audit/threats", a.threatsPage),
	}, append(a.witnessRoutes(), a.forceRoutes()...)...)
}

// words are those of the language that is asked for.
func (a *Audit) words(r *http.Request) *pages.Words { return a.pages.Words(web.Language(r)) }

// Control serves the same handlers without a session, for the control socket:
// who may open that reads the register's file as well, and finds the bodies
// sealed here as there.
func (a *Audit) Control() http.Handler {
	mux := http.NewServeMux()
	for _, r := range a.Routes() {
		mux.Handle(r.Pattern, r.Handler)
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(rw, r.WithContext(web.WithUser(r.Context(), web.Host(registry.RoleDPO))))
	})
}

func (a *Audit) page(rw http.ResponseWriter, r *http.Request) {
	checkpoint, err := a.Trail.Checkpoint(r.Context())
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	size, err := a.Trail.Size(r.Context())
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	witnesses, err := a.Trail.Cosignatures(r.Context())
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	u, _ := web.User(r.Context())
	d := auditView{Size: int(size), Checkpoint: string(checkpoint), Key: a.Trail.VerifierKey(), Sealed: u.Role == registry.RoleForceAuditor}
	for _, w := range witnesses {
		d.Witnesses = append(d.Witnesses, witnessView{w, int(w.Size), int(size - w.Size)})
	}
	if !d.Sealed {
		if d.Months, err = a.monthly(r); err != nil {
			a.Web.Broken(rw, r, err)
			return
		}
	}
	a.pages.Render(rw, r, pages.Page{Template: "audit.html", Title: "audit.title", Face: pages.FaceAudit, User: u.Name, Styles: []string{"audit.css"}, Data: d})
}

type auditView struct {
	Size            int
	Checkpoint, Key string
	Sealed          bool // this reader has a force, whose entries they can open
	Witnesses       []witnessView
	Months          []monthView // for the data protection officer
}

// witnessView is a witness, and how many entries came since it was here.
type witnessView struct {
	trail.Cosigned
	Covered, Since int
}

// monthView is a count, and the word for its kind.
type monthView struct {
	monthly
	Word string
}

func (a *Audit) monthly(r *http.Request) ([]monthView, error) {
	months, err := a.months(r.Context())
	var all []monthView
	for _, m := range months {
		all = append(all, monthView{m, kindWord(a.words(r), m.Kind)})
	}
	return all, err
}

func (a *Audit) checkpoint(rw http.ResponseWriter, r *http.Request) {
	checkpoint, err := a.Trail.Checkpoint(r.Context())
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	text(rw, "anagrafe-checkpoint.txt", string(checkpoint))
}

func (a *Audit) key(rw http.ResponseWriter, r *http.Request) {
	text(rw, "anagrafe-trail-key.txt", a.Trail.VerifierKey()+"\n")
}

func text(rw http.ResponseWriter, name, body string) {
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = io.WriteString(rw, body) // the client has gone: nobody to tell
}

// export streams the whole trail. An error after the first byte can only be
// told by ending the connection: what arrived then verifies as truncated.
func (a *Audit) export(rw http.ResponseWriter, r *http.Request) {
	if err := a.record(r.Context(), r); err != nil {
		a.Web.Unrecorded(rw, r, err)
		return
	}
	rw.Header().Set("Content-Type", "application/jsonl")
	rw.Header().Set("Content-Disposition", `attachment; filename="anagrafe-trail.jsonl"`)
	if err := a.Trail.Export(r.Context(), web.Streamed(rw, stall)); err != nil {
		a.Log.ErrorContext(r.Context(), "export of the audit trail broke off", "err", err)
		panic(http.ErrAbortHandler) // net/http's way to end a connection without a good ending
	}
}

// record puts the export on the trail, sealed to the auditor's force if any.
func (a *Audit) record(ctx context.Context, r *http.Request) error {
	u, _ := web.User(ctx)
	e := trail.Entry{Actor: u.ID, Force: u.Force, Kind: act.TrailExport, Body: map[string]string{"from": web.From(r), "role": u.Role}}
	if u.Force != "" {
		force, ok, err := a.Registry.Force(ctx, u.Force)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("force %q is not in the register", u.Force)
		}
		e.Recipient = force.Recipient
	}
	_, err := a.Trail.Append(ctx, e)
	return err
}
