package uplink

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

// Requests for the channel go to this agent's collector, whatever their host, by its
// certificate, with nothing in them but the name and the part.
func TestChannel(t *testing.T) {
	t.Parallel()
	for via, on := range map[string]servers{"h3": both, "h2": {tcp: true}} {
		t.Run(via, func(t *testing.T) {
			c := newCollector(t)
			c.files = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/moved") {
					http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
					return
				}
				_, _ = fmt.Fprintf(w, "%s %s %s by %s", r.URL.Path, r.URL.RawQuery, r.Header.Get("Range"), r.TLS.PeerCertificates[0].Subject.CommonName)
			})
			c.serve(on, nil, nil)
			r := run(t, c.authority.identity(t, c.addr, time.Now()), newOutbox(), changeFor(on))
			<-c.listens
			ask := func(method, url string) (*http.Response, error) {
				req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Range", "bytes=5-9")
				req.Header.Set("X-Site", "secret")
				return r.Channel().RoundTrip(req)
			}
			resp, err := ask("GET", "https://stranger.example/channel/timestamp.json?site=secret")
			if err != nil {
				t.Fatal(err)
			}
			raw, err := io.ReadAll(resp.Body)
			if err := errors.Join(err, resp.Body.Close()); err != nil || string(raw) != "/channel/timestamp.json  bytes=5-9 by agent-1" {
				t.Errorf("%q, %v", raw, err)
			}
			if resp, err := ask("GET", "https://collector/channel/moved"); err != nil || resp.StatusCode != http.StatusFound {
				t.Errorf("a redirect was followed: %v, %v", resp, err)
			} else {
				_ = resp.Body.Close()
			}
			for _, bad := range [][2]string{{"POST", "https://collector/channel/x"}, {"GET", "https://collector/anagrafe.v1.DeliveryService/Deliver"}} {
				if _, err := ask(bad[0], bad[1]); reasonFrom(t, err) != UnexpectedAnswer {
					t.Errorf("%v: %v", bad, err)
				}
			}
			for _, head := range c.heard().headers {
				if head.Get("X-Site") != "" {
					t.Error("a header of the caller's was passed on")
				}
			}
		})
	}
	if _, err := New(Options{}).Channel().RoundTrip(httpGet(t)); reasonFrom(t, err) != NotEnrolled {
		t.Errorf("before the enrolment: %v", err)
	}
}

func httpGet(t *testing.T) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://collector"+protocol.ChannelPath+"timestamp.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}
