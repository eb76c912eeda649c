package protocol

import (
	"regexp"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the zones are the same on a recorder-room PC without any
)

var (
	fixedZone = regexp.MustCompile(`^UTC[+-](0\d|1[0-4]):[0-5]\d$`)
	// A capital first keeps out the system's own names, whose meaning differs
	// from host to host: localtime, posixrules, posix/..., right/... .
	namedZone = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*){0,2}$`)
)

// zones remembers zones that were found: a search asks thousands of schedules.
// It holds no more than the database has names, for names not found stay out.
var zones sync.Map // string -> *time.Location

// zoneOf finds a zone by its IANA name or fixed offset ("UTC+01:00"); false
// when it is empty or unknown here.
func zoneOf(name string) (*time.Location, bool) {
	if z, ok := zones.Load(name); ok {
		return z.(*time.Location), true
	}
	if fixedZone.MatchString(name) {
		seconds := (int(name[4]-'0')*10+int(name[5]-'0'))*3600 + (int(name[7]-'0')*10+int(name[8]-'0'))*60
		if name[3] == '-' {
			seconds = -seconds
		}
		return time.FixedZone(name, seconds), true
	}
	if !plausibleZone(name) {
		return nil, false
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return nil, false
	}
	zones.Store(name, z)
	return z, true
}

// Location is the zone of the recorder's own display, in which what Clock.Shows
// gives is written; false where the recorder did not name it, or it is not known
// here.
func (s Schedule) Location() (*time.Location, bool) {
	zone, ok := zoneOf(s.Zone)
	return zone, ok && s.Zone != "" && !s.ZoneAssumed
}

// plausibleZone reports whether name has the form of a zone. A name of that form
// that is not in this program's database is valid in a message, since the
// sender's database may be newer; its answers are Unknown.
func plausibleZone(name string) bool {
	if len(name) > 64 || name == "Local" || strings.HasPrefix(name, "UTC+") || strings.HasPrefix(name, "UTC-") {
		return fixedZone.MatchString(name)
	}
	return namedZone.MatchString(name)
}
