package ingest

import (
	"context"
	"errors"
	"fmt"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// delivery serves wire's DeliveryService.
type delivery struct{ *Server }

// Deliver records one message. It answers only after Register.Record has
// returned, that is, when the message is durable.
func (s delivery) Deliver(ctx context.Context, req *connect.Request[wire.DeliverRequest]) (*connect.Response[wire.DeliverResponse], error) {
	const op = "deliver"
	agentID, refused := s.admit(ctx, op, 0)
	if refused != nil {
		return nil, refused
	}
	raw := req.Msg.GetMessage()
	if len(raw) > protocol.MaxMessage {
		return nil, s.refuse(protocol.ReasonTooLarge, connect.CodeResourceExhausted,
			fmt.Sprintf("message: %d bytes long, at most %d are allowed", len(raw), protocol.MaxMessage))
	}
	m, err := decode(raw)
	if err != nil {
		return nil, s.answer(ctx, op, agentID, err)
	}
	if err := s.follows(ctx, agentID, m.SiteID, req.Msg.GetAfter()); err != nil {
		return nil, s.answer(ctx, op, agentID, err)
	}
	var receipt protocol.Receipt
	refused = s.write(ctx, op, agentID, func() (err error) {
		receipt, err = s.o.Register.Record(ctx, agentID, m, raw, s.now())
		return err
	})
	if refused != nil {
		return nil, refused
	}
	if receipt, err = s.o.ReceiptKey.sign(receipt); err != nil {
		return nil, s.answer(ctx, op, agentID, err)
	}
	if receipt.Duplicate {
		s.metrics.duplicates.Inc()
	} else {
		s.metrics.accepted.WithLabelValues(m.Kind()).Inc()
	}
	return connect.NewResponse(&wire.DeliverResponse{Receipt: s.wireReceipt(receipt)}), nil
}

// wireReceipt adds where the owner's code is typed, if there is one.
func (s delivery) wireReceipt(r protocol.Receipt) *wire.Receipt {
	w := &wire.Receipt{MessageId: r.MessageID, MessageSha256: r.SHA256[:], RecordedAt: timestamppb.New(r.RecordedAt),
		Duplicate: r.Duplicate, SiteStays: r.SiteStays, Note: []byte(r.Note)}
	if r.OwnerCode != (protocol.Code{}) {
		w.OwnerLink, w.OwnerCode = s.o.OwnerLink, r.OwnerCode.String()
	}
	return w
}

// follows refuses what comes after a message that is not recorded: this
// register has been set back since it acknowledged that one, and what was
// recorded now would hide the gap. Nothing goes back while a process runs, so
// it is enough to ask before recording. An agent that never had a grant for the site, or
// whose grant was forgotten with the rest, hears this of every message.
func (s delivery) follows(ctx context.Context, agentID, siteID, after string) error {
	if after == "" {
		return nil
	}
	known, err := s.o.Register.Knows(ctx, agentID, siteID, after)
	if err == nil && !known {
		err = ErrBehind
	}
	return err
}

// decode names the message as a whole where protocol cannot name a field.
func decode(raw []byte) (protocol.Message, error) {
	m, err := protocol.Decode(raw)
	if err == nil {
		return m, nil
	}
	if _, ok := errors.AsType[protocol.FieldErrors](err); ok {
		return protocol.Message{}, err
	}
	return protocol.Message{}, protocol.FieldErrors{{Field: "message", Why: err.Error()}}
}

// GetSite answers with the recorded state of a site, for an agent that takes
// it over or starts again. One that names its newest message asks no more than whether
// that is known: the site is not read for it, so that one that cannot be read keeps
// the agent from no notice of its others.
func (s delivery) GetSite(ctx context.Context, req *connect.Request[wire.GetSiteRequest]) (*connect.Response[wire.GetSiteResponse], error) {
	const op = "get site"
	agentID, refused := s.admit(ctx, op, 0)
	if refused != nil {
		return nil, refused
	}
	siteID := req.Msg.GetSiteId()
	if _, err := uuid.Parse(siteID); err != nil {
		return nil, s.refuse(protocol.ReasonInvalid, connect.CodeInvalidArgument, "site_id: is not a UUID")
	}
	if err := s.follows(ctx, agentID, siteID, req.Msg.GetAfter()); err != nil {
		return nil, s.answer(ctx, op, agentID, err)
	}
	if req.Msg.GetAfter() != "" {
		return connect.NewResponse(&wire.GetSiteResponse{}), nil
	}
	grant, revision, raw, err := s.o.Register.Site(ctx, agentID, siteID)
	if err != nil {
		return nil, s.answer(ctx, op, agentID, err)
	}
	return connect.NewResponse(&wire.GetSiteResponse{Grant: protocol.GrantToWire(grant), Revision: revision, Message: raw}), nil
}
