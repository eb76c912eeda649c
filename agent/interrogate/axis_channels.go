package interrogate

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"anagrafe/protocol"
)

// settle makes the channels of what was read.
func (r *axisReading) settle() {
	r.told.kept, r.told.keptFrom, r.told.keptRaw = r.kept()
	sources, _ := strconv.Atoi(r.param["ImageSource.NbrOfSources"])
	sources = min(max(sources, 1), 16)
	for n := 1; n <= sources; n++ {
		c := channelReport{id: strconv.Itoa(n), name: r.viewName(n)}
		c.say("name", r.paramFrom, c.name)
		r.schedule(&c, n)
		r.retention(&c, n)
		if sources == 1 {
			r.oldest(&c)
		}
		r.told.channels = append(r.told.channels, c)
	}
}

// viewName is the name of a source or of its view, if a person gave it.
func (r *axisReading) viewName(n int) string {
	i := "I" + strconv.Itoa(n-1)
	for _, name := range []string{r.param["ImageSource."+i+".Name"], r.param["Image."+i+".Name"]} {
		if name != "" && !axisFactoryName.MatchString(name) {
			return name
		}
	}
	return ""
}

// axisFactoryName matches the names with which a camera comes: "View Area 1" and
// "Camera" on an M1065-LW.
var axisFactoryName = regexp.MustCompile(`(?i)^(view area|camera|image|quad view|overview|video)\s*\d*$`)

// schedule is always where a continuous recording of this source is set up and its
// disk is there; else unknown.
func (r *axisReading) schedule(c *channelReport, n int) {
	var words []string
	for _, j := range r.job {
		if j.camera() != n {
			continue
		}
		words = append(words, "continuous profile="+j.Profile+" diskid="+j.Disk)
		d := r.disk(j.Disk)
		if d != nil && d.Status != "" {
			words = append(words, j.Disk+" status="+d.Status)
		}
		if !r.storeKnown || d.works() {
			c.schedule = always(protocol.Continuous)
		} else {
			r.told.problem("continuous recording", errors.New("the disk on which it is to record is not there"))
		}
	}
	if len(words) == 0 && r.jobFrom != "" {
		words = []string{"no continuous recording"}
	}
	c.say("schedule", r.jobFrom, words...)
}

// retention is that of the disk on which the source is recorded. Every camera has
// limits for the disks that it could have: only one that is in use counts.
func (r *axisReading) retention(c *channelReport, n int) {
	for _, id := range r.used(n) {
		d := r.disk(id)
		if d == nil {
			continue
		}
		c.say("retention", r.storeFrom, d.words())
		if one := d.retention(); c.retention.Kind == protocol.RetentionUnknown || one.Age > c.retention.Age {
			c.retention = one
		}
	}
}

// oldest is of the whole camera, so it is told only where there is one source.
func (r *axisReading) oldest(c *channelReport) {
	if len(r.footage) == 2 {
		c.oldest, c.newest = axisStamp(r.footage[0].Start), axisStamp(r.footage[1].Start)
		c.say("oldest", r.oldestFrom, r.footage[0].Start)
	}
}

// used are the disks that record a source: of its continuous recordings, or those
// on which there is footage.
func (r *axisReading) used(n int) []string {
	var ids []string
	for _, j := range r.job {
		if j.camera() == n {
			ids = append(ids, j.Disk)
		}
	}
	if len(ids) == 0 {
		for _, f := range r.footage {
			ids = append(ids, f.Disk)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(ids)))
}

func (r *axisReading) disk(id string) *axisDisk {
	if i := slices.IndexFunc(r.store, func(d axisDisk) bool { return d.ID == id }); i >= 0 {
		return &r.store[i]
	}
	return nil
}

// kept is where recordings are, from the disks in use.
func (r *axisReading) kept() (Kept, string, string) {
	var all []Kept
	var raw []string
	for _, j := range r.job {
		raw = append(raw, j.Disk)
	}
	for _, f := range r.footage {
		raw = append(raw, f.Disk)
	}
	for _, id := range raw {
		switch {
		case strings.HasPrefix(id, "SD_DISK"):
			all = append(all, KeptDisk)
		case strings.HasPrefix(id, "NetworkShare"):
			all = append(all, KeptShare)
		}
	}
	from := r.jobFrom
	if len(r.job) == 0 {
		from = r.oldestFrom
	}
	return keptIn(all...), from, rawWords(raw...)
}
