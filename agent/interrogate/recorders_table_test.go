package interrogate

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"anagrafe/agent/discover/cameratest"
)

// writtenRecorders are the hand-written recorders, one a family and more.
var writtenRecorders = []struct {
	family Family
	folder string
	login  bool   // by a message of its own
	token  string // what its session is called in an address
}{
	{Hikvision, "merceria-hikvision", false, ""}, {Hikvision, "vetrina-hikvision", false, ""},
	{Dahua, "merceria-dahua", false, ""}, {Dahua, "vetrina-dahua", false, ""},
	{Axis, "ferramenta-axis", false, ""}, {Uniview, "panetteria-uniview", false, ""},
	{Synology, "bottegabrera-synology", true, "_sid"}, {Reolink, "galleriaisola-reolink", true, "token"},
	{UniFi, "corteticinese-unifi", true, ""}, {Hanwha, "libreria-hanwha", false, ""},
	{Nx, "cartoleria-nx", true, ""}, {Frigate, "officina-frigate", true, ""},
	{ZoneMinder, "bottega-zoneminder", true, "token"}, {MediaMTX, "loggia-mediamtx", false, ""},
}

// TestRecordersWrongPassword: over two looks a device sees one wrong password, which
// is nowhere in what is told.
func TestRecordersWrongPassword(t *testing.T) {
	for _, r := range writtenRecorders {
		t.Run(r.folder, func(t *testing.T) {
			t.Parallel()
			d := start(t, loadRecorder(t, r.folder), cameratest.Options{})
			m := owner(d)
			m.given.Password = "SENTINEL-WRONG"
			for range 2 {
				got := asker(t, m).Ask(t.Context(), named(d))
				if got.Needs != NeedsWrongPassword || got.Family != r.family || len(got.Channels) != 0 || len(ownProblems(got)) == 0 {
					t.Errorf("needs %q, family %q, %d channels, problems %v", got.Needs, got.Family, len(got.Channels), got.Errors)
				}
				if v, told := map[Family]string{Nx: "DW Spectrum", Frigate: "Frigate"}[r.family]; told && got.Vendor != v {
					t.Errorf("vendor %q, want %q, which it tells everybody", got.Vendor, v)
				}
				holdsNone(t, got, "SENTINEL-WRONG")
			}
			for _, asked := range d.Requests() {
				own := strings.HasPrefix(asked.Path, "/ISAPI/") || strings.HasPrefix(asked.Path, "/cgi-bin/")
				if own && asked.Path != isapiDevice && asked.Path != dahuaBox && asked.Path != reolinkPath {
					t.Errorf("although it had refused it was asked %s", asked.Path)
				}
			}
			if opened, _ := d.Sessions(); opened != 0 || d.WrongAttempts() != 1 || logins(d) > 1 {
				t.Errorf("%d sessions, %d wrong passwords, %d logins; want one attempt in two looks", opened, d.WrongAttempts(), logins(d))
			}
		})
	}
}

// TestRecordersWithoutPassword: without one the device is known for what it is, and
// nothing of it is.
func TestRecordersWithoutPassword(t *testing.T) {
	for _, r := range writtenRecorders {
		t.Run(r.folder, func(t *testing.T) {
			t.Parallel()
			d := start(t, loadRecorder(t, r.folder), cameratest.Options{})
			got := asker(t, nil).Ask(t.Context(), named(d))
			if got.Family != r.family || got.Needs != NeedsCredentials || len(got.Channels) != 0 || logins(d) != 0 {
				t.Errorf("family %q, needs %q, %d channels, %d logins", got.Family, got.Needs, len(got.Channels), logins(d))
			}
		})
	}
}

// TestRecordersSecretsStay: over HTTP and TLS no password and no session's token is in
// what was read or logged, none is in an address but where the family wants its token
// there, and what was opened is closed.
func TestRecordersSecretsStay(t *testing.T) {
	for _, r := range writtenRecorders {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s secure %v", r.folder, secure), func(t *testing.T) {
				t.Parallel()
				d := start(t, loadRecorder(t, r.folder), cameratest.Options{HTTPS: secure})
				var log bytes.Buffer
				m := owner(d)
				a := askerWith(t, m, &log)
				a.edges = 0
				got := a.Ask(t.Context(), named(d))
				closedAfter(t, d)
				if opened, _ := d.Sessions(); opened == 0 && r.login {
					t.Error("no session was opened")
				}
				if got.Family != r.family || got.Needs != NeedsNothing || !got.Answered || len(got.Channels) == 0 {
					t.Errorf("family %q, needs %q, %d channels, problems %v", got.Family, got.Needs, len(got.Channels), got.Errors)
				}
				secrets := []string{"SENTINEL-SECRET", "SENTINEL-P", "SENTINEL-STREAM", m.given.Password}
				for _, asked := range d.Requests() {
					if query, err := url.ParseQuery(asked.Query); err == nil && r.token != "" && query.Get(r.token) != "" {
						secrets = append(secrets, query.Get(r.token))
					}
					if strings.Contains(asked.Query, url.QueryEscape(m.given.Password)) {
						t.Errorf("the password stood in the address %s", asked.Path)
					}
				}
				if r.token != "" && len(secrets) < 5 {
					t.Fatal("no token was seen in an address")
				}
				holdsNone(t, got, secrets...)
				for _, s := range secrets {
					if strings.Contains(log.String(), s) {
						t.Errorf("%q was logged", s)
					}
				}
			})
		}
	}
}

// TestRecordersNobodyElse: each family surely knows its own recorders, and takes no
// other device for surely its own.
func TestRecordersNobodyElse(t *testing.T) {
	var all []*cameratest.Conversation
	for _, dir := range []string{writtenCameras, recordersDir} {
		more, err := cameratest.LoadDirs(dir)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, more...)
	}
	own := map[string]Family{}
	for _, r := range writtenRecorders {
		own[r.folder] = r.family
	}
	for _, c := range all {
		s := serveWeb(t, start(t, c, cameratest.Options{}).ServeHTTP)
		for _, f := range families {
			got := f.driver.recognise(t.Context(), webTo(t, s, &memory{}))
			if (got == known) != (own[c.Name] == f.name) {
				t.Errorf("%s as %s: %d", c.Name, f.name, got)
			}
		}
	}
}
