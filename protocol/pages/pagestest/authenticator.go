package pagestest

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// Authenticator is a device that keeps passkeys, like a phone or a computer with
// a fingerprint reader: the tab's browser takes it for a real one. It says yes to
// whatever it is asked, and verifies its user, until Unverified.
//
// WebAuthn wants a host name: pages at http://127.0.0.1 have no passkeys, those
// at http://localhost do.
type Authenticator struct {
	tab *Tab
	id  webauthn.AuthenticatorID
}

// Authenticator gives the tab's browser a new and empty device for passkeys.
func (b *Tab) Authenticator() *Authenticator {
	b.t.Helper()
	call(b, webauthn.Enable, webauthn.EnableParams{})
	added := call(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Ctap2version: webauthn.Ctap2versionCtap21, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}})
	return &Authenticator{b, added.AuthenticatorID}
}

// Passkeys are those that the device keeps now.
func (a *Authenticator) Passkeys() []*webauthn.Credential {
	a.tab.t.Helper()
	return call(a.tab, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: a.id}).Credentials
}

// Keep puts a passkey on the device, e.g. one copied from another, in the place of
// all that it keeps.
func (a *Authenticator) Keep(p *webauthn.Credential) {
	a.tab.t.Helper()
	call(a.tab, webauthn.ClearCredentials, webauthn.ClearCredentialsParams{AuthenticatorID: a.id})
	call(a.tab, addCredential, addCredentialParams{a.id, kept{p.CredentialID, p.IsResidentCredential, p.RpID, p.PrivateKey,
		p.UserHandle, p.SignCount, p.BackupEligibility, p.BackupState, p.UserName, p.UserDisplayName}})
}

// addCredential is webauthn.AddCredential without a newer field that cdproto always
// sends, and that chromium refuses on a device of this kind.
var addCredential = cdp.Command[addCredentialParams, cdp.Empty]{Method: webauthn.CommandAddCredential}

type addCredentialParams struct {
	AuthenticatorID webauthn.AuthenticatorID `json:"authenticatorId"`
	Credential      kept                     `json:"credential"`
}

type kept struct {
	CredentialID         []byte  `json:"credentialId"`
	IsResidentCredential bool    `json:"isResidentCredential"`
	RpID                 string  `json:"rpId"`
	PrivateKey           []byte  `json:"privateKey"`
	UserHandle           []byte  `json:"userHandle"`
	SignCount            float64 `json:"signCount"`
	BackupEligibility    bool    `json:"backupEligibility"`
	BackupState          bool    `json:"backupState"`
	UserName             string  `json:"userName,omitempty"`
	UserDisplayName      string  `json:"userDisplayName,omitempty"`
}

// Unverified has the device no longer recognise its user: no finger fits.
func (a *Authenticator) Unverified() {
	a.tab.t.Helper()
	call(a.tab, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: a.id, IsUserVerified: false})
}

// Unplug takes the device away, with what it keeps.
func (a *Authenticator) Unplug() {
	a.tab.t.Helper()
	call(a.tab, webauthn.RemoveVirtualAuthenticator, webauthn.RemoveVirtualAuthenticatorParams{AuthenticatorID: a.id})
}

// call sends one command of the DevTools protocol to the tab.
func call[P, R any](b *Tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	result, err := chromedp.Run(b.ctx, func(ctx context.Context, _ *chromedp.Target) (R, error) {
		return chromedp.Call(ctx, command, params)
	})
	if err != nil {
		b.t.Fatalf("%s: %v", command.Method, err)
	}
	return result
}
