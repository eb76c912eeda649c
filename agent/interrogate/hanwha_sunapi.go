package interrogate

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"anagrafe/protocol"
)

// sunapi is an answer of SUNAPI as text by key: "Model", "Channel.0.Name",
// "Storage.1.Type". Lists are joined by blanks.
type sunapi map[string]string

// sunapiError is an answer with the status of success that says that it is none:
// the submenu or its parameters are not known, mostly.
type sunapiError struct{ words string }

func (e *sunapiError) Error() string { return "it answered NG: " + e.words }

// sunapiDays are the rows of a schedule, time.Sunday first.
var sunapiDays = [7]string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}

// readSunapi reads an answer in either form, and of it only the keys named: others
// hold the users and passwords of cameras and shares.
func readSunapi(body []byte, keys ...string) (sunapi, error) {
	body = bytes.TrimSpace(body)
	s := sunapi{}
	if bytes.HasPrefix(body, []byte("{")) {
		var v map[string]any
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			return nil, errors.New("its answer cannot be read as JSON")
		}
		if v["Response"] == "Fail" {
			return nil, &sunapiError{"Response Fail"}
		}
		s.flatten("", v, keys, 0)
		return s, nil
	}
	if bytes.HasPrefix(body, []byte("NG")) {
		return nil, &sunapiError{clean(string(head(body, 200)))}
	}
	prefix, lines := "", 0
	for line := range strings.Lines(string(body)) {
		line = strings.TrimSpace(line)
		key, value, ok := strings.Cut(line, "=")
		if day, hours, row := strings.Cut(line, ":"); row && slices.Contains(sunapiDays[:], sunapiKey(day)) {
			key, value, ok = day, hours, true
		}
		if !ok {
			continue
		}
		lines++
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if _, err := strconv.Atoi(value); key == "Channel" && err == nil {
			prefix = "Channel." + value + "." // what follows is of this channel
		}
		if last := sunapiKey(key); slices.Contains(keys, last) {
			if last == key {
				key = prefix + key
			}
			s[key] = value
		}
	}
	if lines == 0 {
		return nil, errors.New("its answer cannot be read as that of SUNAPI")
	}
	return s, nil
}

// sunapiKey is the last part of a key, behind its dots.
func sunapiKey(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }

// flatten makes keys of an object: one that has a number of channel or of storage
// stands under it.
func (s sunapi) flatten(prefix string, v map[string]any, keys []string, depth int) {
	const most = 8
	if depth > most {
		return
	}
	for _, index := range []string{"Channel", "Storage"} {
		if n, ok := v[index].(json.Number); ok {
			prefix = index + "." + n.String() + "."
		}
	}
	for _, k := range slices.Sorted(maps.Keys(v)) {
		switch v := v[k].(type) {
		case map[string]any:
			s.flatten(prefix, v, keys, depth+1)
		case []any:
			var words []string
			for _, e := range v {
				if o, ok := e.(map[string]any); ok {
					s.flatten(prefix, o, keys, depth+1)
				} else if len(words) < 64 {
					words = append(words, sunapiScalar(e))
				}
			}
			if slices.Contains(keys, k) {
				s[prefix+k] = strings.Join(words, " ")
			}
		default:
			if slices.Contains(keys, k) {
				s[prefix+k] = strings.TrimSpace(sunapiScalar(v))
			}
		}
	}
}

func sunapiScalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// channels are the numbers of channels in an answer, in order, bounded.
func (s sunapi) channels() []int { return s.numbers("Channel") }

func (s sunapi) numbers(index string) []int {
	seen := map[int]bool{}
	for key := range s {
		rest, ok := strings.CutPrefix(key, index+".")
		number, _, more := strings.Cut(rest, ".")
		if n, err := strconv.Atoi(number); ok && more && err == nil && n >= 0 {
			seen[n] = true
		}
	}
	return head(slices.Sorted(maps.Keys(seen)), maxChannels)
}

// sunapiWords makes "key=value" of pairs, of those that were told.
func sunapiWords(pairs ...string) []string {
	var words []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			words = append(words, pairs[i]+"="+pairs[i+1])
		}
	}
	return words
}

// sunapiRecording is what a device says of when one channel is recorded.
//
// A week has 24 cells a day, of which each is 0 (nothing), 1 (recorded), and on
// recorders E (at events) or B (both); a camera may give minutes within the hour,
// "(30-59)". Recorders have no Activate: their week always counts. What is
// recorded in a cell follows from the modes: NormalMode is the continuous
// recording, EventMode that of an event, each Full, I-Frame or Off. A camera
// records events by rules of its own at any hour; they are not read, so that of
// those hours only this is known: something has to happen.
type sunapiRecording struct {
	recorder                        bool
	enable, normal, event, activate string
	week                            [7]string // time.Sunday first
}

func (r sunapiRecording) words() []string {
	words := sunapiWords("Enable", r.enable, "NormalMode", r.normal, "EventMode", r.event, "Activate", r.activate)
	if r.activate == "Always" {
		return words
	}
	for day, cells := range r.week {
		words = append(words, sunapiWords(sunapiDays[day], cells)...)
	}
	return words
}

// schedule is unknown wherever one of the words is not understood, or storage is
// off: then it may be recorded elsewhere. For the same reason a camera that
// records nothing itself is unknown.
func (r sunapiRecording) schedule() protocol.Schedule {
	var s protocol.Schedule
	normal, ok1 := sunapiOn(r.normal)
	event, ok2 := sunapiOn(r.event)
	if !strings.EqualFold(r.enable, "true") || !ok1 || !ok2 {
		return s
	}
	switch {
	case r.activate == "Always" && normal:
		return always(protocol.Continuous)
	case r.activate == "Always" && event:
		return always(protocol.Analytics)
	case r.activate == "Always":
		s = off()
	case r.activate == "Scheduled", r.activate == "" && r.recorder:
		p := &plan{}
		for day, cells := range r.week {
			if !sunapiDay(p, day, cells, normal, event, event && r.activate != "") {
				return protocol.Schedule{}
			}
		}
		s = p.schedule()
	}
	if s.Kind == protocol.ScheduleOff && !r.recorder {
		return protocol.Schedule{}
	}
	return s
}

// sunapiOn reads a mode of recording.
func sunapiOn(mode string) (on, ok bool) {
	switch mode {
	case "Full", "I-Frame":
		return true, true
	case "Off":
		return false, true
	}
	return false, false
}

// sunapiDay adds the 24 cells of a day to a plan. anyHour: events are recorded
// whatever the cells say.
func sunapiDay(p *plan, day int, cells string, normal, event, anyHour bool) bool {
	hours := strings.Fields(cells)
	if len(hours) != 24 {
		return false
	}
	for hour, cell := range hours {
		start, first, last := hour*3600, 0, 60
		if anyHour {
			p.add(day, start, start+3600, protocol.Analytics)
		}
		switch {
		case cell == "0":
			continue
		case cell == "1", cell == "E", cell == "B":
		default:
			var ok bool
			if first, last, ok = sunapiMinutes(cell); !ok {
				return false
			}
		}
		mode := protocol.Mode("")
		switch {
		case normal && cell != "E":
			mode = protocol.Continuous
		case event:
			mode = protocol.Analytics
		}
		p.add(day, start+first*60, start+last*60, mode)
	}
	return true
}

// sunapiMinutes reads "(30-59)" or "30-59": minutes of an hour, the last of which is
// the end of the hour if it is 59, the highest that there is.
func sunapiMinutes(cell string) (first, last int, ok bool) {
	from, until, ok := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(cell, "("), ")"), "-")
	first, err1 := strconv.Atoi(from)
	last, err2 := strconv.Atoi(until)
	if !ok || err1 != nil || err2 != nil || first < 0 || first > last || last > 59 {
		return 0, 0, false
	}
	if last == 59 {
		last = 60
	}
	return first, last, true
}
