package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/collector/web/force"
	"anagrafe/protocol/pages"
)

// print writes the one JSON value of -json.
func (c *call) print(v any) error {
	e := json.NewEncoder(c.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// cmdMigrate opens the register, which brings its schema up to date.
func cmdMigrate(ctx context.Context, c *call, args []string) error {
	if _, err := c.parse(c.flags(), args, 0); err != nil {
		return err
	}
	config, err := c.readConfig()
	if err != nil {
		return err
	}
	o, err := openOffice(ctx, c.dir, config, c.log)
	if errors.Is(err, errDaemon) {
		return fmt.Errorf("%w: stop it first; serve migrates by itself when it starts", err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, "the register's schema is up to date")
	return o.Close()
}

// invitation is a code for a site, as the handler of /invite answers it.
type invitation struct {
	SiteID    string    `json:"site_id"`
	Site      string    `json:"site"`
	Code      string    `json:"code"`
	Link      string    `json:"link"`
	ExpiresAt time.Time `json:"expires_at"`
}

const (
	maxInvitations    = 100_000 // that one command makes
	invitationsAtOnce = 8
)

// cmdInvite makes a code, and the link that carries it; with -count as many of
// them, each for a new site of its own.
func cmdInvite(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	in := map[string]string{}
	f.Func("site", "name of the site", into(in, "site"))
	f.Func("category", "bank, pharmacy, shop, condominium, ... (default other)", into(in, "category"))
	f.Func("address", "its address, in words", into(in, "address"))
	f.Func("site-id", "a site that is there: a further code, for new hardware or after a withdrawal", into(in, "site_id"))
	image := f.String("qr", "", "write the link as a QR code to this PNG file")
	count := f.Int("count", 0, "make so many codes, each for a new site of its own: a batch to hand to an association")
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	switch {
	case in["site"] == "" && in["site_id"] == "":
		return misuse("-site NAME is missing")
	case *count < 0 || *count > maxInvitations || *count == 0 && given(f, "count"):
		return misuse(fmt.Sprintf("-count goes from 1 to %d", maxInvitations))
	case *count > 0 && (in["site_id"] != "" || *image != ""):
		return misuse("-count makes new sites and no pictures: leave -site-id and -qr out")
	case *count > 0:
		return c.inviteMany(ctx, in, *count)
	}
	var file *os.File
	if *image != "" { // before the code is made, which is shown once
		var err error
		if file, err = os.OpenFile(*image, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
			return err
		}
		defer file.Close()
	}
	var answer invitation
	if err := c.withOffice(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/invite", in, &answer)
	}); err != nil {
		return err
	}
	if file != nil {
		if err := writeQR(file, answer.Link); err != nil {
			return fmt.Errorf("%w (the code is made all the same: %s)", err, answer.Link)
		}
	}
	if c.json {
		return c.print(answer)
	}
	if terminal(c.out) {
		if text, err := pages.QRText(answer.Link); err == nil {
			fmt.Fprint(c.out, text)
		}
	}
	fmt.Fprintf(c.out, "code  %s\nlink  %s\nfor   %s, until %s, once\n", answer.Code, answer.Link, cmp.Or(answer.Site, in["site_id"]), answer.ExpiresAt.Local().Format(time.DateTime))
	return nil
}

// given tells whether a flag stands on the command line.
func given(f *flag.FlagSet, name string) (found bool) {
	f.Visit(func(g *flag.Flag) { found = found || g.Name == name })
	return found
}

// inviteMany makes a batch. Codes are shown once: when it breaks off, those
// that are made are printed all the same.
func (c *call) inviteMany(ctx context.Context, in map[string]string, count int) error {
	var made struct {
		Invitations []invitation `json:"invitations"`
	}
	var mu sync.Mutex
	failed := c.withOffice(ctx, func(cl client) error {
		// Several at a time share the trail's commits.
		asking, ctx := errgroup.WithContext(ctx)
		asking.SetLimit(invitationsAtOnce)
		for range count - len(made.Invitations) {
			asking.Go(func() error {
				var i invitation
				if err := cl.do(ctx, http.MethodPost, "/invite", in, &i); err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				made.Invitations = append(made.Invitations, i)
				return nil
			})
		}
		return asking.Wait()
	})
	if failed != nil && len(made.Invitations) > 0 {
		failed = fmt.Errorf("%d of %d codes are made, and printed: %w", len(made.Invitations), count, failed)
	}
	if c.json && (failed == nil || len(made.Invitations) > 0) {
		return errors.Join(failed, c.print(made))
	}
	for _, i := range made.Invitations {
		fmt.Fprintf(c.out, "%s  %s\n", i.Code, i.Link)
	}
	return failed
}

// writeQR writes a link as a picture. Who holds the picture holds the code.
func writeQR(to *os.File, link string) error {
	png, err := pages.QRImage(link)
	if err != nil {
		return err
	}
	_, err = to.Write(png)
	return errors.Join(err, to.Close())
}

// terminal tells whether a person looks at w.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func into(m map[string]string, key string) func(string) error {
	return func(s string) error { m[key] = s; return nil }
}

// cmdAgents lists the agents.
func cmdAgents(ctx context.Context, c *call, args []string) error {
	if _, err := c.parse(c.flags(), args, 0); err != nil {
		return err
	}
	var answer struct {
		Agents []struct {
			ID               string    `json:"id"`
			Version          string    `json:"version"`
			EnrolledAt       time.Time `json:"enrolled_at"`
			SeenAt           time.Time `json:"seen_at,omitzero"`
			RevokedAt        time.Time `json:"revoked_at,omitzero"`
			CertificateUntil time.Time `json:"certificate_until,omitzero"`
			Sites            []struct {
				ID         string    `json:"id"`
				Name       string    `json:"name"`
				DeclaredAt time.Time `json:"declared_at,omitzero"`
				VisitUntil time.Time `json:"visit_until,omitzero"`
				Others     int       `json:"others"`
			} `json:"sites"`
		} `json:"agents"`
	}
	if err := c.withOffice(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodGet, "/agents", nil, &answer)
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(answer)
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSITES\tVERSION\tENROLLED\tSEEN\tCERTIFICATE UNTIL\tREVOKED")
	for _, a := range answer.Agents {
		var sites []string
		for _, s := range a.Sites {
			name := s.Name
			if s.Others > 0 {
				name += fmt.Sprintf(" (one of %d agents)", s.Others+1)
			}
			if !s.VisitUntil.IsZero() {
				name += " (visit until " + day(s.VisitUntil) + ")"
			}
			sites = append(sites, name)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.ID, strings.Join(sites, ", "), a.Version, day(a.EnrolledAt), day(a.SeenAt), day(a.CertificateUntil), day(a.RevokedAt))
	}
	return w.Flush()
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateTime)
}

// cmdRevoke shuts an agent out.
func cmdRevoke(ctx context.Context, c *call, args []string) error {
	words, err := c.parse(c.flags(), args, 1)
	if err != nil {
		return err
	}
	return c.withOffice(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/agents/"+url.PathEscape(words[0])+"/revoke", nil, nil)
	})
}

// cmdUserAdd adds a person. Their secret is shown once, in the credential file. The
// Comune's own people, and the first administrator of a force, are added on this host;
// all others of a force by an administrator of it, with that one's credential.
func cmdUserAdd(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	in := map[string]string{}
	f.Func("role", "ops, admin, dpo; force-admin, the first administrator of -force; with -as: officer, force-auditor, force-admin", into(in, "role"))
	f.Func("force", "the force whose first administrator they are", into(in, "force"))
	f.Func("recovery", "why a force that has an administrator gets another one from here; its auditor reads it", into(in, "recovery"))
	f.Func("qualification", `of an officer: "ufficiale di PG", "agente di PG" or PM`, into(in, "qualification"))
	as := f.String("as", "", "credential file of an administrator of the force, who adds them")
	server := f.String("server", "", "address of consultation, with -as (default the one in that file)")
	credential := f.String("credential", "", "file to write the credential to (default NAME.credential.json)")
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	in["name"] = words[0]
	if err := checkUserAdd(in, *as, *server); err != nil {
		return err
	}
	if *credential == "" {
		*credential = strings.ReplaceAll(words[0], " ", "-") + ".credential.json"
	}
	if _, err := os.Stat(*credential); err == nil {
		return fmt.Errorf("%s is there already: a credential is never overwritten, name another file with -credential", *credential)
	}
	answer, err := c.addUser(ctx, in, *as, *server)
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(answer.Credential, "", "  ")
	if err != nil {
		return err
	}
	if err := writeSecret(*credential, append(b, '\n')); err != nil {
		return fmt.Errorf("%s was added, but the credential could not be written: %w; revoke them and add them again", in["name"], err)
	}
	if c.json {
		return c.print(map[string]string{"id": answer.ID, "name": answer.Name, "role": answer.Role, "force": answer.Force, "link": answer.Link, "credential": *credential})
	}
	fmt.Fprintf(c.out, "%s is added as %s.\ncredential  %s (hand it over in person; who has it is them)\nsign in     %s (once, within a day)\n", answer.Name, answer.Role, *credential, answer.Link)
	return nil
}

// checkUserAdd says what does not go together before anybody is asked.
func checkUserAdd(in map[string]string, as, server string) error {
	ofForce := registry.OfForce(in["role"])
	switch {
	case in["role"] == "":
		return misuse("-role is missing")
	case as == "" && ofForce && in["role"] != registry.RoleForceAdmin:
		return misuse("a force's officers and auditors are added by its administrator: give their credential file with -as")
	case as == "" && (in["qualification"] != "" || server != ""):
		return misuse("-qualification and -server go with -as")
	case as != "" && (in["force"] != "" || in["recovery"] != ""):
		return misuse("-force and -recovery do not go with -as: an administrator adds people of their own force")
	case as != "" && !ofForce:
		return misuse("-as is for people of a force: the Comune's own are added without it")
	}
	return nil
}

// addUser asks who may add them: this host's collector, or consultation as an
// administrator of a force.
func (c *call) addUser(ctx context.Context, in map[string]string, as, server string) (answer web.Account, err error) {
	if as == "" {
		err = c.withOffice(ctx, func(cl client) error { return cl.do(ctx, http.MethodPost, "/users", in, &answer) })
	} else {
		var cl client
		if cl, err = officerClient(server, as); err != nil {
			return answer, err
		}
		in["credential"] = "yes"
		err = cl.do(ctx, http.MethodPost, force.Path+"/users", in, &answer)
	}
	if err == nil && answer.Credential == nil {
		err = fmt.Errorf("%s was added, but the collector's answer has no credential: is -server the address of consultation?", in["name"])
	}
	return answer, err
}

// writeSecret makes a file that its owner alone can read; one that is there is
// left alone.
func writeSecret(file string, b []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// cmdUserLink makes a one-time link for somebody who has no passkey any more, or not
// yet, of the Comune's people; "user signout" ends all their sessions.
func cmdUserLink(ctx context.Context, c *call, args []string) error {
	words, err := c.parse(c.flags(), args, 1)
	if err != nil {
		return err
	}
	act := strings.TrimPrefix(c.name, "user ")
	var answer struct {
		ID       string `json:"id"`
		Name     string `json:"name,omitempty"`
		Link     string `json:"link,omitempty"`
		Sessions int    `json:"sessions"`
	}
	if err := c.withOffice(ctx, func(cl client) error {
		var people struct {
			Users []struct{ ID, Name string } `json:"users"`
		}
		if err := cl.do(ctx, http.MethodGet, "/users", nil, &people); err != nil {
			return err
		}
		for _, u := range people.Users {
			if u.ID == words[0] || u.Name == words[0] {
				return cl.do(ctx, http.MethodPost, "/users/"+url.PathEscape(u.ID)+"/"+act, nil, &answer)
			}
		}
		return fmt.Errorf("nobody is called %q: user list tells who there is", words[0])
	}); err != nil {
		return err
	}
	switch {
	case c.json && act == "link":
		return c.print(map[string]string{"id": answer.ID, "name": answer.Name, "link": answer.Link})
	case c.json:
		return c.print(map[string]any{"id": answer.ID, "sessions": answer.Sessions})
	case act == "link":
		fmt.Fprintf(c.out, "For %s alone, once, within a day: whoever opens it makes a passkey of theirs.\n%s\n", answer.Name, answer.Link)
	default:
		fmt.Fprintf(c.out, "%d sessions ended.\n", answer.Sessions)
	}
	return nil
}

// cmdUserList lists the Comune's people; those of a force are its administrators' affair.
func cmdUserList(ctx context.Context, c *call, args []string) error {
	if _, err := c.parse(c.flags(), args, 0); err != nil {
		return err
	}
	var answer struct {
		Users []struct {
			ID        string    `json:"id"`
			Name      string    `json:"name"`
			Role      string    `json:"role"`
			AddedAt   time.Time `json:"added_at"`
			RevokedAt time.Time `json:"revoked_at,omitzero"`
		} `json:"users"`
	}
	if err := c.withOffice(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodGet, "/users", nil, &answer)
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(answer)
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tROLE\tADDED\tREVOKED")
	for _, u := range answer.Users {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", u.ID, u.Name, u.Role, day(u.AddedAt), day(u.RevokedAt))
	}
	return w.Flush()
}

// cmdVersion prints the version that the Go tool stamped.
func cmdVersion(_ context.Context, c *call, args []string) error {
	if _, err := c.parse(c.flags(), args, 0); err != nil {
		return err
	}
	if c.json {
		return c.print(map[string]string{"version": version()})
	}
	fmt.Fprintln(c.out, "anagrafe-collector", version())
	return nil
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
