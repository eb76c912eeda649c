package interrogate

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/protocol"
)

// readAxisParams reads the lines of param.cgi, "root.Time.SyncSource=NTP", by name
// without "root.". Lines that begin with "#" say what this user may not see.
func readAxisParams(body []byte) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(string(body)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && !strings.HasPrefix(name, "#") {
			all[strings.TrimPrefix(name, "root.")] = strings.TrimSpace(value)
		}
	}
	return all
}

// axisDisk is a disk of disks/list.cgi: a card or a share, also one that is not
// there.
type axisDisk struct {
	ID     string `xml:"diskid,attr"`
	Status string `xml:"status,attr"` // OK, connected, disconnected ...; "" where only its settings are known
	Policy string `xml:"cleanuppolicy,attr"`
	Age    string `xml:"cleanupmaxage,attr"` // days
	Locked string `xml:"locked,attr"`
	Full   string `xml:"full,attr"`
}

// maxDisks of a camera: two cards and a share is the most that was seen.
const maxDisks = 16

func readAxisDisks(body []byte) ([]axisDisk, error) {
	var said struct {
		List *struct {
			Disks []axisDisk `xml:"disk"`
		} `xml:"disks"`
	}
	if err := discover.UnmarshalAny(body, &said); err != nil || said.List == nil {
		return nil, errors.New("its answer cannot be read as a list of disks")
	}
	return head(said.List.Disks, maxDisks), nil
}

// axisStorage makes the disks of the settings alone, root.Storage.S0 and so on.
// They do not tell whether a disk is there.
func axisStorage(param map[string]string) []axisDisk {
	var all []axisDisk
	for i := range maxDisks {
		key := fmt.Sprintf("Storage.S%d.", i)
		if id := param[key+"DiskID"]; id != "" {
			all = append(all, axisDisk{ID: id, Policy: param[key+"CleanupPolicyActive"], Age: param[key+"CleanupMaxAge"], Locked: param[key+"Locked"]})
		}
	}
	return all
}

// works tells that a disk is there.
func (d *axisDisk) works() bool {
	return d != nil && (strings.EqualFold(d.Status, "OK") || strings.EqualFold(d.Status, "connected"))
}

func (d *axisDisk) words() string {
	return fmt.Sprintf("%s cleanuppolicy=%s cleanupmaxage=%s status=%s", d.ID, d.Policy, d.Age, d.Status)
}

// retention is the disk's limit: with the policy fifo what is older than so many
// days is deleted, 0 being no limit but the space. With none nothing is deleted,
// and recording stops when the disk is full: unknown.
func (d *axisDisk) retention() protocol.Retention {
	days, err := strconv.Atoi(d.Age)
	switch {
	case !strings.EqualFold(d.Policy, "fifo") || err != nil || days < 0 || days > 36500:
		return protocol.Retention{}
	case days == 0:
		return protocol.Retention{Kind: protocol.RetentionCapacity}
	}
	return protocol.Retention{Kind: protocol.RetentionAge, Age: time.Duration(days) * 24 * time.Hour}
}

// axisJob is a continuous recording that is set up: it runs all day, every day.
type axisJob struct {
	Profile string `xml:"profile,attr"`
	Disk    string `xml:"diskid,attr"`
	Options string `xml:"options,attr"` // of the stream, "camera=2&resolution=1920x1080"
}

func readAxisJobs(body []byte) ([]axisJob, error) {
	var said struct {
		List *struct {
			Jobs []axisJob `xml:"continuousrecordingconfiguration"`
		} `xml:"continuousrecordingconfigurations"`
	}
	if err := discover.UnmarshalAny(body, &said); err != nil || said.List == nil {
		return nil, errors.New("its answer cannot be read as a list of continuous recordings")
	}
	return head(said.List.Jobs, 64), nil
}

// camera is the source that is recorded: 1 if the options name none, 0 if what they
// name is no number (a view of several sources).
func (j axisJob) camera() int {
	options, err := url.ParseQuery(j.Options)
	if err != nil {
		return 0
	}
	if !options.Has("camera") {
		return 1
	}
	n, err := strconv.Atoi(options.Get("camera"))
	if err != nil {
		return 0
	}
	return n
}

// axisRecordings is an answer of record/list.cgi. Total counts all, also those
// that are not in this answer.
type axisRecordings struct {
	Total string          `xml:"totalnumberofrecordings,attr"`
	Items []axisRecording `xml:"recording"`
}

type axisRecording struct {
	Disk  string `xml:"diskid,attr"`
	Start string `xml:"starttime,attr"` // UTC, "2024-06-21T07:17:25.349296Z"
	Kind  string `xml:"recordingtype,attr"`
}

func readAxisRecordings(body []byte) (axisRecordings, error) {
	var said struct {
		List *axisRecordings `xml:"recordings"`
	}
	if err := discover.UnmarshalAny(body, &said); err != nil || said.List == nil {
		return axisRecordings{}, errors.New("its answer cannot be read as a list of recordings")
	}
	return *said.List, nil
}

// axisEnds gives the oldest and the newest recording of two answers, one asked for
// in rising and one in falling order. ok=false: they did not come in that order,
// and there are more than these.
func axisEnds(rising, falling axisRecordings) (first, last axisRecording, ok bool) {
	byStart := func(a, b axisRecording) int { return axisStamp(a.Start).at.Compare(axisStamp(b.Start).at) }
	first, last = slices.MinFunc(rising.Items, byStart), slices.MaxFunc(falling.Items, byStart)
	if !axisStamp(first.Start).known() || !axisStamp(last.Start).known() {
		return first, last, false
	}
	if rising.Total == strconv.Itoa(len(rising.Items)) {
		return first, slices.MaxFunc(rising.Items, byStart), true
	}
	met := byStart(slices.MaxFunc(rising.Items, byStart), slices.MinFunc(falling.Items, byStart)) > 0
	return first, last, !met && byStart(first, last) < 0
}

// axisStamp reads a time of the Recording API, which is in UTC or says its offset.
func axisStamp(text string) stamp {
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(text))
	if err != nil {
		return stamp{}
	}
	return utcStamp(at, text)
}
