package uplink

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"connectrpc.com/connect"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// EnrolOptions are all optional.
type EnrolOptions struct {
	Version string // the agent's version, reported to the collector
	Visit   bool   // the grant ends by itself within a day
	// Replace ends the grants that other agents have for the site. It may be
	// said later, with the same code.
	Replace bool
	// Former tells under which agent ids this computer has spoken for a site; nil:
	// never under any. All but the one that it has now are ended: a computer that
	// lost its identity goes on with what it declared. All, and not the last one
	// alone: a collector that was set back may know only an earlier one.
	Former func(ctx context.Context, siteID string) (agentIDs []string, err error)
	// WrapTransport lets a test see the requests before they are encrypted.
	WrapTransport func(http.RoundTripper) http.RoundTripper
}

// Enrol exchanges a code, or a link (code, collector's address and pin), for a grant.
// It makes dir/identity.key if the host has none, and writes dir/identity.pem. With a
// further code an agent that has an identity gains a site; collector may then be "".
//
// If the answer is lost, the same code works again on this host. An *Error
// says what went wrong.
func Enrol(ctx context.Context, dir, collector, code string, o EnrolOptions) (protocol.Grant, error) {
	link, err := parseInvitation(collector, code)
	if err != nil {
		return protocol.Grant{}, err
	}
	known, err := Open(dir)
	if e, ok := errors.AsType[*Error](err); ok && e.Reason != NotEnrolled {
		return protocol.Grant{}, err
	}
	switch {
	case known != nil && link.Collector == "":
		link.Collector = known.Collector
	case known != nil && link.Collector != known.Collector:
		return protocol.Grant{}, &Error{Reason: OtherCollector,
			what: fmt.Sprintf("enrol with %s: this agent belongs to %s", link.Collector, known.Collector),
			Hint: "run a second agent with a directory of its own (-data) for the other collector"}
	case link.Collector == "":
		return protocol.Grant{}, newError(NoCollector, nil, "enrol: the code does not say with which collector")
	}
	key, err := ownKey(dir)
	if err != nil {
		if _, ok := errors.AsType[*Error](err); ok {
			return protocol.Grant{}, err
		}
		return protocol.Grant{}, unreadable(dir, keyFile, err)
	}
	next := &Identity{Collector: link.Collector, dir: dir, key: key, web: link.Pin == ""}
	t := trust{pin: link.Pin, public: link.Pin == ""}
	if known != nil && link.Pin == "" {
		next.web, t = known.web, known.trust()
		t.show = nil
	}
	return next.enrol(ctx, t, link.Code, o)
}

// enrol makes the call, completes the identity with its answer and saves it.
func (i *Identity) enrol(ctx context.Context, t trust, code protocol.Code, o EnrolOptions) (protocol.Grant, error) {
	what := "enrol with " + i.Collector
	csr, err := certificateRequest(i.key)
	if err != nil {
		return protocol.Grant{}, newError(protocol.ReasonTemporary, err, what)
	}
	l, err := newLine(i.Collector, t, lineOptions{wrap: o.WrapTransport})
	if err != nil {
		return protocol.Grant{}, newError(NoCollector, err, what)
	}
	defer l.transport.close()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req := &wire.EnrolRequest{Code: code.String(), Csr: csr, AgentVersion: o.Version, Visit: o.Visit, Replace: o.Replace}
	resp, err := l.enrolment.Enrol(ctx, connect.NewRequest(req))
	if err == nil && o.Former != nil {
		resp, err = enrolFormer(ctx, l, req, resp, o)
	}
	if err != nil {
		return protocol.Grant{}, explain(what, err)
	}
	m := resp.Msg
	if m.GetAgentId() == "" || m.GetGrant().GetSiteId() == "" {
		return protocol.Grant{}, newError(UnexpectedAnswer, errors.New("the answer names no agent or no site"), what)
	}
	i.AgentID = m.GetAgentId()
	made, err := i.with(m.GetCertificateChain(), m.GetAuthorities(), m.GetTrust(), m.GetReceiptKey())
	if err != nil {
		return protocol.Grant{}, newError(UnexpectedAnswer, err, what)
	}
	if err := made.save(); err != nil {
		return protocol.Grant{}, &Error{Reason: IdentityUnreadable, what: "keep the agent's new certificate", cause: err,
			Hint: "make room, or give the agent's user the right to write there, and enrol again with the same code"}
	}
	return protocol.GrantFromWire(i.AgentID, m.GetGrant()), nil
}

// enrolFormer says, with the same code, which agents this computer was before, one by
// one: for which site the code is, only the first answer tells.
func enrolFormer(ctx context.Context, l *line, req *wire.EnrolRequest, first *connect.Response[wire.EnrolResponse], o EnrolOptions) (*connect.Response[wire.EnrolResponse], error) {
	former, err := o.Former(ctx, first.Msg.GetGrant().GetSiteId())
	if err != nil {
		return nil, err
	}
	last := first
	for _, id := range former {
		if id == first.Msg.GetAgentId() {
			continue
		}
		req.FormerAgent = id
		if last, err = l.enrolment.Enrol(ctx, connect.NewRequest(req)); err != nil {
			return nil, err
		}
	}
	return last, nil
}

// CheckInvitation checks a code or a link, and the address given with it, as far as
// possible without the collector. An *Error says what is wrong.
func CheckInvitation(collector, code string) error {
	link, err := parseInvitation(collector, code)
	if err == nil && link.Collector == "" {
		err = wrongf(NoCollector, "a code without an address: give the collector's too, or the link from the Comune")
	}
	return err
}

// parseInvitation reads a code or a link, and the address given with it.
func parseInvitation(collector, code string) (protocol.Link, error) {
	var link protocol.Link
	var err error
	code = strings.TrimSpace(code)
	if strings.Contains(code, "://") {
		link, err = protocol.ParseLink(code)
	} else {
		link.Code, err = protocol.ParseCode(code)
	}
	if err != nil {
		return protocol.Link{}, newError(BadCode, err, "read the enrolment code")
	}
	if link.Collector != "" {
		if link.Collector, err = parseCollector(link.Collector); err != nil {
			return protocol.Link{}, err
		}
	}
	if collector == "" {
		return link, nil
	}
	if collector, err = parseCollector(collector); err != nil {
		return protocol.Link{}, err
	}
	if link.Collector != "" && link.Collector != collector {
		return protocol.Link{}, wrongf(NoCollector, "enrol: the link names %s, and %s was given with it", link.Collector, collector)
	}
	link.Collector = collector
	return link, nil
}

// certificateRequest asks for nothing but a signature on the key: no name of
// this host is in it.
func certificateRequest(key *ecdsa.PrivateKey) ([]byte, error) {
	return x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
}
