package interrogate

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/use-go/onvif/device"

	"anagrafe/agent/discover"
)

// TestUnprovenGoesAlone: while one question tries the password, no other is sent
// with it.
func TestUnprovenGoesAlone(t *testing.T) {
	var got atomic.Int32
	s := soapServer(t, func(w http.ResponseWriter, _ *http.Request) {
		got.Add(1)
		w.WriteHeader(http.StatusUnauthorized)
	})
	l, err := newEnvelopes()
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{given: Credential{User: "u", Password: "p"}}
	c := newConversation(subjectOf(t, s, m), l)
	defer c.close()
	c.auth.scheme, c.auth.credential = usernameToken, m.given
	c.turn <- struct{}{} // another question has it
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := ask[deviceInformation](ctx, c, c.base, "GetDeviceInformation", device.GetDeviceInformation{}); err == nil || got.Load() > 0 {
		t.Errorf("%d requests were sent, error %v", got.Load(), err)
	}
}

// TestIdleConnectionsClosed: a device that closes a connection when the next
// question arrives on it is read to the end.
func TestIdleConnectionsClosed(t *testing.T) {
	for name, password := range map[string]string{"anonymous": "", "with a password": "p"} {
		t.Run(name, func(t *testing.T) {
			type key struct{}
			dropped := atomic.Int32{}
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n := r.Context().Value(key{}).(*atomic.Int32)
				op, user := operationOf(r)
				if n.Add(1) == 2 && op != timeOperation {
					dropped.Add(1)
					panic(http.ErrAbortHandler)
				}
				if password != "" && user == "" && op != timeOperation {
					n.Store(0) // the same connection goes on
					w.WriteHeader(http.StatusBadRequest)
					io.WriteString(w, envelopeWith(`<s:Fault><s:Code><s:Value>ter:NotAuthorized</s:Value></s:Code></s:Fault>`))
					return
				}
				if op == "GetDeviceInformation" || op == timeOperation {
					n.Store(0)
				}
				io.WriteString(w, envelopeWith("<tds:"+op+"Response><tds:Model>M</tds:Model></tds:"+op+"Response>"))
			}))
			server.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
				return context.WithValue(ctx, key{}, new(atomic.Int32))
			}
			server.Start()
			t.Cleanup(server.Close)
			s := discover.Sighting{Address: netip.MustParseAddrPort(server.Listener.Addr().String())}
			m := &memory{}
			if password != "" {
				m.given = Credential{User: "u", Password: password}
			}
			got := asker(t, m).Ask(t.Context(), s)
			if got.Model != "M" || len(got.Errors) != 1 || dropped.Load() == 0 { // the time, which it does not tell
				t.Errorf("%d connections were closed; read as %+v", dropped.Load(), got)
			}
		})
	}
}
