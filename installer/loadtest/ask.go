package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"
)

// officer asks owners to preserve footage, over the consultation address.
type officer struct {
	Server string `json:"server"`
	Secret string `json:"secret"`
}

// officer makes an officer of the collector's.
func (c *collector) officer(ctx context.Context) (officer, error) {
	file := c.dir + ".officer"
	for _, args := range [][]string{
		{"force", "add", "Questura", "-data", c.dir, "-act", "prova di carico", "-identity", file + ".identity"},
		{"user", "add", "Dirigente", "-data", c.dir, "-role", "force-admin", "-force", "Questura", "-credential", file + ".admin"},
		{"user", "add", "Prova di carico", "-as", file + ".admin", "-role", "officer", "-qualification", "agente di PG", "-credential", file},
	} {
		if out, err := exec.CommandContext(ctx, c.bin, args...).CombinedOutput(); err != nil {
			return officer{}, fmt.Errorf("make an officer: %w: %s", err, out)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return officer{}, err
	}
	var o officer
	return o, errors.Join(json.Unmarshal(text, &o), os.Remove(file), os.Remove(file+".admin"), os.Remove(file+".identity"))
}

// ask has one agent's site asked to preserve the last hour of a camera.
func (o officer) ask(ctx context.Context, a *agent) error {
	now := time.Now().UTC()
	form := url.Values{"camera": {a.camera}, "from": {now.Add(-time.Hour).Format(time.RFC3339)}, "until": {now.Format(time.RFC3339)},
		"kind": {"invitation"}, "case_kind": {"event112"}, "case_ref": {"prova"}, "offence": {"other"}, "reason": {"prova di carico"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.Server+"/requests", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+o.Secret)
	req.Header.Set("Accept", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("ask to preserve: %s: %s", resp.Status, said)
	}
	return err
}
