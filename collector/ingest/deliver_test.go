package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protowire"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

func TestDeliver(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			r := start(t, nil)
			_, cert, _ := r.agent(t, time.Now())
			c := r.dial(t, transport, cert)
			m := message(t, 1, protocol.Observation{})
			sum := sha256.Sum256(m)

			for i, duplicate := range []bool{false, true, true} {
				receipt, err := deliver(t.Context(), c, m)
				if err != nil {
					t.Fatal(err)
				}
				if receipt.GetDuplicate() != duplicate || string(receipt.GetMessageSha256()) != string(sum[:]) {
					t.Errorf("delivery %d: %v", i, receipt)
				}
			}
			if n := r.register.recorded(); n != 1 {
				t.Errorf("recorded %d times", n)
			}
			if n, d := r.count(t, "messages_recorded_total", "observation"), r.count(t, "messages_duplicate_total", ""); n != 1 || d != 2 {
				t.Errorf("counted %v recorded, %v duplicates", n, d)
			}
			if n := r.count(t, "connections_total", transport); n != 1 {
				t.Errorf("counted %v connections over %s", n, transport)
			}
			site, err := c.delivery.GetSite(t.Context(), connect.NewRequest(&wire.GetSiteRequest{SiteId: site}))
			if err != nil {
				t.Fatal(err)
			}
			if string(site.Msg.GetMessage()) != string(m) || site.Msg.GetRevision() != 1 {
				t.Error("GetSite gives something else back")
			}
		})
	}
}

// TestDeliverWaitsForTheRecord holds the record back and sees no answer.
func TestDeliverWaitsForTheRecord(t *testing.T) {
	r := start(t, nil)
	_, cert, _ := r.agent(t, time.Now())
	c := r.dial(t, "h3", cert)
	recording, release := make(chan struct{}), make(chan struct{})
	r.register.when(func() { close(recording); <-release })
	answered := make(chan error, 1)
	go func() {
		_, err := deliver(t.Context(), c, message(t, 1, protocol.Observation{}))
		answered <- err
	}()
	<-recording
	select {
	case err := <-answered:
		t.Fatalf("answered before the record was durable: %v", err)
	default:
	}
	close(release)
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
}

func TestDeliverRefused(t *testing.T) {
	r := start(t, nil)
	_, cert, _ := r.agent(t, time.Now())
	c := r.dial(t, "h3", cert)
	first := message(t, 5, protocol.Observation{})
	if _, err := deliver(t.Context(), c, first); err != nil {
		t.Fatal(err)
	}
	decoded, err := protocol.Decode(first)
	if err != nil {
		t.Fatal(err)
	}
	decoded.Revision++
	conflict, err := protocol.Encode(decoded)
	if err != nil {
		t.Fatal(err)
	}
	// A well-formed message with an id that is none: written by hand, since
	// Encode would refuse it.
	badID := protowire.AppendTag(nil, 1, protowire.VarintType)
	badID = protowire.AppendVarint(badID, protocol.Version)
	badID = protowire.AppendTag(badID, 2, protowire.BytesType)
	badID = protowire.AppendString(badID, "not-a-uuid")

	for _, tt := range []struct {
		name    string
		message []byte
		want    protocol.Reason
		says    string
	}{
		{"empty", nil, protocol.ReasonInvalid, "version"},
		{"noise", []byte("\xff\xff\xff noise"), protocol.ReasonInvalid, "message"},
		{"truncated", first[:len(first)/2], protocol.ReasonInvalid, ""},
		{"bad id", badID, protocol.ReasonInvalid, "id: "},
		{"1 MiB + 1", make([]byte, protocol.MaxMessage+1), protocol.ReasonTooLarge, "1048577"},
		{"stale", message(t, 5, protocol.Observation{}), protocol.ReasonStale, "revision"},
		{"conflict", conflict, protocol.ReasonConflict, "id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := r.count(t, "refused_total", string(tt.want))
			_, err := deliver(t.Context(), c, tt.message)
			if got := reason(err); got != tt.want {
				t.Errorf("refused with %q (%v), want %q", got, err, tt.want)
			}
			if err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%q does not name %q", err, tt.says)
			}
			if got := r.count(t, "refused_total", string(tt.want)) - before; got != 1 {
				t.Errorf("counted %v times", got)
			}
		})
	}
	if r.register.recorded() != 1 {
		t.Errorf("%d messages recorded", r.register.recorded())
	}

	// Far over the limit the transport's own guard refuses.
	if _, err := deliver(t.Context(), c, make([]byte, readLimit+1)); connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("a huge message: %v", err)
	}
	if n := r.count(t, "refused_total", string(protocol.ReasonTooLarge)); n != 2 {
		t.Errorf("%v too large ones counted", n)
	}
}

func TestNotGranted(t *testing.T) {
	r := start(t, nil)
	id, cert, _ := r.agent(t, time.Now())
	r.register.mu.Lock()
	delete(r.register.grants, id+site)
	r.register.mu.Unlock()
	c := r.dial(t, "h2", cert)
	if _, err := deliver(t.Context(), c, message(t, 1, protocol.Observation{})); reason(err) != protocol.ReasonNotGranted {
		t.Errorf("Deliver: %v", err)
	}
	if _, err := c.delivery.GetSite(t.Context(), connect.NewRequest(&wire.GetSiteRequest{SiteId: site})); reason(err) != protocol.ReasonNotGranted {
		t.Errorf("GetSite: %v", err)
	}
	if _, err := c.delivery.GetSite(t.Context(), connect.NewRequest(&wire.GetSiteRequest{SiteId: "'; --"})); reason(err) != protocol.ReasonInvalid {
		t.Errorf("GetSite of no id: %v", err)
	}
}

// What follows a message that is not recorded is not recorded either: the
// register was set back, and the agent is to send that message first.
func TestFollowsWhatIsForgotten(t *testing.T) {
	r := start(t, nil)
	_, cert, _ := r.agent(t, time.Now())
	c := r.dial(t, "h2", cert)
	first, err := deliver(t.Context(), c, message(t, 1, protocol.Observation{}))
	if err != nil {
		t.Fatal(err)
	}
	for after, want := range map[string]protocol.Reason{"": "", first.GetMessageId(): "", uuid.NewString(): protocol.ReasonBehind} {
		n := r.register.recorded()
		_, err := c.delivery.Deliver(t.Context(), connect.NewRequest(&wire.DeliverRequest{
			Message: message(t, int64(n+1), protocol.Observation{}), After: after}))
		if reason(err) != want || want == "" && err != nil || (r.register.recorded() == n) != (want != "") {
			t.Errorf("Deliver after %q: %v; %d messages recorded, %d before", after, err, r.register.recorded(), n)
		}
		resp, err := c.delivery.GetSite(t.Context(), connect.NewRequest(&wire.GetSiteRequest{SiteId: site, After: after}))
		if reason(err) != want || want == "" && err != nil {
			t.Errorf("GetSite after %q: %v", after, err)
		}
		// Who has said what is recorded is not told it again.
		if err == nil && (len(resp.Msg.GetMessage()) == 0) != (after != "") {
			t.Errorf("GetSite after %q: a message of %d bytes", after, len(resp.Msg.GetMessage()))
		}
	}
	// That is answered without the site, which perhaps cannot be read.
	r.register.fail(errors.New("a part of the site does not open"))
	if _, err := c.delivery.GetSite(t.Context(), connect.NewRequest(&wire.GetSiteRequest{SiteId: site, After: first.GetMessageId()})); err != nil {
		t.Errorf("GetSite of a site that cannot be read: %v", err)
	}
}

// A register in trouble is no refusal, and its words stay inside.
func TestRegisterFails(t *testing.T) {
	r := start(t, nil)
	_, cert, _ := r.agent(t, time.Now())
	c := r.dial(t, "h3", cert)
	r.register.fail(errors.New("disk /srv/secret is full"))
	_, err := deliver(t.Context(), c, message(t, 1, protocol.Observation{}))
	ce := new(connect.Error)
	if !asError(err, &ce) || ce.Code() != connect.CodeUnavailable || reason(err) != protocol.ReasonTemporary || ce.Meta().Get(protocol.RetryAfterHeader) != "15" {
		t.Fatalf("%v", err)
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the error tells what is inside: %v", err)
	}
}

// TestLostAcknowledgement cuts the call when the message has been recorded.
func TestLostAcknowledgement(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			r := start(t, nil)
			_, cert, _ := r.agent(t, time.Now())
			m := message(t, 1, protocol.Observation{})
			ctx, cut := context.WithCancel(t.Context())
			gone := make(chan struct{})
			r.register.when(func() { cut(); <-gone }) // no answer before the caller has left
			if _, err := deliver(ctx, r.dial(t, transport, cert), m); err == nil {
				t.Fatal("the cut call was answered")
			}
			close(gone)
			receipt, err := deliver(t.Context(), r.dial(t, transport, cert), m)
			if err != nil {
				t.Fatal(err)
			}
			if !receipt.GetDuplicate() || r.register.recorded() != 1 {
				t.Errorf("recorded %d times, duplicate: %v", r.register.recorded(), receipt.GetDuplicate())
			}
		})
	}
}

// cutBody ends with an error after some bytes.
type cutBody struct{ io.Reader }

func (b cutBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = errors.New("cut")
	}
	return n, err
}

func TestTruncatedRequest(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			r := start(t, nil)
			_, cert, _ := r.agent(t, time.Now())
			c := r.dial(t, transport, cert)
			m := message(t, 1, protocol.Observation{})
			body := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), m)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+wire.DeliveryServiceDeliverProcedure,
				cutBody{strings.NewReader(string(body[:len(body)-10]))})
			if err != nil {
				t.Fatal(err)
			}
			req.ContentLength = int64(len(body))
			req.Header.Set("Content-Type", "application/proto")
			req.Header.Set("Connect-Protocol-Version", "1")
			if resp, err := c.http.Do(req); err == nil {
				if resp.StatusCode == http.StatusOK {
					t.Error("accepted")
				}
				_ = resp.Body.Close()
			}
			if r.register.recorded() != 0 {
				t.Error("half a message was recorded")
			}
			if _, err := deliver(t.Context(), c, m); err != nil {
				t.Errorf("whole: %v", err)
			}
		})
	}
}

// stalledBody gives its bytes and then nothing until it is closed, which a
// client does when the call has ended.
type stalledBody struct {
	io.Reader
	closed chan struct{}
	close  func()
}

func newStalledBody(s string) stalledBody {
	b := stalledBody{Reader: strings.NewReader(s), closed: make(chan struct{})}
	b.close = sync.OnceFunc(func() { close(b.closed) })
	return b
}

func (b stalledBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) && n == 0 {
		<-b.closed
	}
	return n, err
}

func (b stalledBody) Close() error {
	b.close()
	return nil
}

// TestSlowRequest: who does not finish a request does not hold the server.
func TestSlowRequest(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			r := start(t, func(s *Server) { s.timeout = 100 * time.Millisecond })
			_, cert, _ := r.agent(t, time.Now())
			c := r.dial(t, transport, cert)
			body := newStalledBody("half")
			defer body.close() // HTTP/3 leaves it to us
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+wire.DeliveryServiceDeliverProcedure, body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/proto")
			req.Header.Set("Connect-Protocol-Version", "1")
			resp, err := c.http.Do(req) // ends by the server's limit alone
			if err == nil {
				if resp.StatusCode == http.StatusOK {
					t.Error("accepted")
				}
				_ = resp.Body.Close()
			}
			if r.register.recorded() != 0 {
				t.Error("half a message was recorded")
			}
		})
	}
}
