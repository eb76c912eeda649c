package cameratest

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"
)

// TestTokenVector is the example of the ONVIF Application Programmer's Guide 1.0.
func TestTokenVector(t *testing.T) {
	token := usernameToken{
		user: "user", passwordType: "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest",
		nonce: "LKqI6G/AikKCQrN0zqZFlg==", created: "2010-09-16T07:50:45Z", password: "tuOSpGlFlIXsozq4HFNeeGeFLEI=",
	}
	at := time.Date(2010, 9, 16, 7, 50, 45, 0, time.UTC)
	change := func(f func(*usernameToken)) usernameToken { c := token; f(&c); return c }
	for name, tc := range map[string]struct {
		token    usernameToken
		password string
		now      time.Time
		want     bool
	}{
		"right":           {token, "userpassword", at, true},
		"wrong password":  {token, "Userpassword", at, false},
		"wrong user":      {change(func(u *usernameToken) { u.user = "admin" }), "userpassword", at, false},
		"in clear":        {change(func(u *usernameToken) { u.passwordType, u.password = "#PasswordText", "userpassword" }), "userpassword", at, false},
		"other created":   {change(func(u *usernameToken) { u.created = "2010-09-16T07:50:46Z" }), "userpassword", at, false},
		"nonce no base64": {change(func(u *usernameToken) { u.nonce = "!" }), "userpassword", at, false},
		"30 s late":       {token, "userpassword", at.Add(30 * time.Second), true},
		"31 s late":       {token, "userpassword", at.Add(31 * time.Second), false},
		"31 s early":      {token, "userpassword", at.Add(-31 * time.Second), false},
	} {
		if got := tc.token.valid("user", tc.password, tc.now, 30*time.Second); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if !token.valid("user", "userpassword", at.Add(1000*time.Hour), 0) {
		t.Error("without a limit on skew an old token was refused")
	}
}

// TestDigestVector is the example of RFC 2617 section 3.5, which RFC 7616 keeps
// for MD5 with qop=auth.
func TestDigestVector(t *testing.T) {
	g := newGate(Options{Auth: AuthDigest, User: "Mufasa", Password: "Circle Of Life"})
	g.realm, g.nonce = "testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093"
	const good = `Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", ` +
		`uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1", ` +
		`opaque="5ccc069c403ebaf9f0171e9517f40e41"`
	for name, tc := range map[string]struct {
		header, uri string
		tried, pass bool
	}{
		"right":        {good, "/dir/index.html", true, true},
		"other answer": {strings.Replace(good, "6629", "6628", 1), "/dir/index.html", true, false},
		"other user":   {strings.Replace(good, "Mufasa", "Simba", 1), "/dir/index.html", true, false},
		"other uri":    {good, "/dir/other.html", true, false},
		"other count":  {strings.Replace(good, "nc=00000001", "nc=00000002", 1), "/dir/index.html", true, false},
		"other nonce":  {strings.Replace(good, "dcd98b", "dcd98c", 1), "/dir/index.html", false, false},
		"garbage":      {"Digest ,,,=", "/dir/index.html", true, false},
	} {
		r := httptest.NewRequest(http.MethodGet, tc.uri, nil)
		tried, pass, _ := g.checkDigest(r, tc.header)
		if pass != tc.pass || tried != tc.tried {
			t.Errorf("%s: tried %v, pass %v", name, tried, pass)
		}
	}
}

// tokenHeader is a client's own making of a WS-UsernameToken.
func tokenHeader(user, password string, created time.Time) string {
	nonce, at := "0123456789abcdef", created.UTC().Format(time.RFC3339)
	sum := sha1.Sum([]byte(nonce + at + password))
	return fmt.Sprintf(`<w:Security xmlns:w="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"><w:UsernameToken>`+
		`<w:Username>%s</w:Username><w:Password Type="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest">%s</w:Password>`+
		`<w:Nonce>%s</w:Nonce><u:Created xmlns:u="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd">%s</u:Created></w:UsernameToken></w:Security>`,
		user, base64.StdEncoding.EncodeToString(sum[:]), base64.StdEncoding.EncodeToString([]byte(nonce)), at)
}

// answerDigest answers the challenge of the device's last refusal.
func answerDigest(t *testing.T, d *Device, user, password string) func(*http.Request) {
	t.Helper()
	return func(r *http.Request) {
		chal := &digest.Challenge{Realm: d.gate.realm, Nonce: d.gate.nonce, Algorithm: "MD5", QOP: []string{"auth"}}
		c, err := digest.Digest(chal, digest.Options{Method: r.Method, URI: r.URL.RequestURI(), Username: user, Password: password, Count: 1})
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", c.String())
	}
}

func TestAuthModes(t *testing.T) {
	const user, password = "anagrafe", "right"
	information, clock := op(nsDevice, "GetDeviceInformation", ""), op(nsDevice, timeOperation, "")
	type try struct {
		credentials string // "", "token", "wrong token", "digest", "wrong digest"
		body        string
		status      int
	}
	for name, tc := range map[string]struct {
		o     Options
		tries []try
		wrong int
	}{
		"none": {Options{Auth: AuthNone}, []try{{"", information, 200}, {"wrong token", information, 200}}, 0},
		"token": {Options{Auth: AuthToken}, []try{{"", clock, 200}, {"", information, 400}, {"wrong token", information, 400},
			{"digest", information, 400}, {"token", information, 200}, {"wrong token", clock, 200}}, 2},
		"digest": {Options{Auth: AuthDigest}, []try{{"", clock, 200}, {"", information, 401}, {"token", information, 401}, {"wrong digest", information, 401}, {"digest", information, 200}}, 2},
		"both":   {Options{Auth: AuthBoth}, []try{{"", information, 401}, {"token", information, 200}, {"digest", information, 200}, {"wrong token", information, 401}}, 1},
		"status": {Options{Auth: AuthToken, Quirks: Quirks{AuthStatus: 500}}, []try{{"", information, 500}}, 0},
		"a wrong token refuses all": {Options{Auth: AuthToken, Quirks: Quirks{WrongTokenRefusesAll: true}},
			[]try{{"", clock, 200}, {"wrong token", clock, 400}, {"token", clock, 200}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			tc.o.User, tc.o.Password = user, password
			d := start(t, load(t, "videofavola-cubo"), tc.o)
			for i, try := range tc.tries {
				header, edits := "", []func(*http.Request){}
				switch try.credentials {
				case "token":
					header = tokenHeader(user, password, d.Now())
				case "wrong token":
					header = tokenHeader(user, "wrong", d.Now())
				case "digest":
					edits = append(edits, answerDigest(t, d, user, password))
				case "wrong digest":
					edits = append(edits, answerDigest(t, d, user, "wrong"))
				}
				if status, body := ask(t, d, devicePath, header, try.body, edits...); status != try.status {
					t.Errorf("try %d, %q: HTTP %d, want %d: %s", i, try.credentials, status, try.status, body)
				}
			}
			if got := d.WrongAttempts(); got != tc.wrong {
				t.Errorf("%d wrong attempts counted, want %d", got, tc.wrong)
			}
		})
	}
}

// TestChallenge: what a device offers is what a client's library can read.
func TestChallenge(t *testing.T) {
	d := start(t, load(t, "ottimmago-bullet"), Options{})
	o := d.Options()
	client := http.Client{Transport: &digest.Transport{Username: o.User, Password: o.Password}}
	defer client.CloseIdleConnections()
	body := `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>` + op(nsDevice, "GetDeviceInformation", "") + `</e:Body></e:Envelope>`
	resp, err := client.Post(d.URL(), "application/soap+xml", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("HTTP %d", resp.StatusCode)
	}
	requests := d.Requests()
	if len(requests) != 2 || !requests[0].Refused || requests[0].Scheme != "" || requests[1].Refused || requests[1].Scheme != "digest" || requests[1].User != o.User {
		t.Errorf("requests %+v", requests)
	}
}

// TestLockout: attempts are counted down in the fault, and then the right
// password is of no use.
func TestLockout(t *testing.T) {
	d := start(t, load(t, "cameramai-fissa"), Options{})
	o := d.Options()
	body := op(nsDevice, "GetDeviceInformation", "")
	for left := o.Quirks.LockoutAfter - 1; left >= 0; left-- {
		says := fmt.Sprintf("%d attempt(s)", left)
		if left == 0 {
			says = "locked"
		}
		status, answer := ask(t, d, devicePath, tokenHeader(o.User, "wrong", d.Now()), body)
		if status != 400 || !strings.Contains(string(answer), says) {
			t.Fatalf("HTTP %d %s, want %q", status, answer, says)
		}
	}
	if status, _ := ask(t, d, devicePath, tokenHeader(o.User, o.Password, d.Now()), body); status != 400 {
		t.Errorf("the right password after the lockout: HTTP %d", status)
	}
	if got := d.WrongAttempts(); got != 6 {
		t.Errorf("%d refused attempts, want 6", got)
	}
}

// TestTokenByTheDevicesClock: the clock that is 58 minutes ahead is the one that
// Created is held against.
func TestTokenByTheDevicesClock(t *testing.T) {
	d := start(t, load(t, "ottimmago-orologio"), Options{})
	o := d.Options()
	body := op(nsDevice, "GetDeviceInformation", "")
	if status, _ := ask(t, d, devicePath, tokenHeader(o.User, o.Password, time.Now()), body); status != 401 {
		t.Errorf("token by our clock: HTTP %d", status)
	}
	if status, _ := ask(t, d, devicePath, tokenHeader(o.User, o.Password, d.Now()), body); status != 200 {
		t.Errorf("token by its clock: HTTP %d", status)
	}
}

// TestRefusesAll is the AXIS P5655-E of the recordings: the time without a
// token, and nothing at all with a wrong one.
func TestRefusesAll(t *testing.T) {
	c, err := LoadRecorded(sharedOnvif(t) + "/AXIS_P5655-E_wrong-credentials")
	if err != nil {
		t.Fatal(err)
	}
	if !c.refuses() {
		t.Error("not known as one that refuses everything")
	}
	d := start(t, c, Options{Auth: AuthToken, User: "a", Password: "b", ClockOffset: time.Hour, Quirks: Quirks{WrongTokenRefusesAll: true}})
	clock := op(nsDevice, timeOperation, "")
	status, body := ask(t, d, devicePath, "", clock)
	if off := time.Until(readTime(body, "UTCDateTime")); status != 200 || off < 59*time.Minute || off > 61*time.Minute {
		t.Errorf("time without a token: HTTP %d, %v ahead", status, off)
	}
	if status, _ := ask(t, d, devicePath, tokenHeader("a", "wrong", d.Now()), clock); status != 400 {
		t.Errorf("time with a wrong token: HTTP %d", status)
	}
	if status, _ := ask(t, d, devicePath, "", op(nsDevice, "GetDeviceInformation", "")); status != 400 {
		t.Errorf("information without a token: HTTP %d", status)
	}
}
