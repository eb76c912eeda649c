package uplink

import (
	"net/http"
	"time"
)

// Clock is this machine's clock against the collector's, from the Date of its
// answers (RFC 9110, section 6.6.1), which has whole seconds.
type Clock struct {
	Offset time.Duration // this machine minus the collector
	Within time.Duration // half the round trip and half a second
	At     time.Time     // zero: not compared yet
}

// Wrong reports whether the difference exceeds the uncertainty. The collector's clock
// counts as right: people watch it, unlike that of a shop's computer.
func (c Clock) Wrong() bool { return !c.At.IsZero() && c.Offset.Abs() > c.Within+time.Second }

// compared is a transport that compares the clocks at each answer.
type compared struct {
	next http.RoundTripper
	now  func() time.Time
	tell func(Clock)
}

// slowest is the longest round trip that is worth comparing.
const slowest = 10 * time.Second

func (c compared) RoundTrip(r *http.Request) (*http.Response, error) {
	asked := c.now()
	resp, err := c.next.RoundTrip(r)
	if err != nil {
		return resp, err
	}
	answered := c.now()
	took := answered.Sub(asked)
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err == nil && took >= 0 && took < slowest {
		// The collector wrote it somewhere between, and cut its second off.
		c.tell(Clock{Offset: asked.Add(took / 2).Sub(date.Add(time.Second / 2)), Within: took/2 + time.Second/2, At: answered})
	}
	return resp, nil
}
