package ops

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// A batch is codes and a count: no site, and nothing but its association on the trail.
func TestBatches(t *testing.T) {
	d := newDesk(t)
	status, made := d.ask(d.control, "", "POST", "/batches", map[string]string{"association": " Confesercenti  Milano ", "count": "3"})
	if status != 201 || made["association"] != "Confesercenti Milano" || made["codes"] != 3.0 {
		t.Fatalf("%d %v", status, made)
	}
	codes := map[string]bool{}
	for _, one := range made["invitations"].([]any) {
		i := one.(map[string]any)
		if _, err := protocol.ParseCode(i["code"].(string)); err != nil || !strings.HasSuffix(i["link"].(string), i["code"].(string)) {
			t.Errorf("%v, %v", i, err)
		}
		codes[i["code"].(string)] = true
	}
	if len(codes) != 3 {
		t.Errorf("%d different codes", len(codes))
	}
	if sites, err := d.reg.Sites(t.Context()); err != nil || len(sites) != 0 {
		t.Errorf("%d sites before anybody opened a code, %v", len(sites), err)
	}
	act := d.acts[len(d.acts)-1]
	details, _ := json.Marshal(act.Details)
	if act.Kind != "batch-add" || !strings.Contains(string(details), "Confesercenti Milano") {
		t.Errorf("on the trail: %s %s", act.Kind, details)
	}
	for code := range codes {
		if strings.Contains(string(details), code) {
			t.Error("a code is on the trail")
		}
	}

	status, list := d.ask(d.control, "", "GET", "/batches?page=1", nil)
	if one := list["batches"].([]any)[0].(map[string]any); status != 200 || list["all"] != 1.0 || one["id"] != made["id"] || one["used"] != 0.0 || one["ended_at"] != nil {
		t.Errorf("%d %v", status, list)
	}
	if status, got := d.ask(d.control, "", "POST", fmt.Sprintf("/batches/%s/end", made["id"]), nil); status != 200 {
		t.Errorf("the end: %d %v", status, got)
	}
	if _, list = d.ask(d.control, "", "GET", "/batches", nil); list["batches"].([]any)[0].(map[string]any)["ended_at"] == nil {
		t.Error("the batch has not ended")
	}
}

func TestBatchesRefused(t *testing.T) {
	d := newDesk(t)
	for _, c := range []struct{ association, count, field string }{
		{"", "3", "association"},
		{strings.Repeat("x", registry.MaxAssociation+1), "3", "association"},
		{"Conf\u202eesercenti", "3", "association"},
		{"Confesercenti", "", "count"},
		{"Confesercenti", "0", "count"},
		{"Confesercenti", "10001", "count"},
	} {
		if status, got := d.ask(d.control, "", "POST", "/batches", map[string]string{"association": c.association, "count": c.count}); status != 422 || got["field"] != c.field {
			t.Errorf("%q, %q: %d %v", c.association, c.count, status, got)
		}
	}
	for _, id := range []string{"nobody", "00000000-0000-4000-8000-000000000001"} {
		if status, got := d.ask(d.control, "", "POST", "/batches/"+id+"/end", nil); status != 422 || got["field"] != "id" {
			t.Errorf("the end of %s: %d %v", id, status, got)
		}
	}
	d.broken = fmt.Errorf("the disk is full")
	if status, _ := d.ask(d.control, "", "POST", "/batches", map[string]string{"association": "Confesercenti", "count": "1"}); status < 500 {
		t.Errorf("without a trail: %d", status)
	}
	if _, all, err := d.reg.Batches(t.Context(), 0, 1); err != nil || all != 0 {
		t.Errorf("%d batches, %v", all, err)
	}
}
