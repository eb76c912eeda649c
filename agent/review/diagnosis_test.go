package review

import (
	"net/url"
	"strings"
	"testing"

	"anagrafe/protocol"
	"anagrafe/protocol/pages/pagestest"
)

// TestDiagnosis: what is sent is what was shown, by a press of the button alone.
func TestDiagnosis(t *testing.T) {
	o := shopToMend(t)
	devices := o.known(t).Devices
	var shown struct{ Text string }
	if code := o.api(t, "GET", "/diagnosis?lang=it", nil, &shown); code != 200 {
		t.Fatal(code)
	}
	for _, want := range []string{"Ditta NVR 8", "V4.30.085", "Canali: 2", "Altra Dome 2, firmware non noto, "} {
		if !strings.Contains(shown.Text, want) {
			t.Errorf("it does not say %q:\n%s", want, shown.Text)
		}
	}
	for _, secret := range []string{"192.168", "Ingresso", "Cortile", "parola-segreta", "lettore"} {
		if strings.Contains(shown.Text, secret) {
			t.Errorf("it says %q:\n%s", secret, shown.Text)
		}
	}
	if got := redact("a\n- GetSystemDateAndTime: dial tcp 192.168.7.12:80\n- urn:uuid:5f5a69c2-e0ae-504f-829b-00166cff0003\nb\u202e", devices); got != "a\n- …\n- …\nb" {
		t.Errorf("%q", got)
	}
	diagnoses := func() (all []string) {
		sent, err := o.Inventory.Outbox(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range sent {
			if d, ok := s.Message.Body.(protocol.Diagnosis); ok {
				all = append(all, d.Approval.By+": "+d.Text)
			}
		}
		return all
	}
	if code, page, _ := o.send(t, "GET", "/diagnosis?lang=it", ""); code != 200 || !strings.Contains(page, "Ditta NVR 8") || len(diagnoses()) != 0 {
		t.Errorf("%d, %d sent", code, len(diagnoses()))
	}
	if code, _, _ := o.send(t, "POST", "/diagnosis?lang=it", url.Values{"text": {shown.Text}, "by": {"Anna"}}.Encode()); code == 303 {
		t.Error("it leaves before there is a register")
	}
	if err := o.Inventory.AddGrant(t.Context(), grant().Grant, grant().Collector); err != nil {
		t.Fatal(err)
	}
	if code, page, _ := o.send(t, "POST", "/diagnosis?lang=it", url.Values{"text": {"another"}, "by": {"Anna"}}.Encode()); code != 422 || !strings.Contains(page, "rileggi") || len(diagnoses()) != 0 {
		t.Errorf("another text: %d, %d sent", code, len(diagnoses()))
	}
	if code, _, to := o.send(t, "POST", "/diagnosis?lang=it",
		url.Values{"text": {strings.ReplaceAll(shown.Text, "\n", "\r\n")}, "by": {"Anna"}}.Encode()); code != 303 || !strings.HasPrefix(to.Get("Location"), "/outbox") {
		t.Errorf("%d %s", code, to)
	}
	if got := diagnoses(); len(got) != 1 || got[0] != "Anna: "+shown.Text {
		t.Errorf("%q", got)
	}
	if code, page, _ := o.send(t, "GET", "/outbox?lang=it", ""); code != 200 || !strings.Contains(page, "Ditta NVR 8") {
		t.Errorf("the outbox does not show it: %d", code)
	}
}

// The page of the diagnosis as an owner sees it, before there is a register, with what
// was left out, and sent.
func TestDiagnosisInABrowser(t *testing.T) {
	for _, tc := range []window{wide, narrow} {
		t.Run(tc.name, func(t *testing.T) {
			o := shopToMend(t)
			b := o.browser(t, tc.width)
			b.Visit("/diagnosis?lang=" + tc.lang)
			b.Check(tc.name + "-diagnosis-no-register")
			if err := o.Inventory.AddGrant(t.Context(), grant().Grant, grant().Collector); err != nil {
				t.Fatal(err)
			}
			b.Visit("/diagnosis")
			b.Check(tc.name + "-diagnosis")
			b.Press("main form.act button")
			b.Check(tc.name + "-diagnosis-unsigned")
			b.Fill("#by", "Anna Bianchi")
			b.Press("main form.act button")
			if at := pagestest.Eval[string](b, "location.pathname"); at != "/outbox" {
				t.Errorf("sent, and at %s", at)
			}
		})
	}
}

// TestLetter: the office's words are shown as a notice of their own kind.
func TestLetter(t *testing.T) {
	o := start(t)
	if err := o.Inventory.AddGrant(t.Context(), grant().Grant, grant().Collector); err != nil {
		t.Fatal(err)
	}
	grants := o.known(t).Sites
	if len(grants) != 1 {
		t.Fatal(grants)
	}
	n := protocol.Notice{ID: "0d5b1c4e-3a57-4b0e-9d4f-6a1de2a7cc01", SiteID: grants[0].SiteID, At: grants[0].From, Body: protocol.Letter{Text: "Buongiorno,\nl'orologio è avanti di un'ora."}}
	if err := o.Inventory.KeepNotice(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	o.signIn(t)
	code, page, _ := o.send(t, "GET", "/notices/"+n.ID+"?lang=it", "")
	if plain := strings.ReplaceAll(page, "&#39;", "'"); code != 200 || !strings.Contains(plain, "l'orologio è avanti di un'ora.") || !strings.Contains(plain, "Messaggio dell'ufficio") {
		t.Errorf("%d\n%s", code, page)
	}
	if got, err := o.Inventory.Notice(t.Context(), n.ID); err != nil || got.Kind != protocol.NoticeLetter {
		t.Errorf("%+v %v", got, err)
	}
}
