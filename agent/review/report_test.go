package review

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages/pagestest"
)

// shopToMend has a recorder whose clock is an hour off and one of whose cameras
// does not record, one that wants a password, and one that has no name.
func shopToMend(t *testing.T) *owner {
	t.Helper()
	o := start(t)
	r := recorder()
	r.Firmware = "V4.30.085"
	r.Channels[1].Schedule = protocol.Schedule{Kind: protocol.ScheduleOff, Fact: r.Channels[1].Schedule.Fact}
	nameless := locked()
	nameless.Vendor, nameless.Model, nameless.Sighting.Endpoint = "", "", "urn:uuid:5f5a69c2-e0ae-504f-829b-00166cff0003"
	nameless.Sighting.Address, nameless.Needs = netip.MustParseAddrPort("192.168.7.12:80"), interrogate.NeedsCertificate
	o.found = []interrogate.Device{r, locked(), nameless}
	if err := o.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	devices := o.known(t).Devices
	i := slices.IndexFunc(devices, func(d inventory.Device) bool { return d.Model == "NVR 8" })
	if err := o.Inventory.SetCredential(t.Context(), devices[i].ID, interrogate.Credential{User: "lettore", Password: "parola-segreta"}); err != nil {
		t.Fatal(err)
	}
	o.signIn(t)
	return o
}

// The report says what there is and what is to be mended, the same as a page and
// as text, and nothing that a technician is not to carry away.
func TestReport(t *testing.T) {
	o := shopToMend(t)
	status, shown, _ := o.send(t, "GET", "/report?lang=it", "")
	var answer struct {
		reportFacts
		Text string `json:"text"`
	}
	if code := o.api(t, "GET", "/report?lang=it", nil, &answer); status != 200 || code != 200 {
		t.Fatal(status, code)
	}
	for _, want := range []string{"Ditta NVR 8", "V4.30.085", "avanti di 58 minuti", "lettore", "Ingresso", "3 giorni", "Altra Dome 2", "utente di sola lettura",
		"il registratore dice che non registra", "ora legale", "certificato diverso"} {
		if plain := strings.ReplaceAll(shown, "&#39;", "'"); !strings.Contains(plain, want) {
			t.Errorf("the page does not say %q", want)
		}
		if !strings.Contains(answer.Text, want) {
			t.Errorf("the text does not say %q:\n%s", want, answer.Text)
		}
	}
	if len(answer.Recorders) != 3 || len(answer.Recorders[0].Cameras)+len(answer.Recorders[1].Cameras)+len(answer.Recorders[2].Cameras) < 2 || len(answer.Mend) < 4 {
		t.Errorf("%+v", answer.reportFacts)
	}
	all, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"192.168.", "SERIALE", "00:16:6c", "parola-segreta", ownerLink} {
		if strings.Contains(shown, secret) || strings.Contains(string(all), secret) {
			t.Errorf("the report holds %q", secret)
		}
	}
	if _, english, _ := o.send(t, "GET", "/report?lang=en", ""); !strings.Contains(english, "ahead by 58 minutes") {
		t.Error("no English")
	}
}

// What the owner has put aside is no business of a technician's.
func TestReportLeavesOutWhatIsPutAside(t *testing.T) {
	o := shopToMend(t)
	all := o.known(t).Cameras
	for _, c := range all {
		if c.Device.Model == "NVR 8" {
			if _, err := o.Inventory.KeepOut(t.Context(), []string{c.ID}, protocol.Approval{By: "Anna"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, shown, _ := o.send(t, "GET", "/report", ""); strings.Contains(shown, "NVR 8") || strings.Contains(shown, "Ingresso") {
		t.Error("it names a recorder of which all is put aside")
	}
}

// The page holds in a wide and in a narrow window, on the screen and as printed.
func TestReportInTheBrowser(t *testing.T) {
	for _, tc := range []window{wide, narrow} {
		t.Run(tc.name, func(t *testing.T) {
			o := shopToMend(t)
			b := o.browser(t, tc.width)
			b.Visit("/report?lang=" + tc.lang)
			b.Check(tc.name + "-report")
			if n := pagestest.Eval[int](b, "document.querySelectorAll('.report section > ul > li').length"); n < 6 {
				t.Errorf("%d lines", n)
			}
			b.Do(onPaper("print"))
			b.Check(tc.name + "-report-printed")
			b.Do(onPaper(""))
			b.Visit("/status")
			b.Press("a[href='/report']")
		})
	}
}

// It takes at most two sheets of A4, also for a recorder with 16 cameras.
func TestReportOnPaper(t *testing.T) {
	o := shopToMend(t)
	r := recorder()
	for i := range 14 {
		c := r.Channels[0]
		c.ID, c.Name = strconv.Itoa(i+3), "Telecamera "+strconv.Itoa(i+3)
		r.Channels = append(r.Channels, c)
	}
	o.found = []interrogate.Device{r, locked()}
	if err := o.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := o.browser(t, 1280)
	b.Visit("/report?lang=it")
	var pdf []byte
	b.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		out, err := cdp.Call(ctx, t, cdppage.PrintToPDF, cdppage.PrintToPDFParams{PaperWidth: 8.27, PaperHeight: 11.69})
		if err == nil {
			pdf = out.Data
		}
		return err
	}))
	if n := sheets(t, pdf); n != "1" && n != "2" {
		t.Errorf("it takes %s sheets", n)
	}
}

// sheets counts the pages of a PDF.
func sheets(t *testing.T, pdf []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.pdf")
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "pdfinfo", file).Output()
	pagestest.Need(t, err == nil, "pdfinfo of poppler-utils is missing: run make deps")
	for line := range strings.Lines(string(out)) {
		if n, ok := strings.CutPrefix(line, "Pages:"); ok {
			return strings.TrimSpace(n)
		}
	}
	return ""
}
