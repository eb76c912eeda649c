package review

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// oneConn is a listener that gives a single connection.
type oneConn chan net.Conn

func (l oneConn) Accept() (net.Conn, error) {
	if c, ok := <-l; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (l oneConn) Close() error   { close(l); return nil }
func (l oneConn) Addr() net.Addr { return &net.IPAddr{} }

// Who reads nothing holds a connection for a minute; who has a session may wait longer, as
// a search does.
func TestReadersThatDoNotRead(t *testing.T) {
	o := start(t)
	o.openToNetwork()
	d := door{o.Review, o.LAN}
	browser := newCaller("pipe", "")
	browser.ask(t, d.handler(), "POST", lanBase+"/login", "password="+strings.ReplaceAll(lanPassword, " ", "+"))
	if len(browser.jar) == 0 {
		t.Fatal("no session")
	}
	cookie := lanCookieName + "=" + browser.jar[lanCookieName].Value
	search := d.ownHost(d.signedIn(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(5 * time.Minute)
		_, _ = io.WriteString(w, "found")
	})))
	for name, c := range map[string]struct {
		door   http.Handler
		path   string
		answer bool
	}{
		"without a session": {d.handler(), "/login", false},
		"with a session":    {search, "/", true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				listener := make(oneConn, 1)
				server := &http.Server{Handler: c.door}
				go func() { _ = server.Serve(listener) }()
				here, there := net.Pipe()
				listener <- there
				if _, err := io.WriteString(here, "GET "+c.path+" HTTP/1.1\r\nHost: nas.local:8481\r\nConnection: close\r\nCookie: "+cookie+"\r\n\r\n"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Minute)
				got, err := io.ReadAll(here)
				if err != nil || len(got) > 0 != c.answer {
					t.Errorf("%d bytes came, %v", len(got), err)
				}
				_ = here.Close()
				_ = server.Close()
			})
		})
	}
}
