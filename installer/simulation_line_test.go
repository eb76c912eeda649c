package installer

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// weather is what the network does to a request, in per cent of requests.
type weather struct {
	down          bool // nothing gets through, either way
	lostRequests  int
	lostAnswers   int // the collector has heard the request
	doubled       int // it arrives twice
	slow          int // it arrives up to ten minutes late: after those that were sent later
	longestFlight time.Duration
}

var fair = weather{longestFlight: 200 * time.Millisecond}

var (
	errDown    = errors.New("the network is down")
	errRefused = errors.New("connection refused")
	errReset   = errors.New("connection reset")
)

// line takes an agent's requests to the collector that runs when they
// arrive. What happens to a request depends on the seed, the moment and the
// call alone, so that a run can be repeated.
type line struct {
	seed uint64

	mu      sync.Mutex
	weather weather
	server  *collector // nil: none runs

	flying sync.WaitGroup
}

func (n *line) now() (weather, *collector) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.weather, n.server
}

func (n *line) set(w weather) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.weather = w
}

func (n *line) serve(c *collector) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.server = c
}

// chance is a source of randomness of its own for each moment and purpose.
func chance(seed uint64, what string) *rand.Rand {
	h := fnv.New64a()
	_, _ = io.WriteString(h, what)
	return rand.New(rand.NewPCG(seed, h.Sum64()^uint64(time.Now().UnixNano())))
}

// jitter is an agent's, repeatable.
func (n *line) jitter(window time.Duration) time.Duration {
	return time.Duration(chance(n.seed, "jitter").Int64N(int64(window)))
}

// road is a line for who shows this certificate; nil: none.
type road struct {
	*line
	shows *x509.Certificate
}

// answer is what came back.
type answer struct {
	resp *http.Response
	err  error
}

// RoundTrip implements http.RoundTripper.
func (r road) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(req.Body)
		_ = req.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	w, _ := r.now()
	luck := chance(r.seed, req.URL.Path)
	hit := func(percent int) bool { return luck.IntN(100) < percent }
	flight := func() time.Duration {
		if hit(w.slow) {
			return time.Duration(luck.Int64N(int64(10 * time.Minute)))
		}
		return 1 + time.Duration(luck.Int64N(int64(w.longestFlight)))
	}
	if w.down {
		return nil, r.wait(req.Context(), flight(), errDown)
	}
	back := make(chan answer, 2) // both copies may be answered
	copies := 1
	if hit(w.doubled) {
		copies = 2
	}
	for range copies {
		there, home := flight(), flight()
		if hit(w.lostRequests) {
			continue
		}
		lost := hit(w.lostAnswers)
		sent := r.arriving(req, body)
		r.flying.Go(func() {
			time.Sleep(there)
			a := r.deliver(sent)
			if lost {
				a.drop()
				return
			}
			time.Sleep(home)
			if w, _ := r.now(); w.down {
				a.drop()
				return
			}
			select {
			case back <- a:
			default:
				a.drop()
			}
		})
	}
	ctx := req.Context()
	if req.URL.Path == noticesPath { // it has no end of its own: a dead connection is noticed by its silence
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, idleTimeout)
		defer cancel()
	}
	select {
	case a := <-back:
		return a.resp, a.err
	case <-ctx.Done():
		r.flying.Go(func() { // a late answer to nobody must still be let go
			select {
			case a := <-back:
				a.drop()
			case <-time.After(time.Hour):
			}
		})
		return nil, ctx.Err()
	}
}

func (a answer) drop() {
	if a.resp != nil {
		_ = a.resp.Body.Close()
	}
}

func (r road) wait(ctx context.Context, d time.Duration, err error) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return err
	}
}

// arriving is the request as the collector's listener hands it to its handler.
// Of the sender only what was sent goes with it: not the sender's patience.
func (r road) arriving(req *http.Request, body []byte) *http.Request {
	in := req.Clone(context.WithoutCancel(req.Context()))
	in.Body, in.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/2.0", 2, 0
	in.RemoteAddr = "192.0.2.7:40000"
	in.TLS = &tls.ConnectionState{Version: tls.VersionTLS13}
	if r.shows != nil {
		in.TLS.PeerCertificates = []*x509.Certificate{r.shows}
	}
	if req.URL.Path == noticesPath { // the stream ends when the agent leaves
		in = in.WithContext(req.Context())
	}
	return in
}

// idleTimeout is after what silence a connection is given up, as by QUIC.
const idleTimeout = 60 * time.Second

const noticesPath = "/anagrafe.v1.DeliveryService/Notices"

// deliver has the collector that runs now answer, and loses the answer of one
// that is killed meanwhile.
func (n *line) deliver(req *http.Request) answer {
	_, c := n.now()
	if c == nil {
		return answer{err: errRefused}
	}
	if req.URL.Path == noticesPath {
		return c.stream(req)
	}
	w := recorder{httptest.NewRecorder()}
	w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	c.handler.ServeHTTP(w, req)
	if _, now := n.now(); now != c {
		return answer{err: errReset}
	}
	return answer{resp: w.Result()}
}

// recorder is an answer in memory, with the deadlines that a real one has.
type recorder struct{ *httptest.ResponseRecorder }

func (recorder) SetReadDeadline(time.Time) error  { return nil }
func (recorder) SetWriteDeadline(time.Time) error { return nil }
