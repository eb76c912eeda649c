package pagestest_test

import (
	"strings"
	"testing"

	"anagrafe/protocol/pages/pagestest"
)

// make and use ask the browser for a passkey, without any server: what matters
// here is what the device answers.
const (
	makePasskey = `navigator.credentials.create({publicKey: {rp: {name: "Prova"}, user: {id: new Uint8Array([7]), name: "u", displayName: "U"},
		challenge: new Uint8Array(16), pubKeyCredParams: [{type: "public-key", alg: -7}],
		authenticatorSelection: {residentKey: "required", userVerification: "required"}}}).then(c => c.id, e => e.name)`
	usePasskey = `navigator.credentials.get({publicKey: {challenge: new Uint8Array(16), userVerification: "required"}}).then(c => c.id, e => e.name)`
)

func TestAuthenticator(t *testing.T) {
	b := pagestest.Open(t, strings.Replace(site(t).URL, "127.0.0.1", "localhost", 1), 390, 700)
	b.Visit("/sound")
	a := b.Authenticator()
	id := pagestest.Eval[string](b, makePasskey)
	kept := a.Passkeys()
	if len(kept) != 1 || string(kept[0].UserHandle) != "\x07" || !kept[0].IsResidentCredential {
		t.Fatalf("made %q, kept %+v", id, kept)
	}
	if got := pagestest.Eval[string](b, usePasskey); got != id {
		t.Errorf("used %q, made %q", got, id)
	}
	a.Keep(kept[0])
	if now := a.Passkeys(); len(now) != 1 || now[0].SignCount != kept[0].SignCount {
		t.Errorf("the copy counts otherwise than the original: %+v", now)
	}
	a.Unverified()
	if got := pagestest.Eval[string](b, usePasskey); got != "NotAllowedError" {
		t.Errorf("used by somebody else: %q", got)
	}
	a.Unplug()
	if second := b.Authenticator(); len(second.Passkeys()) != 0 {
		t.Error("a new device keeps passkeys of another")
	}
}
