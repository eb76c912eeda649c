package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// A person without a browser lists what came, opens it and answers.
func TestNoticesCommand(t *testing.T) {
	dir := t.TempDir()
	inv, err := inventory.Open(t.Context(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	siteID := uuid.NewString()
	start := time.Now().UTC().Add(-time.Hour)
	if err := inv.AddGrant(t.Context(), protocol.Grant{SiteID: siteID, SiteName: "Bar", Category: "shop", Epoch: 1, From: start}, "https://c.example"); err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	for name, body := range map[string]protocol.NoticeBody{
		"preserve": protocol.Preserve{Kind: protocol.Order, From: "Questura di Milano", Start: start, End: start.Add(time.Minute), CameraIDs: []string{uuid.NewString()}, CheckCode: "K7QM-2RPD"},
		"change":   protocol.SiteChange{State: protocol.SiteSuspended, At: start},
		"reminder": protocol.Reminder{Reason: "controlla il recapito"},
	} {
		ids[name] = uuid.NewString()
		if err := inv.KeepNotice(t.Context(), protocol.Notice{ID: ids[name], SiteID: siteID, At: start, Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	if err := inv.Close(); err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(context.Background(), console{strings.NewReader(""), &out, &errs}, append(args, "-data", dir)); code != exitDone {
			t.Errorf("%v: %d %s", args, code, errs.String())
		}
		return out.String()
	}
	has := func(text string, all ...string) {
		t.Helper()
		for _, want := range all {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in %s", want, text)
			}
		}
	}
	has(command("status"), "3 new", "suspended with the owner's link")
	has(command("notices"), ids["preserve"], ids["change"], ids["reminder"], "false")
	has(command("status", "-json"), `"new_notices": 3`, `"connection": "held"`)
	has(command("notices", ids["preserve"]), "art. 354", "Questura di Milano", "K7QM-2RPD", "looked up yourself")
	has(command("notices", ids["change"]), "suspended with the owner's link")
	has(command("notices", ids["reminder"], "-json"), "controlla il recapito")
	if got := command("status"); strings.Contains(got, "new:") {
		t.Errorf("all were opened, and: %s", got)
	}
	has(command("notices", ids["preserve"], "-copied", "-by", "Luca Verdi", "-note", "chiavetta"), "answered copied")
	var n shownNotice
	if err := json.Unmarshal([]byte(command("notices", ids["preserve"], "-json")), &n); err != nil || n.Answer != protocol.ReplyCopied || n.AnsweredBy != "Luca Verdi" || n.Note != "chiavetta" {
		t.Errorf("%+v: %v", n, err)
	}
	has(command("outbox"), "reply")
}
