package uplink

import (
	"context"
	"fmt"
	"net/http"

	"connectrpc.com/connect"

	"anagrafe/protocol/wire"
)

// Recorded asks what the register holds of a site that this agent has a grant
// for: the declaration as an encoded message, nil before the first. A collector
// that was set back may have an older one. An *Error says what went wrong. wrap
// may be nil.
func (i *Identity) Recorded(ctx context.Context, siteID string, wrap func(http.RoundTripper) http.RoundTripper) (message []byte, err error) {
	const what = "ask what the register holds of the site"
	l, err := newLine(i.Collector, i.trust(), lineOptions{wrap: wrap})
	if err != nil {
		return nil, newError(NoCollector, err, what)
	}
	defer l.transport.close()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	resp, err := l.delivery.GetSite(ctx, connect.NewRequest(&wire.GetSiteRequest{SiteId: siteID}))
	if err != nil {
		return nil, explain(what, err)
	}
	if other := resp.Msg.GetGrant().GetSiteId(); other != siteID {
		return nil, newError(UnexpectedAnswer, fmt.Errorf("the answer is about site %q", other), what)
	}
	return resp.Msg.GetMessage(), nil
}
