package discover

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"sync/atomic"
	"testing"
)

// described serves one description and reads it as a scan does.
func described(t *testing.T, h http.HandlerFunc) (Sighting, error) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return describe(t.Context(), descriptionClient(), location{host: netip.MustParseAddr("127.0.0.1"), url: u})
}

func TestDescribe(t *testing.T) {
	s, err := described(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, upnpDescription("AXIS", "M1065", "")) })
	if err != nil || s.Address.String() != "127.0.0.1:80" || s.Vendor != "AXIS" {
		t.Errorf("%+v, %v", s, err)
	}
}

// A description that leads elsewhere, or has no end, is not read.
func TestDescribeHostile(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was asked by redirection", r.URL)
		fmt.Fprint(w, upnpDescription("AXIS", "M1065", ""))
	}))
	defer elsewhere.Close()
	var sent atomic.Int64
	for name, h := range map[string]http.HandlerFunc{
		"redirect":  func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) },
		"not found": http.NotFound,
		"empty":     func(http.ResponseWriter, *http.Request) {},
		"no xml":    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "AXIS") },
		"entities": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `<!DOCTYPE r [<!ENTITY a "AXIS">]>`+upnpDescription("&a;", "", ""))
		},
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			for chunk := bytes.Repeat([]byte("<root>"), 10_000); ; {
				n, err := w.Write(chunk)
				if sent.Add(int64(n)) > 1<<30 || err != nil {
					return
				}
			}
		},
		"closed": func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) },
	} {
		if s, err := described(t, h); err == nil {
			t.Errorf("%s was read as %+v", name, s)
		}
	}
	if sent.Load() > 1<<30 {
		t.Error("an endless description was read for a gigabyte")
	}
}
