package review

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

func TestFamilyOf(t *testing.T) {
	for vendor, want := range map[string]interrogate.Family{
		"HIKVISION": interrogate.Hikvision, "Hikvision Digital Technology": interrogate.Hikvision, "HiWatch": interrogate.Hikvision,
		"Dahua": interrogate.Dahua, "AXIS": interrogate.Axis, "Axis Communications AB": interrogate.Axis, "Praxis": "",
		"UNIVIEW": interrogate.Uniview, "UNV": interrogate.Uniview, "Synology Inc.": interrogate.Synology, "Reolink": interrogate.Reolink,
		"Ubiquiti Networks": interrogate.UniFi, "Hanwha Techwin": interrogate.Hanwha, "Wisenet": interrogate.Hanwha, "Wisenet WAVE": interrogate.Nx,
		"Network Optix": interrogate.Nx, "Frigate": interrogate.Frigate, "ZoneMinder": interrogate.ZoneMinder, "MediaMTX": interrogate.MediaMTX,
		"Ditta": "", "": "", "\xff\x00": "",
	} {
		if got := familyOf(inventory.Device{Vendor: vendor}); got != want {
			t.Errorf("%q is %q, want %q", vendor, got, want)
		}
		if got := familyOf(inventory.Device{Vendor: vendor, Family: interrogate.Nx}); got != interrogate.Nx {
			t.Errorf("%q: what answered is not believed, but %q", vendor, got)
		}
	}
}

func TestDepthWords(t *testing.T) {
	o := start(t)
	for _, tc := range []struct {
		hours  float64
		trend  inventory.Trend
		it, en string
	}{
		{147, inventory.TrendShrinking, "circa 6 giorni, in diminuzione", "about 6 days, shrinking"},
		{49, inventory.TrendGrowing, "circa 2 giorni, in aumento", "about 2 days, growing"},
		{47, inventory.TrendSteady, "circa 47 ore, stabile", "about 47 hours, steady"},
		{1, inventory.TrendUnknown, "circa 1 ora", "about 1 hour"},
		{0.5, inventory.TrendUnknown, "meno di un'ora", "less than an hour"},
		{0, inventory.TrendShrinking, "meno di un'ora, in diminuzione", "less than an hour, shrinking"},
	} {
		d := inventory.Depth{About: time.Duration(tc.hours * float64(time.Hour)), Trend: tc.trend}
		if it, en := depthWords(o.pages.Words(pages.It), d), depthWords(o.pages.Words(pages.En), d); it != tc.it || en != tc.en {
			t.Errorf("%v: %q, %q; want %q, %q", d.About, it, en, tc.it, tc.en)
		}
	}
}

// weekly is a recorder whose own interface is read, and whose footage reaches
// less and less far back.
func weekly(t *testing.T, o *owner) interrogate.Device {
	t.Helper()
	now := time.Now().UTC()
	d := recorder()
	said := func(from, raw string) interrogate.Fact {
		return interrogate.Fact{Fact: protocol.Fact{Source: protocol.Measured, At: now}, From: from, Raw: raw}
	}
	d.Family, d.Kept, d.Zone = interrogate.Hikvision, interrogate.KeptDisk, "Europe/Rome"
	d.Facts = map[string]interrogate.Fact{"clock": said("GET /ISAPI/System/time", "2026-11-21T13:58:00+01:00"), "kept": said("GET /ISAPI/ContentMgmt/Storage", "hdd 1 SATA ok")}
	d.Channels[0].Facts = map[string]interrogate.Fact{
		"name":      said("GET /ISAPI/ContentMgmt/InputProxy/channels", "Ingresso"),
		"schedule":  said("GET /ISAPI/ContentMgmt/record/tracks", "Monday 00:00:00 <MOTION>"),
		"retention": said("GET /ISAPI/ContentMgmt/record/tracks", "P3DT0H"),
		"oldest":    said("POST /ISAPI/ContentMgmt/search", "2026-11-18T15:02:11Z"),
	}
	for i := range 9 {
		at := now.AddDate(0, 0, i-8)
		look := d
		look.Channels = append([]interrogate.Channel{}, d.Channels...)
		look.Channels[0].Retention.OldestFootage = at.Add(-time.Duration(240-12*i) * time.Hour)
		look.Channels[0].Retention.ObservedAt = at
		if err := o.Inventory.Record(t.Context(), []interrogate.Device{look}, at); err != nil {
			t.Fatal(err)
		}
		d.Channels[0].Retention.OldestFootage = at.Add(-time.Duration(240-12*i) * time.Hour)
	}
	return d
}

// The camera's page shows what the recorder said, in words and in its own, and
// how far back its footage was seen to reach.
func TestWhatTheRecorderSays(t *testing.T) {
	o := start(t)
	o.signIn(t)
	weekly(t, o)
	var all listed
	o.api(t, "GET", "/cameras", nil, &all)
	_, page, _ := o.send(t, "GET", "/cameras/"+all.Cameras[0].ID+"?lang=it", "")
	for _, want := range []string{"come lo dice il registratore", "letto dal registratore il ", "Monday 00:00:00 &lt;MOTION&gt;", "GET /ISAPI/ContentMgmt/record/tracks",
		"P3DT0H", "2026-11-18T15:02:11Z", "2026-11-21T13:58:00&#43;01:00", "il registratore dice: disco interno", "hdd 1 SATA ok",
		"circa 6 giorni, in diminuzione", "osservato, fino al ", "avanti di 58 minuti", "/save?camera=" + all.Cameras[0].ID} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	_, page, _ = o.send(t, "GET", "/cameras/"+all.Cameras[0].ID+"?lang=en", "")
	for _, want := range []string{"how the recorder says it", "about 6 days, shrinking", "observed, up to "} {
		if !strings.Contains(page, want) {
			t.Errorf("the English page does not say %q", want)
		}
	}
}

// Where the recorder has changed its week or what it keeps, the owner sees both
// and is asked nothing; the calm page stays calm. A changed name waits for a yes.
func TestWhatDiffersIsShown(t *testing.T) {
	o := start(t)
	o.signIn(t)
	d := weekly(t, o)
	id := o.ready(t)
	o.api(t, "POST", "/approve", map[string]any{"ids": []string{id}, "by": "Anna Neri"}, nil)
	_, page, _ := o.send(t, "GET", "/cameras/"+id+"?lang=it", "")
	if strings.Contains(page, "Il registratore adesso dice altro") {
		t.Error("something differs that is as it was declared")
	}
	d.Channels[0].Schedule.Mode = protocol.Continuous
	d.Channels[0].Retention.Age = 24 * time.Hour
	if err := o.Inventory.Record(t.Context(), []interrogate.Device{d}, time.Now()); err != nil {
		t.Fatal(err)
	}
	_, page, _ = o.send(t, "GET", "/cameras/"+id+"?lang=it", "")
	day := o.pages.Words(pages.It).Day(time.Now())
	for _, want := range []string{
		"dichiarato: sempre, solo se qualcosa si muove; letto il " + day + ": sempre, in continuo",
		"dichiarato: 3 giorni; letto il " + day + ": 1 giorno", "Le Forze dell&#39;Ordine vedono quello che è stato letto",
		"<dd>sempre, in continuo <span class=\"muted\">(letto dall&#39;apparecchio il " + day + ")"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, "Modifiche da confermare") {
		t.Error("the owner is asked about what leaves by itself")
	}
	if _, home, _ := o.send(t, "GET", "/?lang=it", ""); strings.Contains(home, "Hai cambiato i dati") || strings.Contains(home, "Modifiche da confermare") {
		t.Error("the home page asks for a yes")
	}
	d.Channels[0].Name = "Vetrina"
	if err := o.Inventory.Record(t.Context(), []interrogate.Device{d}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, home, _ := o.send(t, "GET", "/?lang=it", ""); !strings.Contains(home, "Modifiche da confermare") {
		t.Error("a changed name does not wait for a yes")
	}
}

// The password's form says which account is enough, and never claims to know
// the menus of a device whose maker is not known.
func TestWhichAccount(t *testing.T) {
	for _, tc := range []struct {
		device interrogate.Device
		want   string
		own    bool
	}{
		{func() interrogate.Device { d := locked(); d.Vendor = "HIKVISION"; return d }(), "Log Search", true},
		{func() interrogate.Device { d := locked(); d.Family = interrogate.ZoneMinder; return d }(), "API Enabled", true},
		{locked(), "utenti ONVIF", false},
	} {
		o := start(t)
		o.signIn(t)
		o.found = append(o.found[:0], tc.device)
		<-o.start()
		var all listed
		o.api(t, "GET", "/cameras", nil, &all)
		for _, send := range []func() string{
			func() string { _, p, _ := o.send(t, "GET", "/credentials?device="+all.Devices[0].ID, ""); return p },
			func() string { _, p, _ := o.send(t, "POST", "/credentials", "device="+all.Devices[0].ID); return p }, // refused
		} {
			page := send()
			if !strings.Contains(page, tc.want) || !strings.Contains(page, "Quale utente creare") {
				t.Errorf("%s: without %q", tc.device.Vendor, tc.want)
			}
			if unsure := strings.Contains(page, "Non conosciamo ancora la marca"); unsure == tc.own {
				t.Errorf("%s: says that its maker is unknown: %t", tc.device.Vendor, unsure)
			}
		}
	}
}

// Where images are is the owner's word, with the recorder's beside the question;
// it is shown before it leaves, and in what left.
func TestWhereImagesAre(t *testing.T) {
	o := start(t)
	o.signIn(t)
	weekly(t, o)
	var all listed
	o.api(t, "GET", "/cameras", nil, &all)
	id := all.Cameras[0].ID
	post := func(form string) int {
		status, _, _ := o.send(t, "POST", "/cameras/"+id, form)
		return status
	}
	if _, page, _ := o.send(t, "GET", "/cameras/"+id, ""); !strings.Contains(page, "Il registratore dice: disco interno.") || strings.Contains(page, "selected>qui, in questo posto") {
		t.Error("the recorder's word is not beside the question, or is taken for the answer")
	}
	if status := post("outdoor_public=yes&position=45.46%2C+9.19&storage=on-premises&storage_note=nel+retro"); status != http.StatusSeeOther {
		t.Fatalf("%d", status)
	}
	o.api(t, "POST", "/contact", contactIn{Contact: protocol.Contact{Name: "Anna Neri", Role: "owner", Phone: "+39 02 5550 0100"}}, nil)
	o.api(t, "POST", "/enrol", map[string]string{"code": "GIUSTO"}, nil)
	_, summary, _ := o.send(t, "GET", "/approve", "")
	o.api(t, "POST", "/approve", map[string]any{"ids": []string{id}, "by": "Anna Neri"}, nil)
	_, sent, _ := o.send(t, "GET", "/outbox", "")
	to := time.Now().Add(-time.Hour)
	_, save, _ := o.send(t, "GET", "/save?camera="+id+"&from="+url.QueryEscape(to.Add(-time.Minute).Format(time.RFC3339))+"&to="+url.QueryEscape(to.Format(time.RFC3339)), "")
	for name, page := range map[string]string{"summary": summary, "outbox": sent, "save": save} {
		if !strings.Contains(page, "qui, in questo posto: nel retro") {
			t.Errorf("%s does not say where images are", name)
		}
	}
	if status := post("storage=cantina"); status != http.StatusUnprocessableEntity {
		t.Errorf("a place that there is not: %d", status)
	}
	post("outdoor_public=yes") // a form without the question leaves it as it was
	o.api(t, "GET", "/cameras", nil, &all)
	if d := all.Cameras[0].Device; d.Storage != protocol.StorageOnPremises || d.StorageNote != "nel retro" {
		t.Errorf("%q, %q", d.Storage, d.StorageNote)
	}
	post("outdoor_public=yes&storage=&storage_note=x")
	var after listed
	o.api(t, "GET", "/cameras", nil, &after)
	if d := after.Cameras[0].Device; d.Storage != "" || d.StorageNote != "" {
		t.Errorf("\"I do not know\" leaves %q, %q", d.Storage, d.StorageNote)
	}
}
