package cameratest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/icholy/digest"
)

// plain is a web interface that asks for a password by HTTP itself.
var plain = map[string]string{
	"device.json": `{"auth":"digest","user":"u","password":"p","lockout_after":3}`,
	"web.json": `{"realm":"Registratore","answers":[{"path":"/info","file":"info.xml"},{"path":"/open","open":true,"file":"open.txt"}],
		"wrong":{"file":"wrong.xml"},"locked":{"file":"locked.xml"},"refused":{"file":"refused.html"},"otherwise":{"file":"otherwise.html"}}`,
	"web/info.xml": "<info/>", "web/open.txt": "open", "web/wrong.xml": "<wrong/>", "web/locked.xml": "<locked/>",
	"web/refused.html": "<refused>", "web/otherwise.html": "<otherwise>",
}

// with are files with others in their place.
func with(files map[string]string, other map[string]string) map[string]string {
	all := maps.Clone(files)
	maps.Copy(all, other)
	return all
}

// basic makes the header of HTTP Basic.
func basic(user, password string) http.Header {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return r.Header
}

// answered answers a Digest challenge for GET of a target with one count.
func answered(t *testing.T, challenge, target, user, password string, count int) http.Header {
	t.Helper()
	parsed, err := digest.ParseChallenge(challenge)
	if err != nil {
		t.Fatal(err)
	}
	c, err := digest.Digest(parsed, digest.Options{Method: http.MethodGet, URI: target, Username: user, Password: password, Count: count})
	if err != nil {
		t.Fatal(err)
	}
	return http.Header{"Authorization": {c.String()}}
}

// TestWebDigest: a library answers the challenges of the web interface over and
// over, whatever the algorithm and however soon a nonce is worn out, and a
// second client is not disturbed by the first.
func TestWebDigest(t *testing.T) {
	for _, kind := range []DigestKind{"", DigestSHA256, DigestBoth} {
		for _, uses := range []int{0, 1, 3} {
			d := start(t, loadFiles(t, plain), Options{Quirks: Quirks{Login: LoginQuirks{Digest: kind, NonceUses: uses}}})
			for range 2 {
				client := &http.Client{Transport: &digest.Transport{Username: "u", Password: "p"}}
				for i := range 7 {
					resp, err := client.Get("http://" + d.Address().String() + "/info?a=b%20c")
					if err != nil {
						t.Fatal(err)
					}
					_ = resp.Body.Close()
					if resp.StatusCode != 200 {
						t.Errorf("%q, %d uses of a nonce, request %d: HTTP %d", kind, uses, i, resp.StatusCode)
					}
				}
				client.CloseIdleConnections()
			}
			challenged := 0
			for _, r := range d.Requests() {
				if r.Refused {
					challenged++
				}
			}
			if want := map[int]int{0: 2, 1: 14, 3: 6}[uses]; challenged != want || d.WrongAttempts() != 0 {
				t.Errorf("%q, %d uses of a nonce: %d challenges, want %d; %d wrong attempts", kind, uses, challenged, want, d.WrongAttempts())
			}
		}
	}
}

// TestWebChallenges: the algorithms that are offered, the realm, and that each of
// them is verified.
func TestWebChallenges(t *testing.T) {
	for kind, want := range map[DigestKind][]string{"": {"MD5"}, DigestSHA256: {"SHA-256"}, DigestBoth: {"SHA-256", "MD5"}} {
		d := start(t, loadFiles(t, plain), Options{Quirks: Quirks{Login: LoginQuirks{Digest: kind}}})
		resp, _ := visit(t, d, webCall{method: "GET", target: "/info"})
		challenges := resp.Header.Values("WWW-Authenticate")
		if len(challenges) != len(want) {
			t.Fatalf("%q: challenges %q", kind, challenges)
		}
		for i, c := range challenges {
			parsed, err := digest.ParseChallenge(c)
			if err != nil || parsed.Algorithm != want[i] || parsed.Realm != "Registratore" || !slices.Equal(parsed.QOP, []string{"auth"}) || parsed.Stale {
				t.Errorf("%q: challenge %q, %v", kind, c, err)
			}
			if resp, _ := visit(t, d, webCall{"GET", "/info", "", answered(t, c, "/info", "u", "p", i+1)}); resp.StatusCode != 200 {
				t.Errorf("%q: %s: HTTP %d", kind, want[i], resp.StatusCode)
			}
		}
	}
}

// TestWebStale: a count that came before, one of zero, and a nonce that is not
// ours are challenged anew with stale=true, and count as no attempt; a later
// count that overtook an earlier one is good.
func TestWebStale(t *testing.T) {
	d := start(t, loadFiles(t, plain), Options{})
	resp, _ := visit(t, d, webCall{method: "GET", target: "/info"})
	mine := resp.Header.Get("WWW-Authenticate")
	foreign := strings.Replace(mine, `nonce="`, `nonce="x`, 1)
	zero := answered(t, mine, "/info", "u", "p", 9)
	zero.Set("Authorization", strings.Replace(zero.Get("Authorization"), "nc=00000009", "nc=00000000", 1))
	for i, tc := range []struct {
		header http.Header
		status int
	}{
		{answered(t, mine, "/info", "u", "p", 2), 200},
		{answered(t, mine, "/info", "u", "p", 1), 200},
		{answered(t, mine, "/info", "u", "p", 2), 401},
		{zero, 401},
		{answered(t, foreign, "/info", "u", "p", 3), 401},
	} {
		resp, body := visit(t, d, webCall{"GET", "/info", "", tc.header})
		if resp.StatusCode != tc.status {
			t.Errorf("%d: HTTP %d", i, resp.StatusCode)
			continue
		}
		seen := d.Requests()[i+1]
		if tc.status == 200 {
			if seen.Refused || seen.Stale {
				t.Errorf("%d: %+v", i, seen)
			}
			continue
		}
		parsed, err := digest.ParseChallenge(resp.Header.Get("WWW-Authenticate"))
		if err != nil || !parsed.Stale || strings.Contains(mine, parsed.Nonce) || !seen.Stale || body != "<refused>" {
			t.Errorf("%d: challenge %+v, %v, %+v", i, parsed, err, seen)
		}
	}
	if d.WrongAttempts() != 0 {
		t.Errorf("%d wrong attempts", d.WrongAttempts())
	}
}

// TestWebNoncesAreBounded: who only collects challenges does not fill the memory.
func TestWebNoncesAreBounded(t *testing.T) {
	g := newGate(Options{Auth: AuthDigest})
	g.fresh = true
	for range 2*maxNonces + 1 {
		g.issue()
	}
	if len(g.issued) > maxNonces {
		t.Errorf("%d nonces", len(g.issued))
	}
}

// TestWebRefusals: what is said without credentials, with wrong ones, after too
// many, and on what is not listed.
func TestWebRefusals(t *testing.T) {
	for _, kind := range []Auth{AuthDigest, AuthBasic} {
		d := start(t, loadFiles(t, plain), Options{Auth: kind})
		credentials := func(target, password string) http.Header {
			if kind == AuthBasic {
				return basic("u", password)
			}
			resp, _ := visit(t, d, webCall{method: "GET", target: "/info"})
			return answered(t, resp.Header.Get("WWW-Authenticate"), target, "u", password, 1)
		}
		for i, tc := range []struct {
			target, password string // "": without credentials
			status           int
			body             string
			wrong            int
		}{
			{"/open", "", 200, "open", 0},
			{"/open", "wrong", 200, "open", 0},
			{"/info", "", 401, "<refused>", 0},
			{"/nowhere", "", 401, "<refused>", 0},
			{"/info", "p", 200, "<info/>", 0},
			{"/nowhere", "p", 404, "<otherwise>", 0},
			{"/info", "wrong", 401, "<wrong/>", 1},
			{"/info", "p", 200, "<info/>", 1}, // forgives
			{"/info", "wrong", 401, "<wrong/>", 2},
			{"/info", "wrong", 401, "<wrong/>", 3},
			{"/nowhere", "wrong", 401, "<wrong/>", 4},
			{"/info", "", 401, "<refused>", 4},
			{"/info", "wrong", 403, "<locked/>", 5},
			{"/info", "p", 403, "<locked/>", 6},
			{"/open", "p", 200, "open", 6},
		} {
			var header http.Header
			if tc.password != "" {
				header = credentials(tc.target, tc.password)
			}
			resp, body := visit(t, d, webCall{"GET", tc.target, "", header})
			if resp.StatusCode != tc.status || body != tc.body || d.WrongAttempts() != tc.wrong {
				t.Errorf("%s %d: %s with %q: HTTP %d %q, %d wrong attempts", kind, i, tc.target, tc.password, resp.StatusCode, body, d.WrongAttempts())
			}
			challenge := resp.Header.Get("WWW-Authenticate")
			if has := strings.HasPrefix(strings.ToLower(challenge), string(kind)+" "); has != (tc.status == 401) {
				t.Errorf("%s %d: HTTP %d with challenge %q", kind, i, tc.status, challenge)
			}
			last := d.Requests()[len(d.Requests())-1]
			if tc.password != "" && (last.Scheme != string(kind) || last.User != "u" && tc.target != "/open") {
				t.Errorf("%s %d: %+v", kind, i, last)
			}
		}
	}
}

// TestWebChallengeOf: which challenge holds for what device.json, web.json and
// the test say.
func TestWebChallengeOf(t *testing.T) {
	for _, tc := range []struct{ device, web, test, want string }{
		{"", "", "", ""},
		{"digest", "", "", "Digest"},
		{"both", "", "", "Digest"},
		{"basic", "", "", "Basic"},
		{"token", "digest", "", "Digest"},
		{"token", "none", "", ""},
		{"", "basic", "", "Basic"},
		{"digest", "basic", "", "Basic"},
		{"digest", "basic", "digest", "Digest"},
		{"digest", "digest", "none", ""},
		{"digest", "digest", "token", "Digest"},
		{"digest", "", "ntlm", "NTLM"},
	} {
		name := fmt.Sprintf("%+v", tc)
		c := loadFiles(t, map[string]string{
			"device.json": fmt.Sprintf(`{"auth":%q,"user":"u","password":"p"}`, tc.device),
			"web.json":    fmt.Sprintf(`{"challenge":%q,"answers":[{"path":"/info"}]}`, tc.web),
		})
		d := start(t, c, Options{Auth: Auth(tc.test)})
		resp, _ := visit(t, d, webCall{method: "GET", target: "/info"})
		kind, _, _ := strings.Cut(resp.Header.Get("WWW-Authenticate"), " ")
		if kind != tc.want || (resp.StatusCode == 200) != (tc.want == "") {
			t.Errorf("%s: HTTP %d, challenge %q", name, resp.StatusCode, kind)
		}
		if user, password, asked := d.Credential(); asked != (tc.want != "") || asked && (user != "u" || password != "p") {
			t.Errorf("%s: credential %q %q %v", name, user, password, asked)
		}
	}
	c := loadFiles(t, map[string]string{"device.json": `{"auth":"token"}`, "web.json": `{}`})
	if d, err := Start(c, Options{}); err == nil || !strings.Contains(err.Error(), "name a challenge") {
		t.Errorf("token and no challenge: %v, %v", d, err)
	}
}

// TestWebBesideONVIF: one port, one password, one count of wrong attempts.
func TestWebBesideONVIF(t *testing.T) {
	c := loadFiles(t, with(plain, map[string]string{
		"device.json": `{"auth":"token","user":"u","password":"p","lockout_after":2}`,
		"web.json":    `{"challenge":"basic","server":"App-webs/","answers":[{"path":"/info","file":"info.xml"}]}`,
		"GetDeviceInformation.xml": `<tds:GetDeviceInformationResponse><tds:Manufacturer>Provaweb</tds:Manufacturer><tds:Model>PW</tds:Model>
			<tds:FirmwareVersion>1</tds:FirmwareVersion><tds:SerialNumber>1</tds:SerialNumber><tds:HardwareId>1</tds:HardwareId></tds:GetDeviceInformationResponse>`,
	}))
	d := start(t, c, Options{})
	information := op(nsDevice, "GetDeviceInformation", "")
	soap := func(password string) int {
		status, _ := ask(t, d, devicePath, tokenHeader("u", password, d.Now()), information)
		return status
	}
	site := func(password string) int {
		resp, _ := visit(t, d, webCall{"GET", "/info", "", basic("u", password)})
		if resp.Header.Get("Server") != "App-webs/" {
			t.Errorf("headers %v", resp.Header)
		}
		return resp.StatusCode
	}
	for i, got := range []int{soap("p"), site("p"), soap("wrong"), site("p"), soap("wrong"), site("wrong"), site("p"), soap("p")} {
		if want := []int{200, 200, 400, 200, 400, 401, 403, 400}[i]; got != want {
			t.Errorf("%d: HTTP %d, want %d", i, got, want)
		}
	}
	if resp, _ := visit(t, d, webCall{method: "GET", target: devicePath}); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET of the device service: HTTP %d", resp.StatusCode)
	}
}
