package interrogate

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// oldest finds the oldest footage: the first instant of all channels together where
// a recorder tells it, for the channel to which it can only belong; for others the
// day, from the calendar.
func (h *hanwhaReading) oldest() {
	if len(h.nums) == 0 || h.wall.IsZero() {
		return
	}
	period, from := sunapi(nil), answer{}
	if h.told.recorder {
		period, from = h.optional("recording", "searchrecordingperiod", "StartTime", "EndTime")
	}
	days := h.calendar()
	start := sunapiStamp(period["StartTime"], h.zone)
	first := wallStamp(period["StartTime"], time.DateTime).at.Truncate(24 * time.Hour)
	var since []int // channels with footage of the first day
	for i, n := range h.nums {
		c, own := &h.told.channels[i], period["Channel."+strconv.Itoa(n)+".StartTime"]
		switch {
		case own != "":
			c.oldest = sunapiStamp(own, h.zone)
			c.say("oldest", from.from, own)
		case !days[i].IsZero():
			c.oldest = wholeDayStamp(days[i], h.wall)
			if days[i].Equal(first) {
				since = append(since, i)
			}
		}
	}
	if len(h.nums) == 1 && !h.told.channels[0].oldest.known() {
		since = []int{0}
	}
	if len(since) == 1 && start.known() {
		c := &h.told.channels[since[0]]
		c.oldest = start
		c.say("oldest", from.from, period["StartTime"])
	}
}

// calendar gives the oldest day of each channel; zero: none known. One question
// tells a month of all channels.
func (h *hanwhaReading) calendar() []time.Time {
	days := make([]time.Time, len(h.nums))
	months, froms := map[string]sunapi{}, map[string]string{}
	for i, n := range h.nums {
		day, err := walkCalendar(h.wall, func(year int, m time.Month) ([]bool, error) {
			month := fmt.Sprintf("%04d-%02d", year, m)
			said, asked := months[month]
			if !asked {
				var a answer
				var err error
				said, a, err = h.ask("recording", "calendarsearch", "&Month="+month+"&ChannelIDList="+sunapiList(h.nums), "Result")
				if err != nil {
					return nil, err
				}
				months[month], froms[month] = said, a.from
			}
			days, err := sunapiMonth(said["Channel."+strconv.Itoa(n)+".Result"])
			if slices.Contains(days, true) {
				h.told.channels[i].say("oldest", froms[month])
			}
			return days, err
		})
		if err != nil {
			if _, unknown := errors.AsType[*sunapiError](err); !unknown && statusOf(err) != http.StatusNotFound && h.ctx.Err() == nil {
				h.told.problem("calendarsearch", err)
			}
			return make([]time.Time, len(h.nums))
		}
		days[i] = day
	}
	return days
}

func sunapiList(nums []int) string {
	var all []string
	for _, n := range nums {
		all = append(all, strconv.Itoa(n))
	}
	return strings.Join(all, ",")
}

// sunapiMonth reads the 31 digits of a month.
func sunapiMonth(digits string) ([]bool, error) {
	if len(digits) != 31 || strings.Trim(digits, "01") != "" {
		return nil, errors.New("a month of its calendar is not 31 digits")
	}
	days := make([]bool, len(digits))
	for i := range digits {
		days[i] = digits[i] == '1'
	}
	return days, nil
}

// sunapiStamp reads the wall time of a recorder, which ends in " DST" during
// summer time. That word tells the hour that autumn has twice; without the zone's
// rule, and at any other time, it says nothing that the zone does not.
func sunapiStamp(text string, zone *time.Location) stamp {
	s := wallStamp(text, time.DateTime)
	if zone == nil || !s.known() {
		return s
	}
	summer := strings.HasSuffix(strings.TrimSpace(text), "DST")
	at := inZone(s.at, zone)
	var same []time.Time
	for _, t := range []time.Time{at.Add(-time.Hour), at, at.Add(time.Hour)} {
		if t.Format(time.DateTime) == s.at.Format(time.DateTime) {
			same = append(same, t)
		}
	}
	if i := slices.IndexFunc(same, func(t time.Time) bool { return t.IsDST() == summer }); len(same) == 2 && i >= 0 {
		return utcStamp(same[i], text)
	}
	return s
}
