package interrogate

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

// FuzzAnswer reads any bytes as every kind of answer and makes a device of
// them: no panic, and nothing that a message could not carry.
// It is long because it is one table.
func FuzzAnswer(f *testing.F) {
	wanted := regexp.MustCompile(`(?i)(get(systemdateandtime|profiles|recordings|recordingjobs|recordingsummary|recordingsearchresults|schedules|osds|mediaosds|geolocation|storageconfigurations|scopes|networkinterfaces)|fault).*\.xml$`)
	shared := os.Getenv("ANAGRAFE_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	for _, dir := range []string{filepath.Join(shared, "devices"), writtenCameras} {
		_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() && wanted.MatchString(strings.ReplaceAll(e.Name(), "_", "")) {
				if b, err := os.ReadFile(path); err == nil && len(b) < 16<<10 {
					f.Add(b)
				}
			}
			return nil
		})
	}
	f.Add([]byte(envelopeWith(`<tds:GetSystemDateAndTimeResponse/>`)))
	f.Add([]byte(`<Envelope><Body><Fault><faultcode>x</faultcode></Fault></Body></Envelope>`))
	f.Add([]byte(`<e:Envelope><e:Body><undeclared:GetRecordingsResponse><a:RecordingItem>`))
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

	f.Fuzz(func(t *testing.T, b []byte) {
		d := Device{Clock: &protocol.Clock{}}
		r := readings{archive: archive{states: map[string]string{}, details: map[string]recordingDetails{}}}
		if a, _, err := readAnswer[systemDateAndTime]("GetSystemDateAndTime", b); err == nil {
			if at, method, err := readTime(a, now); err == nil {
				d.Clock = clockOf([]reading{{at: at, method: method, timing: timing{now, now}}})
				clockFault(d.Clock, readZone(a, now), method, a)
			}
			d.Zone = readZone(a, now)
		}
		a, flt, _ := readAnswer[profiles]("GetProfiles", b)
		r.addProfiles(a)
		r.addProfiles(a)
		if flt != nil {
			_, _ = flt.refused(), (&redactor{}).words(flt.words())
		}
		r.recordings, _, _ = readAnswer[recordings]("GetRecordings", b)
		if jobs, _, err := readAnswer[recordingJobs]("GetRecordingJobs", b); err == nil {
			r.jobs = jobs.Items
		}
		r.summary, _, _ = readAnswer[recordingSummary]("GetRecordingSummary", b)
		if info, _, err := readAnswer[recordingInformation]("GetRecordingInformation", b); err == nil {
			r.learn(info.Recording.Token, info.Recording)
		}
		if found, _, err := readAnswer[searchResults]("GetRecordingSearchResults", b); err == nil {
			for _, d := range found.Items {
				r.learn(d.Token, d)
			}
		}
		r.texts, _, _ = readAnswer[osds]("GetOSDs", b)
		r.receivers, _, _ = readAnswer[receivers]("GetReceivers", b)
		if s, _, err := readAnswer[schedules]("GetSchedules", b); err == nil {
			r.weeks = map[string]week{}
			for _, item := range s.Items {
				if w, err := readWeek(item); err == nil {
					r.weeks[item.Token] = w
				}
			}
		}
		if g, _, err := readAnswer[geoLocation]("GetGeoLocation", b); err == nil {
			readPlace(g)
		}
		if g, _, err := readAnswer[storages]("GetStorageConfigurations", b); err == nil {
			readKept(g)
		}
		if s, _, err := readAnswer[scopes]("GetScopes", b); err == nil {
			readScopes(s.Items)
		}
		if n, _, err := readAnswer[networkInterfaces]("GetNetworkInterfaces", b); err == nil {
			readMACs(n.MACs)
		}
		channels, _ := r.channels(&d, now)
		if len(channels) > maxChannels {
			t.Errorf("%d channels", len(channels))
		}
		for _, c := range channels {
			if len([]rune(c.Name)) > maxText || c.Retention.OldestFootage.After(c.Retention.ObservedAt) || c.Retention.Age < 0 {
				t.Errorf("channel %+v", c)
			}
		}
	})
}
