package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"time"
)

// officer makes an officer of the collector's.
func (c *collector) officer(ctx context.Context) (credential, error) {
	file := c.dir + ".officer"
	defer os.Remove(file + ".admin")
	defer os.Remove(file + ".identity")
	return c.user(ctx, file,
		[]string{"force", "add", "Questura", "-data", c.dir, "-act", "prova di carico", "-identity", file + ".identity"},
		[]string{"user", "add", "Dirigente", "-data", c.dir, "-role", "force-admin", "-force", "Questura", "-credential", file + ".admin"},
		[]string{"user", "add", "Prova di carico", "-as", file + ".admin", "-role", "officer", "-qualification", "agente di PG", "-credential", file})
}

// operator makes one of the Comune's.
func (c *collector) operator(ctx context.Context) (credential, error) {
	file := c.dir + ".operator"
	return c.user(ctx, file, []string{"user", "add", "Prova di carico in Comune", "-data", c.dir, "-role", "ops", "-credential", file})
}

// user runs commands of which the last writes a credential into a file, and reads it.
func (c *collector) user(ctx context.Context, file string, commands ...[]string) (credential, error) {
	for _, args := range commands {
		if out, err := exec.CommandContext(ctx, c.bin, args...).CombinedOutput(); err != nil {
			return credential{}, fmt.Errorf("%s %s: %w: %s", args[0], args[1], err, out)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return credential{}, err
	}
	var is credential
	return is, errors.Join(json.Unmarshal(text, &is), os.Remove(file))
}

// ask has one agent's site asked to preserve the last hour of a camera.
func (d *desks) ask(ctx context.Context, a *agent) error {
	now := time.Now().UTC()
	_, err := d.officer.send(ctx, d.client, http.MethodPost, "/requests", url.Values{
		"camera": {a.camera}, "from": {now.Add(-time.Hour).Format(time.RFC3339)}, "until": {now.Format(time.RFC3339)},
		"kind": {"invitation"}, "case_kind": {"event112"}, "case_ref": {"prova"}, "offence": {"other"}, "reason": {"prova di carico"}}, "application/json")
	return err
}
