package ingest

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"anagrafe/protocol"
)

var (
	metadataName = regexp.MustCompile(`^(timestamp|[1-9][0-9]{0,9}\.(root|snapshot|targets))\.json$`)
	programName  = regexp.MustCompile(`^targets/[0-9a-f]{64}\.anagrafe-agent_[A-Za-z0-9._-]{1,100}$`)
	onePart      = regexp.MustCompile(`^bytes=([0-9]{1,12})-([0-9]{1,12})$`)
)

// maxMetadata is the most of a metadata file; those of a year of releases have some
// ten KiB.
const maxMetadata = protocol.MaxChannelPart

// channel answers GET /channel/NAME with the files of the update channel: a repository of The
// Update Framework (TUF 1.0) that installer/publish wrote. It may be used from many goroutines.
//
//   - The collector holds no key of the channel and judges nothing of it. A hostile
//     collector can withhold updates, or serve old ones until their timestamp expires, and
//     no more: agents check that two of three people, one of them outside the Comune, signed.
//   - Only file names that a TUF repository has are opened, inside the directory (os.Root):
//     no listing, no link out, and no file still being prepared.
//   - An answer has at most protocol.MaxChannelPart bytes, so that call deadlines hold; a
//     program can only be requested in parts.
//   - The timestamp's expiry is a metric: after it no agent takes an update, and only the
//     agents' own pages would say so.
type channel struct {
	dir    string
	given  *prometheus.CounterVec // by kind and result
	handed prometheus.Counter     // bytes
}

// newChannel serves the repository in dir, which need not be there yet. Where metrics is nil
// it is counted, and not shown.
func newChannel(dir string, metrics prometheus.Registerer) (*channel, error) {
	c := &channel{dir: dir,
		given: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "anagrafe", Subsystem: "channel", Name: "requests_total",
			Help: "Files of the update channel asked for by agents, by kind (metadata, program, other) and result (given, missing, refused, failed)."}, []string{"kind", "result"}),
		handed: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "anagrafe", Subsystem: "channel", Name: "bytes_total",
			Help: "Bytes of the update channel given to agents."}),
	}
	for _, result := range []string{"given", "missing", "refused", "failed"} { // there from the start, so that the first is an increase
		c.given.WithLabelValues("metadata", result)
		c.given.WithLabelValues("program", result)
	}
	c.given.WithLabelValues("other", "refused")
	return c, register(metrics, c.given, c.handed, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "anagrafe", Subsystem: "channel",
		Name: "timestamp_expires_seconds", Help: "Unix time at which the channel's timestamp expires, after which no agent takes an update; 0: there is no channel."},
		c.expires))
}

// ServeHTTP gives one file, or a part of it.
func (c *channel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, protocol.ChannelPath)
	kind := "other"
	switch {
	case metadataName.MatchString(name):
		kind = "metadata"
	case programName.MatchString(name):
		kind = "program"
	}
	result, n := c.give(w, r, name, kind)
	c.given.WithLabelValues(kind, result).Inc()
	c.handed.Add(float64(n))
}

func (c *channel) give(w http.ResponseWriter, r *http.Request, name, kind string) (result string, n int64) {
	if kind == "other" || r.Method != http.MethodGet {
		http.Error(w, "the channel has no such file", http.StatusNotFound)
		return "refused", 0
	}
	file, size, err := c.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		http.Error(w, "the channel has no such file", http.StatusNotFound)
		return "missing", 0
	}
	if err != nil {
		http.Error(w, "the channel cannot be read now: try again later", http.StatusServiceUnavailable)
		return "failed", 0
	}
	defer file.Close()
	from, length := int64(0), size
	if kind == "program" {
		var ok bool
		if from, length, ok = part(r.Header.Get("Range"), size); !ok {
			http.Error(w, "a program is given in parts of at most "+strconv.Itoa(protocol.MaxChannelPart)+" bytes", http.StatusRequestedRangeNotSatisfiable)
			return "refused", 0
		}
	} else if size > maxMetadata {
		http.Error(w, "this file of the channel is too large", http.StatusServiceUnavailable)
		return "failed", 0
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.FormatInt(length, 10))
	h.Set("Cache-Control", "no-store")
	if kind == "program" {
		h.Set("Content-Range", "bytes "+strconv.FormatInt(from, 10)+"-"+strconv.FormatInt(from+length-1, 10)+"/"+strconv.FormatInt(size, 10))
		w.WriteHeader(http.StatusPartialContent)
	}
	n, err = io.Copy(w, io.NewSectionReader(file, from, length))
	if err != nil {
		return "failed", n // it went away, or the disk did
	}
	return "given", n
}

// open opens a file of the repository that is one.
func (c *channel) open(name string) (*os.File, int64, error) {
	root, err := os.OpenRoot(c.dir)
	if err != nil {
		return nil, 0, err
	}
	defer root.Close()
	file, err := root.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		_ = file.Close()
		return nil, 0, err
	}
	return file, info.Size(), nil
}

// part reads "bytes=0-99", the one form of RFC 9110, section 14.2, that agents use.
func part(asked string, size int64) (from, length int64, ok bool) {
	m := onePart.FindStringSubmatch(asked)
	if m == nil {
		return 0, 0, false
	}
	from, _ = strconv.ParseInt(m[1], 10, 64) // twelve digits at most
	to, _ := strconv.ParseInt(m[2], 10, 64)
	to = min(to, size-1)
	return from, to - from + 1, from <= to && to-from < protocol.MaxChannelPart
}

// expires is when the timestamp does, as it says itself; nobody verifies it here.
func (c *channel) expires() float64 {
	file, _, err := c.open("timestamp.json")
	if err != nil {
		return 0
	}
	defer file.Close()
	var t struct {
		Signed struct {
			Expires time.Time `json:"expires"`
		} `json:"signed"`
	}
	if json.NewDecoder(io.LimitReader(file, maxMetadata)).Decode(&t) != nil || t.Signed.Expires.IsZero() {
		return 0
	}
	return float64(t.Signed.Expires.Unix())
}
