package interrogate

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// xsDuration is the form of xs:duration; weeks are not of it, but are written.
var xsDuration = regexp.MustCompile(`^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d*)?S)?)?$`)

// parseDuration reads an xs:duration as a value, in whole seconds: what was set
// as P14D is read back as PT1209600S. A month counts 30 days and a year 365, the
// shorter reading being the safe one for how long footage lasts. False for
// nonsense, negative values, and what no int64 of nanoseconds holds.
func parseDuration(s string) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	m := xsDuration.FindStringSubmatch(s)
	if m == nil || s == "P" || strings.HasSuffix(s, "T") {
		return 0, false
	}
	const day = 24 * time.Hour
	units := [...]time.Duration{365 * day, 30 * day, 7 * day, day, time.Hour, time.Minute, time.Second}
	var sum time.Duration
	for i, unit := range units {
		if m[i+1] == "" {
			continue
		}
		n, err := strconv.ParseInt(m[i+1], 10, 64)
		if err != nil || n > int64((math.MaxInt64-sum)/unit) {
			return 0, false
		}
		sum += time.Duration(n) * unit
	}
	return sum, true
}
