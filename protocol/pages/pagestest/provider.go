package pagestest

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What a provider of tests knows its client as.
const (
	ProviderClient = "anagrafe"
	ProviderSecret = "segreto di prova"
	// ProviderFiscalCode is the one that it knows, of whoever has no dot in their name.
	ProviderFiscalCode = "RSSNNA80A41F205O"
)

// Provider starts a provider of OpenID Connect (npm oidc-provider) that sends browsers
// back to redirect, and gives its issuer. It ends with the test. Its login page takes
// any name and password; the person's claim "gruppi" is the part of the name before
// its first dot, beside "tutti"; a name without one has a fiscal code, ProviderFiscalCode.
func Provider(t testing.TB, redirect string) (issuer string) {
	t.Helper()
	node, err := exec.LookPath("node")
	Need(t, err == nil, "no node on this machine: apt install nodejs")
	dir := filepath.Join(moduleRoot(t), "protocol/pages")
	_, err = os.Stat(filepath.Join(dir, "node_modules/oidc-provider"))
	Need(t, err == nil, "oidc-provider is not installed: run make")
	cmd := exec.CommandContext(t.Context(), node, filepath.Join(dir, "pagestest/provider.mjs"), redirect)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	if _, err := cmd.StdinPipe(); err != nil { // it ends when this does
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "http://localhost:") {
			return lines.Text()
		}
	}
	t.Fatalf("the provider does not start: %s", problems.String())
	return ""
}
