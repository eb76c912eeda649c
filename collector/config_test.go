package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestLogFormat(t *testing.T) {
	var text, object bytes.Buffer
	c := defaults()
	c.logger(&text).Info("collector serving", "agents", "https://localhost:8443")
	c.LogFormat = "json"
	c.logger(&object).Info("collector serving", "agents", "https://localhost:8443")
	var line map[string]any
	if err := json.Unmarshal(object.Bytes(), &line); err != nil || line["msg"] != "collector serving" || line["agents"] != "https://localhost:8443" || line["level"] != "INFO" {
		t.Errorf("%v: %s", err, &object)
	}
	if !strings.Contains(text.String(), `msg="collector serving" agents=https://localhost:8443`) {
		t.Error(text.String())
	}
	for format, good := range map[string]bool{"text": true, "json": true, "": false, "xml": false} {
		c.LogFormat = format
		if err := c.check(); (err == nil) != good {
			t.Errorf("log_format %q: %v", format, err)
		}
	}
}
