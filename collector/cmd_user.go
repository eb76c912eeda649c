package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/collector/web/force"
	"anagrafe/protocol/wholefile"
)

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
	var answer web.Account
	err = wholefile.CreateNew(*credential, func(file io.Writer) (err error) {
		if answer, err = c.addUser(ctx, in, *as, *server); err != nil {
			return err
		}
		to := json.NewEncoder(file)
		to.SetIndent("", "  ")
		return to.Encode(answer.Credential)
	})
	switch {
	case err != nil && answer.Credential != nil:
		return fmt.Errorf("%s was added, but the credential could not be written: %w; revoke them and add them again", in["name"], err)
	case err != nil:
		return err
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
		err = c.withCollector(ctx, func(cl client) error { return cl.do(ctx, http.MethodPost, "/users", in, &answer) })
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
	if err := c.withCollector(ctx, func(cl client) error {
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
	if err := c.withCollector(ctx, func(cl client) error {
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
