package interrogate

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"anagrafe/agent/discover"
)

// TestUnknownRefusals: a device that refuses a password in a way of its own gets
// it twice in a look and no more: it may be counting.
func TestUnknownRefusals(t *testing.T) {
	for name, refuse := range map[string]http.HandlerFunc{
		"hangs up":        func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"400 in words":    func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "bad login", http.StatusBadRequest) },
		"a fault of ours": func(w http.ResponseWriter, _ *http.Request) { answerFault(w, "ter:UnknownUser", "Unknown user") },
	} {
		t.Run(name, func(t *testing.T) {
			var signed atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				switch {
				case strings.Contains(string(body), "UsernameToken"):
					signed.Add(1)
					refuse(w, r)
				case strings.Contains(string(body), "GetSystemDateAndTime"):
					now := time.Now().UTC()
					answerSOAP(w, http.StatusOK, fmt.Sprintf(`<tds:GetSystemDateAndTimeResponse xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema"><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time><tt:Hour>%d</tt:Hour><tt:Minute>%d</tt:Minute><tt:Second>%d</tt:Second></tt:Time><tt:Date><tt:Year>%d</tt:Year><tt:Month>%d</tt:Month><tt:Day>%d</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`,
						now.Hour(), now.Minute(), now.Second(), now.Year(), now.Month(), now.Day()))
				default:
					answerFault(w, "ter:NotAuthorized", "Sender not Authorized")
				}
			}))
			t.Cleanup(server.Close)
			s := discover.Sighting{Address: netip.MustParseAddrPort(strings.TrimPrefix(server.URL, "http://"))}
			got := asker(t, &memory{given: Credential{User: "u", Password: "wrong"}}).Ask(t.Context(), s)
			if n := signed.Load(); n < 1 || n > 2 {
				t.Errorf("the password went out %d times, want at most 2", n)
			}
			if got.Needs != NeedsWrongPassword {
				t.Errorf("needs %q", got.Needs)
			}
		})
	}
}

func answerFault(w http.ResponseWriter, subcode, words string) {
	answerSOAP(w, http.StatusBadRequest, `<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>`+subcode+
		`</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en">`+words+`</s:Text></s:Reason></s:Fault>`)
}

func answerSOAP(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/soap+xml; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:ter="http://www.onvif.org/ver10/error"><s:Body>`+body+`</s:Body></s:Envelope>`)
}
