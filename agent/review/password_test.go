package review

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol/pages/pagestest"
)

const secretWord = "parolaSEGRETA77"

// deviceAt is the device of that address.
func (o *owner) deviceAt(t *testing.T, address string) inventory.Device {
	t.Helper()
	all := o.known(t).Devices
	i := slices.IndexFunc(all, func(d inventory.Device) bool { return d.Address == address })
	if i < 0 {
		t.Fatalf("no device at %s", address)
	}
	return all[i]
}

// like is another locked camera of the same make.
func like(n byte, vendor string) interrogate.Device {
	d := locked()
	d.Vendor = vendor
	d.Sighting.Endpoint = "urn:uuid:5f5a69c2-e0ae-504f-829b-00166cff01" + string([]byte{'0' + n/10, '0' + n%10})
	d.Sighting.Address = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 168, 7, 40 + n}), 80)
	return d
}

// give has a password typed on the page, waits for the end of its trial and gives
// the page that the browser then shows.
func (o *owner) give(t *testing.T, in url.Values) (to, text string) {
	t.Helper()
	status, _, header := o.send(t, "POST", "/credentials", in.Encode())
	if status != http.StatusSeeOther {
		t.Fatalf("POST /credentials gives %d", status)
	}
	o.trials.running.Wait()
	_, text, _ = o.send(t, "GET", header.Get("Location"), "")
	if strings.Contains(text, secretWord) {
		t.Error("the password is on the page")
	}
	return header.Get("Location"), strings.ReplaceAll(text, "&#39;", "'")
}

// A password that is typed on the page is tried at once, on that device alone; what
// came of it, and what to do next, is on the next page.
func TestThePasswordIsTriedAtOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		needs interrogate.Needs
		err   error
		want  string
	}{
		"right":       {interrogate.NeedsNothing, nil, "La password è giusta"},
		"wrong":       {interrogate.NeedsWrongPassword, nil, "ha rifiutato la password."},
		"clock":       {interrogate.NeedsPasswordOrClock, nil, "il suo orologio è molto sbagliato"},
		"readable":    {interrogate.NeedsCredentials, nil, "La password non è stata mandata"},
		"certificate": {interrogate.NeedsCertificate, nil, "un certificato diverso"},
		"silent":      {"", ErrSilent, "L'apparecchio non risponde."},
		"broken":      {"", errors.New("disk full"), "La prova non è riuscita"},
	} {
		t.Run(name, func(t *testing.T) {
			o := start(t)
			o.found = append(o.found, locked(), like(1, "Altra"))
			o.Picture = func(context.Context, string, string) ([]byte, error) { return sample(t), nil }
			o.try = func(string, interrogate.Credential) (interrogate.Needs, error) { return tc.needs, tc.err }
			o.signIn(t)
			if err := o.Scan(t.Context()); err != nil {
				t.Fatal(err)
			}
			d := o.deviceAt(t, "192.168.7.11:80")
			to, text := o.give(t, url.Values{"device": {d.ID}, "user": {"anagrafe"}, "password": {secretWord}})
			if !strings.Contains(text, tc.want) || strings.Contains(text, "data:image/jpeg") != (tc.needs == interrogate.NeedsNothing && tc.err == nil) {
				t.Errorf("%s shows %s", to, text)
			}
			if strings.Contains(to, "anagrafe") || len(o.tries) != 1 || o.tries[0] != d.ID {
				t.Errorf("tried on %v, then %s", o.tries, to)
			}
			// Another session has not typed it.
			before := o.client.Jar
			o.client.Jar = jar{}
			o.signIn(t)
			if _, text, _ := o.send(t, "GET", to, ""); strings.Contains(text, "data:image/jpeg") || strings.Contains(text, "ha rifiutato la password.") {
				t.Error("another session sees it")
			}
			o.client.Jar = before
		})
	}
}

// With the tick the same password is tried once on each other locked device of the
// family, after it was right; never where that has refused it, and never elsewhere.
func TestThePasswordForTheOthers(t *testing.T) {
	for name, tc := range map[string]struct {
		tick  string
		needs interrogate.Needs
		want  []string // addresses on which it was tried
	}{
		"not ticked":       {"", interrogate.NeedsNothing, []string{"192.168.7.41:80"}},
		"ticked":           {"yes", interrogate.NeedsNothing, []string{"192.168.7.41:80", "192.168.7.42:80"}},
		"ticked but wrong": {"yes", interrogate.NeedsWrongPassword, []string{"192.168.7.41:80"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := start(t)
			o.found = append(o.found, like(1, "Hikvision"), like(2, "HIKVISION"), like(3, "Hikvision"), like(4, "Dahua"))
			o.signIn(t)
			if err := o.Scan(t.Context()); err != nil {
				t.Fatal(err)
			}
			first, refusing := o.deviceAt(t, "192.168.7.41:80"), o.deviceAt(t, "192.168.7.43:80")
			at, err := o.Inventory.Reach(t.Context(), refusing.ID, "")
			if err != nil {
				t.Fatal(err)
			}
			if err := o.Inventory.Refuse(t.Context(), at.Sighting, interrogate.Credential{User: "anagrafe", Password: secretWord}, interrogate.EveryDoor); err != nil {
				t.Fatal(err)
			}
			o.try = func(string, interrogate.Credential) (interrogate.Needs, error) { return tc.needs, nil }
			if _, text, _ := o.send(t, "GET", "/credentials?device="+first.ID, ""); !strings.Contains(text, "altri 2 apparecchi") || strings.Contains(text, "checked") {
				t.Error("the tick is not offered, or is there beforehand")
			}
			_, text := o.give(t, url.Values{"device": {first.ID}, "user": {"anagrafe"}, "password": {secretWord}, "others": {tc.tick}})
			var tried []string
			for _, id := range o.tries {
				d, err := deviceOf(o.known(t), id)
				if err != nil {
					t.Fatal(err)
				}
				tried = append(tried, d.Address)
			}
			if !slices.Equal(tried, tc.want) || (name == "ticked") != strings.Contains(text, "Ha già rifiutato questa password") {
				t.Errorf("tried on %v: %s", tried, text)
			}
		})
	}
}

// A device without a password shows its pictures after the person has said so on the
// page; a technician sees none at all.
func TestADeviceWithoutAPassword(t *testing.T) {
	o := start(t)
	o.Picture = func(context.Context, string, string) ([]byte, error) { return sample(t), nil }
	o.signIn(t)
	if err := o.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := o.deviceAt(t, "192.168.7.10:80")
	var typed []string
	o.try = func(_ string, c interrogate.Credential) (interrogate.Needs, error) {
		typed = append(typed, c.User+c.Password)
		return interrogate.NeedsNothing, nil
	}
	_, text, _ := o.send(t, "GET", "/credentials?device="+d.ID+"&show="+d.ID, "")
	if strings.Contains(text, "data:image") || !strings.Contains(text, "Non chiede password") {
		t.Errorf("before: %s", text)
	}
	if _, text = o.give(t, url.Values{"device": {d.ID}, "open": {"yes"}}); !strings.Contains(text, "data:image/jpeg") || !slices.Equal(typed, []string{""}) {
		t.Errorf("after, with %q: %s", typed, text)
	}
	o.client.Jar = jar{}
	secret := o.sessions.newLink(roleTechnician, linkLife)
	if status, _, _ := o.send(t, "POST", "/open", "token="+secret); status != http.StatusSeeOther {
		t.Fatalf("the technician's link gives %d", status)
	}
	if _, text = o.give(t, url.Values{"device": {d.ID}, "open": {"yes"}}); strings.Contains(text, "data:image") || !strings.Contains(text, "solo il titolare") {
		t.Errorf("a technician: %s", text)
	}
}

// The message to the technician says what is needed, and nothing that should not be
// in a message.
func TestTheMessageToTheTechnician(t *testing.T) {
	o := start(t)
	o.found = append(o.found, like(1, "Hikvision"))
	if err := o.Inventory.AddGrant(t.Context(), grant().Grant, grant().Collector); err != nil {
		t.Fatal(err)
	}
	o.signIn(t)
	if err := o.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := o.deviceAt(t, "192.168.7.41:80")
	_, text, _ := o.send(t, "GET", "/credentials?device="+d.ID, "")
	_, rest, _ := strings.Cut(text, `href="mailto:?`)
	mail, _, _ := strings.Cut(rest, `"`)
	said, err := url.ParseQuery(strings.ReplaceAll(mail, "&amp;", "&"))
	if err != nil || strings.Contains(mail, "+") {
		t.Fatalf("%s: %v", mail, err)
	}
	body := said.Get("body")
	for _, want := range []string{"Bar Centrale", "Hikvision Dome 2", "1. ", "«Operatore»", "dimmela a voce"} {
		if !strings.Contains(body, want) {
			t.Errorf("the message lacks %q: %s", want, body)
		}
	}
	if strings.Contains(body, "192.168") || !strings.Contains(text, "<textarea") || !strings.Contains(text, "/byhand?device="+d.ID) || !strings.Contains(text, `href="/helper"`) {
		t.Errorf("the ways to go on: %s", text)
	}
}

// The page of the password, in each state, by keyboard alone, and without JavaScript.
func TestThePasswordInTheBrowser(t *testing.T) {
	for _, tc := range []window{wide, narrow} {
		t.Run(tc.name, func(t *testing.T) {
			o := start(t)
			o.found = append(o.found, locked(), like(1, "Altra"), like(2, "Altra"))
			o.Picture = func(context.Context, string, string) ([]byte, error) { return sample(t), nil }
			o.trialPause = "3600" // a page that is looked at stays
			answer, hold := interrogate.NeedsWrongPassword, make(chan struct{})
			o.try = func(string, interrogate.Credential) (interrogate.Needs, error) {
				select {
				case <-hold:
				case <-t.Context().Done():
				}
				return answer, nil
			}
			if err := o.Scan(t.Context()); err != nil {
				t.Fatal(err)
			}
			d := o.deviceAt(t, "192.168.7.11:80")
			b := o.browser(t, tc.width)
			check := func(name string) { t.Helper(); b.Check(tc.name + "-password-" + name) }
			b.Visit("/?lang=" + tc.lang)
			b.Visit("/credentials?device=" + d.ID)
			check("1-form")
			b.Press("main form.panel button")
			check("2-refused")
			b.Fill("#user", "anagrafe")
			b.Fill("#password", secretWord)
			b.Press("main form.panel button")
			check("3-trying")
			close(hold)
			o.trials.running.Wait()
			b.Visit("/credentials?device=" + d.ID)
			check("4-wrong")

			answer = interrogate.NeedsNothing
			off(b, tc == narrow)
			b.Reach("#user")
			b.Keys("anagrafe")
			b.Reach("#password")
			b.Keys(secretWord)
			b.Reach("#others")
			b.Keys(" ")
			b.Reach("main form.panel button")
			b.Follow("\r")
			o.trials.running.Wait()
			b.Visit("/credentials?device=" + d.ID + "&show=" + d.ID)
			if pagestest.Eval[int](b, "document.querySelector('.still img').naturalWidth") != 320 {
				t.Error("the picture is not shown")
			}
			b.Visit("/credentials?device=" + d.ID)
			if pagestest.Eval[bool](b, "!!document.querySelector('.still img')") {
				t.Error("a picture nobody asked for")
			}
			b.Reach(".still button")
			if tc == narrow { // a new page, with the picture
				b.Follow("\r")
			} else { // the part alone
				b.Keys("\r")
				b.Until("document.querySelector('.still img')?.naturalWidth == 320")
				if pagestest.Eval[string](b, "document.activeElement.id") != "show-"+d.ID {
					t.Error("the button has lost the focus")
				}
			}
			if pagestest.Eval[int](b, "document.querySelector('.still img').naturalWidth") != 320 {
				t.Error("the picture is not shown on a click")
			}
			off(b, false) // axe is a script too
			b.Visit("/credentials?device=" + d.ID + "&show=" + d.ID)
			check("5-proof")
			b.Visit("/credentials?device=" + o.deviceAt(t, "192.168.7.10:80").ID)
			check("6-open")
		})
	}
}

// off switches JavaScript off, or on.
func off(b *pagestest.Tab, yes bool) {
	b.Do(func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: yes})
		return chromedp.Void{}, err
	})
}
