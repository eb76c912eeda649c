package ingest

import (
	"crypto/tls"
	"net/http"
	"testing"

	"anagrafe/protocol"
)

// A telephone that reads the QR of an enrolment link is sent to the page that says what
// it is for: without a certificate, without a word of the code, and to nothing else.
func TestBrowserThatOpensALink(t *testing.T) {
	const page = "https://telecamere.example/codice#invito"
	r := start(t, func(s *Server) { s.o.Browser = page })
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	browser := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, tc := range []struct {
		method, path string
		status       int
	}{
		{"GET", protocol.EnrolmentPath, http.StatusSeeOther}, {"HEAD", protocol.EnrolmentPath, http.StatusSeeOther},
		{"POST", protocol.EnrolmentPath, http.StatusMethodNotAllowed}, {"GET", "/", http.StatusNotFound}, {"GET", protocol.EnrolmentPath + "/x", http.StatusNotFound},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tc.method, "https://"+r.Addr()+tc.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if to := resp.Header.Get("Location"); resp.StatusCode != tc.status || (to == page) != (tc.status == http.StatusSeeOther) {
			t.Errorf("%s %s: %d to %q", tc.method, tc.path, resp.StatusCode, to)
		}
	}
}
