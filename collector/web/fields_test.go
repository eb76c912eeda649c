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

func TestCSVText(t *testing.T) {
	for in, want := range map[string]string{"": "", "Bar Orefici": "Bar Orefici", "=cmd|' /C calc'!A0": "'=cmd|' /C calc'!A0", "+39 02 1": "'+39 02 1",
		"-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1", "\n=1": "'\n=1", "a=1": "a=1", "è": "è"} {
		if got := CSVText(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
