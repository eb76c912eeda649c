package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/wholefile"
)

const maxReason = 500 // characters of why a site is erased

// eraseRequest is what the handler of /erase is asked.
type eraseRequest struct {
	Site   string `json:"site"`
	Reason string `json:"reason"`
}

// eraseAnswer has the certificate signed.
type eraseAnswer struct {
	protocol.ErasureCertificate
	Certificate string `json:"certificate"`
}

// cmdErase erases a site and prints the signed certificate of it.
func cmdErase(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	var in eraseRequest
	f.StringVar(&in.Reason, "reason", "", "why, for the trail; without names")
	path := f.String("certificate", "", "write the certificate to this file")
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	if in.Site = words[0]; strings.TrimSpace(in.Reason) == "" {
		return misuse("-reason TEXT is missing: it goes on the trail")
	}
	var answer eraseAnswer
	erase := func() error {
		return c.withCollector(ctx, func(cl client) error { return cl.do(ctx, http.MethodPost, "/erase", in, &answer) })
	}
	err = withNewFile(*path, erase, func(file io.Writer) error {
		_, err := io.WriteString(file, answer.Certificate)
		return err
	})
	switch {
	case err != nil && answer.Certificate != "":
		return fmt.Errorf("the site is erased, but its certificate could not be written: %w; it is:\n%s", err, answer.Certificate)
	case err != nil:
		return err
	case c.json:
		return c.print(answer)
	case *path == "":
		fmt.Fprint(c.out, answer.Certificate)
	default:
		fmt.Fprintf(c.out, "site %s is erased; the certificate is in %s\n", answer.SiteID, *path)
	}
	return nil
}

// erase takes a site out, for the command line alone.
func (o *collector) erase(rw http.ResponseWriter, r *http.Request) {
	var in eraseRequest
	if err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, 64<<10)).Decode(&in); err != nil {
		web.WriteJSON(rw, http.StatusBadRequest, web.Problem{Error: "the request cannot be read"})
		return
	}
	if in.Reason = strings.TrimSpace(in.Reason); in.Reason == "" || utf8.RuneCountInString(in.Reason) > maxReason {
		web.WriteJSON(rw, http.StatusUnprocessableEntity, web.Problem{Error: fmt.Sprintf("a reason of up to %d characters is needed", maxReason), Field: "reason"})
		return
	}
	known, err := o.reg.HasSite(r.Context(), in.Site)
	if err != nil {
		o.opsWeb.Broken(rw, r, err)
		return
	}
	if !known {
		web.WriteJSON(rw, http.StatusNotFound, web.Problem{Error: "this site is not in the register", Field: "site", Hint: "anagrafe-collector agents -json has the ids of sites"})
		return
	}
	if err := o.record(r.Context(), web.Act{Kind: act.Erase, User: web.Host(registry.RoleAdmin), From: web.From(r), Count: 1,
		Details: map[string]string{"site": in.Site, "reason": in.Reason}}); err != nil {
		o.opsWeb.Unrecorded(rw, r, err)
		return
	}
	answer, err := o.eraseSite(r.Context(), in.Site)
	if err != nil {
		o.opsWeb.Broken(rw, r, err)
		return
	}
	web.WriteJSON(rw, http.StatusOK, answer)
}

func (o *collector) eraseSite(ctx context.Context, site string) (a eraseAnswer, err error) {
	if a.ErasureCertificate, err = o.reg.Erase(ctx, site, time.Now()); err != nil {
		return eraseAnswer{}, err
	}
	a.Certificate, err = o.receipts.SignErasure(a.ErasureCertificate)
	return a, err
}

// cmdCertificate checks a certificate of erasure, here or elsewhere.
func cmdCertificate(_ context.Context, c *call, args []string) error {
	f := c.flags()
	key := f.String("key", "", "the collector's verifier key of receipts (default: the one in DIR/keys/receipt.pub)")
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	if *key == "" {
		if *key, err = ownReceiptKey(c.dir); err != nil {
			return err
		}
	}
	signed, err := wholefile.Read(words[0], maxKeyFile)
	if err != nil {
		return fmt.Errorf("reading the certificate: %w", err)
	}
	e, err := protocol.OpenErasure(string(signed), *key)
	if errors.Is(err, protocol.ErrCertificate) {
		return fmt.Errorf("%w; give the file as erase wrote it, and the key of the collector that erased", err)
	}
	if err != nil {
		return err
	}
	if c.json {
		return c.print(struct {
			Verified bool `json:"verified"`
			protocol.ErasureCertificate
		}{true, e})
	}
	fmt.Fprintf(c.out, "verified: this collector erased site %s on %s; backups of before can be opened until %s at the latest\n",
		e.SiteID, e.At.Local().Format(time.DateTime), e.BackupsUntil.Local().Format(time.DateOnly))
	for _, kind := range registry.Held() {
		fmt.Fprintf(c.out, "  %-20s %d\n", kind, e.Erased[kind])
	}
	return nil
}
