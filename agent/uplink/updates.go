package uplink

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"anagrafe/protocol"
)

// Channel sends GET requests for the update channel to this agent's collector, over the
// present connection with the agent's own certificate, whatever the request's host.
// Other requests are refused.
func (u *Uplink) Channel() http.RoundTripper { return channel{u} }

type channel struct{ *Uplink }

func (c channel) RoundTrip(req *http.Request) (*http.Response, error) {
	const what = "ask the collector for updates"
	if req.Method != http.MethodGet || !strings.HasPrefix(req.URL.Path, protocol.ChannelPath) {
		return nil, newError(UnexpectedAnswer, errors.New("this is no request for the update channel"), what)
	}
	c.mu.Lock()
	id, l := c.identity, c.line
	c.mu.Unlock()
	switch {
	case id == nil:
		return nil, newError(NotEnrolled, nil, what)
	case l == nil:
		return nil, newError(Unreachable, errors.New("the line to the collector is not open now"), what)
	}
	to, err := url.Parse(id.Collector)
	if err != nil {
		return nil, newError(NoCollector, err, what)
	}
	own, err := http.NewRequestWithContext(req.Context(), http.MethodGet, to.JoinPath(req.URL.Path).String(), nil)
	if err != nil {
		return nil, newError(NoCollector, err, what)
	}
	own.Header.Set("Accept-Encoding", "identity") // nothing that unfolds into more than was asked for
	if asked := req.Header.Get("Range"); asked != "" {
		own.Header.Set("Range", asked)
	}
	l.parking.begin()
	resp, err := l.client.Do(own)
	if err != nil {
		l.parking.end()
		return nil, explain(what, err)
	}
	resp.Body = &parkedBody{ReadCloser: resp.Body, end: sync.OnceFunc(l.parking.end)}
	return resp, nil
}

// parkedBody is an answer that holds its line until it is closed.
type parkedBody struct {
	io.ReadCloser
	end func()
}

func (b *parkedBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}
