package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"anagrafe/collector/web"
)

// officerClient speaks to a collector as the officer of a credential file;
// server is "" for the one that the file names.
func officerClient(server, credentialFile string) (client, error) {
	credential, err := readCredential(credentialFile)
	if err != nil {
		return client{}, err
	}
	if server == "" {
		server = credential.Server
	}
	if err := overTLS(server); err != nil {
		return client{}, err
	}
	// No redirect is followed: it could lead the credential out of TLS.
	asker := &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return client{http: asker, server: strings.TrimSuffix(server, "/"), secret: credential.Secret}, nil
}

// field is a flag whose value goes to the collector as it was typed, under the
// name that the field has there.
type field struct{ flag, name, usage string }

// matter are the flags of the case that an officer asks for.
func matter(why string) []field {
	return []field{
		{"case", "case", "the case: KIND:REF; KIND is event112, annotation, cnr, rgnr, delegation or own-initiative; REF may follow later"},
		{"offence", "offence", "class of the offence, e.g. theft, burglary, robbery, assault, damage, other"},
		{"reason", "reason", why},
	}
}

// fields has flags fill a form.
func fields(f *flag.FlagSet, form url.Values, all ...field) {
	for _, one := range all {
		f.Func(one.flag, one.usage, func(s string) error { form.Set(one.name, s); return nil })
	}
}

// complete checks that nothing is missing, and takes the case apart.
func complete(form url.Values, needed ...string) error {
	for _, name := range append(needed, "case", "offence", "reason") {
		if form.Get(name) == "" {
			return misuse("-" + name + " is missing")
		}
	}
	kind, ref, ok := strings.Cut(form.Get("case"), ":")
	if !ok {
		return misuse("-case is KIND:REF, e.g. event112:4711")
	}
	form.Del("case")
	form.Set("case_kind", kind)
	form.Set("case_ref", ref)
	return nil
}

// postForm sends what a page's form would send and reads the JSON answer. What
// the collector cannot understand is misuse, by the names of the flags.
func (cl client) postForm(ctx context.Context, path string, form url.Values, out any) error {
	body, err := cl.send(ctx, http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	if err != nil {
		return mistyped(err)
	}
	defer body.Close()
	if err := json.NewDecoder(io.LimitReader(body, maxAnswer)).Decode(out); err != nil {
		return fmt.Errorf("the collector's answer to POST %s: %w", path, err)
	}
	return nil
}

func mistyped(err error) error {
	r, ok := errors.AsType[refusal](err)
	if !ok || r.status != http.StatusUnprocessableEntity || len(r.Errors) == 0 {
		return err
	}
	var all []string
	for _, e := range r.Errors {
		name := e.Field
		if name == "case_kind" || name == "case_ref" {
			name = "case"
		}
		text := "-" + name + ": " + e.Error
		if e.Detail != "" {
			text += " It " + e.Detail + "."
		}
		may := e.Candidates
		for _, p := range e.Places {
			may = append(may, fmt.Sprintf("%s (%f,%f)", p.Name, p.Lon, p.Lat))
		}
		if len(may) > 0 {
			text += " It may be " + strings.Join(may, " or ") + "."
		}
		all = append(all, text)
	}
	return misuse(strings.Join(all, "\n"))
}

// overTLS refuses to send a credential in clear, but to this machine.
func overTLS(server string) error {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" {
		return misuse(fmt.Sprintf("-server %q is not an address such as https://consultazione.comune.example.it", server))
	}
	if host := u.Hostname(); u.Scheme == "https" || u.Scheme == "http" && (host == "localhost" || host == "127.0.0.1" || host == "::1") {
		return nil
	}
	return misuse("-server must begin with https://: a credential is never sent in clear")
}

// readCredential reads a credential file that nobody else can read.
func readCredential(file string) (web.Credential, error) {
	info, err := os.Stat(file)
	if err != nil {
		return web.Credential{}, fmt.Errorf("reading the credential: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return web.Credential{}, fmt.Errorf("others on this machine can read %s: run chmod 600 %s, and ask for a new credential if they may have", file, file)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return web.Credential{}, fmt.Errorf("reading the credential: %w", err)
	}
	credential, err := web.ParseCredential(b)
	if err != nil {
		return web.Credential{}, fmt.Errorf("%s: %w", file, err)
	}
	return credential, nil
}
