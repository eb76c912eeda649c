package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"filippo.io/age"

	"anagrafe/protocol/wholefile"
)

// cmdForceAdd lets a force consult, by the protocol's act; of a force that is there it
// adds another act.
func cmdForceAdd(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	in := map[string]string{}
	f.Func("recipient", "public key of the force, from age-keygen: what it asks is sealed to it", into(in, "recipient"))
	f.Func("act", `number, date and subject of the protocol, e.g. "prot. 123 del 3/11/2026"`, into(in, "act"))
	identity := f.String("identity", "", "file with the force's private key, in place of -recipient; made if it is not there")
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	in["name"] = words[0]
	switch {
	case in["act"] == "":
		return misuse("-act is missing: only state bodies charged with security consult, each by an act")
	case *identity != "" && in["recipient"] != "":
		return misuse("-identity and -recipient are one or the other")
	case *identity != "":
		if in["recipient"], err = forceRecipient(*identity); err != nil {
			return err
		}
	}
	var answer struct {
		Name      string `json:"name"`
		Recipient string `json:"recipient"`
		Act       string `json:"act"`
	}
	if err := c.withCollector(ctx, func(cl client) error { return cl.do(ctx, http.MethodPost, "/forces", in, &answer) }); err != nil {
		return err
	}
	if c.json {
		return c.print(answer)
	}
	fmt.Fprintf(c.out, "%s may consult by %s.\nsealed to  %s\n", answer.Name, answer.Act, answer.Recipient)
	if *identity != "" {
		fmt.Fprintf(c.out, "force key  %s (give it to the force's auditor and delete it here)\n", *identity)
	}
	return nil
}

// cmdForceList lists the forces.
func cmdForceList(ctx context.Context, c *call, args []string) error {
	if _, err := c.parse(c.flags(), args, 0); err != nil {
		return err
	}
	var answer struct {
		Forces []struct {
			Name      string `json:"name"`
			Recipient string `json:"recipient"`
			Acts      []struct {
				Text string    `json:"act"`
				At   time.Time `json:"added_at"`
			} `json:"acts"`
			Administered bool `json:"administered"`
		} `json:"forces"`
	}
	if err := c.withCollector(ctx, func(cl client) error { return cl.do(ctx, http.MethodGet, "/forces", nil, &answer) }); err != nil {
		return err
	}
	if c.json {
		return c.print(answer)
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "FORCE\tADMINISTRATOR\tACTS")
	for _, f := range answer.Forces {
		var acts []string
		for _, a := range f.Acts {
			acts = append(acts, a.Text)
		}
		administered := "none"
		if f.Administered {
			administered = "named"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.Name, administered, cmp.Or(strings.Join(acts, "; "), "none"))
	}
	return w.Flush()
}

// forceRecipient reads the force's private key, or makes it, and gives the
// public half that the trail seals to.
func forceRecipient(file string) (string, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		id, err := age.GenerateX25519Identity()
		if err != nil {
			return "", err
		}
		return id.Recipient().String(), wholefile.WriteNew(file, []byte(id.String()+"\n"), 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("reading the force's key: %w", err)
	}
	ids, err := age.ParseIdentities(strings.NewReader(string(b)))
	if err != nil || len(ids) != 1 {
		return "", fmt.Errorf("%s is not a private key of a force", file)
	}
	id, ok := ids[0].(*age.X25519Identity)
	if !ok {
		return "", fmt.Errorf("%s is not a private key of a force", file)
	}
	return id.Recipient().String(), nil
}
