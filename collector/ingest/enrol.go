package ingest

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

const (
	maxCodeText = 128 // bytes of a code as typed
	maxVersion  = 64  // bytes of an agent's version
)

// enrolment serves wire's EnrolmentService.
type enrolment struct{ *Server }

// Enrol redeems a code and certifies the key of the request. The same code
// with the same key may come any number of times: each time the grant is the
// same, and the certificate a fresh one for the same agent.
func (s enrolment) Enrol(ctx context.Context, req *connect.Request[wire.EnrolRequest]) (*connect.Response[wire.EnrolResponse], error) {
	const op = "enrol"
	from := callerOf(ctx).address
	end, wait := s.guesses.try(ctx, from)
	if end == nil {
		e := s.refuse(protocol.ReasonTooMany, connect.CodeResourceExhausted, "code: too many wrong codes from this address: wait, then try again")
		e.Meta().Set(protocol.RetryAfterHeader, seconds(wait))
		return nil, e
	}
	defer end()
	csr, err := parseRequest(req.Msg.GetCsr())
	if err != nil {
		return nil, s.refuse(protocol.ReasonInvalid, connect.CodeInvalidArgument, "csr: "+err.Error())
	}
	code, err := parseCode(req.Msg.GetCode())
	if err != nil {
		s.guesses.wrong(from)
		return nil, s.answer(ctx, op, "", err)
	}
	former := req.Msg.GetFormerAgent()
	if former != "" && uuid.Validate(former) != nil {
		return nil, s.refuse(protocol.ReasonInvalid, connect.CodeInvalidArgument, "former_agent: is not a UUID")
	}
	now := s.now()
	var grant protocol.Grant
	refused := s.write(ctx, op, "", func() (err error) {
		grant, err = s.o.Register.Redeem(ctx, Redemption{
			CodeHash: code.Hash(), KeyHash: sha256.Sum256(csr.spki), AgentID: uuid.NewString(),
			AgentVersion: printable(req.Msg.GetAgentVersion()), At: now,
			Visit: req.Msg.GetVisit(), Replace: req.Msg.GetReplace(), Former: former,
		})
		if errors.Is(err, ErrUnknownCode) || errors.Is(err, ErrExpiredCode) || errors.Is(err, ErrUsedCode) {
			s.guesses.wrong(from)
		}
		return err
	})
	if refused != nil {
		return nil, refused
	}
	arrivalOf(ctx).prove()
	chain, refused := s.certify(ctx, op, csr.key, grant.AgentID, now)
	if refused != nil {
		return nil, refused
	}
	s.metrics.enrolled.Inc()
	s.log.InfoContext(ctx, "agent enrolled", "agent", grant.AgentID, "site", grant.SiteID, "epoch", grant.Epoch)
	return connect.NewResponse(&wire.EnrolResponse{
		AgentId: grant.AgentID, CertificateChain: chain, Grant: protocol.GrantToWire(grant),
		Authorities: s.o.Authority.announced(), Trust: s.trust(), ReceiptKey: s.o.ReceiptKey.VerifierKey(),
	}), nil
}

// Renew answers with a new certificate for the key of the old one, which may
// have expired up to 90 days ago. The key cannot change: codes are bound to it.
func (s enrolment) Renew(ctx context.Context, req *connect.Request[wire.RenewRequest]) (*connect.Response[wire.RenewResponse], error) {
	const op = "renew"
	agentID, refused := s.admit(ctx, op, protocol.RenewAfterExpiry)
	if refused != nil {
		return nil, refused
	}
	csr, err := parseRequest(req.Msg.GetCsr())
	if err != nil {
		return nil, s.refuse(protocol.ReasonInvalid, connect.CodeInvalidArgument, "csr: "+err.Error())
	}
	if !csr.key.Equal(callerOf(ctx).cert.PublicKey) {
		return nil, s.refuse(protocol.ReasonInvalid, connect.CodeInvalidArgument, "csr: its key is not the one of the certificate that is being renewed")
	}
	chain, refused := s.certify(ctx, op, csr.key, agentID, s.now())
	if refused != nil {
		return nil, refused
	}
	s.metrics.renewed.Inc()
	return connect.NewResponse(&wire.RenewResponse{CertificateChain: chain,
		Authorities: s.o.Authority.announced(), Trust: s.trust(), ReceiptKey: s.o.ReceiptKey.VerifierKey()}), nil
}

// certify signs a certificate and has it noted before anyone can hold it.
func (s *Server) certify(ctx context.Context, op string, key *ecdsa.PublicKey, agentID string, now time.Time) ([][]byte, *connect.Error) {
	cert, err := s.o.Authority.agentCertificate(key, agentID, now)
	if err != nil {
		return nil, s.answer(ctx, op, agentID, err)
	}
	refused := s.write(ctx, op, agentID, func() error {
		return s.o.Register.Certified(ctx, agentID, cert.SerialNumber.Text(16), cert.NotAfter)
	})
	if refused != nil {
		return nil, refused
	}
	return [][]byte{cert.Raw}, nil
}

// trust is by what an agent is to recognise this collector from now on.
func (s *Server) trust() wire.ServerTrust {
	if s.identity.files != nil {
		return wire.ServerTrust_SERVER_TRUST_PUBLIC
	}
	return wire.ServerTrust_SERVER_TRUST_AUTHORITIES
}

// parseCode takes a code that cannot be one as an unknown one: its check
// character helps the person who types it, and is checked on the agent.
func parseCode(text string) (protocol.Code, error) {
	if len(text) > maxCodeText {
		return protocol.Code{}, ErrUnknownCode
	}
	code, err := protocol.ParseCode(text)
	if err != nil {
		return protocol.Code{}, ErrUnknownCode
	}
	return code, nil
}

// printable keeps what may stand in a list of agents' versions.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), maxVersion)]
}
