package uplink

import (
	"net/http"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

const (
	userAgent   = "anagrafe-agent" // and no more: no version, system or host
	callTimeout = 60 * time.Second
	// answerLimit is the most bytes of an answer: a site's message and a bit.
	answerLimit = protocol.MaxMessage + 64<<10
)

// line is a transport with the collector's services at its end.
type line struct {
	transport *transport
	client    *http.Client
	parking   *parking
	enrolment wire.EnrolmentServiceClient
	delivery  wire.DeliveryServiceClient
	maps      wire.MapServiceClient

	otherKey chan struct{} // signalled, buffered 1: receipts are signed with another key than trust's
}

// lineOptions are all optional.
type lineOptions struct {
	transportOptions
	wrap   func(http.RoundTripper) http.RoundTripper
	rested func() // called when a parked line has closed its connections
}

// newLine makes the clients; nothing is dialled before the first call.
func newLine(collector string, t trust, o lineOptions) (*line, error) {
	r, err := newTransport(collector, t, o.transportOptions)
	if err != nil {
		return nil, err
	}
	var transport http.RoundTripper = r
	if o.wrap != nil {
		transport = o.wrap(r)
	}
	rest := r.rest
	if o.rested != nil {
		rest = func() { r.rest(); o.rested() }
	}
	client := &http.Client{Transport: transport,
		// A collector does not redirect: what the owner confirmed for one
		// address goes to no other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	options := connect.WithClientOptions(connect.WithReadMaxBytes(answerLimit))
	return &line{transport: r, client: client, parking: newParking(rest), otherKey: make(chan struct{}, 1),
		enrolment: wire.NewEnrolmentServiceClient(client, collector, options),
		delivery:  wire.NewDeliveryServiceClient(client, collector, options),
		maps:      wire.NewMapServiceClient(client, collector, options)}, nil
}
