package web

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func FuzzReadFields(f *testing.F) {
	f.Add("application/json", []byte(`{"site":"a"}`))
	f.Add("application/x-www-form-urlencoded", []byte("site=a&site=b"))
	f.Add("application/json", []byte(`{"site":1}`))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/invite", strings.NewReader(string(body)))
		r.Header.Set("Content-Type", kind)
		var s string
		if err := ReadFields(r, map[string]*string{"site": &s}); err == nil && s != strings.TrimSpace(s) {
			t.Errorf("untrimmed %q", s)
		}
	})
}
