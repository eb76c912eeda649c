package ingest

import (
	"testing"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// listen opens the stream and waits until the server has heard it.
func listen(t *testing.T, c client) *connect.ServerStreamForClient[wire.Notice] {
	t.Helper()
	stream, err := c.delivery.Notices(t.Context(), connect.NewRequest(&wire.NoticesRequest{AgentVersion: "1"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stream.Close() })
	if len(stream.ResponseHeader()) == 0 {
		stream.Receive()
		t.Fatalf("no headers: %v", stream.Err())
	}
	return stream
}

func TestNoticesEndWithTheServer(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			r := start(t, nil)
			_, cert, _ := r.agent(t, time.Now())
			stream := listen(t, r.dial(t, transport, cert))
			go r.stop()
			if stream.Receive() {
				t.Errorf("a notice: %v", stream.Msg())
			}
			if err := stream.Err(); err != nil {
				t.Errorf("the stream ended with %v", err)
			}
			r.stop()
		})
	}
}

func TestNoticesEndWithTheRight(t *testing.T) {
	r := start(t, func(s *Server) { s.recheck = time.Millisecond })
	id, cert, _ := r.agent(t, time.Now())
	stream := listen(t, r.dial(t, "h3", cert))
	r.register.revoke(id)
	if !stream.Receive() || stream.Msg().GetRevocation() == nil {
		t.Fatalf("no revocation: %v, %v", stream.Msg(), stream.Err())
	}
	if stream.Receive() || reason(stream.Err()) != protocol.ReasonRevoked {
		t.Errorf("after it: %v", stream.Err())
	}
}
