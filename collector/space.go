package main

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// spaceAlarm is the share of a disk from which on its filling up is said aloud:
	// once it is full the trail cannot be written, and every answer is refused.
	spaceAlarm = 0.8
	spaceEvery = time.Minute
)

// space watches the disk under the collector's directory, where the trail lies on
// SQLite. Nothing is preallocated: neither SQLite nor PostgreSQL can promise a page
// that is not written yet (copy-on-write, write-ahead logs), so a reserve would only
// look like one; a write that finds no room is refused whole, and goes on once there
// is some. Of a PostgreSQL elsewhere this tells nothing: watch that server's disk.
type space struct {
	dir   string
	used  prometheus.Gauge
	warn  func(used float64)
	above bool
}

func newSpace(dir string, metrics prometheus.Registerer, warn func(used float64)) *space {
	s := &space{dir: dir, warn: warn, used: prometheus.NewGauge(prometheus.GaugeOpts{Name: "anagrafe_disk_used_ratio",
		Help: "Share of the disk under the collector's directory that is in use; alarm at 0.8."})}
	metrics.MustRegister(s.used)
	return s
}

// watch looks every minute until ctx ends.
func (s *space) watch(ctx context.Context, log func(error)) {
	tick := time.NewTicker(spaceEvery)
	defer tick.Stop()
	for {
		if used, err := usedShare(s.dir); err != nil {
			log(err)
		} else {
			s.record(used)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// record keeps a reading, and warns when the disk has filled beyond the alarm.
func (s *space) record(used float64) {
	s.used.Set(used)
	if used >= spaceAlarm && !s.above {
		s.warn(used)
	}
	s.above = used >= spaceAlarm
}

// usedShare is the share of a disk that only root can still write to.
func usedShare(dir string) (float64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("look at the disk under %s: %w", dir, err)
	}
	used := float64(st.Blocks - st.Bfree)
	if all := used + float64(st.Bavail); all > 0 {
		return used / all, nil
	}
	return 0, nil
}
