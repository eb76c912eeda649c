package main

import (
	"fmt"
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
