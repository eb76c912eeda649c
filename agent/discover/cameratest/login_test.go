package cameratest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/icholy/digest"
)

// post asks for the device information with a client, and gives the status.
func post(t *testing.T, client *http.Client, d *Device, edit func(*http.Request)) (int, []string) {
	t.Helper()
	body := `<e:Envelope xmlns:e="` + nsEnvelope + `"><e:Body>` + op(nsDevice, "GetDeviceInformation", "") + `</e:Body></e:Envelope>`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.URL(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(r)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode, resp.Header.Values("WWW-Authenticate")
}

// TestDigestKinds: the challenges, and that a library answers each of them.
func TestDigestKinds(t *testing.T) {
	for kind, want := range map[DigestKind][]string{"": {"MD5"}, DigestSHA256: {"SHA-256"}, DigestBoth: {"SHA-256", "MD5"}} {
		d := start(t, load(t, "videofavola-cubo"), Options{Auth: AuthDigest, User: "u", Password: "p", Quirks: Quirks{Login: LoginQuirks{Digest: kind}}})
		_, challenges := post(t, http.DefaultClient, d, nil)
		if len(challenges) != len(want) {
			t.Fatalf("%q: challenges %q", kind, challenges)
		}
		for i, c := range challenges {
			if parsed, err := digest.ParseChallenge(c); err != nil || parsed.Algorithm != want[i] {
				t.Errorf("%q: challenge %q, %v", kind, c, err)
			}
		}
		for password, status := range map[string]int{"p": 200, "wrong": 401} {
			client := &http.Client{Transport: &digest.Transport{Username: "u", Password: password}}
			if got, _ := post(t, client, d, nil); got != status {
				t.Errorf("%q with password %q: HTTP %d", kind, password, got)
			}
			client.CloseIdleConnections()
		}
		// An answer in an algorithm that was not offered is wrong.
		d = start(t, load(t, "videofavola-cubo"), Options{Auth: AuthDigest, User: "u", Password: "p", Quirks: Quirks{Login: LoginQuirks{Digest: DigestSHA256}}})
		if got, _ := post(t, http.DefaultClient, d, answerDigest(t, d, "u", "p")); got != 401 {
			t.Errorf("MD5 where SHA-256 was offered: HTTP %d", got)
		}
	}
}

func TestBasicAndNTLM(t *testing.T) {
	basic := start(t, load(t, "videofavola-cubo"), Options{Auth: AuthBasic, User: "u", Password: "p"})
	if status, challenges := post(t, http.DefaultClient, basic, nil); status != 401 || len(challenges) != 1 || !strings.HasPrefix(challenges[0], "Basic ") {
		t.Errorf("HTTP %d %q", status, challenges)
	}
	for password, want := range map[string]int{"p": 200, "wrong": 401} {
		if status, _ := post(t, http.DefaultClient, basic, func(r *http.Request) { r.SetBasicAuth("u", password) }); status != want {
			t.Errorf("password %q: HTTP %d", password, status)
		}
	}
	if basic.WrongAttempts() != 1 {
		t.Errorf("%d wrong attempts", basic.WrongAttempts())
	}
	ntlm := start(t, load(t, "videofavola-cubo"), Options{Auth: AuthNTLM, User: "u", Password: "p"})
	for _, edit := range []func(*http.Request){nil, func(r *http.Request) { r.SetBasicAuth("u", "p") }, answerDigest(t, ntlm, "u", "p")} {
		if status, challenges := post(t, http.DefaultClient, ntlm, edit); status != 401 || len(challenges) != 1 || challenges[0] != "NTLM" {
			t.Errorf("HTTP %d %q", status, challenges)
		}
	}
	for _, d := range []*Device{basic, ntlm} {
		if status, _ := ask(t, d, devicePath, tokenHeader("u", "p", d.Now()), op(nsDevice, "GetScopes", "")); status != 401 {
			t.Errorf("a token: HTTP %d", status)
		}
		if status, _ := ask(t, d, devicePath, "", op(nsDevice, timeOperation, "")); status != 200 {
			t.Errorf("the time: HTTP %d", status)
		}
	}
}

// TestAlways: even the time is refused without a token.
func TestAlways(t *testing.T) {
	clock := op(nsDevice, timeOperation, "")
	for _, always := range []bool{false, true} {
		d := start(t, load(t, "videofavola-cubo"), Options{Auth: AuthToken, User: "u", Password: "p", Quirks: Quirks{AuthStatus: 500, Login: LoginQuirks{Always: always}}})
		want := map[bool]int{false: 200, true: 500}[always]
		if status, _ := ask(t, d, devicePath, "", clock); status != want {
			t.Errorf("always %v: the time without a token: HTTP %d", always, status)
		}
		if status, _ := ask(t, d, devicePath, tokenHeader("u", "p", d.Now()), clock); status != 200 {
			t.Errorf("always %v: the time with a token: HTTP %d", always, status)
		}
	}
}

// TestNonceOnce: the same token a second time is a wrong one, the same Digest
// answer a stale one.
func TestNonceOnce(t *testing.T) {
	c, body := load(t, "videofavola-cubo"), op(nsDevice, "GetDeviceInformation", "")
	for _, once := range []bool{false, true} {
		q := Quirks{Login: LoginQuirks{NonceOnce: once}}
		second := map[bool]int{false: 200, true: 401}[once]
		d := start(t, c, Options{Auth: AuthBoth, User: "u", Password: "p", Quirks: q})
		header := tokenHeader("u", "p", d.Now())
		for i, want := range []int{200, second} {
			if status, _ := ask(t, d, devicePath, header, body); status != want {
				t.Errorf("once %v: token, time %d: HTTP %d", once, i, status)
			}
		}
		edit := answerDigest(t, d, "u", "p")
		for i, want := range []int{200, second} {
			if status, _ := ask(t, d, devicePath, "", body, edit); status != want {
				t.Errorf("once %v: digest, time %d: HTTP %d", once, i, status)
			}
		}
	}
}

// TestDigestBesideToken: npm onvif 0.8.3 answers a challenge and sends a token
// too; curl --digest sends an empty request to be challenged.
func TestDigestBesideToken(t *testing.T) {
	d := start(t, load(t, "videofavola-cubo"), Options{Auth: AuthDigest, User: "u", Password: "p"})
	body := op(nsDevice, "GetDeviceInformation", "")
	if status, _ := ask(t, d, devicePath, tokenHeader("u", "p", d.Now()), body, answerDigest(t, d, "u", "p")); status != 200 {
		t.Errorf("digest beside a token: HTTP %d", status)
	}
	if status, _ := ask(t, d, devicePath, tokenHeader("u", "p", d.Now()), body, answerDigest(t, d, "u", "wrong")); status != 401 || d.WrongAttempts() != 1 {
		t.Errorf("wrong digest beside a right token: HTTP %d, %d wrong attempts", status, d.WrongAttempts())
	}
	for auth, want := range map[Auth]int{AuthDigest: 401, AuthToken: 400, AuthNone: 400} {
		d := start(t, load(t, "videofavola-cubo"), Options{Auth: auth, User: "u", Password: "p"})
		resp, err := http.Post(d.URL(), "application/soap+xml", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: an empty request: HTTP %d", auth, resp.StatusCode)
		}
	}
}
