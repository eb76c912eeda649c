package review

import (
	"slices"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// coached is all that advice is given on.
type coached struct {
	Category protocol.Category
	Cameras  []inventory.Camera // of the site
	Said     map[string]string  // the owner's answers by question: "yes", "no", "unknown"
}

// advice is one thing that the owner may want to set right. It is for him alone:
// nothing of it enters a message, nor is it known outside this computer.
type advice struct {
	Key     string             // of tips, and of the words "advice.KEY"
	Cameras []inventory.Camera // that it is about; none: the site
}

const (
	// longKept is above what the Garante wants reasons for (FAQ of 2020), and
	// weekKept above what it names at all (2010, 3.4), with room for a recorder
	// that deletes by the hour.
	longKept = 72*time.Hour + keptSlack
	weekKept = 7*24*time.Hour + keptSlack

	keptSlack = 2 * time.Hour

	wideAngle = 100 // degrees: more than a doorway and the pavement before it
	farRange  = 30  // metres: more than the width of a street
)

// weekCategories keep up to a week without being asked why: risky activities and
// means of transport (Garante 2010, 3.4), and municipalities for urban safety.
var weekCategories = []protocol.Category{"bank", "transport", "public-body"}

// The owner's answers to questions.
const (
	saidYes     = "yes"
	saidNo      = "no"
	saidUnknown = "unknown"
)

var answers = []string{saidYes, saidNo, saidUnknown}

// questionsFor names what only a person can say of such a site. A site without
// cameras is asked nothing.
func questionsFor(c coached) (keys []string) {
	home := c.Category == "private-home"
	if len(own(c.Cameras)) == 0 {
		return nil
	}
	if !home || len(outdoors(c.Cameras)) > 0 {
		keys = append(keys, "sign")
	}
	if !home {
		keys = append(keys, "employees")
		if c.Said["employees"] == saidYes {
			keys = append(keys, "agreement")
		}
	}
	if c.Category == "condominium" {
		keys = append(keys, "resolution")
	}
	return keys
}

// unanswered are the questions that nobody has said anything to.
func unanswered(c coached) []string {
	return slices.DeleteFunc(questionsFor(c), func(key string) bool { return c.Said[key] != "" })
}

// advise returns what there is to say of a site, in the order of tips. It depends on
// its argument alone.
func advise(c coached) (all []advice) {
	add := func(key string, cameras []inventory.Camera) { all = append(all, advice{key, cameras}) }
	asked := questionsFor(c)
	lacks := func(key string) bool {
		return slices.Contains(asked, key) && (c.Said[key] == saidNo || c.Said[key] == saidUnknown)
	}
	if lacks("sign") {
		add("sign", nil)
	}
	week, long, disk, unknown := keptLevels(c)
	overWeek := "retention.week"
	if c.Category == "public-body" {
		overWeek = "retention.town"
	}
	for _, level := range []struct {
		key     string
		cameras []inventory.Camera
	}{{overWeek, week}, {"retention.reasons", long}, {"retention.disk", disk}, {"retention.unknown", unknown}} {
		if len(level.cameras) > 0 {
			add(level.key, level.cameras)
		}
	}
	if c.Category == "private-home" {
		if street := outdoors(c.Cameras); len(street) > 0 {
			add("home", street)
		}
	} else if wide := slices.DeleteFunc(outdoors(c.Cameras), func(c inventory.Camera) bool { return !seesMuch(c.Values.View) }); len(wide) > 0 {
		add("view", wide)
	}
	if lacks("agreement") {
		add("employees", nil)
	}
	if lacks("resolution") {
		add("resolution", nil)
	}
	return all
}

// keptLevels sorts the cameras by how long their images stay: over a week, long
// enough to want reasons, as long as a disk has room, and not known.
func keptLevels(c coached) (week, long, disk, unknown []inventory.Camera) {
	for _, cam := range own(c.Cameras) {
		r := cam.Values.Retention
		span, known := keptFor(r)
		switch {
		case known && span > weekKept:
			week = append(week, cam)
		case known && span > longKept && !slices.Contains(weekCategories, c.Category):
			long = append(long, cam)
		case r.Kind == protocol.RetentionCapacity:
			disk = append(disk, cam)
		case !known:
			unknown = append(unknown, cam)
		}
	}
	return week, long, disk, unknown
}

// keptFor is how long images of a camera stay: as far as a full store was seen to
// reach, else what is configured or was seen, whichever is longer.
func keptFor(r protocol.Retention) (span time.Duration, known bool) {
	seen := time.Duration(0)
	if !r.OldestFootage.IsZero() {
		seen = max(0, r.ObservedAt.Sub(r.OldestFootage))
	}
	switch {
	case r.Settled && seen > 0:
		return seen, true
	case r.Kind == protocol.RetentionAge && r.Age > 0:
		return max(r.Age, r.EventAge, seen), true
	}
	return seen, seen > longKept // a store that still fills tells only once it is long
}

// own are the cameras that the owner has not put aside as none of his.
func own(cameras []inventory.Camera) []inventory.Camera {
	return slices.DeleteFunc(slices.Clone(cameras), func(c inventory.Camera) bool { return c.State == inventory.StateRefused })
}

// outdoors are those of which the owner says that they film where anybody passes.
func outdoors(cameras []inventory.Camera) []inventory.Camera {
	return slices.DeleteFunc(own(cameras), func(c inventory.Camera) bool { return c.Outdoor == nil || !*c.Outdoor })
}

// seesMuch reports that a view takes in more of a street than an entrance needs.
func seesMuch(v protocol.View) bool {
	return v.Turns || v.AngleDeg != nil && *v.AngleDeg > wideAngle || v.RangeM != nil && *v.RangeM > farRange
}
