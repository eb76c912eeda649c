package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// serving is a running collector.
type serving struct {
	t    *testing.T
	dir  string
	o    *collector
	stop func()
}

// freePort is a port of a loopback address that nobody holds just now.
func freePort(t *testing.T, host string) string {
	t.Helper()
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func serveAt(t *testing.T, dir, agents, consult string) *serving {
	t.Helper()
	return serveIn(t, "", dir, agents, consult)
}

// serveIn runs a collector on a store; "" is the directory's own.
func serveIn(t *testing.T, store, dir, agents, consult string) *serving {
	t.Helper()
	c := defaults()
	c.Store = store
	c.PublicURL, c.ConsultURL = "http://localhost:8080", "http://"+consult
	c.ListenAgents, c.ListenPublic, c.ListenOps, c.ListenConsult, c.ListenMetrics = agents, "127.0.0.1:0", "127.0.0.1:0", consult, "off"
	o, err := openCollector(t.Context(), dir, c, discard())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.serve(ctx, new(bytes.Buffer)) }()
	s := &serving{t: t, dir: dir, o: o}
	s.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	}
	s.command("user", "list", "-data", dir) // answered when all is served
	return s
}

// command runs one command line, which must succeed.
func (s *serving) command(args ...string) string {
	s.t.Helper()
	var out, problem bytes.Buffer
	if code := run(s.t.Context(), console{out: &out, err: &problem}, args); code != exitDone {
		s.t.Fatalf("%v: exit %d: %s", args, code, problem.String())
	}
	return out.String()
}

// played is an agent that a test plays, over QUIC.
type played struct {
	t        *testing.T
	server   string
	config   *tls.Config
	road     *http3.Transport
	delivery wire.DeliveryServiceClient
	grant    *wire.Grant
	revision int64

	ownerCode string // by which the owner opens the site's public page
}

func play(t *testing.T, s *serving, server string) *played {
	t.Helper()
	code := protocol.NewCode()
	if _, err := s.o.reg.Invite(t.Context(), registry.Invitation{Site: protocol.Site{Name: "Farmacia", Category: "pharmacy", Address: "Via Torino 1"},
		CodeHash: code.Hash(), ExpiresAt: time.Now().Add(time.Hour), At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	return playWith(t, server, code)
}

// playWith enrols an agent with a code.
func playWith(t *testing.T, server string, code protocol.Code) *played {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	a := &played{t: t, server: server, config: &tls.Config{InsecureSkipVerify: true}} // who serves is not what is tested
	resp, err := wire.NewEnrolmentServiceClient(a.dial(), "https://"+server).Enrol(t.Context(),
		connect.NewRequest(&wire.EnrolRequest{Code: code.String(), Csr: csr, AgentVersion: "1.0"}))
	if err != nil {
		t.Fatal(err)
	}
	a.grant = resp.Msg.GetGrant()
	cert := &tls.Certificate{Certificate: resp.Msg.GetCertificateChain(), PrivateKey: key}
	a.config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	a.come()
	return a
}

// dial leaves the connection that is open for a new one.
func (a *played) dial() *http.Client {
	a.leave()
	a.road = &http3.Transport{TLSClientConfig: a.config, QUICConfig: &quic.Config{}}
	return &http.Client{Transport: a.road}
}

// leave closes the connection: a collector that stops would wait for it.
func (a *played) leave() {
	if a.road != nil {
		_ = a.road.Close()
	}
}

// come opens a new connection.
func (a *played) come() { a.delivery = wire.NewDeliveryServiceClient(a.dial(), "https://"+a.server) }

func (a *played) say(body protocol.Body) {
	a.t.Helper()
	a.sayAt(time.Now(), body)
}

// sayAt says what was made before.
func (a *played) sayAt(made time.Time, body protocol.Body) {
	a.t.Helper()
	a.revision++
	raw, err := protocol.Encode(protocol.Message{ID: uuid.NewString(), SiteID: a.grant.GetSiteId(), Epoch: a.grant.GetEpoch(), Revision: a.revision, MadeAt: made, Body: body})
	if err != nil {
		a.t.Fatal(err)
	}
	resp, err := a.delivery.Deliver(a.t.Context(), connect.NewRequest(&wire.DeliverRequest{Message: raw}))
	if err != nil {
		a.t.Fatal(err)
	}
	a.ownerCode = cmp.Or(resp.Msg.GetReceipt().GetOwnerCode(), a.ownerCode)
}

func (a *played) listen() *connect.ServerStreamForClient[wire.Notice] {
	a.t.Helper()
	stream, err := a.delivery.Notices(a.t.Context(), connect.NewRequest(&wire.NoticesRequest{AgentVersion: "1.0"}))
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = stream.Close() })
	return stream
}

// hears waits for the next request to preserve; it passes over reminders.
func (a *played) hears(stream *connect.ServerStreamForClient[wire.Notice]) (string, protocol.Preserve) {
	a.t.Helper()
	for stream.Receive() {
		n, err := protocol.NoticeFromWire(stream.Msg())
		if err != nil {
			a.t.Fatal(err)
		}
		if p, ok := n.Body.(protocol.Preserve); ok {
			return n.ID, p
		}
	}
	a.t.Fatalf("no notice: %v", stream.Err())
	return "", protocol.Preserve{}
}

func declared(camera string) protocol.Declaration {
	now := time.Now()
	fact := protocol.Fact{Source: protocol.Confirmed, At: now}
	recorder := uuid.NewString()
	return protocol.Declaration{Site: protocol.Site{Name: "Farmacia", Category: "pharmacy", Address: "Via Torino 1"},
		Contacts:  []protocol.Contact{{Name: "Anna", Role: protocol.RoleOwner, Phone: "+39 02 1234567"}},
		Recorders: []protocol.Recorder{{ID: recorder, Name: "NVR"}},
		Cameras: []protocol.Camera{{ID: camera, RecorderID: recorder, Name: "Ingresso", NameFact: fact,
			Position:      protocol.Position{Point: protocol.Point{Lon: 9_190_000, Lat: 45_464_000}, AccuracyM: 3, Method: "map", Fact: fact},
			View:          protocol.View{WidthPx: 1920, HeightPx: 1080, Fact: fact},
			OutdoorPublic: protocol.Outdoor{Yes: true, By: "Anna", At: now}}},
		Approval: protocol.Approval{By: "Anna", Role: protocol.RoleOwner, At: now}}
}

// TestPreserve: an officer's command reaches the agent that is connected, and
// again after the collector has started anew, until the agent says that it has
// it; what the owner then answers, the officer reads.
func TestPreserve(t *testing.T) {
	dir, agents, consult := t.TempDir(), freePort(t, "127.83.41.8"), freePort(t, "127.0.0.1")
	s := serveAt(t, dir, agents, consult)
	credential := filepath.Join(t.TempDir(), "rossi.json")
	s.officer(credential)
	a, camera := play(t, s, agents), uuid.NewString()
	a.say(declared(camera))
	ask := func() string {
		t.Helper()
		var answer struct {
			Notices []struct {
				Notice string `json:"notice_id"`
				Check  string `json:"check_code"`
			}
		}
		out := s.command("preserve", "-credential", credential, "-camera", camera, "-from", "2026-11-21T22:00:00Z", "-until", "2026-11-21T22:30:00Z",
			"-kind", "order", "-phone", "+39 02 5555 0113", "-case", "annotation:12/2026", "-offence", "robbery", "-reason", "rapina in piazza", "-json")
		if err := json.Unmarshal([]byte(out), &answer); err != nil || len(answer.Notices) != 1 {
			t.Fatalf("%s: %v", out, err)
		}
		return answer.Notices[0].Notice + " " + answer.Notices[0].Check
	}
	stream := a.listen()
	first := ask()
	id, p := a.hears(stream)
	if id+" "+p.CheckCode != first || p.Kind != protocol.Order || !strings.Contains(p.From, "Questura, Isp. Rossi") || p.CameraIDs[0] != camera {
		t.Errorf("heard %s %+v, asked %s", id, p, first)
	}

	a.leave()
	s.stop()
	s = serveAt(t, dir, agents, consult)
	defer func() {
		a.leave()
		s.stop()
	}()
	a.come()
	if again, _ := a.hears(a.listen()); again != id {
		t.Errorf("after the restart %s, not %s", again, id)
	}
	a.say(protocol.Reply{NoticeID: id, State: protocol.ReplyReceived, At: time.Now()})
	stream = a.listen()
	second := ask()
	if next, p := a.hears(stream); next+" "+p.CheckCode != second {
		t.Errorf("after it was received: %s", next)
	}
	a.say(protocol.Reply{NoticeID: id, State: protocol.ReplyCopied, At: time.Now(), By: "Anna Bianchi", Note: "chiavetta"})
	list := s.command("preserve", "-credential", credential, "-list")
	if !strings.Contains(list, "\n2 notices; entry") || !strings.Contains(list, "copied") || !strings.Contains(list, "Anna Bianchi") || !strings.Contains(list, "sent") {
		t.Errorf("listed:\n%s", list)
	}
}
